#include "acme/certifier.h"

#include <stdlib.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "base/alloc.h"
#include "zone/node.h"

enum {
	HOUR_S = 3600,
	DAY_S = 86400,
	QUESTION_AGAIN_S = 600,    /* about a renewal that could not be asked */
	JITTER_PART = 10,
};

/* ---- hosts ---- */

struct host *
host_find(const struct certifier *c, const uint8_t *name)
{
	uint8_t lower[NAME_WIRE_MAX];
	char text[NAME_TEXT_MAX];
	name_lower(lower, name);
	name_print(lower, text);
	return strmap_find(&c->hosts, text);
}

struct host *
host_get(struct certifier *c, const uint8_t *name)
{
	struct host *h = host_find(c, name);
	if (h != NULL || c->list_n == CERTIFIER_HOSTS_MAX) {
		return h;
	}
	h = try_alloc(sizeof *h);
	if (h == NULL) {
		return NULL;
	}
	name_lower(h->name.oct, name);
	h->name.len = (uint8_t)name_len(name);
	name_print(h->name.oct, h->text);
	h->place = c->list_n;
	if (!try_room(&c->list, sizeof *c->list, c->list_n, &c->list_cap) || heap_reserve(&c->host_timers, c->list_n + 1) != OK ||
	    strmap_put(&c->hosts, h->text, h) != OK) {
		free(h);
		return NULL;
	}
	c->list[c->list_n++] = h;
	c->stats.hosts = c->list_n;
	return h;
}

void
host_drop(struct certifier *c, struct host *h)
{
	ASSERT(h->job == NULL);
	heap_remove(&c->host_timers, &h->timer);
	if (list_is_linked(&h->waiting)) {
		list_remove(&h->waiting);
	}
	(void)strmap_take(&c->hosts, h->text);
	c->list[h->place] = c->list[--c->list_n];
	c->list[h->place]->place = h->place;
	c->stats.hosts = c->list_n;
	acme_renewal_free(&h->question);
	tlsa_fini(&h->tlsa);
	free(h);
}

/* ---- when ---- */

/* When the next order may begin, so that there are not too many in an hour. */
static uint64_t
hour_allows(const struct host *h)
{
	uint64_t oldest = h->begun_ns[CERTIFIER_HOUR_MAX - 1];
	return oldest != 0 ? oldest + HOUR_S * NOW_SECOND_NS : 0;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A CA may have one width of windows for long and short lives; a moment at which the certificate has expired is none. */
static uint64_t
renewal_s(const struct host *h)
{
	return h->window_s != 0 && h->window_s < h->not_after_s ? h->window_s : h->renew_s;
}

bool
host_is_content(const struct host *h, const struct now *now)
{
	return h->has_cert && renewal_s(h) > now->wall_s && (h->cert_id[0] == '\0' || h->is_answered);
}

/* Whoever takes a request back and brings another one has no more orders than others. */
static bool
may_go(const struct host *h, const struct now *now)
{
	bool is_hour_over = h->begun_ns[0] == 0 || h->begun_ns[0] + HOUR_S * NOW_SECOND_NS <= now->mono_ns;
	return h->left_ns == 0 && !h->awaits_zone && is_hour_over;
}

void
host_let_go(struct certifier *c, const struct now *now, struct host *h)
{
	if (h->has_request || h->job != NULL || host_rrset(c, h) != NULL) {
		return;
	}
	tlsa_fini(&h->tlsa);
	if (may_go(h, now)) {
		host_drop(c, h);
	}
}

static uint64_t
order_due(const struct host *h, const struct now *now)
{
	uint64_t at_ns = later(now->mono_ns, tlsa_order_ns(h));
	if (h->has_cert && renewal_s(h) > now->wall_s) {
		at_ns = seconds_after(now, renewal_s(h) - now->wall_s);
	}
	return later(later(at_ns, h->settles_ns), later(h->zones_ns, later(h->not_before_ns, hour_allows(h))));
}

/* Before there is a certificate, it is a part of the attempt to get one. */
static uint64_t
tlsa_due(const struct certifier *c, const struct host *h)
{
	uint64_t at_ns = later(tlsa_job_ns(c, h), h->zones_ns);
	return h->has_cert ? at_ns : later(at_ns, later(h->not_before_ns, hour_allows(h)));
}

static uint64_t
due(const struct certifier *c, const struct host *h, const struct now *now)
{
	return sooner(order_due(h, now), tlsa_due(c, h));
}

static bool
may_ask(const struct certifier *c, const struct host *h)
{
	return h->has_cert && h->cert_id[0] != '\0' && h->question == NULL && !c->conf.is_dry;
}

/* The CA is asked about the certificate, and again when it wants that. */
static void
ask_about_renewal(struct certifier *c, const struct now *now, struct host *h)
{
	if (!may_ask(c, h) || now->mono_ns < h->question_ns) {
		return;
	}
	if (acme_renewal_new(c->conf.ca, now, h->cert_id, h, &h->question) != OK) {
		h->question_ns = seconds_after(now, QUESTION_AGAIN_S);
	}
}

void
host_schedule(struct certifier *c, const struct now *now, struct host *h)
{
	ask_about_renewal(c, now, h);
	uint64_t at_ns = due(c, h, now);
	if (list_is_linked(&h->waiting)) {
		list_remove(&h->waiting);
	}
	heap_remove(&c->host_timers, &h->timer);
	if (!h->has_request) {
		at_ns = NOW_NEVER;
	} else if (at_ns <= now->mono_ns) {
		list_append(&c->waiting, &h->waiting);
		at_ns = NOW_NEVER;
	} else {
		at_ns = sooner(at_ns, seconds_after(now, AGAIN_MAX_S));
		at_ns = may_ask(c, h) ? sooner(at_ns, later(h->question_ns, now->mono_ns)) : at_ns;
	}
	at_ns = h->left_ns != 0 ? sooner(at_ns, later(h->left_ns, now->mono_ns)) : at_ns;
	if (at_ns != NOW_NEVER) {
		heap_set(&c->host_timers, &h->timer, at_ns);
	}
}

void
host_look_later(struct certifier *c, const struct now *now, struct host *h, uint64_t s)
{
	uint64_t at_ns = seconds_after(now, s);
	h->left_ns = h->left_ns != 0 ? sooner(h->left_ns, at_ns) : at_ns;
	if (h->job == NULL) {
		host_schedule(c, now, h);
	}
}

void
host_on_renewal(struct certifier *c, const struct now *now, struct acme_renewal *r)
{
	struct host *h = acme_renewal_user(r);
	const struct acme_renewal_answer *a = acme_renewal_answer(r);
	uint64_t again_s = a->err == OK ? a->retry_s : a->err == E_UNSUPPORTED || a->err == E_NOTFOUND ? DAY_S : HOUR_S;
	h->question_ns = seconds_after(now, later(again_s, 60));
	h->is_answered |= a->err == OK || a->err == E_UNSUPPORTED || a->err == E_NOTFOUND;
	if (a->err == OK) {
		h->window_s = acme_window_moment(a->window.start_s, a->window.end_s, h->cert_id);
	}
	acme_renewal_free(&h->question);
	bool is_begun = h->job == NULL && host_is_content(h, now) && host_look_at_remarks(c, now, h);
	if (!is_begun && h->job == NULL) {
		host_schedule(c, now, h);
	}
}

/* ---- a look at what DNS has ---- */

static err_t
take_reading(const struct certifier *c, const struct now *now, struct host *h, const struct reading *r)
{
	bool is_other = strcmp(h->cert_id, r->cert_id) != 0;
	h->has_request = true;
	bool is_changed = strcmp(h->request, r->hash) != 0;
	if (is_changed || (h->tlsa.names == NULL) == (r->why[0] == '\0')) { /* … or is the only one now, or is not any more */
		TRY(tlsa_take(c, h, r));
	}
	if (is_changed) {
		if (h->request[0] != '\0') { /* a person has acted */
			h->tries = 0;
			h->not_before_ns = 0;
			h->trouble[0] = '\0';
		}
		memcpy(h->request, r->hash, sizeof h->request);
	}
	h->has_cert = r->cert != NULL && r->why[0] == '\0';
	if (is_other) {
		memcpy(h->cert_id, r->cert_id, sizeof h->cert_id);
		h->window_s = h->question_ns = h->settles_ns = 0;
		h->is_answered = false;
		acme_renewal_free(&h->question);
	}
	if (is_other && h->has_cert) {
		h->tries = 0; /* whoever has brought it */
		h->trouble[0] = '\0';
	}
	if (h->has_cert) {
		h->not_after_s = (uint64_t)r->cert->not_after_s;
		const char *id = r->cert_id[0] != '\0' ? r->cert_id : h->text;
		h->renew_s = acme_renewal_moment((uint64_t)r->cert->not_before_s, h->not_after_s, id);
		h->is_settling = false;
		h->tlsa.written_ns = h->tlsa.written_ns != 0 ? h->tlsa.written_ns : now->mono_ns;
	} else {
		h->tlsa.written_ns = 0;
	}
	return OK;
}

void
host_look(struct certifier *c, const struct now *now, struct host *h, bool is_new)
{
	struct reading r = { .cert = NULL };
	const struct rrset *s = host_rrset(c, h);
	err_t err = s != NULL ? reading_of(s, h->name.oct, now->wall_s, &r) : E_NOTFOUND;
	if (h->job != NULL) {
		job_on_change(c, now, h->job, err == OK ? r.hash : "");
	}
	err = err == OK ? take_reading(c, now, h, &r) : err;
	if (err == OK) {
		job_on_reading(h->job, now);
	} else { /* without memory: it is taken when the zone changes */
		h->has_request = h->has_cert = false;
	}
	reading_fini(&r);
	(void)tlsa_look(c, h);
	h->is_settling = h->is_settling && is_new;
	if (h->job == NULL) {
		host_schedule(c, now, h);
	}
}

void
host_failed(struct certifier *c, const struct now *now, struct host *h, const char *why, uint64_t retry_s)
{
	unsigned doublings = h->tries == 0 ? 0 : h->tries < 8 ? h->tries - 1 : 7;
	uint64_t pause_s = h->tries == 0 ? CERTIFIER_BACKOFF_FIRST_S : (uint64_t)CERTIFIER_BACKOFF_S << doublings;
	pause_s = sooner(pause_s, CERTIFIER_BACKOFF_MAX_S);
	pause_s += c->conf.io.random_u32(c->conf.io.ctx) % (pause_s / JITTER_PART + 1);
	pause_s = later(pause_s, retry_s);
	h->tries += h->tries < REMARK_TRIES_MAX;
	h->not_before_ns = later(h->not_before_ns, seconds_after(now, pause_s));
	str_cut(h->trouble, sizeof h->trouble, why);
}

/* ---- jobs begin ---- */

unsigned
certifier_free_slot(const struct certifier *c)
{
	unsigned slot = 0;
	while (slot < c->conf.jobs_max && c->jobs[slot] != NULL) {
		slot++;
	}
	return slot;
}

static void
note_begun(struct host *h, const struct now *now)
{
	memmove(&h->begun_ns[1], &h->begun_ns[0], sizeof h->begun_ns - sizeof h->begun_ns[0]);
	h->begun_ns[0] = now->mono_ns;
}

/* False: there is no memory, or no room at the client. */
static bool
begin_job(struct certifier *c, const struct now *now, struct host *h, const struct reading *r)
{
	enum job_tlsa tlsa = tlsa_next(c, h, now);
	bool is_order = order_due(h, now) <= now->mono_ns;
	if (tlsa == TLSA_ADD || (tlsa == TLSA_REMOVE && !is_order)) {
		if (!h->has_cert) {
			note_begun(h, now);
		}
		return job_tlsa(c, now, h, tlsa);
	}
	note_begun(h, now);
	return job_begin(c, now, h, r);
}

/* True: it waits for zones, and there is another look soon. */
static bool
waits_for_zones(const struct certifier *c, const struct now *now, struct host *h, const struct reading *r)
{
	bool awaits = host_awaits_zones(c, now, h, r);
	h->awaits_ns = !awaits ? 0 : h->awaits_ns == 0 ? now->mono_ns : h->awaits_ns;
	bool is_over = awaits && now->mono_ns >= h->awaits_ns + CERTIFIER_ZONES_MAX_S * NOW_SECOND_NS;
	h->zones_ns = awaits && !is_over ? seconds_after(now, ZONES_PAUSE_S) : 0;
	return h->zones_ns != 0;
}

static void
begin(struct certifier *c, const struct now *now, struct host *h)
{
	struct reading r;
	const struct rrset *s = host_rrset(c, h);
	if (due(c, h, now) > now->mono_ns) { /* a remark that came after the request says so */
		host_schedule(c, now, h);
		return;
	}
	err_t err = s != NULL ? reading_of(s, h->name.oct, now->wall_s, &r) : E_NOTFOUND;
	if (err == E_NOMEM) {
		host_look_later(c, now, h, NO_ROOM_S);
	}
	if (err != OK) {
		return; /* the zone's next version says more */
	}
	if (r.why[0] != '\0') {
		note_begun(h, now);
		job_refuse(c, now, h, r.why);
	} else if (waits_for_zones(c, now, h, &r)) {
		host_schedule(c, now, h);
	} else if (!begin_job(c, now, h, &r)) {
		h->not_before_ns = h->tlsa.add_ns = h->tlsa.remove_ns = seconds_after(now, QUESTION_AGAIN_S);
		host_schedule(c, now, h);
	}
	reading_fini(&r);
}

static bool
may_begin(const struct certifier *c, const struct now *now)
{
	return !c->conf.is_dry && !list_is_empty(&c->waiting) && certifier_free_slot(c) != c->conf.jobs_max &&
	       acme_client_rests_until(c->conf.ca, now) <= now->mono_ns;
}

void
certifier_go(struct certifier *c, const struct now *now)
{
	while (!c->is_reading && may_begin(c, now)) {
		struct host *h = LIST_ENTRY(c->waiting.next, struct host, waiting);
		list_remove(&h->waiting);
		begin(c, now, h);
	}
	uint64_t rests_ns = acme_client_rests_until(c->conf.ca, now);
	c->rests_until_ns = rests_ns > now->mono_ns ? rests_ns : NOW_NEVER;
}

/* ---- input ---- */

static void
tell_notices(const struct certifier *c)
{
	static const enum certifier_event events[ACME_NOTICES] = {
		[ACME_NOTICE_CONTACT] = CERTIFIER_CONTACT,
		[ACME_NOTICE_CONTACT_REFUSED] = CERTIFIER_CONTACT_REFUSED,
		[ACME_NOTICE_TERMS] = CERTIFIER_TERMS,
	};
	struct acme_notice n;
	while (acme_client_next_notice(c->conf.ca, &n)) {
		certifier_say(c, &(struct certifier_report){ .event = events[n.kind], .why = n.text });
	}
}

void
certifier_on_ca(struct certifier *c, const struct now *now)
{
	struct acme_order *o;
	struct acme_renewal *r;
	tell_notices(c);
	while ((o = acme_client_next_order(c->conf.ca)) != NULL) {
		job_on_order(c, now, o);
	}
	while ((r = acme_client_next_renewal(c->conf.ca)) != NULL) {
		host_on_renewal(c, now, r);
	}
	certifier_go(c, now);
}

void
certifier_updated(struct certifier *c, const struct now *now, unsigned slot, enum certifier_outcome outcome, const char *why)
{
	if (c->jobs[slot] != NULL && c->jobs[slot]->is_waiting) {
		job_updated(c->jobs[slot], now, outcome, why);
	}
	certifier_go(c, now);
}

uint64_t
certifier_deadline(const struct certifier *c)
{
	const struct heap_node *host = heap_first(&c->host_timers), *job = heap_first(&c->job_timers);
	uint64_t at_ns = sooner(host != NULL ? host->at : NOW_NEVER, job != NULL ? job->at : NOW_NEVER);
	return sooner(at_ns, list_is_empty(&c->waiting) ? NOW_NEVER : c->rests_until_ns);
}

static void
look_in_time(struct certifier *c, const struct now *now, struct host *h)
{
	h->left_ns = 0;
	host_look(c, now, h, false);
	if (h->job == NULL && !host_look_at_remarks(c, now, h)) {
		host_let_go(c, now, h);
	}
}

void
certifier_timer(struct certifier *c, const struct now *now)
{
	struct heap_node *t;
	while ((t = heap_first(&c->job_timers)) != NULL && t->at <= now->mono_ns) {
		heap_remove(&c->job_timers, t);
		job_timer(LIST_ENTRY(t, struct job, timer), now);
	}
	while ((t = heap_first(&c->host_timers)) != NULL && t->at <= now->mono_ns) {
		heap_remove(&c->host_timers, t);
		look_in_time(c, now, LIST_ENTRY(t, struct host, timer));
	}
	certifier_go(c, now);
}

/* ---- beginning and end ---- */

struct certifier *
certifier_new(const struct certifier_conf *conf)
{
	struct certifier *c = xalloc(sizeof *c);
	c->conf = *conf;
	c->conf.jobs_max = conf->jobs_max == 0 || conf->jobs_max > CERTIFIER_JOBS_MAX ? CERTIFIER_JOBS_MAX : conf->jobs_max;
	c->rests_until_ns = NOW_NEVER;
	list_init(&c->waiting);
	err_t err = heap_reserve(&c->job_timers, CERTIFIER_JOBS_MAX);
	ASSERT(err == OK); /* so little memory is always there */
	return c;
}

void
certifier_free(struct certifier **certifier)
{
	struct certifier *c = *certifier;
	if (c == NULL) {
		return;
	}
	for (unsigned i = 0; i < CERTIFIER_JOBS_MAX; i++) {
		if (c->jobs[i] != NULL) {
			job_free(c->jobs[i]);
		}
	}
	while (c->list_n != 0) {
		host_drop(c, c->list[0]);
	}
	heap_fini(&c->host_timers);
	heap_fini(&c->job_timers);
	free(c->list);
	free(c);
	*certifier = NULL;
}

/* ---- for people ---- */

void
certifier_say(const struct certifier *c, const struct certifier_report *r)
{
	c->conf.io.report(c->conf.io.ctx, r);
}

const struct certifier_stats *
certifier_stats(const struct certifier *c)
{
	return &c->stats;
}

static const char *
tlsa_action(const struct job *j)
{
	if (j->tlsa == TLSA_REMOVE) {
		return "old TLSA records are removed";
	}
	return j->state == JOB_CHECK ? "name servers are asked for TLSA records" : "TLSA records are written into DNS";
}

/* `is_due`: at once; `is_tlsa`: with TLSA records first. */
static const char *
action_of(const struct host *h, bool is_due, bool is_tlsa)
{
	static const char *const doing[] = {
		[JOB_ORDER] = "an order begins",
		[JOB_ADD] = "proofs are written into DNS",
		[JOB_CHECK] = "name servers are asked for the proofs",
		[JOB_PROVEN] = "the CA looks, and makes the certificate",
		[JOB_END] = "the end of an order is written into DNS",
	};
	if (h->job != NULL) {
		return h->job->tlsa != TLSA_NONE ? tlsa_action(h->job) : doing[h->job->state];
	}
	if (!h->has_request) {
		return "nothing: there is no signing request";
	}
	if (is_tlsa) {
		return !h->has_cert ? "TLSA records, then order" : h->tlsa.is_missing ? "TLSA records" : "removal of old TLSA records";
	}
	return is_due ? "order" : h->has_cert ? "renewal" : h->tries == 0 && tlsa_order_ns(h) > 0 ? "order" : "next try";
}

static int64_t
days_left(const struct host *h, const struct now *now)
{
	return h->has_cert && h->not_after_s > now->wall_s ? (int64_t)((h->not_after_s - now->wall_s) / DAY_S) : -1;
}

void
certifier_each(const struct certifier *c, const struct now *now, void (*each)(void *ctx, const struct certifier_state *s),
               void *ctx)
{
	for (size_t i = 0; i < c->list_n; i++) {
		const struct host *h = c->list[i];
		uint64_t at_ns = due(c, h, now);
		bool is_due = at_ns <= now->mono_ns;
		bool is_tlsa = tlsa_due(c, h) <= at_ns;
		char passed[CERTIFIER_REASON_MAX];
		bool is_passed = h->trouble[0] == '\0' && tlsa_passed_over(c, h, passed);
		bool awaits = h->has_request && h->job == NULL && h->zones_ns > now->mono_ns;
		const struct certifier_state s = {
			.host = h->name.oct, .has_cert = h->has_cert, .not_after_s = h->not_after_s, .days_left = days_left(h, now),
			.action = awaits ? "a look whether all zones are here" : action_of(h, is_due, is_tlsa),
			.next_s = h->job != NULL || is_due ? 0 : (at_ns - now->mono_ns) / NOW_SECOND_NS, .tries = h->tries,
			.trouble = is_passed ? passed : h->trouble,
		};
		each(ctx, &s);
	}
}
