#include "auth/notify.h"

#include "dns/rrtype.h"
#include "dns/wire.h"

void
notify_handle(struct request *q)
{
	if (q->m.count[0] != 1 || q->m.qtype != TYPE_SOA || q->m.qclass != CLASS_IN) {
		q->rcode = RCODE_FORMERR; /* RFC 1996 3.7: only SOA is defined */
		return;
	}
	q->out->zone = q->m.qname;
	q->is_authoritative = true;
	if (q->key == NULL) {
		q->out->event = EVENT_NOTIFY_UNSIGNED;
	} else if (key_has_right(q->key, RIGHT_NOTIFY, q->m.qname.oct)) {
		q->out->event = EVENT_NOTIFY_ACCEPTED;
	} else {
		q->out->event = EVENT_NOTIFY_DENIED;
		q->out->why = "the key has no rights over this zone";
		q->rcode = RCODE_REFUSED;
		q->ede = EDE_PROHIBITED;
		q->is_authoritative = false;
	}
}
