#include "auth/notify.h"

#include <string.h>

#include "auth/access.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

static void
deny(struct request *q, unsigned rcode, int ede, const char *why)
{
	q->out->event = EVENT_NOTIFY_DENIED;
	q->out->why = why;
	q->rcode = rcode;
	q->ede = ede;
	q->is_authoritative = false;
}

static bool
is_zone_for(const struct request *q)
{
	const struct asker who = { .key = q->key, .peer = q->peer, .is_axfr_open = q->conf->is_axfr_open };
	const struct zone *z = view_zone(q->view, q->m.qname.oct);
	bool is_here = z != NULL && (view_is_followed(q->view, z) || !access_is_hidden(q->view, &who, z));
	return z != NULL ? is_here : view_shut_zone(q->view, q->m.qname.oct) != NULL;
}

void
notify_handle(struct request *q)
{
	if (q->m.count[0] != 1 || q->m.qtype != TYPE_SOA || q->m.qclass != CLASS_IN) {
		q->rcode = RCODE_FORMERR; /* RFC 1996 3.7: only SOA is defined */
		return;
	}
	q->out->zone = q->m.qname;
	q->is_authoritative = true;
	if (!q->view->is_ready) {
		deny(q, RCODE_SERVFAIL, EDE_NOT_READY, "nothing is loaded yet");
	} else if (q->key == NULL && !is_zone_for(q)) {
		deny(q, RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE, "no such zone here");
	} else if (q->key == NULL) {
		q->out->event = EVENT_NOTIFY_UNSIGNED;
	} else if (!access_by_key(q->view, q->key, RIGHT_NOTIFY, q->m.qname.oct)) {
		deny(q, RCODE_REFUSED, EDE_PROHIBITED, "the key has no rights over this zone");
	} else if (q->conf->is_deaf != NULL && q->conf->is_deaf(q->conf->deaf_ctx)) {
		deny(q, RCODE_SERVFAIL, EDE_NOT_READY, "there is no git process just now");
	} else {
		q->out->event = EVENT_NOTIFY_ACCEPTED;
		memcpy(q->out->mac, q->tsig.mac, sizeof q->out->mac);
	}
}
