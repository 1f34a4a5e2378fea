/* auth/replay.h -- remembers requests by their signatures, so that none is carried out twice.
 *
 * A client that waits too long sends its request again, and an attacker who has recorded a request may send it, too: within the
 * fudge, the signature is valid both times (RFC 8945 10.2).  So the MAC of each accepted request is remembered together with its
 * result.  A repeat gets the same answer, or none while the first request is still under way.
 *
 * A request that was carried out is forgotten in three cases: it is so old that TSIG does not accept it any more (REPLAY_AGE_S), there
 * are too many (REPLAY_MAX), or the process was restarted.  Even then it is not carried out twice, because the newest signing time of
 * all forgotten requests is kept (RFC 8945 5.2.3): an unknown request that was signed at that time or earlier is doubtful, and must be
 * signed again.  A new request of a client with a correct clock is never doubtful, since that time is in the past.
 *
 * Each key has its own memory, so other keys can neither push out its requests nor make them doubtful.  Refused requests are
 * remembered, too, because the client was told that they are not done; but only the last REPLAY_REFUSED_MAX of a key, and they
 * never push out a request that was carried out.  A key is identified by its name, without regard to case, as its MAC is (RFC
 * 8945 4.3.3).  So a key that is removed and comes back finds its memory, and two names with one secret have two.
 *
 * Memory: some 80 octets for each request, 80 MiB for REPLAY_MAX.  When there are that many, the key with the most requests loses one
 * sixteenth of them.
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
	REPLAY_AGE_S = 2 * TSIG_FUDGE_MAX_S, /* a signature is valid from one fudge before its time until one fudge after it */
	REPLAY_MAX = 1 << 20,                /* remembered in all, without those under way */
	REPLAY_REFUSED_MAX = 1024,           /* refused requests of one key */
};

struct replay;
struct replay_entry;

struct replay *replay_new(void);
void replay_free(struct replay **r); /* NULL-safe */

struct replay_request {
	const uint8_t *key;    /* its name */
	const uint8_t *mac;
	size_t mac_len;
	uint64_t signed_s;     /* according to the request, seconds since 1970 */
	uint64_t now_s;        /* according to our clock, seconds since 1970 */
	uint64_t mono_s;       /* never goes back */
};

enum replay_state {
	REPLAY_NEW,      /* never seen: from now on remembered as under way */
	REPLAY_UNDER_WAY,
	REPLAY_ANSWERED, /* *rcode is the answer */
	REPLAY_DOUBTFUL, /* perhaps carried out before */
};

/* Looks up a request.  REPLAY_NEW: the caller must give *entry to replay_settle() or replay_lose() once.  E_NOMEM: nothing is
 * known about the request. */
err_t replay_take(struct replay *r, const struct replay_request *q, enum replay_state *state, unsigned *rcode,
                  struct replay_entry **entry);

/* Sets the result of a request. */
void replay_settle(struct replay *r, struct replay_entry *e, unsigned rcode, bool is_carried_out);

/* The result of a request is not known, and never will be: it stays under way. */
void replay_lose(struct replay *r, struct replay_entry *e);

/* Notes a carried out request of which only the time of its signature is known, and its key (NULL: not even that). */
err_t replay_note(struct replay *r, const uint8_t *key, uint64_t signed_s);

size_t replay_n(const struct replay *r); /* number of remembered requests, without those under way */
