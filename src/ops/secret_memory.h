/* ops/secret_memory.h -- memory for secrets that stay for long: it is not written to swap, and not part of a core dump.
 *
 * Blocks of one size come out of pages of their own, which are locked (mlock(2)).  Where the system allows no more locked memory
 * (RLIMIT_MEMLOCK), further pages are not locked.  Pages are kept until the process ends.
 *
 * Threads: any, at the same time.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct secret_block;

/* Initialise with SECRET_MEMORY_OF(size). */
struct secret_memory {
	size_t size;               /* octets of each block */
	pthread_mutex_t lock;
	struct secret_block *free; /* blocks that are not in use */
	atomic_int refused;        /* errno of a page that could not be locked; 0: all are */
};

#define SECRET_MEMORY_OF(octets) { .size = (octets), .lock = PTHREAD_MUTEX_INITIALIZER }

/* Functions of struct alloc_source (base/alloc.h), whose ctx is the memory.  `size` is that of all blocks. */
void *secret_memory_take(void *memory, size_t size);
void secret_memory_give(void *memory, void *block, size_t size); /* overwrites it, and keeps it for the next one */
