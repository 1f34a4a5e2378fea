/* ops/clock.h -- what time it is, for the floors that may ask. */
#pragma once

#include <stdint.h>

/* Since some moment in the past, never backwards: for measuring and for deadlines. */
uint64_t clock_ns(void);
uint64_t clock_us(void);
uint64_t clock_ms(void);

uint64_t clock_wall_s(void); /* since 1970 */
