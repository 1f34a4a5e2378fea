/* bin/cli_asking.h -- options that tools have which sign what they ask a server, and may wait for what comes of it.
 *
 *     static const struct argp_option options[] = {
 *             CLI_ASKING_ROWS,
 *             { "timeout", CLI_ASKING_TIMEOUT, "SECONDS", 0, "Patience ...", 0 },
 *
 * and in the parser, for what it does not know itself: return cli_asking_parse(&o->asking, key, arg, state).
 */
#pragma once

#include <argp.h>
#include <stdint.h>

enum { CLI_ASKING_KEY = 512, CLI_ASKING_KEY_FILE, CLI_ASKING_TIMEOUT, CLI_ASKING_WAIT };

enum { CLI_ASKING_WAIT_S = 60 }; /* --wait without a number */

struct cli_asking {
	char *key;            /* in argv */
	const char *key_file;
	uint16_t port;
	unsigned timeout_s;
	unsigned wait_s;      /* 0: do not wait */
};

/* --key, --key-file and --port, for all in the same words. */
#define CLI_ASKING_ROWS                                                                                                             \
	{ "key", CLI_ASKING_KEY, "NAME:ALG:SECRET", 0, "Sign with this key. ALG: SHA256, also SHA1, SHA224, SHA384, SHA512; "       \
	  "SECRET in base64", 0 },                                                                                                 \
	{ "key-file", CLI_ASKING_KEY_FILE, "FILE", 0, "Read the key from the first line of FILE (-: standard input)", 0 },          \
	{ "port", 'p', "N", 0, "Port of the server (53)", 0 }

/* Takes the option; with ARGP_KEY_END, sees that there are no two keys.  ARGP_ERR_UNKNOWN: it is none of these.  Wrong usage ends the
 * program. */
error_t cli_asking_parse(struct cli_asking *o, int key, char *arg, struct argp_state *state);
