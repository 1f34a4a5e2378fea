/* net/notify_queue.h -- a queue from other threads to the notifier's thread; private to net/notify.c.
 *
 * An entry is one block that holds everything, packed, because tens of thousands may come at once at a start.  An entry is wiped when it
 * is freed, because it may hold a secret.
 *
 * Threads: any number put, one takes; there is a lock inside, held for a few instructions.
 */
#pragma once

#include <pthread.h>

#include "auth/notifier.h"
#include "base/err.h"

enum {
	NOTIFY_QUEUE_OCTETS_MAX = 64 << 20, /* about 250,000 notifications */
	NOTIFY_QUEUE_INPUTS_MAX = 1024,     /* messages from peers; the limit leaves room for other entries */
	NOTIFY_INPUT_MAX = 4096,            /* octets of a message from a peer; an answer has a few hundred */
};

enum notify_entry_kind { NOTIFY_ENTRY_NEWS, NOTIFY_ENTRY_INPUT, NOTIFY_ENTRY_CLOSED };

struct notify_entry {
	struct notify_entry *next;
	size_t size;                 /* octets of the whole block */
	enum notify_entry_kind kind;
	struct notify_target target;  /* NEWS: all but its key, which is in `bytes`; INPUT, CLOSED: only its connection */
	uint32_t soa_ttl;
	enum hmac_alg alg;           /* NEWS: of the key; HMAC_NONE: unsigned */
	uint16_t zone_len, soa_len, key_name_len, secret_len, message_len;
	uint8_t bytes[];             /* the five parts of these lengths, one after the other */
};

struct notify_queue {
	pthread_mutex_t lock;
	struct notify_entry *first, **end;
	size_t octets, inputs;
	uint64_t over_limit;         /* entries that were not taken */
};

void notify_queue_init(struct notify_queue *q);
void notify_queue_fini(struct notify_queue *q); /* frees all entries; no thread may use the queue any more */

/* E_LIMIT, E_NOMEM: the entry was not taken; it is counted in `over_limit`. */
err_t notify_queue_news(struct notify_queue *q, const struct notify_news *news, const struct notify_target *to);
err_t notify_queue_input(struct notify_queue *q, uint64_t conn, const uint8_t *bytes, size_t len);
err_t notify_queue_closed(struct notify_queue *q, uint64_t conn);

struct notify_entry *notify_queue_take(struct notify_queue *q); /* the oldest entry, which the caller then owns; NULL: none */
void notify_entry_free(struct notify_entry **e);                /* NULL-safe */

/* What a NEWS entry holds.  Results are borrowed from the entry, except *key, which is written if the entry has a key. */
void notify_entry_read(const struct notify_entry *e, struct notify_news *news, struct notify_target *to,
                       struct tsig_key *key);

uint64_t notify_queue_over_limit(struct notify_queue *q);
