/* Patterns of .originignore, and names of files: any octets.  The first line is the file's name, the rest the patterns. */
#include <stdlib.h>
#include <string.h>

#include "auth/source.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool is_true)
{
	if (!is_true) {
		abort();
	}
}

/* A file that is a zone's has a name that comes back, and that is no directory's. */
static void
check_name(const char *path)
{
	struct name apex, again;
	char spelled[NAME_TEXT_MAX], ascii[NAME_TEXT_MAX];
	struct diag d;
	if (source_kind_of(NULL, path, &apex) == SOURCE_ZONE) {
		source_file_name(apex.oct, spelled);
		check(strchr(spelled, '/') == NULL);
		bool is_too_long = strlen(spelled) > 255; /* for a file's name: %XX is three octets */
		check(is_too_long || strcmp(spelled, "@") == 0 ||
		      (source_read_name(spelled, strlen(spelled), &again) && name_is_equal(apex.oct, again.oct)));
	}
	if (source_to_ascii(path, ascii)) {
		for (const char *c = ascii; *c != '\0'; c++) {
			check((unsigned char)*c < 0x80);
		}
	}
	source_say_bad(path, &d);
	(void)source_is_doubtful(NULL, path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size != 0 ? memchr(data, '\n', size) : NULL;
	size_t len = newline != NULL ? (size_t)(newline - data) : size;
	char *path = xstrndup((const char *)data, len);
	const char *text = (const char *)data + len;
	struct ignore *ig = NULL, *again = NULL;
	check_name(path);
	(void)source_is_master(text, size - len);
	if (ignore_read(text, size - len, &ig) == OK) {
		enum ignore_verdict v = ignore_ask(ig, path);
		check(ignore_read("*\n", 2, &again) == OK && ignore_ask(again, path) == IGNORE_YES);
		check(v == IGNORE_NOT_SAID || source_is_ignored(ig, path) == (v == IGNORE_YES || path[0] == '.' || path[0] == '\0'));
	}
	ignore_free(&ig);
	ignore_free(&again);
	free(path);
	return 0;
}
