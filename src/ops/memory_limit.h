/* ops/memory_limit.h -- how much memory this process may take, by what the system says.
 *
 * The least of: the machine's memory, the limits of the control group and of those above it (both versions), and
 * RLIMIT_AS and RLIMIT_DATA.
 */
#pragma once

#include <stdint.h>

struct memory_limit {
	uint64_t octets;  /* 0: nothing is known */
	const char *from; /* static: "machine", "cgroup", "rlimit" or "" */
};

/* `root`: before the paths in /proc and /sys; "" but in tests. */
struct memory_limit memory_limit_find(const char *root);
