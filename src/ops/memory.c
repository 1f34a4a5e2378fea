#include "ops/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1; older kernels return EINVAL, and collapse pages later by themselves */
#endif

#define LARGE_PAGE ((uintptr_t)2 << 20)

enum { LARGE_PAGES_MIN = 4 }; /* a smaller heap does not need it: its page table entries fit into the processor's cache for them */

static uintptr_t heap_begin; /* of the process; by memory_begin() */

void
memory_begin(void)
{
	heap_begin = (uintptr_t)sbrk(0);
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

void
memory_settle(void)
{
	malloc_trim(0);
	/* the part of the heap that malloc() got by brk(2) */
	uintptr_t begin = (heap_begin + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1), end = (uintptr_t)sbrk(0) & ~(LARGE_PAGE - 1);
	if (end > begin && end - begin >= LARGE_PAGES_MIN * LARGE_PAGE) {
		/* Both are advice, so failure is no error. */
		(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
		(void)madvise((void *)begin, end - begin, MADV_COLLAPSE);
	}
}
