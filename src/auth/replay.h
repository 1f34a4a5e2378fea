/* auth/replay.h -- updates that have come already, by their signatures.
 *
 * A client that waits too long sends its request again, and somebody who has recorded one may send it too: within the fudge the
 * signature is as good the second time (RFC 8945 10.2).  So the MAC of each update that was taken up is remembered, with what became of
 * it: the second gets the same answer, or none while the first is still under way.
 *
 * Remembered are the last REPLAY_MAX, in 3 MiB.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { REPLAY_MAX = 1 << 16 };

struct replay;

struct replay *replay_new(void);
void replay_free(struct replay **r); /* NULL-safe */

enum replay_state {
	REPLAY_NEW,      /* never seen: it is remembered now, as under way */
	REPLAY_UNDER_WAY,
	REPLAY_ANSWERED, /* *rcode */
};
enum replay_state replay_take(struct replay *r, const uint8_t *mac, size_t len, unsigned *rcode);

/* What became of one that was taken; nothing if it is forgotten by now. */
void replay_answered(struct replay *r, const uint8_t *mac, size_t len, unsigned rcode);
