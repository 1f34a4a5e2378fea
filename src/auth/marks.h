/* auth/marks.h -- the newest serials of zones that are not served just now: removed ones, and those of before a start.
 *
 * A zone that is served has it in its history (zone/history.h).  When the zone goes it is kept here, for the zone that has the name next:
 * secondaries may have the old one still, and take nothing that is not newer (RFC 1996 3.11, RFC 1982).  Bounded: those that were
 * set longest ago go first, a fourth part at once.
 *
 * Pure.  One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MARKS_MAX = 1 << 17 };

struct marks {
	struct mark {
		uint8_t *apex;   /* owned */
		uint32_t serial;
		uint64_t digest; /* of the one version that had it (zone/digest.h); 0: not known, or there were two */
		bool is_hearsay; /* by what the file was in an older commit */
		uint64_t when;
	} *list;                 /* sorted by name */
	size_t n, cap;
	uint64_t times;
};

void marks_fini(struct marks *m);

/* The zone was served with that serial, too, after those that are noted already.  `digest`: of the version; 0: not known. */
void marks_note(struct marks *m, const uint8_t *apex, uint32_t serial, uint64_t digest);

/* It may have been served with that serial, by what its file was. */
void marks_note_past(struct marks *m, const uint8_t *apex, uint32_t serial);

/* NULL: nothing is known.  Good until the next change of the marks. */
const struct mark *marks_find(const struct marks *m, const uint8_t *apex);

void marks_drop(struct marks *m, const uint8_t *apex);
