/* Divides a $GENERATE at the records that change.  The ranges between them stay directives.  A record that changes, or that is
 * alone between two of these, becomes a line; the reader makes it from the directive once more. */
#include <string.h>

#include "dns/rrtype.h"
#include "zone/edit_p.h"

struct division {
	struct editor *e;
	const struct edit_line *first;
	struct edit_tokens t;
	struct master_range range;
	struct edit_style style;
	struct edit_ttl *ttl;
	const struct edit_line *changed; /* what the record that is being made changes to; NULL: unchanged */
	bool has_line, has_directive;    /* one was written already */
	struct str lines;
};

static bool
has_ttl(const struct division *d)
{
	return (d->first->flags & MASTER_TTL_GIVEN) != 0;
}

/* ---- lines ---- */

static err_t
write_record(struct division *d, const struct zone_rr *rr)
{
	const uint8_t *origin = d->first->origin;
	struct str owner = { 0 }, rdata = { 0 };
	edit_name_print(rr->owner, d->style.is_owner_absolute ? NULL : origin, &owner);
	edit_rdata_print(rr->type, rr->rdata, rr->rdlen, d->style.are_names_absolute ? NULL : origin, &rdata);
	struct edit_new_line line = {
		.owner = str_text(&owner), .owner_len = owner.len, .rdata = str_text(&rdata), .type = rr->type,
		.ttl = rr->ttl, .has_ttl = has_ttl(d) || edit_ttl_must_be_given(d->ttl, rr->ttl),
	};
	if (line.has_ttl) {
		edit_ttl_note(d->ttl, rr->ttl);
	}
	edit_write_line(&d->style, &line, &d->lines);
	err_t err = owner.err != OK ? owner.err : rdata.err;
	str_fini(&owner);
	str_fini(&rdata);
	d->has_line = true;
	return err != OK ? err : d->lines.err;
}

static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct division *d = ctx;
	const struct edit_line *l = d->changed;
	struct zone_rr out = { .owner = rr->owner, .type = rr->type, .ttl = rr->ttl, .rdlen = rr->rdlen, .rdata = rr->rdata };
	if (l != NULL && l->with != NULL) {
		out.rdata = l->with->rdata;
		out.rdlen = l->with->rdlen;
	}
	out.ttl = l != NULL ? l->want_ttl : rr->ttl;
	return write_record(d, &out);
}

/* Writes the directive, up to `end`, with another range. */
static void
put_directive(const struct division *d, int32_t start, int32_t stop, size_t end, struct str *out)
{
	const struct edit_tokens *t = &d->t;
	str_put(out, t->text + t->begin, t->range.from - t->begin);
	str_printf(out, "%d-%d", start, stop);
	if (d->range.step != 1) {
		str_printf(out, "/%d", d->range.step);
	}
	str_put(out, t->text + t->range.to, end - t->range.to);
}

/* Writes one record as a line, changed or as it is. */
static err_t
write_line(struct division *d, int32_t number, const struct edit_line *changed)
{
	const struct edit_line *l = d->first;
	struct str text = { 0 };
	struct master_counts counts;
	const struct master_reader r = {
		.apex = l->origin, .file = l->frame->source->path, .ctx = d, .record = see_record,
		.has_default_ttl = true, .default_ttl = l->ttl,
	};
	d->changed = changed;
	put_directive(d, number, number, d->t.tail, &text);
	err_t err = text.err != OK ? text.err : master_read(&r, text.s, text.len, &counts);
	str_fini(&text);
	return err;
}

/* ---- ranges ---- */

/* Writes a directive; the first one keeps the comment. */
static err_t
write_directive(struct division *d, int32_t start, int32_t stop)
{
	size_t end = d->has_directive ? d->t.tail : d->t.end;
	put_directive(d, start, stop, end, &d->lines);
	if (d->lines.err == OK && strchr("\r\n", d->lines.s[d->lines.len - 1]) == NULL) {
		str_cat(&d->lines, d->style.line_end);
	}
	if (has_ttl(d)) {
		edit_ttl_note(d->ttl, d->first->ttl);
	}
	d->has_directive = true;
	return d->lines.err;
}

/* Writes records that stay.  If the directive inherits its TTL, and that has changed, a line with the old TTL goes first. */
static err_t
put_range(struct division *d, int64_t start, int64_t stop)
{
	bool needs_ttl = !has_ttl(d) && edit_ttl_must_be_given(d->ttl, d->first->ttl);
	if (start == stop || (start < stop && needs_ttl)) {
		TRY(write_line(d, (int32_t)start, NULL));
		start += d->range.step;
	}
	if (start == stop) {
		return write_line(d, (int32_t)start, NULL);
	}
	return start < stop ? write_directive(d, (int32_t)start, (int32_t)stop) : OK;
}

static err_t
put_ranges(struct division *d)
{
	const struct master_range *r = &d->range;
	int64_t next = r->start, last = r->stop - (r->stop - r->start) % r->step;
	const struct edit_line *l = d->first;
	for (bool is_more = true; is_more; l = l->next) {
		if (edit_line_is_changed(l)) {
			TRY(put_range(d, next, (int64_t)l->number - r->step));
			TRY(l->is_gone ? OK : write_line(d, l->number, l));
			next = (int64_t)l->number + r->step;
		}
		is_more = l->next != NULL && edit_line_is_same_directive(l, l->next);
	}
	return put_range(d, next, last);
}

/* If no directive is left, its comment gets its own line before the new lines. */
static void
keep_comment(struct division *d)
{
	const struct edit_tokens *t = &d->t;
	const char *comment = memchr(t->text + t->tail, ';', t->end - t->tail);
	size_t len = comment != NULL ? (size_t)(t->text + t->end - comment) : 0;
	struct str with = { 0 };
	while (len != 0 && (comment[len - 1] == '\n' || comment[len - 1] == '\r')) {
		len--;
	}
	if (len == 0 || d->has_directive) {
		return;
	}
	str_put(&with, comment, len);
	str_cat(&with, d->style.line_end);
	str_put(&with, str_text(&d->lines), d->lines.len);
	str_fini(&d->lines);
	d->lines = with;
}

static err_t
divide(struct division *d)
{
	const struct edit_line *l = d->first;
	const struct master_text *text = &l->frame->source->text;
	TRY(edit_tokens_read(text->text, l->begin, l->end, true, &d->t));
	TRY(master_range_parse(text->text + d->t.range.from, edit_span_len(d->t.range), &d->range));
	edit_style_of_directive(&d->t, edit_line_end(text, l->end), &d->style);
	TRY(put_ranges(d));
	keep_comment(d);
	return d->lines.err;
}

err_t
edit_generate(struct editor *e, const struct edit_line *first, struct edit_ttl *ttl, bool *is_empty)
{
	struct division d = { .e = e, .first = first, .ttl = ttl };
	err_t err = divide(&d);
	*is_empty = !d.has_line && !d.has_directive;
	if (err == OK) {
		err = edit_patch_add_lines(e, first->frame->source, (struct edit_span){ first->begin, first->end }, &d.lines);
	}
	edit_tokens_fini(&d.t);
	str_fini(&d.lines);
	return err;
}
