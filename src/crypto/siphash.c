#include "crypto/siphash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
load(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof word);
	return le64toh(word);
}

static inline uint64_t
rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
mix(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void
take(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	mix(s);
	s->v0 ^= word;
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *octets, size_t n)
{
	const uint64_t k0 = load(key), k1 = load(key + 8);
	struct sip s = { /* "somepseudorandomlygeneratedbytes" */
		k0 ^ UINT64_C(0x736F6D6570736575), k1 ^ UINT64_C(0x646F72616E646F6D),
		k0 ^ UINT64_C(0x6C7967656E657261), k1 ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *p = octets;
	size_t left = n;
	for (; left >= 8; left -= 8, p += 8) {
		take(&s, load(p));
	}
	uint64_t last = (uint64_t)n << 56;
	for (size_t i = 0; i < left; i++) {
		last |= (uint64_t)p[i] << (8 * i);
	}
	take(&s, last);
	s.v2 ^= 0xFF;
	for (unsigned i = 0; i < 4; i++) {
		mix(&s);
	}
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void
siphash_octets(const uint8_t key[SIPHASH_KEY_LEN], const void *octets, size_t n, uint8_t out[SIPHASH_LEN])
{
	uint64_t hash = htole64(siphash(key, octets, n));
	memcpy(out, &hash, sizeof hash);
}
