/* Handles the answers that the notifier gets. */
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

/* For a peer with too many doubted notices: the one that has waited longest stops waiting. */
static void
end_longest_doubted(struct notifier *n, struct peer *p)
{
	struct notice *x = first_doubted(&p->on_exchange);
	x = x != NULL ? x : first_doubted(&p->in_air);
	notice_detach(n, x);
	notice_rest(n, x);
}

/* Marks a notice as doubted.  A better answer may still come, but most likely the peer has said all that it will say, so other
 * notices need not wait for this one.  A secondary may not know any of a thousand new zones, and answer unsigned for each. */
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
	n->stats.doubted++;
	peer_changed(n, p);
}

/* True when the attempt can go on with another key.  A doubted notice cannot: its place in the window may already be used. */
static bool
has_another_key(const struct notice *x)
{
	return x->tried < x->signers_n && !x->is_doubted;
}

/* Goes on with another key in the same attempt, after the peer, or somebody in its name, did not accept a key.  The notice must be
 * IDLE. */
static void
go_on_with(struct notifier *n, struct notice *x, uint8_t turn, const struct now *now)
{
	x->turn = turn;
	notice_send(n, x, x->transport, now);
}

/* Handles an answer that is not signed well; `t` says why. */
static void
doubt(struct notifier *n, struct notice *x, const struct tsig *t, unsigned rcode, const struct now *now)
{
	bool is_key_refused = !t->is_error_signed && (t->is_peer_error || rcode == RCODE_NOTAUTH);
	n->stats.unverified++;
	if (is_key_refused && has_another_key(x)) {
		notice_detach(n, x);
		go_on_with(n, x, notice_turn_after(x), now);
		return;
	}
	if (x->tried >= x->signers_n || x->attempts >= x->signers_n) { /* every key was tried */
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNVERIFIED, .tsig_error = t->error,
		                                           .is_peer_error = t->is_peer_error });
	}
	if (t->is_error_signed) { /* the error is signed: the peer itself does not accept this message */
		notice_detach(n, x);
		notice_rest(n, x);
	} else {
		leave_window(n, x);
	}
}

/* Handles a refusal: the peer would refuse this key again. */
static void
take_refusal(struct notifier *n, struct notice *x, unsigned rcode, const struct now *now)
{
	if (x->signers_n <= 1) {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_REFUSED, .rcode = rcode });
		return;
	}
	bool is_going_on = has_another_key(x);
	notice_detach(n, x);
	notice_drop_key(n, x);
	x->tried--;
	if (is_going_on) {
		go_on_with(n, x, x->turn, now);
	} else {
		notice_rest(n, x);
	}
}

static void
take_answer(struct notifier *n, struct notice *x, unsigned rcode, const struct now *now)
{
	if (rcode == RCODE_NOERROR) {
		notice_finish(n, x, (struct notifier_report){ .outcome = NOTIFY_ACKNOWLEDGED });
	} else if (rcode == RCODE_SERVFAIL) {
		notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_PUT_OFF, .rcode = rcode });
		notice_detach(n, x);
		notice_rest(n, x);
	} else {
		take_refusal(n, x, rcode, now);
	}
}

/* `p`: the sender; NULL: nothing is pending for it. */
static void
take_message(struct notifier *n, struct peer *p, enum notify_transport t, const struct now *now,
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
		doubt(n, x, &tsig, m.bits & DNS_RCODE, now);
	} else {
		peer_note_heard(n, p, t, now->mono_ns);
		take_answer(n, x, m.bits & DNS_RCODE, now);
	}
	notifier_settle(n, now);
}

void
notifier_datagram(struct notifier *n, const struct now *now, const struct notify_target *from,
                  const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .address = from->address, .port = from->port, .source = from->source };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_UDP, now, bytes, len);
}

void
notifier_exchange_input(struct notifier *n, const struct now *now, unsigned exchange, const uint8_t *bytes,
                        size_t len)
{
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX);
	take_message(n, n->exchange[exchange], NOTIFY_OVER_TCP, now, bytes, len);
}

void
notifier_conn_input(struct notifier *n, const struct now *now, uint64_t conn, const uint8_t *bytes, size_t len)
{
	const struct notify_target at = { .conn = conn };
	take_message(n, peer_find(n, &at), NOTIFY_OVER_CONN, now, bytes, len);
}
