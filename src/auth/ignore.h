/* auth/ignore.h -- the file .originignore: patterns, as gitignore(5) has them, of files in the root directory that are no zones.
 *
 * The last pattern that matches decides; one that begins with "!" takes a file back, also one that is passed over by its name otherwise
 * (auth/source.h).  Since zones are in the root directory alone, a pattern that speaks of directories matches nothing.
 *
 * Pure.  Matching takes time by the pattern's length times the name's, whatever the pattern.
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

err_t ignore_read(const char *text, size_t len, struct ignore **out); /* E_LIMIT: too large, or too many patterns */
void ignore_free(struct ignore **ig);                                /* NULL-safe */

/* `name`: of a file in the root directory.  `ig` may be NULL: nothing is said. */
enum ignore_verdict ignore_ask(const struct ignore *ig, const char *name);
