/* ops/memory_limit.h -- how much memory the system lets this process use.
 *
 * It is the lowest of: the machine's memory, the limits of the control group and its ancestors (cgroup version 1 or 2), RLIMIT_AS, and
 * RLIMIT_DATA.
 */
#pragma once

#include <stdint.h>

struct memory_limit {
	uint64_t octets;  /* 0: unknown */
	const char *from; /* static: "machine", "cgroup", "rlimit" or "" */
};

/* `root` is put before the paths /proc and /sys; it is "" except in tests. */
struct memory_limit memory_limit_find(const char *root);
