/* A $GENERATE written out: the reader makes its records once more, and each becomes a line. */
#include <string.h>

#include "dns/rrtype.h"
#include "zone/edit_p.h"

struct expansion {
	struct editor *e;
	const struct edit_line *first;
	const struct edit_line *next;  /* of the lines concerned, the next one that has not come yet */
	struct edit_style style;
	bool has_ttl;                  /* the directive has one */
	struct edit_ttl *ttl;
	size_t n, written;             /* records that it makes; those that became lines */
	struct str lines;
};

/* Is this record of the directive a line that is concerned?  They come in the same order. */
static const struct edit_line *
take_line(struct expansion *x, const struct master_rr *rr)
{
	const struct edit_line *l = x->next;
	if (l == NULL || l->nth != x->n) {
		return NULL;
	}
	ASSERT(l->type == rr->type && name_is_equal(l->name, rr->owner));
	x->next = l->next != NULL && edit_line_is_same_directive(l, l->next) ? l->next : NULL;
	return l;
}

static err_t
write_record(struct expansion *x, const struct zone_rr *rr)
{
	const uint8_t *origin = x->first->origin;
	struct str owner = { 0 }, rdata = { 0 };
	edit_name_print(rr->owner, x->style.is_owner_absolute ? NULL : origin, &owner);
	edit_rdata_print(rr->type, rr->rdata, rr->rdlen, x->style.are_names_absolute ? NULL : origin, &rdata);
	struct edit_new_line line = {
		.owner = str_text(&owner), .owner_len = owner.len, .rdata = str_text(&rdata), .type = rr->type,
		.ttl = rr->ttl, .has_ttl = x->has_ttl || edit_ttl_must_be_given(x->ttl, rr->ttl),
	};
	if (line.has_ttl) {
		edit_ttl_note(x->ttl, rr->ttl);
	}
	edit_write_line(&x->style, &line, &x->lines);
	x->written++;
	err_t err = owner.err != OK ? owner.err : rdata.err;
	str_fini(&owner);
	str_fini(&rdata);
	return err != OK ? err : x->lines.err;
}

static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct expansion *x = ctx;
	const struct edit_line *l = take_line(x, rr);
	struct zone_rr out = { .owner = rr->owner, .type = rr->type, .ttl = rr->ttl, .rdlen = rr->rdlen, .rdata = rr->rdata };
	if (x->n++ == EDIT_GENERATE_MAX) {
		return E_LIMIT;
	}
	if (l != NULL && l->is_gone) {
		return OK;
	}
	if (l != NULL && l->with != NULL) {
		out.rdata = l->with->rdata;
		out.rdlen = l->with->rdlen;
	}
	out.ttl = l != NULL ? l->want_ttl : rr->ttl;
	return write_record(x, &out);
}

/* A comment on the directive's line gets a line of its own. */
static void
keep_comment(struct expansion *x, const struct edit_tokens *t)
{
	const char *comment = memchr(t->text + t->tail, ';', t->end - t->tail);
	size_t len = comment != NULL ? (size_t)(t->text + t->end - comment) : 0;
	while (len != 0 && (comment[len - 1] == '\n' || comment[len - 1] == '\r')) {
		len--;
	}
	if (len != 0) {
		str_put(&x->lines, comment, len);
		str_cat(&x->lines, x->style.line_end);
	}
}

static err_t
make_lines(struct expansion *x)
{
	const struct edit_line *l = x->first;
	const struct master_text *text = &l->frame->source->text;
	struct master_counts counts;
	const struct master_reader r = {
		.apex = l->origin, .file = l->frame->source->path, .ctx = x, .record = see_record,
		.has_default_ttl = true, .default_ttl = l->ttl,
	};
	struct edit_tokens t;
	TRY(edit_tokens_read(text->text, l->begin, l->end, true, &t));
	edit_style_of_directive(&t, edit_line_end(text, l->end), &x->style);
	keep_comment(x, &t);
	edit_tokens_fini(&t);
	return master_read(&r, text->text + l->begin, l->end - l->begin, &counts);
}

err_t
edit_generate(struct editor *e, const struct edit_line *first, struct edit_ttl *ttl, bool *is_empty)
{
	struct expansion x = {
		.e = e, .first = first, .next = first, .ttl = ttl, .has_ttl = (first->flags & MASTER_TTL_GIVEN) != 0,
	};
	err_t err = make_lines(&x);
	*is_empty = x.written == 0;
	if (err == OK) {
		err = edit_patch_add_lines(e, first->frame->source, (struct edit_span){ first->begin, first->end }, &x.lines);
	}
	str_fini(&x.lines);
	if (err == E_LIMIT && x.n > EDIT_GENERATE_MAX) {
		return edit_fail(e, first->frame->source, first->line, "edit-generate", "split it into smaller ranges",
		                 "this $GENERATE stands for more than %d records and would have to be written out",
		                 EDIT_GENERATE_MAX);
	}
	return err;
}
