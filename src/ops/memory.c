#include "ops/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1; older kernels return EINVAL, and collapse pages later by themselves */
#endif

#define LARGE_PAGE ((uintptr_t)2 << 20)

enum { LARGE_PAGES_MIN = 4 }; /* a smaller heap does not need it: its page table entries fit into the processor's cache for them */

void
memory_begin(void)
{
	mallopt(M_ARENA_MAX, 1);
}

/* What counts towards RLIMIT_DATA at present: the sixth number of statm (proc(5)). */
static uint64_t
data_octets(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f != NULL) {
		if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1) {
			pages = 0;
		}
		(void)fclose(f);
	}
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
memory_bound(uint64_t octets)
{
	struct rlimit r;
	uint64_t limit = data_octets() + octets;
	if (getrlimit(RLIMIT_DATA, &r) == 0 && limit < r.rlim_max) {
		r.rlim_cur = r.rlim_max = limit;
		(void)setrlimit(RLIMIT_DATA, &r);
	}
}

/* The part of the heap that malloc() got by brk(2). */
static void
find_heap(uintptr_t *begin, uintptr_t *end)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	*begin = *end = 0;
	while (maps != NULL && *end == 0 && fgets(line, sizeof line, maps) != NULL) {
		if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", begin, end) != 2) {
			*begin = *end = 0;
		}
	}
	if (maps != NULL) {
		(void)fclose(maps);
	}
}

void
memory_settle(void)
{
	uintptr_t begin, end;
	malloc_trim(0);
	find_heap(&begin, &end);
	begin = (begin + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	end &= ~(LARGE_PAGE - 1);
	if (end > begin && end - begin >= LARGE_PAGES_MIN * LARGE_PAGE) {
		/* Both are advice, so failure is no error. */
		(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
		(void)madvise((void *)begin, end - begin, MADV_COLLAPSE);
	}
}
