/* net/notice_queue.h -- a queue of NOTIFYs, from the threads that receive them to the follower's thread (net/follow.h).
 *
 * A notice that says the same zone, key and sender as one that waits is merged with it: the newer serial counts (RFC 1982), and none when
 * one of the two has none.  So a zone takes one place however often it changes, and a NOTIFY that was overtaken hides nothing.  Whoever
 * may send can fill the queue, unsigned notices only a part of it; a secret in the hash keeps the cost of each notice the same.
 *
 * Threads: any number put, one takes; there is a lock inside, held for a few instructions, or one allocation.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "base/err.h"

enum {
	NOTICE_QUEUE_MAX = 1 << 14,
	NOTICE_QUEUE_UNSIGNED_MAX = NOTICE_QUEUE_MAX / 2, /* so that whoever forges them leaves room for signed ones */
	NOTICE_QUEUE_SLOTS = 1 << 13,
};

struct notice_entry;

struct notice_queue {
	pthread_mutex_t lock;
	struct notice_entry *first, **end;
	struct notice_entry *slots[NOTICE_QUEUE_SLOTS];
	size_t n, unsigned_n;
	uint64_t secret;
	uint64_t dropped; /* notices that were not taken */
};

void notice_queue_init(struct notice_queue *q, uint64_t secret); /* `secret`: random */
void notice_queue_fini(struct notice_queue *q); /* no thread may use the queue any more */

/* E_LIMIT, E_NOMEM: it was not taken, and counts as dropped. */
err_t notice_queue_put(struct notice_queue *q, const struct follow_notice *n);

/* Removes the notice that has waited longest; its names are in lower case.  False: there is none. */
bool notice_queue_take(struct notice_queue *q, struct follow_notice *out);

uint64_t notice_queue_dropped(struct notice_queue *q);
