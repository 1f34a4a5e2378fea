/* dns/serial.h -- serial number arithmetic (RFC 1982), only here.
 *
 * Serial numbers go round in a circle, so "newer" does not put all of them in an order.  Of two serials that are exactly 2^31
 * apart neither is newer (RFC 1982 3.2: undefined).  Other servers differ here: BIND and PowerDNS keep the serial that they
 * have, Knot and NSD take the other.  No third serial is newer than both.  So these are our rules, and the log tells when they
 * are used:
 *
 * - A zone's newest serial is only replaced by a newer serial.  A serial 2^31 away is not newer: the first one stays, since it
 *   was chosen earlier and served for longer.
 * - The next serial is counted from the newest serial, never from a serial that was served in between and was not newer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* True when `a` is newer than `b`.  False both ways if they are exactly 2^31 apart. */
static inline bool
serial_is_newer(uint32_t a, uint32_t b)
{
	uint32_t ahead = a - b;
	return ahead != 0 && ahead < UINT32_C(0x80000000);
}

/* The newest serial that was served, once `now` is served.  `newest`: the newest one before. */
static inline uint32_t
serial_newest(uint32_t newest, uint32_t now)
{
	return serial_is_newer(now, newest) ? now : newest;
}

static inline uint32_t
serial_next(uint32_t s)
{
	return s + 1;
}

/* The next serial: the time, if that is newer; else one more. */
static inline uint32_t
serial_by_time(uint32_t s, uint64_t now_s)
{
	uint32_t now = (uint32_t)now_s;
	return serial_is_newer(now, s) ? now : serial_next(s);
}
