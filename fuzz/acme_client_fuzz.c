/* A CA that answers as the input says: well, wrongly, late, or never.  Whatever it does, requests are bounded, orders end, and nothing is
 * handed out but the certificate that was asked for.
 *
 * Each octet of the input is what becomes of one request, or what the caller does next; some are followed by a piece of text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* What certificates.h has from cmocka. */
#define assert_int_equal(a, b) ASSERT((a) == (b))
#define assert_non_null(a) ASSERT((a) != NULL)
#define assert_true(a) ASSERT(a)

#include "../tests/unit/certificates.h"

#include "acme/client.h"
#include "base/cur.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CA "https://ca.example"

enum {
	WALL = 1800000000, DAY_S = 86400,
	ORDERS = 2,
	STEPS_MAX = 4000,                   /* of the caller: far more than any order may take */
	REQUESTS_MAX = ORDERS * (64 + 16 * 2) * (ACME_ATTEMPTS_MAX + ACME_BAD_NONCES_MAX) + 400,
	PIECE_MAX = 64,
};

static const char *const names[] = { "www.example", "*.example" };

/* Made once, for all inputs. */
static struct {
	struct pkey *account, *host, *ca;
	struct cert *leaf, *other, *middle;
	struct csr *csr;
	char chain[8192], false_chain[8192];
} made;

static struct {
	struct cur in;
	struct now now;
	struct acme_client *client;
	struct acme_order *orders[ORDERS];
	struct acme_renewal *renewal;
	size_t in_flight;
	uint64_t ids[ACME_IN_FLIGHT_MAX];
	char paths[ACME_IN_FLIGHT_MAX][64]; /* what they ask for */
	unsigned requests;
} w;

static void
put_chain(char *to, size_t cap, const struct cert *leaf)
{
	struct str pem = { 0 };
	cert_put_pem(leaf, &pem);
	cert_put_pem(made.middle, &pem);
	str_cut(to, cap, str_text(&pem));
	str_fini(&pem);
}

static void
make_all(void)
{
	if (made.account != NULL) {
		return;
	}
	made.account = key_of(PKEY_ED25519, "account");
	made.host = key_of(PKEY_ED25519, "host");
	made.ca = key_of(PKEY_ED25519, "ca");
	made.middle = make_cert(&(struct making){ "Middle", "Root", made.ca, made.ca, NULL, true, WALL - DAY_S, WALL + 900 * DAY_S, 2 });
	made.leaf = make_cert(&(struct making){ "", "Middle", made.host, made.ca, "DNS:www.example,DNS:*.example", false, WALL - DAY_S,
	                                        WALL + 90 * DAY_S, 3 });
	made.other = make_cert(&(struct making){ "", "Middle", made.ca, made.ca, "DNS:www.example,DNS:*.example", false, WALL - DAY_S,
	                                         WALL + 90 * DAY_S, 4 });
	made.csr = request_for(made.host, names, ARRAY_LEN(names));
	put_chain(made.chain, sizeof made.chain, made.leaf);
	put_chain(made.false_chain, sizeof made.false_chain, made.other);
}

/* ---- answers ---- */

static void
header(struct acme_answer *a, const char *text)
{
	ASSERT(acme_answer_header(a, text, strlen(text)) == OK);
}

static void
say(struct acme_answer *a, unsigned status, const char *body)
{
	acme_answer_begin(a, status);
	ASSERT(acme_answer_body(a, body, strlen(body)) == OK);
}

/* A piece of the input, as a text. */
static void
piece(char text[PIECE_MAX + 1])
{
	size_t n = cur_u8(&w.in) % PIECE_MAX;
	n = n < cur_left(&w.in) ? n : cur_left(&w.in);
	memcpy(text, cur_left(&w.in) != 0 ? cur_take(&w.in, n) : (const uint8_t *)"", n);
	text[n] = '\0';
}

static void
say_authorization(struct acme_answer *a, const char *path, const char *status)
{
	char body[1024];
	(void)snprintf(body, sizeof body, "{\"status\":\"%s\",\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"},\"challenges\":[{\"type\":\"dns-01\","
	               "\"url\":\"" CA "/chall/1\",\"token\":\"t\"},{\"type\":\"dns-persist-01\",\"url\":\"" CA "/chall/2\",\"issuerDomainNames\":"
	               "[\"ca.example\"]}]}", status, strcmp(path, "/authz/0") == 0 ? "www.example" : "example");
	say(a, 200, body);
}

static void
say_order(struct acme_answer *a, const char *status)
{
	char body[1024];
	(void)snprintf(body, sizeof body, "{\"status\":\"%s\",\"authorizations\":[\"" CA "/authz/0\",\"" CA "/authz/1\"],\"finalize\":\"" CA
	               "/finalize\",\"certificate\":\"" CA "/cert\"}", status);
	say(a, 201, body);
	header(a, "Location: /order/1");
}

/* As RFC 8555 has it, with a status that the input chooses. */
static void
say_well(struct acme_answer *a, const char *path, unsigned how)
{
	static const char *const statuses[] = { "valid", "pending", "processing", "ready", "invalid", "expired", "odd", "valid" };
	const char *status = statuses[how % ARRAY_LEN(statuses)];
	if (strcmp(path, "/dir") == 0) {
		say(a, 200, "{\"newNonce\":\"" CA "/nonce\",\"newAccount\":\"" CA "/account\",\"newOrder\":\"" CA "/order\",\"renewalInfo\":\"" CA
		            "/renewal\",\"meta\":{\"issuerDomainNames\":[\"ca.example\"]}}");
	} else if (strcmp(path, "/account") == 0) {
		say(a, 200, how % 4 == 1 ? "{\"status\":\"revoked\"}" : "{\"status\":\"valid\"}");
		header(a, "Location: /acct/1");
	} else if (strcmp(path, "/acct/1") == 0) {
		say(a, 200, how % 2 == 0 ? "{\"status\":\"valid\",\"contact\":[\"mailto:a@example.org\"]}" : "{\"contact\":7}");
	} else if (strncmp(path, "/authz/", 7) == 0) {
		say_authorization(a, path, status);
	} else if (strncmp(path, "/cert", 5) == 0) {
		say(a, 200, how % 2 == 0 ? made.chain : made.false_chain);
		header(a, "Link: <" CA "/cert/2>;rel=\"alternate\"");
	} else if (strncmp(path, "/renewal", 8) == 0) {
		say(a, 200, "{\"suggestedWindow\":{\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-02T00:00:00Z\"}}");
	} else {
		say_order(a, status);
	}
}

static void
say_problem(struct acme_answer *a, unsigned how)
{
	static const char *const types[] = { "badNonce", "rateLimited", "accountDoesNotExist", "orderNotReady", "malformed", "serverInternal",
		                             "alreadyReplaced", "dns", "userActionRequired", "invalidContact" };
	static const unsigned statuses[] = { 400, 403, 409, 429, 500, 503 };
	char body[256];
	(void)snprintf(body, sizeof body, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\",\"instance\":\"\\n" CA "/agree\"}",
	               types[how % ARRAY_LEN(types)], how % 3 == 0 ? "www.example" : "account");
	say(a, statuses[how / 8 % ARRAY_LEN(statuses)], body);
}

static void
say_piece(struct acme_answer *a)
{
	char body[PIECE_MAX + 1], line[PIECE_MAX + 1];
	piece(body);
	piece(line);
	say(a, 200, body);
	header(a, line);
}

/* The answer to one request, or none. */
static void
end_request(unsigned which)
{
	struct acme_answer a = { 0 };
	uint8_t how = cur_u8(&w.in);
	char path[64];
	uint64_t id = w.ids[which];
	memcpy(path, w.paths[which], sizeof path);
	w.in_flight--;
	w.ids[which] = w.ids[w.in_flight];
	memcpy(w.paths[which], w.paths[w.in_flight], sizeof path);
	if (how % 16 < 10) {
		say_well(&a, path, how / 16);
	} else if (how % 16 < 13) {
		say_problem(&a, cur_u8(&w.in));
	} else if (how % 16 == 13) {
		say_piece(&a);
	} else if (how % 16 == 14) {
		say_well(&a, path, how / 16);
		header(&a, how & 64 ? "Retry-After: 5" : "Retry-After: 100000");
	} else {
		acme_client_on_failure(w.client, &w.now, id, "lost\n\x1B");
		return;
	}
	if (how != 77) {
		header(&a, "Replay-Nonce: abc");
	}
	acme_client_on_answer(w.client, &w.now, id, &a);
	acme_client_on_answer(w.client, &w.now, id, &a); /* it is nobody's any more */
	acme_answer_fini(&a);
}

/* ---- the caller ---- */

static void
take_all(void)
{
	struct acme_request r;
	while (acme_client_take_request(w.client, &w.now, &r)) {
		ASSERT(w.in_flight < ACME_IN_FLIGHT_MAX && ++w.requests <= REQUESTS_MAX);
		ASSERT(acme_url_is_good(r.url) && (r.method == ACME_POST) == (r.body_len != 0));
		(void)snprintf(w.paths[w.in_flight], sizeof w.paths[0], "%s", strncmp(r.url, CA, strlen(CA)) == 0 ? r.url + strlen(CA) : "");
		w.ids[w.in_flight++] = r.id;
	}
}

static void
check_text(const char *text)
{
	for (; *text != '\0'; text++) {
		ASSERT(*text >= ' ' && *text < 0x7F);
	}
}

static void
check_order(struct acme_order *o)
{
	const struct acme_der *chain;
	if (acme_order_state(o) == ACME_ORDER_ISSUED) {
		ASSERT(acme_order_chain(o, &chain) == 2);
		ASSERT(chain[0].len == made.leaf->der_len && memcmp(chain[0].octets, made.leaf->der, chain[0].len) == 0);
	} else if (acme_order_state(o) == ACME_ORDER_FAILED) {
		ASSERT(acme_order_failure(o)->reason[0] != '\0');
		check_text(acme_order_failure(o)->reason);
	}
}

static void
prove(struct acme_order *o, unsigned how)
{
	size_t n = acme_order_proofs_n(o);
	for (size_t i = 0; i < n; i++) {
		const struct acme_proof *p = acme_order_proof(o, i);
		ASSERT(strcmp(p->name, "www.example") == 0 || strcmp(p->name, "example") == 0);
		ASSERT(p->has_dns || p->has_persist);
		if (how % 4 == 0 || i == how % n) {
			acme_order_proven(o, &w.now, i, p->has_persist && (how & 4 || !p->has_dns) ? ACME_WAY_PERSIST : ACME_WAY_DNS);
		}
	}
}

static void
look(void)
{
	for (struct acme_order *o; (o = acme_client_next_order(w.client)) != NULL;) {
		check_order(o);
		if (acme_order_state(o) == ACME_ORDER_PROVE) {
			prove(o, cur_u8(&w.in));
		}
	}
	struct acme_notice notice;
	while (acme_client_next_notice(w.client, &notice)) {
		check_text(notice.text);
	}
	struct acme_renewal *r = acme_client_next_renewal(w.client);
	ASSERT(r == NULL || acme_renewal_answer(r)->retry_s >= ACME_RENEWAL_AGAIN_MIN_S);
}

static void
begin_order(struct acme_order **o, unsigned how)
{
	const struct acme_order_wish wish = { .names = names, .names_n = 2, .csr = made.csr->der, .csr_len = made.csr->der_len,
		                              .replaces = how % 2 == 0 ? "a.b" : NULL };
	if (*o == NULL) {
		ASSERT(acme_order_new(w.client, &w.now, &wish, o) == OK);
	}
}

/* To the next deadline, if there is one. */
static void
pass(void)
{
	uint64_t at_ns = acme_client_deadline(w.client);
	if (at_ns != NOW_NEVER) {
		ASSERT(at_ns > w.now.mono_ns);
		w.now.wall_s += (at_ns - w.now.mono_ns) / NOW_SECOND_NS;
		w.now.mono_ns = at_ns;
		acme_client_timer(w.client, &w.now);
	}
}

static void
act(void)
{
	uint8_t what = cur_u8(&w.in);
	switch (what % 16) {
	case 0:
		acme_order_free(&w.orders[what / 16 % ORDERS]);
		break;
	case 1:
		if (w.renewal == NULL) {
			ASSERT(acme_renewal_new(w.client, &w.now, "a.b", NULL, &w.renewal) == OK);
		} else {
			acme_renewal_free(&w.renewal);
		}
		break;
	case 3:
		acme_client_want_account(w.client, &w.now);
		break;
	case 4:
	case 5:
		pass();
		break;
	default:
		if (w.in_flight != 0) {
			end_request(what / 16 % w.in_flight);
		} else {
			pass();
		}
	}
}

static bool
is_over(void)
{
	for (size_t i = 0; i < ORDERS; i++) {
		if (w.orders[i] != NULL && acme_order_state(w.orders[i]) != ACME_ORDER_ISSUED && acme_order_state(w.orders[i]) != ACME_ORDER_FAILED) {
			return false;
		}
	}
	return true;
}

/* After the input has ended, every request is lost, or answered for ever with "processing": an order ends nevertheless. */
static void
run_out(bool is_lost)
{
	for (unsigned i = 0; !is_over(); i++) {
		ASSERT(i < STEPS_MAX);
		take_all();
		look();
		if (w.in_flight == 0) {
			pass();
			continue;
		}
		struct acme_answer a = { 0 };
		uint64_t id = w.ids[--w.in_flight];
		say_well(&a, w.paths[w.in_flight], 2);
		header(&a, "Replay-Nonce: abc");
		if (is_lost) {
			acme_client_on_failure(w.client, &w.now, id, "");
		} else {
			acme_client_on_answer(w.client, &w.now, id, &a);
		}
		acme_answer_fini(&a);
	}
	look();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_all();
	memset(&w, 0, sizeof w);
	w.in = cur_over(data, size);
	w.now = (struct now){ .mono_ns = 1000 * NOW_SECOND_NS, .wall_s = WALL };
	uint8_t how = cur_u8(&w.in);
	const struct acme_client_conf conf = { .directory = CA "/dir", .key = made.account, .has_agreed = how & 1,
		                               .contact = how & 16 ? "mailto:a@example.org" : NULL,
		                               .preferred_chain = how & 2 ? "Root" : how & 4 ? "None" : NULL };
	ASSERT(acme_client_new(&conf, &w.client) == OK);
	for (size_t i = 0; i < ORDERS; i++) {
		begin_order(&w.orders[i], how >> 3);
	}
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&w.in) != 0; i++) {
		take_all();
		look();
		act();
	}
	run_out(how & 128);
	for (size_t i = 0; i < ORDERS; i++) {
		acme_order_free(&w.orders[i]);
	}
	acme_renewal_free(&w.renewal);
	acme_client_free(&w.client);
	return 0;
}
