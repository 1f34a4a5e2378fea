#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
str_fini(struct str *t)
{
	free(t->s);
	*t = (struct str){ 0 };
}

void
str_clear(struct str *t)
{
	t->len = 0;
	t->err = OK;
	if (t->s != NULL) {
		t->s[0] = '\0';
	}
}

/* Makes room for n more octets and the NUL. */
static bool
has_room(struct str *t, size_t n)
{
	if (t->err != OK) {
		return false;
	}
	if (n >= STR_MAX - t->len) {
		t->err = E_LIMIT;
		return false;
	}
	if (t->len + n + 1 <= t->cap) {
		return true;
	}
	size_t cap = t->cap != 0 ? t->cap : 64;
	while (cap < t->len + n + 1) {
		cap *= 2;
	}
	char *grown = realloc(t->s, cap);
	if (grown == NULL) {
		t->err = E_NOMEM;
		return false;
	}
	t->s = grown;
	t->cap = cap;
	return true;
}

void
str_put(struct str *t, const void *bytes, size_t n)
{
	if (n != 0 && has_room(t, n)) {
		memcpy(t->s + t->len, bytes, n);
		t->len += n;
		t->s[t->len] = '\0';
	}
}

void
str_char(struct str *t, char c)
{
	str_put(t, &c, 1);
}

void
str_cat(struct str *t, const char *text)
{
	str_put(t, text, strlen(text));
}

void
str_vprintf(struct str *t, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	if (n > 0 && has_room(t, (size_t)n)) {
		(void)vsnprintf(t->s + t->len, (size_t)n + 1, format, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

void
str_printf(struct str *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str_vprintf(t, format, args);
	va_end(args);
}

const char *
str_text(const struct str *t)
{
	return t->s != NULL ? t->s : "";
}

void
str_cut(char *to, size_t cap, const char *text)
{
	size_t n = strnlen(text, cap - 1);
	memcpy(to, text, n);
	to[n] = '\0';
}
