#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "dns/secret.h"
#include "zone/discreet.h"
#include "zone/master_p.h"

const char *
master_shown(const struct lex_token *t, char out[MASTER_SHOWN_MAX])
{
	size_t n = 0, i = 0;
	for (; i < t->len && n + 8 < MASTER_SHOWN_MAX; i++) { /* room for an escape, "..." and NUL */
		uint8_t c = (uint8_t)t->s[i];
		if (c < ' ' || c >= 127) {
			n += (size_t)snprintf(out + n, MASTER_SHOWN_MAX - n, "\\%03u", c);
		} else {
			out[n++] = (char)c;
		}
	}
	memcpy(out + n, i < t->len ? "..." : "", i < t->len ? 4 : 1);
	return out;
}

const char *
master_name_trouble(err_t err)
{
	switch (err) {
	case E_LABEL:
		return "a label is empty or longer than 63 octets";
	case E_NAMELEN:
		return "it is longer than 255 octets";
	case E_RANGE:
		return "an escape is over \\255";
	default:
		return "an escape is cut short";
	}
}

/* Sets the position in the file, and the text of the line. */
static void
set_place(const struct master *m, struct diag *d, const struct lex_token *t)
{
	d->file = m->frame->file;
	d->line = t->line;
	d->col = lex_column(&m->lx, t);
	lex_source_line(&m->lx, t, &d->source, &d->source_len);
	size_t width = t->len + (t->kind == LEX_QUOTED ? 2 : 0);
	if (d->col - 1 > d->source_len) {
		d->col = (uint32_t)d->source_len + 1; /* the end of a line that ends with CRLF */
	}
	size_t left = d->source_len - (d->col - 1);
	d->width = (uint32_t)(width < left ? width : left);
}

/* The mark that begins a comment in other kinds of files.  Here it does not: it is read as a name, or as data. */
static const char *
comment_mark(const char *s, const char *end)
{
	static const char *const marks[] = { "#", "//", "/*", "--" };
	while (s < end && (*s == ' ' || *s == '\t')) {
		s++;
	}
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t len = strlen(marks[i]);
		if ((size_t)(end - s) >= len && memcmp(s, marks[i], len) == 0) {
			return marks[i];
		}
	}
	return NULL;
}

/* Adds a hint if the line or the token is a comment of another kind. */
static bool
hint_comment(const struct lex_token *t, struct diag *d)
{
	const char *mark = comment_mark(d->source, d->source + d->source_len);
	if (mark == NULL && t->kind == LEX_WORD) {
		mark = comment_mark(t->s, t->s + t->len);
	}
	if (mark != NULL) {
		diag_hint(d, "a comment begins with \";\", not with \"%s\"", mark);
	}
	return mark != NULL;
}

bool
master_has_keys(struct master *m)
{
	struct master_frame *f = m->frame;
	if (!f->is_judged) {
		f->is_judged = true;
		f->has_keys = secret_is_text(f->file, m->lx.text, (size_t)(m->lx.end - m->lx.text));
	}
	return f->has_keys;
}

/* A message may be read by people who must not see secrets. */
static void
hide_secrets(struct master *m, struct diag *d, const struct lex_token *t)
{
	if (m->r->is_of_keys) {
		return;
	}
	if (master_has_keys(m)) {
		discreet_hide(d);
	} else if (strcmp(d->code, "bad-rdata") != 0) {
		discreet_hide_words(d, t->s, t->len);
	}
}

static void
fill(const struct master *m, struct diag *d, const struct lex_token *t, const char *hint, const char *format,
     va_list args)
{
	set_place(m, d, t);
	(void)vsnprintf(d->text, sizeof d->text, format, args);
	if (d->level == DIAG_ERROR && hint_comment(t, d)) {
		return;
	}
	if (hint[0] != '\0') {
		diag_hint(d, "%s", hint);
	} else if (m->lx.depth != 0 && t->line > m->lx.paren_line && t->kind != LEX_ERROR) {
		diag_hint(d, "the parenthesis opened on line %u is still open", m->lx.paren_line);
	}
}

err_t
master_error(struct master *m, const struct lex_token *t, const char *code, const char *hint,
             const char *format, ...)
{
	struct diag d;
	if (m->stop != OK) {
		return E_FORMAT;
	}
	if (++m->counts.errors > MASTER_ERRORS_MAX) {
		diag_set(&d, DIAG_ERROR, "too-many-errors", "more than %d errors: reading stops here",
		         MASTER_ERRORS_MAX);
		set_place(m, &d, t);
		m->stop = E_FORMAT;
	} else {
		diag_set(&d, DIAG_ERROR, code, "%s", "");
		va_list args;
		va_start(args, format);
		fill(m, &d, t, hint, format, args);
		va_end(args);
	}
	hide_secrets(m, &d, t);
	diag_report(m->r->sink, &d);
	return E_FORMAT;
}

void
master_warn(struct master *m, const struct lex_token *t, const char *code, const char *hint,
            const char *format, ...)
{
	struct diag d;
	if (++m->counts.warnings > MASTER_WARNINGS_MAX + 1) {
		return;
	}
	if (m->counts.warnings > MASTER_WARNINGS_MAX) {
		diag_set(&d, DIAG_WARNING, "too-many-warnings",
		         "more than %d warnings: the others are counted only", MASTER_WARNINGS_MAX);
		set_place(m, &d, t);
	} else {
		diag_set(&d, DIAG_WARNING, code, "%s", "");
		va_list args;
		va_start(args, format);
		fill(m, &d, t, hint, format, args);
		va_end(args);
	}
	hide_secrets(m, &d, t);
	diag_report(m->r->sink, &d);
}

err_t
master_lex_error(struct master *m, const struct lex_token *t)
{
	return master_error(m, t, "bad-syntax", "", "%s", t->what);
}

/* ---- what an unknown type may mean ---- */

enum { GUESS_LEN_MAX = 16, GUESS_DISTANCE_MAX = 2 };

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t d = a < b ? a : b;
	return d < c ? d : c;
}

/* The number of insertions, deletions, changes and swaps of neighbours that lead from one word to another, ignoring case. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[3][GUESS_LEN_MAX + 1];
	for (size_t j = 0; j <= b_len; j++) {
		row[0][j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			int x = toupper((unsigned char)a[i - 1]), y = toupper((unsigned char)b[j - 1]);
			now[j] = least(before[j] + 1, now[j - 1] + 1, before[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == toupper((unsigned char)b[j - 2]) &&
			    y == toupper((unsigned char)a[i - 2])) {
				now[j] = least(now[j], two[j - 2] + 1, now[j]);
			}
		}
	}
	return row[a_len % 3][b_len];
}

/* The mnemonic that is most similar to a word; NULL: none is similar. */
static const char *
nearest_type(const struct lex_token *t)
{
	const char *best = NULL;
	size_t best_distance = GUESS_DISTANCE_MAX + 1;
	const struct rrtype *row;
	for (size_t i = 0; t->len <= GUESS_LEN_MAX && (row = rrtype_row(i)) != NULL; i++) {
		size_t len = strlen(row->mnemonic);
		if (len > GUESS_LEN_MAX || (row->flags & RRTYPE_META) != 0) {
			continue;
		}
		size_t d = distance(t->s, t->len, row->mnemonic, len);
		if (d < best_distance && 2 * d < t->len + 1) {
			best = row->mnemonic;
			best_distance = d;
		}
	}
	return best;
}

static bool
is_made_of(const struct lex_token *t, const char *octets)
{
	for (size_t i = 0; i < t->len; i++) {
		if (t->s[i] == '\0' || strchr(octets, t->s[i]) == NULL) {
			return false;
		}
	}
	return true;
}

/* True when the record begins with a mark that git puts around the two sides of a conflict. */
static bool
is_conflict_mark(const struct lex *lx)
{
	enum { MARK_LEN = 8 };
	return lx->end - lx->record_at > MARK_LEN &&
	       (memcmp(lx->record_at, "<<<<<<< ", MARK_LEN) == 0 || memcmp(lx->record_at, ">>>>>>> ", MARK_LEN) == 0);
}

static const char *
hint_for_type(const struct lex *lx, const struct lex_token *t, bool has_ttl, char out[DIAG_HINT_MAX])
{
	bool has_dot = memchr(t->s, '.', t->len) != NULL;
	if (is_conflict_mark(lx)) {
		return "this is a conflict mark of git: keep the right one of the two sides, and remove the marks";
	}
	if (t->s[0] == '$') {
		return "a directive begins in the first column";
	}
	if (has_dot && is_made_of(t, "0123456789.")) {
		return "this looks like an IPv4 address: is the type A missing before it?";
	}
	if (memchr(t->s, ':', t->len) != NULL && is_made_of(t, "0123456789abcdefABCDEF:.")) {
		return "this looks like an IPv6 address: is the type AAAA missing before it?";
	}
	if (has_ttl && is_made_of(t, "0123456789")) {
		return "the TTL was given already";
	}
	if (t->len == 2 && strncasecmp(t->s, "in", 2) == 0) {
		return "the class was given already";
	}
	if (has_dot) {
		return "this looks like a name: is the type missing before it?";
	}
	const char *near = nearest_type(t);
	if (near != NULL) {
		(void)snprintf(out, DIAG_HINT_MAX, "did you mean %s?", near);
		return out;
	}
	return "types that have no name are written TYPE123 (RFC 3597)";
}

err_t
master_unknown_type(struct master *m, const struct lex_token *t, bool has_ttl)
{
	char shown[MASTER_SHOWN_MAX], hint[DIAG_HINT_MAX];
	return master_error(m, t, "unknown-type", hint_for_type(&m->lx, t, has_ttl, hint), "unknown record type %s",
	                    master_shown(t, shown));
}
