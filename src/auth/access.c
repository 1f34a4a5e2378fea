#include "auth/access.h"

#include "auth/zone_note.h"

static bool
is_listed(const struct view *v, const struct peer *peer, const uint8_t *zone)
{
	if (peer == NULL || v->secondaries == NULL) {
		return false;
	}
	const struct key_address from = peer_key_address(peer);
	return secondaries_may_transfer(v->secondaries, zone, &from);
}

bool
access_by_key(const struct view *v, const struct key *k, enum key_right right, const uint8_t *zone)
{
	if (k == NULL || key_has_right(k, right, zone)) {
		return k != NULL;
	}
	const struct zone_note *note = v->followed_n != 0 ? zone_notes_find(&v->notes, zone) : NULL;
	return note != NULL && note->catalog != NULL && key_has_right(k, right, note->catalog);
}

static bool
needs_no_address(const struct view *v, const struct asker *who, const uint8_t *zone)
{
	return who->is_axfr_open || access_by_key(v, who->key, RIGHT_TRANSFER, zone);
}

bool
access_may_transfer(const struct view *v, const struct asker *who, const uint8_t *zone)
{
	bool is_tcp = who->peer != NULL && who->peer->transport == TRANSPORT_TCP;
	return needs_no_address(v, who, zone) || (is_tcp && is_listed(v, who->peer, zone));
}

bool
access_is_hidden(const struct view *v, const struct asker *who, const struct zone *z)
{
	return z != NULL && view_is_catalog(v, z) && !needs_no_address(v, who, z->apex_name) && !is_listed(v, who->peer, z->apex_name);
}
