/* zone/zone_txn_p.h -- the private header of zone_txn*.c.
 *
 * zone_txn.c takes changes in, and zone_txn_ask.c answers questions about their result so far; zone_txn_edited.c keeps the
 * records of one name while they change. zone_txn_apply.c makes the next version, zone_txn_nodes.c its nodes; zone_txn_settle.c
 * corrects the flags that names have because of other names.
 *
 * The names that change are gathered first, each with all its records (struct edited), so that many changes of one name cost one
 * new node.  At the commit the new nodes are put into the tries, names without records are made or removed around them, and
 * flags that depend on other names are corrected where the changes can have affected them.
 */
#pragma once

#include "base/arena.h"
#include "zone/zone_p.h"

struct edit {
	struct node_rr rr;
	uint64_t stamp;    /* number of the addition, from 1; 0: it was there before */
	bool was_there, is_gone;
	uint32_t old_ttl;  /* its TTL, if it was there before */
};

/* Records are kept in sorted runs, each at most half as long as the one before it (except the first two).  An added record is a run
 * of one, and runs that become similar in length are merged.  So finding and adding cost O(log² n) in any order, and a million
 * changes of one name are no problem. */
enum { RUNS_MAX = 66 };

/* The present number of records of a type. */
struct type_count {
	uint16_t type;
	uint32_t n;
};

struct edited {
	struct edit *edits;
	size_t n, cap;
	struct type_count *types; /* sorted; a type stays when its last record is removed */
	size_t types_n, types_cap;
	size_t records;           /* records of all types */
	size_t run_end[RUNS_MAX];
	unsigned runs;
	bool is_changed, is_emptied;
	uint8_t name_len;
	uint8_t name[]; /* in the form that the trie needs */
};

struct zone_txn {
	const struct zone *from; /* borrowed until the commit */
	struct zone *to;
	struct trie_txn nodes, nsec3;
	struct trie_txn names; /* of struct edited */
	struct arena arena;    /* RDATA of added records */
	struct garbage fresh;  /* nodes made here, freed by a rollback */
	struct garbage stale;  /* nodes that the new version does not have: of the old version, or made here and replaced again */
	uint64_t stamp;
	uint64_t steps;        /* for zone_txn_steps() */
	size_t added, removed; /* numbers of records in all nodes that were made, and that were replaced */
	size_t node_octets;    /* memory of the nodes of both tries in their present state */
	const struct edited *flawed; /* a name with a flaw that it had not before; NULL: none */
	bool is_prepared;      /* `to` is complete */
};

enum { FRESH = 1 << 14 }; /* in a node's flags, until the commit: only this transaction has the node */

/* ---- zone_txn_edited.c ---- */

/* Takes over the records of a node (NULL: none), as one run. */
err_t edited_load(struct edited *e, const struct node *n);

err_t edited_add(struct edited *e, const struct edit *new);
struct edit *edited_find(const struct edited *e, const struct node_rr *rr); /* or NULL; the record may be removed */
void edited_bring_back(struct edited *e, struct edit *gone, const struct edit *as);
void edited_remove(struct edited *e, struct edit *is);
void edited_free(struct edited *e);

/* The present number of records of a type (TYPE_ANY: of all). */
size_t edited_count(const struct edited *e, uint16_t type);

/* Calls `each` for the present records of a type (TYPE_ANY: for all), in no particular order; `each` may remove records.  Adds the
 * number of records looked at to *steps. */
err_t edited_each(struct edited *e, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx, uint64_t *steps);

/* *out: true when the owner has other records than in the old version. */
err_t edited_is_effective(struct edited *e, bool *out);

/* Leaves only the present records, in one run and with one TTL for each RRset. */
err_t edited_settle(struct edited *e);

/* ---- zone_txn_apply.c ---- */

err_t txn_apply(struct zone_txn *t); /* completes t->to; errors as for zone_txn_prepare() */

/* ---- zone_txn_nodes.c ---- */

/* Makes the missing names above a new one, from the nearest up to one that is there. */
err_t txn_put_names_above(struct zone_txn *t, const uint8_t *name);

/* Removes a name that lost its last record, and names without records above it that have nothing else below them. */
err_t txn_remove_name(struct zone_txn *t, const uint8_t *name);

err_t txn_remove_node(struct zone_txn *t, struct trie_txn *in, const uint8_t *name);

struct node *txn_node(const struct zone_txn *t, const uint8_t *name); /* in its present state, or NULL */
err_t txn_put_node(struct zone_txn *t, struct trie_txn *in, struct node *n);

/* Gives a node other flags: in place if only this transaction has the node, else in a copy.  The referral is dropped, since a
 * change of flags may concern it: txn_settle_referrals() makes it again. */
err_t txn_set_flags(struct zone_txn *t, struct node *n, uint16_t flags);

/* ---- zone_txn_settle.c ---- */

/* Corrects the flags of a name and of all names above it. */
err_t txn_settle_path(struct zone_txn *t, const uint8_t *name);

/* Corrects the flags of all names below a name, if this name has begun or ceased to hide them. */
err_t txn_settle_below(struct zone_txn *t, const uint8_t *name);

/* Makes those referrals again that contain one of the changed names. */
err_t txn_settle_referrals(struct zone_txn *t, struct edited *const *changed, size_t n);
