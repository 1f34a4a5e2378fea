/* bin/cli_asking.h -- options of tools that ask a server with a signed request: key, port, timeout, --wait.
 *
 *     static const struct argp_option options[] = {
 *             CLI_ASKING_ROWS,
 *             { "timeout", CLI_ASKING_TIMEOUT, "SECONDS", 0, "Patience ...", 0 },
 *
 * The tool's parser passes on the options that are not its own: return cli_asking_parse(&o->asking, key, arg, state).
 */
#pragma once

#include <argp.h>
#include <stdint.h>

enum { CLI_ASKING_KEY = 512, CLI_ASKING_KEY_FILE, CLI_ASKING_TIMEOUT, CLI_ASKING_WAIT };

enum { CLI_ASKING_WAIT_S = 60, CLI_ASKING_TIMEOUT_MAX_S = 3600 }; /* --wait without a number; --timeout at most */

struct cli_asking {
	char *key;              /* in argv */
	const char *key_called; /* what the user calls it */
	const char *key_file;
	uint16_t port;
	unsigned timeout_s;
	unsigned timeout_max_s; /* 0: CLI_ASKING_TIMEOUT_MAX_S */
	unsigned wait_s;        /* 0: do not wait */
};

/* Rows for --key, --key-file and --port, with the same words in all tools. */
#define CLI_ASKING_ROWS                                                                                                             \
	{ "key", CLI_ASKING_KEY, "NAME:ALG:SECRET", 0, "Sign with this key. ALG: SHA256, also SHA1, SHA224, SHA384, SHA512; "       \
	  "SECRET in base64", 0 },                                                                                                 \
	{ "key-file", CLI_ASKING_KEY_FILE, "FILE", 0, "Read the key from the first line of FILE (-: standard input)", 0 },          \
	{ "port", 'p', "N", 0, "Port of the server (53)", 0 }

/* Takes a key that is on the command line; `called`: what the user calls it.  A second one is wrong usage. */
void cli_asking_take_key(struct cli_asking *o, char *key, const char *called, struct argp_state *state);

/* Takes the option.  With ARGP_KEY_END, checks that not both --key and --key-file were given.  ARGP_ERR_UNKNOWN: it is another option.
 * Wrong usage ends the program. */
error_t cli_asking_parse(struct cli_asking *o, int key, char *arg, struct argp_state *state);
