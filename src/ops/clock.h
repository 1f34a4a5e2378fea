/* ops/clock.h -- the time.  Only floors that may do I/O use it; the core gets the time as an argument. */
#pragma once

#include <stdint.h>

/* For measuring and for deadlines: counted from an unspecified moment, never goes backwards. */
uint64_t clock_ns(void);
uint64_t clock_us(void);
uint64_t clock_ms(void);

uint64_t clock_wall_s(void); /* since 1970 */
