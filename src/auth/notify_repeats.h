/* auth/notify_repeats.h -- notifications that were accepted, by their signatures.
 *
 * Who has recorded a signed NOTIFY can send it again, and within the fudge it is as good as it was (RFC 8945 10.2); so can whoever
 * missed the answer.  Either speaks of a push that the first one has had pulled: the answer is the same, and no pull follows.
 *
 * The last NOTIFY_REPEATS_KEPT are kept.  One that is older can come again at the cost of a pull, for which auth/pull_pace.h has limits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/tsig.h"

enum { NOTIFY_REPEATS_KEPT = 256 };

/* Zero-initialised it is ready. */
struct notify_repeats {
	uint8_t mac[NOTIFY_REPEATS_KEPT][TSIG_MAC_PART];
	size_t n, next;
};

/* Has it come before?  From now on it has. */
bool notify_repeats_take(struct notify_repeats *r, const uint8_t mac[TSIG_MAC_PART]);
