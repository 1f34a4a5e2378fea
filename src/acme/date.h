/* acme/date.h -- dates in answers of CAs, as seconds since 1970.
 *
 * Pure.  E_FORMAT: not such a date; E_RANGE: before 1970.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

err_t acme_date_rfc3339(const char *text, size_t len, uint64_t *out); /* 2026-09-20T12:00:00Z, with fractions (left out) or an offset */
err_t acme_date_http(const char *text, size_t len, uint64_t *out);    /* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7) */
