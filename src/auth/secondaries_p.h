/* auth/secondaries_p.h -- the store of secondaries.h as its two files see it; private to them: secondaries_read.c takes records out of
 * files, secondaries.c keeps and finds what they say. */
#pragma once

#include "auth/secondaries.h"
#include "base/arena.h"

/* What a record says; of an APL one item. */
struct entry {
	const uint8_t *at;          /* by what it is looked up: the domain it counts for, or the host */
	const uint8_t *within;      /* the file's domain */
	const uint8_t *name;        /* the host to be told, or the host's key; NULL: neither */
	struct key_address address; /* the prefix's, or the host's; family 0: none */
	uint8_t prefix_len;
	bool is_not;
	uint16_t port;
	size_t order;               /* that it came in: of one file's records the first comes first */
};

struct entries {
	struct entry *list; /* owned; sorted once sealed */
	size_t n, cap;
};

enum which { PREFIXES, NOTIFIED, HOSTS, WHICH_COUNT };

struct grants {
	struct secondary_grant *list; /* owned; likewise */
	size_t n, cap;
};

struct secondaries {
	struct entries entries[WHICH_COUNT];
	struct grants granted;
	struct grants signing; /* keys of hosts: `domain` is the host */
	size_t n;              /* records */
	size_t order_end;      /* no entry has it, nor a larger one */
	struct arena names;
	const uint8_t *last_at, *last_within, *last_name; /* copied last: the next record often has the same */
	bool is_sealed;
};

/* Puts the entry, or a key with its domain or host, and copies the names.  An entry takes the place of one record; for a grant that
 * is done by the caller.  E_LIMIT, E_NOMEM. */
err_t secondaries_put(struct secondaries *s, enum which which, const struct entry *e);
err_t secondaries_put_grant(struct secondaries *s, struct grants *to, const uint8_t *key, const uint8_t *domain);
err_t secondaries_take_place(struct secondaries *s);
