#include "zone/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/nkey.h"

const struct rrset *
node_rrsigs(const struct node *n, uint16_t covers)
{
	if ((n->flags & NODE_SIGNED) == 0) {
		return NULL;
	}
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->type == TYPE_RRSIG && s->covers == covers) {
			return s;
		}
	}
	return NULL;
}

bool
node_rr_is_same_set(const struct node_rr *a, const struct node_rr *b)
{
	return a->type == b->type && (a->type != TYPE_RRSIG || node_rr_covers(a) == node_rr_covers(b));
}

int
node_rr_compare(const struct node_rr *a, const struct node_rr *b)
{
	if (a->type != b->type) {
		return a->type < b->type ? -1 : 1;
	}
	if (a->type == TYPE_RRSIG && node_rr_covers(a) != node_rr_covers(b)) {
		return node_rr_covers(a) < node_rr_covers(b) ? -1 : 1;
	}
	return rdata_compare(a->type, a->rdata, a->rdlen, b->rdata, b->rdlen);
}

enum { MINFO = 14 }; /* has two names in each record, like SOA */

enum { RUN = 16 }; /* runs of this length are sorted by insertion; nearly all nodes are not larger */

static void
sort_run(struct node_rr *rrs, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		size_t j = i;
		struct node_rr rr = rrs[i];
		for (; j != 0 && node_rr_compare(&rrs[j - 1], &rr) > 0; j--) {
			rrs[j] = rrs[j - 1];
		}
		if (j != i) {
			rrs[j] = rr;
		}
	}
}

/* Merges two sorted neighbours, [0, half) and [half, n); `room` has room for n. */
static void
merge(struct node_rr *rrs, size_t half, size_t n, struct node_rr *room)
{
	if (node_rr_compare(&rrs[half - 1], &rrs[half]) <= 0) {
		return;
	}
	size_t i = 0, j = half;
	for (size_t k = 0; k < n; k++) {
		bool is_left = j == n || (i < half && node_rr_compare(&rrs[i], &rrs[j]) <= 0);
		room[k] = is_left ? rrs[i++] : rrs[j++];
	}
	memcpy(rrs, room, n * sizeof *rrs);
}

/* A stable sort that is never quadratic: the C library's qsort() promises neither. */
static err_t
sort(struct node_rr *rrs, size_t n)
{
	for (size_t i = 0; i < n; i += RUN) {
		sort_run(rrs + i, n - i < RUN ? n - i : RUN);
	}
	if (n <= RUN) {
		return OK;
	}
	struct node_rr *room = malloc(n * sizeof *room);
	if (room == NULL) {
		return E_NOMEM;
	}
	for (size_t half = RUN; half < n; half *= 2) {
		for (size_t i = 0; i + half < n; i += 2 * half) {
			merge(rrs + i, half, n - i < 2 * half ? n - i : 2 * half, room);
		}
	}
	free(room);
	return OK;
}

static size_t
align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

struct measure {
	const uint8_t *owner;
	size_t owner_len;
	size_t size, rrsets, duplicates, ttl_differs;
	uint16_t flags;
};

/* Length of the longest suffix that two names have in common, like name_shared_suffix().  Most names share the whole owner or
 * only the root, which is found with one comparison. */
static size_t
shared_suffix(const uint8_t *a, size_t a_len, const uint8_t *b)
{
	size_t b_len = name_len(b);
	for (;;) {
		while (a_len > b_len) {
			a_len -= 1u + a[0];
			a = name_parent(a);
		}
		while (b_len > a_len) {
			b_len -= 1u + b[0];
			b = name_parent(b);
		}
		if (a_len == b_len) {
			if (nkey_octets_are_equal(a, b, a_len)) {
				return a_len;
			}
			a_len -= 1u + a[0]; /* this is not the root, which would be equal */
			a = name_parent(a);
		}
	}
}

/* Finds the names that may be compressed: their number, and their offsets in at[]. */
static size_t
compressible_names(uint16_t type, const uint8_t *rdata, uint16_t rdlen, uint16_t at[RDATA_NAMES_MAX])
{
	if (type == TYPE_NS || type == TYPE_CNAME) { /* nearly all records with names are of these types */
		at[0] = 0;
		return 1;
	}
	size_t n = rdata_names(type, rdata, rdlen, at);
	return n < ARRAY_LEN(((struct rr *)0)->shared) ? n : ARRAY_LEN(((struct rr *)0)->shared);
}

/* Names of an RRset to which later names may link. */
struct earlier {
	size_t n;
	struct {
		const uint8_t *name;
		size_t len;
	} list[RRSET_LINK_REACH];
};

/* Links to the earliest of the names that share most, if this is more than the owner shares, and more than a pointer takes.  So
 * the shared suffix is never a part that the earlier name itself has only by a pointer: then the pointer's target would share
 * it, too, and be earlier. */
static struct rr_link
find_link(const struct measure *m, const struct earlier *e, const uint8_t *name, size_t len)
{
	size_t best = 2, to = 0;
	for (size_t j = 0; j < e->n && best < len; j++) {
		size_t shared = shared_suffix(e->list[j].name, e->list[j].len, name);
		if (shared > best) {
			best = shared;
			to = j;
		}
	}
	bool is_better = best > 2 && best > shared_suffix(m->owner, m->owner_len, name);
	return is_better ? (struct rr_link){ (uint8_t)to, (uint8_t)best } : (struct rr_link){ 0, 0 };
}

/* Links the names of an RRset's records; returns the number of names with links in each record. */
static size_t
link_names(const struct measure *m, struct node_rr *rrs, size_t n)
{
	struct earlier e;
	size_t names = 0;
	bool is_any = false;
	e.n = 0;
	for (size_t i = 0; i < n; i++) {
		uint16_t at[RDATA_NAMES_MAX] = { 0 };
		if (rrs[i].is_duplicate) {
			continue;
		}
		names = compressible_names(rrs[i].type, rrs[i].rdata, rrs[i].rdlen, at);
		for (size_t k = 0; k < names; k++) {
			const uint8_t *name = rrs[i].rdata + at[k];
			size_t len = name_len(name);
			rrs[i].link[k] = find_link(m, &e, name, len);
			is_any = is_any || rrs[i].link[k].shared != 0;
			if (e.n < RRSET_LINK_REACH) {
				e.list[e.n].name = name;
				e.list[e.n++].len = len;
			}
		}
	}
	return is_any ? names : 0;
}

static size_t
links_size(size_t records, size_t names)
{
	return align4(records * names * sizeof(struct rr_link));
}

/* Measures one RRset, rrs[0, n): marks duplicates, and finds the lowest TTL. */
static err_t
measure_rrset(struct node_rr *rrs, size_t n, struct measure *m)
{
	size_t kept = 0;
	uint32_t least = rrs[0].ttl, most = rrs[0].ttl;
	for (size_t i = 0; i < n; i++) {
		rrs[i].is_duplicate = i != 0 && node_rr_compare(&rrs[i - 1], &rrs[i]) == 0;
		least = rrs[i].ttl < least ? rrs[i].ttl : least;
		most = rrs[i].ttl > most ? rrs[i].ttl : most;
		if (!rrs[i].is_duplicate) {
			kept++;
			m->size += align4(sizeof(struct rr) + rrs[i].rdlen);
		}
	}
	m->duplicates += n - kept;
	m->ttl_differs += least != most;
	m->rrsets++;
	m->size += sizeof(struct rrset);
	rrs[0].linked = 0;
	if ((kept > 1 || rrs[0].type == TYPE_SOA || rrs[0].type == MINFO) && (rrtype_flags(rrs[0].type) & RRTYPE_COMPRESS) != 0) {
		rrs[0].linked = (uint8_t)link_names(m, rrs, n);
		m->size += links_size(kept, rrs[0].linked);
	}
	m->flags |= rrs[0].type == TYPE_CNAME ? NODE_CNAME : 0;
	m->flags |= rrs[0].type == TYPE_DNAME ? NODE_DNAME : 0;
	m->flags |= rrs[0].type == TYPE_RRSIG ? NODE_SIGNED : 0;
	return kept > RRSET_RRS_MAX || m->rrsets > NODE_RRSETS_MAX || m->size > NODE_SIZE_MAX ? E_LIMIT : OK;
}

static size_t
rrset_end(const struct node_rr *rrs, size_t i, size_t n)
{
	size_t end = i + 1;
	while (end < n && node_rr_is_same_set(&rrs[i], &rrs[end])) {
		end++;
	}
	return end;
}

/* Sets how much each compressible name shares with the owner. */
static void
set_shared(struct rr *rr, uint16_t type, const uint8_t *owner, size_t owner_len)
{
	uint16_t at[RDATA_NAMES_MAX] = { 0 };
	size_t n = compressible_names(type, rr->rdata, rr->rdlen, at);
	for (size_t i = 0; i < n; i++) {
		rr->shared[i] = (uint8_t)shared_suffix(owner, owner_len, rr->rdata + at[i]);
	}
}

/* Writes one record.  The padding up to the next multiple of four is zeroed first, so that no old memory is kept in it. */
static struct rr *
write_rr(struct rr *rr, const struct node_rr *from)
{
	size_t size = align4(sizeof *rr + from->rdlen);
	memset((uint8_t *)rr + size - 4, 0, 4);
	rr->rdlen = from->rdlen;
	rr->shared[0] = rr->shared[1] = 0;
	if (from->rdlen != 0) {
		memcpy(rr->rdata, from->rdata, from->rdlen);
	}
	return (struct rr *)(void *)((uint8_t *)rr + size);
}

/* Writes the links; returns their end. */
static uint8_t *
write_links(uint8_t *to, const struct node_rr *rrs, size_t n, const struct rrset *s)
{
	size_t size = links_size(s->n, s->linked), one = s->linked * sizeof(struct rr_link), at = 0;
	if (size == 0) {
		return to;
	}
	memset(to + size - 4, 0, 4);
	for (size_t i = 0; i < n; i++) {
		if (!rrs[i].is_duplicate) {
			memcpy(to + at, rrs[i].link, one);
			at += one;
		}
	}
	return to + size;
}

static struct rrset *
write_rrset(struct rrset *s, const struct node_rr *rrs, size_t n, const struct node *node)
{
	uint32_t ttl = rrs[0].ttl;
	uint16_t type = rrs[0].type, flags = rrtype_flags(type);
	*s = (struct rrset){ .type = type, .covers = node_rr_covers(&rrs[0]), .linked = rrs[0].linked };
	struct rr *rr = (struct rr *)(void *)(s + 1);
	for (size_t i = 0; i < n; i++) {
		ttl = rrs[i].ttl < ttl ? rrs[i].ttl : ttl;
		if (rrs[i].is_duplicate) {
			continue;
		}
		s->n++;
		struct rr *next = write_rr(rr, &rrs[i]);
		if ((flags & RRTYPE_COMPRESS) != 0) {
			set_shared(rr, type, node->name, node->name_len);
		}
		rr = next;
	}
	rr = (struct rr *)(void *)write_links((uint8_t *)rr, rrs, n, s);
	s->size = (uint32_t)((uint8_t *)rr - (uint8_t *)s);
	u32_put(u16_put(u16_put(s->fixed, type), CLASS_IN), ttl);
	return (struct rrset *)(void *)rr;
}

static void
write_node(struct node *node, const uint8_t *name, size_t name_octets, struct node_rr *rrs, size_t n)
{
	size_t head = align4(NODE_NAME_AT + name_octets);
	memset((uint8_t *)node + head - 4, 0, 4);
	node->name_len = (uint8_t)name_octets;
	memcpy(node->name, name, name_octets);
	struct rrset *s = (struct rrset *)(void *)((uint8_t *)node + head);
	for (size_t i = 0; i < n;) {
		size_t end = rrset_end(rrs, i, n);
		s = write_rrset(s, rrs + i, end - i, node);
		i = end;
	}
}

err_t
node_make(const uint8_t *name, uint16_t flags, struct node_rr *rrs, size_t n, size_t *duplicates,
          size_t *ttl_differs, struct node **out)
{
	TRY(sort(rrs, n));
	size_t name_octets = name_len(name);
	struct measure m = { .owner = name, .owner_len = name_octets, .size = align4(NODE_NAME_AT + name_octets),
		             .flags = n == 0 ? NODE_EMPTY : 0 };
	for (size_t i = 0; i < n;) {
		size_t end = rrset_end(rrs, i, n);
		TRY(measure_rrset(rrs + i, end - i, &m));
		i = end;
	}
	if (m.rrsets > UINT16_MAX) {
		return E_LIMIT; /* 65,536 types, and RRSIGs that cover as many */
	}
	struct node *node = malloc(m.size);
	if (node == NULL) {
		return E_NOMEM;
	}
	write_node(node, name, name_octets, rrs, n);
	node->flags = flags | m.flags;
	node->rrsets = (uint16_t)m.rrsets;
	node->size = (uint32_t)m.size;
	if (duplicates != NULL) {
		*duplicates = m.duplicates;
	}
	if (ttl_differs != NULL) {
		*ttl_differs = m.ttl_differs;
	}
	*out = node;
	return OK;
}
