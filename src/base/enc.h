/* base/enc.h -- base64, base64url and base32hex (RFC 4648), encoded and decoded; base16, encoded, and decoded digit by digit.
 *
 * Encoders write no NUL, and need ENC_*_LEN(n) octets of room.  Decoders are strict: no spaces; base64 with its padding, base64url
 * (RFC 7515 2) and base32hex (RFC 5155 3.3) without any.  They return E_FORMAT, or E_FULL if `cap` is too small; the count is set
 * last, and only on success.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ENC_BASE64_LEN(n) (((n) + 2) / 3 * 4)
#define ENC_BASE64URL_LEN(n) (((n) * 4 + 2) / 3) /* without padding */
#define ENC_BASE32HEX_LEN(n) (((n) * 8 + 4) / 5) /* without padding (RFC 5155 3.3) */
#define ENC_BASE16_LEN(n) ((n) * 2)

size_t base64_encode(const uint8_t *in, size_t n, char *out);
err_t base64_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n);

size_t base64url_encode(const uint8_t *in, size_t n, char *out);
err_t base64url_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n);

size_t base32hex_encode(const uint8_t *in, size_t n, char *out); /* lower case */
err_t base32hex_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n);

size_t base16_encode(const uint8_t *in, size_t n, char *out); /* upper case */

extern const int8_t base16_values[256];

/* The value of a digit in upper or lower case, or -1. */
static inline int
base16_value(char c)
{
	return base16_values[(uint8_t)c];
}

/* The octet that two digits stand for, or -1.  The second is only looked at behind a digit. */
static inline int
base16_octet(const char *digits)
{
	int high = base16_value(digits[0]), low = high >= 0 ? base16_value(digits[1]) : -1;
	return low >= 0 ? high << 4 | low : -1;
}
