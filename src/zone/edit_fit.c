/* When a part of a line changes its length, text in a column after it stays in its column, if there is room. */
#include <string.h>

#include "zone/edit_p.h"

static bool
is_white(char c)
{
	return c == ' ' || c == '\t';
}

static size_t
line_begin(const char *text, size_t at)
{
	while (at != 0 && text[at - 1] != '\n' && text[at - 1] != '\r') {
		at--;
	}
	return at;
}

static size_t
line_end(const struct edit_fit *f, size_t at)
{
	return (size_t)(lex_line_end(f->text + at, f->text + f->len) - f->text);
}

/* The column of an octet in the old text. */
static unsigned
old_column(const struct edit_fit *f, size_t at)
{
	size_t begin = line_begin(f->text, at);
	return edit_column_after(f->text + begin, at - begin, 0);
}

/* True when the line at `begin` has a comment in this column, after something else. */
static bool
has_comment_in(const struct edit_fit *f, size_t begin, unsigned column)
{
	size_t end = line_end(f, begin);
	const char *comment = memchr(f->text + begin, ';', end - begin);
	return comment != NULL && comment != f->text + begin && old_column(f, (size_t)(comment - f->text)) == column;
}

/* True when white space aligns a column: more than one space, or a tab.  For one space before a comment, the lines above and
 * below decide. */
static bool
is_column(const struct edit_fit *f, struct edit_span gap)
{
	size_t begin = line_begin(f->text, gap.from), end = line_end(f, gap.to);
	unsigned column = old_column(f, gap.to);
	if (edit_span_len(gap) > 1 || f->text[gap.from] == '\t') {
		return true;
	}
	return f->text[gap.to] == ';' && ((begin != 0 && has_comment_in(f, line_begin(f->text, begin - 1), column)) ||
	                                  (end < f->len && has_comment_in(f, end + 1, column)));
}

/* Moves on to `to` in the old text, and follows its column in the new line. */
static void
advance(struct edit_fit *f, size_t to)
{
	size_t begin = line_begin(f->text, to);
	if (begin > f->at) {
		f->at = begin;
		f->column = 0;
	}
	f->column = edit_column_after(f->text + f->at, to - f->at, f->column);
	f->at = to;
}

void
edit_fit_begin(struct edit_fit *f, const char *text, size_t len, size_t begin)
{
	*f = (struct edit_fit){ .text = text, .len = len, .at = begin };
	f->column = old_column(f, begin);
}

/* The number of spaces that the indentation can lose, so that a longer number does not push the text after it. */
static size_t
spare_indentation(const struct edit_fit *f, size_t from, size_t want)
{
	size_t begin = line_begin(f->text, from), spaces = 0;
	while (from - spaces > begin && f->text[from - spaces - 1] == ' ') {
		spaces++;
	}
	bool is_all = from - spaces == begin && begin >= f->at;
	return is_all && spaces > want ? want : 0;
}

void
edit_fit_next(struct edit_fit *f, struct edit_span *at, struct str *text)
{
	struct edit_span gap = { at->to, at->to };
	while (gap.to < f->len && is_white(f->text[gap.to])) {
		gap.to++;
	}
	bool is_last = gap.to == f->len || f->text[gap.to] == '\n' || f->text[gap.to] == '\r';
	bool is_plain = memchr(str_text(text), '\n', text->len) == NULL;
	if (is_last || gap.from == gap.to || !is_plain || !is_column(f, gap)) {
		advance(f, at->from);
		f->column = edit_column_after(str_text(text), text->len, f->column);
		f->at = at->to;
		return;
	}
	unsigned to = old_column(f, gap.to), grown = (unsigned)text->len;
	unsigned room = to - old_column(f, at->from);
	if (grown + 1 > room) {
		at->from -= spare_indentation(f, at->from, grown + 1 - room);
	}
	advance(f, at->from);
	f->column = edit_column_after(str_text(text), text->len, f->column);
	edit_fill(memchr(f->text + gap.from, '\t', edit_span_len(gap)) != NULL, f->column, to, text);
	at->to = f->at = gap.to;
	f->column = f->column < to ? to : f->column + 1;
}
