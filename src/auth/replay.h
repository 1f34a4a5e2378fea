/* auth/replay.h -- updates that have come already, by their signatures.
 *
 * A client that waits too long sends its request again, and somebody who has recorded one may send it too: within the fudge the
 * signature is as good the second time (RFC 8945 10.2).  So the MAC of each update that was taken up is remembered, with what became of
 * it: the second gets the same answer, or none while the first is still under way.
 *
 * A signature is good for REPLAY_AGE_S at most: from the fudge before its time to the fudge after it (both 300 s; RFC 8945 10.3).  All of
 * that time are remembered, REPLAY_MAX of them at most, then the oldest go first: what 3,495 updates a second come to, in 88 MiB (we carry
 * out some 3,000).  Memory grows with what there is, from 704 KiB.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	REPLAY_AGE_S = 600,
	REPLAY_MIN = 1 << 14, /* that there is room for at first; powers of two */
	REPLAY_MAX = 1 << 21,
};

struct replay;

struct replay *replay_new(void);
void replay_free(struct replay **r); /* NULL-safe */

enum replay_state {
	REPLAY_NEW,      /* never seen: it is remembered now, as under way */
	REPLAY_UNDER_WAY,
	REPLAY_ANSWERED, /* *rcode */
};
/* `now_s` never goes back, whatever it counts from. */
enum replay_state replay_take(struct replay *r, const uint8_t *mac, size_t len, uint64_t now_s, unsigned *rcode);

/* What became of one that was taken; nothing if it is forgotten by now. */
void replay_answered(struct replay *r, const uint8_t *mac, size_t len, unsigned rcode);
