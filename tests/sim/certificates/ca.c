/* Accounts, nonces, orders and proofs. */
#include "ca.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "acme/jws.h"
#include "base/enc.h"
#include "certificates.h"
#include "dns/rrtype.h"

enum { TEXT_MAX = 8192, BACKDATED_S = 3600 };

void
ca_forget(struct ca *ca)
{
	ca->has_account = false;
	memset(ca->orders, 0, sizeof ca->orders);
	memset(ca->proofs, 0, sizeof ca->proofs);
	memset(ca->is_nonce, 0, sizeof ca->is_nonce);
}

void
ca_fini(struct ca *ca)
{
	for (size_t i = 0; i < CA_CERTS_MAX; i++) {
		str_fini(&ca->certs[i].pem);
		str_fini(&ca->certs[i].other);
	}
}

/* ---- what a request says ---- */

struct said {
	struct json_t *jws, *header, *payload; /* payload NULL: it is empty */
};

static struct json_t *
decoded(const struct json_t *jws, const char *member)
{
	char text[TEXT_MAX];
	struct json_t *json = NULL;
	const char *encoded = acme_json_text(jws, member);
	size_t n = 0;
	err_t err = encoded != NULL ? base64url_decode(encoded, strlen(encoded), (uint8_t *)text, sizeof text, &n) : E_FORMAT;
	return err == OK && n != 0 && acme_json_read(text, n, &json) == OK ? json : NULL;
}

static struct said
read_request(const struct str *body)
{
	struct said s = { NULL };
	err_t err = acme_json_read(str_text(body), body->len, &s.jws);
	ASSERT(err == OK);
	s.header = decoded(s.jws, "protected");
	s.payload = decoded(s.jws, "payload");
	return s;
}

static void
said_fini(struct said *s)
{
	acme_json_free(&s->jws);
	acme_json_free(&s->header);
	acme_json_free(&s->payload);
}

/* ---- nonces ---- */

static void
give_nonce(struct ca *ca, struct acme_answer *a)
{
	unsigned n = ca->nonces_n++;
	ca->is_nonce[n % CA_NONCES_MAX] = true;
	ca_say_header(a, "Replay-Nonce: n%u", n);
}

/* A nonce is good once, and not when it is too old. */
static bool
take_nonce(struct world *w, const char *nonce)
{
	struct ca *ca = &w->ca;
	unsigned n = (unsigned)strtoul(nonce + 1, NULL, 10);
	bool is_good = nonce[0] == 'n' && n < ca->nonces_n && ca->nonces_n - n <= CA_NONCES_MAX && ca->is_nonce[n % CA_NONCES_MAX];
	ca->is_nonce[n % CA_NONCES_MAX] = false;
	return is_good && !dice_hits(&w->dice, w->plan->bad_nonces);
}

/* ---- accounts ---- */

static void
serve_account(struct ca *ca, const struct said *s, struct acme_answer *a)
{
	bool is_question = acme_json_is_true(s->payload, "onlyReturnExisting"), is_new = !ca->has_account;
	if (is_new && is_question) {
		ca_say_problem(a, 400, "accountDoesNotExist", "nobody has this key");
		return;
	}
	ca->account += is_new;
	ca->has_account = true;
	ca_say(a, is_new ? 201 : 200, "{\"status\":\"valid\"}");
	ca_say_header(a, "Location: " CA_URL "/account/%u", ca->account);
}

static bool
is_account(const struct ca *ca, const char *kid)
{
	char url[128];
	(void)snprintf(url, sizeof url, CA_URL "/account/%u", ca->account);
	return ca->has_account && kid != NULL && strcmp(kid, url) == 0;
}

/* ---- proofs ---- */

static struct ca_proof *
find_proof(struct ca *ca, unsigned number)
{
	struct ca_proof *p = &ca->proofs[number % CA_PROOFS_MAX];
	return number != 0 && p->number == number ? p : NULL;
}

/* One that is good for a new order; else a new one. */
static struct ca_proof *
proof_for(struct world *w, const char *name)
{
	struct ca *ca = &w->ca;
	bool is_wildcard = strncmp(name, "*.", 2) == 0;
	name += is_wildcard ? 2 : 0;
	for (size_t i = 0; i < CA_PROOFS_MAX && w->plan->is_reusing; i++) {
		struct ca_proof *p = &ca->proofs[i];
		if (p->number != 0 && p->state == CA_VALID && p->until_ns > w->now_ns && p->is_wildcard == is_wildcard &&
		    strcmp(p->name, name) == 0) {
			return p;
		}
	}
	unsigned number = ++ca->proofs_n;
	struct ca_proof *p = &ca->proofs[number % CA_PROOFS_MAX];
	*p = (struct ca_proof){ .number = number, .is_wildcard = is_wildcard };
	(void)snprintf(p->name, sizeof p->name, "%s", name);
	(void)snprintf(p->token, sizeof p->token, "token-%u-%u", ca->account, number);
	return p;
}

static void
serve_tell(struct world *w, struct ca_proof *p, bool is_by_lasting, struct acme_answer *a)
{
	if (p->state != CA_PENDING || p->is_told) {
		ca_say_problem(a, 400, "malformed", "this challenge is not pending");
		return;
	}
	p->is_told = true;
	p->is_by_lasting = is_by_lasting;
	struct action *look = action_new(w, ACTION_LOOK, NULL, dice_below(&w->dice, w->plan->ca_think_s * SECOND + 1));
	look->number = p->number;
	ca_say(a, 200, "{\"status\":\"processing\"}");
}

static bool
shows(const struct world *w, unsigned server, const char *name, const char *value)
{
	struct name owner = people_named(name);
	err_t err = acme_challenge_name(owner.oct, &owner);
	ASSERT(err == OK);
	const struct rrset *alias = dns_rrset(dns_shown(w, server, dns_zone_of(w, owner.oct)), owner.oct, TYPE_CNAME);
	if (alias != NULL) {
		name_set(&owner, rrset_first(alias)->rdata);
	}
	return dns_has_txt(dns_shown(w, server, dns_zone_of(w, owner.oct)), owner.oct, value);
}

/* A record that lasts names the account, which the CA may have forgotten. */
static bool
shows_lasting(const struct world *w, unsigned server, const char *name)
{
	struct name owner = people_named(name);
	char text[PEOPLE_LASTING_MAX];
	err_t err = acme_persist_name(owner.oct, &owner);
	ASSERT(err == OK);
	people_print_lasting(w->ca.account, text);
	return dns_has_txt(dns_shown(w, server, dns_zone_of(w, owner.oct)), owner.oct, text);
}

static bool
is_shown(const struct world *w, unsigned server, const struct ca_proof *p)
{
	char value[ACME_TXT_VALUE_LEN + 1];
	err_t err = acme_dns_value(p->token, w->thumbprint, value);
	ASSERT(err == OK);
	return p->is_by_lasting ? shows_lasting(w, server, p->name) : shows(w, server, p->name, value);
}

/* It asks any one of the name servers that answer. */
void
ca_look(struct world *w, unsigned number)
{
	struct ca_proof *p = find_proof(&w->ca, number);
	unsigned server = dice_unsigned(&w->dice, w->plan->servers_n);
	if (p == NULL) {
		return;
	}
	for (unsigned i = 0; i < w->plan->servers_n && dns_is_dead(w, server); i++) {
		server = (server + 1) % w->plan->servers_n;
	}
	bool is_there = !dns_is_dead(w, server) && is_shown(w, server, p) && !world_fault(w, PLAN_CA_DOUBTS);
	p->state = is_there ? CA_VALID : CA_INVALID;
	p->until_ns = w->now_ns + CA_REUSE_S * SECOND;
	world_log(w, "the CA finds the proof for %s at server %u: %s", p->name, server, is_there ? "yes" : "no");
}

/* ---- orders ---- */

static struct ca_order *
find_order(struct ca *ca, unsigned number)
{
	struct ca_order *o = &ca->orders[number % CA_ORDERS_MAX];
	return number != 0 && o->number == number ? o : NULL;
}

static struct ca_cert *
find_cert(struct ca *ca, const char *id)
{
	for (size_t i = 0; i < CA_CERTS_MAX; i++) {
		if (ca->certs[i].number != 0 && strcmp(ca->certs[i].id, id) == 0) {
			return &ca->certs[i];
		}
	}
	return NULL;
}

/* RFC 9773 5: each certificate is replaced once. */
static bool
replaces_well(struct ca *ca, const struct said *s, struct acme_answer *a)
{
	const char *id = acme_json_text(s->payload, "replaces");
	struct ca_cert *old = id != NULL ? find_cert(ca, id) : NULL;
	if (id != NULL && old == NULL) {
		ca_say_problem(a, 404, "malformed", "no such certificate");
		return false;
	}
	if (old != NULL && old->is_replaced) {
		ca_say_problem(a, 409, "alreadyReplaced", "it was replaced");
		return false;
	}
	if (old != NULL) {
		old->is_replaced = true;
	}
	return true;
}

static void
serve_new_order(struct world *w, const struct said *s, struct acme_answer *a)
{
	struct ca *ca = &w->ca;
	const struct json_t *names = acme_json_array(s->payload, "identifiers");
	size_t n = acme_json_n(names);
	if (n == 0 || n > CA_NAMES_MAX) {
		ca_say_problem(a, 400, "malformed", "no names, or too many");
		return;
	}
	if (!replaces_well(ca, s, a)) {
		return;
	}
	unsigned number = ++ca->orders_n;
	struct ca_order *o = &ca->orders[number % CA_ORDERS_MAX];
	*o = (struct ca_order){ .number = number, .n = n };
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(o->names[i], sizeof o->names[i], "%s", acme_json_text(acme_json_item(names, i), "value"));
		o->proofs[i] = proof_for(w, o->names[i])->number;
	}
	w->orders++;
	ca_say_order(w, a, 201, o);
}

static bool
is_ready(struct ca *ca, const struct ca_order *o)
{
	bool is = !o->is_finalized;
	for (size_t i = 0; i < o->n; i++) {
		const struct ca_proof *p = find_proof(ca, o->proofs[i]);
		is &= p != NULL && p->state == CA_VALID;
	}
	return is;
}

static bool
has_names_of(const struct ca_order *o, const struct csr *request)
{
	bool has = request->names.n == o->n;
	for (size_t i = 0; i < o->n; i++) {
		has &= host_names_has(&request->names, o->names[i]);
	}
	return has;
}

const struct ca_cert *
ca_new_cert(struct world *w, uint64_t not_before_s, const struct csr *request, enum ca_lie lie)
{
	unsigned number = ++w->ca.certs_n;
	struct ca_cert *c = &w->ca.certs[number % CA_CERTS_MAX];
	str_fini(&c->pem);
	str_fini(&c->other);
	*c = (struct ca_cert){ .number = number, .not_before_s = not_before_s, .not_after_s = not_before_s + w->plan->life_s };
	ca_issue(c, request, lie);
	return c;
}

static void
serve_finalize(struct world *w, struct ca_order *o, const struct said *s, struct acme_answer *a)
{
	uint8_t der[CSR_DER_MAX];
	[[gnu::cleanup(csr_free)]] struct csr *request = NULL;
	const char *text = acme_json_text(s->payload, "csr");
	size_t n = 0;
	if (!is_ready(&w->ca, o)) {
		ca_say_problem(a, 403, "orderNotReady", "the order is not ready");
		return;
	}
	if (text == NULL || base64url_decode(text, strlen(text), der, sizeof der, &n) != OK || csr_read(der, n, &request) != OK ||
	    !has_names_of(o, request)) {
		ca_say_problem(a, 400, "badCSR", "the request is not that of the order");
		return;
	}
	enum ca_lie lie = world_fault(w, PLAN_CA_LIES) ? (enum ca_lie)dice_between(&w->dice, 1, CA_LIES - 1) : CA_HONEST;
	o->is_finalized = true;
	o->cert = ca_new_cert(w, world_wall_s(w) - BACKDATED_S, request, lie)->number;
	o->done_ns = w->now_ns + dice_below(&w->dice, w->plan->ca_think_s * SECOND + 1);
	w->certs++;
	ca_say_order(w, a, 200, o);
}

static void
serve_cert(const struct world *w, const struct ca_cert *c, unsigned chain, struct acme_answer *a)
{
	ca_say(a, 200, str_text(chain == 0 ? &c->pem : &c->other));
	if (w->plan->has_alternates) {
		ca_say_header(a, "Link: <" CA_URL "/cert/%u/%u>;rel=\"alternate\"", c->number, chain == 0);
	}
}

/* ---- requests ---- */

static void
serve_thing(struct world *w, const char *path, const struct said *s, struct acme_answer *a)
{
	struct ca *ca = &w->ca;
	char what[16] = "";
	unsigned number = 0, chain = 0;
	(void)sscanf(path, "/%15[a-z]/%u/%u", what, &number, &chain);
	struct ca_order *o = find_order(ca, number);
	struct ca_proof *p = find_proof(ca, number);
	struct ca_cert *c = &ca->certs[number % CA_CERTS_MAX];
	if (strcmp(what, "order") == 0 && number == 0) {
		serve_new_order(w, s, a);
	} else if (strcmp(what, "order") == 0 && o != NULL) {
		ca_say_order(w, a, 200, o);
	} else if (strcmp(what, "finalize") == 0 && o != NULL) {
		serve_finalize(w, o, s, a);
	} else if (strcmp(what, "proof") == 0 && p != NULL) {
		ca_say_proof(w, a, p);
	} else if (strcmp(what, "tell") == 0 && p != NULL) {
		serve_tell(w, p, false, a);
	} else if (strcmp(what, "lasting") == 0 && p != NULL) {
		serve_tell(w, p, true, a);
	} else if (strcmp(what, "cert") == 0 && number != 0 && c->number == number) {
		serve_cert(w, c, chain, a);
	} else {
		ca_say_problem(a, 404, "malformed", "no such thing");
	}
}

static void
serve_post(struct world *w, const char *path, const struct str *body, struct acme_answer *a)
{
	struct said s = read_request(body);
	const char *nonce = acme_json_text(s.header, "nonce"), *kid = acme_json_text(s.header, "kid");
	if (nonce == NULL || !take_nonce(w, nonce)) {
		ca_say_problem(a, 400, "badNonce", "this nonce is not good");
	} else if (ca_refuses(w, a)) {
		world_log(w, "the CA refuses %s", path);
	} else if (strcmp(path, "/account") == 0) {
		serve_account(&w->ca, &s, a);
	} else if (!is_account(&w->ca, kid)) {
		ca_say_problem(a, 400, "accountDoesNotExist", "no such account");
	} else {
		serve_thing(w, path, &s, a);
	}
	said_fini(&s);
}

static void
serve_get(struct world *w, const char *path, struct acme_answer *a)
{
	static const char window[] = "/window/";
	if (strcmp(path, "/nonce") == 0) {
		ca_say(a, 200, "");
	} else if (ca_refuses(w, a)) {
		world_log(w, "the CA refuses %s", path);
	} else if (strcmp(path, "/directory") == 0) {
		ca_say_directory(w, a);
	} else if (strncmp(path, window, sizeof window - 1) == 0) {
		const struct ca_cert *c = find_cert(&w->ca, path + sizeof window - 1);
		if (c != NULL) {
			ca_say_window(a, c);
		} else {
			ca_say_problem(a, 404, "malformed", "no such certificate");
		}
	} else {
		ca_say_problem(a, 404, "malformed", "no such thing");
	}
}

void
ca_serve(struct world *w, enum acme_method method, const char *url, const struct str *body, struct acme_answer *a)
{
	const char *path = url + strlen(CA_URL);
	ASSERT(acme_url_is_good(url));
	if (strncmp(url, CA_URL "/", strlen(CA_URL) + 1) != 0) { /* where a lie has led */
		ca_say_problem(a, 404, "malformed", "no such server");
		return;
	}
	if (method == ACME_POST) {
		serve_post(w, path, body, a);
	} else {
		serve_get(w, path, a);
	}
	if (method != ACME_GET) {
		give_nonce(&w->ca, a);
	}
	ca_spoil(w, a);
}
