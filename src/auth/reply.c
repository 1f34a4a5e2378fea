#include "auth/reply.h"

#include <string.h>

#include "dns/rrtype.h"
#include "dns/wire.h"

enum { MINFO = 14 };

static inline uint8_t *
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static inline void
note_target(struct reply *r, uint16_t at, uint8_t shared)
{
	if (r->targets == 0) {
		r->first_shared = shared;
	}
	if (r->targets < REPLY_TARGETS_MAX) {
		r->target_at[r->targets++] = at;
	}
}

/* RDATA that is little: two moves that overlap cost less than a call. */
static inline void
copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n > 16) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		uint64_t head, tail;
		memcpy(&head, from, 8);
		memcpy(&tail, from + n - 8, 8);
		memcpy(to, &head, 8);
		memcpy(to + n - 8, &tail, 8);
	} else if (n >= 4) {
		uint32_t head, tail;
		memcpy(&head, from, 4);
		memcpy(&tail, from + n - 4, 4);
		memcpy(to, &head, 4);
		memcpy(to + n - 4, &tail, 4);
	} else {
		for (size_t i = 0; i < n; i++) {
			to[i] = from[i];
		}
	}
}

/* Writes a name whose last `shared` octets are a suffix of what stands at `tail`. */
static inline uint8_t *
put_name(const struct reply *r, uint8_t *p, struct place *what)
{
	uint16_t pointer = what->shared > 1 ? place_suffix(what->tail, what->shared) : 0;
	size_t here = (size_t)(p - r->wire);
	size_t plain = pointer != 0 ? (size_t)(what->len - what->shared) : what->len;
	what->shared = pointer != 0 ? what->shared : 0;
	what->pos = plain == 0 ? pointer : here <= REPLY_POINTER_MAX ? (uint16_t)here : UINT16_MAX;
	copy_short(p, what->name, plain);
	p += plain;
	return pointer != 0 ? put16(p, 0xC000u | pointer) : p;
}

/* The octets that put_name() writes. */
static size_t
name_size(const struct place *what)
{
	bool is_pointed = what->shared > 1 && place_suffix(what->tail, what->shared) != 0;
	return is_pointed ? what->len - what->shared + 2u : what->len;
}

/* Names in RDATA that may be compressed (RFC 3597 4: those of RFC 1035). */
static inline unsigned
names_of(uint16_t type)
{
	return type == TYPE_SOA || type == MINFO ? 2 : 1;
}

/* Name `i` of a record, which begins at `from`: its place but for where it will stand. */
static inline struct place
name_in(const struct reply_rrset *what, const struct rr *rr, unsigned i, const uint8_t *from)
{
	const uint8_t *end = rr->rdata + rr->rdlen;
	size_t len = names_of(what->set->type) == 1 ? (size_t)(end - from) : name_len(from);
	struct place name = { .name = from, .len = (uint8_t)len, .tail = what->owner, .shared = rr->shared[i] };
	if (what->wildcard_len != 0 && name.shared >= what->wildcard_len) {
		name.shared = 0; /* shares the "*" itself, which is not in the message */
	}
	return name;
}

/* RDATA of RFC 1035's types: `lead` octets, one or two names, the rest. */
static uint8_t *
put_names(struct reply *r, uint8_t *p, const struct reply_rrset *what, const struct rr *rr)
{
	uint16_t type = what->set->type;
	size_t lead = type == TYPE_MX ? 2 : 0;
	const uint8_t *from = rr->rdata, *end = rr->rdata + rr->rdlen;

	copy_short(p, from, lead);
	p += lead;
	from += lead;
	for (unsigned i = 0; i < names_of(type); i++) {
		struct place target = name_in(what, rr, i, from);
		p = put_name(r, p, &target);
		if (i == 0) {
			note_target(r, target.pos, target.shared);
		}
		from += target.len;
	}
	memcpy(p, from, (size_t)(end - from));
	return p + (end - from);
}

/* The owner: a pointer where one reaches; otherwise the name, which later records can point to. */
static uint8_t *
put_owner(const struct reply *r, uint8_t *p, struct place *owner, uint16_t at)
{
	if (at != 0) {
		return put16(p, 0xC000u | at);
	}
	if (owner->pos == 0) {
		return put_name(r, p, owner);
	}
	memcpy(p, owner->name, owner->len); /* out of a pointer's reach, or the root */
	return p + owner->len;
}

/* Where a pointer to the owner leads; 0: it has to be written out. */
static inline uint16_t
owner_pointer(const struct place *owner)
{
	return owner->len > 1 && (owner->pos != 0 || owner->shared == owner->len) ? place_suffix(owner, owner->len) : 0;
}

bool
reply_add_plain(struct reply *r, enum section section, uint16_t owner_at, const struct rrset *set)
{
	uint8_t *p = r->wire + r->len, *end = r->wire + r->cap;
	const struct rr *rr = rrset_first(set);
	for (unsigned left = set->n; left != 0; left--, rr = rr_next(rr)) {
		if ((size_t)(end - p) < 2u + RR_FIXED_LEN + rr->rdlen) {
			return false;
		}
		put16(p, 0xC000u | owner_at);
		memcpy(p + 2, set->fixed, 8);
		put16(p + 10, rr->rdlen);
		copy_short(p + 2 + RR_FIXED_LEN, rr->rdata, rr->rdlen);
		p += 2u + RR_FIXED_LEN + rr->rdlen;
	}
	r->len = (size_t)(p - r->wire);
	r->count[section] = (uint16_t)(r->count[section] + set->n);
	return true;
}

/* What is the same for all records of an RRset while it is written. */
struct writing {
	const struct reply_rrset *what;
	uint16_t owner_at; /* where a pointer to the owner leads; 0: it is written out */
	int target;        /* of target_offset() */
	uint8_t fixed[8];
};

static inline void
begin_rrset(struct writing *w, const struct reply_rrset *what)
{
	w->what = what;
	w->owner_at = owner_pointer(what->owner);
	w->target = target_offset(what->set->type);
	memcpy(w->fixed, what->set->fixed, sizeof w->fixed);
	if (what->has_ttl) {
		put16(put16(w->fixed + 4, what->ttl >> 16), what->ttl & 0xFFFF);
	}
}

/* The octets that a record will take: what is pointed to does not count.  Only asked where it may not fit. */
[[gnu::cold, gnu::noinline]] static size_t
rr_size(const struct writing *w, const struct rr *rr, size_t here)
{
	struct place owner = *w->what->owner;
	size_t size = RR_FIXED_LEN + rr->rdlen;
	size += w->owner_at != 0 ? 2u : owner.pos == 0 ? name_size(&owner) : owner.len;
	if (owner.pos == 0) {
		owner.pos = here <= REPLY_POINTER_MAX ? (uint16_t)here : UINT16_MAX; /* names in RDATA will point there */
	}
	if ((rr->shared[0] | rr->shared[1]) > 1) {
		const uint8_t *from = rr->rdata + (w->what->set->type == TYPE_MX ? 2 : 0);
		for (unsigned i = 0; i < names_of(w->what->set->type); i++) {
			struct place name = name_in(w->what, rr, i, from);
			name.tail = &owner;
			size = size - name.len + name_size(&name);
			from += name.len;
		}
	}
	return size;
}

/* Writes one record at `p`; returns where it ends, or NULL: it does not fit. */
static inline uint8_t *
put_rr(struct reply *r, struct writing *w, uint8_t *p, const struct rr *rr)
{
	struct place *owner = w->what->owner;
	size_t owner_max = w->owner_at != 0 ? 2 : owner->len;
	size_t left = (size_t)(r->wire + r->cap - p);
	if (left < owner_max + RR_FIXED_LEN + rr->rdlen && left < rr_size(w, rr, (size_t)(p - r->wire))) {
		return NULL;
	}
	p = put_owner(r, p, owner, w->owner_at);
	memcpy(p, w->fixed, 8);
	if ((rr->shared[0] | rr->shared[1]) > 1) {
		uint8_t *rdlen = p + 8;
		p = put_names(r, p + RR_FIXED_LEN, w->what, rr);
		put16(rdlen, (size_t)(p - rdlen) - 2);
	} else {
		p = put16(p + 8, rr->rdlen);
		if (w->target >= 0) {
			size_t at = (size_t)(p - r->wire) + (size_t)w->target;
			note_target(r, at <= REPLY_POINTER_MAX ? (uint16_t)at : UINT16_MAX, 0);
		}
		copy_short(p, rr->rdata, rr->rdlen);
		p += rr->rdlen;
	}
	if (w->owner_at == 0) {
		w->owner_at = owner_pointer(owner); /* it stands in the message now */
	}
	return p;
}

bool
reply_add(struct reply *r, const struct reply_rrset *what)
{
	const struct rrset *set = what->set;
	struct place owner_before = *what->owner;
	struct writing w;
	begin_rrset(&w, what);
	r->targets = 0;
	if ((set->type == TYPE_A || set->type == TYPE_AAAA) && w.owner_at != 0) {
		return reply_add_plain(r, what->section, w.owner_at, set);
	}
	uint8_t *p = r->wire + r->len;
	const struct rr *rr = rrset_first(set);
	for (unsigned left = set->n; left != 0; left--, rr = rr_next(rr)) {
		p = put_rr(r, &w, p, rr);
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

const struct rr *
reply_add_some(struct reply *r, const struct reply_rrset *what, const struct rr *rr, unsigned *left)
{
	struct writing w;
	begin_rrset(&w, what);
	r->targets = 0;
	for (; *left != 0; (*left)--, rr = rr_next(rr)) {
		struct place owner_before = *what->owner;
		uint8_t *end = put_rr(r, &w, r->wire + r->len, rr);
		if (end == NULL) {
			*what->owner = owner_before;
			break;
		}
		r->len = (size_t)(end - r->wire);
		r->count[what->section]++;
	}
	return rr;
}

bool
reply_add_cname(struct reply *r, struct place *owner, struct place *target, const uint8_t ttl[4])
{
	uint8_t *p = r->wire + r->len;
	uint16_t owner_at = owner_pointer(owner);
	size_t pointed = target->shared > 1 && place_suffix(target->tail, target->shared) != 0 ? target->shared - 2u : 0;
	if (r->cap - r->len < (owner_at != 0 ? 2u : owner->len) + RR_FIXED_LEN + target->len - pointed) {
		return false;
	}
	p = put_owner(r, p, owner, owner_at);
	p = put16(p, TYPE_CNAME);
	p = put16(p, CLASS_IN);
	memcpy(p, ttl, 4);
	p = put16(p + 4, target->len - pointed);
	p = put_name(r, p, target);
	r->len = (size_t)(p - r->wire);
	r->count[SECTION_ANSWER]++;
	return true;
}
