#include "auth/notify_policy.h"

#include <string.h>

bool
notify_is_unicast(const struct key_address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF }, unspecified[16];
	const uint8_t *o = a->octets;
	if (a->family == 4) {
		return o[0] != 0 && o[0] < 224; /* RFC 1122 3.2.1.3 (a), (b); classes D and E */
	}
	return o[0] != 0xFF && !(o[0] == 0xFE && (o[1] & 0xC0) == 0x80) && memcmp(o, mapped, sizeof mapped) != 0 &&
	       memcmp(o, unspecified, sizeof unspecified) != 0;
}

/* `port` 0: at any port. */
static bool
is_own(const struct notify_policy *policy, const struct key_address *a, uint16_t port)
{
	for (size_t i = 0; i < policy->own_n; i++) {
		const struct notify_own *own = &policy->own[i];
		if (key_address_is_equal(&own->address, a) && (port == 0 || own->port == port)) {
			return true;
		}
	}
	return false;
}

bool
notify_is_loopback(const struct key_address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF }, one[16] = { [15] = 1 };
	const uint8_t *o = a->octets;
	if (a->family == 4) {
		return o[0] == 127;
	}
	return a->family == 6 && (memcmp(o, one, sizeof one) == 0 || (memcmp(o, mapped, sizeof mapped) == 0 && o[12] == 127));
}

static bool
is_too_far(const struct notify_policy *policy, const struct key_address *a)
{
	return policy->is_loopback_only && !notify_is_loopback(a);
}

bool
notify_is_allowed(const struct notify_policy *policy, const struct key_address *a, uint16_t port, bool is_named)
{
	return policy->whom != NOTIFY_WHOM_NONE && (is_named || policy->whom == NOTIFY_WHOM_ALL) && !is_too_far(policy, a) &&
	       notify_is_unicast(a) && !is_own(policy, a, port);
}

struct key_address
notify_source(const struct notify_policy *policy, const struct key_address *primary, const struct key_address *to)
{
	bool leads_there = primary->family == to->family && (notify_is_loopback(to) || !notify_is_loopback(primary));
	return leads_there && notify_is_unicast(primary) && is_own(policy, primary, 0) ? *primary : (struct key_address){ .family = 0 };
}
