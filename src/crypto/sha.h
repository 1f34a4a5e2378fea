/* crypto/sha.h -- SHA-1 (for NSEC3, RFC 5155 5) and SHA-256, by OpenSSL. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One digest over two pieces (either may be empty). */
err_t sha1(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[20]);
err_t sha256(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[32]);

/* NSEC3's hash (RFC 5155 5): IH(salt, x, iterations), x in canonical wire form. */
err_t nsec3_hash(const uint8_t *name, size_t name_len, const uint8_t *salt, size_t salt_len,
                 uint16_t iterations, uint8_t out[20]);

/* The cost of nsec3_hash(): how many blocks of 64 octets SHA-1 processes.  Its padding takes at least nine octets (RFC 3174 4). */
static inline size_t
nsec3_hash_blocks(size_t name_len, size_t salt_len, size_t iterations)
{
	return (name_len + salt_len + 9 + 63) / 64 + iterations * ((20 + salt_len + 9 + 63) / 64);
}
