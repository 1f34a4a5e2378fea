/* auth/ignore.h -- the file .originignore: patterns (as in gitignore(5)) for files in the root directory that are not zones.
 *
 * The last pattern that matches decides.  A pattern that begins with "!" takes the file back: it is a zone even if its name alone
 * would be ignored (auth/source.h).  Since zones are only in the root directory, a pattern for directories matches nothing.
 *
 * Pure.  Patterns are compiled when they are read.  Matching a name takes one step for each octet and each 64 elements of a
 * pattern, whatever stars and sets it has (for all of 64 KiB: less than a millisecond).
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

enum ignore_verdict { IGNORE_NOT_SAID, IGNORE_YES, IGNORE_NO }; /* IGNORE_NO: a pattern with "!" takes the file back */

err_t ignore_read(const char *text, size_t len, struct ignore **out); /* E_LIMIT: too large, or too many patterns; E_NOMEM */
void ignore_free(struct ignore **ig);                                /* NULL-safe */

/* `name`: of a file in the root directory.  `ig` may be NULL, which has no patterns. */
enum ignore_verdict ignore_ask(const struct ignore *ig, const char *name);
