/* auth/notify_repeats.h -- remembers accepted notifications by their signatures.
 *
 * Somebody who has recorded a signed NOTIFY can send it again, and while the fudge lasts its signature is still valid (RFC 8945
 * 10.2).  A client that missed the answer sends it again, too.  Either speaks of a push that was pulled already: the answer is
 * the same, but no pull follows.
 *
 * The last NOTIFY_REPEATS_KEPT are kept.  An older one that is sent again costs a pull, for which auth/pull_pace.h has limits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/tsig.h"

enum { NOTIFY_REPEATS_KEPT = 256 };

/* Ready for use when zeroed. */
struct notify_repeats {
	uint8_t mac[NOTIFY_REPEATS_KEPT][TSIG_MAC_PART];
	size_t n, next;
};

/* True when the signature was seen before.  Remembers it. */
bool notify_repeats_take(struct notify_repeats *r, const uint8_t mac[TSIG_MAC_PART]);
