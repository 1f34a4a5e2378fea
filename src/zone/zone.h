/* zone/zone.h -- one immutable version of a zone: a trie of nodes, and data about the whole.
 *
 * Every name between the apex and a node is there: empty non-terminals are nodes without records, so the closest encloser (RFC
 * 4592 3.3.1) is the nearest ancestor found.  NSEC3 owners are in a trie of their own, since they are not names of the zone (RFC
 * 5155 7.2.8).
 *
 * A version is made by a struct zone_builder (from records) or by a struct zone_txn (from an older version); both give a struct
 * zone that the caller owns.  A committed transaction returns the memory that only the old version used, as garbage
 * (zone/garbage.h). history_drop() frees a version's history.
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
	/* Today's validators treat a zone with more iterations as insecure (RFC 9276 3.2), so computing such hashes would be
	 * wasted work. */
	ZONE_NSEC3_ITERATIONS_MAX = 150,
	/* Empty non-terminals for each name that has records: a name of 127 labels makes 126 of them, a reverse IPv6 name 31. */
	ZONE_EMPTIES_PER_NAME_MAX = 32,
};

/* The last changes that led to a version: zone/history.h.  A version that was just made has none, and its own serial in `served`. */
struct delta;
struct zone_history {
	struct delta *newest, *oldest;
	size_t n, octets;
	uint32_t served;   /* only for the writer: the newest serial with which the zone was served, including this version */
	bool is_ambiguous; /* only for the writer: this serial stood for other content, or may have, since it was not newer than
	                    * all before */
	bool is_doubtful;  /* only for the writer: this serial was served before, and nobody knows with which content */
	uint8_t heard_n;   /* only for the writer: how often reports of secondaries have raised `served` */
	uint32_t heard;    /* only for the writer: by how much in all */
};

struct zone {
	struct trie nodes;        /* of struct node */
	struct trie nsec3;        /* of struct node: NSEC3 records and their RRSIGs; often empty */
	const struct node *apex;  /* in nodes */
	const struct rrset *soa;  /* in apex */
	const struct rrset *ns;   /* in apex; NULL: it has none, which only a zone that takes flaws may have */
	uint32_t serial;
	uint32_t negative_ttl;    /* min(SOA TTL, SOA MINIMUM) (RFC 2308 5) */
	struct ready_soa ready_soa;
	size_t records;
	size_t node_octets;       /* memory of all nodes */
	bool is_signed;           /* the apex has an RRSIG for the SOA, and NSEC or NSEC3PARAM */
	bool has_nsec3;           /* an NSEC3PARAM that we support (RFC 5155 7.3) */
	const struct node *nsec3_excessive; /* a node in nsec3, if the iterations exceed the limit; else NULL */
	struct {
		uint16_t iterations;
		uint8_t salt_len;
		uint8_t salt[255];
	} nsec3_param;
	struct zone_history history;
	bool takes_flaws;         /* a primary serves it: zone_builder_take_flaws() */
	const struct node *flaw;  /* a name with a flaw that this version brought; NULL: none */
	uint8_t apex_len;
	uint8_t apex_name[NAME_WIRE_MAX]; /* the trie of the set of zones uses the name in here as its key */
};

/* True when a record of the type may be at a name that has a CNAME (RFC 2181 10.1, RFC 4034 2.5 and 4).  Also true for CNAME. */
bool zone_may_stand_beside_cname(uint16_t type);

#define ZONE_NAME_AT offsetof(struct zone, apex_name)

/* ---- building from records ---- */

struct zone_builder;

/* Findings (out-of-zone data, duplicates, TTL differences, CNAME and other data, missing SOA or NS) go to `findings`, which is
 * borrowed until zone_builder_free(). */
err_t zone_builder_new(const uint8_t *apex, struct findings *findings, struct zone_builder **out);
void zone_builder_free(struct zone_builder **b); /* NULL-safe */

/* The zone is one that a primary serves, and versions that are made from it are, too: a name that breaks a rule by itself (CNAME and other
 * data, several CNAME or DNAME records, no NS at the apex) is no error, and no finding, but the version's `flaw`. */
void zone_builder_take_flaws(struct zone_builder *b);

/* The memory that the builder may take, including the time while it finishes: beyond that E_LIMIT.  Without a call there is no
 * limit. */
void zone_builder_limit(struct zone_builder *b, size_t octets);
size_t zone_builder_octets(const struct zone_builder *b);   /* memory that it takes now */
size_t zone_builder_name_octets(const struct zone_builder *b); /* the part of names whose records have come: it grows with each */
bool zone_builder_is_over_limit(const struct zone_builder *b); /* it needed more */

/* Adds one record; owner and RDATA are copied.  Any order; it is fastest when the records of one owner follow each other.
 * E_NOMEM, E_LIMIT; problems of the data are findings, not errors. */
err_t zone_builder_add(struct zone_builder *b, const uint8_t *owner, uint16_t type, uint32_t ttl,
                       const uint8_t *rdata, uint16_t rdlen);

/* Makes the zone.  E_FORMAT: a finding is an error, so there is no zone. */
err_t zone_builder_finish(struct zone_builder *b, struct zone **out);

/* After E_FORMAT: the zone that was built nevertheless, only for zone_check(), so that people see all problems at once.
 * Borrowed until zone_builder_free(); NULL: there is nothing to check. */
const struct zone *zone_builder_rest(const struct zone_builder *b);

/* Memory of a version with its history, including parts that it shares with other versions. */
size_t zone_octets(const struct zone *z); /* NULL-safe */

/* Frees a zone that shares nothing with another version, except its history: see history_drop(). */
void zone_free(struct zone **z); /* NULL-safe */

/* One record, as callbacks get it; its data belong to the version. */
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
/* E_EXISTS, E_NOTFOUND: the record is already there, or is not there.  E_RANGE: the owner is not in the zone.  Adding a record
 * to an RRset sets the TTL of the RRset, even if the record is already there; removing ignores TTLs.  RDATA is compared in
 * canonical form. */
err_t zone_txn_add(struct zone_txn *t, const uint8_t *owner, uint16_t type, uint32_t ttl,
                   const uint8_t *rdata, uint16_t rdlen);
err_t zone_txn_remove(struct zone_txn *t, const uint8_t *owner, uint16_t type, const uint8_t *rdata,
                      uint16_t rdlen);

/* Calls `each` for the owner's present records of a type (TYPE_ANY: of all), in no particular order.  `each` may remove records,
 * but not add any; its error ends the walk.  E_RANGE as above. */
err_t zone_txn_each(struct zone_txn *t, const uint8_t *owner, uint16_t type,
                    err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx);

/* Counts the records for which zone_txn_each() would call `each`.  The cost does not depend on their number. */
err_t zone_txn_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out);

/* The cost of these two functions so far: records and types that were looked at. */
uint64_t zone_txn_steps(const struct zone_txn *t);

/* *out: true when something differs from the original version.  A record that was added and removed again does not count. */
err_t zone_txn_is_effective(struct zone_txn *t, bool *out);

/* Makes the new version, which can be read from then on, and belongs to the transaction until the commit; nothing more can be
 * added or removed.  E_FORMAT: the result is not a valid zone: not exactly one SOA, or, unless it takes flaws, no NS at the apex,
 * a CNAME beside other data, or two records of a type that may have only one.  E_NOMEM, E_LIMIT.  After an error the old version
 * is as it was, and only zone_txn_rollback() may be called. */
err_t zone_txn_prepare(struct zone_txn *t, const struct zone **out);

/* After zone_txn_prepare(): calls `each` for records that only the old version has, and for those that only the new version has,
 * like zone_diff(); the cost depends on the changes only. */
err_t zone_txn_diff(const struct zone_txn *t, err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx);

/* Gives the new version to the caller.  *garbage gets the memory that only the old version uses, including its struct zone.
 * Errors as for zone_txn_prepare(); after that has succeeded, there are none. */
err_t zone_txn_commit(struct zone_txn **t, struct zone **out, struct garbage *garbage);
void zone_txn_rollback(struct zone_txn **t); /* NULL-safe */

/* ---- looking up ---- */

struct zone_hit {
	const struct node *node;      /* the name itself, or NULL */
	const struct node *encloser;  /* closest encloser: deepest existing ancestor; the node itself if it exists */
	const struct node *cut;       /* topmost delegation at or above the name, below the apex; or NULL */
	const struct node *dname;     /* DNAME owner strictly above the name, not below a cut; or NULL */
};

/* `key` must be the key of a name within the zone. */
void zone_find(const struct zone *z, const struct nkey *key, struct zone_hit *out);

/* The node of an in-zone name, or NULL. */
const struct node *zone_node(const struct zone *z, const uint8_t *name);

/* The node whose NSEC covers or matches the key: the nearest node with an NSEC at or before the key; NULL: none is near. */
const struct node *zone_nsec_at_or_before(const struct zone *z, const struct nkey *key);

/* NSEC3: the node whose record matches (or with ..._cover, covers) the hash of a name; NULL: there is none.  If the zone's
 * iterations are excessive, it is always the same node, and nothing is hashed: a validator only needs to see them, and then
 * treats the answer as insecure (RFC 9276 3.2).  Without any NSEC3 the answer would be bogus. */
const struct node *zone_nsec3_match(const struct zone *z, const uint8_t *name);
const struct node *zone_nsec3_cover(const struct zone *z, const uint8_t *name);

/* The cost of either: blocks that SHA-1 processes. */
size_t zone_nsec3_blocks(const struct zone *z, const uint8_t *name);

/* ---- walking and comparing ---- */

/* All nodes of both tries in canonical order; if two have the same name, the one with NSEC3 comes second. */
struct zone_cursor {
	struct trie_iter nodes, nsec3;
	const struct node *next_node, *next_nsec3;
};
void zone_cursor_first(struct zone_cursor *c, const struct zone *z); /* z NULL: an empty zone */
const struct node *zone_cursor_next(struct zone_cursor *c, bool *is_nsec3); /* NULL at the end */

/* Calls `each` for every record in canonical order, with NSEC3 records in their place among the others. */
err_t zone_walk(const struct zone *z, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx);

/* Calls `each` for records only in `old` and only in `new` (either may be NULL: an empty zone); a record with a changed TTL is
 * both. */
err_t zone_diff(const struct zone *old, const struct zone *new,
                err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr), void *ctx);

/* The number of records of `old` that are not in `new`, ignoring TTLs. */
size_t zone_lost(const struct zone *old, const struct zone *new);
