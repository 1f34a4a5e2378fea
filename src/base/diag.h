/* base/diag.h -- a diagnostic for people: what is wrong, where, and what to do about it.
 *
 * Pure layers never print: they fill a struct diag, and give it to the caller's sink.  `code` is stable and documented
 * (docs/man/ozone.1); programs and suppressions may depend on it, but not on the text.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum diag_level {
	DIAG_ERROR,
	DIAG_UNWISE,  /* a warning: the zone is served, but clients cannot use the part in question; with --strict an error */
	DIAG_WARNING,
};

enum { DIAG_TEXT_MAX = 512, DIAG_HINT_MAX = 256 };

struct diag {
	enum diag_level level;
	const char *code;      /* static, such as "bad-rdata" */
	const char *file;      /* borrowed for the call; NULL: none */
	uint32_t line, col;    /* from 1; 0: not known. col counts octets */
	uint32_t width;        /* octets to underline from col; 0: one */
	const char *source;    /* the line, not NUL-terminated; NULL: not known */
	size_t source_len;
	char text[DIAG_TEXT_MAX];
	char hint[DIAG_HINT_MAX]; /* "": no hint */
};

/* Receives each diagnostic; `d` and its borrowed data end with the call. */
struct diag_sink {
	void (*report)(void *ctx, const struct diag *d);
	void *ctx;
};

/* Fills level, code and text; everything else is zeroed. */
[[gnu::format(printf, 4, 5)]] void diag_set(struct diag *d, enum diag_level level, const char *code,
                                            const char *format, ...);
[[gnu::format(printf, 2, 3)]] void diag_hint(struct diag *d, const char *format, ...);

/* NULL-safe. */
void diag_report(const struct diag_sink *sink, const struct diag *d);
