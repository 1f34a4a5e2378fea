/* auth/load_keys.h -- from the text of a `_keys` file to a key store, or to why not: zone_load()'s sister. */
#pragma once

#include <stddef.h>

#include "auth/keys.h"
#include "base/err.h"
#include "zone/load.h"
#include "zone/master.h"

/* A sink that passes diagnostics on to `to` without source lines, which hold secrets.  Borrows `to`. */
struct diag_sink keys_sink(const struct diag_sink *to);

/* `source`: as for zone_load(); its apex is the domain that the file is for.  A bad line costs that key alone: OK, where
 * result->errors says how many there were, and the store has the others.  E_FORMAT: no key is good though there are errors, or the
 * reading stopped before the end (too many of them; not text); there is no store.  No diagnostic shows any of a secret: none
 * has a source line, and those of the reader, which quotes what it does not understand, have their text replaced.  `named`: as of
 * keystore_find_idle().  E_LIMIT: too many keys, or, with result->is_over_limit, more memory than `octets_max`.  The caller owns *out,
 * which is sealed. */
err_t keys_load(const struct master_reader *source, const char *text, size_t len, const struct secondaries *named, size_t octets_max,
                const struct alloc_source *memory, struct keystore **out, struct load_result *result);
