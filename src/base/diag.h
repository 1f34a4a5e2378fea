/* base/diag.h -- a finding for people: what, where, and what to do about it.
 *
 * Pure layers never print: they fill a struct diag and hand it to the caller's sink.  `code` is
 * stable and documented (docs/man/ozone.1); programs and suppressions may depend on it, not on the text.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum diag_level {
	DIAG_ERROR,
	DIAG_UNWISE,  /* a warning: the zone is served, but what was found does not work for clients; under --strict an error */
	DIAG_WARNING,
};

enum { DIAG_TEXT_MAX = 512, DIAG_HINT_MAX = 256 };

struct diag {
	enum diag_level level;
	const char *code;      /* static, such as "bad-rdata" */
	const char *file;      /* borrowed for the call; NULL when there is none */
	uint32_t line, col;    /* from 1; 0 when unknown.  col counts octets */
	uint32_t width;        /* octets to underline from col; 0: one */
	const char *source;    /* the line itself, not NUL-terminated; NULL when unknown */
	size_t source_len;
	char text[DIAG_TEXT_MAX];
	char hint[DIAG_HINT_MAX]; /* "" when there is nothing useful to say */
};

/* Receives each finding; `d` and what it borrows end with the call. */
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
