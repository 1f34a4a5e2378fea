#include "auth/reply.h"

#include <string.h>

#include "dns/rrtype.h"
#include "dns/wire.h"

enum { RR_FIXED_LEN = 10 }; /* TYPE, CLASS, TTL, RDLENGTH */

static inline uint8_t *
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

uint16_t
place_suffix(const struct place *p, size_t suffix_len)
{
	while (suffix_len <= p->shared) {
		p = p->tail;
	}
	size_t at = p->pos + p->len - suffix_len;
	return at <= REPLY_POINTER_MAX ? (uint16_t)at : 0;
}

/* Writes a name whose last `shared` octets are a suffix of what stands at `tail`. */
static uint8_t *
put_name(const struct reply *r, uint8_t *p, struct place *what)
{
	uint16_t pointer = what->shared > 1 ? place_suffix(what->tail, what->shared) : 0;
	size_t here = (size_t)(p - r->wire);
	size_t plain = pointer != 0 ? (size_t)(what->len - what->shared) : what->len;
	what->shared = pointer != 0 ? what->shared : 0;
	what->pos = plain == 0 ? pointer : here <= REPLY_POINTER_MAX ? (uint16_t)here : UINT16_MAX;
	memcpy(p, what->name, plain);
	p += plain;
	return pointer != 0 ? put16(p, 0xC000u | pointer) : p;
}

static void
note_target(struct reply *r, uint16_t at, uint8_t shared)
{
	if (r->targets == 0) {
		r->first_shared = shared;
	}
	if (r->targets < REPLY_TARGETS_MAX) {
		r->target_at[r->targets++] = at;
	}
}

/* RDATA of RFC 1035's types: `lead` octets, one or two names, the rest. */
static uint8_t *
put_names(struct reply *r, uint8_t *p, const struct reply_rrset *what, const struct rr *rr)
{
	uint16_t type = what->set->type;
	size_t lead = type == TYPE_MX ? 2 : 0;
	unsigned names = type == TYPE_SOA || type == 14 /* MINFO */ ? 2 : 1;
	const uint8_t *from = rr->rdata, *end = rr->rdata + rr->rdlen;

	memcpy(p, from, lead);
	p += lead;
	from += lead;
	for (unsigned i = 0; i < names; i++) {
		struct place target = { .name = from, .len = (uint8_t)name_len(from), .tail = what->owner,
			                .shared = rr->shared[i] };
		if (what->wildcard_len != 0 && target.shared >= what->wildcard_len) {
			target.shared = 0; /* shares the "*" itself, which is not in the message */
		}
		p = put_name(r, p, &target);
		if (i == 0) {
			note_target(r, target.pos, target.shared);
		}
		from += target.len;
	}
	memcpy(p, from, (size_t)(end - from));
	return p + (end - from);
}

static inline void
copy_rdata(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n == 4) {
		memcpy(to, from, 4); /* A */
	} else if (n == 16) {
		memcpy(to, from, 16); /* AAAA */
	} else {
		memcpy(to, from, n);
	}
}

/* The owner: a pointer where one reaches; otherwise the name, which later records can point to. */
static uint8_t *
put_owner(const struct reply *r, uint8_t *p, struct place *owner)
{
	uint16_t at = owner->len > 1 ? place_suffix(owner, owner->len) : 0;
	if (at != 0) {
		return put16(p, 0xC000u | at);
	}
	if (owner->pos == 0) {
		return put_name(r, p, owner);
	}
	memcpy(p, owner->name, owner->len); /* out of a pointer's reach, or the root */
	return p + owner->len;
}

/* One record; NULL when there is no room. */
static uint8_t *
put_rr(struct reply *r, uint8_t *p, const struct reply_rrset *what, const uint8_t fixed[8], const struct rr *rr,
       int target)
{
	/* The owner never takes more than its whole length, so this bound is safe; it is tight as soon
	 * as the owner is a pointer. */
	bool is_pointer = what->owner->pos != 0 || what->owner->shared == what->owner->len;
	size_t owner_max = is_pointer && place_suffix(what->owner, what->owner->len) != 0 ? 2 : what->owner->len;
	if ((size_t)(r->wire + r->cap - p) < owner_max + RR_FIXED_LEN + rr->rdlen) {
		return NULL;
	}
	p = put_owner(r, p, what->owner);
	memcpy(p, fixed, 8);
	p += 8;
	uint8_t *rdlen = p;
	p += 2;
	if ((rr->shared[0] | rr->shared[1]) > 1) {
		p = put_names(r, p, what, rr);
	} else {
		if (target >= 0) {
			size_t at = (size_t)(p - r->wire) + (size_t)target;
			note_target(r, at <= REPLY_POINTER_MAX ? (uint16_t)at : UINT16_MAX, 0);
		}
		copy_rdata(p, rr->rdata, rr->rdlen);
		p += rr->rdlen;
	}
	put16(rdlen, (size_t)(p - rdlen) - 2);
	return p;
}

bool
reply_add(struct reply *r, const struct reply_rrset *what)
{
	const struct rrset *set = what->set;
	struct place owner_before = *what->owner;
	int target = target_offset(set->type);
	uint8_t *p = r->wire + r->len;
	uint8_t fixed[8];

	memcpy(fixed, set->fixed, sizeof fixed);
	if (what->has_ttl) {
		put16(put16(fixed + 4, what->ttl >> 16), what->ttl & 0xFFFF);
	}
	r->targets = 0;
	const struct rr *rr = rrset_first(set);
	for (unsigned left = set->n; left != 0; left--, rr = rr_next(rr)) {
		p = put_rr(r, p, what, fixed, rr, target);
		if (p == NULL) {
			r->targets = 0;
			*what->owner = owner_before;
			return false;
		}
	}
	r->len = (size_t)(p - r->wire);
	r->count[what->section] = (uint16_t)(r->count[what->section] + set->n);
	return true;
}

bool
reply_add_cname(struct reply *r, struct place *owner, const struct name *target, const uint8_t ttl[4],
                uint16_t *target_at)
{
	uint8_t *p = r->wire + r->len;
	if (r->cap - r->len < (size_t)owner->len + RR_FIXED_LEN + target->len) {
		return false;
	}
	p = put_owner(r, p, owner);
	p = put16(p, TYPE_CNAME);
	p = put16(p, CLASS_IN);
	memcpy(p, ttl, 4);
	p = put16(p + 4, target->len);
	size_t at = (size_t)(p - r->wire);
	*target_at = at <= REPLY_POINTER_MAX ? (uint16_t)at : UINT16_MAX;
	memcpy(p, target->oct, target->len);
	r->len = at + target->len;
	r->count[SECTION_ANSWER]++;
	return true;
}
