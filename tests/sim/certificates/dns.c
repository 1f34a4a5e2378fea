/* Zones at their primary, and what name servers show of them. */
#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

enum { KEEP_S = 1200, SERIAL_FIRST = 1 };

const char *
dns_apex(const struct world *w, unsigned zone)
{
	return zone == 0 ? "example" : w->plan->place == PLACE_DELEGATED ? "_acme-challenge.h0.example" : "proofs.test";
}

/* ---- versions ---- */

struct copying {
	struct zone_builder *builder;
	uint32_t serial;
};

/* The serial is the first of the SOA's five numbers. */
static err_t
copy_record(void *ctx, const struct zone_rr *rr)
{
	const struct copying *c = ctx;
	uint8_t soa[2 * NAME_WIRE_MAX + 20];
	if (rr->type != TYPE_SOA) {
		return zone_builder_add(c->builder, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
	}
	memcpy(soa, rr->rdata, rr->rdlen);
	for (unsigned i = 0; i < 4; i++) {
		soa[rr->rdlen - 20u + i] = (uint8_t)(c->serial >> (24 - 8 * i));
	}
	return zone_builder_add(c->builder, rr->owner, rr->type, rr->ttl, soa, rr->rdlen);
}

struct zone *
dns_copy(const struct zone *z, uint32_t serial)
{
	struct findings findings = { 0 };
	struct copying c = { .serial = serial };
	struct zone *copy = NULL;
	err_t err = zone_builder_new(z->apex_name, &findings, &c.builder);
	if (err == OK) {
		zone_builder_take_flaws(c.builder);
		err = zone_walk(z, copy_record, &c);
	}
	err = err == OK ? zone_builder_finish(c.builder, &copy) : err;
	ASSERT(err == OK);
	zone_builder_free(&c.builder);
	findings_fini(&findings);
	return copy;
}

/* Versions that no name server shows any more go. */
static void
forget_old(struct world *w, struct dns_zone *d)
{
	size_t old = 0;
	while (old + 1 < d->n && (d->n - old == VERSIONS_MAX || d->versions[old + 1].made_ns + KEEP_S * SECOND <= w->now_ns)) {
		zone_free(&d->versions[old++].zone);
	}
	d->n -= old;
	memmove(d->versions, d->versions + old, d->n * sizeof d->versions[0]);
}

static void
add_version(struct world *w, unsigned zone, struct zone *z)
{
	struct dns_zone *d = &w->zones[zone];
	forget_old(w, d);
	d->versions[d->n++] = (struct version){ .made_ns = w->now_ns, .zone = z };
	for (unsigned i = 0; i < OACMES; i++) {
		if (w->oacmes[i].is_up && w->oacmes[i].deaf == 0) {
			uint64_t most_ns = dice_hits(&w->dice, 900) ? 300 * MS : SEE_MAX_S * SECOND;
			struct action *a = action_new(w, ACTION_SEE, &w->oacmes[i], dice_between(&w->dice, 10 * MS, most_ns));
			a->number = zone;
		}
	}
}

const struct zone *
dns_zone(const struct world *w, unsigned zone)
{
	const struct dns_zone *d = &w->zones[zone];
	return d->versions[d->n - 1].zone;
}

void
dns_install(struct world *w, unsigned zone, struct zone_txn **t)
{
	const struct zone *next = NULL;
	bool is_effective = false;
	err_t err = zone_txn_is_effective(*t, &is_effective);
	err = err == OK && is_effective ? zone_txn_prepare(*t, &next) : err;
	ASSERT(err == OK);
	struct zone *copy = is_effective ? dns_copy(next, dns_zone(w, zone)->serial + 1) : NULL;
	zone_txn_rollback(t);
	if (copy != NULL) {
		add_version(w, zone, copy);
	}
}

static struct zone *
first_version(struct world *w, unsigned zone)
{
	struct findings findings = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	err_t err = zone_builder_new(w->zones[zone].apex.oct, &findings, &b);
	ASSERT(err == OK);
	people_put_zone(w, b, zone);
	err = zone_builder_finish(b, &z);
	ASSERT(err == OK);
	zone_builder_free(&b);
	findings_fini(&findings);
	return z;
}

static void
add_key(struct world *w, const char *name)
{
	struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6, .name = people_named(name) };
	err_t err = keystore_add_key(w->keys, &k);
	ASSERT(err == OK);
}

static void
add_keys(struct world *w)
{
	char name[64];
	(void)snprintf(name, sizeof name, "p.%s_update.%s", w->plan->rights == RIGHTS_ALL ? "" : "_txt.", dns_apex(w, 1));
	add_key(w, name);
	if (w->plan->rights == RIGHTS_ALL) {
		add_key(w, "a._update.example");
	} else if (w->plan->rights == RIGHTS_BY_TYPE) {
		add_key(w, "a._txt._update.example");
		add_key(w, "b._tlsa._update.example");
	}
	for (unsigned i = 0; i < HOSTS_MAX && w->plan->rights == RIGHTS_BY_HOST; i++) {
		(void)snprintf(name, sizeof name, "a._txt._update.h%u.example", i);
		add_key(w, name);
		(void)snprintf(name, sizeof name, "b._txt._tlsa._update._letsencrypt._tcp.h%u.example", i);
		add_key(w, name);
	}
}

void
dns_begin(struct world *w)
{
	w->keys = keystore_new(NULL);
	add_keys(w);
	keystore_seal(w->keys);
	for (unsigned i = 0; i < ZONES; i++) {
		w->zones[i].apex = people_named(dns_apex(w, i));
		add_version(w, i, first_version(w, i));
	}
}

void
dns_fini(struct world *w)
{
	for (unsigned i = 0; i < ZONES; i++) {
		for (size_t k = 0; k < w->zones[i].n; k++) {
			zone_free(&w->zones[i].versions[k].zone);
		}
	}
	keystore_free(&w->keys);
}

/* ---- looking up ---- */

unsigned
dns_zone_of(const struct world *w, const uint8_t *name)
{
	for (unsigned i = 1; i < ZONES; i++) {
		if (name_is_within(name, w->zones[i].apex.oct)) {
			return i;
		}
	}
	return 0;
}

const struct rrset *
dns_rrset(const struct zone *z, const uint8_t *name, uint16_t type)
{
	const struct node *n = name_is_within(name, z->apex_name) ? zone_node(z, name) : NULL;
	return n != NULL ? node_rrset(n, type) : NULL;
}

bool
dns_has_txt(const struct zone *z, const uint8_t *owner, const char *value)
{
	const struct rrset *s = dns_rrset(z, owner, TYPE_TXT);
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	size_t len = strlen(value);
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		if (rr->rdlen == 1 + len && rr->rdata[0] == len && memcmp(rr->rdata + 1, value, len) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- name servers ---- */

bool
dns_is_dead(const struct world *w, unsigned server)
{
	return w->dead[server] != 0 || w->plan->dead == (int)server;
}

const struct zone *
dns_shown(const struct world *w, unsigned server, unsigned zone)
{
	const struct dns_zone *d = &w->zones[zone];
	uint64_t lag_ns = (w->plan->lag_s[server] + (uint64_t)w->lag_s[server]) * SECOND;
	size_t i = d->n - 1;
	while (i > 0 && d->versions[i].made_ns + lag_ns > w->now_ns) {
		i--;
	}
	return d->versions[i].zone;
}

size_t
dns_answer(const struct world *w, unsigned server, const uint8_t *bytes, size_t len, uint8_t out[ANSWER_MAX])
{
	struct msg m;
	struct buf b = buf_over(out, ANSWER_MAX);
	err_t err = msg_parse(bytes, len, &m);
	ASSERT(err == OK);
	const struct rrset *s = dns_rrset(dns_shown(w, server, dns_zone_of(w, m.qname.oct)), m.qname.oct, m.qtype);
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	request_begin(&b, m.id, DNS_QR | DNS_AA, &(struct question){ m.qname.oct, m.qtype, CLASS_IN });
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		buf_put(&b, m.qname.oct, m.qname.len);
		buf_u16(&b, m.qtype);
		buf_u16(&b, CLASS_IN);
		buf_u32(&b, rrset_ttl(s));
		buf_u16(&b, rr->rdlen);
		buf_put(&b, rr->rdata, rr->rdlen);
	}
	buf_patch_u16(&b, 6, s != NULL ? s->n : 0);
	ASSERT(b.err == OK);
	return b.len;
}

/* ---- UPDATEs ---- */

static enum certifier_outcome
outcome_of(unsigned rcode)
{
	switch (rcode) {
	case RCODE_NOERROR: return CERTIFIER_UPDATED;
	case RCODE_NXRRSET: return CERTIFIER_UNMET;
	case RCODE_SERVFAIL: return CERTIFIER_LOST;
	default: return CERTIFIER_DENIED;
	}
}

static void
judge(struct update *u, const struct key *key, struct zone_txn *t, struct update_verdict *v)
{
	err_t err = update_read(u, v);
	if (err == OK && v->rcode == RCODE_NOERROR) {
		update_permit(u, key, v);
	}
	err = err == OK && v->rcode == RCODE_NOERROR ? update_ask(u, t, v) : err;
	if (err == OK && v->rcode == RCODE_NOERROR) {
		update_prescan(u, v);
	}
	err = err == OK && v->rcode == RCODE_NOERROR ? update_apply(u, t) : err;
	ASSERT(err == OK);
}

static enum certifier_outcome
carry_out(struct world *w, const struct action *a)
{
	struct update u = { 0 };
	struct update_verdict v = { 0 };
	struct zone_txn *t = NULL;
	const uint8_t *bytes = (const uint8_t *)str_text(&a->bytes);
	update_begin(&u, bytes, a->bytes.len, &v);
	ASSERT(v.rcode == RCODE_NOERROR);
	unsigned zone = dns_zone_of(w, u.m.qname.oct);
	const struct zone *before = dns_zone(w, zone);
	err_t err = zone_txn_begin(before, &t);
	ASSERT(err == OK);
	judge(&u, a->key, t, &v);
	if (v.rcode == RCODE_NOERROR) {
		dns_install(w, zone, &t);
	} else {
		zone_txn_rollback(&t);
	}
	if (v.rcode == RCODE_REFUSED || v.rcode == RCODE_NOTAUTH) {
		world_break(w, "an UPDATE with a key that is not good for it");
	}
	if (dns_zone(w, zone) != before) {
		check_update(w, &u, zone, before);
	}
	world_log(w, "UPDATE: %zu conditions, %zu changes: RCODE %u%s", u.prerequisites_n, u.changes_n, v.rcode,
	          dns_zone(w, zone) != before ? "" : ", nothing new");
	update_fini(&u);
	return outcome_of(v.rcode);
}

void
dns_on_update(struct world *w, struct action *a)
{
	w->updates++;
	enum certifier_outcome outcome = CERTIFIER_LOST;
	if (w->faults[PLAN_PRIMARY_DOWN] != 0) {
		world_log(w, "UPDATE: the primary is down");
	} else if (world_fault(w, PLAN_PRIMARY_REFUSES)) {
		outcome = dice_hits(&w->dice, 700) ? CERTIFIER_DENIED : CERTIFIER_LOST;
		world_log(w, "UPDATE: refused");
	} else {
		outcome = carry_out(w, a);
	}
	if (!a->is_lost) {
		struct action *told = action_new(w, ACTION_UPDATED, a->oacme, dice_between(&w->dice, MS, 200 * MS));
		told->slot = a->slot;
		told->run = a->run;
		told->outcome = outcome;
	}
}
