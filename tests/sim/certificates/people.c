/* People who want certificates: their signing requests, and what else they do to the zone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

#define ALIAS "h0.proofs.test"

enum { TTL = 300, RDATA_MAX = REQUEST_MAX + ACME_DER_AT };

/* Made once: they are the same in each run. */
static struct csr *requests[HOSTS_MAX][KEYS][VARIANTS];
static struct csr *foreign;

struct name
people_named(const char *text)
{
	struct name n;
	err_t err = name_parse(text, strlen(text), name_root, &n);
	ASSERT(err == OK);
	return n;
}

struct name
people_host(unsigned host)
{
	char text[32];
	(void)snprintf(text, sizeof text, "h%u.example", host);
	return people_named(text);
}

int
people_host_number(const uint8_t *name)
{
	for (unsigned i = 0; i < HOSTS_MAX; i++) {
		if (name_is_equal(people_host(i).oct, name)) {
			return (int)i;
		}
	}
	return -1;
}

/* ---- requests ---- */

static struct csr *
make_request(const char *const *names, size_t n, uint8_t seed)
{
	static uint8_t der[CSR_DER_MAX];
	struct host_names *list = calloc(1, sizeof *list);
	struct buf b = buf_over(der, sizeof der);
	struct pkey *key = NULL;
	struct csr *request = NULL;
	err_t err = list != NULL ? pkey_from_seed(PKEY_ED25519, 0, &seed, 1, &key) : E_NOMEM;
	for (size_t i = 0; i < n && err == OK; i++) {
		err = host_names_add(list, names[i], strlen(names[i]));
	}
	err = err == OK ? csr_make(key, list, &b) : err;
	err = err == OK ? csr_read(der, b.len, &request) : err;
	ASSERT(err == OK && b.len <= REQUEST_MAX);
	pkey_free(&key);
	free(list);
	return request;
}

/* Of a host: itself; with all below it; with one below it. */
static struct csr *
request_of(unsigned host, unsigned key, unsigned variant)
{
	static const char *const below[VARIANTS] = { NULL, "*", "www" };
	char names[2][CA_NAME_MAX];
	const char *const list[] = { names[0], names[1] };
	(void)snprintf(names[0], sizeof names[0], "h%u.example", host);
	if (below[variant] != NULL) {
		(void)snprintf(names[1], sizeof names[1], "%s.h%u.example", below[variant], host);
	}
	return make_request(list, below[variant] != NULL ? 2 : 1, (uint8_t)(10 + host * KEYS + key));
}

void
people_keys_begin(void)
{
	static const char *const names[] = { "bank.example" };
	for (unsigned h = 0; h < HOSTS_MAX; h++) {
		for (unsigned k = 0; k < KEYS; k++) {
			for (unsigned v = 0; v < VARIANTS; v++) {
				requests[h][k][v] = request_of(h, k, v);
			}
		}
	}
	foreign = make_request(names, 1, 1);
}

void
people_keys_end(void)
{
	for (unsigned h = 0; h < HOSTS_MAX; h++) {
		for (unsigned k = 0; k < KEYS; k++) {
			for (unsigned v = 0; v < VARIANTS; v++) {
				csr_free(&requests[h][k][v]);
			}
		}
	}
	csr_free(&foreign);
}

const struct csr *
people_request(unsigned host, unsigned key, unsigned variant)
{
	return requests[host][key][variant];
}

/* ---- the zone at first ---- */

static void
put(struct zone_builder *b, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	err_t err = zone_builder_add(b, people_named(owner).oct, type, TTL, rdata, (uint16_t)len);
	ASSERT(err == OK);
}

static void
put_servers(const struct world *w, struct zone_builder *b, const char *apex, bool has_addresses)
{
	for (unsigned i = 0; i < w->plan->servers_n; i++) {
		char text[32];
		const uint8_t address[4] = { 192, 0, 2, (uint8_t)i };
		(void)snprintf(text, sizeof text, "ns%u.example", i);
		struct name n = people_named(text);
		put(b, apex, TYPE_NS, n.oct, n.len);
		if (has_addresses) {
			put(b, text, TYPE_A, address, sizeof address);
		}
	}
}

void
people_print_lasting(unsigned account, char text[PEOPLE_LASTING_MAX])
{
	(void)snprintf(text, PEOPLE_LASTING_MAX, CA_ISSUER "; accounturi=" CA_URL "/account/%u; policy=wildcard", account);
}

static void
put_lasting(const struct world *w, struct zone_builder *b)
{
	char owner[64], rdata[1 + PEOPLE_LASTING_MAX];
	people_print_lasting(1, rdata + 1);
	size_t len = strlen(rdata + 1);
	rdata[0] = (char)len;
	for (unsigned i = 0; i < w->plan->hosts_n; i++) {
		if ((w->plan->lasting >> i & 1) != 0) {
			(void)snprintf(owner, sizeof owner, "_validation-persist.h%u.example", i);
			put(b, owner, TYPE_TXT, rdata, 1 + len);
		}
	}
}

void
people_put_zone(struct world *w, struct zone_builder *b, unsigned zone)
{
	static const uint8_t soa[] = "\2ns\7example\0\4host\7example\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	const char *apex = dns_apex(w, zone);
	struct name to = people_named(ALIAS);
	put(b, apex, TYPE_SOA, soa, sizeof soa - 1);
	put_servers(w, b, apex, zone == 0);
	if (zone == 0) {
		put_lasting(w, b);
	}
	if (zone == 0 && w->plan->place == PLACE_ALIAS) {
		put(b, "_acme-challenge.h0.example", TYPE_CNAME, to.oct, to.len);
	} else if (zone == 0 && w->plan->place == PLACE_DELEGATED) {
		put_servers(w, b, dns_apex(w, 1), false);
	}
}

/* ---- what they do ---- */

static err_t
remove_it(void *ctx, const struct zone_rr *rr)
{
	return zone_txn_remove(ctx, rr->owner, rr->type, rr->rdata, rr->rdlen);
}

static err_t
remove_cert(void *ctx, const struct zone_rr *rr)
{
	return acme_tlsa_use(rr->rdata, rr->rdlen) == ACME_REQUEST ? OK : remove_it(ctx, rr);
}

static err_t
remove_request(void *ctx, const struct zone_rr *rr)
{
	return acme_tlsa_use(rr->rdata, rr->rdlen) == ACME_REQUEST ? remove_it(ctx, rr) : OK;
}

static void
add_request(struct zone_txn *t, const uint8_t *owner, const uint8_t *der, size_t len)
{
	uint8_t rdata[RDATA_MAX] = { 3, 255, 0 };
	memcpy(rdata + ACME_DER_AT, der, len);
	err_t err = zone_txn_add(t, owner, TYPE_TLSA, TTL, rdata, (uint16_t)(ACME_DER_AT + len));
	ASSERT(err == OK || err == E_EXISTS);
}

/* Beside the proofs: of another program that asks for certificates, for instance. */
static void
add_stranger(struct world *w, unsigned host)
{
	struct stranger *s = &w->strangers[w->strangers_n];
	struct name at = people_host(host);
	struct zone_txn *t = NULL;
	uint8_t rdata[1 + sizeof s->value];
	if (w->strangers_n == STRANGERS_MAX || (host == 0 && w->plan->place != PLACE_HERE)) {
		return;
	}
	err_t err = acme_challenge_name(at.oct, &s->owner);
	(void)snprintf(s->value, sizeof s->value, "somebody-elses-%zu", w->strangers_n++);
	rdata[0] = (uint8_t)strlen(s->value);
	memcpy(rdata + 1, s->value, rdata[0]);
	err = err == OK ? zone_txn_begin(dns_zone(w, 0), &t) : err;
	err = err == OK ? zone_txn_add(t, s->owner.oct, TYPE_TXT, TTL, rdata, (uint16_t)(1 + rdata[0])) : err;
	ASSERT(err == OK);
	dns_install(w, 0, &t);
}

struct taking {
	const struct world *w;
	struct zone_txn *t;
};

static err_t
take_it(void *ctx, const struct zone_rr *rr)
{
	const struct taking *k = ctx;
	return people_is_strangers(k->w, rr) ? OK : remove_it(k->t, rr);
}

static void
take_proofs(struct world *w, unsigned host)
{
	struct name at = people_host(host);
	struct taking k = { .w = w };
	unsigned zone = host == 0 && w->plan->place != PLACE_HERE;
	err_t err = acme_challenge_name(at.oct, &at);
	at = zone == 1 && w->plan->place == PLACE_ALIAS ? people_named(ALIAS) : at;
	err = err == OK ? zone_txn_begin(dns_zone(w, zone), &k.t) : err;
	err = err == OK ? zone_txn_each(k.t, at.oct, TYPE_TXT, take_it, &k) : err;
	ASSERT(err == OK);
	dns_install(w, zone, &k.t);
}

bool
people_is_strangers(const struct world *w, const struct zone_rr *rr)
{
	for (size_t i = 0; i < w->strangers_n; i++) {
		const struct stranger *s = &w->strangers[i];
		if (name_is_equal(rr->owner, s->owner.oct) && rr->rdlen == 1 + strlen(s->value) &&
		    memcmp(rr->rdata + 1, s->value, strlen(s->value)) == 0) {
			return true;
		}
	}
	return false;
}

/* Another key, and other names perhaps. */
static const struct csr *
choose_request(struct world *w, unsigned host)
{
	struct host_of *h = &w->hosts[host];
	h->key = (h->key + 1 + dice_unsigned(&w->dice, KEYS - 1)) % KEYS;
	h->variant = dice_unsigned(&w->dice, VARIANTS);
	return people_request(host, h->key, h->variant);
}

static void
change_requests(struct world *w, struct zone_txn *t, const struct plan_event *e, const uint8_t *owner)
{
	static const uint8_t garbage[] = "\60\3\2\1\1";
	const struct csr *r;
	if (e->kind == PLAN_REQUEST || e->kind == PLAN_TWICE) {
		r = choose_request(w, e->which);
		add_request(t, owner, r->der, r->der_len);
	}
	if (e->kind == PLAN_BREAK) {
		add_request(t, owner, garbage, sizeof garbage - 1);
	} else if (e->kind == PLAN_FOREIGN) {
		add_request(t, owner, foreign->der, foreign->der_len);
	} else if (e->kind == PLAN_TWICE) {
		r = choose_request(w, e->which);
		add_request(t, owner, r->der, r->der_len);
	}
}

/* What goes first.  With another request most people leave the certificate that is there until the next one comes, as ocertify does. */
static err_t (*remover(struct world *w, enum plan_kind kind))(void *, const struct zone_rr *)
{
	if (kind == PLAN_SPOIL) {
		return remove_cert;
	}
	return kind == PLAN_REQUEST && dice_hits(&w->dice, 700) ? remove_request : remove_it;
}

void
people_do(struct world *w, const struct plan_event *e)
{
	struct host_of *h = &w->hosts[e->which];
	struct name owner = people_host(e->which);
	struct zone_txn *t = NULL;
	if (e->kind == PLAN_STRANGER) {
		add_stranger(w, e->which);
		return;
	}
	if (e->kind == PLAN_TAKE) {
		take_proofs(w, e->which);
		return;
	}
	err_t err = acme_tlsa_name(owner.oct, &owner);
	err = err == OK ? zone_txn_begin(dns_zone(w, 0), &t) : err;
	err = err == OK ? zone_txn_each(t, owner.oct, TYPE_TLSA, remover(w, e->kind), t) : err;
	ASSERT(err == OK);
	change_requests(w, t, e, owner.oct);
	if (e->kind != PLAN_SPOIL) {
		h->is_wished = e->kind == PLAN_REQUEST;
	}
	h->wished_ns = w->now_ns;
	h->commits = 0;
	dns_install(w, 0, &t);
	check_hosts(w, true);
}

static void
add_cert(struct zone_txn *t, const uint8_t *owner, uint8_t usage, struct cert *c)
{
	uint8_t rdata[RDATA_MAX] = { usage, 0, 0 };
	memcpy(rdata + ACME_DER_AT, c->der, c->der_len);
	err_t err = zone_txn_add(t, owner, TYPE_TLSA, TTL, rdata, (uint16_t)(ACME_DER_AT + c->der_len));
	ASSERT(err == OK);
	cert_free(&c);
}

/* There is a certificate already, of any age: it may be due in the middle of all, or have expired. */
static void
put_old_cert(struct world *w, unsigned host)
{
	const struct host_of *h = &w->hosts[host];
	struct name owner = people_host(host);
	struct zone_txn *t = NULL;
	uint64_t age_s = dice_below(&w->dice, w->plan->life_s + w->plan->life_s / 10);
	const struct ca_cert *c = ca_new_cert(w, world_wall_s(w) - age_s, people_request(host, h->key, h->variant), CA_HONEST);
	err_t err = acme_tlsa_name(owner.oct, &owner);
	err = err == OK ? zone_txn_begin(dns_zone(w, 0), &t) : err;
	ASSERT(err == OK);
	add_cert(t, owner.oct, 3, ca_leaf(c));
	add_cert(t, owner.oct, 0, ca_middle());
	dns_install(w, 0, &t);
	check_hosts(w, true);
}

void
people_begin(struct world *w)
{
	for (unsigned i = 0; i < w->plan->hosts_n; i++) {
		if (w->plan->is_long || dice_hits(&w->dice, 700)) {
			people_do(w, &(struct plan_event){ .kind = PLAN_REQUEST, .which = i });
			if (!w->plan->is_long && dice_hits(&w->dice, 400)) {
				put_old_cert(w, i);
			}
		}
	}
}
