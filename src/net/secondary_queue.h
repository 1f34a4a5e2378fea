/* net/secondary_queue.h -- what is heard of secondaries, for the one thread that keeps the list of them.
 *
 * Workers and the notifier put, and go on at once: the lock inside is held for a few instructions, never while zones or secondaries
 * are walked.
 *
 * Threads: any number put, one takes.
 */
#pragma once

#include <pthread.h>

#include "auth/notifier.h"
#include "base/err.h"

enum { SECONDARY_QUEUE_MAX = 65536 }; /* events; each about 350 octets, one with a key 350 more */

enum secondary_event_kind {
	SECONDARY_ASKED, /* a SOA query, signed with a transfer key */
	SECONDARY_GONE,  /* its connection has closed */
	SECONDARY_HEARD, /* what became of a notification at an address */
	SECONDARY_AHEAD, /* it has a newer serial than was served */
};

struct secondary_event {
	struct secondary_event *next;
	enum secondary_event_kind kind;
	struct notify_target target;  /* ASKED, AHEAD: its key is `key`; GONE: the connection alone; HEARD: the address alone */
	struct tsig_key *key;         /* ASKED, AHEAD; owned, wiped when it is freed */
	struct key_address primary, secondary; /* ASKED: in the key's name; family 0: none */
	struct name zone;             /* ASKED, AHEAD: that was asked for; HEARD: that was told */
	bool is_reached;              /* HEARD: it has answered; else it was missed */
	uint32_t serial;              /* AHEAD: that it has */
};

struct secondary_queue {
	pthread_mutex_t lock;
	struct secondary_event *first, **end;
	size_t n;
};

void secondary_queue_init(struct secondary_queue *q);
void secondary_queue_fini(struct secondary_queue *q); /* with what is in it; nobody uses it any more */

/* Copied, the key too.  E_LIMIT: not taken. */
err_t secondary_queue_put(struct secondary_queue *q, const struct secondary_event *e);

/* All, oldest first; NULL: none.  The caller frees each. */
struct secondary_event *secondary_queue_take(struct secondary_queue *q);
void secondary_event_free(struct secondary_event **e); /* NULL-safe */
