/* Name servers are asked for the proofs of a job: one question at a time, one server after the other.
 *
 * A server has a proof when one of its addresses answers with it, and none of them without it.  One that has not is asked again after a
 * pause, until CERTIFIER_CHECK_MAX_S.  One that does not answer at all is passed over, and asked again at the end; of several, one may stay
 * silent.
 *
 * Proofs at one name are looked for in one answer.  A set that is too large for UDP comes over TCP (RFC 7766 5): one connection for one
 * question, CERTIFIER_TCP_MAX at a time. */
#include <stdio.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

enum { SENDS_MAX = 3, PAUSE_MAX_S = 5, ROUND_S = 5, FULL_S = 1, DNS_PORT = 53 };

static void ask(struct job *j, const struct now *now);

static struct job_server *
server_of(struct job *j)
{
	return &j->check.servers[j->check.server];
}

/* ---- which servers ---- */

static void
add_addresses(struct job_server *s, const struct rrset *set, uint8_t family)
{
	const struct rr *rr = set != NULL ? rrset_first(set) : NULL;
	for (unsigned i = 0; set != NULL && i < set->n && s->at_n < CERTIFIER_ADDRESSES_MAX; i++, rr = rr_next(rr)) {
		struct certifier_place *p = &s->at[s->at_n++];
		*p = (struct certifier_place){ .address.family = family, .port = DNS_PORT };
		memcpy(p->address.octets, rr->rdata, key_address_len(&p->address));
	}
}

static void
add_server(struct job *j, const uint8_t *name)
{
	struct job_server *s = &j->check.servers[j->check.servers_n++];
	const struct zone *z = zone_around(j->owner, name);
	*s = (struct job_server){ .at_n = 0 };
	name_set(&s->name, name);
	add_addresses(s, rrset_at(z, name, TYPE_A), 4);
	add_addresses(s, rrset_at(z, name, TYPE_AAAA), 6);
}

static void
add_given(struct job *j)
{
	const struct certifier_conf *conf = &j->owner->conf;
	for (size_t i = 0; i < conf->servers_n && i < CERTIFIER_SERVERS_MAX; i++) {
		j->check.servers[j->check.servers_n++] = (struct job_server){ .at = { conf->servers[i] }, .at_n = 1, .is_looked_up = true };
	}
}

static void
find_servers(struct job *j)
{
	const struct job_proof *p = &j->proofs[j->check.proof];
	const struct zone *z = view_zone(j->owner->conf.io.view(j->owner->conf.io.ctx), p->zone.oct);
	const struct rrset *ns = z != NULL ? z->ns : NULL; /* a primary may serve a zone without any */
	const struct rr *rr = ns != NULL ? rrset_first(ns) : NULL;
	j->check.servers_n = j->check.server = j->check.address = 0;
	if (j->owner->conf.servers_n != 0) {
		add_given(j);
		return;
	}
	for (unsigned i = 0; ns != NULL && i < ns->n && i < CERTIFIER_SERVERS_MAX; i++, rr = rr_next(rr)) {
		add_server(j, rr->rdata);
	}
}

/* ---- questions ---- */

static void
stop_asking(struct job *j)
{
	if (j->check.is_asking) {
		j->check.is_asking = false;
		j->owner->tcp_n -= j->check.is_tcp;
		j->owner->conf.io.ask_end(j->owner->conf.io.ctx, j->slot);
	}
}

void
check_end(struct job *j)
{
	stop_asking(j);
	if (j->state == JOB_CHECK) {
		heap_remove(&j->owner->job_timers, &j->timer);
	}
}

static void
wait_s(struct job *j, const struct now *now, uint64_t s)
{
	heap_set(&j->owner->job_timers, &j->timer, seconds_after(now, s));
}

/* "name server ns1.example does not answer" */
static void
describe(const struct job_server *s, const char *what, char out[CERTIFIER_REASON_MAX])
{
	char name[NAME_TEXT_MAX];
	if (s->name.len == 0) {
		(void)snprintf(out, CERTIFIER_REASON_MAX, "a given name server %.150s", what);
		return;
	}
	name_show(s->name.oct, name);
	(void)snprintf(out, CERTIFIER_REASON_MAX, "name server %.255s %.150s", name, what);
}

static const char *
trouble_of(const struct job_server *s)
{
	return s->trouble[0] != '\0' ? s->trouble : "does not answer";
}

static bool
is_too_late(const struct job *j, const struct now *now)
{
	return now->mono_ns >= j->check.begun_ns + CERTIFIER_CHECK_MAX_S * NOW_SECOND_NS;
}

static void
give_up(struct job *j, const struct now *now, const struct job_server *s, const char *what)
{
	char why[CERTIFIER_REASON_MAX];
	describe(s, what, why);
	job_fail(j, now, why, 0);
}

static void
begin_proof(struct job *j, const struct now *now)
{
	j->check.pauses = j->check.sent = 0;
	find_servers(j);
	if (j->check.servers_n == 0) {
		job_fail(j, now, "the zone of the proof has no name servers", 0);
		return;
	}
	ask(j, now);
}

static bool
is_one_owner(const struct job_proof *a, const struct job_proof *b)
{
	return name_is_equal(a->owner.oct, b->owner.oct);
}

/* All at one name were seen together, at the first of them. */
static bool
was_seen_before(const struct job *j, size_t proof)
{
	size_t first = 0;
	while (!is_one_owner(&j->proofs[first], &j->proofs[proof])) {
		first++;
	}
	return first != proof;
}

static void
proof_seen(struct job *j, const struct now *now)
{
	do {
		j->check.proof++;
	} while (j->check.proof != j->proofs_n && was_seen_before(j, j->check.proof));
	if (j->check.proof == j->proofs_n) {
		job_checked(j, now);
	} else {
		begin_proof(j, now);
	}
}

static bool
was_passed_over(const struct job *j, const struct job_server *s)
{
	const struct job_server *d = &j->check.dead;
	return j->check.is_dead_reported && name_is_equal(s->name.oct, d->name.oct) &&
	       (s->name.len != 0 || memcmp(&s->at[0], &d->at[0], sizeof s->at[0]) == 0);
}

static void
pass_over(struct job *j, const struct job_server *s)
{
	char why[CERTIFIER_REASON_MAX];
	if (!j->check.is_dead_reported) {
		describe(s, trouble_of(s), why);
		j->check.dead = *s;
		j->check.is_dead_reported = true;
		certifier_say(j->owner, &(struct certifier_report){ .event = CERTIFIER_DEAD, .host = j->name.oct, .why = why });
	}
}

/* All servers were asked: those that are silent once more, or one of them is passed over. */
static void
end_round(struct job *j, const struct now *now)
{
	size_t dead = 0, last = 0;
	for (size_t i = 0; i < j->check.servers_n; i++) {
		last = j->check.servers[i].is_dead ? i : last;
		dead += j->check.servers[i].is_dead;
	}
	bool is_tolerated = dead == 1 && j->check.servers_n > 1 &&
	                    now->mono_ns >= j->check.begun_ns + CERTIFIER_DEAD_S * NOW_SECOND_NS;
	if (is_tolerated) {
		pass_over(j, &j->check.servers[last]);
	}
	if (dead == 0 || is_tolerated) {
		proof_seen(j, now);
	} else if (is_too_late(j, now)) {
		give_up(j, now, &j->check.servers[last], trouble_of(&j->check.servers[last]));
	} else {
		j->check.server = j->check.address = j->check.sent = 0;
		wait_s(j, now, ROUND_S);
	}
}

static void
next_server(struct job *j, const struct now *now)
{
	stop_asking(j);
	j->check.server++;
	j->check.address = j->check.sent = j->check.pauses = 0;
	ask(j, now);
}

static void
next_address(struct job *j, const struct now *now)
{
	stop_asking(j);
	j->check.address++;
	j->check.sent = 0;
	j->check.is_tcp = false;
	ask(j, now);
}

static void
send_question(struct job *j, const struct now *now)
{
	const struct certifier_io *io = &j->owner->conf.io;
	const struct job_proof *p = &j->proofs[j->check.proof];
	uint8_t bytes[DNS_UDP_PLAIN_MAX];
	struct buf b = buf_over(bytes, sizeof bytes);
	if (j->check.sent++ == 0) {
		j->check.id = (uint16_t)io->random_u32(io->ctx);
	}
	request_begin(&b, j->check.id, OPCODE_QUERY << 11, &(struct question){ p->owner.oct, p->type, CLASS_IN });
	request_put_edns(&b);
	j->owner->tcp_n += j->check.is_tcp;
	j->check.is_asking = true;
	j->owner->stats.questions++;
	(void)io->ask(io->ctx, j->slot, &server_of(j)->at[j->check.address], j->check.is_tcp, b.base, b.len); /* not sent: asked again */
	wait_s(j, now, j->check.is_tcp ? CERTIFIER_TCP_S : j->check.sent);
}

static unsigned
sends_max(struct job *j)
{
	return j->check.is_tcp || was_passed_over(j, server_of(j)) ? 1 : SENDS_MAX;
}

static void
ask_address(struct job *j, const struct now *now)
{
	if (j->check.is_tcp && j->owner->tcp_n == CERTIFIER_TCP_MAX) {
		wait_s(j, now, FULL_S);
		return;
	}
	send_question(j, now);
}

static void
turn_to_tcp(struct job *j, const struct now *now)
{
	stop_asking(j);
	str_cut(server_of(j)->trouble, TROUBLE_MAX, "does not answer over TCP, and has too many records there for UDP");
	j->check.is_tcp = true;
	j->check.sent = 0;
	ask_address(j, now);
}

/* The next thing to do about the present server, or about the one after it. */
static void
ask(struct job *j, const struct now *now)
{
	while (j->check.server < j->check.servers_n && server_of(j)->is_done) {
		j->check.server++;
	}
	if (j->check.server == j->check.servers_n) {
		end_round(j, now);
		return;
	}
	struct job_server *s = server_of(j);
	if (s->at_n == 0 && !s->is_looked_up) {
		s->is_looked_up = true;
		j->check.is_resolving = j->owner->conf.io.resolve(j->owner->conf.io.ctx, j->slot, s->name.oct);
		if (!j->check.is_resolving) {
			ask(j, now);
		}
	} else if (j->check.address < s->at_n) {
		ask_address(j, now);
	} else {
		s->is_done = s->has_proof; /* at one address: others may be out of our reach */
		s->is_dead = !s->is_done;
		s->is_looked_up = s->at_n != 0; /* an address may be found the next time */
		next_server(j, now);
	}
}

void
check_begin(struct job *j, const struct now *now)
{
	j->check.proof = 0;
	j->check.is_tcp = j->check.is_dead_reported = false;
	j->check.begun_ns = now->mono_ns;
	begin_proof(j, now);
}

/* ---- answers ---- */

/* Marks the proofs whose record this is. */
static void
see_record(struct job *j, uint16_t type, const uint8_t *rdata, size_t len)
{
	for (size_t i = 0; i < j->proofs_n; i++) {
		struct job_proof *p = &j->proofs[i];
		p->is_seen |= type == p->type && dns_is_proof(p, rdata, len);
	}
}

/* True: all proofs at the name of the question are there. */
static bool
has_values(struct job *j, const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	bool has = true;
	for (size_t i = 0; i < j->proofs_n; i++) {
		j->proofs[i].is_seen = false;
	}
	c.pos = m->rr_at[1];
	for (unsigned i = 0; i < m->count[1] && c.err == OK; i++) {
		struct name owner;
		struct msg_rr rr;
		if (msg_read_rr(&c, &owner, &rr) == OK) {
			see_record(j, rr.type, m->wire + rr.rdata_at, rr.rdlength);
		}
	}
	for (size_t i = 0; i < j->proofs_n; i++) {
		has &= j->proofs[i].is_seen || !is_one_owner(&j->proofs[i], &j->proofs[j->check.proof]);
	}
	return has;
}

enum heard {
	HEARD_NOTHING, /* it is no response to the question, or says that the server cannot answer it */
	HEARD_CUT,     /* the set is too large for UDP */
	HEARD_SET,     /* the proof is there, or it is not there yet */
};

static enum heard
hear(struct job *j, const struct msg *m)
{
	unsigned rcode = m->bits & DNS_RCODE;
	char text[RRTYPE_TEXT_MAX];
	if (m->id != j->check.id || (m->bits & DNS_QR) == 0 || m->qtype != j->proofs[j->check.proof].type ||
	    !name_is_equal(m->qname.oct, j->proofs[j->check.proof].owner.oct)) {
		return HEARD_NOTHING;
	}
	if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN) {
		(void)snprintf(server_of(j)->trouble, TROUBLE_MAX, "answers %s", rcode_print(rcode, false, text));
		return HEARD_NOTHING;
	}
	return (m->bits & DNS_TC) != 0 ? HEARD_CUT : HEARD_SET;
}

static void
not_yet(struct job *j, const struct now *now)
{
	stop_asking(j);
	if (is_too_late(j, now)) {
		give_up(j, now, server_of(j), j->tlsa == TLSA_NONE ? "does not have the TXT record" : "does not have the TLSA record");
		return;
	}
	j->check.sent = 0;
	j->check.is_tcp = false;
	wait_s(j, now, j->check.pauses < PAUSE_MAX_S ? ++j->check.pauses : PAUSE_MAX_S);
}

/* Over UDP, what is no answer may come from anybody, and the timer goes on.  A TCP connection that brings anything else is of no use. */
void
certifier_answered(struct certifier *c, const struct now *now, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct job *j = c->jobs[slot];
	struct msg m;
	if (j == NULL || !j->check.is_asking) {
		return;
	}
	enum heard heard = msg_parse(bytes, len, &m) == OK ? hear(j, &m) : HEARD_NOTHING;
	if (heard == HEARD_SET && has_values(j, &m)) {
		server_of(j)->has_proof = true;
		next_address(j, now);
	} else if (heard == HEARD_SET) {
		not_yet(j, now);
	} else if (j->check.is_tcp) {
		next_address(j, now);
	} else if (heard == HEARD_CUT) {
		turn_to_tcp(j, now);
	}
	certifier_go(c, now);
}

void
certifier_unreachable(struct certifier *c, const struct now *now, unsigned slot)
{
	struct job *j = c->jobs[slot];
	if (j != NULL && j->check.is_asking) {
		next_address(j, now);
		certifier_go(c, now);
	}
}

void
certifier_resolved(struct certifier *c, const struct now *now, unsigned slot, const uint8_t *name,
                   const struct key_address *list, size_t n)
{
	struct job *j = c->jobs[slot];
	if (j == NULL || j->state != JOB_CHECK || !j->check.is_resolving || !name_is_equal(server_of(j)->name.oct, name)) {
		return; /* the job that wanted to know it has ended */
	}
	struct job_server *s = server_of(j);
	j->check.is_resolving = false;
	for (size_t i = 0; i < n && s->at_n < CERTIFIER_ADDRESSES_MAX; i++) {
		s->at[s->at_n++] = (struct certifier_place){ .address = list[i], .port = DNS_PORT };
	}
	ask(j, now);
	certifier_go(c, now);
}

void
check_timer(struct job *j, const struct now *now)
{
	if (j->check.sent >= sends_max(j)) {
		next_address(j, now);
	} else {
		ask(j, now);
	}
}
