/* auth/load_secondaries.h -- from the text of a `_secondaries` file to what it says, or to why not: keys_load()'s sister.
 *
 * There are no secrets in such files, so diagnostics show their lines; what looks like a secret all the same is hidden as in a zone.
 */
#pragma once

#include <stddef.h>

#include "auth/secondaries.h"
#include "base/err.h"
#include "zone/load.h"
#include "zone/master.h"

/* `source`: as for zone_load(); its apex is the domain that the file is for.  `last`: the file's last good version, NULL: none.
 *
 * OK: *out, which is sealed and the caller's, has the good lines; result->errors says how many others there were.  With errors, it has
 * none of what the file says of addresses: it has what `last` says of them, or without `last` the domain is shut (auth/secondaries.h).
 * E_FORMAT: no line is good though there are errors, or the reading stopped before the end; there is no store.  E_LIMIT: too many
 * records, or, with result->is_over_limit, more memory than `octets_max`, which what `last` says counts for as well. */
err_t secondaries_load(const struct master_reader *source, const char *text, size_t len, const struct secondaries *last,
                       size_t octets_max, struct secondaries **out, struct load_result *result);
