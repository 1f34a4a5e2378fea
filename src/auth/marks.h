/* auth/marks.h -- the newest serials of zones that are not served at present: zones that were removed, and zones that were
 * served before the server's last start.
 *
 * A zone that is served has its newest serial in its history (zone/history.h).  When the zone is removed, the serial is kept
 * here, for the next zone of that name: secondaries may still have the old zone, and accept nothing that is not newer (RFC 1996
 * 3.11, RFC 1982).  The number of marks is bounded: when there are too many, the oldest quarter is dropped.
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
		uint64_t digest; /* digest of the only version with this serial (zone/digest.h); 0: not known, or there were two
		                  * versions */
		bool is_hearsay; /* the serial is known only from the file in an older commit, and was perhaps never served */
		uint64_t when;   /* value of `times` when it was noted */
	} *list;                 /* sorted by name */
	size_t n, cap;
	uint64_t times;          /* counts the notes */
};

void marks_fini(struct marks *m);

/* Notes that the zone was served with this serial, later than with the serials noted before.  `digest`: of the version; 0: not
 * known. */
void marks_note(struct marks *m, const uint8_t *apex, uint32_t serial, uint64_t digest);

/* Notes that the zone may have been served with this serial, as its file in an older commit says. */
void marks_note_past(struct marks *m, const uint8_t *apex, uint32_t serial);

/* The mark of a zone, valid until the marks change.  NULL: there is none. */
const struct mark *marks_find(const struct marks *m, const uint8_t *apex);

void marks_drop(struct marks *m, const uint8_t *apex);
