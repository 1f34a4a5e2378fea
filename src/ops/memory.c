#include "ops/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; older kernels say EINVAL, and do it in their own time */
#endif

#define LARGE_PAGE ((uintptr_t)2 << 20)

enum { LARGE_PAGES_MIN = 4 }; /* a smaller heap fits the processor's tables as it is */

void
memory_begin(void)
{
	mallopt(M_ARENA_MAX, 1);
}

/* The heap that malloc() has by brk(2). */
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
		/* Advice: that it cannot be followed here is no error. */
		(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
		(void)madvise((void *)begin, end - begin, MADV_COLLAPSE);
	}
}
