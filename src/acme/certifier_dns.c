/* What a job adds to DNS and removes from it. */
#include <stdio.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

/* ---- places ---- */

bool
dns_some_key_may(const struct certifier *c, const uint8_t *zone, const uint8_t *owner, uint16_t type)
{
	bool may = false;
	for (size_t i = 0; i < keystore_count(c->conf.keys) && !may; i++) {
		may = steps_may_change(keystore_at(c->conf.keys, i), zone, owner, type);
	}
	return may;
}

bool
dns_may_write(const struct certifier *c, const struct host *h)
{
	struct name owner;
	return acme_tlsa_name(h->name.oct, &owner) == OK && dns_some_key_may(c, h->apex.oct, owner.oct, TYPE_TLSA);
}

bool
dns_may_come(const struct certifier *c, const uint8_t *owner, uint16_t type)
{
	bool may = false;
	for (size_t i = 0; i < keystore_count(c->conf.keys) && !may; i++) {
		const struct key *k = keystore_at(c->conf.keys, i);
		may = name_is_within(owner, k->domain.oct) && steps_may_change(k, k->domain.oct, owner, type);
	}
	return may;
}

static err_t
refuse(char why[CERTIFIER_REASON_MAX], const char *what, const uint8_t *owner)
{
	char text[NAME_TEXT_MAX];
	name_show(owner, text);
	(void)snprintf(why, CERTIFIER_REASON_MAX, "%s %.255s", what, text);
	return E_REFUSED;
}

/* Where the TXT record for a name goes: at its challenge name, or where CNAMEs lead from there. */
err_t
dns_find_place(const struct certifier *c, const char *name, struct job_proof *out, char why[CERTIFIER_REASON_MAX])
{
	struct name n, at;
	if (name_parse(name, strlen(name), name_root, &n) != OK || acme_challenge_name(n.oct, &at) != OK) {
		(void)snprintf(why, CERTIFIER_REASON_MAX, "%.253s is too long for a proof", name);
		return E_NAMELEN;
	}
	for (unsigned i = 0; i <= CNAMES_MAX; i++) {
		const struct zone *z = zone_of(c, at.oct);
		const struct rrset *alias = rrset_at(z, at.oct, TYPE_CNAME);
		if (z == NULL) {
			out->owner = at;
			(void)refuse(why, "no zone of ours has the name of the proof,", at.oct);
			return E_NOTFOUND;
		}
		if (alias != NULL) {
			name_set(&at, rrset_first(alias)->rdata);
			continue;
		}
		if (!dns_some_key_may(c, z->apex_name, at.oct, TYPE_TXT)) {
			return refuse(why, "no key may change the TXT records of", at.oct);
		}
		out->owner = at;
		out->type = TYPE_TXT;
		name_set(&out->zone, z->apex_name);
		return OK;
	}
	return refuse(why, "CNAMEs lead in a circle, or too far, from", at.oct);
}

bool
dns_awaits_zone(const struct certifier *c, const struct now *now, const char *name)
{
	struct job_proof to;
	char why[CERTIFIER_REASON_MAX];
	return dns_find_place(c, name, &to, why) == E_NOTFOUND && zone_may_come(c, now, to.owner.oct, TYPE_TXT);
}

/* A record in DNS, of which the CA accepts that it proves the name for good. */
bool
dns_is_proven_for_good(const struct job *j, const struct now *now, size_t i)
{
	const struct acme_proof *p = acme_order_proof(j->order, i);
	struct name n, owner;
	if (!p->has_persist || name_parse(p->name, strlen(p->name), name_root, &n) != OK || acme_persist_name(n.oct, &owner) != OK) {
		return false;
	}
	const struct rrset *s = rrset_at(zone_around(j->owner, owner.oct), owner.oct, TYPE_TXT);
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	bool is = false;
	for (unsigned k = 0; s != NULL && k < s->n && !is; k++, rr = rr_next(rr)) {
		char text[DNS_RDATA_MAX + 1];
		size_t len = 0;
		for (size_t at = 0; at < rr->rdlen; at += 1u + rr->rdata[at]) {
			memcpy(text + len, rr->rdata + at + 1, rr->rdata[at]);
			len += rr->rdata[at];
		}
		text[len] = '\0';
		is = acme_order_is_persist(j->order, i, text, now->wall_s);
	}
	return is;
}

const uint8_t *
dns_status_zone(const struct certifier *c, const uint8_t *host, const uint8_t *apex, struct name *owner)
{
	return acme_status_name(host, owner) == OK && dns_some_key_may(c, apex, owner->oct, TYPE_TXT) ? apex : NULL;
}

static const uint8_t *
status_place(const struct job *j, struct name *owner)
{
	return dns_status_zone(j->owner, j->name.oct, j->apex.oct, owner);
}

/* ---- records ---- */

static err_t
put_txt(struct steps *s, enum step_change_kind kind, const uint8_t *zone, const uint8_t *owner, const uint8_t *rdata, size_t len)
{
	return steps_add(s, zone, &(struct step_change){ .kind = kind, .owner = owner, .type = TYPE_TXT, .ttl = CERTIFIER_TTL,
	                                                 .rdata = rdata, .rdlen = len });
}

static size_t
proof_rdata(const struct job_proof *p, uint8_t out[1 + REMARK_VALUE_MAX])
{
	if (p->type == TYPE_TLSA) {
		return dane_read_hash(p->value, out) ? DANE_RDATA_LEN : 0;
	}
	size_t len = strlen(p->value);
	out[0] = (uint8_t)len;
	memcpy(out + 1, p->value, len);
	return 1 + len;
}

bool
dns_is_proof(const struct job_proof *p, const uint8_t *rdata, size_t len)
{
	uint8_t want[1 + REMARK_VALUE_MAX];
	return proof_rdata(p, want) == len && memcmp(rdata, want, len) == 0;
}

bool
dns_has_proof(const struct zone *z, const struct job_proof *p)
{
	const struct rrset *s = rrset_at(z, p->owner.oct, p->type);
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	bool has = false;
	for (unsigned i = 0; s != NULL && i < s->n && !has; i++, rr = rr_next(rr)) {
		has = dns_is_proof(p, rr->rdata, rr->rdlen);
	}
	return has;
}

static err_t
put_proof(struct steps *s, enum step_change_kind kind, const struct job_proof *p)
{
	uint8_t rdata[1 + REMARK_VALUE_MAX];
	size_t len = proof_rdata(p, rdata);
	return put_txt(s, kind, p->zone.oct, p->owner.oct, rdata, len);
}

err_t
dns_put_status(struct job *j, enum step_change_kind kind, const uint8_t *rdata, size_t len)
{
	struct name owner;
	const uint8_t *zone = status_place(j, &owner);
	return zone != NULL ? put_txt(&j->steps, kind, zone, owner.oct, rdata, len) : OK;
}

err_t
dns_put_remark(struct job *j, enum step_change_kind kind, const struct remark *r)
{
	uint8_t rdata[REMARK_RDATA_MAX];
	struct buf b = buf_over(rdata, sizeof rdata);
	return remark_write(r, &b) == OK ? dns_put_status(j, kind, rdata, b.len) : OK;
}

static err_t
put_proof_remark(struct job *j, enum step_change_kind kind, const struct job_proof *p)
{
	struct remark r = { .kind = REMARK_PROOF, .at_s = p->at_s, .owner = p->owner };
	memcpy(r.mark, j->owner->conf.mark, sizeof r.mark);
	memcpy(r.value, p->value, sizeof r.value);
	return dns_put_remark(j, kind, &r);
}

/* Remarks first: a proof without a remark would never be found again. */
err_t
dns_add_proofs(struct job *j)
{
	steps_fini(&j->steps);
	for (size_t i = 0; i < j->proofs_n; i++) {
		TRY(put_proof_remark(j, STEP_ADD, &j->proofs[i]));
	}
	for (size_t i = 0; i < j->proofs_n; i++) {
		TRY(put_proof(&j->steps, STEP_ADD, &j->proofs[i]));
	}
	return OK;
}

/* ---- the end: proofs ---- */

static err_t
remove_proofs(struct job *j, bool is_own_zone)
{
	for (size_t i = 0; i < j->proofs_n; i++) {
		const struct job_proof *p = &j->proofs[i];
		bool has_zone = p->zone.len != 0 && dns_some_key_may(j->owner, p->zone.oct, p->owner.oct, TYPE_TXT);
		if (has_zone && name_is_equal(p->zone.oct, j->apex.oct) == is_own_zone) {
			TRY(put_proof(&j->steps, STEP_REMOVE, p));
		}
	}
	return OK;
}

/* ---- the end: the certificate ---- */

static struct step_change
tlsa_change(enum step_change_kind kind, const struct name *owner, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	return (struct step_change){ .kind = kind, .owner = owner->oct, .type = TYPE_TLSA, .ttl = ttl, .rdata = rdata, .rdlen = len };
}

static bool
is_record_of(const struct rr *rr, const struct acme_der *der, bool is_first)
{
	enum acme_use use = is_first ? ACME_CERT : ACME_CHAIN;
	return acme_tlsa_use(rr->rdata, rr->rdlen) == use && (size_t)rr->rdlen - ACME_DER_AT == der->len &&
	       memcmp(rr->rdata + ACME_DER_AT, der->octets, der->len) == 0;
}

/* What is there is the condition.  The old certificate and its chain go. */
static err_t
put_old(struct job *j, const struct name *owner, const struct rrset *s, const struct acme_der *chain, size_t n)
{
	const struct rr *rr = rrset_first(s);
	for (unsigned i = 0; i < s->n; i++, rr = rr_next(rr)) {
		enum acme_use use = acme_tlsa_use(rr->rdata, rr->rdlen);
		bool is_kept = use == ACME_REQUEST || use == ACME_OTHER;
		struct step_change c = tlsa_change(STEP_IF_THERE, owner, 0, rr->rdata, rr->rdlen);
		TRY(steps_add(&j->steps, j->apex.oct, &c));
		for (size_t k = 0; k < n; k++) {
			is_kept |= is_record_of(rr, &chain[k], k == 0);
		}
		c.kind = STEP_REMOVE;
		TRY(is_kept ? OK : steps_add(&j->steps, j->apex.oct, &c));
	}
	return OK;
}

static err_t
put_new(struct job *j, const struct name *owner, uint32_t ttl, const struct acme_der *der, bool is_first)
{
	size_t len = ACME_DER_AT + der->len;
	[[gnu::cleanup(free_ptr)]] uint8_t *rdata = try_alloc(len);
	if (rdata == NULL) {
		return E_NOMEM;
	}
	rdata[0] = is_first ? 3 : 0;
	memcpy(rdata + ACME_DER_AT, der->octets, der->len);
	const struct step_change c = tlsa_change(STEP_ADD, owner, ttl, rdata, len);
	return steps_add(&j->steps, j->apex.oct, &c);
}

static err_t
put_cert(struct job *j, const struct now *now)
{
	struct reading r;
	struct name owner;
	const struct acme_der *chain;
	size_t n = acme_order_chain(j->order, &chain);
	TRY(acme_tlsa_name(j->name.oct, &owner));
	const struct rrset *s = rrset_at(view_zone(j->owner->conf.io.view(j->owner->conf.io.ctx), j->apex.oct), owner.oct, TYPE_TLSA);
	err_t err = s != NULL ? reading_of(s, j->name.oct, now->wall_s, &r) : E_NOTFOUND;
	j->has_changed = err == E_NOTFOUND;
	if (err != OK) {
		return j->has_changed ? OK : err;
	}
	j->has_changed = strcmp(r.hash, j->request) != 0;
	bool is_done = r.cert != NULL && strcmp(r.cert_id, j->cert_id) != 0; /* by an UPDATE whose answer was lost, or by somebody else */
	reading_fini(&r);
	if (j->has_changed || is_done) {
		return OK;
	}
	TRY(put_old(j, &owner, s, chain, n));
	for (size_t i = 0; i < n; i++) {
		TRY(put_new(j, &owner, rrset_ttl(s), &chain[i], i == 0));
	}
	return OK;
}

/* ---- the end: remarks ---- */

/* Those on earlier failures. */
static err_t
remove_failures(struct job *j)
{
	struct name owner;
	const uint8_t *zone = status_place(j, &owner);
	const struct rrset *s = zone != NULL ? rrset_at(view_zone(j->owner->conf.io.view(j->owner->conf.io.ctx), zone), owner.oct, TYPE_TXT)
	                                     : NULL;
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		struct remark r;
		if (remark_read(rr->rdata, rr->rdlen, &r) == OK && r.kind == REMARK_FAILED) {
			TRY(put_txt(&j->steps, STEP_REMOVE, zone, owner.oct, rr->rdata, rr->rdlen));
		}
	}
	return OK;
}

static err_t
put_failure(struct job *j, const struct now *now)
{
	struct host *h = j->host;
	uint64_t wait_ns = h->not_before_ns > now->mono_ns ? h->not_before_ns - now->mono_ns : 0;
	struct remark r = { .kind = REMARK_FAILED, .at_s = now->wall_s, .tries = h->tries };
	r.next_s = now->wall_s + wait_ns / NOW_SECOND_NS;
	if (j->proofs_n == 0 && h->said_s != 0 && now->wall_s >= h->said_s && now->wall_s - h->said_s < CERTIFIER_SAY_S) {
		return OK;
	}
	h->said_s = now->wall_s;
	memcpy(r.request, j->request, sizeof r.request);
	str_cut(r.reason, sizeof r.reason, j->why);
	TRY(remove_failures(j));
	return dns_put_remark(j, STEP_ADD, &r);
}

static err_t
put_remarks(struct job *j, const struct now *now)
{
	for (size_t i = 0; i < j->proofs_n; i++) {
		TRY(put_proof_remark(j, STEP_REMOVE, &j->proofs[i]));
	}
	bool is_wanted = j->host->has_request && !j->has_changed;
	if (j->is_success || !j->host->has_request || host_is_content(j->host, now)) {
		return remove_failures(j);
	}
	return is_wanted && j->why[0] != '\0' ? put_failure(j, now) : OK;
}

/* Remarks on proofs last, so that proofs that could not be removed are found again. */
err_t
dns_end(struct job *j, const struct now *now)
{
	steps_fini(&j->steps);
	if (j->tlsa == TLSA_REMOVE) {
		return tlsa_put_old(j);
	}
	TRY(remove_proofs(j, false));
	TRY(remove_proofs(j, true));
	if (j->is_success) {
		TRY(put_cert(j, now));
		j->is_success = !j->has_changed;
	}
	return put_remarks(j, now);
}
