/* bin/octl.h -- what the files of octl share: columns of a listing, and how a listing is printed.
 */
#pragma once

#include "bin/cli_status.h"

/* How a value is shown.  In JSON, numbers and times are numbers; times are seconds since 1970. */
enum octl_kind { OCTL_TEXT, OCTL_NUMBER, OCTL_TIME, OCTL_COMMIT };

struct octl_column {
	const char *key;  /* of the pair in the answer */
	const char *head; /* head of the column, or label of the line; NULL: only JSON has it */
	enum octl_kind kind;
};

struct octl_columns {
	const struct octl_column *list;
	size_t n;
};

/* ---- octl_table.c: for people ---- */

struct octl_table;
struct octl_table *octl_table_new(const struct octl_columns *columns, bool has_colour);
void octl_table_free(struct octl_table **t); /* NULL-safe */
err_t octl_table_add(struct octl_table *t, const struct status_item *item); /* adds a row, and a line below it if there is a finding */
err_t octl_table_print(const struct octl_table *t); /* on standard output; E_IO */

/* Prints one item as lines, "label  value". */
err_t octl_lines_print(const struct octl_columns *columns, const struct status_item *item, bool has_colour);

/* ---- octl_dump.c ---- */

/* Gets the zone by a signed transfer.  When all of it has come, prints it as a master file on standard output.  Returns the exit status;
 * errors were printed. */
int octl_dump(struct cli_signed *asked, const struct client_addresses *to, unsigned timeout_s, const uint8_t *zone);

/* ---- octl_json.c: for programs ---- */

struct octl_json;
struct octl_json *octl_json_new(const struct octl_columns *columns);
void octl_json_free(struct octl_json **j); /* NULL-safe */
err_t octl_json_add(struct octl_json *j, const struct status_item *item);

/* Prints {"name": [items], "commit": ...}; with `is_one`, the item itself in place of the list. */
err_t octl_json_print(const struct octl_json *j, const char *name, bool is_one, const char *commit); /* E_IO */
