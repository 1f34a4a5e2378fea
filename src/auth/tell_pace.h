/* auth/tell_pace.h -- decides when a secondary that has asked for a whole domain is told of every zone there.
 *
 * That is a walk over all zones, so it is done as soon as it is wanted, but not as often as somebody can ask.  After each walk for a wish,
 * the next one for the same wish waits for a pause: first TELL_PAUSE_MIN_MS, then twice as long each time, up to TELL_PAUSE_MAX_MS.  A
 * wish that comes in the pause is carried out at its end.  One that is not repeated for TELL_CALM_MS after the pause is forgotten.  So a
 * secondary that is started again soon hears of its zones; and a query that somebody has recorded, and sends again and again (nobody
 * remembers the signatures of queries), costs a walk every four minutes.
 *
 * The number of wishes that are remembered is limited, for each key and for all together.  The source of a datagram can be forged.  Wishes
 * that depend on it have smaller limits, so that they leave room for others.
 *
 * Pure, one thread; all times are of one monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	TELL_PAUSE_MIN_MS = 1000,
	TELL_PAUSE_MAX_MS = 256000,
	TELL_CALM_MS = 600000,
	TELL_WISHES_MAX = 256,
	TELL_WISHES_OF_KEY_MAX = 64,
	TELL_AS_TARGET_MAX = 64, /* of these: TELL_AS_TARGET */
	TELL_AS_TARGET_OF_KEY_MAX = 8,
};

enum tell_way {
	TELL_AT_ADDRESS,    /* at the address, which is in the key's name */
	TELL_BY_CONNECTION, /* over the connections that come from the address */
	TELL_AS_TARGET,     /* at the address, of those zones alone that are told there anyway; a datagram came from it, or seems to */
};

struct tell_wish {
	struct name key, domain;
	struct key_address address;
	enum tell_way way;
};

/* Ready for use when zeroed. */
struct tell_pace {
	struct tell_entry {
		struct tell_wish wish;
		uint64_t due_ms;   /* not before */
		unsigned pause_ms; /* after the last walk; 0: there was none yet */
		bool is_wanted;
	} list[TELL_WISHES_MAX];
	size_t n;
};

/* E_LIMIT: the key, or all keys together, have too many other wishes. */
err_t tell_pace_want(struct tell_pace *p, const struct tell_wish *wish, uint64_t now_ms);

/* True: *out is to be carried out now, and counts as carried out.  Of several, the one that has been due for longest. */
bool tell_pace_next(struct tell_pace *p, uint64_t now_ms, struct tell_wish *out);

/* Is there one that is to be carried out now? */
bool tell_pace_is_due(const struct tell_pace *p, uint64_t now_ms);
