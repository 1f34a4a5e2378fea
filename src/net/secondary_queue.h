/* net/secondary_queue.h -- a queue of news about secondaries, to the loader, which alone keeps the list of secondaries.
 *
 * Workers and the notifier put an event and go on at once.  The lock inside is held for a few instructions, and never while zones or
 * secondaries are walked.
 */
#pragma once

#include <pthread.h>

#include "auth/notifier.h"
#include "base/err.h"

enum { SECONDARY_QUEUE_MAX = 65536 }; /* events; each about 350 octets, one with a key 350 more */

enum secondary_event_kind {
	SECONDARY_ASKED, /* a secondary has sent a SOA query, signed with a transfer key */
	SECONDARY_GONE,  /* its connection has closed */
	SECONDARY_HEARD, /* a notification to an address was answered or given up */
	SECONDARY_AHEAD, /* a secondary has a newer serial than we have served */
};

struct secondary_event {
	struct secondary_event *next;
	enum secondary_event_kind kind;
	struct notify_target target;  /* ASKED, AHEAD: the secondary, with `key`; GONE: only the connection; HEARD: only the address */
	struct tsig_key *key;         /* ASKED, AHEAD: owned; wiped when the event is freed */
	struct key_address primary, secondary; /* ASKED: addresses in the key's name; family 0: none */
	struct name zone;             /* ASKED, AHEAD: the name in the question; HEARD: the zone of the notification */
	bool is_reached;              /* HEARD: the secondary has answered */
	uint32_t serial;              /* AHEAD: the secondary's serial */
};

struct secondary_queue {
	pthread_mutex_t lock;
	struct secondary_event *first, **end;
	size_t n;
};

void secondary_queue_init(struct secondary_queue *q);
void secondary_queue_fini(struct secondary_queue *q); /* frees all events; no thread may use the queue any more */

/* Copies the event and its key.  E_LIMIT, E_NOMEM: it was not taken. */
err_t secondary_queue_put(struct secondary_queue *q, const struct secondary_event *e);

/* All events, oldest first; NULL: none.  The caller frees each. */
struct secondary_event *secondary_queue_take(struct secondary_queue *q);
void secondary_event_free(struct secondary_event **e); /* NULL-safe */
