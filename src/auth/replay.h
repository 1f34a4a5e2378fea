/* auth/replay.h -- requests that have come already, by their signatures.
 *
 * A client that waits too long sends its request again, and somebody who has recorded one may send it too: within the fudge the
 * signature is as good the second time (RFC 8945 10.2).  So the MAC of each request that was taken up is remembered, with what became
 * of it: the second gets the same answer, or none while the first is still under way.
 *
 * No request is carried out twice, also where memory ends.  What was carried out is forgotten in three cases: it is so old that TSIG
 * does not let it come again (REPLAY_AGE_S), there are too many (REPLAY_MAX), or the process was started anew.  Then the newest time
 * of signing among what was forgotten is kept (RFC 8945 5.2.3): a request that was signed at that time or before, and is not known, is
 * doubtful, and has to be signed anew.  Nobody whose clock is right has to: that time is in the past.
 *
 * All of it is a key's own: neither can others push out what one key has done, nor does one key's past bear on another.  What was refused
 * is remembered too (somebody was told that it is not done), but the last REPLAY_REFUSED_MAX of a key at most, and it pushes out nothing
 * that was carried out.  A key is known by its name, in any case, as its MAC is (RFC 8945 4.3.3): one that is removed and comes back finds
 * its past, and two names with one secret have two.
 *
 * Memory: some 80 octets for each.  With REPLAY_MAX of them it is 80 MiB; then a 16th of those of the key that has most is forgotten.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/tsig.h"

enum {
	REPLAY_AGE_S = 2 * TSIG_FUDGE_MAX_S, /* a signature is good: from that fudge before its time to that fudge after it */
	REPLAY_MAX = 1 << 20,                /* remembered in all; what is under way is not counted */
	REPLAY_REFUSED_MAX = 1024,           /* of one key that were not carried out */
};

struct replay;
struct replay_entry;

struct replay *replay_new(void);
void replay_free(struct replay **r); /* NULL-safe */

struct replay_request {
	const uint8_t *key;    /* its name */
	const uint8_t *mac;
	size_t mac_len;
	uint64_t signed_s;     /* as the request says, seconds since 1970 */
	uint64_t now_s;        /* likewise, our clock */
	uint64_t mono_s;       /* never goes back */
};

enum replay_state {
	REPLAY_NEW,      /* never seen: it is remembered now, as under way */
	REPLAY_UNDER_WAY,
	REPLAY_ANSWERED, /* *rcode */
	REPLAY_DOUBTFUL, /* it may have been carried out before */
};

/* REPLAY_NEW: *entry is to be given to replay_settle() or replay_lose() once.  E_NOMEM: nothing is known of it. */
err_t replay_take(struct replay *r, const struct replay_request *q, enum replay_state *state, unsigned *rcode,
                  struct replay_entry **entry);

/* What became of it. */
void replay_settle(struct replay *r, struct replay_entry *e, unsigned rcode, bool is_carried_out);

/* What became of it is not known, and will not be: it stays under way. */
void replay_lose(struct replay *r, struct replay_entry *e);

/* Of that key (NULL: of any) something was carried out that was signed then, and of which no more is known. */
err_t replay_note(struct replay *r, const uint8_t *key, uint64_t signed_s);

size_t replay_n(const struct replay *r); /* remembered, without what is under way */
