/* base/hash.h -- FNV-1a: short hashes of octets that no stranger chooses.
 *
 * Anybody who knows the start value can make texts that collide.  So this hash is for tables whose keys are our own, and for
 * names that only need to differ.  A table that strangers fill needs a secret start value.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH32_START UINT32_C(2166136261)
#define HASH64_START UINT64_C(0xCBF29CE484222325)

static inline uint32_t
hash32_octet(uint32_t h, uint8_t octet)
{
	return (h ^ octet) * UINT32_C(16777619);
}

/* `h`: the start value, or the hash of the octets before. */
static inline uint32_t
hash32(uint32_t h, const void *octets, size_t n)
{
	for (const uint8_t *p = octets; n != 0; n--, p++) {
		h = hash32_octet(h, *p);
	}
	return h;
}

static inline uint32_t
hash32_text(const char *text)
{
	return hash32(HASH32_START, text, strlen(text));
}

static inline uint64_t
hash64(uint64_t h, const void *octets, size_t n)
{
	for (const uint8_t *p = octets; n != 0; n--, p++) {
		h = (h ^ *p) * UINT64_C(0x100000001B3);
	}
	return h;
}
