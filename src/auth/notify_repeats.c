#include "auth/notify_repeats.h"

#include <string.h>

bool
notify_repeats_take(struct notify_repeats *r, const uint8_t mac[TSIG_MAC_PART])
{
	for (size_t i = 0; i < r->n; i++) {
		if (memcmp(r->mac[i], mac, TSIG_MAC_PART) == 0) {
			return true;
		}
	}
	memcpy(r->mac[r->next], mac, TSIG_MAC_PART);
	r->next = (r->next + 1) % NOTIFY_REPEATS_KEPT;
	r->n += r->n < NOTIFY_REPEATS_KEPT;
	return false;
}
