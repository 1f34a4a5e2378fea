/* base/number.h -- numbers as octets in network order, where the caller has made sure of the room.  Otherwise see base/cur.h and
 * base/buf.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint16_t
u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* These write the low 16 or 32 bits of the number, and return where they end. */
static inline uint8_t *
u16_put(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static inline uint8_t *
u32_put(uint8_t *p, uint32_t v)
{
	return u16_put(u16_put(p, v >> 16), v);
}
