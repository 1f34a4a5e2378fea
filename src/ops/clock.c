#include "ops/clock.h"

#include <time.h>

uint64_t
clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
clock_us(void)
{
	return clock_ns() / 1000u;
}

uint64_t
clock_ms(void)
{
	return clock_ns() / 1000000u;
}

uint64_t
clock_wall_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec;
}
