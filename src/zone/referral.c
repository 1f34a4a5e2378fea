#include "zone/referral.h"

#include <stdlib.h>

#include "base/buf.h"
#include "dns/name.h"

/* A pointer as the piece holds it, in host order: an offset, and what it counts from. */
enum {
	FROM_START = 0x8000, /* the piece's start; else the cut's name */
	OFFSET = 0x3FFF,
	POINTER = 0xC000, /* RFC 1035 4.1.4 */
};

static void
put_pointer(struct referral_draft *d, struct buf *b, uint16_t relative)
{
	if (d->pointers_n == REFERRAL_POINTERS_MAX) {
		buf_fail(b, E_LIMIT);
		return;
	}
	d->at[d->pointers_n++] = (uint16_t)b->len;
	buf_put(b, &relative, sizeof relative);
}

/* Every record begins alike: owner (a pointer), type, class, TTL. */
static void
put_head(struct referral_draft *d, struct buf *b, uint16_t owner, const struct rrset *set)
{
	put_pointer(d, b, owner);
	buf_put(b, set->fixed, sizeof set->fixed);
}

/* An NS record; what its name shares with the cut's becomes a pointer.  Returns where the name can be pointed to. */
static uint16_t
put_ns(struct referral_draft *d, struct buf *b, const struct node *cut, const struct rrset *set, const struct rr *rr)
{
	size_t shared = rr->shared[0] > 1 ? rr->shared[0] : 0, plain = rr->rdlen - shared;
	put_head(d, b, 0, set);
	buf_u16(b, (uint16_t)(plain + (shared != 0 ? 2 : 0)));
	uint16_t at = (uint16_t)(b->len | FROM_START);
	buf_put(b, rr->rdata, plain);
	if (shared != 0) {
		uint16_t suffix = (uint16_t)(cut->name_len - shared);
		at = plain == 0 ? suffix : at;
		put_pointer(d, b, suffix);
	}
	return at;
}

static void
put_addresses(struct referral_draft *d, struct buf *b, uint16_t owner, const struct node *n)
{
	const struct rrset *set = node_first(n);
	for (unsigned left = n->rrsets; left != 0 && set->type <= TYPE_AAAA; left--, set = rrset_next(set)) {
		if (set->type != TYPE_A && set->type != TYPE_AAAA) {
			continue;
		}
		const struct rr *rr = rrset_first(set);
		for (unsigned i = set->n; i != 0; i--, rr = rr_next(rr)) {
			put_head(d, b, owner, set);
			buf_u16(b, rr->rdlen);
			buf_put(b, rr->rdata, rr->rdlen);
			d->address_n++;
		}
	}
}

enum { TARGETS_MAX = 16 };

bool
referral_draft(const struct node *cut, size_t apex_len, referral_find *find, void *ctx, struct referral_draft *out)
{
	const struct rrset *set = node_rrset(cut, TYPE_NS);
	struct buf b = buf_over(out->piece, sizeof out->piece);
	uint16_t target_at[TARGETS_MAX];
	out->ns_n = out->address_n = out->pointers_n = 0;
	if (set == NULL || set->n > TARGETS_MAX) {
		return false;
	}
	const struct rr *rr = rrset_first(set);
	for (unsigned i = 0; i < set->n; i++, rr = rr_next(rr)) {
		if (rr->shared[0] >= apex_len && rr->shared[0] < cut->name_len) {
			return false; /* in the zone, but not below the cut: its addresses are another name's business */
		}
		target_at[out->ns_n++] = put_ns(out, &b, cut, set, rr);
	}
	rr = rrset_first(set);
	for (unsigned i = 0; i < set->n; i++, rr = rr_next(rr)) {
		const struct node *n = rr->shared[0] >= cut->name_len ? find(ctx, rr->rdata, rr->rdlen) : NULL;
		if (n != NULL) {
			put_addresses(out, &b, target_at[i], n);
		}
	}
	out->len = (uint16_t)b.len;
	return b.err == OK;
}

static size_t
align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

const struct referral *
node_referral(const struct node *cut)
{
	const struct rrset *s = node_first(cut);
	for (unsigned left = cut->rrsets; left != 0; left--) {
		s = rrset_next(s);
	}
	return (const struct referral *)(const void *)s;
}

err_t
referral_attach(const struct node *cut, const struct referral_draft *draft, struct node **out)
{
	size_t plain = node_plain_size(cut), at_len = draft->pointers_n * sizeof draft->at[0];
	size_t size = align4(plain + sizeof(struct referral) + at_len + draft->len);
	struct node *n = calloc(1, size);
	if (n == NULL) {
		return E_NOMEM;
	}
	memcpy(n, cut, plain);
	n->size = (uint32_t)size;
	n->flags |= NODE_REFERRAL;
	struct referral *r = (struct referral *)(void *)((uint8_t *)n + plain);
	*r = (struct referral){ .len = draft->len, .ns_n = draft->ns_n, .address_n = draft->address_n,
		                .pointers_n = draft->pointers_n };
	memcpy(r->at, draft->at, at_len);
	memcpy(r->at + draft->pointers_n, draft->piece, draft->len);
	*out = n;
	return OK;
}

bool
referral_is_same(const struct node *cut, const struct referral_draft *draft)
{
	if ((cut->flags & NODE_REFERRAL) == 0) {
		return false;
	}
	const struct referral *r = node_referral(cut);
	size_t at_len = draft->pointers_n * sizeof draft->at[0];
	return r->len == draft->len && r->ns_n == draft->ns_n && r->address_n == draft->address_n &&
	       r->pointers_n == draft->pointers_n && memcmp(r->at, draft->at, at_len) == 0 &&
	       memcmp(r->at + r->pointers_n, draft->piece, draft->len) == 0;
}

void
referral_copy(const struct referral *r, uint8_t *to, size_t start, size_t cut_at)
{
	const size_t from[2] = { cut_at, start };
	memcpy(to, r->at + r->pointers_n, r->len);
	for (unsigned i = 0; i < r->pointers_n; i++) {
		uint8_t *p = to + r->at[i];
		uint16_t relative;
		memcpy(&relative, p, sizeof relative);
		size_t pointer = POINTER | (from[relative >> 15] + (relative & OFFSET));
		p[0] = (uint8_t)(pointer >> 8);
		p[1] = (uint8_t)pointer;
	}
}
