/* base/str.h -- growing text (or bytes), for output that people read.
 *
 * Zero-initialised it is empty and ready.  Memory that cannot be had, or growth over STR_MAX,
 * latches `err`; the writes after it do nothing.  `s` is NUL-terminated once anything was written.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

enum { STR_MAX = 1 << 30 };

struct str {
	char *s; /* owned; NULL while nothing was written */
	size_t len, cap;
	err_t err;
};

void str_fini(struct str *t);                /* frees; the string is empty and ready again */
void str_clear(struct str *t);               /* keeps the memory; forgets the error */
void str_put(struct str *t, const void *bytes, size_t n);
void str_char(struct str *t, char c);
void str_cat(struct str *t, const char *text);
[[gnu::format(printf, 2, 3)]] void str_printf(struct str *t, const char *format, ...);
void str_vprintf(struct str *t, const char *format, va_list args);
const char *str_text(const struct str *t);   /* never NULL */

/* Into a buffer of `cap` octets, at least 1: as much of the text as has room, and NUL. */
void str_cut(char *to, size_t cap, const char *text);
