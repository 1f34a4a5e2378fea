/* net/inbox.h -- updates between the workers that receive them and the one thread that makes commits of them.
 *
 * Bounded: by all that wait or are under way, and by those of one key, so that one client does not take the places of all.
 * An update leaves its place when it has been answered.
 *
 * Threads: any may put; one takes and gives back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "net/return_path.h"

enum { INBOX_OCTETS_MAX = 64 << 20 }; /* of all messages in it */

struct inbox_item {
	struct inbox_item *next;
	struct return_path from;
	struct name key;
	uint64_t arrived_s;  /* seconds since 1970 */
	uint64_t arrived_ns; /* monotonic */
	size_t len;
	uint8_t bytes[];
};

struct inbox;

/* `max` items in all, `per_key` of one key.  `wake` (may be NULL) is called when one comes into an empty inbox; it must not block. */
struct inbox *inbox_new(unsigned max, unsigned per_key, void (*wake)(void *ctx), void *ctx);
void inbox_free(struct inbox **in); /* NULL-safe; what still waits in it is freed, what was taken must have been given back */

/* Copies the message.  E_LIMIT: there are too many; E_BUSY: too many of this key. */
err_t inbox_put(struct inbox *in, const struct return_path *from, const struct name *key, uint64_t now_s, const uint8_t *bytes,
                size_t len);

/* All that came, in order, or NULL; each is to be given back. */
struct inbox_item *inbox_take_all(struct inbox *in);
void inbox_give_back(struct inbox *in, struct inbox_item *item);

struct inbox_stats {
	uint64_t accepted, over_limit, over_key_limit; /* so far */
	unsigned waiting;                              /* put, and not given back */
};
struct inbox_stats inbox_stats(struct inbox *in);
