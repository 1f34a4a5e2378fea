#include "auth/forward.h"

#include <string.h>

#include "auth/update_task.h"
#include "dns/rrtype.h"

static bool
is_followed(const struct request *q)
{
	const uint8_t *zone = q->m.qname.oct;
	return q->m.count[0] == 1 && q->m.qtype == TYPE_SOA && q->m.qclass == CLASS_IN &&
	       (view_zone(q->view, zone) != NULL || view_shut_zone(q->view, zone) != NULL);
}

bool
forward_handle(struct request *q)
{
	struct tsig_claim claim;
	if (!q->conf->forwards_updates || msg_opcode(&q->m) != OPCODE_UPDATE || !is_followed(q) || tsig_read_claim(&q->m, &claim) != OK) {
		return false;
	}
	q->tsig = (struct tsig){ 0 }; /* nothing was verified */
	q->out->event = EVENT_FORWARD;
	q->out->zone = q->m.qname;
	q->out->key = claim.key;
	memcpy(q->out->mac, claim.mac, sizeof q->out->mac);
	return true;
}

bool
forward_is_passed(const uint8_t *bytes, size_t len)
{
	struct msg m;
	struct tsig_claim claim;
	return msg_parse(bytes, len, &m) == OK && tsig_read_claim(&m, &claim) == OK && claim.original_id != m.id;
}

size_t
forward_refuse(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *bytes,
               size_t len, const char *why, uint8_t *out, size_t cap)
{
	struct update_task t;
	update_task_init(&t, bytes, len, peer, now_s);
	update_task_begin(&t, forward_is_passed(bytes, len) ? NULL : v);
	update_task_settle(&t, RCODE_SERVFAIL, EDE_NETWORK_ERROR, "%s", why);
	size_t n = update_task_answer(&t, conf, now_s, out, cap);
	update_task_fini(&t);
	return n;
}
