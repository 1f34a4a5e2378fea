/* Reads the text once, and keeps the lines that an edit may change: those of owners in the table, and a line that inherits its
 * owner or TTL from one of these.  All other lines are skipped. */
#include <string.h>

#include "zone/edit_p.h"

struct scan {
	struct editor *e;
	struct edit_frame *frame;
	struct edit_line *last;  /* last line of the list */
	bool follows;            /* the record before is in the list */
	err_t failed;            /* E_NOMEM if an $INCLUDE failed for lack of memory: the reader only knows that the file was not found */
	const uint8_t *origin;   /* copy of the last line's origin, in the arena */
	struct edit_sight sight;
};

/* ---- files ---- */

static err_t
enter(struct scan *s, struct edit_source *source)
{
	struct edit_frame *f = arena_alloc(&s->e->arena, sizeof *f);
	if (f == NULL) {
		return E_NOMEM;
	}
	*f = (struct edit_frame){ .up = s->frame, .source = source };
	if (f->up != NULL) {
		f->owner = f->up->owner;
		f->follows = f->up->follows;
	}
	s->frame = f;
	return OK;
}

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct scan *s = ctx;
	struct edit_source *source;
	err_t err = edit_source_open(s->e, path, &source);
	err = err == OK ? enter(s, source) : err;
	if (err != OK) {
		s->failed = err == E_NOMEM ? err : s->failed;
		return err;
	}
	source->opened++;
	*out = source->text;
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct scan *s = ctx;
	(void)text; /* the text stays open */
	s->frame = s->frame->up;
}

/* ---- lines ---- */

/* True for another record of the same $GENERATE as the last line. */
static bool
is_same_directive(const struct scan *s, const struct master_rr *rr)
{
	return (rr->flags & MASTER_GENERATED) != 0 && s->last != NULL && edit_line_is_generated(s->last) &&
	       s->last->frame == s->frame && s->last->begin == rr->begin;
}

/* True when a change of the lines before could change the owner or the TTL of this record, which has no change itself. */
static bool
hangs_on_line_before(const struct scan *s, const struct master_rr *rr)
{
	bool takes_ttl = (rr->flags & MASTER_TTL_GIVEN) == 0 && rr->ttl_source == MASTER_TTL_LAST;
	bool takes_owner = (rr->flags & MASTER_OWNER_INHERITED) != 0;
	return (s->follows && takes_ttl) || (s->frame->follows && takes_owner);
}

static err_t
keep_origin(struct scan *s, const uint8_t *origin)
{
	size_t len = name_len(origin);
	if (s->origin == NULL || name_len(s->origin) != len || memcmp(s->origin, origin, len) != 0) {
		s->origin = arena_copy(&s->e->arena, origin, len);
	}
	return s->origin != NULL ? OK : E_NOMEM;
}

static err_t
make_line(struct scan *s, const struct master_rr *rr, struct edit_owner *owner, struct edit_line **out)
{
	struct edit_line *l = arena_alloc(&s->e->arena, sizeof *l);
	const uint8_t *name = owner != NULL ? owner->name : arena_copy(&s->e->arena, rr->owner, name_len(rr->owner));
	if (l == NULL || name == NULL) {
		return E_NOMEM;
	}
	TRY(keep_origin(s, rr->origin));
	*l = (struct edit_line){
		.frame = s->frame, .owner = owner, .name = name, .origin = s->origin,
		.begin = rr->begin, .end = rr->end, .line = rr->line, .flags = rr->flags, .number = rr->number,
		.type = rr->type, .covers = edit_covers(rr->type, rr->rdata, rr->rdlen), .ttl = rr->ttl, .want_ttl = rr->ttl,
		.ttl_source = rr->ttl_source, .ttl_inherited = rr->ttl_inherited,
		.follows = s->follows, .follows_in_frame = s->frame->follows, .owner_before = s->frame->owner,
	};
	*out = l;
	return OK;
}

static void
append(struct scan *s, struct edit_line *l)
{
	*s->e->lines_end = l;
	s->e->lines_end = &l->next;
	s->last = l;
	if (l->owner != NULL) {
		bool is_second = l->owner_before == l->owner && !edit_line_is_generated(l);
		bool is_left_out = (l->flags & MASTER_OWNER_INHERITED) != 0;
		l->owner->left_out += is_second && is_left_out;
		l->owner->repeated += is_second && !is_left_out;
		*l->owner->end = l;
		l->owner->end = &l->next_of_owner;
	}
}

static err_t
take_line(struct scan *s, const struct master_rr *rr, struct edit_owner *owner)
{
	struct edit_line *l;
	TRY(make_line(s, rr, owner, &l));
	append(s, l);
	if (owner != NULL) {
		l->change = edit_change_find(owner, rr->type, rr->rdata, rr->rdlen);
		if (l->change != NULL && l->change->line == NULL) {
			l->change->line = l;
		}
	}
	return OK;
}

/* Called for every record. */
static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct scan *s = ctx;
	struct edit_owner *owner = edit_owner_find(s->e, rr->owner);
	bool is_plain = (rr->flags & MASTER_GENERATED) == 0;
	bool is_same = is_same_directive(s, rr);
	bool is_taken = owner != NULL || (!is_same && hangs_on_line_before(s, rr));
	if (is_taken) {
		TRY(take_line(s, rr, owner));
	}
	s->follows = is_taken || is_same;
	s->frame->follows = is_taken || (!is_plain && s->frame->follows);
	if (is_plain) {
		s->frame->owner = owner;
	}
	return edit_order_see(s->e, &s->sight, rr, owner);
}

/* ---- reading ---- */

/* Passes the first error in the text on to the caller. */
static void
see_trouble(void *ctx, const struct diag *d)
{
	const struct scan *s = ctx;
	const struct edit_frame *f = s->frame;
	struct diag *why = s->e->why;
	if (d->level != DIAG_ERROR || why->code != NULL) {
		return;
	}
	while (f->up != NULL && strcmp(f->source->path, d->file) != 0) {
		f = f->up; /* the error is in an outer file: the last one was opened, but is too large to be read */
	}
	(void)edit_fail(s->e, f->source, d->line, d->code, d->hint, "%s", d->text);
	if (f->source->is_own) {
		why->col = d->col;
		why->width = d->width;
		why->source = d->source;
		why->source_len = d->source_len;
	}
}

static err_t
read_text(struct editor *e)
{
	struct scan s = { .e = e };
	struct master_counts counts;
	const struct diag_sink sink = { see_trouble, &s };
	struct master_reader r = *e->in->source;
	r.ctx = &s;
	r.record = see_record;
	r.open = r.open != NULL ? open_file : NULL;
	r.close = close_file;
	r.sink = &sink;
	r.drops_outside = false; /* lines outside the zone may pass their TTL to others, so they are followed like all lines */
	e->lines = NULL;
	e->lines_end = &e->lines;
	e->why->code = NULL;
	TRY(enter(&s, e->sources));
	err_t err = master_read(&r, e->in->text, e->in->len, &counts);
	return s.failed != OK ? s.failed : err;
}

err_t
edit_scan(struct editor *e)
{
	bool is_read_again;
	TRY(read_text(e));
	TRY(edit_order_settle(e, &is_read_again));
	if (!is_read_again) {
		return OK;
	}
	e->groups = NULL; /* all new owners have their places */
	edit_owners_forget_lines(e);
	return read_text(e);
}
