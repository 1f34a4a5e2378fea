/* tests/sim/units.h -- of virtual time, in nanoseconds. */
#pragma once

#include <stdint.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
