/* ops/histogram.h -- counts how often a value was how large.
 *
 * One thread writes, any thread may read, as with all counters of a worker: plain stores, without a lock.  All members are counters, so
 * histograms of the same bounds are added member by member.
 */
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 18 };

/* A value counts in the first bucket whose bound is not less; the last bucket is for all that are larger. */
struct histogram_bounds {
	unsigned n;
	uint64_t at[HISTOGRAM_BOUNDS_MAX]; /* growing */
	double one;                        /* so many make one of the metric's unit: 1e9, if values are nanoseconds and it is the second */
};

struct histogram {
	uint64_t count[HISTOGRAM_BOUNDS_MAX + 1]; /* by bucket */
	uint64_t sum;                             /* of the values */
};

static inline void
histogram_note(struct histogram *h, const struct histogram_bounds *b, uint64_t value)
{
	unsigned i = 0;
	while (i < b->n && value > b->at[i]) {
		i++;
	}
	__atomic_store_n(&h->count[i], h->count[i] + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&h->sum, h->sum + value, __ATOMIC_RELAXED);
}

/* Adds the counters of `from`, which another thread may write. */
static inline void
histogram_add(struct histogram *to, const struct histogram *from)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		to->count[i] += __atomic_load_n(&from->count[i], __ATOMIC_RELAXED);
	}
	to->sum += __atomic_load_n(&from->sum, __ATOMIC_RELAXED);
}
