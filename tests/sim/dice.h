/* tests/sim/dice.h -- the simulator's own random numbers: the same seed gives the same ones, everywhere (splitmix64). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t
dice_u64(struct dice *d)
{
	uint64_t x = d->state += UINT64_C(0x9E3779B97F4A7C15);
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

/* Below n, which is not 0. */
static inline uint64_t
dice_below(struct dice *d, uint64_t n)
{
	return dice_u64(d) % n;
}

static inline unsigned
dice_unsigned(struct dice *d, unsigned n)
{
	return (unsigned)dice_below(d, n);
}

/* From `least` to `most`, both included. */
static inline uint64_t
dice_between(struct dice *d, uint64_t least, uint64_t most)
{
	return least + dice_below(d, most - least + 1);
}

static inline bool
dice_hits(struct dice *d, unsigned permille)
{
	return permille != 0 && dice_below(d, 1000) < permille;
}
