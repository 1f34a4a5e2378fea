#include "net/link_source.h"

#include "auth/notify_policy.h"
#include "net/peer.h"

struct listen_address
link_source_for(const struct link_source *s, const struct follow_source *to)
{
	const struct listen_address from = listen_source(&to->address, &to->source, &s->v4, &s->v6);
	struct peer p;
	if (from.len != 0 && to->source.family == 0 && peer_from_sockaddr(&from.sa.any, TRANSPORT_TCP, &p)) {
		const struct key_address at = peer_key_address(&p);
		return notify_is_loopback(&at) && !notify_is_loopback(&to->address) ? (struct listen_address){ 0 } : from;
	}
	return from;
}
