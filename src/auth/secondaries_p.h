/* auth/secondaries_p.h -- the store of secondaries.h as its files see it; private to them.  secondaries_read.c takes records out of
 * files, secondaries.c keeps and finds what they say, and secondaries_prefixes.c does so for addresses that transfer without a key. */
#pragma once

#include "auth/secondaries.h"
#include "base/arena.h"

/* What a record says of hosts. */
struct entry {
	const uint8_t *at;          /* by what it is looked up: the domain it counts for, or the host */
	const uint8_t *within;      /* the file's domain */
	const uint8_t *name;        /* the host to be told, or the host's key; NULL: neither */
	struct key_address address; /* the host's; family 0: none */
	uint16_t port;
	size_t order;               /* that it came in: of one file's records the first comes first */
};

struct entries {
	struct entry *list; /* owned; sorted once sealed */
	size_t n, cap;
};

enum which { NOTIFIED, HOSTS, WHICH_COUNT };

/* An item of an APL record. */
struct prefix {
	const uint8_t *at;          /* the domain it counts for */
	const uint8_t *within;      /* the file's domain */
	struct key_address address; /* bits behind the first `len` are 0 */
	uint8_t len;
	bool is_not;
	size_t order;               /* as in struct entry */
	/* Set by prefixes_seal(): indices of the sorted list. */
	uint32_t around;            /* the narrowest prefix of the same domain that holds this one; this one itself: none does */
	uint32_t decider;           /* of this one and all those around it the one that counts first */
};

struct prefixes {
	struct prefix *list; /* owned; sorted once sealed */
	size_t n, cap;
};

struct grants {
	struct secondary_grant *list; /* owned; likewise */
	size_t n, cap;
};

struct domains {
	const uint8_t **list; /* owned; sorted once sealed */
	size_t n, cap;
};

struct secondaries {
	struct entries entries[WHICH_COUNT];
	struct prefixes prefixes;
	struct domains shut;   /* no address transfers their zones */
	struct grants granted;
	struct grants signing; /* keys of hosts: `domain` is the host */
	size_t n;              /* records */
	size_t order_end;      /* no entry has it, nor a larger one */
	struct arena names;
	const uint8_t *last_at, *last_within, *last_name; /* copied last: the next record often has the same */
	bool is_sealed;
};

/* Puts the entry, the prefix, or a key with its domain or host, and copies the names.  An entry or prefix takes the place of one record;
 * for a grant that is done by the caller.  E_LIMIT, E_NOMEM. */
err_t secondaries_put(struct secondaries *s, enum which which, const struct entry *e);
err_t secondaries_put_prefix(struct secondaries *s, const struct prefix *p);
err_t secondaries_put_grant(struct secondaries *s, struct grants *to, const uint8_t *key, const uint8_t *domain);
err_t secondaries_take_place(struct secondaries *s);

/* The store's own copy of a name; NULL: no memory.  *last: the name that was copied last for the same purpose. */
const uint8_t *secondaries_keep(struct secondaries *s, const uint8_t **last, const uint8_t *name);

err_t prefixes_copy(struct secondaries *into, const struct secondaries *from, size_t order_begin); /* with what is shut; as above */
void prefixes_seal(struct prefixes *p);
void domains_seal(struct domains *d);

/* The domain around a domain; NULL: that was the root. */
static inline const uint8_t *
domain_above(const uint8_t *domain)
{
	return name_is_root(domain) ? NULL : name_parent(domain);
}
