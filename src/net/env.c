#include "net/env.h"

#include <time.h>

const struct histogram_bounds net_answering_bounds = {
	.n = 14,
	.at = { 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 10000000, 100000000, 1000000000 },
	.one = 1e9,
};

uint64_t
net_wall_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

uint64_t
net_coarse_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * NOW_SECOND_NS + (uint64_t)now.tv_nsec;
}

void
net_sample_end(struct net_stats *s, uint64_t begun_ns)
{
	histogram_note(&s->answering, &net_answering_bounds, clock_ns() - begun_ns);
}

struct now
net_now(void)
{
	return (struct now){ .mono_ns = clock_ns(), .wall_s = net_wall_s() };
}

void
net_stats_add(struct net_stats *sum, const struct net_stats *worker)
{
	_Static_assert(sizeof *sum % sizeof(uint64_t) == 0, "nothing but counters");
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)worker;
	for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	}
}
