/* Changes the data in a line: of several drafts, takes the one with the fewest changes that reads as wanted. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/rdata.h"
#include "dns/wire.h"
#include "zone/edit_p.h"

enum { KEPT_MAX = 9 }; /* words before a long field: an RRSIG has eight and a name */

/* A text that replaces a span. */
struct replacement {
	struct edit_span at;
	struct str text;
};

/* New data, as replacements in the order of the line. */
struct draft {
	struct replacement *list; /* owned */
	size_t n;
};

static void
draft_clear(struct draft *d)
{
	for (size_t i = 0; i < d->n; i++) {
		str_fini(&d->list[i].text);
	}
	free(d->list);
	*d = (struct draft){ 0 };
}

/* ---- words ---- */

/* The words of RDATA, in the form in which a line has them. */
struct words {
	struct str line;
	struct edit_tokens t;
};

static err_t
words_of(const struct zone_rr *rr, const uint8_t *origin, struct words *out)
{
	str_cat(&out->line, ". TYPE1 ");
	edit_rdata_print(rr->type, rr->rdata, rr->rdlen, origin, &out->line);
	TRY(out->line.err);
	return edit_tokens_read(out->line.s, 0, out->line.len, false, &out->t);
}

static void
words_fini(struct words *w)
{
	edit_tokens_fini(&w->t);
	str_fini(&w->line);
}

/* Compares two words, names without regard to case. */
static bool
is_same_word(const struct words *a, const struct words *b, size_t i)
{
	const char *as = a->line.s + a->t.rdata[i].from, *bs = b->line.s + b->t.rdata[i].from;
	size_t len = edit_span_len(a->t.rdata[i]);
	bool is_name = edit_is_absolute(a->line.s, a->t.rdata[i]);
	return len == edit_span_len(b->t.rdata[i]) && (is_name ? strncasecmp(as, bs, len) : memcmp(as, bs, len)) == 0;
}

static bool
is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* ---- drafts ---- */

/* The input for drafts. */
struct drafting {
	const struct edit_line *l;
	const struct edit_tokens *t;
	const struct edit_line_change *c;
	struct words old, absolute, relative; /* the old data; the new data, with absolute and with relative names */
};

static err_t
drafting_begin(struct drafting *d)
{
	TRY(words_of(d->c->old, NULL, &d->old));
	TRY(words_of(d->c->with, NULL, &d->absolute));
	return words_of(d->c->with, d->l->origin, &d->relative);
}

static void
drafting_fini(struct drafting *d)
{
	words_fini(&d->old);
	words_fini(&d->absolute);
	words_fini(&d->relative);
}

/* True when the word is a time in an SOA that was written with units. */
static bool
has_units(const struct drafting *d, size_t i)
{
	return d->c->with->type == TYPE_SOA && i > 2 && is_letter(d->t->text[d->t->rdata[i].to - 1]);
}

/* Writes the new word `i` in the style of the line's word. */
static void
put_word(const struct drafting *d, size_t i, struct str *out)
{
	const struct words *w = edit_is_absolute(d->t->text, d->t->rdata[i]) ? &d->absolute : &d->relative;
	struct edit_span word = w->t.rdata[i];
	struct lex_token number = { .kind = LEX_WORD, .s = w->line.s + word.from, .len = edit_span_len(word) };
	uint64_t seconds = 0;
	if (has_units(d, i) && lex_number(&number, UINT32_MAX, &seconds) == OK) {
		bool is_upper = d->t->text[d->t->rdata[i].to - 1] < 'a';
		edit_ttl_print((uint32_t)seconds, true, is_upper, out);
	} else {
		str_put(out, number.s, number.len);
	}
}

/* Draft 1: replaces only the tokens that differ, if their number is the same. */
static err_t
draft_tokens(const struct drafting *d, struct draft *out)
{
	size_t n = d->t->rdata_n;
	if (d->old.t.rdata_n != n || d->absolute.t.rdata_n != n) {
		return E_FORMAT;
	}
	out->list = calloc(n + 1, sizeof *out->list);
	if (out->list == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_same_word(&d->old, &d->absolute, i)) {
			struct replacement *r = &out->list[out->n++];
			r->at = d->t->rdata[i];
			put_word(d, i, &r->text);
			TRY(r->text.err);
		}
	}
	return OK;
}

static err_t
draft_one(struct edit_span at, struct draft *out)
{
	out->list = calloc(1, sizeof *out->list);
	if (out->list == NULL) {
		return E_NOMEM;
	}
	out->n = 1;
	out->list[0].at = at;
	return OK;
}

/* The white space between the tokens of a field of several words, so that new words get the same. */
static struct edit_span
gap_after(const struct edit_tokens *t, size_t i)
{
	struct edit_span gap = { 0 };
	if (i + 1 < t->rdata_n) {
		gap = (struct edit_span){ t->rdata[i].to, t->rdata[i + 1].from };
	}
	for (size_t at = gap.from; at < gap.to; at++) {
		if (strchr(" \t\r\n", t->text[at]) == NULL) {
			return (struct edit_span){ 0 };
		}
	}
	return gap;
}

static const struct words *
words_in_style(const struct drafting *d)
{
	return d->c->style->are_names_absolute ? &d->absolute : &d->relative;
}

/* Writes the words from number `from` on, with `gap`, or a space, between them. */
static void
put_words(const struct drafting *d, size_t from, struct edit_span gap, struct str *out)
{
	const struct words *w = words_in_style(d);
	for (size_t i = from; i < w->t.rdata_n; i++) {
		if (i != from && edit_has(gap)) {
			str_put(out, d->t->text + gap.from, edit_span_len(gap));
		} else if (i != from) {
			str_char(out, ' ');
		}
		str_put(out, w->line.s + w->t.rdata[i].from, edit_span_len(w->t.rdata[i]));
	}
}

/* Draft 2: replaces all tokens from number `from` on. */
static err_t
draft_data(const struct drafting *d, size_t from, struct draft *out)
{
	if (from >= d->t->rdata_n) {
		return E_FORMAT;
	}
	TRY(draft_one((struct edit_span){ d->t->rdata[from].from, d->t->field[EDIT_RDATA].to }, out));
	put_words(d, from, gap_after(d->t, from), &out->list[0].text);
	return out->list[0].text.err;
}

/* Draft 3: replaces everything after the type, or after the parenthesis that follows it, except for a comment at the end.  It
 * always reads as wanted. */
static err_t
draft_rest(const struct drafting *d, struct draft *out)
{
	const struct edit_tokens *t = d->t;
	size_t from = t->rdata_n != 0 ? t->rdata[0].from : t->field[EDIT_TYPE].to;
	TRY(draft_one((struct edit_span){ from, t->tail }, out));
	struct str *text = &out->list[0].text;
	if (from == t->field[EDIT_TYPE].to) {
		str_char(text, ' ');
	}
	put_words(d, 0, (struct edit_span){ 0 }, text);
	for (unsigned i = 0; i < t->depth; i++) {
		str_cat(text, " )");
	}
	return text->err;
}

/* ---- the choice ---- */

/* Writes the line with a draft's replacements. */
static err_t
apply_draft(const struct edit_tokens *t, const struct draft *d, struct str *out)
{
	size_t at = t->begin;
	for (size_t i = 0; i < d->n; i++) {
		const struct replacement *r = &d->list[i];
		str_put(out, t->text + at, r->at.from - at);
		str_put(out, str_text(&r->text), r->text.len);
		at = r->at.to;
	}
	str_put(out, t->text + at, t->end - at);
	return out->err;
}

/* True when the reader finds the new data in the line.  `b`: a buffer for it. */
static bool
is_read_as(const struct drafting *d, const struct str *line, struct buf *b)
{
	const struct zone_rr *want = d->c->with;
	struct lex lx;
	struct lex_token token;
	lex_init(&lx, line->s, 0);
	lx.end = line->s + line->len;
	lex_next(&lx, &token); /* owner or blank */
	for (enum edit_field f = 0; f < EDIT_RDATA; f++) {
		if (edit_has(d->t->field[f])) {
			lex_next(&lx, &token);
		}
	}
	return rdata_parse(&lx, want->type, d->l->origin, b, NULL) == OK && lx.at == lx.end &&
	       rdata_compare(want->type, b->base, b->len, want->rdata, want->rdlen) == 0;
}

/* OK: with this draft the line reads as wanted.  E_FORMAT: it does not. */
static err_t
try_draft(const struct drafting *d, const struct draft *draft)
{
	struct str line = { 0 };
	uint8_t *octets = malloc(DNS_RDATA_MAX);
	err_t err = octets != NULL ? apply_draft(d->t, draft, &line) : E_NOMEM;
	if (err == OK) {
		struct buf b = buf_over(octets, DNS_RDATA_MAX);
		err = is_read_as(d, &line, &b) ? OK : E_FORMAT;
	}
	free(octets);
	str_fini(&line);
	return err;
}

/* The first word that differs; but none of the last words of a long field, whose text may be split elsewhere. */
static size_t
first_difference(const struct drafting *d)
{
	size_t i = 0;
	while (i < KEPT_MAX && i < d->old.t.rdata_n && i < d->absolute.t.rdata_n && is_same_word(&d->old, &d->absolute, i)) {
		i++;
	}
	return i;
}

/* Finds the first draft that reads as wanted, which is the one with the fewest changes. */
static err_t
find_draft(const struct drafting *d, struct draft *out)
{
	err_t err = draft_tokens(d, out);
	err = err == OK ? try_draft(d, out) : err;
	for (size_t from = first_difference(d) + 1; err == E_FORMAT && from-- > 0;) {
		draft_clear(out);
		err = draft_data(d, from, out);
		err = err == OK ? try_draft(d, out) : err;
	}
	if (err == E_FORMAT) {
		draft_clear(out);
		err = draft_rest(d, out);
	}
	return err;
}

err_t
edit_data_change(struct editor *e, const struct edit_line *l, const struct edit_tokens *t, const struct edit_line_change *c)
{
	struct drafting d = { .l = l, .t = t, .c = c };
	struct draft found = { 0 };
	struct edit_fit fit;
	edit_fit_begin(&fit, t->text, l->frame->source->text.len, l->begin);
	err_t err = drafting_begin(&d);
	if (err == OK) {
		err = find_draft(&d, &found);
	}
	for (size_t i = 0; err == OK && i < found.n; i++) {
		edit_fit_next(&fit, &found.list[i].at, &found.list[i].text);
		err = found.list[i].text.err;
		err = err != OK ? err : edit_patch_add_text(e, l->frame->source, found.list[i].at, &found.list[i].text);
	}
	draft_clear(&found);
	drafting_fini(&d);
	return err;
}
