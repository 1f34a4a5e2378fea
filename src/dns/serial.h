/* dns/serial.h -- serial number arithmetic (RFC 1982), in this one place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Is `a` newer than `b`?  False both ways when they are exactly 2^31 apart (undefined there). */
static inline bool
serial_is_newer(uint32_t a, uint32_t b)
{
	uint32_t ahead = a - b;
	return ahead != 0 && ahead < UINT32_C(0x80000000);
}

static inline uint32_t
serial_next(uint32_t s)
{
	return s + 1;
}

/* The next serial by the clock, as long as that is ahead of the old one; else one more. */
static inline uint32_t
serial_by_time(uint32_t s, uint64_t now_s)
{
	uint32_t now = (uint32_t)now_s;
	return serial_is_newer(now, s) ? now : serial_next(s);
}
