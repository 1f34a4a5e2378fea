#include "acme/steps.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { PREREQUISITES_AT = 6, CHANGES_AT = 8 }; /* where the header has the counts (RFC 2136 2.2) */

enum entry_state { ENTRY_WAITS, ENTRY_NOW, ENTRY_DONE };

struct steps_entry {
	const uint8_t *zone;
	struct step_change change; /* its pointers lead into the arena */
	enum entry_state state;
};

void
steps_fini(struct steps *s)
{
	free(s->list);
	arena_fini(&s->mem);
	*s = (struct steps){ .n = 0 };
}

err_t
steps_add(struct steps *s, const uint8_t *zone, const struct step_change *c)
{
	if (s->n == STEPS_CHANGES_MAX || c->rdlen > DNS_RDATA_MAX) {
		return E_LIMIT;
	}
	struct steps_entry e = { .zone = arena_copy(&s->mem, zone, name_len(zone)), .change = *c };
	e.change.owner = arena_copy(&s->mem, c->owner, name_len(c->owner));
	e.change.rdata = arena_copy(&s->mem, c->rdata, c->rdlen);
	if (e.zone == NULL || e.change.owner == NULL || e.change.rdata == NULL || !try_room(&s->list, sizeof e, s->n, &s->cap)) {
		return E_NOMEM;
	}
	s->list[s->n++] = e;
	return OK;
}

/* ---- which key ---- */

bool
steps_may_change(const struct key *k, const uint8_t *zone, const uint8_t *owner, uint16_t type)
{
	return key_may_update(k, zone) && key_may_change(k, zone, owner, type);
}

static bool
may(const struct key *k, const struct steps_entry *e)
{
	return steps_may_change(k, e->zone, e->change.owner, e->change.type);
}

static bool
waits(const struct steps_entry *e)
{
	return e->state == ENTRY_WAITS && e->change.kind != STEP_IF_THERE;
}

static size_t
reach_of(const struct steps *s, const struct key *k, const uint8_t *zone)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		n += waits(&s->list[i]) && name_is_equal(s->list[i].zone, zone) && may(k, &s->list[i]);
	}
	return n;
}

/* Of the keys that are good for this change, the one that is good for the most others. */
static const struct key *
best_key(const struct steps *s, const struct keystore *keys, const struct steps_entry *first)
{
	const struct key *best = NULL;
	size_t best_n = 0;
	for (size_t i = 0; i < keystore_count(keys); i++) {
		const struct key *k = keystore_at(keys, i);
		size_t n = may(k, first) ? reach_of(s, k, first->zone) : 0;
		if (n > best_n) {
			best = k;
			best_n = n;
		}
	}
	return best;
}

/* ---- the message ---- */

static void
put_record(struct buf *b, const struct step_change *c)
{
	bool is_add = c->kind == STEP_ADD;
	buf_put(b, c->owner, name_len(c->owner));
	buf_u16(b, c->type);
	buf_u16(b, c->kind == STEP_REMOVE ? CLASS_NONE : CLASS_IN); /* RFC 2136 2.4.2, 2.5.1, 2.5.4 */
	buf_u32(b, is_add ? c->ttl : 0);
	buf_u16(b, (uint16_t)c->rdlen);
	buf_put(b, c->rdata, c->rdlen);
}

static bool
is_same_rrset(const struct steps_entry *a, const struct steps_entry *b)
{
	return a->change.type == b->change.type && name_is_equal(a->change.owner, b->change.owner) && name_is_equal(a->zone, b->zone);
}

/* The conditions of those that are in this step. */
static size_t
put_conditions(struct steps *s, struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct steps_entry *e = &s->list[i];
		bool is_wanted = false;
		for (size_t j = 0; j < s->n && e->change.kind == STEP_IF_THERE && e->state != ENTRY_DONE; j++) {
			is_wanted |= j != i && s->list[j].state == ENTRY_NOW && s->list[j].change.kind != STEP_IF_THERE &&
			             is_same_rrset(e, &s->list[j]);
		}
		if (is_wanted) {
			e->state = ENTRY_NOW;
			put_record(b, &e->change);
			n++;
		}
	}
	return n;
}

static size_t
record_len(const struct step_change *c)
{
	return name_len(c->owner) + RR_FIXED_LEN + c->rdlen;
}

static size_t
conditions_len(const struct steps *s, const struct steps_entry *of)
{
	size_t len = 0;
	for (size_t i = 0; i < s->n; i++) {
		bool is_its = s->list[i].change.kind == STEP_IF_THERE && s->list[i].state != ENTRY_DONE && is_same_rrset(of, &s->list[i]);
		len += is_its ? record_len(&s->list[i].change) : 0;
	}
	return len;
}

/* The changes of an RRset that has conditions go together, since the conditions are sent once. */
static bool
goes_with(const struct steps_entry *e, const struct steps_entry *first, bool has_conditions)
{
	return e == first || (has_conditions && waits(e) && is_same_rrset(e, first));
}

/* Marks a change, with those that go with it, if there is room; the octets that it takes, 0: there is none. */
static size_t
take(struct steps *s, struct steps_entry *first, size_t room)
{
	size_t conditions = conditions_len(s, first), len = conditions;
	for (size_t i = 0; i < s->n; i++) {
		len += goes_with(&s->list[i], first, conditions != 0) ? record_len(&s->list[i].change) : 0;
	}
	for (size_t i = 0; i < s->n && len <= room; i++) {
		if (goes_with(&s->list[i], first, conditions != 0)) {
			s->list[i].state = ENTRY_NOW;
			s->now_n++;
		}
	}
	return len <= room ? len : 0;
}

/* Marks as many as the message has room for. */
static void
choose(struct steps *s, const struct key *key, const uint8_t *zone)
{
	size_t room = STEPS_MESSAGE_MAX - (DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 11); /* question, EDNS */
	s->now_n = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct steps_entry *e = &s->list[i];
		if (waits(e) && name_is_equal(e->zone, zone) && may(key, e)) {
			room -= take(s, e, room);
		}
	}
}

static err_t
write_step(struct steps *s, const struct step *step)
{
	struct buf *b = step->message;
	size_t changes = 0;
	request_begin(b, 0, OPCODE_UPDATE << 11, &(struct question){ step->zone, TYPE_SOA, CLASS_IN });
	size_t conditions = put_conditions(s, b);
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].state == ENTRY_NOW && s->list[i].change.kind != STEP_IF_THERE) {
			put_record(b, &s->list[i].change);
			changes++;
		}
	}
	TRY(b->err);
	buf_patch_u16(b, PREREQUISITES_AT, (uint16_t)conditions);
	buf_patch_u16(b, CHANGES_AT, (uint16_t)changes);
	request_put_edns(b);
	return b->err;
}

/* ---- one after the other ---- */

static void
again(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->list[i].state = s->list[i].state == ENTRY_NOW ? ENTRY_WAITS : s->list[i].state;
	}
}

static const struct steps_entry *
first_waiting(const struct steps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (waits(&s->list[i])) {
			return &s->list[i];
		}
	}
	return NULL;
}

err_t
steps_next(struct steps *s, const struct keystore *keys, struct step *out)
{
	again(s);
	const struct steps_entry *first = first_waiting(s);
	if (first == NULL) {
		return E_NOTFOUND;
	}
	out->zone = first->zone;
	out->key = best_key(s, keys, first);
	if (out->key == NULL) {
		out->refused = first->change.owner;
		out->refused_type = first->change.type;
		return E_AUTH;
	}
	choose(s, out->key, out->zone);
	return s->now_n != 0 ? write_step(s, out) : E_FULL;
}

void
steps_done(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->list[i].state = s->list[i].state == ENTRY_NOW ? ENTRY_DONE : s->list[i].state;
	}
}

bool
steps_has_condition(const struct steps *s)
{
	bool has = false;
	for (size_t i = 0; i < s->n; i++) {
		has |= s->list[i].state == ENTRY_NOW && s->list[i].change.kind == STEP_IF_THERE;
	}
	return has;
}
