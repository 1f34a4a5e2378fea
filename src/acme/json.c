#include "acme/json.h"

#include <jansson.h>

#include "acme/http.h"
#include "base/alloc.h"

/* What jansson is going to make of the text.  It need not be JSON: the reader finds that out. */
static err_t
measure(const char *text, size_t len)
{
	size_t depth = 0, items = 0;
	bool is_quoted = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (is_quoted) {
			i += c == '\\';
			is_quoted = c != '"';
			continue;
		}
		is_quoted = c == '"';
		items += c == ',' || c == '{' || c == '[';
		depth += c == '{' || c == '[';
		depth -= depth > 0 && (c == '}' || c == ']');
		if (depth > ACME_JSON_DEPTH_MAX || items > ACME_JSON_ITEMS_MAX) {
			return E_LIMIT;
		}
	}
	return OK;
}

err_t
acme_json_read(const char *text, size_t len, struct json_t **out)
{
	json_error_t error;
	TRY(measure(text, len));
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL) {
		return json_error_code(&error) == json_error_out_of_memory ? E_NOMEM : E_FORMAT;
	}
	if (!json_is_object(value)) {
		json_decref(value);
		return E_FORMAT;
	}
	*out = value;
	return OK;
}

void
acme_json_free(struct json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

const struct json_t *
acme_json_object(const struct json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return json_is_object(value) ? value : NULL;
}

const struct json_t *
acme_json_array(const struct json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return json_is_array(value) ? value : NULL;
}

size_t
acme_json_n(const struct json_t *array)
{
	return json_array_size(array);
}

const struct json_t *
acme_json_item(const struct json_t *array, size_t i)
{
	return json_array_get(array, i);
}

const char *
acme_json_text(const struct json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

const char *
acme_json_item_text(const struct json_t *array, size_t i)
{
	return json_string_value(json_array_get(array, i));
}

const char *
acme_json_url(const struct json_t *object, const char *member)
{
	const char *url = acme_json_text(object, member);
	return url != NULL && acme_url_is_good(url) ? url : NULL;
}

bool
acme_json_is_true(const struct json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}

void
acme_json_quote(struct str *out, const char *text)
{
	str_char(out, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\') {
			str_char(out, '\\');
			str_char(out, *text);
		} else if (c < ' ' || c == 0x7F) {
			str_printf(out, "\\u%04x", c);
		} else {
			str_char(out, *text);
		}
	}
	str_char(out, '"');
}
