/* auth/keepalive.h -- says in answers over TCP how long the connection may be idle: the option edns-tcp-keepalive (RFC 7828).
 *
 * Only clients that send the option are told.  Theirs has no octets (3.2.1); one that has some, or comes over UDP, is ignored (3.3.1).
 */
#pragma once

#include "auth/server.h"
#include "dns/msg.h"

enum {
	KEEPALIVE_LEN = 6,             /* octets of the option */
	KEEPALIVE_100MS_MAX = 0xFFFF,  /* the longest time that it can tell: 109 minutes */
};

/* Octets of the option in the answer: 0 or KEEPALIVE_LEN. */
static inline size_t
keepalive_len(const struct msg *m, const struct peer *peer)
{
	return m->edns.wants_keepalive && peer->transport == TRANSPORT_TCP ? KEEPALIVE_LEN : 0;
}

/* Returns the end of what it has written. */
static inline uint8_t *
keepalive_put(uint8_t *p, uint16_t idle_100ms)
{
	const uint8_t option[KEEPALIVE_LEN] = { 0, EDNS_OPT_KEEPALIVE, 0, 2, (uint8_t)(idle_100ms >> 8), (uint8_t)idle_100ms };
	memcpy(p, option, sizeof option);
	return p + sizeof option;
}
