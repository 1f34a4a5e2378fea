/* Answers: of serial numbers, of transfers, about domains. */
#include <stdio.h>
#include <string.h>

#include "auth/follower_p.h"
#include "dns/serial.h"
#include "zone/zone.h"

static void
end(struct follower *f, const struct now *now, struct ask *a, bool has_more)
{
	struct follow_link *l = a->on;
	ask_end(f, a);
	if (has_more) {
		link_close(f, now, l, LINK_LEFT, "a query was given up");
	}
}

void
follower_give_up(struct follower *f, const struct now *now, struct ask *a, bool has_more, const char *why)
{
	struct follow_zone *z = a->zone;
	struct source *s = a->source;
	ask_say_failed(f, now, a, FOLLOW_FAILED, why);
	if (has_more && a->query == QUERY_WHOLE) {
		z->has_ended_a_link = true;
	}
	end(f, now, a, has_more);
	if (z != NULL) {
		followed_source_failed(f, now, z, why);
	} else {
		source_rest(f, now, s, false);
	}
}

/* ---- a source's domain ---- */

/* A primary that has no such zone says NOTAUTH, or REFUSED when it is asked for the root.  Whatever else it says, people must know: nothing
 * in the domain may be followed. */
static void
say_if_odd(struct follower *f, const struct now *now, const struct ask *a, const struct msg *m)
{
	char why[WHY_MAX] = "the answer is not authoritative";
	unsigned rcode = answer_rcode(m);
	if (rcode == RCODE_NOTAUTH || name_is_root(a->source->at.domain)) {
		return;
	}
	if (rcode != RCODE_NOERROR) {
		answer_why_refused(m, why);
	}
	ask_say_failed(f, now, a, FOLLOW_FAILED, why);
}

/* What is signed is an answer: the primary knows us now, and tells us of zones if it does that.  But SERVFAIL says that there may be a
 * zone: it has expired there, or the primary has just started and does not know yet.  So nothing in the domain may be denied. */
static void
take_domain(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	struct source *s = a->source;
	struct follow_zone *known = followed_get(f, s->at.domain);
	struct serial_hint h = { .is_set = true };
	bool is_good = answer_rcode(m) == RCODE_NOERROR && (m->bits & DNS_AA) != 0, is_denied = answer_rcode(m) == RCODE_NOTAUTH;
	h.has_serial = is_good && answer_read_serial(m, s->at.domain, &h.serial) == OK;
	if (!h.has_serial && known == NULL) {
		say_if_odd(f, now, a, m);
	}
	bool is_answer = known != NULL || answer_rcode(m) != RCODE_SERVFAIL;
	ask_end(f, a);
	if (is_answer) {
		source_answered(f, now, s, h.has_serial || known != NULL);
	}
	if (h.has_serial && known == NULL) {
		err_t err = followed_add(f, now, s->at.domain, source_number(f, s));
		(void)err; /* it was reported */
	} else if (known != NULL && (h.has_serial || is_denied)) {
		follower_heard_of(f, known, source_number(f, s), &h);
	}
	source_rest(f, now, s, is_answer);
}

/* ---- serial numbers ---- */

/* An expired version is as good as none: any serial is better.  A withdrawn one is not: its serial may still be that of a primary that has
 * not heard yet that the zone is gone. */
static enum query
query_for(const struct follow_zone *z, uint32_t serial)
{
	bool may_change = z->version != NULL && serial_is_newer(serial, z->version->serial);
	return may_change && !z->is_whole_next ? QUERY_CHANGES : QUERY_WHOLE;
}

static void
give_up_as_older(struct follower *f, const struct now *now, struct ask *a, uint32_t serial, bool has_more)
{
	char why[WHY_MAX];
	(void)snprintf(why, sizeof why, "the primary has serial %u, which is older than ours (%u)", serial, a->zone->version->serial);
	follower_give_up(f, now, a, has_more, why);
}

/* A moment ago it was the newest one everywhere, and no trouble of the primary. */
static void
pass_over_as_behind(struct follower *f, const struct now *now, struct ask *a, uint32_t serial)
{
	struct follow_zone *z = a->zone;
	char why[WHY_MAX];
	(void)snprintf(why, sizeof why, "ours is %u, which came from another primary", z->version->serial);
	follower_say(f, (struct follow_report){ .event = FOLLOW_BEHIND, .zone = z->apex, .source = &a->source->at, .serial = serial,
	                                        .why = why });
	ask_end(f, a);
	followed_is_behind(f, now, z);
}

static void
judge_serial(struct follower *f, const struct now *now, struct ask *a, uint32_t serial)
{
	struct follow_zone *z = a->zone;
	if (z->version != NULL && serial == z->version->serial) {
		follower_say(f, (struct follow_report){ .event = FOLLOW_CURRENT, .zone = z->apex, .source = &a->source->at,
		                                        .serial = serial });
		ask_end(f, a);
		followed_is_current(f, now, z);
	} else if (z->version == NULL || z->presence == FOLLOW_EXPIRED || serial_is_newer(serial, z->version->serial)) {
		ask_end(f, a);
		followed_wait(f, z, query_for(z, serial));
	} else if (followed_may_be_behind(z, now)) {
		pass_over_as_behind(f, now, a, serial);
	} else {
		give_up_as_older(f, now, a, serial, false);
	}
}

void
follower_take_serial(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	struct follow_zone *z = a->zone;
	char why[WHY_MAX];
	uint32_t serial;
	unsigned rcode = answer_rcode(m);
	if (z->demand != DEMAND_NOTHING) {
		ask_end(f, a);
		followed_carry_out(f, now, z);
	} else if (rcode == RCODE_NOTAUTH) {
		ask_end(f, a);
		followed_denied(f, now, z);
	} else if (rcode != RCODE_NOERROR) {
		answer_why_refused(m, why);
		follower_give_up(f, now, a, false, why);
	} else if ((m->bits & DNS_AA) == 0) {
		follower_give_up(f, now, a, false, "the answer is not authoritative");
	} else if (answer_read_serial(m, z->apex, &serial) != OK) {
		follower_give_up(f, now, a, false, "the answer has no SOA record of the zone");
	} else {
		judge_serial(f, now, a, serial);
	}
}

/* ---- transfers ---- */

/* The changes did not come, or do not fit: the whole zone is asked for.  Else they would be asked for again and again until the version
 * expires: a primary may have no right way to tell them, as when its journal is damaged, and still have the zone. */
static void
take_whole_instead(struct follower *f, const struct now *now, struct ask *a, bool has_more, const char *why)
{
	struct follow_zone *z = a->zone;
	ask_say_failed(f, now, a, FOLLOW_WHOLE, why);
	f->stats.whole_again++;
	end(f, now, a, has_more);
	followed_wait_again(f, now, z, QUERY_WHOLE);
}

static void
take_refused_transfer(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	struct follow_zone *z = a->zone;
	char why[WHY_MAX];
	unsigned rcode = answer_rcode(m);
	answer_why_refused(m, why);
	if (rcode == RCODE_NOTAUTH && incoming_report(a->in)->messages == 0) {
		ask_end(f, a);
		followed_denied(f, now, z);
	} else if (a->query == QUERY_CHANGES) {
		take_whole_instead(f, now, a, false, why);
	} else {
		follower_give_up(f, now, a, false, why);
	}
}

/* It needs more memory than the others leave. */
static void
put_off(struct follower *f, const struct now *now, struct ask *a, bool has_more, const char *why)
{
	struct follow_zone *z = a->zone;
	ask_say_failed(f, now, a, FOLLOW_PUT_OFF, why);
	z->needs_all_room = true;
	end(f, now, a, has_more);
	followed_wait_again(f, now, z, QUERY_WHOLE);
}

static void
fail_transfer(struct follower *f, const struct now *now, struct ask *a, err_t err, bool has_more)
{
	char why[WHY_MAX];
	(void)snprintf(why, sizeof why, "%s", incoming_why(a->in)[0] != '\0' ? incoming_why(a->in) : err_str(err));
	if (incoming_is_over_limit(a->in) && room_is_shared(f, a) && !a->zone->needs_all_room) {
		put_off(f, now, a, has_more, why);
	} else if (a->query == QUERY_CHANGES && err != E_NOMEM) {
		take_whole_instead(f, now, a, has_more, why);
	} else {
		follower_give_up(f, now, a, has_more, why);
	}
}

static err_t
make_served(struct follower *f, struct ask *a, const struct zone **version)
{
	struct zone *whole;
	struct zone_txn *changes;
	*version = NULL;
	TRY(incoming_finish(a->in, &whole, &changes));
	if (whole == NULL && changes == NULL) {
		return OK; /* INCOMING_CURRENT */
	}
	err_t err = f->conf.io.take(f->conf.io.ctx, a->zone->apex, &whole, &changes, version);
	zone_free(&whole);
	zone_txn_rollback(&changes);
	return err;
}

/* What a catalog says is reported first, and so is what becomes of its members: when it is kept in a file, that is to be there before. */
static void
finish_with_version(struct follower *f, const struct now *now, struct ask *a, const struct zone *version, struct follow_report said)
{
	struct follow_zone *z = a->zone;
	followed_taken(f, now, z, version);
	const struct followed_catalog *c = followed_as_catalog(f, z);
	said.event = FOLLOW_TRANSFERRED;
	said.is_catalog = c != NULL;
	said.is_broken = c != NULL && (c->is_broken || c->is_behind);
	follower_say(f, said);
	ask_end(f, a);
	followed_go_on(f, now, z);
}

static void
finish_transfer(struct follower *f, const struct now *now, struct ask *a)
{
	struct follow_zone *z = a->zone;
	const struct zone *version;
	if (!tsig_chain_is_closed(&a->tsig)) {
		follower_give_up(f, now, a, false, "the last message of the transfer is not signed");
		return;
	}
	if (z->demand != DEMAND_NOTHING) {
		ask_end(f, a);
		followed_carry_out(f, now, z);
		return;
	}
	err_t err = make_served(f, a, &version);
	if (err != OK) {
		fail_transfer(f, now, a, err, false);
		return;
	}
	const struct incoming_report *r = incoming_report(a->in);
	if (version == NULL && r->serial != z->version->serial) {
		give_up_as_older(f, now, a, r->serial, false);
		return;
	}
	z->transfer_octets = r->octets;
	z->transfer_ms = ask_took_ms(a, now);
	const struct follow_report said = { .event = FOLLOW_CURRENT, .zone = z->apex, .source = &a->source->at, .serial = r->serial,
		                            .transfer = r, .took_ms = z->transfer_ms };
	if (version != NULL) {
		finish_with_version(f, now, a, version, said);
		return;
	}
	follower_say(f, said);
	ask_end(f, a);
	followed_is_current(f, now, z);
}

/* Does a whole zone come that is older than ours?  The primary may have begun anew since it was asked for its serial. */
static bool
is_older(const struct ask *a)
{
	const struct follow_zone *z = a->zone;
	const struct incoming_report *r = incoming_report(a->in);
	bool counts = a->query == QUERY_WHOLE && z->version != NULL && z->presence != FOLLOW_EXPIRED;
	return counts && r->serial != z->version->serial && !serial_is_newer(r->serial, z->version->serial);
}

static void
take_part(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	bool is_last = false;
	if (answer_rcode(m) != RCODE_NOERROR) {
		take_refused_transfer(f, now, a, m);
		return;
	}
	if (now->mono_ns - a->begun_ns > seconds_ns(FOLLOWER_TRANSFER_MAX_S)) {
		follower_give_up(f, now, a, true, "the transfer takes too long");
		return;
	}
	incoming_limit(a->in, room_of(f, a));
	err_t err = incoming_take(a->in, m, &is_last);
	room_note(f, a);
	if (err != OK) {
		fail_transfer(f, now, a, err, true);
	} else if (is_older(a)) {
		give_up_as_older(f, now, a, incoming_report(a->in)->serial, !is_last);
	} else if (is_last) {
		finish_transfer(f, now, a);
	}
}

/* ---- all ---- */

void
follower_take_answer(struct follower *f, const struct now *now, struct ask *a, const struct msg *m)
{
	err_t err = tsig_verify_response(&a->tsig, m, now->wall_s);
	if (err != OK) {
		char why[WHY_MAX];
		answer_why_unsigned(&a->tsig, err, m, why);
		follower_give_up(f, now, a, a->in != NULL && answer_rcode(m) == RCODE_NOERROR, why);
	} else if (a->zone == NULL) {
		take_domain(f, now, a, m);
	} else if (a->query == QUERY_SERIAL) {
		follower_take_serial(f, now, a, m);
	} else {
		take_part(f, now, a, m);
	}
}
