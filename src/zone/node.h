/* zone/node.h -- the records of one name of a zone: one immutable block, laid out to be copied into answers.
 *
 * [struct node][name, padded to 4][rrset][rr][rr]…[rrset][rr]…[referral]   all aligned to 4 octets.
 *
 * RRsets are sorted by type, then by covered type (RRSIGs are one RRset for each type that they cover).  Records within an RRset
 * are in canonical order (RFC 4034 6.3), without duplicates.  The fixed part of a record (type, class, TTL) is kept in wire
 * form, so that an answer is written by copying.  For names in RDATA that may be compressed, the length of the suffix that they
 * share with the owner is stored (`shared`), so that compression needs no search.  If a name shares more with an earlier name of
 * its RRset, this is stored, too: such an RRset ends with a struct rr_link for each of its names.
 *
 * node_make() makes a node, which never changes afterwards; a change is a new block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"
#include "dns/rrtype.h"

enum node_flags {
	NODE_APEX = 1 << 0,
	NODE_CUT = 1 << 1,        /* has NS, and is not the apex: a delegation (RFC 1034 4.2.1) */
	NODE_BELOW_CUT = 1 << 2,  /* below a delegation or a DNAME: glue, or never served */
	NODE_CNAME = 1 << 3,
	NODE_DNAME = 1 << 4,
	NODE_WILDCARD = 1 << 5,   /* has a child "*" (RFC 4592) */
	NODE_EMPTY = 1 << 6,      /* empty non-terminal: no records of its own (RFC 8020) */
	NODE_SIGNED = 1 << 7,     /* has RRSIGs */
	NODE_REFERRAL = 1 << 8,   /* ends with the referral that queries get (zone/referral.h) */
};

struct node {
	uint16_t flags;    /* of enum node_flags */
	uint16_t rrsets;   /* number of RRsets */
	uint32_t size;     /* octets of the whole block */
	uint8_t name_len;
	uint8_t name[];    /* uncompressed, case as in the source; used by the trie (name_at) */
};

#define NODE_NAME_AT offsetof(struct node, name)

struct rrset {
	uint16_t type;      /* host byte order, like all fields except `fixed` */
	uint16_t covers;    /* RRSIG: the type covered; else 0 */
	uint32_t size;      /* octets of this header and its records */
	uint16_t n;         /* records; at least 1 */
	uint16_t linked;    /* number of names in each record that have links: 0 (no links), 1, or 2 */
	uint8_t fixed[8];   /* TYPE, CLASS, TTL in wire form (RFC 1035 3.2.1) */
};

struct rr {
	uint16_t rdlen;
	uint8_t shared[2]; /* for the first and second compressible name: length of the suffix shared with the owner, including
	                    * the root; 0: there is no such name */
	uint8_t rdata[];   /* uncompressed; then padding to 4 */
};

/* The suffix that a name shares with an earlier name of its RRset; names are counted from the first record on. */
struct rr_link {
	uint8_t to;     /* number of the earlier name, below RRSET_LINK_REACH */
	uint8_t shared; /* length of the suffix, longer than with the owner; 0: there is none */
};

enum { RRSET_LINK_REACH = 32 }; /* only this many names of an RRset are compared with later ones: a few are nearly as good as all */

static inline const struct rrset *
node_first(const struct node *n)
{
	size_t at = (NODE_NAME_AT + n->name_len + 3u) & ~(size_t)3;
	return (const struct rrset *)(const void *)((const uint8_t *)n + at);
}

static inline const struct rrset *
rrset_next(const struct rrset *s)
{
	return (const struct rrset *)(const void *)((const uint8_t *)s + s->size);
}

static inline const struct rr *
rrset_first(const struct rrset *s)
{
	return (const struct rr *)(const void *)(s + 1);
}

static inline const struct rr *
rr_next(const struct rr *r)
{
	return (const struct rr *)(const void *)((const uint8_t *)r + ((sizeof *r + r->rdlen + 3u) & ~(size_t)3));
}

/* NULL: there are none. */
static inline const struct rr_link *
rrset_links(const struct rrset *s)
{
	size_t len = ((size_t)s->n * s->linked * sizeof(struct rr_link) + 3) & ~(size_t)3;
	return s->linked != 0 ? (const struct rr_link *)((const uint8_t *)s + s->size - len) : NULL;
}

static inline uint32_t
rrset_ttl(const struct rrset *s)
{
	return u32_at(s->fixed + 4);
}

/* Size without the referral: up to the end of the last RRset. */
static inline size_t
node_plain_size(const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--) {
		s = rrset_next(s);
	}
	return (size_t)((const uint8_t *)s - (const uint8_t *)n);
}

/* The RRset of a type, or NULL. */
static inline const struct rrset *
node_rrset(const struct node *n, uint16_t type)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->type == type) {
			return s;
		}
	}
	return NULL;
}

/* The RRSIGs that cover a type, or NULL. */
const struct rrset *node_rrsigs(const struct node *n, uint16_t covers);

/* Input of node_make(): records in any order, all of one owner. */
struct node_rr {
	uint16_t type;
	uint32_t ttl;
	uint16_t rdlen;
	bool is_duplicate;    /* set by node_make(): equal to the record before */
	uint8_t linked;         /* set by node_make(), in the first record of an RRset: its `linked` */
	struct rr_link link[2]; /* set by node_make(): links to earlier names */
	const uint8_t *rdata; /* uncompressed, checked */
};

/* The type covered by an RRSIG; 0 for other types. */
static inline uint16_t
node_rr_covers(const struct node_rr *rr)
{
	if (rr->type != TYPE_RRSIG || rr->rdlen < 2) {
		return 0;
	}
	return u16_at(rr->rdata);
}

/* Order within a node: type, type covered, RDATA in canonical order. */
int node_rr_compare(const struct node_rr *a, const struct node_rr *b);
bool node_rr_is_same_set(const struct node_rr *a, const struct node_rr *b);

enum {
	RRSET_RRS_MAX = 65535, /* records, the largest count in an answer */
	NODE_RRSETS_MAX = 512, /* a query looks through them; all existing types with signatures are 200, and BIND accepts 100 */
	NODE_SIZE_MAX = 1 << 30,
};

/* Makes a node (malloc; the caller frees it with free()).  `rrs` is sorted in place; equal records keep their order.  Exact
 * duplicates are left out and counted in *duplicates.  Records of one RRset with different TTLs get the lowest (RFC 2181 5.2),
 * and such RRsets are counted in *ttl_differs.  Both may be NULL.  The flags NODE_CNAME, _DNAME, _EMPTY and _SIGNED are set
 * according to the records; flags that depend on other names are taken from `flags`.  E_NOMEM, E_LIMIT. */
err_t node_make(const uint8_t *name, uint16_t flags, struct node_rr *rrs, size_t n,
                size_t *duplicates, size_t *ttl_differs, struct node **out);
