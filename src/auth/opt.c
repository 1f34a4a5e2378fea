#include "auth/opt.h"

#include <string.h>

#include "auth/cookies.h"
#include "auth/keepalive.h"
#include "base/number.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/zone.h"

enum {
	OPT_FIXED_LEN = 11,
	OPTION_HEAD_LEN = 4,
	EDE_LEN = OPTION_HEAD_LEN + 2,
	ZONEVERSION_LEN = OPTION_HEAD_LEN + 6,
	ZONEVERSION_SOA_SERIAL = 0,
};

static size_t
nsid_len(const struct request *q)
{
	size_t len = q->m.edns.wants_nsid && q->conf->id != NULL ? strlen(q->conf->id) : 0;
	return len != 0 ? OPTION_HEAD_LEN + len : 0;
}

/* The answer makes the connection one that is kept. */
static uint16_t
idle_100ms(const struct request *q)
{
	return q->out->event == EVENT_SUBSCRIBED ? q->peer->kept_100ms : q->peer->idle_100ms;
}

/* The room for it, reserved before there is an answer (RFC 9660 3.2). */
static size_t
zoneversion_len(const struct request *q)
{
	return q->m.edns.wants_zoneversion && q->conf->tells_commit ? ZONEVERSION_LEN : 0;
}

size_t
opt_room(const struct request *q)
{
	if (q->m.edns.options_len == 0) { /* as in most requests: then there are none in the answer either */
		return OPT_FIXED_LEN;
	}
	return OPT_FIXED_LEN + nsid_len(q) + cookies_len(&q->cookie) + keepalive_len(&q->m, q->peer) + zoneversion_len(q);
}

/* RFC 9660 2.1: number of labels in the zone's name, type, version. */
static uint8_t *
put_zoneversion(uint8_t *p, const struct zone *z)
{
	p = u16_put(u16_put(p, EDNS_OPT_ZONEVERSION), ZONEVERSION_LEN - OPTION_HEAD_LEN);
	*p++ = (uint8_t)name_labels(z->apex_name);
	*p++ = ZONEVERSION_SOA_SERIAL;
	return u16_put(u16_put(p, z->serial >> 16), z->serial);
}

/* True when an option of `len` octets is wanted (it has some) and fits; takes the room. */
static bool
has_room(size_t *left, size_t len)
{
	if (len == 0 || len > *left) {
		return false;
	}
	*left -= len;
	return true;
}

/* A cookie comes first: without it the client would take the answer for forged (RFC 7873 5.3). */
static uint8_t *
put_options(const struct request *q, uint8_t *p, size_t left)
{
	if (has_room(&left, cookies_len(&q->cookie))) {
		p = cookies_put(p, &q->cookie);
	}
	if (has_room(&left, nsid_len(q))) {
		size_t len = strlen(q->conf->id);
		p = u16_put(u16_put(p, EDNS_OPT_NSID), len);
		memcpy(p, q->conf->id, len);
		p += len;
	}
	if (has_room(&left, keepalive_len(&q->m, q->peer))) {
		p = keepalive_put(p, idle_100ms(q));
	}
	if (q->zone != NULL && has_room(&left, zoneversion_len(q))) {
		p = put_zoneversion(p, q->zone);
	}
	if (q->ede != EDE_NONE && has_room(&left, EDE_LEN)) {
		p = u16_put(u16_put(p, EDNS_OPT_EDE), 2);
		p = u16_put(p, (size_t)q->ede);
	}
	return p;
}

void
opt_put(struct request *q, size_t beside)
{
	uint8_t *start = q->r.wire + q->r.len, *p = start;
	size_t taken = q->r.len + OPT_FIXED_LEN + beside, left = q->limit > taken ? q->limit - taken : 0;
	*p++ = 0;
	p = u16_put(p, TYPE_OPT);
	p = u16_put(p, q->conf->udp_max);
	*p++ = (uint8_t)(q->rcode >> 4);
	*p++ = 0; /* version */
	p = u16_put(p, q->m.edns.flags & EDNS_DO);
	uint8_t *rdlen = p, *options = p + 2;
	p = q->m.edns.options_len != 0 || q->ede != EDE_NONE ? put_options(q, options, left) : options;
	u16_put(rdlen, (size_t)(p - options));
	q->r.len += (size_t)(p - start);
}
