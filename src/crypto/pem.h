/* crypto/pem.h -- texts with DER in base64 between BEGIN and END (RFC 7468). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { PEM_TEXT_MAX = 512 << 10 }; /* octets of a text that is read */

#define PEM_CERTIFICATE "CERTIFICATE"
#define PEM_REQUEST "CERTIFICATE REQUEST"

void pem_put(const char *label, const uint8_t *der, size_t len, struct str *out);

/* Calls `each` with the contents of the blocks that have this label, until it returns an error, which is returned.  Other texts and blocks
 * are passed over.  E_LIMIT: over PEM_TEXT_MAX octets; E_FORMAT: a block is cut, or no base64; E_NOTFOUND: there is no such block. */
err_t pem_each(const char *text, size_t len, const char *label, err_t (*each)(void *ctx, const uint8_t *der, size_t len), void *ctx);
