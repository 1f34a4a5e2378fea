/* crypto/siphash.h -- SipHash-2-4 (Aumasson, Bernstein, 2012): a keyed hash of 64 bits for short inputs.
 *
 * Without the key nobody can find inputs that collide, or tell the hash of an input.  It is our own code because answers need one for each
 * query: by OpenSSL's EVP_MAC a hash of 20 octets costs three to four times as much, and each thread would need a context.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_LEN = 16, SIPHASH_LEN = 8 };

uint64_t siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *octets, size_t n);

/* The same as octets, in the order in which the algorithm's authors, and RFC 9018, write them. */
void siphash_octets(const uint8_t key[SIPHASH_KEY_LEN], const void *octets, size_t n, uint8_t out[SIPHASH_LEN]);
