/* zone/zone_txn_p.h -- what the zone_txn*.c files share; private to them.
 *
 * zone_txn.c takes changes in, and zone_txn_ask.c says what has come of them so far; zone_txn_edited.c keeps the records of one name while
 * they change.  zone_txn_apply.c makes the next version, zone_txn_nodes.c its nodes; zone_txn_settle.c sets right what names
 * have from those around them.
 *
 * The names that change are gathered first, each with all its records (struct edited), so that many changes of one
 * name cost one new node.  At the commit the new nodes are put into the tries, names without records come and go
 * around them, and the flags that follow from other names are set right where that can have changed them.
 */
#pragma once

#include "base/arena.h"
#include "zone/zone_p.h"

struct edit {
	struct node_rr rr;
	uint64_t stamp;    /* when it was added, counted from 1; 0: it was there */
	bool was_there, is_gone;
	uint32_t old_ttl;  /* of one that was there */
};

/* Records are kept in sorted runs, each less than half as long as the one before it (but for the first
 * two): a record that is added is a run of one, and runs that come to be alike in length are merged.  So
 * to find and to add cost O(log² n), whatever the order; a million changes of one name are no trouble. */
enum { RUNS_MAX = 66 };

/* How many records of a type there are by now. */
struct type_count {
	uint16_t type;
	uint32_t n;
};

struct edited {
	struct edit *edits;
	size_t n, cap;
	struct type_count *types; /* sorted; a type that has none any more stays */
	size_t types_n, types_cap;
	size_t records;           /* of all types */
	size_t run_end[RUNS_MAX];
	unsigned runs;
	bool is_changed, is_emptied;
	uint8_t name_len;
	uint8_t name[]; /* as the trie wants it */
};

struct zone_txn {
	const struct zone *from; /* borrowed until the commit */
	struct zone *to;
	struct trie_txn nodes, nsec3;
	struct trie_txn names; /* of struct edited */
	struct arena arena;    /* RDATA that was added */
	struct garbage fresh;  /* nodes made here; freed by a rollback */
	struct garbage stale;  /* nodes that the new version does not have */
	uint64_t stamp;
	uint64_t steps;        /* records and types that were looked at */
	size_t added, removed; /* records, in what was applied */
	size_t node_octets;    /* of the nodes of both tries, as they are by now */
	bool is_prepared;      /* `to` is whole */
};

enum { FRESH = 1 << 14 }; /* in a node's flags, until the commit: nobody else has it */

/* ---- zone_txn_edited.c ---- */

/* Takes over the records that a node has (NULL: none), as one run. */
err_t edited_load(struct edited *e, const struct node *n);

err_t edited_add(struct edited *e, const struct edit *new);
struct edit *edited_find(const struct edited *e, const struct node_rr *rr); /* or NULL; maybe one that is gone */
void edited_bring_back(struct edited *e, struct edit *gone, const struct edit *as);
void edited_remove(struct edited *e, struct edit *is);
void edited_free(struct edited *e);

/* Records of a type (TYPE_ANY: of all) by now. */
size_t edited_count(const struct edited *e, uint16_t type);

/* Tells them, in no order; `each` may remove records.  *steps grows by those that were looked at. */
err_t edited_each(struct edited *e, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx, uint64_t *steps);

/* Does the owner have other records than at first? */
err_t edited_is_effective(struct edited *e, bool *out);

/* All records that are left, in one run and with one TTL for each RRset. */
err_t edited_settle(struct edited *e);

/* ---- zone_txn_apply.c ---- */

err_t txn_apply(struct zone_txn *t); /* t->to becomes whole; errors as zone_txn_prepare() */

/* ---- zone_txn_nodes.c ---- */

/* Makes the names above one that came: nearest first, up to one that is there. */
err_t txn_put_names_above(struct zone_txn *t, const uint8_t *name);

/* A name that lost its last record: it goes, and with it the names without records above it that have nothing else
 * below them. */
err_t txn_remove_name(struct zone_txn *t, const uint8_t *name);

err_t txn_remove_node(struct zone_txn *t, struct trie_txn *in, const uint8_t *name);

struct node *txn_node(const struct zone_txn *t, const uint8_t *name); /* as it is by now, or NULL */
err_t txn_put_node(struct zone_txn *t, struct trie_txn *in, struct node *n);

/* Gives a node other flags: in place where nobody else has it, else in a copy.  A referral is left behind: what
 * changes flags may change that, and txn_settle_referrals() makes it anew. */
err_t txn_set_flags(struct zone_txn *t, struct node *n, uint16_t flags);

/* ---- zone_txn_settle.c ---- */

/* Sets the flags of a name and of all above it. */
err_t txn_settle_path(struct zone_txn *t, const uint8_t *name);

/* Whether a name hides what is below it may have changed: then all that is below it has. */
err_t txn_settle_below(struct zone_txn *t, const uint8_t *name);

/* The referrals that the changed names are part of. */
err_t txn_settle_referrals(struct zone_txn *t, struct edited *const *changed, size_t n);
