/* TLSA records for clients of a host (acme/dane.h): which ones there should be, which ones may go, and when.
 *
 * What is in DNS decides, and this alone: a record of the request's key is wanted at each name of the request; a remark at the host says
 * that a record is ours, so that it may go when it is not wanted any more.  What has to be waited for is waited for anew after a start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/nkey.h"
#include "zone/node.h"
#include "zone/zone.h"

enum { OLD_MAX = STEPS_CHANGES_MAX / 2 }; /* records that one job removes: each with its remark */

/* ---- what is wanted ---- */

void
tlsa_fini(struct host_tlsa *t)
{
	free(t->names);
	*t = (struct host_tlsa){ .names = NULL };
}

/* Wildcards have no such names (RFC 6698 3). */
static void
take_names(struct host_tlsa *t, const struct host_names *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct name *n = &t->names[t->names_n];
		t->names_n += from->name[i][0] != '*' && name_parse(from->name[i], strlen(from->name[i]), name_root, n) == OK;
	}
}

err_t
tlsa_take(const struct certifier *c, struct host *h, const struct reading *r)
{
	struct host_tlsa t = { .names = NULL };
	tlsa_fini(&h->tlsa);
	if (c->conf.dane.n == 0 || r->why[0] != '\0') {
		return OK;
	}
	TRY(dane_rdata(r->set.request->key, t.rdata));
	t.names = try_alloc(r->set.request->names.n * sizeof *t.names);
	if (t.names == NULL) {
		return E_NOMEM;
	}
	take_names(&t, &r->set.request->names);
	h->tlsa = t;
	return OK;
}

struct wish {
	struct name owner;
	const struct zone *zone;
	const struct rrset *there; /* NULL: no record of any kind */
};

static size_t
wishes_n(const struct certifier *c, const struct host *h)
{
	size_t n = h->tlsa.names_n * c->conf.dane.n;
	return n < CERTIFIER_TLSA_MAX ? n : CERTIFIER_TLSA_MAX;
}

static err_t
wished_owner(const struct certifier *c, const struct host *h, size_t i, struct name *out)
{
	return dane_owner(c->conf.dane.port[i % c->conf.dane.n], h->tlsa.names[i / c->conf.dane.n].oct, out);
}

/* NULL: a record can be there.  Else why not. */
static const char *
obstacle(const struct certifier *c, const struct host *h, struct wish *w)
{
	struct name status;
	struct nkey key;
	struct zone_hit hit;
	w->zone = zone_around(c, w->owner.oct);
	w->there = NULL;
	if (w->zone == NULL) {
		return "is in no zone of ours";
	}
	nkey_set(&key, w->owner.oct);
	zone_find(w->zone, &key, &hit);
	if (hit.cut != NULL || hit.dname != NULL) {
		return "is not in the zone above it, and the zone that has it is none of ours";
	}
	if (hit.node != NULL && node_rrset(hit.node, TYPE_CNAME) != NULL) {
		return "is a CNAME";
	}
	if (!dns_some_key_may(c, w->zone->apex_name, w->owner.oct, TYPE_TLSA)) {
		return "has TLSA records that no key may change";
	}
	if (dns_status_zone(c, h->name.oct, h->apex.oct, &status) == NULL) {
		return "needs a remark on it that no key may write";
	}
	w->there = hit.node != NULL ? node_rrset(hit.node, TYPE_TLSA) : NULL;
	return NULL;
}

static bool
wish_at(const struct certifier *c, const struct host *h, size_t i, struct wish *out)
{
	return wished_owner(c, h, i, &out->owner) == OK && obstacle(c, h, out) == NULL;
}

bool
tlsa_passed_over(const struct certifier *c, const struct host *h, char why[CERTIFIER_REASON_MAX])
{
	char first[CERTIFIER_REASON_MAX - 100] = "";
	size_t all = h->tlsa.names_n * c->conf.dane.n, n = all - wishes_n(c, h);
	for (size_t i = 0; i < wishes_n(c, h); i++) {
		struct wish w;
		char owner[NAME_TEXT_MAX];
		const char *what = wished_owner(c, h, i, &w.owner) == OK ? obstacle(c, h, &w) : "would be too long";
		if (what != NULL && n++ == 0) {
			name_show(w.owner.oct, owner);
			(void)snprintf(first, sizeof first, ": %.253s %s", owner, what);
		}
	}
	(void)snprintf(why, CERTIFIER_REASON_MAX, "%zu of %zu TLSA records are left out%s", n, all, first);
	return n != 0;
}

bool
tlsa_awaits_zones(const struct certifier *c, const struct now *now, const struct host *h)
{
	bool awaits = false;
	for (size_t i = 0; i < wishes_n(c, h) && !awaits; i++) {
		struct name owner;
		awaits = wished_owner(c, h, i, &owner) == OK && zone_may_come(c, now, owner.oct, TYPE_TLSA);
	}
	return awaits;
}

/* ---- what is there ---- */

static bool
is_record(const struct rr *rr, const uint8_t rdata[DANE_RDATA_LEN])
{
	return rr->rdlen == DANE_RDATA_LEN && memcmp(rr->rdata, rdata, DANE_RDATA_LEN) == 0;
}

static bool
has(const struct rrset *s, const uint8_t rdata[DANE_RDATA_LEN])
{
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	bool is = false;
	for (unsigned i = 0; s != NULL && i < s->n && !is; i++, rr = rr_next(rr)) {
		is = is_record(rr, rdata);
	}
	return is;
}

static uint32_t
bounded_ttl(const struct rrset *s)
{
	return rrset_ttl(s) < CERTIFIER_TLSA_WAIT_MAX_S ? rrset_ttl(s) : CERTIFIER_TLSA_WAIT_MAX_S;
}

/* For how long caches may know records that are there without knowing ours.  Caches that know of none do no harm (RFC 7671 8.1). */
static uint32_t
wait_of(const struct rrset *s, const uint8_t rdata[DANE_RDATA_LEN])
{
	bool is_alone = s == NULL || (s->n == 1 && has(s, rdata));
	return is_alone ? 0 : bounded_ttl(s);
}

static const struct rrset *
remarks_of(const struct certifier *c, const struct host *h)
{
	struct name owner;
	const struct zone *z = view_zone(c->conf.io.view(c->conf.io.ctx), h->apex.oct);
	return acme_status_name(h->name.oct, &owner) == OK ? rrset_at(z, owner.oct, TYPE_TXT) : NULL;
}

static bool
has_remark(const struct rrset *remarks, const uint8_t *owner, const uint8_t rdata[DANE_RDATA_LEN])
{
	char hash[DANE_HASH_TEXT_LEN + 1];
	const struct rr *rr = remarks != NULL ? rrset_first(remarks) : NULL;
	bool has = false;
	dane_print_hash(rdata, hash);
	for (unsigned i = 0; remarks != NULL && i < remarks->n && !has; i++, rr = rr_next(rr)) {
		struct remark r;
		has = remark_read(rr->rdata, rr->rdlen, &r) == OK && r.kind == REMARK_TLSA && strcmp(r.value, hash) == 0 &&
		      name_is_equal(r.owner.oct, owner);
	}
	return has;
}

/* ---- what may go ---- */

static bool
is_wanted(const struct certifier *c, const struct host *h, const uint8_t *owner, const uint8_t rdata[DANE_RDATA_LEN])
{
	bool is_key = h->tlsa.names_n != 0 && memcmp(h->tlsa.rdata, rdata, DANE_RDATA_LEN) == 0;
	bool is = false;
	for (size_t i = 0; is_key && i < wishes_n(c, h) && !is; i++) {
		struct name n;
		is = wished_owner(c, h, i, &n) == OK && name_is_equal(n.oct, owner);
	}
	return is;
}

/* Another request for this name, with the same key, which relies on the record. */
static bool
is_wanted_elsewhere(const struct certifier *c, const struct host *h, const uint8_t *owner, const uint8_t rdata[DANE_RDATA_LEN])
{
	bool is = false;
	for (const uint8_t *at = dane_host(owner); !name_is_root(at) && !is; at = name_parent(at)) {
		const struct host *other = host_find(c, at);
		is = other != NULL && other != h && is_wanted(c, other, owner, rdata);
	}
	return is;
}

struct old {
	struct wish at;
	uint8_t rdata[DANE_RDATA_LEN];
};

/* True when the remark is on a record that may go.  Who may write remarks of a host gets no say on names outside of it. */
static bool
is_old(const struct certifier *c, const struct host *h, const struct rr *rr, struct old *out)
{
	struct remark r;
	if (remark_read(rr->rdata, rr->rdlen, &r) != OK || r.kind != REMARK_TLSA || !dane_read_hash(r.value, out->rdata) ||
	    dane_host(r.owner.oct) == NULL || !name_is_within(dane_host(r.owner.oct), h->name.oct)) {
		return false;
	}
	out->at.owner = r.owner;
	return !is_wanted(c, h, r.owner.oct, out->rdata) && !is_wanted_elsewhere(c, h, r.owner.oct, out->rdata) &&
	       obstacle(c, h, &out->at) == NULL;
}

static void
look_at_old(const struct certifier *c, struct host *h)
{
	const struct rrset *remarks = remarks_of(c, h);
	const struct rr *rr = remarks != NULL ? rrset_first(remarks) : NULL;
	h->tlsa.has_old = false;
	h->tlsa.old_ttl_s = 0;
	for (unsigned i = 0; remarks != NULL && i < remarks->n; i++, rr = rr_next(rr)) {
		struct old old;
		if (is_old(c, h, rr, &old)) {
			uint32_t ttl_s = has(old.at.there, old.rdata) ? bounded_ttl(old.at.there) : 0;
			h->tlsa.has_old = true;
			h->tlsa.old_ttl_s = ttl_s > h->tlsa.old_ttl_s ? ttl_s : h->tlsa.old_ttl_s;
		}
	}
}

/* ---- a look at all of it ---- */

bool
tlsa_look(const struct certifier *c, struct host *h)
{
	const struct host_tlsa before = h->tlsa;
	struct host_tlsa *t = &h->tlsa;
	t->is_missing = false;
	t->wait_s = 0;
	if (c->conf.dane.n == 0) {
		return false;
	}
	for (size_t i = 0; i < wishes_n(c, h); i++) {
		struct wish w;
		if (wish_at(c, h, i, &w)) {
			uint32_t wait_s = wait_of(w.there, t->rdata);
			t->is_missing |= !has(w.there, t->rdata);
			t->wait_s = wait_s > t->wait_s ? wait_s : t->wait_s;
		}
	}
	look_at_old(c, h);
	return t->is_missing != before.is_missing || t->wait_s != before.wait_s || t->has_old != before.has_old ||
	       t->old_ttl_s != before.old_ttl_s;
}

/* With a certificate, clients have to know the record already: there is no need to wait for anything. */
static bool
is_new_due(const struct host *h)
{
	const struct host_tlsa *t = &h->tlsa;
	return t->is_missing || (!h->has_cert && t->wait_s != 0 && !t->is_seen);
}

static bool
is_old_due(const struct host *h)
{
	return h->has_cert && h->tlsa.has_old && !h->tlsa.is_missing;
}

static uint64_t
old_ns(const struct certifier *c, const struct host *h)
{
	uint64_t gone_ns = h->tlsa.written_ns + (h->tlsa.old_ttl_s + c->conf.dane_keep_s) * NOW_SECOND_NS;
	return gone_ns > h->tlsa.remove_ns ? gone_ns : h->tlsa.remove_ns;
}

uint64_t
tlsa_job_ns(const struct certifier *c, const struct host *h)
{
	return is_new_due(h) ? h->tlsa.add_ns : is_old_due(h) ? old_ns(c, h) : NOW_NEVER;
}

uint64_t
tlsa_order_ns(const struct host *h)
{
	if (h->has_cert) {
		return 0;
	}
	return is_new_due(h) ? NOW_NEVER : h->tlsa.wait_s != 0 ? h->tlsa.ready_ns : 0;
}

enum job_tlsa
tlsa_next(const struct certifier *c, const struct host *h, const struct now *now)
{
	if (tlsa_job_ns(c, h) > now->mono_ns) {
		return TLSA_NONE;
	}
	return is_new_due(h) ? TLSA_ADD : TLSA_REMOVE;
}

/* ---- what a job does ---- */

static err_t
put_record(struct job *j, enum step_change_kind kind, const struct wish *w, const uint8_t rdata[DANE_RDATA_LEN], uint32_t ttl)
{
	return steps_add(&j->steps, w->zone->apex_name, &(struct step_change){ .kind = kind, .owner = w->owner.oct, .type = TYPE_TLSA,
	                                                                       .ttl = ttl, .rdata = rdata, .rdlen = DANE_RDATA_LEN });
}

static err_t
put_new_remark(struct job *j, const struct now *now, const struct wish *w)
{
	struct remark r = { .kind = REMARK_TLSA, .at_s = now->wall_s, .owner = w->owner };
	dane_print_hash(j->host->tlsa.rdata, r.value);
	return has_remark(remarks_of(j->owner, j->host), w->owner.oct, j->host->tlsa.rdata) ? OK : dns_put_remark(j, STEP_ADD, &r);
}

static void
note_proof(struct job *j, const struct wish *w)
{
	struct job_proof *p = &j->proofs[j->proofs_n++];
	*p = (struct job_proof){ .owner = w->owner, .type = TYPE_TLSA };
	name_set(&p->zone, w->zone->apex_name);
	dane_print_hash(j->host->tlsa.rdata, p->value);
}

/* Remarks first: a record without a remark would stay for ever.  Records beside others get their TTL (RFC 2181 5.2). */
err_t
tlsa_put_new(struct job *j, const struct now *now)
{
	const struct certifier *c = j->owner;
	const struct host *h = j->host;
	const struct rrset *request = host_rrset(c, h);
	uint32_t ttl = request != NULL && rrset_ttl(request) < CERTIFIER_TLSA_TTL_MAX ? rrset_ttl(request) : CERTIFIER_TLSA_TTL_MAX;
	struct wish w;
	j->proofs = try_alloc((wishes_n(c, h) + 1) * sizeof *j->proofs);
	if (j->proofs == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < wishes_n(c, h); i++) {
		if (wish_at(c, h, i, &w) && !has(w.there, h->tlsa.rdata)) {
			TRY(put_new_remark(j, now, &w));
		}
	}
	for (size_t i = 0; i < wishes_n(c, h); i++) {
		if (!wish_at(c, h, i, &w)) {
			continue;
		}
		if (!has(w.there, h->tlsa.rdata)) {
			TRY(put_record(j, STEP_ADD, &w, h->tlsa.rdata, w.there != NULL ? rrset_ttl(w.there) : ttl));
		}
		if (!h->has_cert && h->tlsa.wait_s != 0) {
			note_proof(j, &w);
		}
	}
	return OK;
}

static err_t
put_old_record(struct job *j, const struct old *old, const struct rr *remark)
{
	(void)remark;
	return has(old->at.there, old->rdata) ? put_record(j, STEP_REMOVE, &old->at, old->rdata, 0) : OK;
}

static err_t
put_old_remark(struct job *j, const struct old *old, const struct rr *remark)
{
	(void)old;
	return dns_put_status(j, STEP_REMOVE, remark->rdata, remark->rdlen);
}

/* The same ones each time. */
static err_t
put_each_old(struct job *j, const struct rrset *remarks, err_t (*put)(struct job *, const struct old *, const struct rr *))
{
	const struct rr *rr = remarks != NULL ? rrset_first(remarks) : NULL;
	size_t n = 0;
	for (unsigned i = 0; remarks != NULL && i < remarks->n && n < OLD_MAX; i++, rr = rr_next(rr)) {
		struct old old;
		if (is_old(j->owner, j->host, rr, &old)) {
			TRY(put(j, &old, rr));
			n++;
		}
	}
	return OK;
}

/* Remarks last, so that a record that could not be removed is found again. */
err_t
tlsa_put_old(struct job *j)
{
	const struct rrset *remarks = remarks_of(j->owner, j->host);
	TRY(put_each_old(j, remarks, put_old_record));
	return put_each_old(j, remarks, put_old_remark);
}
