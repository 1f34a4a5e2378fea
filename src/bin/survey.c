#include "bin/survey.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

struct survey *
survey_new(uint64_t now_s)
{
	struct survey *s = xalloc(sizeof *s);
	*s = (struct survey){ .metrics = metrics_new(metric_table, METRICS_N), .taken_s = now_s,
		              .arena = { .limit = SURVEY_OCTETS_MAX } };
	s->facts_end = &s->facts;
	return s;
}

void
survey_free(struct survey **s)
{
	if (*s != NULL) {
		metrics_free(&(*s)->metrics);
		arena_fini(&(*s)->arena);
		free(*s);
		*s = NULL;
	}
}

/* NULL: there is no room. */
static const char *
keep(struct survey *s, const char *text)
{
	size_t len = strnlen(text, SURVEY_TEXT_MAX);
	char *own = arena_alloc(&s->arena, len + 1);
	if (own != NULL) {
		memcpy(own, text, len);
		own[len] = '\0';
	}
	return own;
}

void
survey_set_trouble(struct survey *s, const char *text)
{
	const char *own = keep(s, text);
	s->trouble = own != NULL ? own : "see the log";
}

/* ---- facts ---- */

void
survey_fact(struct survey *s, enum survey_level level, const char *name, const char *value)
{
	struct survey_fact *f = value[0] != '\0' ? arena_alloc(&s->arena, sizeof *f) : NULL;
	const char *own = f != NULL ? keep(s, value) : NULL;
	if (own != NULL) {
		*f = (struct survey_fact){ .name = name, .value = own, .level = level };
		*s->facts_end = f;
		s->facts_end = &f->next;
	}
}

void
survey_factf(struct survey *s, enum survey_level level, const char *name, const char *format, ...)
{
	char text[SURVEY_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	survey_fact(s, level, name, text);
}

/* ---- tables ---- */

struct survey_table *
survey_table(struct survey *s, const char *title, const char *const *columns)
{
	ASSERT(s->tables_n < SURVEY_TABLES_MAX);
	struct survey_table *t = &s->tables[s->tables_n++];
	t->title = title;
	for (unsigned i = 0; i < SURVEY_COLUMNS_MAX && columns[i] != NULL; i++) {
		t->column[i] = columns[i];
	}
	return t;
}

/* NULL: there is no room. */
static struct survey_row *
copy_row(struct survey *s, const struct survey_table *t, const char *const *cells, const char *note)
{
	struct survey_row *r = arena_alloc(&s->arena, sizeof *r);
	const char *own_note = keep(s, note);
	if (r == NULL || own_note == NULL) {
		return NULL;
	}
	*r = (struct survey_row){ .note = own_note };
	for (unsigned i = 0; i < SURVEY_COLUMNS_MAX && t->column[i] != NULL; i++) {
		r->cell[i] = keep(s, cells[i]);
		if (r->cell[i] == NULL) {
			return NULL;
		}
	}
	return r;
}

void
survey_row(struct survey *s, struct survey_table *t, enum survey_level level, const char *const *cells, const char *note)
{
	struct survey_row *r = t->rows_n < SURVEY_ROWS_MAX ? copy_row(s, t, cells, note) : NULL;
	if (r == NULL) {
		t->left_out++;
		return;
	}
	struct survey_rows *rows = &t->rows[level];
	r->level = level;
	if (rows->last != NULL) {
		rows->last->next = r;
	} else {
		rows->first = r;
	}
	rows->last = r;
	t->rows_n++;
}

bool
survey_list_takes(struct survey_list *l, enum survey_level level)
{
	if ((level != SURVEY_GOOD) != l->is_trouble_wanted) {
		return false;
	}
	bool has_room = l->listed < l->most;
	l->listed += has_room;
	l->table->left_out += !has_room;
	return has_room;
}

/* ---- texts for people ---- */

const char *
survey_age(uint64_t seconds, char out[SURVEY_AGE_MAX])
{
	static const struct {
		uint64_t s;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && seconds < units[i].s) {
		i++;
	}
	uint64_t n = seconds / units[i].s, rest = seconds % units[i].s;
	uint64_t less = i + 1 < ARRAY_LEN(units) ? rest / units[i + 1].s : 0;
	if (less != 0) {
		(void)snprintf(out, SURVEY_AGE_MAX, "%" PRIu64 " %s %" PRIu64 " %s", n, units[i].name, less, units[i + 1].name);
	} else {
		(void)snprintf(out, SURVEY_AGE_MAX, "%" PRIu64 " %s", n, units[i].name);
	}
	return out;
}

const char *
survey_ago(uint64_t now_s, uint64_t then_s, char out[SURVEY_AGE_MAX])
{
	char age[SURVEY_AGE_MAX];
	if (then_s == 0) {
		return "never";
	}
	(void)snprintf(out, SURVEY_AGE_MAX, "%.26s ago", survey_age(now_s > then_s ? now_s - then_s : 0, age));
	return out;
}

const char *
survey_octets(uint64_t octets, char out[SURVEY_AGE_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)octets;
	size_t i = 0;
	for (; v >= 1024 && i + 1 < ARRAY_LEN(units); i++) {
		v /= 1024;
	}
	(void)snprintf(out, SURVEY_AGE_MAX, i == 0 || v >= 100 ? "%.0f %s" : "%.1f %s", v, units[i]);
	return out;
}
