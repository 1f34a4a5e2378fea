/* auth/cookies.h -- DNS cookies in requests and their answers (dns/cookie.h).
 *
 * They are read if the operator wants cookies (server_conf.cookies), and then each answer to a request with a cookie has one, too.
 */
#pragma once

#include "auth/server.h"
#include "dns/cookie.h"
#include "dns/msg.h"

enum { COOKIE_OPTION_LEN = 4 + COOKIE_LEN }; /* octets of the option in an answer */

/* Checks the cookie of a request that was parsed, and makes that of the answer. */
static inline void
cookies_read(const struct server_conf *conf, const struct peer *peer, const struct msg *m, uint64_t now_s, struct cookie *out)
{
	out->state = COOKIE_NONE;
	if (m->edns.cookie != NULL && conf->cookies != NULL) {
		const struct cookie_client from = { peer->address, peer->family == 4 ? 4 : 16 };
		cookie_read(conf->cookies, &from, m->edns.cookie, m->edns.cookie_len, now_s, out);
	}
}

/* Octets of the option in the answer: 0 or COOKIE_OPTION_LEN. */
static inline size_t
cookies_len(const struct cookie *c)
{
	return c->state > COOKIE_MALFORMED ? COOKIE_OPTION_LEN : 0;
}

/* Returns the end of what it has written. */
static inline uint8_t *
cookies_put(uint8_t *p, const struct cookie *c)
{
	static const uint8_t head[] = { 0, EDNS_OPT_COOKIE, 0, COOKIE_LEN };
	memcpy(p, head, sizeof head);
	memcpy(p + sizeof head, c->octets, COOKIE_LEN);
	return p + COOKIE_OPTION_LEN;
}
