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

/* Writes the key as NAME:ALGORITHM:SECRET, which tsig_key_parse() judges.  `text` is all of a file.  E_NOTFOUND: it does not begin
 * with a key statement.  E_FORMAT: the statement is not whole, or something follows it: a key by itself is expected.  E_FULL. */
err_t bind_key_read(const char *text, size_t len, char *out, size_t cap);
