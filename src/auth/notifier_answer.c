/* What comes of answers. */
#include "auth/notifier_p.h"
#include "dns/msg.h"

static struct notice *
first_doubted(const struct list_link *list) /* NULL: none */
{
	for (struct list_link *l = list->next; l != list; l = l->next) {
		if (notice_of(l)->is_doubted) {
			return notice_of(l);
		}
	}
	return NULL;
}

/* So many wait for a better answer: the one that has waited longest waits no more, and makes place. */
static void
end_longest_doubted(struct notifier *n, struct peer *p)
{
	struct notice *x = first_doubted(&p->on_exchange);
	x = x != NULL ? x : first_doubted(&p->in_air);
	notice_detach(n, x);
	notice_rest(n, x);
}

/* Its right answer may yet come, but the peer has most likely said what it will: others need not wait for that.  A secondary may know
 * none of a thousand new zones, and answer for each of them unsigned. */
static void
leave_window(struct notifier *n, struct notice *x)
{
	struct peer *p = x->peer;
	if (x->is_doubted) {
		return;
	}
	if (p->doubted == NOTIFIER_DOUBTED_MAX) {
		end_longest_doubted(n, p);
	}
	x->is_doubted = true;
	p->doubted++;
	p->in_flight--;
	n->doubted++;
	peer_changed(n, p);
}

static void
doubt(struct notifier *n, struct notice *x, const struct tsig *t)
{
	bool is_end_of_turn = x->attempts >= x->signers_n;
	n->stats.unverified++;
	if (is_end_of_turn) {
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNVERIFIED, .tsig_error = t->error,
		                                    .is_peer_error = t->is_peer_error });
	}
	/* The peer it is, and it does not take this message; or somebody says so, and then there is another key to try. */
	if (t->is_error_signed || (t->is_peer_error && !is_end_of_turn)) {
		notice_detach(n, x);
		notice_rest(n, x);
	} else {
		leave_window(n, x);
	}
}

static void
take_answer(struct notifier *n, struct notice *x, unsigned rcode)
{
	if (rcode == RCODE_NOERROR) {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_ACKNOWLEDGED });
	} else if (rcode == RCODE_SERVFAIL) {
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_PUT_OFF, .rcode = rcode });
		notice_detach(n, x);
		notice_rest(n, x);
	} else if (x->signers_n > 1) { /* of this key */
		notice_detach(n, x);
		notice_drop_key(n, x);
		notice_rest(n, x);
	} else {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_REFUSED, .rcode = rcode });
	}
}

/* `p`: whom it came from; NULL: nobody that anything is pending for. */
static void
take_message(struct notifier *n, struct peer *p, enum notify_transport t, const struct notifier_now *now,
             const uint8_t *bytes, size_t len)
{
	struct msg m;
	if (msg_parse(bytes, len, &m) != OK) {
		n->stats.malformed++;
		return;
	}
	struct notice *x = p != NULL ? notice_in_flight(t == NOTIFY_OVER_TCP ? &p->on_exchange : &p->in_air, m.id) : NULL;
	if (x == NULL || !notice_is_answered_by(x, &m)) {
		n->stats.unexpected++;
		return;
	}
	struct tsig tsig;
	if (!notice_is_verified(x, &m, now->wall_s, &tsig)) {
		peer_note_alive(n, p, t, now->mono_ns);
		doubt(n, x, &tsig);
	} else {
		peer_note_heard(n, p, t, now->mono_ns);
		take_answer(n, x, m.bits & DNS_RCODE);
	}
	notifier_settle(n, now);
}

void
notifier_datagram(struct notifier *n, const struct notifier_now *now, const struct notify_target *from,
                  const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .address = from->address, .port = from->port };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_UDP, now, bytes, len);
}

void
notifier_exchange_input(struct notifier *n, const struct notifier_now *now, unsigned exchange, const uint8_t *bytes,
                        size_t len)
{
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX);
	take_message(n, n->exchange[exchange], NOTIFY_OVER_TCP, now, bytes, len);
}

void
notifier_conn_input(struct notifier *n, const struct notifier_now *now, uint64_t conn, const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .conn = conn };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_CONN, now, bytes, len);
}
