/* auth/load_keys.h -- from the text of a `_keys` file to a key store, or to why not: zone_load()'s sister. */
#pragma once

#include <stddef.h>

#include "auth/keys.h"
#include "base/err.h"
#include "zone/load.h"
#include "zone/master.h"

/* `source`: as for zone_load(); its apex is the domain that the file is for.  E_FORMAT: there were errors, all
 * reported, and there is no store.  The caller owns *out, which is sealed. */
err_t keys_load(const struct master_reader *source, const char *text, size_t len, struct keystore **out,
                struct load_result *result);
