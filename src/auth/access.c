#include "auth/access.h"

static bool
is_listed(const struct view *v, const struct peer *peer, const uint8_t *zone)
{
	if (peer == NULL || v->secondaries == NULL) {
		return false;
	}
	const struct key_address from = peer_key_address(peer);
	return secondaries_may_transfer(v->secondaries, zone, &from);
}

static bool
needs_no_address(const struct asker *who, const uint8_t *zone)
{
	return who->is_axfr_open || (who->key != NULL && key_has_right(who->key, RIGHT_TRANSFER, zone));
}

bool
access_may_transfer(const struct view *v, const struct asker *who, const uint8_t *zone)
{
	bool is_tcp = who->peer != NULL && who->peer->transport == TRANSPORT_TCP;
	return needs_no_address(who, zone) || (is_tcp && is_listed(v, who->peer, zone));
}

bool
access_is_hidden(const struct view *v, const struct asker *who, const struct zone *z)
{
	return z != NULL && z == v->catalog && !needs_no_address(who, z->apex_name) && !is_listed(v, who->peer, z->apex_name);
}
