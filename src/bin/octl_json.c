#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/clean.h"
#include "bin/cli.h"
#include "bin/octl.h"

struct octl_json {
	const struct octl_columns *columns;
	json_t *items;
};

struct octl_json *
octl_json_new(const struct octl_columns *columns)
{
	struct octl_json *j = xalloc(sizeof *j);
	j->columns = columns;
	j->items = json_array();
	return j;
}

void
octl_json_free(struct octl_json **j)
{
	if (*j != NULL) {
		json_decref((*j)->items);
		free_ptr(j);
	}
}

static json_t *
text_of(const char *value)
{
	struct str clean = { 0 };
	clean_put(&clean, value);
	json_t *text = json_string(str_text(&clean));
	str_fini(&clean);
	return text;
}

/* If the server sends no number where one belongs, the text is shown. */
static json_t *
value_of(const struct octl_column *c, const char *value)
{
	uint64_t number;
	bool is_number = (c->kind == OCTL_NUMBER || c->kind == OCTL_TIME) && cli_number(value, INT64_MAX, &number) == OK;
	return is_number ? json_integer((json_int_t)number) : text_of(value);
}

/* Each item has every column, with null for an empty value: so programs need not check which columns are there. */
err_t
octl_json_add(struct octl_json *j, const struct status_item *item)
{
	json_t *o = json_object();
	for (size_t i = 0; i < j->columns->n; i++) {
		const struct octl_column *c = &j->columns->list[i];
		const char *value = status_value(item, c->key);
		if (json_object_set_new(o, c->key, value[0] != '\0' ? value_of(c, value) : json_null()) != 0) {
			json_decref(o);
			return E_NOMEM;
		}
	}
	return json_array_append_new(j->items, o) == 0 ? OK : E_NOMEM;
}

err_t
octl_json_print(const struct octl_json *j, const char *name, bool is_one, const char *commit)
{
	json_t *all = json_pack("{s:O, s:o}", name, is_one && json_array_size(j->items) != 0 ? json_array_get(j->items, 0) : j->items,
	                        "commit", commit[0] != '\0' ? text_of(commit) : json_null());
	bool is_ok = all != NULL && json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 && putchar('\n') != EOF &&
	             fflush(stdout) == 0;
	json_decref(all);
	return is_ok ? OK : E_IO;
}
