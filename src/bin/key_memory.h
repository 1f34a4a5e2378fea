/* bin/key_memory.h -- where daemons have the secrets of TSIG keys: in memory that is not written to swap (ops/secret_memory.h).
 *
 * Threads: any.
 */
#pragma once

#include "base/alloc.h"

/* For keystore_new(); one for the process, because keys are read before there is a daemon. */
const struct alloc_source *key_memory(void);

/* errno(3) of the first keys that are not in such memory; 0: all are. */
int key_memory_refused(void);
