#include "acme/client_p.h"

#include <string.h>

#include "acme/json.h"

/* ---- the authorizations of an order ---- */

const char *
order_read_authorizations(struct acme_order *o, const struct json_t *json)
{
	const struct json_t *array = acme_json_array(json, "authorizations");
	size_t n = acme_json_n(array);
	if (n == 0 || n > HOST_NAMES_MAX) {
		return "the order has no authorizations, or too many";
	}
	o->authorizations = arena_alloc(&o->memory, n * sizeof *o->authorizations);
	o->pending = arena_alloc(&o->memory, n * sizeof *o->pending);
	if (o->authorizations == NULL || o->pending == NULL) {
		return "the order takes too much memory";
	}
	memset(o->authorizations, 0, n * sizeof *o->authorizations);
	for (size_t i = 0; i < n; i++) {
		const char *url = acme_json_item_text(array, i);
		if (url == NULL || !acme_url_is_good(url)) {
			return "an authorization has no URL";
		}
		url = arena_copy(&o->memory, url, strlen(url) + 1);
		if (url == NULL) {
			return "the order takes too much memory";
		}
		o->authorizations[o->authorizations_n++].url = url;
	}
	return NULL;
}

/* The name of the order that an authorization is for; a CA must not make us prove anything else.  NULL: none. */
static const char *
own_name(const struct acme_order *o, const struct json_t *json)
{
	const struct json_t *identifier = acme_json_object(json, "identifier");
	const char *type = acme_json_text(identifier, "type"), *value = acme_json_text(identifier, "value");
	if (type == NULL || strcmp(type, "dns") != 0 || value == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < o->names_n; i++) {
		const char *name = o->names[i] + (strncmp(o->names[i], "*.", 2) == 0 ? 2 : 0);
		if (strcasecmp(name, value) == 0) {
			return name;
		}
	}
	return NULL;
}

/* RFC 8555 8.1: base64url. */
static bool
is_token(const char *token)
{
	size_t len = token != NULL ? strlen(token) : 0;
	return len != 0 && len <= TOKEN_MAX &&
	       strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* False: the order has failed. */
static bool
keep_dns(struct acme_order *o, struct authorization *a, const struct json_t *challenge)
{
	const char *url = acme_json_url(challenge, "url"), *token = acme_json_text(challenge, "token");
	if (a->dns_url != NULL || url == NULL || !is_token(token)) {
		return true; /* one that nobody could use */
	}
	a->dns_url = order_keep(o, url);
	a->proof.has_dns = a->dns_url != NULL && acme_dns_value(token, o->client->thumbprint, a->proof.value) == OK;
	return a->dns_url != NULL;
}

static bool
has_all(const char *const *of, size_t of_n, const char *const *these, size_t these_n)
{
	for (size_t i = 0; i < these_n; i++) {
		size_t j = 0;
		while (j < of_n && strcmp(of[j], these[i]) != 0) {
			j++;
		}
		if (j == of_n) {
			return false;
		}
	}
	return true;
}

/* draft-ietf-acme-dns-persist-02 3.2; version 01 has the member under another name, and the directory has none. */
static size_t
read_issuers(const struct acme_directory *d, const struct json_t *challenge, const char *out[ACME_ISSUERS_MAX])
{
	size_t n = acme_issuers_read(acme_json_array(challenge, "issuerDomainNames"), out);
	if (n == 0) {
		n = acme_issuers_read(acme_json_array(challenge, "issuer-domain-names"), out);
	}
	bool is_good = has_all(out, n, d->issuers, d->issuers_n) && (d->caa_n == 0 || has_all(d->caa, d->caa_n, out, n));
	return is_good ? n : 0;
}

static bool
keep_persist(struct acme_order *o, struct authorization *a, const struct json_t *challenge)
{
	const char *issuers[ACME_ISSUERS_MAX], *url = acme_json_url(challenge, "url");
	size_t n = read_issuers(&o->client->directory, challenge, issuers);
	if (a->persist_url != NULL || url == NULL || n == 0) {
		return true;
	}
	a->persist_url = order_keep(o, url);
	for (size_t i = 0; i < n && a->persist_url != NULL; i++) {
		a->issuers[i] = order_keep(o, issuers[i]);
		if (a->issuers[i] == NULL) {
			return false;
		}
	}
	a->issuers_n = n;
	a->proof.has_persist = a->persist_url != NULL;
	return a->persist_url != NULL;
}

static bool
keep_challenges(struct acme_order *o, struct authorization *a, const struct json_t *json)
{
	const struct json_t *challenges = acme_json_array(json, "challenges");
	bool goes_on = true;
	for (size_t i = 0; i < acme_json_n(challenges) && i < CHALLENGES_MAX && goes_on; i++) {
		const struct json_t *challenge = acme_json_item(challenges, i);
		const char *type = acme_json_text(challenge, "type");
		if (type != NULL && strcmp(type, "dns-01") == 0) {
			goes_on = keep_dns(o, a, challenge);
		} else if (type != NULL && strcmp(type, "dns-persist-01") == 0) {
			goes_on = keep_persist(o, a, challenge);
		}
	}
	return goes_on;
}

/* ---- what an authorization's status says (RFC 8555 7.1.6) ---- */

enum verdict { VERDICT_VALID, VERDICT_PENDING, VERDICT_FAILED };

/* The reason is with the challenge that failed. */
static void
fail_invalid(struct acme_order *o, const char *name, const char *status, const struct json_t *json)
{
	const struct json_t *challenges = acme_json_array(json, "challenges"), *error = NULL;
	struct acme_problem problem = { .line = "no reason given" };
	for (size_t i = 0; i < acme_json_n(challenges) && error == NULL; i++) {
		error = acme_json_object(acme_json_item(challenges, i), "error");
	}
	if (error != NULL) {
		acme_problem_of(error, &problem);
	}
	order_fail(o, ACME_FAULT_VALIDATION, "%s: authorization %s: %s", name, status, problem.line);
}

static enum verdict
judge(struct acme_order *o, const char *name, const struct json_t *json)
{
	static const char *const over[] = { "invalid", "deactivated", "expired", "revoked" };
	const char *status = acme_json_text(json, "status");
	if (status != NULL && strcmp(status, "valid") == 0) {
		return VERDICT_VALID;
	}
	if (status != NULL && (strcmp(status, "pending") == 0 || strcmp(status, "processing") == 0)) {
		return VERDICT_PENDING;
	}
	for (size_t i = 0; status != NULL && i < ARRAY_LEN(over); i++) {
		if (strcmp(status, over[i]) == 0) {
			fail_invalid(o, name, over[i], json);
			return VERDICT_FAILED;
		}
	}
	order_fail(o, ACME_FAULT_ANSWER, "%s: the authorization has no status that RFC 8555 knows", name);
	return VERDICT_FAILED;
}

/* The authorization in an answer, which must be for one of our names; NULL: there is none, and the order has failed. */
static struct json_t *
read_authorization(struct acme_order *o, const struct now *now, const struct reply *r, const char **name)
{
	struct json_t *json = NULL;
	if (r->answer == NULL) {
		order_fail_reply(o, now, r, "authorization");
	} else if (acme_json_read(str_text(&r->answer->body), r->answer->body.len, &json) != OK) {
		order_fail(o, ACME_FAULT_ANSWER, "authorization: the answer is no JSON, or too large");
	} else if ((*name = own_name(o, json)) == NULL) {
		order_fail(o, ACME_FAULT_ANSWER, "authorization: it is for a name that is not one of the order");
		acme_json_free(&json);
	}
	return json;
}

/* ---- STEP_LOOK ---- */

static void
look(struct acme_order *o, const struct now *now, struct authorization *a, const struct json_t *json)
{
	enum verdict verdict = judge(o, a->name, json);
	a->proof.name = a->name;
	a->proof.is_wildcard = acme_json_is_true(json, "wildcard");
	if (verdict == VERDICT_FAILED || (verdict == VERDICT_PENDING && !keep_challenges(o, a, json))) {
		return;
	}
	a->is_valid = verdict == VERDICT_VALID;
	if (!a->is_valid && !a->proof.has_dns && !a->proof.has_persist) {
		order_fail(o, ACME_FAULT_REFUSED, "%s: the CA offers no proof by DNS (dns-01, dns-persist-01)", a->name);
		return;
	}
	if (!a->is_valid) {
		o->pending[o->pending_n++] = o->at;
	}
	o->at++;
	order_ask_authorization(o, now);
}

void
order_on_look(struct acme_order *o, const struct now *now, const struct reply *r)
{
	struct authorization *a = &o->authorizations[o->at];
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = read_authorization(o, now, r, &a->name);
	if (json != NULL) {
		look(o, now, a, json);
	}
}

/* ---- STEP_PROVE ---- */

static struct authorization *
pending(const struct acme_order *o, size_t i)
{
	return &o->authorizations[o->pending[i]];
}

/* The next proof that is told and not posted; those that are posted come first in the list. */
static void
post_next(struct acme_order *o)
{
	for (size_t i = o->posted_n; i < o->pending_n; i++) {
		if (pending(o, i)->proof.is_told) {
			size_t told = o->pending[i];
			const struct authorization *a = &o->authorizations[told];
			o->pending[i] = o->pending[o->posted_n];
			o->pending[o->posted_n] = told;
			str_clear(&o->ask.payload);
			str_cat(&o->ask.payload, "{}");
			order_post(o, a->way == ACME_WAY_PERSIST ? a->persist_url : a->dns_url);
			return;
		}
	}
}

void
order_on_told(struct acme_order *o, const struct now *now, const struct reply *r)
{
	if (r->answer == NULL && (r->is_lost || r->is_limit)) {
		order_fail_reply(o, now, r, "challenge");
		return;
	}
	if (r->answer == NULL) {
		order_keep_refusal(o, r); /* the authorization says what counts: it may have been heard before */
	}
	o->posted_n++;
	if (o->posted_n == o->pending_n) {
		order_go(o, now, STEP_VALIDATE);
	} else {
		post_next(o);
	}
}

void
acme_order_proven(struct acme_order *o, const struct now *now, size_t i, enum acme_way way)
{
	ASSERT(i < o->proofs_n);
	struct authorization *a = &o->authorizations[o->proofs[i]];
	ASSERT(way == ACME_WAY_PERSIST ? a->proof.has_persist : a->proof.has_dns);
	o->client->now_ns = now->mono_ns;
	if (o->step != STEP_PROVE || a->proof.is_told) {
		return;
	}
	a->proof.is_told = true;
	a->way = way;
	o->told_n++;
	if (o->told_n == o->pending_n) {
		o->state = ACME_ORDER_UNDER_WAY;
	}
	if (o->ask.state == ASK_IDLE) {
		post_next(o);
	}
}

/* ---- STEP_VALIDATE ---- */

/* In STEP_LOOK all of them, in STEP_VALIDATE those that were pending. */
void
order_ask_authorization(struct acme_order *o, const struct now *now)
{
	if (o->step == STEP_LOOK && o->at < o->authorizations_n) {
		order_fetch(o, o->authorizations[o->at].url);
	} else if (o->step == STEP_LOOK && o->pending_n != 0) {
		o->proofs = arena_copy(&o->memory, o->pending, o->pending_n * sizeof *o->pending);
		if (o->proofs == NULL) {
			order_fail(o, ACME_FAULT_MEMORY, "the CA's answers take too much memory");
			return;
		}
		o->proofs_n = o->pending_n;
		order_go(o, now, STEP_PROVE);
	} else if (o->step == STEP_VALIDATE && o->at < o->pending_n) {
		order_poll(o, now, pending(o, o->at)->url, 0);
	} else {
		order_go(o, now, STEP_READY);
	}
}

void
order_on_validate(struct acme_order *o, const struct now *now, const struct reply *r)
{
	const char *name = NULL;
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = read_authorization(o, now, r, &name);
	enum verdict verdict = VERDICT_FAILED;
	if (json != NULL && name != pending(o, o->at)->name) {
		order_fail(o, ACME_FAULT_ANSWER, "authorization: it is for another name than before");
	} else if (json != NULL) {
		verdict = judge(o, name, json);
	}
	if (verdict == VERDICT_VALID) {
		o->at++;
		o->polls = 0;
		order_ask_authorization(o, now);
	} else if (verdict == VERDICT_PENDING && o->refusal != NULL && o->polls > 2) {
		order_fail(o, ACME_FAULT_VALIDATION, "%s: the CA refuses the proof: %s", name, o->refusal->line);
	} else if (verdict == VERDICT_PENDING) {
		order_poll(o, now, pending(o, o->at)->url, r->retry_s);
	}
}

/* ---- what the caller asks ---- */

size_t
acme_order_proofs_n(const struct acme_order *o)
{
	return o->proofs_n;
}

const struct acme_proof *
acme_order_proof(const struct acme_order *o, size_t i)
{
	ASSERT(i < o->proofs_n);
	return &o->authorizations[o->proofs[i]].proof;
}

bool
acme_order_is_persist(const struct acme_order *o, size_t i, const char *txt, uint64_t wall_s)
{
	ASSERT(i < o->proofs_n);
	const struct authorization *a = &o->authorizations[o->proofs[i]];
	const struct acme_persist p = {
		.issuers = a->issuers,
		.issuers_n = a->issuers_n,
		.account = acme_client_account(o->client),
		.thumbprint = o->client->thumbprint,
		.hash_prefix = o->client->directory.hash_prefix,
	};
	return a->proof.has_persist && acme_persist_is_proof(&p, a->name, a->proof.is_wildcard, wall_s, txt);
}
