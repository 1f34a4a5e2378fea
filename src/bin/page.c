#include "bin/page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/enc.h"
#include "bin/page_p.h"
#include "crypto/sha.h"
#include "ops/html.h"

enum { REFRESH_S = 60, SHA256_LEN = 32 };

err_t
page_policy(char out[PAGE_POLICY_MAX])
{
	uint8_t digest[SHA256_LEN];
	char text[ENC_BASE64_LEN(SHA256_LEN) + 1] = "";
	TRY(sha256(page_style, strlen(page_style), NULL, 0, digest));
	(void)base64_encode(digest, sizeof digest, text);
	(void)snprintf(out, PAGE_POLICY_MAX,
	               "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", text);
	return OK;
}

/* ---- the head ---- */

static const char *const classes[SURVEY_LEVELS] = { [SURVEY_BAD] = "bad", [SURVEY_DOUBTFUL] = "doubtful", [SURVEY_GOOD] = "good" };

/* The worst of all that is said. */
static enum survey_level
level_of(const struct survey *s)
{
	enum survey_level worst = s->trouble != NULL ? SURVEY_BAD : SURVEY_GOOD;
	for (const struct survey_fact *f = s->facts; f != NULL; f = f->next) {
		worst = f->level < worst ? f->level : worst;
	}
	for (size_t i = 0; i < s->tables_n; i++) {
		worst = s->tables[i].rows[SURVEY_BAD].first != NULL ? SURVEY_BAD : worst;
	}
	return worst;
}

static void
put_head(const struct page *p, struct str *out)
{
	static const char *const marks[SURVEY_LEVELS] = {
		[SURVEY_BAD] = "&#x2715;", [SURVEY_DOUBTFUL] = "!", [SURVEY_GOOD] = "&#x2713;",
	};
	str_printf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	                "<meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"refresh\" content=\"%d\">\n"
	                "<title>%s %s</title>\n<style>%s</style>\n</head>\n<body>\n",
	           REFRESH_S, marks[level_of(p->survey)], p->program, page_style);
}

static void
put_title(const struct page *p, struct str *out)
{
	static const char *const texts[SURVEY_LEVELS] = {
		[SURVEY_BAD] = "Something is wrong", [SURVEY_DOUBTFUL] = "Something is to be looked at", [SURVEY_GOOD] = "All is well",
	};
	const struct survey *s = p->survey;
	enum survey_level level = level_of(s);
	struct tm tm;
	char when[64] = "";
	time_t taken = (time_t)s->taken_s;
	if (gmtime_r(&taken, &tm) != NULL) {
		(void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
	}
	str_printf(out, "<header><h1>%s</h1><p class=\"version\">Origin %s</p><p class=\"pill %s\">%s</p></header>\n", p->program,
	           ORIGIN_VERSION, classes[level], texts[level]);
	if (s->trouble != NULL) {
		str_cat(out, "<p class=\"alarm\">");
		html_put(out, s->trouble);
		str_cat(out, "</p>\n");
	}
	str_printf(out, "<p class=\"when\">%s &middot; <a href=\"/metrics\">metrics</a></p>\n", when);
}

static void
put_facts(const struct survey *s, struct str *out)
{
	str_cat(out, "<dl>\n");
	for (const struct survey_fact *f = s->facts; f != NULL; f = f->next) {
		str_printf(out, "<div class=\"%s\"><dt>%s</dt><dd>", classes[f->level], f->name);
		html_put(out, f->value);
		str_cat(out, "</dd></div>\n");
	}
	str_cat(out, "</dl>\n");
}

/* ---- tables ---- */

static unsigned
columns_of(const struct survey_table *t)
{
	unsigned n = 0;
	while (n < SURVEY_COLUMNS_MAX && t->column[n] != NULL) {
		n++;
	}
	return n;
}

static void
put_row(const struct survey_table *t, const struct survey_row *r, struct str *out)
{
	unsigned n = columns_of(t);
	str_printf(out, "<tr class=\"%s\">", classes[r->level]);
	for (unsigned i = 0; i < n; i++) {
		str_printf(out, "<td data-name=\"%s\">", t->column[i]);
		html_put(out, r->cell[i]);
		str_cat(out, "</td>");
	}
	str_cat(out, "</tr>\n");
	if (r->note[0] != '\0') {
		str_printf(out, "<tr class=\"note %s\"><td colspan=\"%u\">", classes[r->level], n);
		html_put(out, r->note);
		str_cat(out, "</td></tr>\n");
	}
}

static void
put_table(const struct survey_table *t, struct str *out)
{
	str_printf(out, "<section><h2>%s</h2>\n<table>\n<thead><tr>", t->title);
	for (unsigned i = 0; i < columns_of(t); i++) {
		str_printf(out, "<th scope=\"col\">%s</th>", t->column[i]);
	}
	str_cat(out, "</tr></thead>\n<tbody>\n");
	for (unsigned level = 0; level < SURVEY_LEVELS; level++) {
		for (const struct survey_row *r = t->rows[level].first; r != NULL; r = r->next) {
			put_row(t, r, out);
		}
	}
	str_cat(out, "</tbody>\n</table>\n");
	if (t->left_out != 0) {
		str_printf(out, "<p class=\"hint\">%zu more are not shown; <code>octl</code> lists all.</p>\n", t->left_out);
	}
	str_cat(out, "</section>\n");
}

void
page_write(const struct page *p, struct str *out)
{
	put_head(p, out);
	put_title(p, out);
	put_facts(p->survey, out);
	page_put_charts(p->history, out);
	for (size_t i = 0; i < p->survey->tables_n; i++) {
		if (p->survey->tables[i].rows_n != 0) {
			put_table(&p->survey->tables[i], out);
		}
	}
	str_cat(out, "</body>\n</html>\n");
}
