#include "zone/ready_soa.h"

#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "dns/name.h"

enum {
	POINTER = 0xC000,  /* RFC 1035 4.1.4 */
	QUESTION_TAIL = 4, /* QTYPE and QCLASS: between the apex's name in the question and the piece */
	NUMBERS_LEN = 20,  /* of an SOA, after its names (RFC 1035 3.3.13) */
};

/* A prepared SOA while it is written; offsets in messages count from the apex's name. */
struct draft {
	struct ready_soa *out;
	struct buf b;
	size_t apex_len;
	size_t mname_end; /* where MNAME would end if it were written in full */
};

static void
put_pointer(struct draft *d, size_t relative)
{
	uint16_t pointer = (uint16_t)(POINTER | relative); /* host byte order */
	d->out->at[d->out->pointers_n++] = (uint8_t)d->b.len;
	buf_put(&d->b, &pointer, sizeof pointer);
}

/* Writes a name, except its last octets if these are at `tail` already. */
static void
put_name(struct draft *d, const uint8_t *name, size_t len, size_t shared, size_t tail)
{
	size_t plain = shared > 1 ? len - shared : len;
	buf_put(&d->b, name, plain);
	if (plain != len) {
		put_pointer(d, tail);
	}
}

/* MNAME may share its end with the apex; RNAME with the apex or, by its link, with MNAME. */
static void
put_names(struct draft *d, const struct rrset *soa, const struct rr *rr)
{
	size_t mname = name_len(rr->rdata), rname = rr->rdlen - mname - NUMBERS_LEN;
	const struct rr_link *links = rrset_links(soa);
	d->mname_end = d->apex_len + QUESTION_TAIL + d->b.len + mname;
	put_name(d, rr->rdata, mname, rr->shared[0], d->apex_len - rr->shared[0]);
	if (links != NULL && links[1].shared != 0) {
		put_name(d, rr->rdata + mname, rname, links[1].shared, d->mname_end - links[1].shared);
	} else {
		put_name(d, rr->rdata + mname, rname, rr->shared[1], d->apex_len - rr->shared[1]);
	}
}

void
ready_soa_make(const struct node *apex, const struct rrset *soa, struct ready_soa *out)
{
	const struct rr *rr = rrset_first(soa);
	*out = (struct ready_soa){ 0 };
	struct draft d = { .out = out, .b = buf_over(out->piece, sizeof out->piece), .apex_len = apex->name_len };
	put_name(&d, apex->name, apex->name_len, apex->name_len, 0); /* the root's name is shorter than a pointer */
	out->ttl_at = (uint8_t)(d.b.len + 4); /* after type and class */
	buf_put(&d.b, soa->fixed, sizeof soa->fixed);
	size_t rdlen_at = d.b.len;
	buf_u16(&d.b, 0);
	put_names(&d, soa, rr);
	buf_put(&d.b, rr->rdata + rr->rdlen - NUMBERS_LEN, NUMBERS_LEN);
	if (d.b.err != OK) {
		*out = (struct ready_soa){ 0 };
		return;
	}
	uint16_t rdlen = htobe16((uint16_t)(d.b.len - rdlen_at - sizeof rdlen));
	memcpy(out->piece + rdlen_at, &rdlen, sizeof rdlen);
	out->len = (uint8_t)d.b.len;
}

void
ready_soa_copy(const struct ready_soa *n, uint8_t *to, size_t apex_at, uint32_t ttl)
{
	memcpy(to, n->piece, n->len);
	ttl = htobe32(ttl);
	memcpy(to + n->ttl_at, &ttl, sizeof ttl);
	for (unsigned i = 0; i < n->pointers_n; i++) {
		uint16_t pointer;
		memcpy(&pointer, to + n->at[i], sizeof pointer);
		pointer = htobe16((uint16_t)(pointer + apex_at));
		memcpy(to + n->at[i], &pointer, sizeof pointer);
	}
}
