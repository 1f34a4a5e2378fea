/* Inserts an owner or a TTL into a line, or replaces a TTL; for the data see edit_data.c. */
#include <string.h>

#include "zone/edit_p.h"

static bool
is_white(const char *text, struct edit_span s)
{
	for (size_t i = s.from; i < s.to; i++) {
		if (text[i] != ' ' && text[i] != '\t') {
			return false;
		}
	}
	return true;
}

static struct edit_span
first_of(struct edit_span a, struct edit_span b)
{
	return edit_has(a) && a.from < b.from ? a : b;
}

/* The change of a line before its type. */
struct head {
	struct editor *e;
	const struct edit_line *l;
	const struct edit_line_change *c;
	struct edit_tokens t;
	struct str ttl; /* as text */
};

/* Writes a new gap before the token at gap.to, with an owner, a TTL or both in it; the token keeps its column if it can. */
static void
refill(const struct head *h, struct edit_span gap, bool has_ttl, struct str *out)
{
	const struct edit_tokens *t = &h->t;
	unsigned from = edit_column_after(t->text + t->begin, gap.from - t->begin, 0);
	unsigned to = edit_column_after(t->text + gap.from, edit_span_len(gap), from);
	bool has_tab = memchr(t->text + gap.from, '\t', edit_span_len(gap)) != NULL;
	if (h->c->owner != NULL && gap.from == t->begin) {
		str_put(out, h->c->owner, h->c->owner_len);
		from = edit_column_after(h->c->owner, h->c->owner_len, 0);
	}
	if (!is_white(t->text, gap)) { /* parentheses, comments, line ends */
		str_put(out, t->text + gap.from, edit_span_len(gap));
		str_cat(out, has_ttl ? str_text(&h->ttl) : "");
		str_cat(out, has_ttl ? " " : "");
	} else if (has_ttl) {
		edit_write_ttl(h->c->style, has_tab, from, to, str_text(&h->ttl), out);
	} else {
		edit_fill(has_tab, from, to, out);
	}
}

static err_t
refill_gap(const struct head *h, struct edit_span gap, bool has_ttl)
{
	struct str text = { 0 };
	refill(h, gap, has_ttl, &text);
	err_t err = edit_patch_add_text(h->e, h->l->frame->source, gap, &text);
	str_fini(&text);
	return err;
}

/* Replaces a TTL that is there. */
static err_t
change_ttl(struct head *h)
{
	struct edit_fit fit;
	struct edit_span at = h->t.field[EDIT_TTL];
	const struct edit_source *s = h->l->frame->source;
	edit_fit_begin(&fit, h->t.text, s->text.len, at.from); /* text before it belongs to another patch */
	edit_fit_next(&fit, &at, &h->ttl);
	return h->ttl.err != OK ? h->ttl.err : edit_patch_add_text(h->e, h->l->frame->source, at, &h->ttl);
}

static err_t
change_head(struct head *h)
{
	const struct edit_span *field = h->t.field;
	struct edit_span first = first_of(field[EDIT_TTL], first_of(field[EDIT_CLASS], field[EDIT_TYPE]));
	struct edit_span gap = { edit_has(h->t.owner) ? h->t.owner.to : h->t.begin, first.from };
	struct edit_span second = { field[EDIT_CLASS].to, field[EDIT_TYPE].from };
	bool is_new = h->c->has_ttl && !edit_has(field[EDIT_TTL]);
	bool is_second = is_new && edit_has(field[EDIT_CLASS]) && h->c->style->is_class_first;
	if (h->c->owner != NULL || (is_new && !is_second)) {
		TRY(refill_gap(h, gap, is_new && !is_second));
	}
	if (is_second) {
		TRY(refill_gap(h, second, true));
	}
	return h->c->has_ttl && !is_new ? change_ttl(h) : OK;
}

err_t
edit_line_change(struct editor *e, const struct edit_line *l, const struct edit_line_change *c)
{
	struct head h = { .e = e, .l = l, .c = c };
	TRY(edit_tokens_read(l->frame->source->text.text, l->begin, l->end, edit_line_is_generated(l), &h.t));
	edit_ttl_print(c->ttl, c->style->has_units, c->style->are_units_upper, &h.ttl);
	err_t err = h.ttl.err;
	if (err == OK) {
		err = change_head(&h);
	}
	if (err == OK && c->with != NULL) {
		err = edit_data_change(e, l, &h.t, c);
	}
	str_fini(&h.ttl);
	edit_tokens_fini(&h.t);
	return err;
}
