#include "crypto/host_names.h"

#include <string.h>

enum { LABEL_LEN_MAX = 63 };

static bool
is_host_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* `name` is in lower case. */
static bool
is_host_name(const char *name, size_t len)
{
	size_t at = len > 2 && name[0] == '*' && name[1] == '.' ? 2 : 0, label = 0;
	for (; at < len; at++) {
		bool is_dot = name[at] == '.';
		if (is_dot ? label == 0 : !is_host_octet(name[at]) || label == LABEL_LEN_MAX) {
			return false;
		}
		label = is_dot ? 0 : label + 1;
	}
	return label != 0;
}

err_t
host_names_add(struct host_names *names, const char *text, size_t len)
{
	char name[HOST_NAME_LEN + 1];
	if (len > HOST_NAME_LEN) {
		return E_FORMAT;
	}
	for (size_t i = 0; i < len; i++) {
		name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	}
	name[len] = '\0';
	if (!is_host_name(name, len)) {
		return E_FORMAT;
	}
	if (host_names_has(names, name)) {
		return OK;
	}
	if (names->n == HOST_NAMES_MAX) {
		return E_LIMIT;
	}
	memcpy(names->name[names->n++], name, len + 1);
	return OK;
}

bool
host_names_has(const struct host_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->name[i], name) == 0) {
			return true;
		}
	}
	return false;
}

bool
host_names_are_within(const struct host_names *names, const struct host_names *others)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!host_names_has(others, names->name[i])) {
			return false;
		}
	}
	return true;
}
