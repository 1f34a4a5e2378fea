/* Versions of zones: which hosts there are, and what an earlier run has left behind. */
#include <stdlib.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "acme/chain.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "dns/rrtype.h"
#include "zone/nkey.h"
#include "zone/node.h"
#include "zone/zone.h"

enum { LEFT_MAX = HOST_NAMES_MAX }; /* proofs that are removed in one job */

/* ---- looking up ---- */

const struct zone *
zone_around(const struct certifier *c, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	return view_zone_around(c->conf.io.view(c->conf.io.ctx), &key);
}

/* The zone below it, of which there is only the delegation, may not be here. */
const struct zone *
zone_of(const struct certifier *c, const uint8_t *name)
{
	const struct zone *z = zone_around(c, name);
	bool is_below = false;
	for (const uint8_t *n = name; z != NULL && !is_below && !name_is_equal(n, z->apex_name); n = name_parent(n)) {
		is_below = rrset_at(z, n, TYPE_NS) != NULL;
	}
	return is_below ? NULL : z;
}

bool
zone_may_come(const struct certifier *c, const struct now *now, const uint8_t *name, uint16_t type)
{
	const struct shut_zone *shut = view_shut_around(c->conf.io.view(c->conf.io.ctx), name);
	bool is_found = now->mono_ns >= c->began_ns + CERTIFIER_FIND_S * NOW_SECOND_NS;
	bool is_coming = shut != NULL && shut->why != SHUT_EXPIRED;
	return zone_of(c, name) == NULL && (is_coming || !is_found) && dns_may_come(c, name, type);
}

bool
host_awaits_zones(const struct certifier *c, const struct now *now, const struct host *h, const struct reading *r)
{
	const struct host_names *names = &r->set.request->names;
	bool awaits = tlsa_awaits_zones(c, now, h);
	for (size_t i = 0; i < names->n && !awaits; i++) {
		awaits = dns_awaits_zone(c, now, names->name[i][0] == '*' ? names->name[i] + 2 : names->name[i]);
	}
	return awaits;
}

const struct rrset *
rrset_at(const struct zone *z, const uint8_t *name, uint16_t type)
{
	const struct node *n = z != NULL ? zone_node(z, name) : NULL;
	return n != NULL ? node_rrset(n, type) : NULL;
}

const struct rrset *
host_rrset(const struct certifier *c, const struct host *h)
{
	struct name owner;
	const struct zone *z = view_zone(c->conf.io.view(c->conf.io.ctx), h->apex.oct);
	return acme_tlsa_name(h->name.oct, &owner) == OK ? rrset_at(z, owner.oct, TYPE_TLSA) : NULL;
}

/* ---- what was left behind ---- */

/* For how long a proof may still be that of another oacme with this account, which is at work; 0: it was left behind. */
static uint64_t
may_be_alive_s(const struct certifier *c, const struct now *now, const struct host *h, const struct remark *r)
{
	bool is_earlier = r->at_s < c->began_s || (r->at_s == c->began_s && !h->is_known);
	bool is_of_wrong_clock = r->at_s > now->wall_s + ACME_CLOCK_SKEW_S;
	uint64_t until_s = r->at_s + ACME_ORDER_TIME_MAX_S;
	return r->at_s <= h->left_s || is_earlier || is_of_wrong_clock || until_s <= now->wall_s ? 0 : until_s - now->wall_s;
}

/* A record whose zone is not here is left where it is, with its remark, if a key says that the zone may come; without such a key nothing
 * can be done about it but to remove the remark. */
static void
take_left(const struct certifier *c, struct host *h, const struct remark *r, struct job_proof *left, size_t *n)
{
	const struct zone *z = zone_of(c, r->owner.oct);
	if (*n == LEFT_MAX) {
		return; /* the rest later */
	}
	if (z == NULL && dns_may_come(c, r->owner.oct, TYPE_TXT)) {
		h->awaits_zone = true;
		return;
	}
	left[*n] = (struct job_proof){ .owner = r->owner, .type = TYPE_TXT, .at_s = r->at_s };
	if (z != NULL) {
		name_set(&left[*n].zone, z->apex_name);
	}
	memcpy(left[*n].value, r->value, sizeof r->value);
	++*n;
}

static void
take_failure(const struct now *now, struct host *h, const struct remark *r)
{
	uint64_t until_s = r->next_s;
	if (h->said_s != 0 || h->request[0] == '\0') {
		return; /* it is ours */
	}
	h->said_s = r->at_s;
	/* More may have happened since than DNS shows: so no two runs may begin an order within that time. */
	until_s = until_s < r->at_s + CERTIFIER_RUN_S ? r->at_s + CERTIFIER_RUN_S : until_s;
	if (strcmp(r->request, h->request) != 0) { /* a person has acted: try again, soon */
		until_s = r->at_s + CERTIFIER_BACKOFF_FIRST_S;
	} else {
		h->tries = r->tries;
		str_cut(h->trouble, sizeof h->trouble, r->reason);
	}
	uint64_t most_s = now->wall_s + CERTIFIER_BACKOFF_MAX_S; /* a clock was wrong, then or now */
	until_s = until_s < most_s ? until_s : most_s;
	if (until_s > now->wall_s) {
		h->not_before_ns = seconds_after(now, until_s - now->wall_s);
	}
}

/* Of this account. */
static void
take_proof(struct certifier *c, const struct now *now, struct host *h, const struct remark *r, struct job_proof *left, size_t *n)
{
	uint64_t alive_s = may_be_alive_s(c, now, h, r);
	if (alive_s == 0) {
		take_left(c, h, r, left, n);
	} else if (!c->conf.is_dry) {
		host_look_later(c, now, h, alive_s);
	}
}

static bool
look_at_remarks(struct certifier *c, const struct now *now, struct host *h, const struct rrset *txt)
{
	struct job_proof *left = xalloc(LEFT_MAX * sizeof *left);
	size_t n = 0;
	h->awaits_zone = false;
	bool is_stale = false; /* it says why there is no certificate, and there is one, or nobody wants one any more */
	const struct rr *rr = rrset_first(txt);
	for (unsigned i = 0; i < txt->n; i++, rr = rr_next(rr)) {
		struct remark r;
		if (remark_read(rr->rdata, rr->rdlen, &r) != OK) {
			continue;
		}
		if (r.kind == REMARK_FAILED) {
			is_stale = !h->has_request || host_is_content(h, now);
			take_failure(now, h, &r);
		} else if (r.kind == REMARK_PROOF && strcmp(r.mark, c->conf.mark) == 0) {
			take_proof(c, now, h, &r, left, &n);
		}
	}
	bool is_work = (n != 0 || is_stale) && !c->conf.is_dry;
	if (is_work && !h->is_settling) {
		job_clean(c, now, h, left, n);
		return true;
	}
	free(left);
	if (is_work) {
		host_look_later(c, now, h, SETTLE_S);
	}
	return false;
}

bool
host_look_at_remarks(struct certifier *c, const struct now *now, struct host *h)
{
	struct name owner;
	const struct zone *z = view_zone(c->conf.io.view(c->conf.io.ctx), h->apex.oct);
	const struct rrset *txt = acme_status_name(h->name.oct, &owner) == OK ? rrset_at(z, owner.oct, TYPE_TXT) : NULL;
	h->awaits_zone = false;
	return txt != NULL && look_at_remarks(c, now, h, txt);
}

/* ---- the walk ---- */

/* HOST of _status._letsencrypt._tcp.HOST; NULL: it is another name. */
static const uint8_t *
status_host(const uint8_t *owner)
{
	static const uint8_t label[] = "\7_status";
	struct name lower;
	name_lower(lower.oct, owner);
	return memcmp(lower.oct, label, sizeof label - 1) == 0 ? acme_tlsa_host(name_parent(owner)) : NULL;
}

static uint64_t
hash_of(const struct rrset *s)
{
	return hash64(HASH64_START, s, s->size);
}

static struct host *
found(struct certifier *c, const struct zone *z, const uint8_t *name)
{
	struct host *h = host_get(c, name);
	if (h != NULL) {
		name_set(&h->apex, z->apex_name);
	}
	return h;
}

static void
look_at_node(struct certifier *c, const struct now *now, const struct zone *z, const struct node *n)
{
	const uint8_t *host = acme_tlsa_host(n->name);
	const struct rrset *s = host != NULL ? node_rrset(n, TYPE_TLSA) : NULL;
	if (s != NULL && (n->flags & NODE_BELOW_CUT) == 0) {
		struct host *h = found(c, z, host);
		uint64_t hash = hash_of(s);
		if (h != NULL && (h->rrset_hash != hash || !h->has_request)) {
			h->rrset_hash = hash;
			host_look(c, now, h, true);
		}
	}
	host = status_host(n->name);
	s = host != NULL ? node_rrset(n, TYPE_TXT) : NULL;
	if (s != NULL && (n->flags & NODE_BELOW_CUT) == 0) {
		struct host *h = found(c, z, host);
		if (h != NULL && h->job == NULL) {
			(void)look_at_remarks(c, now, h, s);
		} else if (h != NULL) {
			host_look_later(c, now, h, LEFT_AGAIN_S); /* not all of them need be those of the job */
		}
	}
}

static void
look_at_missing(struct certifier *c, const struct now *now, struct host *h)
{
	if (host_rrset(c, h) != NULL) {
		return;
	}
	h->has_request = h->has_cert = false;
	h->request[0] = h->trouble[0] = '\0';
	h->tries = 0;
	h->not_before_ns = 0;
	if (h->job != NULL) {
		job_on_change(c, now, h->job, "");
	} else {
		host_schedule(c, now, h);
	}
}

/* Names of a host may be in a zone below its own. */
static void
look_at_tlsa(struct certifier *c, const struct now *now, struct host *h, const uint8_t *apex)
{
	bool is_near = name_is_within(apex, h->name.oct) || name_is_equal(apex, h->apex.oct);
	if (is_near && tlsa_look(c, h) && h->job == NULL) {
		host_schedule(c, now, h);
	}
}

static void
end_look(struct certifier *c, const struct now *now, struct host *h, const uint8_t *apex)
{
	bool is_of_zone = name_is_equal(h->apex.oct, apex);
	h->is_known |= is_of_zone;
	look_at_tlsa(c, now, h, apex);
	bool is_begun = h->awaits_zone && h->job == NULL && host_look_at_remarks(c, now, h);
	if (!is_begun && is_of_zone) {
		host_let_go(c, now, h);
	}
}

/* What has gone comes first, since remarks tell nobody anything then.  The order of the walk is that of names: remarks of a host come
 * after its request. */
void
certifier_zone_changed(struct certifier *c, const struct now *now, const uint8_t *apex)
{
	const struct zone *z = view_zone(c->conf.io.view(c->conf.io.ctx), apex);
	c->began_s = c->began_s == 0 ? now->wall_s : c->began_s;
	c->began_ns = c->began_ns == 0 && z != NULL ? now->mono_ns : c->began_ns; /* not while the primary is out of reach */
	struct zone_cursor cursor;
	const struct node *n;
	bool is_nsec3;
	c->is_reading = true;
	for (size_t i = c->list_n; i-- > 0;) {
		if (name_is_equal(c->list[i]->apex.oct, apex)) {
			look_at_missing(c, now, c->list[i]);
		}
	}
	zone_cursor_first(&cursor, z);
	while ((n = zone_cursor_next(&cursor, &is_nsec3)) != NULL) {
		if (!is_nsec3 && n->name[0] != 0 && n->name[1] == '_') {
			look_at_node(c, now, z, n);
		}
	}
	for (size_t i = 0; z != NULL && i < ARRAY_LEN(c->jobs); i++) {
		if (c->jobs[i] != NULL) {
			job_on_zone(c->jobs[i], now, z);
		}
	}
	for (size_t i = c->list_n; i-- > 0;) {
		end_look(c, now, c->list[i], apex);
	}
	c->is_reading = false;
	certifier_go(c, now);
}
