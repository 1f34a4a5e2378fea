#include "zone/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/number.h"
#include "dns/rdata.h"
#include "dns/serial.h"
#include "dns/wire.h"

/* ---- deltas ---- */

static size_t
rr_len(const struct zone_rr *rr)
{
	return 1 + name_len(rr->owner) + RR_FIXED_LEN + rr->rdlen;
}

static void
put_rr(struct buf *b, const struct zone_rr *rr)
{
	size_t owner_len = name_len(rr->owner);
	buf_u8(b, (uint8_t)owner_len);
	buf_put(b, rr->owner, owner_len);
	buf_u16(b, rr->type);
	buf_u16(b, CLASS_IN);
	buf_u32(b, rr->ttl);
	buf_u16(b, rr->rdlen);
	buf_put(b, rr->rdata, rr->rdlen);
}

struct delta_rr
delta_next(const struct delta *d, size_t *at)
{
	const uint8_t *p = d->wire + *at;
	struct delta_rr rr = { .owner = p + 1, .owner_len = p[0], .fixed = p + 1 + p[0] };
	rr.fixed_len = RR_FIXED_LEN + u16_at(rr.fixed + 8);
	*at += 1u + rr.owner_len + rr.fixed_len;
	return rr;
}

static struct zone_rr
soa_of(const struct zone *z)
{
	const struct rr *rr = rrset_first(z->soa);
	return (struct zone_rr){ .owner = z->apex->name, .type = TYPE_SOA, .ttl = rrset_ttl(z->soa), .rdlen = rr->rdlen,
		                 .rdata = rr->rdata };
}

/* Writes one half: the version's SOA, then the other records that only this version has. */
static void
put_half(struct buf *b, const struct zone *z, const struct zone_changes *c, bool is_added, uint32_t *n)
{
	const struct zone_rr soa = soa_of(z);
	put_rr(b, &soa);
	*n = 1;
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].is_added == is_added && c->list[i].rr.type != TYPE_SOA) {
			put_rr(b, &c->list[i].rr);
			(*n)++;
		}
	}
}

static struct delta *
delta_new(size_t len)
{
	struct delta *d = try_alloc(sizeof *d + len);
	if (d != NULL) {
		d->len = len;
	}
	return d;
}

static struct delta *
delta_between(const struct zone *old, const struct zone *new, const struct zone_changes *c)
{
	const struct zone_rr before = soa_of(old), after = soa_of(new);
	size_t len = rr_len(&before) + rr_len(&after);
	for (size_t i = 0; i < c->n; i++) {
		len += c->list[i].rr.type != TYPE_SOA ? rr_len(&c->list[i].rr) : 0;
	}
	struct delta *d = delta_new(len);
	if (d != NULL) {
		struct buf b = buf_over(d->wire, len);
		d->old_serial = old->serial;
		d->new_serial = new->serial;
		put_half(&b, old, c, false, &d->removed_n);
		put_half(&b, new, c, true, &d->added_n);
		ASSERT(b.err == OK && b.len == len);
	}
	return d;
}

/* ---- the chain ---- */

static size_t
octets_of(const struct delta *d)
{
	return sizeof *d + d->len;
}

static size_t
octets_max(const struct zone *z)
{
	size_t octets = z->records < HISTORY_OCTETS_MAX / HISTORY_OCTETS_PER_RECORD ? z->records * HISTORY_OCTETS_PER_RECORD
	                                                                          : HISTORY_OCTETS_MAX;
	return octets < HISTORY_OCTETS_MIN ? HISTORY_OCTETS_MIN : octets;
}

void
history_drop(const struct zone *z, struct garbage *garbage)
{
	struct delta *d = z->history.newest;
	for (size_t left = z->history.n; left != 0; left--) {
		struct delta *older = d->older;
		garbage_add(garbage, d, octets_of(d));
		d = older;
	}
}

void
history_free_zone(struct zone **z)
{
	struct garbage deltas = { 0 };
	if (*z != NULL) {
		history_drop(*z, &deltas);
		garbage_free(&deltas);
	}
	zone_free(z);
}

static void
trim(struct zone *z, struct garbage *garbage)
{
	struct zone_history *h = &z->history;
	while (h->n != 0 && (h->n > HISTORY_STEPS_MAX || h->octets > octets_max(z) || !serial_is_newer(z->serial, h->oldest->old_serial))) {
		struct delta *oldest = h->oldest;
		h->oldest = oldest->newer;
		h->octets -= octets_of(oldest);
		h->n--;
		/* its newer neighbour still points to it, but nobody follows that pointer any more */
		garbage_add(garbage, oldest, octets_of(oldest));
	}
	if (h->n == 0) {
		*h = (struct zone_history){ .served = h->served, .heard_n = h->heard_n, .heard = h->heard };
	}
}

void
history_begin(struct zone *first, uint32_t newest, bool is_same)
{
	bool is_it = is_same && first->serial == newest;
	first->history.is_ambiguous = !is_it && !serial_is_newer(first->serial, newest);
	first->history.served = serial_newest(newest, first->serial);
}

void
history_begin_unsure(struct zone *first, uint32_t newest)
{
	history_begin(first, newest, true);
	first->history.is_doubtful = first->serial == newest;
}

void
history_note_served(struct zone *z, uint32_t serial)
{
	if (serial_is_newer(serial, z->history.served)) {
		z->history.served = serial;
		z->history.is_ambiguous = true;
	}
}

err_t
history_note_heard(struct zone *z, uint32_t serial)
{
	struct zone_history *h = &z->history;
	uint32_t ahead = serial - h->served;
	if (!serial_is_newer(serial, h->served)) {
		return E_EXISTS;
	}
	if (h->heard_n == HISTORY_HEARD_TIMES_MAX || ahead > HISTORY_HEARD_MAX - h->heard) {
		return E_LIMIT;
	}
	h->heard_n++;
	h->heard += ahead;
	history_note_served(z, serial);
	return OK;
}

void
history_extend(const struct zone *old, struct zone *new, const struct zone_changes *changes, struct garbage *garbage)
{
	struct zone_history *h = &new->history;
	history_begin(new, old->history.served, false);
	h->heard_n = old->history.heard_n;
	h->heard = old->history.heard;
	bool is_step = !old->history.is_ambiguous && !old->history.is_doubtful && !h->is_ambiguous && zone_changes_are_whole(changes);
	struct delta *d = is_step ? delta_between(old, new, changes) : NULL;
	if (d == NULL) {
		history_drop(old, garbage);
		return;
	}
	*h = old->history;
	h->served = new->serial;
	d->older = h->newest;
	if (h->newest != NULL) {
		h->newest->newer = d;
	} else {
		h->oldest = d;
	}
	h->newest = d;
	h->n++;
	h->octets += octets_of(d);
	trim(new, garbage);
}

/* The number of steps from a serial to the version's own, if at most `most`; 0: there are none, or more. */
static size_t
count_steps(const struct zone *z, uint32_t serial, size_t most)
{
	const struct delta *d = z->history.newest;
	most = z->history.n < most ? z->history.n : most;
	for (size_t i = 1; i <= most; i++) {
		if (d->old_serial == serial) {
			return i;
		}
		d = i < most ? d->older : NULL;
	}
	return 0;
}

static void
list_steps(const struct zone *z, const struct delta **list, size_t n)
{
	const struct delta *d = z->history.newest;
	for (size_t i = n; i-- != 0; d = i != 0 ? d->older : d) {
		list[i] = d;
	}
}

err_t
history_from(const struct zone *z, uint32_t serial, const struct delta ***list, size_t *n)
{
	size_t steps = count_steps(z, serial, SIZE_MAX);
	if (steps == 0) {
		return E_NOTFOUND;
	}
	const struct delta **all = try_alloc(steps * sizeof(const struct delta *));
	if (all == NULL) {
		return E_NOMEM;
	}
	list_steps(z, all, steps);
	*list = all;
	*n = steps;
	return OK;
}

err_t
history_last(const struct zone *z, uint32_t serial, const struct delta **list, size_t cap, size_t *n)
{
	size_t steps = count_steps(z, serial, cap);
	if (steps == 0) {
		return E_NOTFOUND;
	}
	list_steps(z, list, steps);
	*n = steps;
	return OK;
}

/* ---- joining deltas ---- */

struct event { /* a record removed or added in one of the steps */
	struct delta_rr rr;
	uint16_t type;
	size_t when;
	bool is_added;
};

static int
compare_content(const struct event *a, const struct event *b)
{
	int order = name_compare(a->rr.owner, b->rr.owner);
	if (order != 0 || a->type != b->type) {
		return order != 0 ? order : (int)a->type - (int)b->type;
	}
	return rdata_compare(a->type, a->rr.fixed + RR_FIXED_LEN, a->rr.fixed_len - RR_FIXED_LEN,
	                     b->rr.fixed + RR_FIXED_LEN, b->rr.fixed_len - RR_FIXED_LEN);
}

static int
compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int order = compare_content(a, b);
	return order != 0 ? order : a->when < b->when ? -1 : a->when > b->when;
}

/* Lists all records of the steps, except the SOAs at the beginning of each half. */
static size_t
list_events(const struct delta *const *list, size_t n, struct event *out)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		const struct delta *d = list[i];
		size_t at = 0;
		for (uint32_t k = 0; k < d->removed_n + d->added_n; k++) {
			struct delta_rr rr = delta_next(d, &at);
			if (k != 0 && k != d->removed_n) {
				uint16_t type = u16_at(rr.fixed);
				out[count] = (struct event){ .rr = rr, .type = type, .when = count, .is_added = k > d->removed_n };
				count++;
			}
		}
	}
	return count;
}

/* The first record of a half of a delta, which is an SOA. */
static struct delta_rr
first_of_half(const struct delta *d, bool is_added)
{
	size_t at = 0;
	struct delta_rr rr = delta_next(d, &at);
	for (uint32_t k = 1; is_added && k <= d->removed_n; k++) {
		rr = delta_next(d, &at);
	}
	return rr;
}

static void
put_delta_rr(struct buf *b, const struct delta_rr *rr, uint32_t *n)
{
	buf_u8(b, rr->owner_len);
	buf_put(b, rr->owner, rr->owner_len);
	buf_put(b, rr->fixed, rr->fixed_len);
	(*n)++;
}

static bool
has_same_ttl(const struct delta_rr *a, const struct delta_rr *b)
{
	return memcmp(a->fixed + 4, b->fixed + 4, 4) == 0;
}

/* Of the events of one record, sorted by time, only the first and the last matter: they tell whether it was there before, and is
 * there after.  A record that is there before and after with different TTLs is in both halves. */
static void
put_half_of_events(struct buf *b, const struct event *events, size_t n, bool is_added, uint32_t *count)
{
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && compare_content(&events[i], &events[end]) == 0;) {
			end++;
		}
		const struct event *first = &events[i], *last = &events[end - 1];
		bool was = !first->is_added, is = last->is_added;
		if (was == is && (!was || has_same_ttl(&first->rr, &last->rr))) {
			continue;
		}
		if (is_added ? is : was) {
			put_delta_rr(b, is_added ? &last->rr : &first->rr, count);
		}
	}
}

static void
fill_condensed(const struct delta *const *list, size_t n, const struct event *events, size_t events_n, struct delta *out)
{
	struct buf b = buf_over(out->wire, out->len);
	const struct delta_rr before = first_of_half(list[0], false), after = first_of_half(list[n - 1], true);
	out->old_serial = list[0]->old_serial;
	out->new_serial = list[n - 1]->new_serial;
	put_delta_rr(&b, &before, &out->removed_n);
	put_half_of_events(&b, events, events_n, false, &out->removed_n);
	put_delta_rr(&b, &after, &out->added_n);
	put_half_of_events(&b, events, events_n, true, &out->added_n);
	ASSERT(b.err == OK);
	out->len = b.len;
}

err_t
history_condense(const struct delta *const *list, size_t n, struct delta **out)
{
	size_t records = 0, octets = 0;
	for (size_t i = 0; i < n; i++) {
		records += list[i]->removed_n + list[i]->added_n;
		octets += list[i]->len;
	}
	if (records > HISTORY_CONDENSE_MAX || octets > HISTORY_CONDENSE_OCTETS_MAX) {
		return E_LIMIT;
	}
	[[gnu::cleanup(free_ptr)]] struct event *events = try_alloc((records + 1) * sizeof *events);
	struct delta *d = delta_new(octets);
	if (events == NULL || d == NULL) {
		free(d);
		return E_NOMEM;
	}
	size_t events_n = list_events(list, n, events);
	qsort(events, events_n, sizeof *events, compare_events);
	fill_condensed(list, n, events, events_n, d);
	*out = d;
	return OK;
}
