/* auth/ignore.h -- the file .originignore: patterns, as gitignore(5) has them, of files in the root directory that are no zones.
 *
 * The last pattern that matches decides; one that begins with "!" takes a file back, also one that is passed over by its name otherwise
 * (auth/source.h).  Since zones are in the root directory alone, a pattern that speaks of directories matches nothing.
 *
 * Pure.  Patterns are compiled when they are read: a name then takes one step an octet for each 64 elements of a pattern, whatever
 * stars and sets are in it (all of 64 KiB: under a millisecond).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

#define IGNORE_FILE ".originignore"

enum {
	IGNORE_OCTETS_MAX = 64 << 10,
	IGNORE_PATTERNS_MAX = 1000,
};

struct ignore;

enum ignore_verdict { IGNORE_NOT_SAID, IGNORE_PASS_OVER, IGNORE_TAKE };

err_t ignore_read(const char *text, size_t len, struct ignore **out); /* E_LIMIT: too large, or too many patterns; E_NOMEM */
void ignore_free(struct ignore **ig);                                /* NULL-safe */

/* `name`: of a file in the root directory.  `ig` may be NULL: nothing is said. */
enum ignore_verdict ignore_ask(const struct ignore *ig, const char *name);
