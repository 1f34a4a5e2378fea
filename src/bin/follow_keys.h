/* bin/follow_keys.h -- the keys of a daemon that follows primaries (auth/follower.h), the primaries that they lead to, and the catalogs.
 *
 * Keys come from an option, a file, ORIGIN_KEYS or the systemd credential "keys".  Each is NAME:ALGORITHM:SECRET; a file has one on each
 * line, or one key statement of BIND.
 */
#pragma once

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth/follower.h"
#include "auth/keys.h"
#include "net/listen.h"

enum { FOLLOW_PRIMARIES_MAX = 16, FOLLOW_KEYS_MAX = 256 };

struct follow_keys_args {
	const char *option;          /* that gives a key: "--keys" */
	char *keys[FOLLOW_KEYS_MAX]; /* of that option, in argv */
	size_t keys_n;
	const char *file;
};

/* Of the option; too many are wrong usage.  `file_option`: that takes any number, for people. */
void follow_keys_take(struct follow_keys_args *a, char *arg, const char *file_option, struct argp_state *state);

/* Of --catalog. */
struct follow_catalogs {
	struct name list[FOLLOWER_CATALOGS_MAX];
	size_t n;
};

/* Adds the name.  Returns what is wrong with it, for people; NULL: nothing. */
const char *follow_catalogs_add(struct follow_catalogs *c, const char *text);

/* Reads all keys, and overwrites the copies in argv and the environment.  Returns the exit status: CLI_OK, or another one after
 * printing what is wrong. */
int follow_keys_read(const struct follow_keys_args *a, struct keystore **out);

struct follow_keys_use {
	const struct listen_address *primaries; /* borrowed */
	size_t primaries_n;                     /* 0: the addresses in the keys' names */
	const char *primary_option;             /* that gives a primary, for people: "--primary" */
	bool is_updating;                       /* the program has use for keys that may update, and whose name has no address */
};

/* The sources that the keys lead to: each key's domain, at each of the primaries.  Allocates *out.  Returns the exit status, as above. */
int follow_keys_sources(const struct keystore *keys, const struct follow_keys_use *use, struct follow_source **out, size_t *n);
