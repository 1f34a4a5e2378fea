/* auth/forwarder.h -- passes UPDATEs on to a zone's primaries, and their answers back to those who asked (RFC 2136 6).
 *
 * A state machine without I/O: updates, messages, ends of links and time come in; messages and answers go out by callbacks.
 *
 * An update goes to the primaries of its zone one after the other, the one that answered last first, until one has received it:
 *
 *                      a link is there             sent
 *     WAITING ───────────────────────────> ASKED ─────────> answered, or failed
 *        ^  │ cannot be made: the next       │
 *        └──┴────────────────────────────────┘ the link ends, or the answer is another forwarder's: see below
 *
 * What may have arrived is not sent to another primary: both might carry it out.  But a link that has brought answers before,
 * and ends, may have been closed because it was idle.  Then the same primary is asked once more, as a client would do over UDP.
 *
 * The message is passed on octet for octet, with another ID (6.1).  Its signature has the original ID, so the primary can verify it.
 * The ID on the wire is never the original one.  By that a forwarder knows what comes from another forwarder (forward_is_passed()).  If
 * such an update is under way here already, secondaries follow each other in a circle.  Then, and whenever it is sure that the update has
 * not reached a primary, one forwarder answers the other with SERVFAIL without a signature; and that one goes on to its next primary.
 * (A primary signs what it says to whoever has signed.)  If it is not sure, it answers nothing.
 *
 * All updates for one primary go over one link, as they come.  Who may forward, and limits for each client, are the caller's.
 *
 * Bounds: FORWARDER_* below.  One thread; the callbacks must not call back in.  Cost: one step for each update under way, at most.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "base/now.h"

enum {
	FORWARDER_ASKS_MAX = 256,     /* updates under way */
	FORWARDER_LINKS_MAX = 16,     /* primaries that are asked at a time */
	FORWARDER_PRIMARIES_MAX = 8,  /* of one zone that are tried */
	FORWARDER_CONNECT_S = 3,      /* a link that is not there after so long counts as one that cannot be made */
	FORWARDER_ANSWER_S = 30,      /* one update, with all primaries that are tried */
	FORWARDER_IDLE_S = 5,         /* a link without updates is closed after so long */
};

struct forward_update {
	const uint8_t *bytes;         /* borrowed until the answer; at least DNS_HEADER_LEN octets */
	size_t len;
	const struct follow_source *to[FORWARDER_PRIMARIES_MAX]; /* borrowed; the first is tried first */
	size_t to_n;
	void *handle;                 /* the caller's */
};

/* Links are numbers below FORWARDER_LINKS_MAX.  A link is in use from open(), if that returned true, until close() or
 * forwarder_closed(). */
struct forwarder_io {
	bool (*open)(void *ctx, unsigned link, const struct follow_source *to);
	bool (*send)(void *ctx, unsigned link, const uint8_t *bytes, size_t len); /* after forwarder_connected() */
	void (*close)(void *ctx, unsigned link);
	/* The end of an update: the primary's answer, with the ID of the request. */
	void (*answer)(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len);
	/* The end of an update: there is no answer, and `why`, for people.  `from` was asked last; NULL: nobody was. */
	void (*fail)(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why);
	uint32_t (*random_u32)(void *ctx);
	void *ctx;
};

struct forwarder;

struct forwarder *forwarder_new(const struct forwarder_io *io);
void forwarder_free(struct forwarder **f); /* NULL-safe; nothing is answered, sent or closed */

void forwarder_add(struct forwarder *f, const struct now *now, const struct forward_update *u);

void forwarder_connected(struct forwarder *f, const struct now *now, unsigned link);
void forwarder_input(struct forwarder *f, const struct now *now, unsigned link, const uint8_t *bytes, size_t len);
void forwarder_closed(struct forwarder *f, const struct now *now, unsigned link, const char *why); /* it failed, or has ended */

/* Call forwarder_timer() when the deadline (mono_ns) has come.  NOW_NEVER: there is none.  Every input may change it. */
uint64_t forwarder_deadline(const struct forwarder *f);
void forwarder_timer(struct forwarder *f, const struct now *now);
