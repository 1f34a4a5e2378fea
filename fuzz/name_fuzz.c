/* Names: off the wire anywhere in a message, and out of text; what was read prints and parses back to itself. */
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

static void
check_round_trip(const uint8_t *n)
{
	char text[NAME_TEXT_MAX];
	struct name again;
	size_t len = name_print(n, text);
	if (len >= sizeof text || strlen(text) != len) {
		abort();
	}
	if (name_parse(text, len, NULL, &again) != OK || again.len != name_len(n) ||
	    memcmp(again.oct, n, again.len) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name n;
	if (size == 0) {
		return 0;
	}
	struct cur c = cur_over(data + 1, size - 1);
	c.pos = data[0] < c.len ? data[0] : c.len;
	struct cur plain = c;
	name_read(&c, &n);
	if (c.err == OK) {
		check_round_trip(n.oct);
	}
	name_read_plain(&plain, &n);
	if (plain.err == OK && c.err != OK) {
		abort();
	}
	static const uint8_t origin[] = "\7example\3com";
	if (name_parse((const char *)data, size, origin, &n) == OK) {
		check_round_trip(n.oct);
	}
	return 0;
}
