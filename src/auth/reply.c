#include "auth/reply.h"

#include <string.h>

#include "base/number.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum {
	MINFO = 14,
	SOA_NUMBERS_LEN = 20, /* after its names (RFC 1035 3.3.13) */
};

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

/* Copies short RDATA: two overlapping moves cost less than a call of memcpy(). */
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

/* The position `here`, as struct place wants it. */
static inline uint16_t
pos_of(size_t here)
{
	return here <= REPLY_POINTER_MAX ? (uint16_t)here : UINT16_MAX;
}

/* Writes a name whose last `shared` octets are a suffix of the name at `tail`. */
static inline uint8_t *
put_name(const struct reply *r, uint8_t *p, struct place *what)
{
	uint16_t pointer = what->shared > 1 ? place_suffix(what->tail, what->shared) : 0;
	size_t here = (size_t)(p - r->wire);
	size_t plain = pointer != 0 ? (size_t)(what->len - what->shared) : what->len;
	what->shared = pointer != 0 ? what->shared : 0;
	what->pos = plain == 0 ? pointer : pos_of(here);
	copy_short(p, what->name, plain);
	p += plain;
	return pointer != 0 ? u16_put(p, 0xC000u | pointer) : p;
}

/* The octets that put_name() writes. */
static size_t
name_size(const struct place *what)
{
	bool is_pointed = what->shared > 1 && place_suffix(what->tail, what->shared) != 0;
	return is_pointed ? what->len - what->shared + 2u : what->len;
}

/* Number of names in RDATA that may be compressed (RFC 3597 4: only types of RFC 1035). */
static inline unsigned
names_of(uint16_t type)
{
	return type == TYPE_SOA || type == MINFO ? 2 : 1;
}

/* State that all records of an RRset share while they are written. */
struct writing {
	const struct reply_rrset *what;
	uint16_t owner_at; /* target of a pointer to the owner; 0: the owner is written in full */
	int target;        /* result of target_offset() */
	uint8_t fixed[8];
	/* These are used only if names have links (zone/node.h).  A link can be followed only to a name that is in this message. */
	const struct rr_link *links;
	unsigned first, next; /* counted over all names of the RRset: the first one in this message, and the next one to write */
	uint32_t ends_at[RRSET_LINK_REACH]; /* where each name ends, or would end if it were written in full */
};

/* Offset of a suffix of name `i` of a record that is in the message already; 0: there is none.  *shared: the suffix's length. */
static inline uint16_t
tail_of(const struct writing *w, const struct rr *rr, unsigned i, size_t *shared)
{
	const struct reply_rrset *what = w->what;
	if (w->links != NULL) {
		const struct rr_link *l = &w->links[w->next + i];
		size_t at = l->shared != 0 && l->to >= w->first ? w->ends_at[l->to] - (size_t)l->shared : SIZE_MAX;
		if (at <= REPLY_POINTER_MAX) {
			*shared = l->shared;
			return (uint16_t)at;
		}
	}
	size_t n = rr->shared[i];
	if (what->wildcard_len != 0 && n >= what->wildcard_len) {
		n = what->wildcard_len - 2u; /* the wildcard without its "*", which is not in the message */
	}
	*shared = n;
	return n > 1 ? place_suffix(what->owner, n) : 0;
}

static inline void
note_end(struct writing *w, unsigned i, size_t at)
{
	if (w->links != NULL && w->next + i < RRSET_LINK_REACH) {
		w->ends_at[w->next + i] = (uint32_t)at;
	}
}

/* Writes name `i` of a record, of `len` octets. */
static inline uint8_t *
put_rdata_name(struct reply *r, uint8_t *p, struct writing *w, const struct rr *rr, unsigned i, const uint8_t *name, size_t len)
{
	size_t shared, here = (size_t)(p - r->wire);
	uint16_t pointer = tail_of(w, rr, i, &shared);
	note_end(w, i, here + len);
	if (pointer == 0) {
		note_target(r, pos_of(here), 0);
		copy_short(p, name, len);
		return p + len;
	}
	note_target(r, shared == len ? pointer : pos_of(here), (uint8_t)shared);
	copy_short(p, name, len - shared);
	return u16_put(p + len - shared, 0xC000u | pointer);
}

/* Writes RDATA of a type of RFC 1035: `lead` octets, one or two names, the rest. */
static uint8_t *
put_names(struct reply *r, uint8_t *p, struct writing *w, const struct rr *rr)
{
	uint16_t type = w->what->set->type;
	size_t lead = type == TYPE_MX ? 2 : 0;
	const uint8_t *from = rr->rdata + lead, *end = rr->rdata + rr->rdlen;

	if (names_of(type) == 1) {
		memcpy(p, rr->rdata, lead);
		p = put_rdata_name(r, p + lead, w, rr, 0, from, (size_t)(end - from));
	} else {
		size_t rest = type == TYPE_SOA ? SOA_NUMBERS_LEN : 0, first = name_len(from);
		p = put_rdata_name(r, p, w, rr, 0, from, first);
		p = put_rdata_name(r, p, w, rr, 1, from + first, (size_t)(end - from) - first - rest);
		memcpy(p, end - rest, rest);
		p += rest;
	}
	w->next += w->what->set->linked;
	return p;
}

/* Writes the owner: a pointer if one can reach it; else the name, which later records can point to. */
static uint8_t *
put_owner(const struct reply *r, uint8_t *p, struct place *owner, uint16_t at)
{
	if (at != 0) {
		return u16_put(p, 0xC000u | at);
	}
	if (owner->pos == 0) {
		return put_name(r, p, owner);
	}
	memcpy(p, owner->name, owner->len); /* out of a pointer's reach, or the root */
	return p + owner->len;
}

/* Target of a pointer to the owner; 0: the owner must be written in full. */
static inline uint16_t
owner_pointer(const struct place *owner)
{
	return owner->len > 1 && (owner->pos != 0 || owner->shared == owner->len) ? place_suffix(owner, owner->len) : 0;
}

bool
reply_add_plain(struct reply *r, enum section section, uint16_t owner_at, const struct rrset *set)
{
	uint8_t *p = r->wire + r->len;
	const struct rr *rr = rrset_first(set);
	if (r->cap - r->len < set->n * (2u + RR_FIXED_LEN + rr->rdlen)) {
		return false; /* the size is known beforehand, so that many large RRsets that do not fit cost nothing */
	}
	for (unsigned left = set->n; left != 0; left--, rr = rr_next(rr)) {
		u16_put(p, 0xC000u | owner_at);
		memcpy(p + 2, set->fixed, 8);
		u16_put(p + 10, rr->rdlen);
		copy_short(p + 2 + RR_FIXED_LEN, rr->rdata, rr->rdlen);
		p += 2u + RR_FIXED_LEN + rr->rdlen;
	}
	r->len = (size_t)(p - r->wire);
	r->count[section] = (uint16_t)(r->count[section] + set->n);
	return true;
}

/* Prepares for records of the RRset from number `first` on. */
static inline void
begin_rrset(struct writing *w, const struct reply_rrset *what, unsigned first)
{
	w->links = rrset_links(what->set);
	w->first = w->next = first * what->set->linked;
	w->what = what;
	w->owner_at = owner_pointer(what->owner);
	w->target = target_offset(what->set->type);
	memcpy(w->fixed, what->set->fixed, sizeof w->fixed);
	if (what->has_ttl) {
		u16_put(u16_put(w->fixed + 4, what->ttl >> 16), what->ttl & 0xFFFF);
	}
}

/* True when names in the RDATA may become pointers. */
static inline bool
has_names(const struct writing *w, const struct rr *rr)
{
	return (rr->shared[0] | rr->shared[1]) > 1 || w->links != NULL;
}

/* The octets that a record will take with its names compressed.  Only called when the uncompressed record may not fit. */
[[gnu::cold, gnu::noinline]] static size_t
rr_size(struct writing *w, const struct rr *rr, size_t here)
{
	struct place *owner = w->what->owner, before = *owner;
	size_t lead = w->what->set->type == TYPE_MX ? 2 : 0;
	size_t size = RR_FIXED_LEN + lead + (w->owner_at != 0 ? 2u : owner->pos == 0 ? name_size(owner) : owner->len);
	const uint8_t *from = rr->rdata + lead;
	if (!has_names(w, rr)) {
		return size - lead + rr->rdlen;
	}
	if (owner->pos == 0) {
		owner->pos = pos_of(here); /* names in RDATA will point there */
	}
	for (unsigned i = 0; i < names_of(w->what->set->type); i++) {
		size_t shared, len = name_len(from);
		bool is_pointed = tail_of(w, rr, i, &shared) != 0;
		note_end(w, i, here + size + len);
		size += is_pointed ? len - shared + 2 : len;
		from += len;
	}
	*owner = before;
	return size + (size_t)(rr->rdata + rr->rdlen - from);
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
	if (has_names(w, rr)) {
		uint8_t *rdlen = p + 8;
		p = put_names(r, p + RR_FIXED_LEN, w, rr);
		u16_put(rdlen, (size_t)(p - rdlen) - 2);
	} else {
		p = u16_put(p + 8, rr->rdlen);
		if (w->target >= 0) {
			size_t at = (size_t)(p - r->wire) + (size_t)w->target;
			note_target(r, at <= REPLY_POINTER_MAX ? (uint16_t)at : UINT16_MAX, 0);
		}
		copy_short(p, rr->rdata, rr->rdlen);
		p += rr->rdlen;
	}
	if (w->owner_at == 0) {
		w->owner_at = owner_pointer(owner); /* the owner is in the message now */
	}
	return p;
}

/* The most room that an RRset with one name in each record can take if its owner is a pointer: its block (zone/node.h) has all
 * but the fixed parts. */
static inline size_t
most_of(const struct rrset *set)
{
	return set->size + set->n * (2u + RR_FIXED_LEN);
}

/* True when put_linked() may write the RRset.  This checks once for all records what put_rr() checks for each: there is room,
 * and nothing gets out of a pointer's reach. */
static inline bool
is_linked(const struct reply *r, const struct writing *w)
{
	const struct rrset *set = w->what->set;
	return set->linked == 1 && w->owner_at != 0 && w->what->wildcard_len == 0 &&
	       most_of(set) <= r->cap - r->len && r->len + most_of(set) <= REPLY_POINTER_MAX;
}

/* Like tail_of(), for an RRset that is written as a whole. */
static inline size_t
linked_tail(const struct writing *w, const struct rr *rr, unsigned i, const uint16_t *ends_at, size_t *shared)
{
	*shared = w->links[i].shared;
	if (*shared != 0) {
		return ends_at[w->links[i].to] - *shared;
	}
	size_t pointer = rr->shared[0] > 1 ? place_suffix(w->what->owner, rr->shared[0]) : 0;
	*shared = pointer != 0 ? rr->shared[0] : 0;
	return pointer;
}

/* Writes the whole RRset, as put_rr() would; most answers with links are written here. */
static void
put_linked(struct reply *r, const struct writing *w)
{
	const struct rrset *set = w->what->set;
	const struct rr *rr = rrset_first(set);
	const size_t lead = set->type == TYPE_MX ? 2 : 0;
	const unsigned n = set->n;
	uint16_t ends_at[RRSET_LINK_REACH];
	uint8_t *p = r->wire + r->len;
	for (unsigned i = 0; i < n; i++, rr = rr_next(rr)) {
		uint8_t *rdlen = u16_put(p, 0xC000u | w->owner_at) + 8, *name = rdlen + 2 + lead;
		memcpy(p + 2, w->fixed, 8);
		if (lead != 0) {
			memcpy(rdlen + 2, rr->rdata, 2);
		}
		size_t len = rr->rdlen - lead, shared, pointer = linked_tail(w, rr, i, ends_at, &shared);
		size_t here = (size_t)(name - r->wire), plain = len - shared;
		if (i < RRSET_LINK_REACH) {
			ends_at[i] = (uint16_t)(here + len);
		}
		note_target(r, (uint16_t)(plain == 0 ? pointer : here), (uint8_t)shared);
		copy_short(name, rr->rdata + lead, plain);
		p = name + plain;
		if (pointer != 0) {
			p = u16_put(p, 0xC000u | pointer);
		}
		u16_put(rdlen, (size_t)(p - rdlen) - 2);
	}
	r->len = (size_t)(p - r->wire);
	r->count[w->what->section] = (uint16_t)(r->count[w->what->section] + n);
}

bool
reply_add(struct reply *r, const struct reply_rrset *what)
{
	const struct rrset *set = what->set;
	struct place owner_before = *what->owner;
	struct writing w;
	begin_rrset(&w, what, 0);
	r->targets = 0;
	if ((set->type == TYPE_A || set->type == TYPE_AAAA) && w.owner_at != 0) {
		return reply_add_plain(r, what->section, w.owner_at, set);
	}
	if (is_linked(r, &w)) {
		put_linked(r, &w);
		return true;
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
	begin_rrset(&w, what, what->set->n - *left);
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
	p = u16_put(p, TYPE_CNAME);
	p = u16_put(p, CLASS_IN);
	memcpy(p, ttl, 4);
	p = u16_put(p + 4, target->len - pointed);
	p = put_name(r, p, target);
	r->len = (size_t)(p - r->wire);
	r->count[SECTION_ANSWER]++;
	return true;
}
