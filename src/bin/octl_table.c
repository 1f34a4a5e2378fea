#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "bin/clean.h"
#include "bin/cli.h"
#include "bin/cli_status.h"
#include "bin/octl.h"

enum { COLUMNS_MAX = 32, COMMIT_SHOWN = 12 };

struct row {
	char *cell[COLUMNS_MAX]; /* owned */
	enum cli_colour colour;
	char *below;             /* owned: a line below the row; NULL: none */
};

struct octl_table {
	const struct octl_columns *columns;
	bool has_colour;
	struct row *rows; /* owned */
	size_t n, cap;
};

struct octl_table *
octl_table_new(const struct octl_columns *columns, bool has_colour)
{
	struct octl_table *t = xalloc(sizeof *t);
	ASSERT(columns->n <= COLUMNS_MAX);
	t->columns = columns;
	t->has_colour = has_colour;
	return t;
}

void
octl_table_free(struct octl_table **t)
{
	if (*t == NULL) {
		return;
	}
	for (size_t i = 0; i < (*t)->n; i++) {
		for (size_t k = 0; k < COLUMNS_MAX; k++) {
			free((*t)->rows[i].cell[k]);
		}
		free((*t)->rows[i].below);
	}
	free((*t)->rows);
	free_ptr(t);
}

/* ---- values ---- */

static void
put_time(struct str *out, const char *value)
{
	uint64_t number = 0;
	struct tm tm;
	char text[32] = "";
	time_t at = cli_number(value, INT32_MAX, &number) == OK ? (time_t)number : 0;
	if (at != 0 && gmtime_r(&at, &tm) != NULL && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &tm) != 0) {
		str_cat(out, text);
	} else {
		clean_put(out, value);
	}
}

/* Appends the value as it is shown, without anything that could steer a terminal. */
static void
put_value(struct str *out, enum octl_kind kind, const char *value)
{
	if (value[0] == '\0') {
		str_char(out, '-');
	} else if (kind == OCTL_TIME) {
		put_time(out, value);
	} else if (kind == OCTL_COMMIT && strlen(value) > COMMIT_SHOWN) {
		clean_put_octets(out, value, COMMIT_SHOWN);
	} else {
		clean_put(out, value);
	}
}

/* Takes the text out of `s`.  NULL: no memory. */
static char *
take_text(struct str *s)
{
	char *text = s->err == OK ? s->s : NULL;
	if (text == NULL) {
		free(s->s);
	}
	*s = (struct str){ 0 };
	return text;
}

/* Appends "    file:5:7: error: text", if the item has a finding. */
static void
put_finding(struct str *out, const struct status_item *item)
{
	const char *text = status_value(item, "finding");
	if (text[0] == '\0') {
		return;
	}
	str_cat(out, "    ");
	cli_status_put_place(out, item);
	str_cat(out, ": ");
	clean_put(out, status_value(item, "level"));
	str_cat(out, ": ");
	clean_put(out, text);
	const char *since = status_value(item, "since");
	if (since[0] != '\0') {
		str_cat(out, " (since commit ");
		put_value(out, OCTL_COMMIT, since);
		str_char(out, ')');
	}
}

static enum cli_colour
colour_of(const struct status_item *item)
{
	const char *state = status_value(item, "state");
	bool is_bad = strcmp(state, "last-good") == 0 || strcmp(state, "rejected") == 0 || strcmp(state, "behind") == 0 ||
	              strcmp(state, "ahead") == 0 || strcmp(state, "expired") == 0;
	bool has_trouble = status_value(item, "finding")[0] != '\0' || status_value(item, "error")[0] != '\0';
	bool is_doubtful = strcmp(state, "held") == 0 || strcmp(state, "unheard") == 0 || strcmp(state, "new") == 0 || has_trouble;
	return is_bad ? CLI_RED : is_doubtful ? CLI_YELLOW : CLI_PLAIN;
}

/* ---- a table ---- */

err_t
octl_table_add(struct octl_table *t, const struct status_item *item)
{
	struct str text = { 0 };
	if (!try_room(&t->rows, sizeof *t->rows, t->n, &t->cap)) {
		return E_NOMEM;
	}
	struct row *r = &t->rows[t->n++];
	*r = (struct row){ .colour = colour_of(item) };
	for (size_t i = 0; i < t->columns->n; i++) {
		const struct octl_column *c = &t->columns->list[i];
		if (c->head == NULL) {
			continue;
		}
		put_value(&text, c->kind, status_value(item, c->key));
		r->cell[i] = take_text(&text);
		if (r->cell[i] == NULL) {
			return E_NOMEM;
		}
	}
	put_finding(&text, item);
	r->below = take_text(&text);
	return OK;
}

/* The width on a terminal; every UTF-8 character counts as one column. */
static size_t
width_of(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++) {
		n += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return n;
}

static size_t
width_of_column(const struct octl_table *t, size_t i)
{
	size_t width = width_of(t->columns->list[i].head);
	for (size_t k = 0; k < t->n; k++) {
		size_t w = width_of(t->rows[k].cell[i]);
		width = w > width ? w : width;
	}
	return width;
}

/* Numbers are aligned to the right.  Nothing is appended to the last column. */
static void
put_cell(const char *text, size_t width, bool is_number, bool is_last)
{
	int pad = (int)(width - width_of(text));
	if (is_number) {
		(void)printf("%*s%s", pad, "", text);
	} else {
		(void)printf("%s%*s", text, is_last ? 0 : pad, "");
	}
	(void)fputs(is_last ? "" : "  ", stdout);
}

static size_t
last_shown(const struct octl_columns *columns)
{
	size_t last = 0;
	for (size_t i = 0; i < columns->n; i++) {
		last = columns->list[i].head != NULL ? i : last;
	}
	return last;
}

/* `row` NULL: prints the heads. */
static void
print_row(const struct octl_table *t, const struct row *row, const size_t width[COLUMNS_MAX])
{
	size_t last = last_shown(t->columns);
	(void)fputs(cli_colour(t->has_colour, row == NULL ? CLI_BOLD : row->colour), stdout);
	for (size_t i = 0; i <= last; i++) {
		const struct octl_column *c = &t->columns->list[i];
		if (c->head != NULL) {
			put_cell(row == NULL ? c->head : row->cell[i], width[i], c->kind == OCTL_NUMBER, i == last);
		}
	}
	(void)puts(cli_colour(t->has_colour, CLI_PLAIN));
}

err_t
octl_table_print(const struct octl_table *t)
{
	size_t width[COLUMNS_MAX] = { 0 };
	for (size_t i = 0; i < t->columns->n; i++) {
		width[i] = t->columns->list[i].head != NULL ? width_of_column(t, i) : 0;
	}
	print_row(t, NULL, width);
	for (size_t i = 0; i < t->n; i++) {
		print_row(t, &t->rows[i], width);
		if (t->rows[i].below != NULL) {
			(void)puts(t->rows[i].below);
		}
	}
	return fflush(stdout) == 0 ? OK : E_IO;
}

/* ---- lines ---- */

err_t
octl_lines_print(const struct octl_columns *columns, const struct status_item *item, bool has_colour)
{
	size_t width = 0;
	struct str out = { 0 };
	for (size_t i = 0; i < columns->n; i++) {
		size_t w = columns->list[i].head != NULL ? width_of(columns->list[i].head) : 0;
		width = w > width ? w : width;
	}
	for (size_t i = 0; i < columns->n; i++) {
		const struct octl_column *c = &columns->list[i];
		const char *value = status_value(item, c->key);
		if (c->head != NULL && value[0] != '\0') {
			const char *bold = cli_colour(has_colour, CLI_BOLD), *plain = cli_colour(has_colour, CLI_PLAIN);
			str_printf(&out, "%s%-*s%s  ", bold, (int)width, c->head, plain);
			put_value(&out, c->kind, value);
			str_char(&out, '\n');
		}
	}
	bool is_ok = out.err == OK && fputs(str_text(&out), stdout) != EOF && fflush(stdout) == 0;
	err_t err = out.err != OK ? out.err : is_ok ? OK : E_IO;
	str_fini(&out);
	return err;
}
