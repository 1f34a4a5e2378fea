/* zone/node.h -- what a zone holds at one name: one immutable block, laid out to be copied from.
 *
 * [struct node][name, padded to 4][rrset][rr][rr]…[rrset][rr]…[referral]   all aligned to 4 octets.
 *
 * RRsets are sorted by type, then by type covered (RRSIGs are one RRset for each type that they
 * cover); records within one in canonical order (RFC 4034 6.3), without duplicates.  An RR's fixed
 * part (type, class, TTL) is kept in wire form, so that writing an answer is copying.  For names in
 * RDATA that may be compressed, the length of the suffix that they share with the owner is known
 * (`shared`), so that compression needs no search.  Where a name shares more with an earlier name of its RRset, this
 * is known, too: such an RRset ends in a struct rr_link for each of its names.
 *
 * A node is made by node_make() and then never changes; a change is a new block.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "dns/rrtype.h"

enum node_flags {
	NODE_APEX = 1 << 0,
	NODE_CUT = 1 << 1,        /* NS, and not the apex: a delegation (RFC 1034 4.2.1) */
	NODE_BELOW_CUT = 1 << 2,  /* glue or occluded: below a delegation or a DNAME */
	NODE_CNAME = 1 << 3,
	NODE_DNAME = 1 << 4,
	NODE_WILDCARD = 1 << 5,   /* has a child "*" (RFC 4592) */
	NODE_EMPTY = 1 << 6,      /* empty non-terminal: no records of its own (RFC 8020) */
	NODE_SIGNED = 1 << 7,     /* has RRSIGs */
	NODE_REFERRAL = 1 << 8,   /* ends with the referral that it answers with (zone/referral.h) */
};

struct node {
	uint16_t flags;    /* of enum node_flags */
	uint16_t rrsets;   /* how many */
	uint32_t size;     /* octets of the whole block */
	uint8_t name_len;
	uint8_t name[];    /* uncompressed, case as in the source; the trie's name_at */
};

#define NODE_NAME_AT offsetof(struct node, name)

struct rrset {
	uint16_t type;      /* host order, as all here but `fixed` */
	uint16_t covers;    /* RRSIG: the type covered; else 0 */
	uint32_t size;      /* octets of this header and its records */
	uint16_t n;         /* records; at least 1 */
	uint16_t linked;    /* names in each record that have links: 0 (then there are none), 1, or 2 */
	uint8_t fixed[8];   /* TYPE, CLASS, TTL in wire form (RFC 1035 3.2.1) */
};

struct rr {
	uint16_t rdlen;
	uint8_t shared[2]; /* first and second compressible name in it: octets of the suffix shared with
	                    * the owner, the root's too; 0: there is no such name */
	uint8_t rdata[];   /* uncompressed; then padding to 4 */
};

/* What a name shares with an earlier one of its RRset; names are counted from the first record's on. */
struct rr_link {
	uint8_t to;     /* below RRSET_LINK_REACH */
	uint8_t shared; /* octets, more than with the owner; 0: there is no such name */
};

enum { RRSET_LINK_REACH = 32 }; /* names of an RRset that later ones are compared with: a few make most of the difference */

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
	return (uint32_t)s->fixed[4] << 24 | (uint32_t)s->fixed[5] << 16 | (uint32_t)s->fixed[6] << 8 | s->fixed[7];
}

/* Octets up to the end of the last RRset. */
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

/* What node_make() is given: records in any order, all of one owner. */
struct node_rr {
	uint16_t type;
	uint32_t ttl;
	uint16_t rdlen;
	bool is_duplicate;    /* set by node_make(): equal to the record before it */
	uint8_t linked;         /* … of an RRset's first: its `linked` */
	struct rr_link link[2]; /* … what its names share with those before them */
	const uint8_t *rdata; /* uncompressed, checked */
};

/* The type covered by an RRSIG; 0 for other types. */
static inline uint16_t
node_rr_covers(const struct node_rr *rr)
{
	if (rr->type != TYPE_RRSIG || rr->rdlen < 2) {
		return 0;
	}
	return (uint16_t)((unsigned)rr->rdata[0] << 8 | rr->rdata[1]);
}

/* Order within a node: type, type covered, RDATA in canonical order. */
int node_rr_compare(const struct node_rr *a, const struct node_rr *b);
bool node_rr_is_same_set(const struct node_rr *a, const struct node_rr *b);

enum {
	RRSET_RRS_MAX = 65535, /* records: what one answer may count */
	NODE_RRSETS_MAX = 512, /* a query goes through them; all types that there are, signed, come to 200, and BIND takes 100 */
	NODE_SIZE_MAX = 1 << 30,
};

/* Builds a node (malloc; the caller frees with free()).  `rrs` is sorted in place, equal ones in the order
 * they had; exact duplicates are left out and counted in *duplicates; records of one RRset with different
 * TTLs get the lowest (RFC 2181 5.2), such RRsets are counted in *ttl_differs.  Both may be NULL.
 * Flags: NODE_CNAME, _DNAME, _EMPTY, _SIGNED follow from the records; those that follow from other names
 * are in `flags`.  E_NOMEM, E_LIMIT. */
err_t node_make(const uint8_t *name, uint16_t flags, struct node_rr *rrs, size_t n,
                size_t *duplicates, size_t *ttl_differs, struct node **out);
