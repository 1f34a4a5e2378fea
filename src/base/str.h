/* base/str.h -- growing text (or bytes), for output that people read.
 *
 * Ready for use, and empty, when zeroed.  Want of memory, or growth beyond STR_MAX, latches `err`; later writes do nothing.  `s`
 * is NUL-terminated after the first write.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

enum { STR_MAX = 1 << 30 };

struct str {
	char *s; /* owned; NULL before the first write */
	size_t len, cap;
	err_t err;
};

void str_fini(struct str *t);                /* frees; ready to be used again */
void str_clear(struct str *t);               /* keeps the memory; clears the error */
void str_put(struct str *t, const void *bytes, size_t n);
void str_char(struct str *t, char c);
void str_cat(struct str *t, const char *text);
[[gnu::format(printf, 2, 3)]] void str_printf(struct str *t, const char *format, ...);
void str_vprintf(struct str *t, const char *format, va_list args);
const char *str_text(const struct str *t);   /* never NULL */

/* Copies as much of the text as fits, with a NUL, into a buffer of `cap` octets, at least 1. */
void str_cut(char *to, size_t cap, const char *text);
