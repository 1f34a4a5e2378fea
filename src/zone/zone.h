/* zone/zone.h -- one immutable version of a zone: a trie of nodes and what is known of the whole.
 *
 * Every name between the apex and a node is there: empty non-terminals are nodes without records,
 * so the closest encloser (RFC 4592 3.3.1) is the nearest ancestor found.  NSEC3 owners live in a
 * trie of their own and are no names of the zone (RFC 5155 7.2.8).
 *
 * A version is made by a struct zone_builder (from records) or by a struct zone_txn (from an older
 * version); both give a struct zone that the caller owns.  A transaction that is committed
 * hands over what only the old version had, as garbage (zone/garbage.h); a version's history goes by history_drop().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "zone/findings.h"
#include "zone/node.h"
#include "zone/ready_soa.h"
#include "zone/trie.h"

enum {
	/* Validators of today take a zone with more for insecure (RFC 9276 3.2), so hashes of it would be work for nothing. */
	ZONE_NSEC3_ITERATIONS_MAX = 150,
	/* Empty non-terminals for each record: a name of 127 labels makes 126 of them, a reverse IPv6 name 31. */
	ZONE_EMPTIES_PER_RECORD_MAX = 32,
};

/* The last changes that led to a version: zone/history.h.  A version that was made alone has none, and its own serial in `served`. */
struct delta;
struct zone_history {
	struct delta *newest, *oldest;
	size_t n, octets;
	uint32_t served;   /* the writer's alone: the newest serial that the zone was served with, this version's included */
	bool is_ambiguous; /* likewise: this serial has stood for other content, or may have: it was not newer than all before */
	bool is_doubtful;  /* likewise: it was served before, and nobody knows with which content */
	uint8_t heard_n;   /* likewise: how often secondaries have raised `served`, by what they said */
	uint32_t heard;    /* and by how much, in all */
};

struct zone {
	struct trie nodes;        /* of struct node */
	struct trie nsec3;        /* of struct node: NSEC3 and its RRSIGs; empty when not in use */
	const struct node *apex;  /* in nodes */
	const struct rrset *soa;  /* in apex */
	const struct rrset *ns;   /* in apex */
	uint32_t serial;
	uint32_t negative_ttl;    /* min(SOA TTL, SOA MINIMUM) (RFC 2308 5) */
	struct ready_soa ready_soa;
	size_t records;
	size_t node_octets;       /* that all nodes take */
	bool is_signed;           /* RRSIG over the apex's SOA, and NSEC or NSEC3PARAM there */
	bool has_nsec3;           /* an NSEC3PARAM that we can follow (RFC 5155 7.3) */
	const struct node *nsec3_excessive; /* in nsec3; NULL: the iterations are within the limit */
	struct {
		uint16_t iterations;
		uint8_t salt_len;
		uint8_t salt[255];
	} nsec3_param;
	struct zone_history history;
	uint8_t apex_len;
	uint8_t apex_name[NAME_WIRE_MAX]; /* the set's trie reads the name here */
};

/* May a record of the type be at a name that has a CNAME (RFC 2181 10.1, RFC 4034 2.5 and 4)?  CNAME itself too. */
bool zone_may_stand_beside_cname(uint16_t type);

#define ZONE_NAME_AT offsetof(struct zone, apex_name)

/* ---- building from records ---- */

struct zone_builder;

/* Findings (out-of-zone data, duplicates, TTL differences, CNAME and other data, missing SOA or NS)
 * go to `findings`, borrowed until zone_builder_free(). */
err_t zone_builder_new(const uint8_t *apex, struct findings *findings, struct zone_builder **out);
void zone_builder_free(struct zone_builder **b); /* NULL-safe */

/* What the builder may take in memory, before and while it is finished: beyond it E_LIMIT.  At first there is no limit. */
void zone_builder_limit(struct zone_builder *b, size_t octets);
size_t zone_builder_octets(const struct zone_builder *b);   /* that it takes by now */
bool zone_builder_is_over_limit(const struct zone_builder *b); /* it was asked for more */

/* One record; owner and RDATA are copied.  Any order; records of one owner after another are fastest.
 * E_NOMEM, E_LIMIT; problems of the data are findings, not errors. */
err_t zone_builder_add(struct zone_builder *b, const uint8_t *owner, uint16_t type, uint32_t ttl,
                       const uint8_t *rdata, uint16_t rdlen);

/* E_FORMAT when a finding is an error: then there is no zone. */
err_t zone_builder_finish(struct zone_builder *b, struct zone **out);

/* After that E_FORMAT: what was built all the same, for zone_check() and nothing else, so that people hear of everything
 * at once.  Borrowed until zone_builder_free(); NULL when there is nothing to look at. */
const struct zone *zone_builder_rest(const struct zone_builder *b);

/* What a version takes in memory, with its history, and with what it shares with other versions. */
size_t zone_octets(const struct zone *z); /* NULL-safe */

/* Frees a zone that shares nothing with another version, but for its history: history_drop(). */
void zone_free(struct zone **z); /* NULL-safe */

/* One record, as callbacks get it; what it points to is the version's. */
struct zone_rr {
	const uint8_t *owner;
	uint16_t type;
	uint32_t ttl;
	uint16_t rdlen;
	const uint8_t *rdata;
};

/* ---- changing a version ---- */

struct zone_txn;
err_t zone_txn_begin(const struct zone *from, struct zone_txn **out);
/* E_EXISTS / E_NOTFOUND: the record is there, or is not; E_RANGE when the owner is not in the zone.  Adding to an RRset
 * sets its TTL, also when the record is there; removing does not ask for it.  RDATA is compared as in canonical form. */
err_t zone_txn_add(struct zone_txn *t, const uint8_t *owner, uint16_t type, uint32_t ttl,
                   const uint8_t *rdata, uint16_t rdlen);
err_t zone_txn_remove(struct zone_txn *t, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
                      uint16_t rdlen);

/* Tells the owner's records of a type (TYPE_ANY: of all) as they are by now, in no order.  `each` may remove records, but
 * add none; its error ends it.  E_RANGE as above. */
err_t zone_txn_each(struct zone_txn *t, const uint8_t *owner, uint16_t type,
                    err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx);

/* How many there are.  The cost does not follow their number. */
err_t zone_txn_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out);

/* What these two have cost so far: records and types that were looked at. */
uint64_t zone_txn_steps(const struct zone_txn *t);

/* Is anything another than at first by now?  What was added and removed again is not. */
err_t zone_txn_is_effective(struct zone_txn *t, bool *out);

/* Makes the new version, which may be looked at from then on and is the transaction's until the commit; nothing more can
 * be added or removed.  E_FORMAT when the result is no zone: without one SOA and an NS at the apex, with a CNAME
 * beside other data, or two records of a type that may have one.  E_NOMEM, E_LIMIT.  After an error the old
 * version is as it was, and zone_txn_rollback() is all that is left to do. */
err_t zone_txn_prepare(struct zone_txn *t, const struct zone **out);

/* After that: the records that the old version alone has, and those that the new one alone has, as zone_diff() tells
 * them; the cost is that of the changes. */
err_t zone_txn_diff(const struct zone_txn *t, err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx);

/* The new version is the caller's.  *garbage gets what the old version alone has; the old struct zone itself too.  Errors as
 * of zone_txn_prepare(), and none after it. */
err_t zone_txn_commit(struct zone_txn **t, struct zone **out, struct garbage *garbage);
void zone_txn_rollback(struct zone_txn **t); /* NULL-safe */

/* ---- looking up ---- */

struct zone_hit {
	const struct node *node;      /* the name itself, or NULL */
	const struct node *encloser;  /* closest encloser: deepest existing ancestor; the node itself if it exists */
	const struct node *cut;       /* topmost delegation at or above the name, below the apex; or NULL */
	const struct node *dname;     /* DNAME owner strictly above the name, not below a cut; or NULL */
};

/* `key` is of a name within the zone. */
void zone_find(const struct zone *z, const struct nkey *key, struct zone_hit *out);

/* The node of an in-zone name, or NULL. */
const struct node *zone_node(const struct zone *z, const uint8_t *name);

/* Node whose NSEC covers or matches the key: nearest at or before it that has an NSEC; wraps. */
const struct node *zone_nsec_at_or_before(const struct zone *z, const struct nkey *key);

/* NSEC3: the record that matches (or with covers, that covers) the hash of a name; NULL when absent.  Of a zone whose iterations are
 * excessive it is always the same one, and nothing is hashed: a validator needs no more to see them, and then takes the answer for
 * insecure (RFC 9276 3.2).  Without any it would be bogus. */
const struct node *zone_nsec3_match(const struct zone *z, const uint8_t *name);
const struct node *zone_nsec3_cover(const struct zone *z, const uint8_t *name);

/* What either costs: blocks that SHA-1 goes through. */
size_t zone_nsec3_blocks(const struct zone *z, const uint8_t *name);

/* ---- walking and comparing ---- */

/* All nodes of both tries in canonical order; of two with one name that with NSEC3 comes second. */
struct zone_cursor {
	struct trie_iter nodes, nsec3;
	const struct node *next_node, *next_nsec3;
};
void zone_cursor_first(struct zone_cursor *c, const struct zone *z); /* z NULL: there is nothing */
const struct node *zone_cursor_next(struct zone_cursor *c, bool *is_nsec3); /* NULL at the end */

/* Every record in canonical order, NSEC3 in its place among the others. */
err_t zone_walk(const struct zone *z, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx);

/* Records only in `old` and only in `new` (either may be NULL: an empty zone); a changed TTL is both. */
err_t zone_diff(const struct zone *old, const struct zone *new,
                err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx);

/* How many records of `old` are not in `new`, with any TTL. */
size_t zone_lost(const struct zone *old, const struct zone *new);
