/* zone/findings.h -- findings: everything that is wrong in a zone, gathered while it is built and checked.
 *
 * A finding names a record, not a place in a file: loading keeps no positions.  If there are findings, the source is read a
 * second time, and each gets the file and line of its record (findings_locate()); so a zone without findings costs nothing more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"

/* Findings beyond these limits are counted, but not kept. */
enum {
	FINDINGS_MAX = 1000,
	FINDINGS_BYTES_MAX = 16 << 20, /* names, texts and RDATA of all findings */
};

struct finding {
	enum diag_level level;
	const char *code;       /* static */
	const uint8_t *owner;   /* in the arena */
	uint16_t type;          /* 0: any record of the owner */
	uint16_t rdlen;
	const uint8_t *rdata;   /* in the arena; NULL: any record of the type */
	unsigned nth;           /* number of the record among those that match, from 0; a duplicate is number 1 */
	const char *text, *hint; /* in the arena */
};

struct findings {
	struct arena arena;
	struct finding *list; /* owned */
	size_t n, cap;
	size_t kept_warnings;    /* warnings in `list`; at the limit, errors and unwise findings replace them */
	size_t errors, warnings; /* counts, including findings that are not kept; unwise findings count as warnings */
};

void findings_fini(struct findings *f);

/* Printf-like; text and hint are copied ("" for no hint). */
[[gnu::format(printf, 9, 10)]] void
findings_add(struct findings *f, enum diag_level level, const char *code, const uint8_t *owner, uint16_t type,
             const uint8_t *rdata, uint16_t rdlen, const char *hint, const char *format, ...);

/* The same, with all fields except `text` given by the caller; the data they point to are copied. */
[[gnu::format(printf, 3, 4)]] void
findings_add_nth(struct findings *f, const struct finding *what, const char *format, ...);
