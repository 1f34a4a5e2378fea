/* Which file of the repository is what, by its name alone. */
#include <string.h>

#include "auth/primary.h"

/* What people keep beside their zones.  Upper case, as is the custom for these: a zone called
 * "readme.example" stays possible, and so does every name under .md or .sh. */
static const char *const not_zones[] = {
	"README",   "LICENSE",      "LICENCE",     "COPYING",      "COPYRIGHT", "NOTICE",   "AUTHORS",
	"CHANGELOG", "CONTRIBUTING", "SECURITY",    "CODEOWNERS",   "MAINTAINERS", "NEWS",   "TODO",
	"Makefile", "GNUmakefile",  "CODE_OF_CONDUCT",
};

static bool
is_passed_over(const char *path)
{
	size_t len = strlen(path);
	if (path[0] == '.' || path[0] == '#' || path[len - 1] == '~') {
		return true; /* hidden, or an editor's */
	}
	for (size_t i = 0; i < ARRAY_LEN(not_zones); i++) {
		size_t n = strlen(not_zones[i]);
		if (strncmp(path, not_zones[i], n) == 0 && (path[n] == '\0' || strchr(".-_", path[n]) != NULL)) {
			return true;
		}
	}
	return false;
}

enum source_kind
source_kind_of(const char *path, struct name *apex)
{
	static const char keys[] = "_keys";
	const size_t keys_len = sizeof keys - 1;
	size_t len = strlen(path);

	if (strchr(path, '/') != NULL) {
		return SOURCE_BELOW_ROOT;
	}
	if (len == 0 || is_passed_over(path)) {
		return SOURCE_IGNORED;
	}
	if (strcmp(path, "@") == 0) {
		name_set(apex, name_root);
		return SOURCE_ZONE;
	}
	if (strcmp(path, keys) == 0 || strcmp(path, "@._keys") == 0) {
		name_set(apex, name_root);
		return SOURCE_KEYS;
	}
	enum source_kind kind = SOURCE_ZONE;
	if (len > keys_len + 1 && strcmp(path + len - keys_len - 1, "._keys") == 0) {
		kind = SOURCE_KEYS;
		len -= keys_len + 1;
	}
	return name_parse(path, len, NULL, apex) == OK ? kind : SOURCE_BAD_NAME;
}
