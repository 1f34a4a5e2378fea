/* dns/bind_key.h -- a TSIG key as BIND's named.conf and `nsupdate -k` have it.
 *
 *     key "hoster-key" {
 *             algorithm hmac-sha256;
 *             secret "c2VjcmV0";
 *     };
 *
 * Pure.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Writes the key as NAME:ALGORITHM:SECRET, for tsig_key_parse(), which checks it.  `text` is all of a file.  E_NOTFOUND: it does not
 * begin with a key statement.  E_FORMAT: the statement has other or fewer parts than above, or something follows it.  E_FULL. */
err_t bind_key_read(const char *text, size_t len, char *out, size_t cap);
