#include "bin/clean.h"

#include <string.h>

size_t
clean_utf8_len(const uint8_t *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
	           : s[0] >= 0xF0 && s[0] < 0xF5                   ? 4
	                                                           : 0;
	if (n == 0 || n > left) {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			return 0;
		}
	}
	bool is_bad = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
	              (s[0] == 0xF4 && s[1] > 0x8F);
	return is_bad ? 0 : n;
}

/* Prints the character at `s`, or "?" in place of one that could steer a terminal (anybody who pushes to a repository has text on the
 * terminals of others) or break JSON.  Tabs stay.  Returns the octets read. */
static size_t
put_char(struct str *out, const uint8_t *s, size_t left)
{
	size_t n = clean_utf8_len(s, left);
	bool is_control = s[0] < ' ' || s[0] == 0x7F || (n == 2 && s[0] == 0xC2 && s[1] < 0xA0);
	if (n == 0 || (is_control && s[0] != '\t')) {
		str_char(out, '?');
		return n != 0 ? n : 1;
	}
	str_put(out, s, n);
	return n;
}

void
clean_put_octets(struct str *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		i += put_char(out, (const uint8_t *)text + i, len - i);
	}
}

void
clean_put(struct str *out, const char *text)
{
	clean_put_octets(out, text, strlen(text));
}
