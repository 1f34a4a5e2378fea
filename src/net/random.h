/* net/random.h -- random numbers that nobody can predict, from the system. */
#pragma once

#include <stdint.h>
#include <sys/random.h>

#include "base/err.h"

static inline uint32_t
net_random_u32(void)
{
	uint32_t r = 0;
	ssize_t got = getrandom(&r, sizeof r, 0); /* so few octets never come in part */
	ASSERT(got == (ssize_t)sizeof r);
	return r;
}
