/* tests/unit/acme_world.h -- a model of a CA, a client and virtual time: what the client sends is checked, and answered as RFC 8555 has it,
 * or as the test says.
 *
 * All is static: one world a program; world_begin() and world_end() around each test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "certificates.h"

#include "acme/client.h"
#include "acme/json.h"
#include "acme/jws.h"
#include "base/enc.h"

enum { WALL = 1800000000, DAY_S = 86400, STEPS_MAX = 5000, PATHS_MAX = 64, NONCES = 4096, WORLD_ORDERS = 40 };

#define CA "https://ca.example"
#define ACCOUNT_PATH "/acct/7"
#define ACCOUNT CA ACCOUNT_PATH

enum treatment { TREAT_WELL, TREAT_AS_ANSWERED, TREAT_LOST };

static struct world {
	struct now now;
	struct acme_client *client;
	struct acme_order *orders[WORLD_ORDERS];
	size_t orders_n;
	struct pkey *account_key, *host_key, *other_key, *ca_key, *root_key;
	struct cert *leaf, *middle, *cross, *false_leaf;
	struct csr *csr;

	/* what the CA does; a test changes it before or while it runs */
	enum treatment (*hook)(const char *path, unsigned nth, struct acme_answer *a); /* nth request for this path, from 1 */
	const char *meta;                 /* of the directory */
	const char *more;                 /* members of the directory */
	bool has_account, is_proven_already, is_persist;
	const char *contact;              /* of the account, as a JSON array; NULL: it is not shown */
	unsigned pending_polls, processing_polls; /* how often an authorization or order is pending or processing before it is done */
	bool does_not_prove;              /* the test proves by itself */

	/* what came of it */
	bool nonces[NONCES];
	unsigned nonces_n;
	bool is_told[3];
	unsigned polls[3], order_polls;
	enum { ORDER_PENDING, ORDER_PROCESSING, ORDER_VALID } order;
	char log[STEPS_MAX * 2];          /* the paths that were asked for, a line each */
	size_t log_len;
	struct {
		char path[64];
		unsigned n;
	} paths[PATHS_MAX];
	char payload[8192];               /* of the last request to newOrder or newAccount */
	char update[8192];                /* … to the account */
	unsigned requests;
	size_t in_flight_most;
	uint64_t last_ns;                 /* time of the last request */
} w;

/* ---- answers ---- */

static inline void
say_header(struct acme_answer *a, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	assert_int_equal(acme_answer_header(a, line, (size_t)n), OK);
}

static inline void
say(struct acme_answer *a, unsigned status, const char *body)
{
	acme_answer_begin(a, status);
	assert_int_equal(acme_answer_body(a, body, strlen(body)), OK);
}

static inline void
say_problem(struct acme_answer *a, unsigned status, const char *type, const char *detail)
{
	char body[1024];
	(void)snprintf(body, sizeof body, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\"}", type, detail);
	say(a, status, body);
}

static inline void
say_order(struct acme_answer *a, unsigned status)
{
	bool is_ready = w.is_proven_already || (w.is_told[0] && w.is_told[1] && w.polls[0] > w.pending_polls && w.polls[1] > w.pending_polls);
	const char *text = w.order == ORDER_VALID ? "valid" : w.order == ORDER_PROCESSING ? "processing" : is_ready ? "ready" : "pending";
	char body[1024];
	(void)snprintf(body, sizeof body, "{\"status\":\"%s\",\"authorizations\":[\"" CA "/authz/0\",\"" CA "/authz/1\"],\"finalize\":\"" CA
	               "/finalize\"%s}", text, w.order == ORDER_VALID ? ",\"certificate\":\"" CA "/cert\"" : "");
	say(a, status, body);
	say_header(a, "Location: /order/1");
}

static inline void
say_authorization(struct acme_answer *a, unsigned i)
{
	static const char *const names[] = { "www.example", "example" };
	char body[2048];
	bool is_valid = w.is_proven_already || (w.is_told[i] && w.polls[i]++ >= w.pending_polls);
	const char *persist = w.is_persist ? ",{\"type\":\"dns-persist-01\",\"url\":\"" CA "/persist/x\",\"status\":\"pending\","
	                                     "\"issuerDomainNames\":[\"ca.example\"]}" : "";
	(void)snprintf(body, sizeof body, "{\"status\":\"%s\",\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"},%s\"challenges\":["
	               "{\"type\":\"http-01\",\"url\":\"" CA "/chall/http\",\"token\":\"t\"},"
	               "{\"type\":\"dns-01\",\"url\":\"" CA "/chall/%u\",\"token\":\"token-%u\",\"status\":\"pending\"}%s]}",
	               is_valid ? "valid" : "pending", names[i], i == 1 ? "\"wildcard\":true," : "", i, i, persist);
	say(a, 200, body);
}

static inline void
say_chain(struct acme_answer *a, struct cert *leaf, struct cert *middle)
{
	struct str pem = { 0 };
	cert_put_pem(leaf, &pem);
	cert_put_pem(middle, &pem);
	say(a, 200, pem.s);
	str_fini(&pem);
}

static inline void
say_directory(struct acme_answer *a)
{
	char body[2048];
	(void)snprintf(body, sizeof body, "{\"newNonce\":\"" CA "/nonce\",\"newAccount\":\"" CA "/account\",\"newOrder\":\"" CA "/order\"%s,"
	               "\"meta\":{\"termsOfService\":\"" CA "/terms\"%s}}", w.more, w.meta);
	say(a, 200, body);
}

static inline void
say_account_object(struct acme_answer *a, unsigned status)
{
	char body[512];
	(void)snprintf(body, sizeof body, "{\"status\":\"valid\"%s%s}", w.contact != NULL ? ",\"contact\":" : "", w.contact != NULL ? w.contact : "");
	say(a, status, body);
}

static inline void
say_account(struct acme_answer *a)
{
	bool is_question = strstr(w.payload, "\"onlyReturnExisting\":true") != NULL;
	if (!w.has_account && is_question) {
		say_problem(a, 400, "accountDoesNotExist", "none");
		return;
	}
	say_account_object(a, w.has_account ? 200 : 201);
	say_header(a, "Location: " ACCOUNT);
	w.has_account = true;
}

static inline void
serve_order(const char *path, struct acme_answer *a)
{
	if (strcmp(path, "/order") == 0) {
		say_order(a, 201);
	} else if (strcmp(path, "/order/1") == 0) {
		w.order += w.order == ORDER_PROCESSING && w.order_polls++ >= w.processing_polls;
		say_order(a, 200);
	} else if (strcmp(path, "/finalize") == 0) {
		w.order = ORDER_PROCESSING;
		say_order(a, 200);
	} else if (strcmp(path, "/cert") == 0) {
		say_chain(a, w.leaf, w.middle);
		say_header(a, "Link: <" CA "/cert/2>;rel=\"alternate\"");
	} else if (strcmp(path, "/cert/2") == 0) {
		say_chain(a, w.leaf, w.cross);
	} else {
		say_problem(a, 404, "malformed", "no such thing");
	}
}

static inline void
serve(const char *path, struct acme_answer *a)
{
	if (strcmp(path, "/dir") == 0) {
		say_directory(a);
	} else if (strcmp(path, "/nonce") == 0) {
		say(a, 200, "");
	} else if (strcmp(path, "/account") == 0) {
		say_account(a);
	} else if (strcmp(path, ACCOUNT_PATH) == 0) {
		say_account_object(a, 200);
	} else if (strncmp(path, "/authz/", 7) == 0) {
		say_authorization(a, (unsigned)(path[7] - '0'));
	} else if (strncmp(path, "/chall/", 7) == 0) {
		w.is_told[path[7] - '0'] = true;
		say(a, 200, "{\"status\":\"processing\"}");
	} else {
		serve_order(path, a);
	}
}

/* ---- what a request has to look like (RFC 8555 6.2) ---- */

static inline struct json_t *
decoded(const struct json_t *jws, const char *member, char *text, size_t cap)
{
	struct json_t *json = NULL;
	const char *encoded = acme_json_text(jws, member);
	size_t n = 0;
	assert_non_null(encoded);
	assert_int_equal(base64url_decode(encoded, strlen(encoded), (uint8_t *)text, cap - 1, &n), OK);
	text[n] = '\0';
	assert_int_equal(n == 0 ? OK : acme_json_read(text, n, &json), OK);
	return json;
}

static inline void
check_post(const struct acme_request *r, const char *path)
{
	char header[4096], payload[sizeof w.payload];
	struct json_t *jws = NULL;
	assert_string_equal(r->content_type, "application/jose+json");
	assert_int_equal(acme_json_read(r->body, r->body_len, &jws), OK);
	struct json_t *protected = decoded(jws, "protected", header, sizeof header), *body = decoded(jws, "payload", payload, sizeof payload);
	const char *nonce = acme_json_text(protected, "nonce");
	unsigned number = (unsigned)atoi(nonce + 1);
	assert_true(nonce[0] == 'n' && number < w.nonces_n && w.nonces[number]); /* one that was given out, and not used yet */
	w.nonces[number] = false;
	assert_string_equal(acme_json_text(protected, "url"), r->url);
	if (strcmp(path, "/account") == 0) {
		assert_non_null(acme_json_object(protected, "jwk"));
		assert_null(acme_json_text(protected, "kid"));
	} else {
		assert_string_equal(acme_json_text(protected, "kid"), ACCOUNT);
	}
	if (strcmp(path, "/account") == 0 || strcmp(path, "/order") == 0) {
		memcpy(w.payload, payload, sizeof w.payload);
	} else if (strcmp(path, ACCOUNT_PATH) == 0) {
		memcpy(w.update, payload, sizeof w.update);
	}
	assert_true((strncmp(path, "/chall", 6) == 0 || strncmp(path, "/persist", 8) == 0) == (strcmp(payload, "{}") == 0));
	acme_json_free(&jws);
	acme_json_free(&protected);
	acme_json_free(&body);
}

static inline unsigned
count(const char *path)
{
	size_t i = 0;
	while (i < PATHS_MAX - 1 && w.paths[i].n != 0 && strcmp(w.paths[i].path, path) != 0) {
		i++;
	}
	(void)snprintf(w.paths[i].path, sizeof w.paths[i].path, "%s", path);
	return ++w.paths[i].n;
}

static inline unsigned
asked(const char *path)
{
	for (size_t i = 0; i < PATHS_MAX; i++) {
		if (strcmp(w.paths[i].path, path) == 0) {
			return w.paths[i].n;
		}
	}
	return 0;
}

static inline void
give_nonce(struct acme_answer *a)
{
	assert_true(w.nonces_n < NONCES);
	w.nonces[w.nonces_n] = true;
	say_header(a, "Replay-Nonce: n%u", w.nonces_n++);
}

static inline void
answer(const struct acme_request *r)
{
	struct acme_answer a = { 0 };
	const char *path = r->url + strlen(CA);
	assert_true(acme_url_is_good(r->url) && strncmp(r->url, CA "/", strlen(CA) + 1) == 0);
	if (r->method == ACME_POST) {
		check_post(r, path);
	} else {
		assert_null(r->content_type);
		assert_true(r->body_len == 0 && (r->method == ACME_HEAD) == (strcmp(path, "/nonce") == 0));
	}
	unsigned nth = count(path);
	enum treatment treatment = w.hook != NULL ? w.hook(path, nth, &a) : TREAT_WELL;
	if (treatment == TREAT_WELL) {
		serve(path, &a);
	}
	if (treatment == TREAT_LOST) {
		acme_client_on_failure(w.client, &w.now, r->id, "connection refused");
	} else {
		if (r->method != ACME_GET) {
			give_nonce(&a);
		}
		acme_client_on_answer(w.client, &w.now, r->id, &a);
	}
	acme_answer_fini(&a);
}

/* ---- time ---- */

/* Takes what is there to be sent, all of it before the first answer. */
static inline bool
exchange(void)
{
	struct acme_request taken[ACME_IN_FLIGHT_MAX + 1];
	char *urls[ACME_IN_FLIGHT_MAX + 1], *bodies[ACME_IN_FLIGHT_MAX + 1];
	size_t n = 0;
	while (n <= ACME_IN_FLIGHT_MAX && acme_client_take_request(w.client, &w.now, &taken[n])) {
		taken[n].url = urls[n] = strdup(taken[n].url);
		taken[n].body = bodies[n] = strndup(taken[n].body, taken[n].body_len);
		w.log_len += (size_t)snprintf(w.log + w.log_len, sizeof w.log - w.log_len, "%s ", taken[n].url + strlen(CA));
		assert_true(w.log_len < sizeof w.log - 1);
		w.requests++;
		w.last_ns = w.now.mono_ns;
		n++;
	}
	w.in_flight_most = n > w.in_flight_most ? n : w.in_flight_most;
	for (size_t i = 0; i < n; i++) {
		answer(&taken[i]);
		free(urls[i]);
		free(bodies[i]);
	}
	return n != 0;
}

static inline void
prove_all(struct acme_order *o)
{
	for (size_t i = 0; i < acme_order_proofs_n(o); i++) {
		acme_order_proven(o, &w.now, i, ACME_WAY_DNS);
	}
}

static inline void
pass_s(uint64_t s)
{
	w.now.mono_ns += s * NOW_SECOND_NS;
	w.now.wall_s += s;
	acme_client_timer(w.client, &w.now);
}

/* To the next deadline; false: there is none. */
static inline bool
pass_to_deadline(void)
{
	uint64_t at_ns = acme_client_deadline(w.client);
	if (at_ns == NOW_NEVER) {
		return false;
	}
	assert_true(at_ns > w.now.mono_ns); /* else the caller would run in circles */
	w.now.wall_s += (at_ns - w.now.mono_ns) / NOW_SECOND_NS;
	w.now.mono_ns = at_ns;
	acme_client_timer(w.client, &w.now);
	return true;
}

static inline void
look_at_orders(void)
{
	for (struct acme_order *o; (o = acme_client_next_order(w.client)) != NULL;) {
		if (acme_order_state(o) == ACME_ORDER_PROVE && !w.does_not_prove) {
			prove_all(o);
		}
	}
}

/* Until nothing is to be done any more, or an order waits for the test. */
static inline void
run(void)
{
	for (unsigned i = 0;; i++) {
		assert_true(i < STEPS_MAX);
		bool has_sent = exchange();
		look_at_orders();
		if (!has_sent && ((w.orders_n != 0 && w.does_not_prove && acme_order_state(w.orders[0]) == ACME_ORDER_PROVE) ||
		                  (!exchange() && !pass_to_deadline()))) {
			return;
		}
	}
}

/* ---- begin and end ---- */

static const char *const world_names[] = { "www.example", "*.example" };

static inline struct cert *
leaf_for(const struct pkey *key)
{
	return make_cert(&(struct making){ "", "Middle", key, w.ca_key, "DNS:www.example,DNS:*.example", false, WALL - DAY_S, WALL + 90 * DAY_S, 5 });
}

static inline int
world_set_up(void **state)
{
	(void)state;
	w.account_key = key_of(PKEY_ED25519, "account");
	w.host_key = key_of(PKEY_ED25519, "host");
	w.other_key = key_of(PKEY_ED25519, "other");
	w.ca_key = key_of(PKEY_P256, "ca");
	w.root_key = key_of(PKEY_P256, "root");
	w.leaf = leaf_for(w.host_key);
	w.false_leaf = leaf_for(w.other_key);
	w.middle = make_cert(&(struct making){ "Middle", "Root", w.ca_key, w.root_key, NULL, true, WALL - DAY_S, WALL + 900 * DAY_S, 2 });
	w.cross = make_cert(&(struct making){ "Middle", "Old Root", w.ca_key, w.root_key, NULL, true, WALL - DAY_S, WALL + 900 * DAY_S, 3 });
	w.csr = request_for(w.host_key, world_names, 2);
	return 0;
}

static inline int
world_tear_down(void **state)
{
	struct pkey **keys[] = { &w.account_key, &w.host_key, &w.other_key, &w.ca_key, &w.root_key };
	struct cert **certs[] = { &w.leaf, &w.middle, &w.cross, &w.false_leaf };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		pkey_free(keys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
		cert_free(certs[i]);
	}
	csr_free(&w.csr);
	return 0;
}

static inline void
world_begin(const struct acme_client_conf *conf)
{
	struct acme_client_conf c = conf != NULL ? *conf : (struct acme_client_conf){ .has_agreed = true };
	c.directory = CA "/dir";
	c.key = w.account_key;
	w = (struct world){
		.account_key = w.account_key, .host_key = w.host_key, .other_key = w.other_key, .ca_key = w.ca_key, .root_key = w.root_key,
		.leaf = w.leaf, .middle = w.middle, .cross = w.cross, .false_leaf = w.false_leaf, .csr = w.csr,
		.now = { .mono_ns = 1000 * NOW_SECOND_NS, .wall_s = WALL }, .meta = "", .more = "",
	};
	assert_int_equal(acme_client_new(&c, &w.client), OK);
}

static inline struct acme_order *
world_order(const char *replaces)
{
	const struct acme_order_wish wish = { .names = world_names, .names_n = 2, .csr = w.csr->der, .csr_len = w.csr->der_len,
		                              .replaces = replaces, .user = &w };
	assert_true(w.orders_n < WORLD_ORDERS);
	assert_int_equal(acme_order_new(w.client, &w.now, &wish, &w.orders[w.orders_n]), OK);
	return w.orders[w.orders_n++];
}

static inline void
world_end(void)
{
	for (size_t i = 0; i < w.orders_n; i++) {
		acme_order_free(&w.orders[i]);
	}
	acme_client_free(&w.client);
}

static inline void
assert_issued(struct acme_order *o)
{
	const struct acme_der *chain;
	if (acme_order_state(o) == ACME_ORDER_FAILED) {
		fail_msg("%s", acme_order_failure(o)->reason);
	}
	assert_int_equal(acme_order_state(o), ACME_ORDER_ISSUED);
	assert_int_equal(acme_order_chain(o, &chain), 2);
	assert_int_equal(chain[0].len, w.leaf->der_len);
	assert_memory_equal(chain[0].octets, w.leaf->der, w.leaf->der_len);
}

static inline void
assert_failed_with(struct acme_order *o, enum acme_fault fault, const char *text)
{
	assert_int_equal(acme_order_state(o), ACME_ORDER_FAILED);
	const struct acme_failure *f = acme_order_failure(o);
	if (strstr(f->reason, text) == NULL || f->fault != fault) {
		fail_msg("fault %d, not %d: %s (not: %s)", (int)f->fault, (int)fault, f->reason, text);
	}
}
