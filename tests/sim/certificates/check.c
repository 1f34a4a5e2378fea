/* What must hold.
 *
 * Always:
 *   - an UPDATE of oacme leaves all signing requests and all records of strangers as they are;
 *   - a certificate that it writes has the key and the names of the one request beside it, and is signed by what it writes with it;
 *   - no host has more orders in an hour than CERTIFIER_HOUR_MAX, and one more for each start of oacme in it; so many more for each start
 *     if people have changed the request;
 *   - a host has no more failures in a day than FAILURES_DAY_MAX, and two more for each start;
 *   - a certificate that fits is not replaced before its time has come: so each is renewed once (renewed_early());
 *   - a failure that needs no UPDATE of its own is told once an hour (check_said());
 *   - no more than REQUESTS_HOUR_MAX requests go to the CA in an hour;
 *   - no UPDATE is signed with a key that is not good for it, and none changes a record that lasts (dns-persist-01);
 *   - no order fails because a zone has not come yet, as long as versions of zones come at all.
 * After the last fault, within plan_settle_ns(), and from then on:
 *   - each host with a request that can be carried out has a certificate that fits and is valid;
 *   - no proof and no remark on one is left, and no remark on a failure where there is a certificate, or no request.
 * Later, when people change a request and nothing is wrong:
 *   - the same, within plan_prompt_ns(), without any failure, and with COMMITS_MAX commits, or one if records that last are all the
 *     proofs that it takes; and one more if it takes two keys;
 *   - the chain is the one that oacme prefers, alone.
 * In two years with a CA that is down for a day: there is a valid certificate at all times but the first minutes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

enum {
	COMMITS_MAX = 4,
	FAILURES_DAY_MAX = 10,
	REST_S = 2 * 3600,         /* so that no order before counts any more */
	SHORT_LIFE_S = 10 * 86400,
	/* Of each host CERTIFIER_HOUR_MAX orders with twelve requests, one for each start; each may be sent ACME_ATTEMPTS_MAX times. */
	REQUESTS_HOUR_MAX = HOSTS_MAX * CERTIFIER_HOUR_MAX * 30 * ACME_ATTEMPTS_MAX,
};

static const uint64_t two_years_ns = 730 * DAY;
static const char NO_ZONE[] = "no zone of ours";

/* ---- hosts ---- */

static struct name
tlsa_of(unsigned host)
{
	struct name n = people_host(host);
	err_t err = acme_tlsa_name(n.oct, &n);
	ASSERT(err == OK);
	return n;
}

static void
read_set(const struct zone *z, const uint8_t *owner, struct acme_set *out)
{
	const struct rrset *s = dns_rrset(z, owner, TYPE_TLSA);
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		acme_set_add(out, rr->rdata, rr->rdlen);
	}
}

static const struct cert *
find_cert(const struct acme_set *s, uint64_t now_s)
{
	const struct acme_span now = { .from_s = (int64_t)now_s, .until_s = (int64_t)now_s };
	return s->request != NULL ? acme_set_find(s, s->request, now) : NULL;
}

void
check_hosts(struct world *w, bool is_push)
{
	for (unsigned i = 0; i < w->plan->hosts_n; i++) {
		struct host_of *h = &w->hosts[i];
		struct acme_set s = { 0 };
		bool had_cert = h->has_cert;
		read_set(dns_zone(w, 0), tlsa_of(i).oct, &s);
		const struct cert *c = find_cert(&s, world_wall_s(w));
		h->has_cert = c != NULL;
		h->not_after_s = c != NULL ? (uint64_t)c->not_after_s : 0;
		if (!had_cert && h->has_cert && !is_push) {
			world_log(w, "h%u has its certificate", i);
		}
		acme_set_fini(&s);
	}
}

/* ---- UPDATEs of oacme ---- */

static size_t
count_use(const struct rrset *s, enum acme_use use)
{
	size_t n = 0;
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		n += acme_tlsa_use(rr->rdata, rr->rdlen) == use;
	}
	return n;
}

static bool
has_record(const struct rrset *s, const struct rr *wanted)
{
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		if (rr->rdlen == wanted->rdlen && memcmp(rr->rdata, wanted->rdata, rr->rdlen) == 0) {
			return true;
		}
	}
	return false;
}

static bool
are_requests_kept(const struct rrset *before, const struct rrset *after)
{
	const struct rr *rr = before != NULL ? rrset_first(before) : NULL;
	for (unsigned i = 0; before != NULL && i < before->n; i++, rr = rr_next(rr)) {
		if (acme_tlsa_use(rr->rdata, rr->rdlen) == ACME_REQUEST && !has_record(after, rr)) {
			return false;
		}
	}
	return count_use(before, ACME_REQUEST) == count_use(after, ACME_REQUEST);
}

static bool
is_signed(const struct acme_set *s, const struct cert *c)
{
	for (size_t i = 0; i < s->chain_n; i++) {
		if (cert_is_issued_by(c, s->chain[i])) {
			return true;
		}
	}
	return false;
}

/* What a certificate has left when it is renewed, at most: by the CA's window, or by acme/renewal.h. */
static uint64_t
left_most_s(const struct plan *p)
{
	uint64_t own_s = (p->life_s < SHORT_LIFE_S ? p->life_s / 2 : p->life_s / 3) + p->life_s / 20;
	uint64_t window_s = p->has_window ? p->life_s / 10 * 4 : 0;
	return own_s > window_s ? own_s : window_s;
}

static bool
is_chain_preferred(const struct world *w, const struct acme_set *s)
{
	bool wants_other = w->plan->has_alternates && w->plan->prefers_other;
	return s->chain_n == 1 && strcmp(s->chain[0]->issuer, wants_other ? CA_OTHER_ROOT : CA_ROOT) == 0;
}

static bool
has_event(const struct plan *p, enum plan_kind kind)
{
	for (size_t i = 0; i < p->events_n; i++) {
		if (p->events[i].kind == kind) {
			return true;
		}
	}
	return false;
}

/* A wrong clock renews when it wants, and two oacmes may order at the same time. */
static bool
renewed_early(const struct world *w, const struct acme_set *before, const struct cert *new)
{
	uint64_t now_s = world_wall_s(w);
	const struct cert *old = find_cert(before, now_s);
	bool is_same = old != NULL && acme_cert_fits(new, before->request, (struct acme_span){ (int64_t)now_s, (int64_t)now_s });
	return is_same && !has_event(w->plan, PLAN_CLOCK) && !has_event(w->plan, PLAN_SECOND) &&
	       (uint64_t)old->not_after_s - now_s > left_most_s(w->plan);
}

static void
check_new_cert(struct world *w, unsigned host, const struct acme_set *before, const struct acme_set *after, const struct rr *rr)
{
	struct cert *c = NULL;
	err_t err = cert_read(rr->rdata + ACME_DER_AT, (size_t)rr->rdlen - ACME_DER_AT, &c);
	if (err != OK) {
		world_break(w, "h%u: a certificate that nobody can read is written", host);
		return;
	}
	const struct acme_span any = { c->not_before_s, c->not_before_s };
	if (after->request == NULL || !w->hosts[host].is_wished) {
		world_break(w, "h%u: a certificate for a request that cannot be carried out", host);
	} else if (!acme_cert_fits(c, after->request, any)) {
		world_break(w, "h%u: a certificate that does not fit the request", host);
	} else if (!is_signed(after, c)) {
		world_break(w, "h%u: a certificate that is not signed by what is with it", host);
	} else if (w->phase == PHASE_QUIET && !is_chain_preferred(w, after)) {
		world_break(w, "h%u: another chain than the preferred one", host);
	} else if (renewed_early(w, before, c)) {
		world_break(w, "h%u: a certificate is renewed before its time has come", host);
	}
	cert_free(&c);
}

static void
check_tlsa(struct world *w, unsigned host, const struct zone *before, const struct zone *after)
{
	const struct name owner = tlsa_of(host);
	const struct rrset *was = dns_rrset(before, owner.oct, TYPE_TLSA), *is = dns_rrset(after, owner.oct, TYPE_TLSA);
	const struct rr *rr = is != NULL ? rrset_first(is) : NULL;
	struct acme_set old = { 0 }, new = { 0 };
	if (!are_requests_kept(was, is)) {
		world_break(w, "h%u: an UPDATE of oacme changes the signing request", host);
	}
	read_set(before, owner.oct, &old);
	read_set(after, owner.oct, &new);
	for (unsigned i = 0; is != NULL && i < is->n; i++, rr = rr_next(rr)) {
		if (acme_tlsa_use(rr->rdata, rr->rdlen) == ACME_CERT && !has_record(was, rr)) {
			check_new_cert(w, host, &old, &new, rr);
		}
	}
	acme_set_fini(&old);
	acme_set_fini(&new);
}

/* Which hosts an UPDATE is about. */
struct touched {
	struct world *w;
	bool is[HOSTS_MAX], has_unsaid[HOSTS_MAX]; /* has_unsaid: a remark on a failure goes */
	uint64_t said_s[HOSTS_MAX];                /* the time in one that comes; 0: none does */
};

/* The time in a remark on a failure; 0: it is none. */
static uint64_t
time_said(const uint8_t *rdata, size_t len)
{
	struct remark r;
	return remark_read(rdata, len, &r) == OK && r.kind == REMARK_FAILED ? r.at_s : 0;
}

/* Of dns-persist-01. */
static bool
is_lasting(const uint8_t *owner)
{
	static const uint8_t label[] = "\23_validation-persist";
	return memcmp(owner, label, sizeof label - 1) == 0;
}

static err_t
touch(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct touched *t = ctx;
	if (is_lasting(rr->owner)) {
		world_break(t->w, "an UPDATE changes a record that lasts");
	}
	uint64_t said_s = rr->type == TYPE_TXT ? time_said(rr->rdata, rr->rdlen) : 0;
	for (unsigned i = 0; i < t->w->plan->hosts_n; i++) {
		if (name_is_within(rr->owner, people_host(i).oct) || (i == 0 && name_is_within(rr->owner, t->w->zones[1].apex.oct))) {
			t->is[i] = true;
			t->said_s[i] = is_added && said_s != 0 ? said_s : t->said_s[i];
			t->has_unsaid[i] |= !is_added && said_s != 0;
		}
	}
	return OK;
}

static bool
is_remark_alone(const struct update *u)
{
	bool is = true;
	for (size_t i = 0; i < u->changes_n; i++) {
		is &= u->changes[i].type == TYPE_TXT && time_said(u->changes[i].rdata, u->changes[i].rdlen) != 0;
	}
	return is;
}

/* A failure that costs no UPDATE is told once an hour, while it is one.  A deaf oacme does not see the remark that it should remove. */
static void
check_said(struct world *w, const struct update *u, const struct touched *t, unsigned host)
{
	struct host_of *h = &w->hosts[host];
	bool is_free = !is_remark_alone(u) || has_event(w->plan, PLAN_CLOCK) || has_event(w->plan, PLAN_SECOND) ||
	               has_event(w->plan, PLAN_DEAF);
	uint64_t said_s = t->said_s[host];
	if (said_s > h->said_s && !is_free && h->said_s != 0 && said_s < h->said_s + CERTIFIER_SAY_S) {
		world_break(w, "h%u: two remarks on failures in %" PRIu64 " s", host, said_s - h->said_s);
	}
	h->said_s = said_s != 0 ? said_s : t->has_unsaid[host] ? 0 : h->said_s;
}

static void
check_strangers(struct world *w)
{
	for (size_t i = 0; i < w->strangers_n; i++) {
		if (!dns_has_txt(dns_zone(w, 0), w->strangers[i].owner.oct, w->strangers[i].value)) {
			world_break(w, "%s, of a stranger, is gone", w->strangers[i].value);
		}
	}
}

void
check_update(struct world *w, const struct update *u, unsigned zone, const struct zone *before)
{
	const struct zone *after = dns_zone(w, zone);
	struct touched t = { .w = w };
	err_t err = zone_diff(before, after, touch, &t);
	ASSERT(err == OK);
	for (unsigned i = 0; i < w->plan->hosts_n; i++) {
		w->hosts[i].commits += t.is[i];
		check_said(w, u, &t, i);
		if (t.is[i] && zone == 0) {
			check_tlsa(w, i, before, after);
		}
	}
	check_strangers(w);
	check_hosts(w, false);
}

/* ---- orders ---- */

static unsigned
count_since(const uint64_t times[ORDERS_SEEN_MAX], uint64_t since_ns)
{
	unsigned n = 0;
	while (n < ORDERS_SEEN_MAX && times[n] != 0 && times[n] > since_ns) {
		n++;
	}
	return n;
}

static void
note_begun(struct oacme *o, unsigned host)
{
	struct world *w = o->world;
	uint64_t *times = o->begun_ns[host], since_ns = w->now_ns > HOUR ? w->now_ns + 1 - HOUR : 0;
	memmove(&times[1], &times[0], (ORDERS_SEEN_MAX - 1) * sizeof times[0]);
	times[0] = w->now_ns + 1;
	unsigned orders = count_since(times, since_ns), starts = count_since(o->starts_ns, since_ns);
	bool is_wish_new = w->hosts[host].wished_ns >= since_ns; /* then back-off begins anew, and a new process knows of no orders */
	if (orders > (is_wish_new ? CERTIFIER_HOUR_MAX * (1 + starts) : CERTIFIER_HOUR_MAX + starts)) {
		world_break(w, "h%u: %u orders in an hour, with %u starts", host, orders, starts);
	}
}

/* The pauses double: 30 s, and then from a quarter of an hour on there are eight in a day. */
static void
note_failed(struct oacme *o, unsigned host)
{
	struct world *w = o->world;
	uint64_t *times = o->failed_ns[host], since_ns = w->now_ns > DAY ? w->now_ns + 1 - DAY : 0;
	memmove(&times[1], &times[0], (ORDERS_SEEN_MAX - 1) * sizeof times[0]);
	times[0] = w->now_ns + 1;
	since_ns = w->hosts[host].wished_ns > since_ns ? w->hosts[host].wished_ns : since_ns;
	unsigned failures = count_since(times, since_ns), starts = count_since(o->starts_ns, since_ns);
	if (failures > FAILURES_DAY_MAX + 2 * starts) {
		world_break(w, "h%u: %u failures in a day, with %u starts", host, failures, starts);
	}
}

void
check_report(struct oacme *o, const struct certifier_report *r)
{
	static const char *const events[CERTIFIER_EVENTS] = {
		[CERTIFIER_BEGUN] = "begun", [CERTIFIER_PROVING] = "proving", [CERTIFIER_SEEN] = "seen", [CERTIFIER_DEAD] = "dead",
		[CERTIFIER_ISSUED] = "issued", [CERTIFIER_DONE] = "done", [CERTIFIER_FAILED] = "failed", [CERTIFIER_REFUSED] = "refused",
		[CERTIFIER_CLEANED] = "cleaned", [CERTIFIER_STUCK] = "stuck", [CERTIFIER_CHANGED] = "changed",
	};
	struct world *w = o->world;
	if (r->host == NULL) { /* about the account */
		return;
	}
	int host = people_host_number(r->host);
	world_log(w, "oacme %u: h%d %s %s, next in %" PRIu64 " s", o->number, host, events[r->event], r->why, r->next_s);
	if (host < 0 || strlen(r->why) > ACME_REASON_MAX) {
		world_break(w, "a report about nothing");
	} else if (r->event == CERTIFIER_BEGUN) {
		note_begun(o, (unsigned)host);
	} else if (r->event == CERTIFIER_FAILED || r->event == CERTIFIER_REFUSED) {
		note_failed(o, (unsigned)host);
	} else if (r->event == CERTIFIER_DONE) {
		memset(o->failed_ns[host], 0, sizeof o->failed_ns[host]);
	}
	if (strncmp(r->why, NO_ZONE, sizeof NO_ZONE - 1) == 0 && !has_event(w->plan, PLAN_DEAF)) {
		world_break(w, "h%d: an order did not wait for a zone", host);
	}
	bool is_failure = r->event == CERTIFIER_FAILED || r->event == CERTIFIER_REFUSED || r->event == CERTIFIER_STUCK;
	/* The request before this one, which could not be carried out, may be refused once more until oacme has seen this one. */
	bool is_old = r->event == CERTIFIER_REFUSED && w->now_ns <= w->hosts[host].wished_ns + SEE_MAX_S * SECOND;
	if (is_failure && !is_old && w->phase == PHASE_QUIET && w->hosts[host].is_wished) {
		world_break(w, "h%d: %s, though nothing is wrong: %s", host, events[r->event], r->why);
	}
}

/* ---- what is left ---- */

struct leftovers {
	const struct world *w;
	const char *what;        /* NULL: nothing that should not be there */
	struct name owner;
};

/* A remark on a failure is for people: where there is a request without a certificate. */
static bool
is_news(const struct world *w, const uint8_t *owner)
{
	const uint8_t *host = acme_tlsa_host(name_parent(owner));
	int number = host != NULL ? people_host_number(host) : -1;
	return number >= 0 && !w->hosts[number].has_cert && dns_rrset(dns_zone(w, 0), tlsa_of((unsigned)number).oct, TYPE_TLSA) != NULL;
}

static err_t
look_at_txt(void *ctx, const struct zone_rr *rr)
{
	struct leftovers *l = ctx;
	struct remark r;
	if (rr->type != TYPE_TXT || people_is_strangers(l->w, rr) || is_lasting(rr->owner)) {
		return OK;
	}
	bool is_odd = has_event(l->w->plan, PLAN_SECOND); /* one oacme may say that it has failed while the other has not */
	bool is_remark = remark_read(rr->rdata, rr->rdlen, &r) == OK;
	if (is_remark && r.kind == REMARK_FAILED && (is_odd || is_news(l->w, rr->owner))) {
		return OK;
	}
	l->what = !is_remark ? "a proof" : r.kind == REMARK_FAILED ? "a remark on a failure" : "a remark on a proof";
	name_set(&l->owner, rr->owner);
	return OK;
}

/* False: `why` says what is missing, or too much. */
static bool
is_settled(const struct world *w, char why[BROKEN_MAX])
{
	struct leftovers l = { .w = w };
	char text[NAME_TEXT_MAX];
	for (unsigned i = 0; i < w->plan->hosts_n; i++) {
		const struct host_of *h = &w->hosts[i];
		if (h->is_wished && (!h->has_cert || h->not_after_s <= world_wall_s(w))) {
			(void)snprintf(why, BROKEN_MAX, "h%u has no certificate", i);
			return false;
		}
	}
	for (unsigned i = 0; i < ZONES; i++) {
		err_t err = zone_walk(dns_zone(w, i), look_at_txt, &l);
		ASSERT(err == OK);
	}
	if (l.what != NULL) {
		name_show(l.owner.oct, text);
		(void)snprintf(why, BROKEN_MAX, "%s is left at %.255s", l.what, text);
	}
	return l.what == NULL;
}

/* ---- after the calm ---- */

static void
enter(struct world *w, unsigned phase)
{
	w->phase = phase;
	w->phase_ns = w->now_ns;
	world_log(w, "=== phase %u", phase);
}

static void
settle(struct world *w)
{
	char why[BROKEN_MAX];
	if (is_settled(w, why)) {
		w->settled_ns = w->now_ns - w->plan->calm_ns;
		enter(w, PHASE_RESTING);
	} else if (w->now_ns > w->plan->calm_ns + plan_settle_ns(w->plan)) {
		world_break(w, "not settled after %" PRIu64 " s: %s", (w->now_ns - w->plan->calm_ns) / SECOND, why);
	}
}

static void
rest(struct world *w)
{
	char why[BROKEN_MAX];
	if (!is_settled(w, why)) {
		world_break(w, "all was settled, and now %s", why);
	} else if (w->now_ns >= w->phase_ns + REST_S * SECOND) {
		enter(w, PHASE_QUIET);
		people_do(w, &(struct plan_event){ .kind = PLAN_REQUEST, .which = 0 });
	}
}

/* For the certificate that people want. */
static unsigned
commits_max(const struct world *w, unsigned host)
{
	bool is_proven = w->plan->has_lasting && w->ca.account == 1 && (w->plan->lasting >> host & 1) != 0;
	unsigned most = is_proven && w->hosts[host].variant != VARIANT_BELOW ? 1 : COMMITS_MAX;
	return most + (w->plan->rights != RIGHTS_ALL);
}

/* One host after the other. */
static void
be_quiet(struct world *w)
{
	char why[BROKEN_MAX];
	const struct host_of *h = &w->hosts[w->quiet_host];
	if (!is_settled(w, why)) {
		if (w->now_ns > h->wished_ns + plan_prompt_ns(w->plan)) {
			world_break(w, "%" PRIu64 " s after a request: %s", (w->now_ns - h->wished_ns) / SECOND, why);
		}
		return;
	}
	if (h->commits > commits_max(w, w->quiet_host)) {
		world_break(w, "h%u: %u commits for a certificate", w->quiet_host, h->commits);
	} else if (++w->quiet_host < w->plan->hosts_n) {
		people_do(w, &(struct plan_event){ .kind = PLAN_REQUEST, .which = w->quiet_host });
	} else {
		enter(w, PHASE_OVER);
	}
}

/* ---- two years ---- */

static void
look_at_life(struct world *w)
{
	char why[BROKEN_MAX];
	const struct host_of *h = &w->hosts[0];
	bool is_valid = h->has_cert && h->not_after_s > world_wall_s(w);
	bool is_beginning = w->now_ns < plan_prompt_ns(w->plan) || (w->plan->events[0].at_ns < HOUR && w->now_ns < 2 * DAY);
	if (!is_valid && !is_beginning) {
		world_break(w, "h0 has no certificate that is valid");
	}
	if (w->now_ns >= two_years_ns) {
		uint64_t most = 2 + two_years_ns / SECOND / (w->plan->life_s - left_most_s(w->plan));
		if (w->certs > most) {
			world_break(w, "%" PRIu64 " certificates, of %" PRIu64, w->certs, most);
		} else if (!is_settled(w, why)) {
			world_break(w, "after two years %s", why);
		}
		enter(w, PHASE_OVER);
	}
}

static void
look_at_hour(struct world *w)
{
	if (w->now_ns < w->hour_ns + HOUR) {
		return;
	}
	w->hour_ns = w->now_ns;
	w->requests_hour_most = w->requests_hour > w->requests_hour_most ? w->requests_hour : w->requests_hour_most;
	if (w->requests_hour > REQUESTS_HOUR_MAX) {
		world_break(w, "%" PRIu64 " requests in an hour", w->requests_hour);
	}
	w->requests_hour = 0;
}

void
check_minute(struct world *w)
{
	look_at_hour(w);
	if (w->plan->is_long) {
		look_at_life(w);
		return;
	}
	switch (w->phase) {
	case PHASE_FAULTS:
		if (w->now_ns >= w->plan->calm_ns) {
			enter(w, PHASE_SETTLING);
		}
		break;
	case PHASE_SETTLING:
		settle(w);
		break;
	case PHASE_RESTING:
		rest(w);
		break;
	case PHASE_QUIET:
		be_quiet(w);
		break;
	case PHASE_OVER:
		break;
	}
}

bool
check_is_over(const struct world *w)
{
	return w->phase == PHASE_OVER;
}
