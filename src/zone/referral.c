#include "zone/referral.h"

#include <endian.h>
#include <stdlib.h>

#include "base/buf.h"
#include "dns/name.h"

enum {
	POINTER = 0xC000,  /* RFC 1035 4.1.4 */
	QUESTION_TAIL = 4, /* QTYPE and QCLASS: between the cut's name in the question and the piece */
};

static void
put_pointer(struct referral_draft *d, struct buf *b, uint16_t relative)
{
	if (d->pointers_n == REFERRAL_POINTERS_MAX) {
		buf_fail(b, E_LIMIT);
		return;
	}
	d->at[d->pointers_n++] = (uint16_t)b->len;
	relative |= POINTER; /* host byte order */
	buf_put(b, &relative, sizeof relative);
}

/* Writes the beginning of a record: owner (a pointer), type, class, TTL. */
static void
put_head(struct referral_draft *d, struct buf *b, uint16_t owner, const struct rrset *set)
{
	put_pointer(d, b, owner);
	buf_put(b, set->fixed, sizeof set->fixed);
}

enum { TARGETS_MAX = 16 };

/* The names of the NS records in the piece. */
struct targets {
	const struct node *cut;
	const struct rrset *set;
	const struct rr_link *links;    /* NULL: none */
	unsigned n;                     /* written so far */
	uint16_t at[TARGETS_MAX];       /* target of a pointer to each, counted from the cut's name */
	uint16_t ends_at[TARGETS_MAX];  /* where each would end if it were written in full, counted likewise */
};

/* The length of the suffix that the next name shares with the cut's name, or with a name before it; and a pointer to that
 * suffix. */
static size_t
find_shared(const struct targets *t, const struct rr *rr, uint16_t *pointer)
{
	if (t->links != NULL && t->links[t->n].shared != 0) {
		const struct rr_link *l = &t->links[t->n];
		*pointer = (uint16_t)(t->ends_at[l->to] - l->shared);
		return l->shared;
	}
	*pointer = (uint16_t)(t->cut->name_len - rr->shared[0]);
	return rr->shared[0] > 1 ? rr->shared[0] : 0;
}

/* Writes an NS record; the shared suffix of its name becomes a pointer. */
static void
put_ns(struct referral_draft *d, struct buf *b, struct targets *t, const struct rr *rr)
{
	uint16_t pointer;
	size_t shared = find_shared(t, rr, &pointer), plain = rr->rdlen - shared;
	put_head(d, b, 0, t->set);
	buf_u16(b, (uint16_t)(plain + (shared != 0 ? 2 : 0)));
	size_t here = (size_t)t->cut->name_len + QUESTION_TAIL + b->len;
	t->at[t->n] = plain == 0 ? pointer : (uint16_t)here;
	t->ends_at[t->n++] = (uint16_t)(here + rr->rdlen);
	buf_put(b, rr->rdata, plain);
	if (shared != 0) {
		put_pointer(d, b, pointer);
	}
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

bool
referral_draft(const struct node *cut, size_t apex_len, referral_find *find, void *ctx, struct referral_draft *out)
{
	const struct rrset *set = node_rrset(cut, TYPE_NS);
	struct buf b = buf_over(out->piece, sizeof out->piece);
	out->ns_n = out->address_n = out->pointers_n = 0;
	if (set == NULL || set->n > TARGETS_MAX) {
		return false;
	}
	struct targets targets = { .cut = cut, .set = set, .links = rrset_links(set) };
	const struct rr *rr = rrset_first(set);
	for (unsigned i = 0; i < set->n; i++, rr = rr_next(rr)) {
		if (rr->shared[0] >= apex_len && rr->shared[0] < cut->name_len) {
			return false; /* in the zone, but not below the cut: its addresses may change without this cut */
		}
		put_ns(out, &b, &targets, rr);
		out->ns_n++;
	}
	rr = rrset_first(set);
	for (unsigned i = 0; i < set->n; i++, rr = rr_next(rr)) {
		const struct node *n = rr->shared[0] >= cut->name_len ? find(ctx, rr->rdata, rr->rdlen) : NULL;
		if (n != NULL) {
			put_addresses(out, &b, targets.at[i], n);
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
referral_copy(const struct referral *r, uint8_t *to, size_t cut_at)
{
	memcpy(to, r->at + r->pointers_n, r->len);
	for (unsigned i = 0; i < r->pointers_n; i++) {
		uint16_t pointer;
		memcpy(&pointer, to + r->at[i], sizeof pointer);
		pointer = htobe16((uint16_t)(pointer + cut_at));
		memcpy(to + r->at[i], &pointer, sizeof pointer);
	}
}
