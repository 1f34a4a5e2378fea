/* Prints findings and results: for people, as JSON, and as GitHub's workflow commands. */
#include "bin/ozone.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/clean.h"
#include "bin/cli.h"

enum {
	SHOWN_MAX = 160,  /* octets of a source line that are shown */
	SHOWN_BEFORE = 60, /* this many of them before the column, when the line has to be cut */
	HELD_MAX = 5000,  /* diagnostics of one file that are sorted before they are printed */
};

/* A copy of a diagnostic, until its file is done. */
struct held {
	struct diag d;
	size_t seq;
	char *file;   /* owned */
	char *source; /* owned; the part that is shown */
	uint32_t skipped; /* octets of the line before it */
	bool is_cut;      /* more of the line after it */
};

struct report {
	enum ozone_format format;
	bool is_quiet, owns_stdout, is_strict;
	bool colour;             /* of standard error */
	const char *prefix;
	struct held *held;
	size_t n, cap;
	size_t errors, warnings; /* all of them */
	size_t files_n[SOURCE_SECONDARIES + 1]; /* checked files of each kind */
	json_t *diagnostics, *files;
	bool has_progress;
};

static void
forget_held(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->held[i].file);
		free(r->held[i].source);
	}
	r->n = 0;
}

void
report_free(struct report **r)
{
	if (*r != NULL) {
		forget_held(*r);
		free((*r)->held);
		json_decref((*r)->diagnostics);
		json_decref((*r)->files);
		free(*r);
		*r = NULL;
	}
}

/* ---- collecting ---- */

/* Keeps the part of the line around the column. */
static void
hold_source(struct held *h, const struct diag *d)
{
	size_t from = 0, len = d->source_len;
	while (len != 0 && (d->source[len - 1] == '\n' || d->source[len - 1] == '\r')) {
		len--;
	}
	if (len > SHOWN_MAX && d->col > SHOWN_MAX - SHOWN_BEFORE && d->col <= len) {
		from = d->col - SHOWN_BEFORE;
	}
	size_t n = len - from < SHOWN_MAX ? len - from : SHOWN_MAX;
	h->source = xstrndup(d->source + from, n);
	h->skipped = (uint32_t)from;
	h->is_cut = from + n < len;
	h->d.source = h->source;
	h->d.source_len = n;
}

static void
hold(void *ctx, const struct diag *d)
{
	struct report *r = ctx;
	if (r->n == HELD_MAX) {
		report_end(r);
	}
	if (r->n == r->cap) {
		r->cap = r->cap != 0 ? r->cap * 2 : 16;
		r->held = xrealloc(r->held, r->cap * sizeof *r->held);
	}
	struct held *h = &r->held[r->n];
	*h = (struct held){ .d = *d, .seq = r->n };
	r->n++;
	if (r->is_strict && d->level == DIAG_UNWISE) {
		h->d.level = DIAG_ERROR;
	}
	if (d->file != NULL) {
		struct str name = { 0 };
		str_printf(&name, "%s%s", r->prefix, d->file);
		h->file = xstrdup(str_text(&name));
		str_fini(&name);
	}
	if (d->source != NULL) {
		hold_source(h, d);
	}
	r->errors += h->d.level == DIAG_ERROR;
	r->warnings += h->d.level != DIAG_ERROR;
}

struct diag_sink
report_sink(struct report *r)
{
	return (struct diag_sink){ .report = hold, .ctx = r };
}

void
report_begin(struct report *r, const char *prefix)
{
	r->prefix = prefix;
}

void
report_file(struct report *r, enum diag_level level, const char *file, const char *code, const char *hint, const char *format, ...)
{
	struct diag d = { .level = level, .code = code, .file = file };
	va_list args;
	va_start(args, format);
	(void)vsnprintf(d.text, sizeof d.text, format, args);
	va_end(args);
	(void)snprintf(d.hint, sizeof d.hint, "%s", hint);
	hold(r, &d);
}

static int
compare_held(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int by_file = strcmp(x->file != NULL ? x->file : "", y->file != NULL ? y->file : "");
	if (by_file != 0) {
		return by_file;
	}
	if (x->d.line != y->d.line) {
		return x->d.line < y->d.line ? -1 : 1;
	}
	if (x->d.col != y->d.col) {
		return x->d.col < y->d.col ? -1 : 1;
	}
	return x->seq < y->seq ? -1 : 1;
}

/* ---- for people ---- */

/* Writes spaces (and the line's own tabs) up to the column, then a mark under the part in question. */
static void
put_caret(struct str *out, const struct held *h, const char *colour, const char *plain)
{
	const uint8_t *s = (const uint8_t *)h->source;
	size_t len = h->d.source_len, at = h->d.col - 1 - h->skipped, end = at + (h->d.width != 0 ? h->d.width : 1);
	size_t i = 0;
	while (i < at && i < len) {
		size_t n = clean_utf8_len(s + i, len - i);
		str_char(out, s[i] == '\t' ? '\t' : ' ');
		i += n != 0 ? n : 1;
	}
	str_cat(out, colour);
	str_char(out, '^');
	end = end < len ? end : len;
	for (i++; i < end; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			str_char(out, '~');
		}
	}
	str_cat(out, plain);
}

static void
put_source(struct str *out, const struct report *r, const struct held *h)
{
	const char *colour = cli_colour(r->colour, CLI_GREEN), *plain = cli_colour(r->colour, CLI_PLAIN);
	str_printf(out, "%6" PRIu32 " | %s", h->d.line, h->skipped != 0 ? "…" : "");
	clean_put_octets(out, h->source, h->d.source_len);
	str_cat(out, h->is_cut ? "…\n" : "\n");
	if (h->d.col > h->skipped && h->d.col - h->skipped <= h->d.source_len + 1) {
		str_cat(out, h->skipped != 0 ? "       |  " : "       | ");
		put_caret(out, h, colour, plain);
		str_char(out, '\n');
	}
}

static void
put_text(struct str *out, const struct report *r, const struct held *h)
{
	bool is_error = h->d.level == DIAG_ERROR;
	const char *bold = cli_colour(r->colour, CLI_BOLD), *plain = cli_colour(r->colour, CLI_PLAIN);
	str_cat(out, bold);
	clean_put(out, h->file != NULL ? h->file : "ozone");
	if (h->d.line != 0) {
		str_printf(out, ":%" PRIu32, h->d.line);
	}
	if (h->d.line != 0 && h->d.col != 0) {
		str_printf(out, ":%" PRIu32, h->d.col);
	}
	str_printf(out, ":%s %s%s:%s ", plain, cli_colour(r->colour, is_error ? CLI_RED : CLI_YELLOW),
	           is_error ? "error" : "warning", plain);
	clean_put(out, h->d.text);
	str_printf(out, " [%s]\n", h->d.code);
	if (h->source != NULL && h->d.line != 0) {
		put_source(out, r, h);
	}
	if (h->d.hint[0] != '\0') {
		str_printf(out, "  %shint:%s ", cli_colour(r->colour, CLI_BLUE), plain);
		clean_put(out, h->d.hint);
		str_char(out, '\n');
	}
}

/* ---- for GitHub: docs.github.com, "Workflow commands" ---- */

static void
put_escaped(struct str *out, const char *text, bool is_property)
{
	struct str clean = { 0 };
	clean_put(&clean, text);
	for (const char *c = str_text(&clean); *c != '\0'; c++) {
		if (*c == '%' || (is_property && (*c == ':' || *c == ','))) {
			str_printf(out, "%%%02X", (unsigned)(uint8_t)*c);
		} else {
			str_char(out, *c);
		}
	}
	str_fini(&clean);
}

static void
put_github(struct str *out, const struct held *h)
{
	str_printf(out, "::%s ", h->d.level == DIAG_ERROR ? "error" : "warning");
	if (h->file != NULL) {
		str_cat(out, "file=");
		put_escaped(out, h->file, true);
		str_char(out, ',');
	}
	if (h->d.line != 0) {
		str_printf(out, "line=%" PRIu32 ",", h->d.line);
	}
	if (h->d.line != 0 && h->d.col != 0) {
		str_printf(out, "col=%" PRIu32 ",endColumn=%" PRIu32 ",", h->d.col,
		           h->d.col + (h->d.width != 0 ? h->d.width : 1));
	}
	str_cat(out, "title=ozone");
	str_cat(out, "::");
	put_escaped(out, h->d.text, false);
	str_printf(out, " [%s]", h->d.code);
	if (h->d.hint[0] != '\0') {
		str_cat(out, "%0Ahint: ");
		put_escaped(out, h->d.hint, false);
	}
	str_char(out, '\n');
}

/* ---- JSON ---- */

static json_t *
json_clean(const char *text, size_t len)
{
	struct str clean = { 0 };
	clean_put_octets(&clean, text, len);
	json_t *j = json_string(str_text(&clean));
	str_fini(&clean);
	return j;
}

static json_t *
json_clean_text(const char *text)
{
	return json_clean(text, strlen(text));
}

static json_t *
json_number_or_null(uint32_t v)
{
	return v != 0 ? json_integer(v) : json_null();
}

static void
add_json(struct report *r, const struct held *h)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "file", h->file != NULL ? json_clean_text(h->file) : json_null());
	(void)json_object_set_new(o, "line", json_number_or_null(h->d.line));
	(void)json_object_set_new(o, "column", json_number_or_null(h->d.line != 0 ? h->d.col : 0));
	(void)json_object_set_new(o, "width", json_number_or_null(h->d.line != 0 ? h->d.width : 0));
	(void)json_object_set_new(o, "level", json_string(h->d.level == DIAG_ERROR ? "error" : "warning"));
	(void)json_object_set_new(o, "code", json_string(h->d.code));
	(void)json_object_set_new(o, "text", json_clean_text(h->d.text));
	(void)json_object_set_new(o, "hint", h->d.hint[0] != '\0' ? json_clean_text(h->d.hint) : json_null());
	(void)json_object_set_new(o, "source",
	                          h->source != NULL ? json_clean(h->source, h->d.source_len) : json_null());
	(void)json_array_append_new(r->diagnostics, o);
}

/* ---- progress ----
 *
 * While the program is busy, a timer's handler writes a line once a second; so progress costs nothing for each record.  The handler only
 * reads the line that was published last.  There are two lines, so that this one does not change meanwhile. */

static struct progress_line {
	char s[200];
	size_t len;
} progress_lines[2];
static const struct progress_line *_Atomic progress_now;
static volatile sig_atomic_t progress_is_shown;

static void
show_progress(int sig)
{
	const struct progress_line *line = progress_now;
	int saved = errno;
	(void)sig;
	if (line != NULL && write(STDERR_FILENO, line->s, line->len) > 0) {
		progress_is_shown = 1;
	}
	errno = saved;
}

static void
start_progress(void)
{
	const struct sigaction action = { .sa_handler = show_progress, .sa_flags = SA_RESTART };
	const struct itimerval each_second = { .it_interval = { 1, 0 }, .it_value = { 1, 0 } };
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &each_second, NULL);
}

void
report_progress(struct report *r, const char *file, size_t i, size_t n)
{
	if (!r->has_progress) {
		return;
	}
	struct progress_line *line = &progress_lines[progress_now == &progress_lines[0]];
	struct str name = { 0 };
	clean_put(&name, file);
	(void)snprintf(line->s, sizeof line->s, "\r\033[Kchecking %.60s (%zu of %zu)", str_text(&name), i, n);
	str_fini(&name);
	line->len = strlen(line->s);
	progress_now = line;
}

static void
hide_progress(void)
{
	progress_now = NULL;
	if (progress_is_shown != 0) {
		(void)fputs("\r\033[K", stderr);
		progress_is_shown = 0;
	}
}

struct report *
report_new(const struct report_options *options)
{
	struct report *r = xalloc(sizeof *r);
	r->format = options->format;
	r->is_quiet = options->is_quiet;
	r->owns_stdout = options->owns_stdout;
	r->is_strict = options->is_strict;
	r->colour = cli_has_colour(stderr);
	r->prefix = "";
	if (r->format == FORMAT_JSON) {
		r->diagnostics = json_array();
		r->files = json_array();
	}
	r->has_progress = r->format == FORMAT_TEXT && !r->is_quiet && isatty(STDERR_FILENO) != 0;
	if (r->has_progress) {
		start_progress();
	}
	return r;
}

/* ---- printing ---- */

void
report_end(struct report *r)
{
	if (r->n > 1) {
		qsort(r->held, r->n, sizeof *r->held, compare_held);
	}
	struct str out = { 0 };
	for (size_t i = 0; i < r->n; i++) {
		if (r->format == FORMAT_JSON) {
			add_json(r, &r->held[i]);
		} else if (r->format == FORMAT_GITHUB) {
			put_github(&out, &r->held[i]);
		} else {
			put_text(&out, r, &r->held[i]);
		}
	}
	if (out.len != 0) {
		hide_progress();
		bool is_text = r->format == FORMAT_TEXT || !r->owns_stdout;
		(void)fputs(out.s, is_text ? stderr : stdout);
	}
	str_fini(&out);
	forget_held(r);
}

static const char *const change_words[] = {
	[CHANGE_NONE] = NULL,         [CHANGE_ADDED] = "added",    [CHANGE_CHANGED] = "changed",
	[CHANGE_REMOVED] = "removed", [CHANGE_SAME] = "unchanged",
};

static const char *const kind_words[] = {
	[SOURCE_ZONE] = "zone", [SOURCE_KEYS] = "keys", [SOURCE_SECONDARIES] = "secondaries",
};

static void
add_json_file(struct report *r, const struct ozone_checked *c)
{
	char name[NAME_TEXT_MAX];
	json_t *o = json_object();
	const char *change = change_words[c->change];
	name_print(c->apex, name);
	(void)json_object_set_new(o, "file", json_clean_text(c->file));
	(void)json_object_set_new(o, "kind", json_string(kind_words[c->kind]));
	(void)json_object_set_new(o, "name", json_string(name));
	(void)json_object_set_new(o, "change", change != NULL ? json_string(change) : json_null());
	(void)json_object_set_new(o, "serial", c->has_serial ? json_integer(c->serial) : json_null());
	(void)json_object_set_new(o, "old_serial", c->has_old_serial ? json_integer(c->old_serial) : json_null());
	(void)json_object_set_new(o, "records", json_integer((json_int_t)c->records));
	(void)json_object_set_new(o, "errors", json_integer((json_int_t)c->errors));
	(void)json_object_set_new(o, "warnings", json_integer((json_int_t)c->warnings));
	(void)json_array_append_new(r->files, o);
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* Prints one line for a file that differs from its old version. */
static void
say_change(const struct ozone_checked *c)
{
	struct str out = { 0 };
	clean_put(&out, c->file);
	str_printf(&out, ": %s %s", kind_words[c->kind], change_words[c->change]);
	if (c->has_serial && c->has_old_serial && c->serial != c->old_serial) {
		str_printf(&out, ", serial %" PRIu32 " to %" PRIu32, c->old_serial, c->serial);
	} else if (c->has_serial) {
		str_printf(&out, ", serial %" PRIu32, c->serial);
	} else if (c->has_old_serial && c->change == CHANGE_REMOVED) {
		str_printf(&out, ", last serial %" PRIu32, c->old_serial);
	}
	if (c->change != CHANGE_REMOVED) {
		str_printf(&out, ", %zu %s%s", c->records, c->kind == SOURCE_KEYS ? "key" : "record", plural(c->records));
	}
	str_char(&out, '\n');
	(void)fputs(str_text(&out), stdout);
	str_fini(&out);
}

void
report_checked(struct report *r, const struct ozone_checked *c)
{
	r->files_n[c->kind]++;
	if (r->format == FORMAT_JSON) {
		add_json_file(r, c);
	} else if (!r->is_quiet && r->owns_stdout && r->format == FORMAT_TEXT && c->change != CHANGE_NONE &&
	           c->change != CHANGE_SAME) {
		hide_progress();
		say_change(c);
	}
}

size_t
report_errors(const struct report *r)
{
	return r->errors;
}

size_t
report_warnings(const struct report *r)
{
	return r->warnings;
}

/* "2 zones, 1 keys file and 1 secondaries file" */
static void
say_numbers(const struct report *r)
{
	static const enum source_kind order[] = { SOURCE_ZONE, SOURCE_KEYS, SOURCE_SECONDARIES };
	size_t left = 0;
	for (size_t i = 1; i < ARRAY_LEN(order); i++) {
		left += r->files_n[order[i]] != 0;
	}
	(void)printf("successfully checked %zu zone%s", r->files_n[SOURCE_ZONE], plural(r->files_n[SOURCE_ZONE]));
	for (size_t i = 1; i < ARRAY_LEN(order); i++) {
		size_t n = r->files_n[order[i]];
		if (n != 0) {
			left--;
			(void)printf("%s %zu %s file%s", left == 0 ? " and" : ",", n, kind_words[order[i]], plural(n));
		}
	}
	(void)putchar('\n');
}

static void
say_success(const struct report *r, bool is_single)
{
	enum source_kind kind = r->files_n[SOURCE_KEYS] != 0          ? SOURCE_KEYS
	                        : r->files_n[SOURCE_SECONDARIES] != 0 ? SOURCE_SECONDARIES
	                                                              : SOURCE_ZONE;
	if (is_single) {
		(void)printf("successfully checked %s\n", kind_words[kind]);
	} else if (kind == SOURCE_ZONE && r->files_n[SOURCE_ZONE] == 0) {
		(void)puts("nothing to check");
	} else {
		say_numbers(r);
	}
}

void
report_finish(struct report *r, bool is_single, bool is_good)
{
	hide_progress();
	if (r->format == FORMAT_JSON) {
		json_t *o = json_object();
		(void)json_object_set(o, "files", r->files);
		(void)json_object_set(o, "diagnostics", r->diagnostics);
		(void)json_object_set_new(o, "errors", json_integer((json_int_t)r->errors));
		(void)json_object_set_new(o, "warnings", json_integer((json_int_t)r->warnings));
		(void)json_dumpf(o, r->owns_stdout ? stdout : stderr, JSON_INDENT(2));
		(void)fputc('\n', r->owns_stdout ? stdout : stderr);
		json_decref(o);
		return;
	}
	if (r->is_quiet) {
		return;
	}
	if (r->errors != 0 || r->warnings != 0) {
		(void)fprintf(stderr, "%zu error%s, %zu warning%s\n", r->errors, plural(r->errors), r->warnings,
		              plural(r->warnings));
	}
	if (is_good && r->owns_stdout && r->format == FORMAT_TEXT) {
		say_success(r, is_single);
	}
}
