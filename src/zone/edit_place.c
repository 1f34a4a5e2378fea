/* Decides what to do with each line, and after which line each added record goes. */
#include "dns/rrtype.h"
#include "zone/edit_p.h"

/* The changes of one RRset. */
struct set {
	struct edit_change *changes;
	size_t n;
	uint16_t type, covers;
	uint32_t ttl;              /* the new TTL */
};

err_t
edit_refuse(struct editor *e, const struct edit_line *l)
{
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(l->name, name);
	return edit_fail(e, l->frame->source, l->line, "edit-refused", "change it there by hand",
	                 "%.200s %s is in a file that %s: it is not edited", name, rrtype_print(l->type, type),
	                 l->frame->source->opened > 1 ? "this zone includes more than once" : "other zones read too");
}

static bool
is_of_set(const struct edit_line *l, const struct set *s)
{
	return l->type == s->type && l->covers == s->covers;
}

/* The set that begins with the change at `from`.  Its TTL is that of the new records; if records are only removed, it stays. */
static struct set
set_at(const struct edit_owner *o, size_t from)
{
	struct edit_change *c = &o->changes[from];
	struct set s = { .changes = c, .type = edit_change_rr(c)->type, .covers = c->covers, .ttl = edit_change_rr(c)->ttl };
	while (from + s.n < o->n && edit_change_rr(&c[s.n])->type == s.type && c[s.n].covers == s.covers) {
		const struct zone_rr *new = c[s.n].new;
		s.ttl = new != NULL ? new->ttl : s.ttl;
		s.n++;
	}
	return s;
}

/* ---- removed records, and records that take their places ---- */

/* The next change of the set that only adds a record, from *at on. */
static struct edit_change *
next_coming(const struct set *s, size_t *at)
{
	while (*at < s->n) {
		struct edit_change *c = &s->changes[(*at)++];
		if (c->old == NULL) {
			return c;
		}
	}
	return NULL;
}

/* The first added record takes the place of the first removed one, and so on. */
static void
exchange(const struct set *s)
{
	size_t at = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct edit_change *going = &s->changes[i], *coming;
		if (going->new != NULL || going->line == NULL) {
			continue;
		}
		coming = next_coming(s, &at);
		if (coming == NULL) {
			return;
		}
		going->line->with = coming->new;
		coming->is_placed = true;
	}
}

/* Decides about a line of the set: if its record is removed, the line is removed, too, or another record takes its place; else its
 * TTL may change.  A line that repeats a removed record is always removed. */
static void
settle_line(struct edit_line *l, const struct set *s)
{
	bool goes = l->change != NULL && l->change->new == NULL;
	l->is_gone = goes && l->with == NULL;
	if (l->with != NULL || (l->change != NULL && l->change->new != NULL)) {
		l->want_ttl = s->ttl;
	}
	if (l->change != NULL && l->change->new != NULL) {
		l->change->is_placed = true;
	}
}

/* If no line that stays, and no new line, has the TTL that the set should have, all lines get it. */
static void
settle_lowest(struct edit_owner *o, const struct set *s)
{
	bool stays = false;
	for (struct edit_line *l = o->first; l != NULL; l = l->next_of_owner) {
		if (is_of_set(l, s) && !l->is_gone) {
			stays = true;
			if (l->want_ttl <= s->ttl) {
				return;
			}
		}
	}
	for (size_t i = 0; stays && i < s->n; i++) {
		if (s->changes[i].new != NULL && !s->changes[i].is_placed) {
			return; /* a new line will have it */
		}
	}
	for (struct edit_line *l = o->first; stays && l != NULL; l = l->next_of_owner) {
		if (is_of_set(l, s) && !l->is_gone) {
			l->want_ttl = s->ttl;
		}
	}
}

static err_t
settle_set(struct editor *e, struct edit_owner *o, const struct set *s)
{
	exchange(s);
	for (struct edit_line *l = o->first; l != NULL; l = l->next_of_owner) {
		if (is_of_set(l, s)) {
			settle_line(l, s);
		}
	}
	settle_lowest(o, s);
	for (struct edit_line *l = o->first; l != NULL; l = l->next_of_owner) {
		if (is_of_set(l, s) && edit_line_is_changed(l) && !edit_source_may_be_edited(e, l->frame->source)) {
			return edit_refuse(e, l);
		}
	}
	return OK;
}

/* ---- records that get new lines ---- */

/* The rank of a line as a place for new lines: best not from a $GENERATE, then of the same RRset. */
static unsigned
rank(const struct edit_line *l, const struct set *s)
{
	return (edit_line_is_generated(l) ? 0u : 2u) + (is_of_set(l, s) ? 1u : 0u);
}

/* The line of the owner after which a new record goes, the last one of the best rank; NULL: none of its lines is in a file that
 * may be edited. */
static struct edit_line *
place_at_owner(struct editor *e, const struct edit_owner *o, const struct set *s)
{
	struct edit_line *best = NULL;
	for (struct edit_line *l = o->first; l != NULL; l = l->next_of_owner) {
		if (edit_source_may_be_edited(e, l->frame->source) && (best == NULL || rank(l, s) >= rank(best, s))) {
			best = l;
		}
	}
	return best;
}

/* The last line of the owner after which a new owner goes.  NULL if its file may not be edited: after an earlier line, later
 * lines would inherit the new owner. */
static struct edit_line *
place_at_end_of(struct editor *e, const struct edit_owner *o)
{
	struct edit_line *last = NULL;
	for (struct edit_line *l = o->first; l != NULL; l = l->next_of_owner) {
		last = l;
	}
	return last != NULL && edit_source_may_be_edited(e, last->frame->source) ? last : NULL;
}

/* Inserts after the others, but before new owners that belong after this one by number. */
static void
insert(struct edit_added_list *to, struct edit_added *a)
{
	struct edit_added **at = to->last != NULL && !edit_order_is_by_number(a->owner) ? &to->last->next : &to->first;
	while (*at != NULL && !edit_order_is_before(a->owner, (*at)->owner)) {
		at = &(*at)->next;
	}
	a->next = *at;
	*at = a;
	if (a->next == NULL) {
		to->last = a;
	}
}

static err_t
add_after(struct editor *e, struct edit_line *place, const struct edit_owner *o, const struct zone_rr *rr)
{
	struct edit_added *a = arena_alloc(&e->arena, sizeof *a);
	struct edit_added_list *to = place != NULL ? &place->added : &e->at_end;
	if (a == NULL) {
		return E_NOMEM;
	}
	*a = (struct edit_added){ .owner = o, .rr = rr };
	insert(to, a);
	return OK;
}

static err_t
place_set(struct editor *e, struct edit_owner *o, const struct set *s)
{
	struct edit_line *place = place_at_owner(e, o, s);
	if (place == NULL && o->first == NULL && o->before != NULL) {
		place = place_at_end_of(e, o->before);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->changes[i].new != NULL && !s->changes[i].is_placed) {
			TRY(add_after(e, place, o, s->changes[i].new));
		}
	}
	return OK;
}

err_t
edit_place(struct editor *e)
{
	for (struct edit_owner *o = e->first_owner; o != NULL; o = o->next) {
		for (size_t from = 0; from < o->n;) {
			struct set s = set_at(o, from);
			TRY(settle_set(e, o, &s));
			TRY(place_set(e, o, &s));
			from += s.n;
		}
	}
	return OK;
}
