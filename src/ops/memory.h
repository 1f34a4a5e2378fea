/* ops/memory.h -- how the heap lies in memory: together, given back when free, on large pages.
 *
 * Lookups in a large zone go all over its nodes, so most of their time is waiting for memory, part of it for the
 * page table.  Measured with a zone of 150,000 records: user time a query 0.80 to 0.67 µs.
 */
#pragma once

#include <stdint.h>

/* Before any thread: one heap for all, as only one thread allocates much. */
void memory_begin(void);

/* From now on this process can take so many octets more, for good: then malloc() says that there is no more (RLIMIT_DATA, which leaves
 * out files that are mapped to be read).  As far as the system lets it. */
void memory_bound(uint64_t octets);

/* After a load: gives back what is free, and has the kernel put the rest on large pages, as far as it can. */
void memory_settle(void);
