/* Finds out how the lines around a place are written.  This concerns looks only: a wrong guess is not pretty, but the meaning is
 * right. */
#include <string.h>

#include "dns/rrtype.h"
#include "zone/edit_p.h"

enum {
	LINES_AROUND = 10, /* physical lines examined on each side */
	SAMPLES_MAX = 2 * LINES_AROUND + 1,
	COLUMN_MAX = 256,  /* a field further to the right is an accident, not a column */
};

/* Records of one line each, in the order of the text; one of them is the model for the new line. */
struct samples {
	struct edit_tokens list[SAMPLES_MAX];
	size_t n;
	size_t model;
};

/* ---- samples ---- */

static size_t
back_by_lines(const struct master_text *text, size_t at, unsigned lines)
{
	for (; at != 0 && lines != 0; lines--) {
		do {
			at--;
		} while (at != 0 && !lex_is_line_end(text->text + at - 1, text->text + text->len));
	}
	return at;
}

/* Takes the physical line at `at` as a sample, if it is a record.  Returns the position after it. */
static size_t
take_sample(const struct master_text *text, size_t at, struct samples *out)
{
	const char *newline = lex_line_end(text->text + at, text->text + text->len);
	size_t end = (size_t)(newline - text->text) + (newline != text->text + text->len);
	struct edit_tokens *t = &out->list[out->n];
	if (out->n < SAMPLES_MAX && text->text[at] != '$' && edit_tokens_read(text->text, at, end, false, t) == OK) {
		if (t->is_plain) {
			out->n++;
		} else {
			edit_tokens_fini(t);
		}
	}
	return end;
}

/* Takes the lines around [begin, end) as samples.  The model is that line itself if possible; else the nearest before it, else
 * the nearest after it. */
static void
take_samples(const struct master_text *text, size_t begin, size_t end, struct samples *out)
{
	out->n = out->model = 0;
	for (size_t at = back_by_lines(text, begin, LINES_AROUND); at < begin;) {
		at = take_sample(text, at, out);
	}
	if (begin < end) {
		(void)take_sample(text, begin, out); /* the first line of a record of several lines is not a sample */
	}
	out->model = out->n != 0 ? out->n - 1 : 0;
	for (unsigned i = 0; i < LINES_AROUND && end < text->len; i++) {
		end = take_sample(text, end, out);
	}
}

static void
samples_fini(struct samples *s)
{
	while (s->n != 0) {
		edit_tokens_fini(&s->list[--s->n]);
	}
}

/* The samples by their distance from the model, beginning with the model; NULL after the last. */
static const struct edit_tokens *
nearest(const struct samples *s, size_t i)
{
	size_t before = s->model, behind = s->n != 0 ? s->n - 1 - s->model : 0;
	size_t pairs = before < behind ? before : behind;
	if (i >= s->n) {
		return NULL;
	}
	if (i > 2 * pairs) {
		return &s->list[before > behind ? s->n - 1 - i : i];
	}
	return &s->list[i % 2 != 0 ? s->model - (i + 1) / 2 : s->model + i / 2];
}

/* ---- gaps ---- */

struct gap {
	const char *s;
	size_t len;
	unsigned column;  /* of the field after it */
	bool is_blank;    /* the line begins with it */
};

/* The white space between a field and the token before it.  False: the line does not have the field. */
static bool
has_gap(const struct edit_tokens *t, enum edit_field f, struct gap *out)
{
	size_t to = t->field[f].from, from = edit_has(t->owner) ? t->owner.to : t->begin;
	if (!edit_has(t->field[f])) {
		return false;
	}
	for (enum edit_field i = 0; i < EDIT_FIELDS; i++) {
		if (edit_has(t->field[i]) && t->field[i].to <= to && t->field[i].to > from) {
			from = t->field[i].to;
		}
	}
	*out = (struct gap){
		.s = t->text + from, .len = to - from, .column = edit_column_after(t->text + t->begin, to - t->begin, 0),
		.is_blank = from == t->begin,
	};
	return true;
}

static bool
is_same_gap(const struct gap *a, const struct gap *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* Number of samples with the field in this column; 0 if the gaps before it are all the same, so that the column proves nothing. */
static size_t
count_aligned(const struct samples *s, enum edit_field f, const struct gap *like)
{
	size_t n = 0;
	bool has_other = false;
	struct gap g;
	for (size_t i = 0; i < s->n; i++) {
		if (has_gap(&s->list[i], f, &g) && g.column == like->column) {
			n++;
			has_other = has_other || !is_same_gap(&g, like);
		}
	}
	return has_other ? n : 0;
}

/* Number of samples with the same gap before the field; 0 if the columns are all the same, so that the gap proves nothing. */
static size_t
count_fixed(const struct samples *s, enum edit_field f, const struct gap *like)
{
	size_t n = 0;
	bool has_other = false;
	struct gap g;
	for (size_t i = 0; i < s->n; i++) {
		if (has_gap(&s->list[i], f, &g) && !g.is_blank && is_same_gap(&g, like)) {
			n++;
			has_other = has_other || g.column != like->column;
		}
	}
	return has_other ? n : 0;
}

static void
set_gap(struct edit_gap *out, const struct gap *g, bool is_aligned)
{
	size_t len = g->len < sizeof out->gap ? g->len : sizeof out->gap - 1;
	out->is_known = true;
	out->is_aligned = is_aligned && g->column <= COLUMN_MAX;
	out->has_tab = memchr(g->s, '\t', g->len) != NULL;
	out->column = g->column;
	memcpy(out->gap, len != 0 ? g->s : " ", len != 0 ? len : 1); /* a quoted string may directly follow the token before it */
	out->gap[len != 0 ? len : 1] = '\0';
}

/* Decides whether the field is aligned to a column, or has always the same gap.  If the samples do not tell, the nearest line that
 * has the field is the model. */
static bool
is_gap_found(const struct samples *s, enum edit_field f, struct edit_gap *out)
{
	struct gap like = { .len = 0 }, column = { .len = 0 }, g;
	size_t aligned = 0, fixed = 0;
	bool is_found = false;
	const struct edit_tokens *t;
	for (size_t i = 0; (t = nearest(s, i)) != NULL; i++) {
		if (!has_gap(t, f, &g)) {
			continue;
		}
		if (!is_found || (like.is_blank && !g.is_blank)) {
			like = g;
			fixed = count_fixed(s, f, &g);
			is_found = true;
		}
		size_t n = count_aligned(s, f, &g);
		if (n > aligned) {
			aligned = n;
			column = g;
		}
	}
	if (!is_found) {
		return false;
	}
	if (aligned > fixed || (aligned == fixed && aligned != 0 && like.len > 1)) {
		set_gap(out, &column, true);
	} else {
		set_gap(out, &like, fixed == 0 && (like.len > 1 || (like.len == 1 && like.s[0] == '\t')));
	}
	return true;
}

static void
find_gaps(const struct samples *s, struct edit_style *out)
{
	for (enum edit_field f = EDIT_FIELDS; f-- > 0;) { /* a TTL or a class that no sample has is written like the next field */
		struct edit_gap *g = &out->gap[f];
		if (!is_gap_found(s, f, g)) {
			bool has_tab = f + 1 < EDIT_FIELDS && out->gap[f + 1].has_tab;
			*g = (struct edit_gap){ .has_tab = has_tab, .gap = { has_tab ? '\t' : ' ' } };
		}
	}
}

/* ---- words ---- */

static bool
has_octet(const struct edit_tokens *t, struct edit_span s, char from, char to)
{
	for (size_t i = s.from; i < s.to; i++) {
		if (t->text[i] >= from && t->text[i] <= to) {
			return true;
		}
	}
	return false;
}

static bool
is_same_text(const struct edit_tokens *a, struct edit_span as, const struct edit_tokens *b, struct edit_span bs)
{
	return edit_span_len(as) == edit_span_len(bs) && memcmp(a->text + as.from, b->text + bs.from, edit_span_len(as)) == 0;
}

static bool
is_at_sign(const struct edit_tokens *t, struct edit_span s)
{
	return edit_span_len(s) == 1 && t->text[s.from] == '@';
}

static void
find_units(const struct edit_tokens *t, struct edit_style *out)
{
	bool has_upper = has_octet(t, t->field[EDIT_TTL], 'A', 'Z');
	if (!out->has_units && (has_upper || has_octet(t, t->field[EDIT_TTL], 'a', 'z'))) {
		out->has_units = true;
		out->are_units_upper = has_upper;
	}
}

/* Takes the style of words from the model, and from other samples where the model has no such word. */
static void
find_words(const struct samples *s, struct edit_style *out)
{
	bool has_order = false, has_owner = false;
	const struct edit_tokens *t;
	for (size_t i = 0; (t = nearest(s, i)) != NULL; i++) {
		const struct edit_span *class = &t->field[EDIT_CLASS], *ttl = &t->field[EDIT_TTL];
		if (i == 0) {
			out->has_ttl = edit_has(*ttl);
			out->has_class = edit_has(*class);
			out->is_type_lower = has_octet(t, t->field[EDIT_TYPE], 'a', 'z');
		}
		if (edit_has(*class) && out->class[0] == '\0' && edit_span_len(*class) < sizeof out->class) {
			memcpy(out->class, t->text + class->from, edit_span_len(*class));
		}
		if (edit_has(*class) && edit_has(*ttl) && !has_order) {
			out->is_class_first = class->from < ttl->from;
			has_order = true;
		}
		if (edit_has(t->owner) && !is_at_sign(t, t->owner) && !has_owner) {
			out->is_owner_absolute = edit_is_absolute(t->text, t->owner);
			has_owner = true;
		}
		find_units(t, out);
	}
	if (out->class[0] == '\0') {
		memcpy(out->class, out->is_type_lower ? "in" : "IN", 3);
	}
}

/* Decides whether lines leave out an owner that is the same as before: by the owner's own lines, else by the samples. */
static void
find_repetition(const struct samples *s, const struct edit_owner *o, struct edit_style *out)
{
	size_t left_out = 0, repeated = 0;
	const struct edit_tokens *before = NULL;
	for (size_t i = 0; i < s->n; i++) {
		const struct edit_tokens *t = &s->list[i];
		left_out += !edit_has(t->owner);
		repeated += before != NULL && edit_has(t->owner) && is_same_text(before, before->owner, t, t->owner);
		before = edit_has(t->owner) ? t : before;
	}
	bool is_told = o != NULL && o->left_out != o->repeated;
	out->leaves_owner_out = is_told ? o->left_out > o->repeated : left_out > repeated;
}

static void
find_blank(const struct samples *s, struct edit_style *out)
{
	struct gap g;
	const struct edit_tokens *t;
	for (size_t i = 0; (t = nearest(s, i)) != NULL; i++) {
		for (enum edit_field f = 0; f < EDIT_RDATA && !edit_has(t->owner); f++) {
			if (has_gap(t, f, &g) && g.is_blank && g.len < sizeof out->blank) {
				memcpy(out->blank, g.s, g.len);
				out->blank[g.len] = '\0';
				return;
			}
		}
	}
}

/* ---- names in RDATA ---- */

static bool
ends_with_name(uint16_t type)
{
	switch (type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_MX:
	case TYPE_SRV:
	case TYPE_DNAME:
		return true;
	default:
		return false;
	}
}

/* True when the token shows how names of the zone are written.  An absolute name outside the zone does not. */
static bool
tells_names(const struct edit_tokens *t, struct edit_span s, const uint8_t *apex, bool *is_absolute)
{
	struct name n;
	*is_absolute = edit_is_absolute(t->text, s);
	return !*is_absolute || (name_parse(t->text + s.from, edit_span_len(s), NULL, &n) == OK && name_is_within(n.oct, apex));
}

static bool
is_told_by_samples(const struct samples *s, const uint8_t *apex, bool *is_absolute)
{
	uint16_t type;
	const struct edit_tokens *t;
	for (size_t i = 0; (t = nearest(s, i)) != NULL; i++) {
		struct edit_span word = t->field[EDIT_TYPE];
		if (t->rdata_n != 0 && rrtype_parse(t->text + word.from, edit_span_len(word), &type) == OK &&
		    ends_with_name(type) && tells_names(t, t->rdata[t->rdata_n - 1], apex, is_absolute)) {
			return true;
		}
	}
	return false;
}

/* Finds out whether names are written relative: by the SOA's MNAME, else by its RNAME. */
static void
ask_soa(struct editor *e, const struct edit_line *l)
{
	struct edit_tokens t;
	bool is_absolute, is_told = false;
	if (edit_tokens_read(l->frame->source->text.text, l->begin, l->end, false, &t) != OK) {
		return;
	}
	for (size_t i = 0; i < 2 && i < t.rdata_n && !is_told; i++) {
		is_told = tells_names(&t, t.rdata[i], e->in->source->apex, &is_absolute);
	}
	if (is_told) {
		e->soa_names = is_absolute ? SOA_ABSOLUTE : SOA_RELATIVE;
	}
	edit_tokens_fini(&t);
}

static bool
is_relative_in_soa(struct editor *e)
{
	if (e->soa_names == SOA_UNREAD) {
		e->soa_names = SOA_SILENT;
		for (const struct edit_line *l = e->lines; l != NULL; l = l->next) {
			if (l->type == TYPE_SOA) {
				ask_soa(e, l);
			}
		}
	}
	return e->soa_names == SOA_RELATIVE;
}

static void
find_names(struct editor *e, const struct samples *s, struct edit_style *out)
{
	if (!is_told_by_samples(s, e->in->source->apex, &out->are_names_absolute)) {
		out->are_names_absolute = !is_relative_in_soa(e);
	}
}

/* ---- the whole style ---- */

void
edit_style_of_directive(const struct edit_tokens *t, const char *line_end, struct edit_style *out)
{
	struct samples s = { .list = { *t }, .n = 1 };
	*out = (struct edit_style){ .line_end = line_end };
	find_words(&s, out);
	for (enum edit_field f = EDIT_FIELDS; f-- > 0;) {
		struct gap g;
		bool is_there = has_gap(t, f, &g);
		if (is_there && t->is_plain) {
			set_gap(&out->gap[f], &g, false);
		} else {
			out->gap[f].gap[0] = ' ';
		}
	}
	/* The template of the data may be in quotes. */
	struct edit_span data = t->rdata_n != 0 ? t->rdata[0] : (struct edit_span){ 0 };
	size_t quote = data.to != 0 && t->text[data.to - 1] == '"';
	data.to -= quote;
	out->are_names_absolute = edit_is_absolute(t->text, data);
}

/* The style after a $GENERATE without other records nearby. */
static err_t
style_near_directive(const struct edit_line *l, const char *line_end, struct edit_style *out)
{
	struct edit_tokens t;
	TRY(edit_tokens_read(l->frame->source->text.text, l->begin, l->end, true, &t));
	edit_style_of_directive(&t, line_end, out);
	edit_tokens_fini(&t);
	return OK;
}

err_t
edit_style_find(struct editor *e, const struct edit_line *l, struct edit_style *out)
{
	const struct master_text *text = l != NULL ? &l->frame->source->text : &e->sources->text;
	size_t begin = l != NULL ? l->begin : text->len, end = l != NULL ? l->end : text->len;
	const char *line_end = edit_line_end(text, end);
	struct samples s;
	take_samples(text, begin, end, &s);
	if (s.n == 0 && l != NULL && edit_line_is_generated(l)) {
		return style_near_directive(l, line_end, out);
	}
	*out = (struct edit_style){ .line_end = line_end };
	find_gaps(&s, out);
	find_words(&s, out);
	find_repetition(&s, l != NULL ? l->owner : NULL, out);
	find_blank(&s, out);
	find_names(e, &s, out);
	samples_fini(&s);
	return OK;
}
