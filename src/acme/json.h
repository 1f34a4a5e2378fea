/* acme/json.h -- reads JSON (RFC 8259) from the network, bounded, by jansson; and writes texts into JSON.
 *
 * jansson's parser calls itself for each level of nesting, and its objects take some sixty times the octets of a text such as
 * [[[[]]]]; so a text is measured before it is read: ACME_JSON_DEPTH_MAX levels, ACME_JSON_ITEMS_MAX commas and brackets.
 *
 * The functions that look up a member take any value, NULL too, and answer NULL (or 0) where there is no such member of that kind: so
 * a chain of look-ups needs one check at its end.  What they return is borrowed from the value.
 *
 * Pure, but jansson takes a random number for its tables once in the life of the process.  Nothing here depends on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum {
	ACME_JSON_DEPTH_MAX = 16,
	ACME_JSON_ITEMS_MAX = 8192,
};

struct json_t; /* jansson's */

/* E_FORMAT: no JSON, or no object; E_LIMIT: too deep or too many items; E_NOMEM. */
err_t acme_json_read(const char *text, size_t len, struct json_t **out);
void acme_json_free(struct json_t **value); /* NULL-safe; serves as a cleanup handler */

const struct json_t *acme_json_object(const struct json_t *object, const char *member);
const struct json_t *acme_json_array(const struct json_t *object, const char *member);
size_t acme_json_n(const struct json_t *array);
const struct json_t *acme_json_item(const struct json_t *array, size_t i);

const char *acme_json_text(const struct json_t *object, const char *member);          /* valid UTF-8, without NUL */
const char *acme_json_item_text(const struct json_t *array, size_t i);
const char *acme_json_url(const struct json_t *object, const char *member);           /* acme_url_is_good() */
bool acme_json_is_true(const struct json_t *object, const char *member);

/* Writes a text with its quotes. */
void acme_json_quote(struct str *out, const char *text);
