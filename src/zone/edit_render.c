/* Turns the lines that were kept into patches, in the order of reading.
 *
 * Two things pass from line to line, and so may change for a line that stays: the owner, within a file and into files that it
 * includes, and, where there is no $TTL, the TTL.  Both are followed here through the new text.  Where the list of lines has a
 * gap, they are as in the old text: the scan has kept every line that could be the first to be affected. */
#include <string.h>

#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/edit_p.h"

struct render {
	struct editor *e;
	struct edit_ttl ttl;
};

/* Stands for any owner that is not in the table of owners. */
static const struct edit_owner other_owner = { .name = name_root };

/* ---- owner and TTL in force ---- */

/* Updates owner and TTL in force before a line. */
static void
enter_line(struct render *r, const struct edit_line *l)
{
	struct edit_frame *f = l->frame;
	if (!l->follows || l->ttl_source != MASTER_TTL_LAST) {
		r->ttl = (struct edit_ttl){ l->ttl_source, l->ttl_inherited };
	}
	if (!f->is_entered) {
		f->is_entered = true;
		const struct edit_frame *up = f->up;
		while (up != NULL && !up->is_entered) {
			up = up->up;
		}
		f->now = up != NULL ? up->now : NULL;
	}
	if (!l->follows_in_frame) {
		f->now = NULL;
	}
}

/* The owner that a line in this frame would inherit after `l`; NULL: unknown. */
static const struct edit_owner *
owner_in_force(const struct edit_line *l)
{
	return l->frame->now != NULL ? l->frame->now : edit_line_is_generated(l) ? NULL : l->owner;
}

static void
note_owner(const struct edit_line *l, const struct edit_owner *now)
{
	l->frame->now = now == l->owner && !edit_line_is_generated(l) ? NULL : now;
}

/* ---- owners as text ---- */

/* A line with the same origin that has this owner written out: the last one up to `l`, else the first one after it. */
static const struct edit_line *
find_written(const struct edit_line *l, const struct edit_owner *o)
{
	const struct edit_line *found = NULL;
	bool is_behind = false;
	for (const struct edit_line *i = o != NULL ? o->first : NULL; i != NULL; i = i->next_of_owner) {
		bool is_written = (i->flags & (MASTER_OWNER_INHERITED | MASTER_GENERATED)) == 0;
		if (is_written && name_is_equal(i->origin, l->origin) && (found == NULL || !is_behind)) {
			found = i;
		}
		is_behind = is_behind || i == l;
	}
	return found;
}

/* Writes the owner `o` (NULL: that of the line) as it should be written at `l`. */
static err_t
put_owner(const struct edit_line *l, const struct edit_owner *o, const struct edit_style *style, struct str *out)
{
	struct edit_tokens t;
	const struct edit_line *like = find_written(l, o);
	if (like != NULL) {
		const char *text = like->frame->source->text.text;
		TRY(edit_tokens_read(text, like->begin, like->end, false, &t));
		str_put(out, text + t.owner.from, edit_span_len(t.owner));
		edit_tokens_fini(&t);
	} else {
		edit_name_print(o != NULL ? o->name : l->name, style->is_owner_absolute ? NULL : l->origin, out);
	}
	return out->err;
}

/* ---- lines that stay ---- */

/* Puts a $TTL before an SOA whose minimum is the TTL of the lines without one; it fixes the TTL of these lines. */
static err_t
put_default_ttl(struct render *r, const struct edit_line *l)
{
	struct str text = { 0 };
	struct edit_source *s = l->frame->source;
	str_printf(&text, "$TTL %u%s", l->ttl, edit_line_end(&s->text, l->end));
	err_t err = edit_patch_add_text(r->e, s, (struct edit_span){ l->begin, l->begin }, &text);
	str_fini(&text);
	r->ttl = (struct edit_ttl){ MASTER_TTL_DEFAULT, l->ttl };
	return err;
}

/* True for an SOA that has its minimum as TTL, and passes it to the lines after it. */
static bool
is_default_source(const struct edit_line *l)
{
	return l->ttl_source == MASTER_TTL_NONE && (l->flags & MASTER_TTL_GIVEN) == 0;
}

/* True when the lines after such an SOA would have another TTL now. */
static bool
is_default_changed(const struct edit_line *l)
{
	struct soa soa;
	if (l->with == NULL || rdata_read_soa(l->with->rdata, l->with->rdlen, &soa) != OK) {
		return l->want_ttl != l->ttl;
	}
	return l->want_ttl != l->ttl || (soa.minimum_s <= DNS_TTL_MAX ? soa.minimum_s : 0) != l->ttl;
}

static err_t
change_line(struct render *r, const struct edit_line *l, bool needs_owner, struct edit_line_change *c)
{
	struct edit_style style;
	struct str owner = { 0 };
	if (!edit_source_may_be_edited(r->e, l->frame->source)) {
		return edit_refuse(r->e, l);
	}
	TRY(edit_style_find(r->e, l, &style));
	err_t err = needs_owner ? put_owner(l, l->owner, &style, &owner) : OK;
	c->owner = needs_owner ? str_text(&owner) : NULL;
	c->owner_len = owner.len;
	c->style = &style;
	err = err == OK ? edit_line_change(r->e, l, c) : err;
	str_fini(&owner);
	return err;
}

/* True for a record that is dropped because of its name: its TTL does not matter. */
static bool
is_outside(const struct render *r, const struct edit_line *l)
{
	const struct master_reader *source = r->e->in->source;
	return source->drops_outside && l->owner == NULL && !name_is_within(l->name, source->apex);
}

static err_t
render_kept(struct render *r, struct edit_line *l)
{
	struct edit_line_change c = { .with = l->with, .old = l->with != NULL ? l->change->old : NULL, .ttl = l->want_ttl };
	bool has_ttl = (l->flags & MASTER_TTL_GIVEN) != 0;
	bool needs_owner = (l->flags & MASTER_OWNER_INHERITED) != 0 && l->frame->now != NULL && l->frame->now != l->owner;
	if (is_default_source(l) && is_default_changed(l)) {
		TRY(put_default_ttl(r, l));
	}
	if (is_default_source(l) && r->ttl.source == MASTER_TTL_NONE) {
		r->ttl = (struct edit_ttl){ MASTER_TTL_DEFAULT, l->ttl };
	}
	c.has_ttl = has_ttl ? l->want_ttl != l->ttl : !is_outside(r, l) && edit_ttl_must_be_given(&r->ttl, l->want_ttl);
	if (needs_owner || c.has_ttl || c.with != NULL) {
		TRY(change_line(r, l, needs_owner, &c));
	}
	if (has_ttl || c.has_ttl) {
		edit_ttl_note(&r->ttl, l->want_ttl);
	}
	if (!edit_line_is_generated(l)) {
		l->frame->now = NULL;
	}
	return OK;
}

/* ---- lines that are removed ---- */

static err_t
render_gone(struct render *r, struct edit_line *l)
{
	struct edit_frame *f = l->frame;
	if ((l->flags & MASTER_OWNER_INHERITED) == 0) {
		const struct edit_owner *before = f->now != NULL ? f->now : l->owner_before;
		note_owner(l, before != NULL ? before : &other_owner);
	}
	return edit_patch_add_text(r->e, f->source, (struct edit_span){ l->begin, l->end }, &(struct str){ 0 });
}

/* ---- new lines ---- */

/* New lines after a line. */
struct addition {
	struct render *r;
	const struct edit_line *l;
	struct edit_style style;
	const struct edit_owner *owner; /* of the line written last; NULL: no line yet */
	struct str owner_text;          /* the owner as text */
	struct str lines;
};

static err_t
write_added(struct addition *x, const struct edit_added *a)
{
	struct str rdata = { 0 };
	bool is_left_out = x->style.leaves_owner_out && owner_in_force(x->l) == a->owner;
	if (x->owner != a->owner) {
		str_clear(&x->owner_text);
		TRY(put_owner(x->l, a->owner, &x->style, &x->owner_text));
		x->owner = a->owner;
	}
	edit_rdata_print(a->rr->type, a->rr->rdata, a->rr->rdlen, x->style.are_names_absolute ? NULL : x->l->origin, &rdata);
	const struct edit_new_line line = {
		.type = a->rr->type, .ttl = a->rr->ttl, .rdata = str_text(&rdata),
		.has_ttl = x->style.has_ttl || edit_ttl_must_be_given(&x->r->ttl, a->rr->ttl),
		.owner = is_left_out ? NULL : str_text(&x->owner_text), .owner_len = x->owner_text.len,
	};
	edit_write_line(&x->style, &line, &x->lines);
	err_t err = rdata.err != OK ? rdata.err : x->lines.err;
	str_fini(&rdata);
	if (line.has_ttl) {
		edit_ttl_note(&x->r->ttl, line.ttl);
	}
	if (!is_left_out) {
		note_owner(x->l, a->owner);
	}
	return err;
}

static err_t
render_added(struct render *r, const struct edit_line *l)
{
	struct addition x = { .r = r, .l = l };
	err_t err = OK;
	if (l->added.first == NULL) {
		return OK;
	}
	TRY(edit_style_find(r->e, l, &x.style));
	for (const struct edit_added *a = l->added.first; a != NULL && err == OK; a = a->next) {
		err = write_added(&x, a);
	}
	if (err == OK) {
		err = edit_patch_add_lines(r->e, l->frame->source, (struct edit_span){ l->end, l->end }, &x.lines);
	}
	str_fini(&x.owner_text);
	str_fini(&x.lines);
	return err;
}

/* Writes a line with absolute owner, TTL and absolute names. */
static err_t
write_at_end(const struct edit_style *style, const struct zone_rr *rr, struct str *out)
{
	char owner[NAME_TEXT_MAX];
	struct str rdata = { 0 };
	size_t owner_len = name_print(rr->owner, owner);
	edit_rdata_print(rr->type, rr->rdata, rr->rdlen, NULL, &rdata);
	const struct edit_new_line line = {
		.owner = owner, .owner_len = owner_len, .has_ttl = true, .ttl = rr->ttl, .type = rr->type, .rdata = str_text(&rdata),
	};
	edit_write_line(style, &line, out);
	err_t err = rdata.err != OK ? rdata.err : out->err;
	str_fini(&rdata);
	return err;
}

/* At the end of the zone's own file any origin and TTL may be in force, so lines there do not depend on them. */
static err_t
render_at_end(struct render *r)
{
	struct edit_style style;
	struct str lines = { 0 };
	struct edit_source *s = r->e->sources;
	err_t err = OK;
	if (r->e->at_end.first == NULL) {
		return OK;
	}
	TRY(edit_style_find(r->e, NULL, &style));
	for (const struct edit_added *a = r->e->at_end.first; a != NULL && err == OK; a = a->next) {
		err = write_at_end(&style, a->rr, &lines);
	}
	if (err == OK) {
		err = edit_patch_add_lines(r->e, s, (struct edit_span){ s->text.len, s->text.len }, &lines);
	}
	str_fini(&lines);
	return err;
}

/* ---- all lines ---- */

static bool
is_directive_changed(const struct edit_line *l)
{
	bool is_changed = edit_line_is_changed(l);
	for (; l->next != NULL && edit_line_is_same_directive(l, l->next); l = l->next) {
		is_changed = is_changed || edit_line_is_changed(l->next);
	}
	return is_changed;
}

/* Renders the lines of one $GENERATE; *l is the first, and moves to the last. */
static err_t
render_directive(struct render *r, struct edit_line **l)
{
	struct edit_line *first = *l;
	while ((*l)->next != NULL && edit_line_is_same_directive(*l, (*l)->next)) {
		*l = (*l)->next;
	}
	if (!is_directive_changed(first)) {
		return render_kept(r, first);
	}
	bool is_empty;
	TRY(edit_generate(r->e, first, &r->ttl, &is_empty));
	if (!is_empty) {
		first->frame->now = &other_owner;
	}
	return OK;
}

err_t
edit_render(struct editor *e)
{
	struct render r = { .e = e };
	for (struct edit_line *l = e->lines; l != NULL; l = l->next) {
		enter_line(&r, l);
		struct edit_line *first = l;
		if (edit_line_is_generated(l)) {
			TRY(render_directive(&r, &l));
		} else {
			TRY(l->is_gone ? render_gone(&r, l) : render_kept(&r, l));
		}
		for (;; first = first->next) {
			TRY(render_added(&r, first));
			if (first == l) {
				break;
			}
		}
	}
	return render_at_end(&r);
}
