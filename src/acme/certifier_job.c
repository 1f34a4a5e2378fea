/* A job, from its beginning to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/zone.h"

void
job_report(const struct job *j, enum certifier_event event, const char *why, uint64_t next_s)
{
	const char *url = j->order != NULL ? acme_order_url(j->order) : NULL;
	const struct certifier_report r = { .event = event, .host = j->name.oct, .order = url, .why = why, .next_s = next_s };
	certifier_say(j->owner, &r);
}

static void
set_timer(struct job *j, const struct now *now, uint64_t s)
{
	heap_set(&j->owner->job_timers, &j->timer, seconds_after(now, s));
}

/* ---- beginning and end ---- */

struct job *
job_new(struct certifier *c, struct host *h)
{
	struct job *j = try_alloc(sizeof *j);
	unsigned slot = certifier_free_slot(c);
	if (j == NULL || slot == c->conf.jobs_max) {
		free(j);
		return NULL;
	}
	j->owner = c;
	j->slot = slot;
	j->host = h;
	j->name = h->name;
	j->apex = h->apex;
	memcpy(j->request, h->request, sizeof j->request);
	memcpy(j->cert_id, h->cert_id, sizeof j->cert_id);
	h->job = j;
	heap_remove(&c->host_timers, &h->timer);
	if (list_is_linked(&h->waiting)) {
		list_remove(&h->waiting);
	}
	c->jobs[slot] = j;
	c->stats.jobs++;
	return j;
}

void
job_free(struct job *j)
{
	struct certifier *c = j->owner;
	check_end(j);
	heap_remove(&c->job_timers, &j->timer);
	acme_order_free(&j->order);
	steps_fini(&j->steps);
	c->jobs[j->slot] = NULL;
	c->stats.jobs--;
	j->host->job = NULL;
	free(j->proofs);
	free(j);
}

static void
forget_failures(struct host *h, const struct job *j, const struct now *now)
{
	bool is_here = strcmp(h->cert_id, j->cert_id) != 0;
	h->tries = 0;
	h->said_s = 0;
	h->trouble[0] = '\0';
	h->is_settling = true;
	h->settles_ns = is_here ? 0 : seconds_after(now, SETTLE_S);
}

/* What was added, or removed, comes back by the follower.  A failure that holds up an order has its own pause. */
static void
note_tlsa(struct host *h, const struct job *j, const struct now *now)
{
	if (j->has_changed || j->why[0] != '\0') {
		return;
	}
	uint64_t next_ns = seconds_after(now, j->has_failed ? TLSA_FAILED_S : TLSA_PAUSE_S);
	h->tlsa.add_ns = j->tlsa == TLSA_ADD ? next_ns : h->tlsa.add_ns;
	h->tlsa.remove_ns = j->tlsa == TLSA_REMOVE ? next_ns : h->tlsa.remove_ns;
}

/* Of which the remarks are out of DNS. */
static void
forget_old_failures(struct host *h, const struct now *now)
{
	if (host_is_content(h, now)) {
		h->tries = 0;
		h->said_s = 0;
		h->trouble[0] = '\0';
	}
}

/* All is in DNS, or no more can be done about it. */
static void
over(struct job *j, const struct now *now)
{
	struct certifier *c = j->owner;
	struct host *h = j->host;
	if (j->is_success) {
		forget_failures(h, j, now);
		job_report(j, CERTIFIER_DONE, "", 0);
	} else if (j->is_cleaning) {
		job_report(j, CERTIFIER_CLEANED, "", 0);
		forget_old_failures(h, now);
	}
	h->is_settling |= j->is_cleaning; /* the zone without them is not here yet */
	note_tlsa(h, j, now);
	job_free(j);
	host_look(c, now, h, true);
	host_let_go(c, now, h);
}

/* ---- UPDATEs ---- */

static void tlsa_failed(struct job *j, const struct now *now, const char *why);

/* Its end is not in DNS, or not all of it. */
static void
stuck(struct job *j, const struct now *now, const char *why)
{
	struct host *h = j->host;
	job_report(j, CERTIFIER_STUCK, why, 0);
	for (size_t i = 0; i < j->proofs_n; i++) {
		h->left_s = j->proofs[i].at_s > h->left_s ? j->proofs[i].at_s : h->left_s;
	}
	host_look_later(j->owner, now, h, LEFT_AGAIN_S);
	j->is_cleaning = false; /* nothing is known to be clean */
	if (j->is_success) {
		j->is_success = false;
		host_failed(j->owner, now, h, why, 0);
	}
	over(j, now);
}

static void
make_end(struct job *j, const struct now *now)
{
	heap_remove(&j->owner->job_timers, &j->timer);
	j->update_tries = 0;
	j->is_end_made = true;
	err_t err = dns_end(j, now);
	if (err == OK) {
		job_step(j, now);
	} else if (err == E_NOMEM) {
		j->is_end_made = false;
		set_timer(j, now, UPDATE_PAUSE_MAX_S);
	} else if (j->tlsa == TLSA_REMOVE) {
		tlsa_failed(j, now, err_str(err));
	} else {
		stuck(j, now, err_str(err));
	}
}

/* A proof that came after its removal would stay for ever, if it is not in one UPDATE with its remark. */
static void
begin_end(struct job *j, const struct now *now)
{
	if (now->mono_ns < j->late_ns) {
		heap_set(&j->owner->job_timers, &j->timer, j->late_ns);
	} else {
		make_end(j, now);
	}
}

void
job_end(struct job *j, const struct now *now)
{
	check_end(j);
	j->state = JOB_END;
	j->proofs_n = j->tlsa == TLSA_NONE ? j->proofs_n : 0; /* these stay */
	if (!j->is_waiting) { /* else when the UPDATE has been answered */
		begin_end(j, now);
	}
}

static void
steps_over(struct job *j, const struct now *now)
{
	if (j->tlsa == TLSA_REMOVE) {
		job_report(j, CERTIFIER_TLSA_REMOVED, "", 0);
	}
	if (j->state == JOB_END) {
		j->host->left_s = j->is_cleaning ? 0 : j->host->left_s;
		over(j, now);
		return;
	}
	if (j->tlsa != TLSA_ADD) {
		job_report(j, CERTIFIER_PROVING, "", 0);
	} else if (j->steps.n != 0) {
		job_report(j, CERTIFIER_TLSA_ADDED, "", 0);
	}
	if (j->proofs_n == 0) { /* TLSA records that nobody waits for */
		over(j, now);
		return;
	}
	j->state = JOB_CHECK;
	check_begin(j, now);
}

/* There is a certificate, and it is not concerned. */
static void
tlsa_failed(struct job *j, const struct now *now, const char *why)
{
	check_end(j);
	j->has_failed = true;
	job_report(j, CERTIFIER_TLSA_FAILED, why, TLSA_FAILED_S);
	over(j, now);
}

void
job_step(struct job *j, const struct now *now)
{
	uint8_t bytes[STEPS_MESSAGE_MAX + 64];
	struct buf message = buf_over(bytes, sizeof bytes);
	struct step step = { .message = &message };
	err_t err = steps_next(&j->steps, j->owner->conf.keys, &step);
	if (err == E_NOTFOUND) {
		steps_over(j, now);
	} else if (err == OK) {
		j->is_waiting = true;
		j->owner->stats.updates++;
		j->owner->conf.io.update(j->owner->conf.io.ctx, j->slot, step.key, step.zone, message.base, message.len);
	} else if (j->tlsa == TLSA_REMOVE) {
		tlsa_failed(j, now, err_str(err));
	} else if (j->state == JOB_END) {
		stuck(j, now, err == E_AUTH ? "no key may change all names concerned" : err_str(err));
	} else {
		job_fail(j, now, "no key may change all names concerned", 0);
	}
}

/* The same UPDATE once more, after a pause; false: that was tried often enough. */
static bool
again(struct job *j, const struct now *now)
{
	unsigned most = j->state == JOB_END ? END_TRIES_MAX : UPDATE_TRIES_MAX;
	uint64_t pause_s = j->update_tries < 6 ? (uint64_t)1 << j->update_tries : UPDATE_PAUSE_MAX_S;
	if (++j->update_tries > most) {
		return false;
	}
	set_timer(j, now, pause_s);
	return true;
}

static void
not_updated(struct job *j, const struct now *now, enum certifier_outcome outcome, const char *why)
{
	char text[CERTIFIER_REASON_MAX];
	bool is_tried = (outcome == CERTIFIER_LOST || j->state == JOB_END) && again(j, now);
	if (is_tried) {
		return;
	}
	(void)snprintf(text, sizeof text, "the UPDATE of DNS failed: %.400s", why);
	if (j->state != JOB_END) {
		job_fail(j, now, text, 0);
	} else if (j->tlsa == TLSA_REMOVE) {
		tlsa_failed(j, now, text);
	} else {
		stuck(j, now, text);
	}
}

/* The RRset is another one than we know: the follower may be behind. */
static void
unmet(struct job *j, const struct now *now)
{
	if (++j->unmet > UNMET_TRIES_MAX) {
		j->is_success = false;
		str_cut(j->why, sizeof j->why, "the TLSA records change while the certificate is made");
		host_failed(j->owner, now, j->host, j->why, 0);
		make_end(j, now);
		return;
	}
	j->is_end_made = false;
	set_timer(j, now, (uint64_t)1 << j->unmet);
}

void
job_updated(struct job *j, const struct now *now, enum certifier_outcome outcome, const char *why)
{
	j->is_waiting = false;
	if (outcome == CERTIFIER_LOST && j->is_partly_done && !j->is_end_made) {
		j->late_ns = seconds_after(now, LATE_MAX_S);
	}
	if (j->state == JOB_END && !j->is_end_made) {
		begin_end(j, now); /* the UPDATE was one of before */
	} else if (outcome == CERTIFIER_UPDATED) {
		j->update_tries = 0;
		j->is_partly_done = true;
		steps_done(&j->steps);
		job_step(j, now);
	} else if (outcome == CERTIFIER_UNMET && j->state == JOB_END && steps_has_condition(&j->steps)) {
		unmet(j, now);
	} else {
		not_updated(j, now, outcome, why);
	}
}

void
job_timer(struct job *j, const struct now *now)
{
	if (j->state == JOB_CHECK) {
		check_timer(j, now);
	} else if (j->state == JOB_END && !j->is_end_made) {
		make_end(j, now);
	} else {
		job_step(j, now);
	}
}

/* ---- failures ---- */

void
job_fail(struct job *j, const struct now *now, const char *why, uint64_t retry_s)
{
	struct certifier *c = j->owner;
	if (j->tlsa != TLSA_NONE && j->host->has_cert) {
		tlsa_failed(j, now, why);
		return;
	}
	str_cut(j->why, sizeof j->why, why);
	host_failed(c, now, j->host, j->why, retry_s);
	c->stats.failed++;
	job_report(j, CERTIFIER_FAILED, j->why, (j->host->not_before_ns - now->mono_ns) / NOW_SECOND_NS);
	acme_order_free(&j->order);
	job_end(j, now);
}

static void
end_early(struct job *j, const struct now *now, const char *why)
{
	bool is_first = !j->has_changed;
	j->has_changed = true;
	if (j->tlsa == TLSA_REMOVE) {
		j->is_end_made = false; /* another key may be the wanted one now */
	} else if (j->state != JOB_END) {
		acme_order_free(&j->order);
		if (is_first) {
			job_report(j, CERTIFIER_CHANGED, why, 0);
		}
		job_end(j, now);
	}
}

void
job_on_change(struct certifier *c, const struct now *now, struct job *j, const char *request)
{
	(void)c;
	if (!j->is_cleaning && strcmp(request, j->request) != 0) {
		end_early(j, now, "");
	}
}

/* What is in DNS now was read: has a certificate come since an order began? */
void
job_on_reading(struct job *j, const struct now *now)
{
	bool is_order = j != NULL && j->tlsa == TLSA_NONE && j->state != JOB_END;
	if (is_order && j->host->has_cert && strcmp(j->host->cert_id, j->cert_id) != 0) {
		end_early(j, now, "somebody else has put a certificate there: is another oacme running?");
	}
}

/* A record that was here and is not any more was taken away by somebody: name servers will not have it. */
void
job_on_zone(struct job *j, const struct now *now, const struct zone *z)
{
	char why[CERTIFIER_REASON_MAX], owner[NAME_TEXT_MAX];
	const struct job_proof *gone = NULL;
	bool is_concerned = j->state == JOB_ADD || j->state == JOB_CHECK;
	for (size_t i = 0; is_concerned && i < j->proofs_n; i++) {
		struct job_proof *p = &j->proofs[i];
		bool is_of_zone = name_is_equal(p->zone.oct, z->apex_name), has = is_of_zone && dns_has_proof(z, p);
		gone = is_of_zone && p->is_here && !has ? p : gone;
		p->is_here |= has;
	}
	if (gone != NULL && j->state == JOB_CHECK) {
		name_show(gone->owner.oct, owner);
		(void)snprintf(why, sizeof why, "somebody else has removed the %s record of ours at %.255s",
		               gone->type == TYPE_TXT ? "TXT" : "TLSA", owner);
		job_fail(j, now, why, 0);
	}
}

void
job_refuse(struct certifier *c, const struct now *now, struct host *h, const char *why)
{
	struct job *j = job_new(c, h);
	if (j == NULL) {
		host_look_later(c, now, h, NO_ROOM_S);
		return;
	}
	str_cut(j->why, sizeof j->why, why);
	host_failed(c, now, h, why, 0);
	c->stats.failed++;
	job_report(j, CERTIFIER_REFUSED, j->why, (h->not_before_ns - now->mono_ns) / NOW_SECOND_NS);
	job_end(j, now);
}

void
job_clean(struct certifier *c, const struct now *now, struct host *h, struct job_proof *left, size_t n)
{
	struct job *j = job_new(c, h);
	if (j == NULL) {
		free(left);
		host_look_later(c, now, h, NO_ROOM_S);
		return;
	}
	j->proofs = left;
	j->proofs_n = n;
	j->is_cleaning = true;
	/* What an earlier run has left counts, lest a program that crashes again and again does so with an order each time; but once. */
	struct name status;
	bool has_left = n != 0 && h->left_s == 0 && dns_status_zone(c, h->name.oct, h->apex.oct, &status) != NULL;
	if (h->has_request && has_left && !host_is_content(h, now)) {
		str_cut(j->why, sizeof j->why, "oacme has ended while an order was under way");
		host_failed(c, now, h, j->why, 0);
	}
	job_end(j, now);
}

/* ---- TLSA records ---- */

bool
job_tlsa(struct certifier *c, const struct now *now, struct host *h, enum job_tlsa what)
{
	struct job *j = job_new(c, h);
	if (j == NULL) {
		return false;
	}
	j->tlsa = what;
	j->wait_s = h->tlsa.wait_s;
	if (what == TLSA_REMOVE) {
		job_end(j, now);
		return true;
	}
	j->state = JOB_ADD;
	if (tlsa_put_new(j, now) != OK) {
		job_free(j);
		return false;
	}
	job_step(j, now);
	return true;
}

/* All name servers have the records; caches may have had what was there before. */
static void
tlsa_seen(struct job *j, const struct now *now)
{
	j->host->tlsa.is_seen = true;
	j->host->tlsa.ready_ns = seconds_after(now, j->wait_s);
	over(j, now);
}

void
job_checked(struct job *j, const struct now *now)
{
	check_end(j);
	if (j->tlsa == TLSA_ADD) {
		tlsa_seen(j, now);
	} else {
		job_proofs_seen(j, now);
	}
}
