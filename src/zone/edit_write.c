/* Writes a new line in the style of the lines around it. */
#include <string.h>

#include "dns/rrtype.h"
#include "zone/edit_p.h"

enum {
	TAB_STOP = 8,
	WRAP_MIN = 256,      /* RDATA of this many octets is written on several lines, */
	WRAP_WORD_MIN = 40,  /* if it has two words of this many octets */
};

unsigned
edit_column_after(const char *s, size_t len, unsigned from)
{
	for (; len != 0; len--, s++) {
		from = *s == '\t' ? (from / TAB_STOP + 1) * TAB_STOP : from + 1;
	}
	return from;
}

void
edit_fill(bool has_tab, unsigned from, unsigned to, struct str *out)
{
	if (from >= to) {
		str_char(out, has_tab ? '\t' : ' ');
		return;
	}
	for (unsigned next = (from / TAB_STOP + 1) * TAB_STOP; has_tab && next <= to; next += TAB_STOP) {
		str_char(out, '\t');
		from = next;
	}
	for (; from < to; from++) {
		str_char(out, ' ');
	}
}

struct writer {
	const struct edit_style *style;
	struct str *out;
	size_t start;        /* start of the line in `out` */
	bool is_blank;       /* nothing was written yet, and the owner is left out */
	bool is_at_field;    /* the gap before the next field was written */
};

static unsigned
column_of(const struct writer *w)
{
	return edit_column_after(str_text(w->out) + w->start, w->out->len - w->start, 0);
}

static void
put_field(struct writer *w, enum edit_field f, const char *text)
{
	const struct edit_gap *g = &w->style->gap[f];
	if (w->is_at_field) {
		w->is_at_field = false;
	} else if (g->is_aligned || (w->is_blank && w->style->blank[0] == '\0')) {
		edit_fill(g->has_tab, column_of(w), g->column, w->out);
	} else {
		str_cat(w->out, w->is_blank ? w->style->blank : g->gap);
	}
	w->is_blank = false;
	str_cat(w->out, text);
}

void
edit_write_ttl(const struct edit_style *s, bool has_tab, unsigned from, unsigned to, const char *ttl, struct str *out)
{
	const struct edit_gap *g = &s->gap[EDIT_TTL];
	unsigned len = (unsigned)strlen(ttl), at = from + 1;
	if (g->is_aligned && g->column > from && g->column + len < to) {
		at = g->column;
	} else if (has_tab) {
		at = (from / TAB_STOP + 1) * TAB_STOP;
	} else if (from + len + 2 <= to) {
		at = to - 1 - len;
	} else if (from == 0 && to != 0) {
		at = to; /* without an owner, the TTL takes the field's column */
	}
	edit_fill(has_tab, from, at, out);
	str_cat(out, ttl);
	edit_fill(has_tab, at + len, to, out);
}

/* Writes a TTL before the field `f`: like other TTLs, or, if there are none, inside the gap that other lines have before `f`. */
static void
put_ttl(struct writer *w, enum edit_field f, const char *ttl)
{
	const struct edit_gap *g = &w->style->gap[f];
	const char *blank = w->style->blank;
	bool is_in_blank = w->is_blank && !g->is_aligned && blank[0] != '\0';
	if (w->style->gap[EDIT_TTL].is_known) {
		put_field(w, EDIT_TTL, ttl);
		return;
	}
	unsigned to = is_in_blank ? edit_column_after(blank, strlen(blank), 0) : g->is_aligned ? g->column : 0;
	bool has_tab = is_in_blank ? strchr(blank, '\t') != NULL : g->has_tab;
	edit_write_ttl(w->style, has_tab, column_of(w), to, ttl, w->out);
	w->is_blank = false;
	w->is_at_field = true;
}

static const char *
type_text(uint16_t type, bool is_lower, char out[RRTYPE_TEXT_MAX])
{
	rrtype_print(type, out);
	for (char *c = out; is_lower && *c != '\0'; c++) {
		*c = (char)octet_lower((uint8_t)*c);
	}
	return out;
}

/* Length of the next word of RDATA, with its quotes and everything that directly follows; 0 at the end. */
static size_t
next_word(const char *s)
{
	bool is_quoted = false;
	size_t n = 0;
	for (; s[n] != '\0' && (is_quoted || s[n] != ' '); n++) {
		is_quoted = is_quoted != (s[n] == '"');
		n += s[n] == '\\' && s[n + 1] != '\0';
	}
	return n;
}

static bool
is_to_be_wrapped(const char *rdata)
{
	size_t long_words = 0, n;
	for (const char *s = rdata; *s != '\0'; s += n + (s[n] == ' ')) {
		n = next_word(s);
		long_words += n >= WRAP_WORD_MIN;
	}
	return long_words > 1 && strlen(rdata) >= WRAP_MIN;
}

/* Writes a certificate or a long key: in parentheses, one word on each line, beginning with the first long word. */
static void
put_wrapped(struct writer *w, const char *rdata)
{
	bool is_open = false;
	size_t n;
	for (const char *s = rdata; *s != '\0'; s += n + (s[n] == ' ')) {
		n = next_word(s);
		if (!is_open && n >= WRAP_WORD_MIN) {
			str_char(w->out, '(');
			is_open = true;
		}
		if (is_open) {
			str_cat(w->out, w->style->line_end);
			str_cat(w->out, w->style->gap[EDIT_RDATA].has_tab ? "\t\t" : "        ");
		}
		str_put(w->out, s, n);
		str_cat(w->out, is_open ? "" : " ");
	}
	str_cat(w->out, " )");
}

static void
put_rdata(struct writer *w, const struct edit_new_line *l)
{
	if (!l->is_one_line && is_to_be_wrapped(l->rdata)) {
		put_field(w, EDIT_RDATA, "");
		put_wrapped(w, l->rdata);
	} else if (l->rdata[0] != '\0') {
		put_field(w, EDIT_RDATA, l->rdata);
	}
}

void
edit_write_line(const struct edit_style *s, const struct edit_new_line *l, struct str *out)
{
	struct writer w = { .style = s, .out = out, .start = out->len, .is_blank = l->owner == NULL };
	struct str ttl = { 0 };
	char type[RRTYPE_TEXT_MAX];
	bool is_ttl_second = s->has_class && s->is_class_first;
	edit_ttl_print(l->ttl, s->has_units, s->are_units_upper, &ttl);
	if (l->owner != NULL) {
		str_put(out, l->owner, l->owner_len);
	}
	if (l->has_ttl && !is_ttl_second) {
		put_ttl(&w, s->has_class ? EDIT_CLASS : EDIT_TYPE, str_text(&ttl));
	}
	if (s->has_class) {
		put_field(&w, EDIT_CLASS, s->class);
	}
	if (l->has_ttl && is_ttl_second) {
		put_ttl(&w, EDIT_TYPE, str_text(&ttl));
	}
	put_field(&w, EDIT_TYPE, type_text(l->type, s->is_type_lower, type));
	put_rdata(&w, l);
	str_cat(out, s->line_end);
	if (ttl.err != OK && out->err == OK) {
		out->err = ttl.err;
	}
	str_fini(&ttl);
}
