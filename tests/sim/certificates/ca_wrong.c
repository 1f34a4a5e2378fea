/* The CA refuses, limits, and talks nonsense. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "certificates.h"

static const char *const problems[] = {
	"accountDoesNotExist", "alreadyReplaced", "alreadyRevoked", "badCSR", "badNonce", "badPublicKey", "badRevocationReason",
	"badSignatureAlgorithm", "caa", "compound", "connection", "dns", "externalAccountRequired", "incorrectResponse", "invalidContact",
	"malformed", "orderNotReady", "rateLimited", "rejectedIdentifier", "serverInternal", "tls", "unauthorized", "unsupportedContact",
	"unsupportedIdentifier", "userActionRequired", "somethingElse",
};

static void
limit(struct world *w, struct acme_answer *a)
{
	bool is_about_host = dice_hits(&w->dice, 400);
	char detail[128];
	(void)snprintf(detail, sizeof detail, "too many orders%s", is_about_host ? " for example" : "");
	if (is_about_host) {
		(void)snprintf(detail, sizeof detail, "too many certificates for h%u.example", dice_unsigned(&w->dice, HOSTS_MAX));
	}
	ca_say_problem(a, dice_hits(&w->dice, 800) ? 429 : 503, "rateLimited", detail);
	if (dice_hits(&w->dice, 800)) {
		ca_say_header(a, "Retry-After: %" PRIu64, dice_between(&w->dice, 1, dice_hits(&w->dice, 700) ? 120 : RETRY_AFTER_MAX_S));
	}
}

bool
ca_refuses(struct world *w, struct acme_answer *a)
{
	static const unsigned statuses[] = { 400, 401, 403, 404, 409, 429, 500, 502, 503 };
	if (world_fault(w, PLAN_CA_LIMITS)) {
		limit(w, a);
		return true;
	}
	if (world_fault(w, PLAN_CA_REFUSES)) {
		ca_say_problem(a, statuses[dice_unsigned(&w->dice, ARRAY_LEN(statuses))],
		               problems[dice_unsigned(&w->dice, ARRAY_LEN(problems))], "not today");
		return true;
	}
	return false;
}

/* ---- nonsense ---- */

static void
cut(struct world *w, struct acme_answer *a)
{
	struct str body = a->body;
	a->body = (struct str){ 0 };
	err_t err = body.len != 0 ? acme_answer_body(a, str_text(&body), dice_below(&w->dice, body.len)) : OK;
	ASSERT(err == OK);
	str_fini(&body);
}

static void
replace(struct world *w, struct acme_answer *a)
{
	static const char *const bodies[] = {
		"", "{}", "[]", "<html>502 Bad Gateway</html>", "{\"status\":\"frobnicated\"}", "{\"status\":\"valid\"}",
		"{\"status\":\"valid\",\"certificate\":\"https://elsewhere.example/cert\"}", "{\"status\":\"ready\"}",
		"{\"status\":\"pending\",\"authorizations\":[],\"finalize\":\"" CA_URL "/finalize/1\"}",
		"{\"status\":\"pending\",\"authorizations\":[\"" CA_URL "/proof/1\"],\"finalize\":\"" CA_URL "/finalize/1\"}",
		"{\"status\":\"processing\"}", "{\"status\":\"invalid\"}", "{\"status\":\"deactivated\"}",
		"{\"newNonce\":\"" CA_URL "/nonce\"}",
		"{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"elsewhere.example\"},\"challenges\":[]}",
		"{\"suggestedWindow\":{\"start\":\"2020-01-01T00:00:00Z\",\"end\":\"2019-01-01T00:00:00Z\"}}",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
	};
	ca_say(a, a->status, bodies[dice_unsigned(&w->dice, ARRAY_LEN(bodies))]);
}

static void
nest(struct acme_answer *a)
{
	acme_answer_begin(a, 200);
	for (unsigned i = 0; i < 2000; i++) {
		err_t err = acme_answer_body(a, "{\"a\":[", 6);
		ASSERT(err == OK);
	}
}

/* Until whoever receives it has enough: such an answer has status 0 here, and is none. */
static void
go_on_for_ever(struct acme_answer *a)
{
	static const char spaces[4096] = { [0 ... 4095] = ' ' };
	while (acme_answer_body(a, spaces, sizeof spaces) == OK) {
	}
	acme_answer_begin(a, 0);
}

void
ca_spoil(struct world *w, struct acme_answer *a)
{
	static const unsigned statuses[] = { 100, 200, 201, 204, 206, 301, 400, 404, 418, 500, 599 };
	if (!world_fault(w, PLAN_CA_BABBLES)) {
		return;
	}
	world_log(w, "the CA talks nonsense");
	switch (dice_unsigned(&w->dice, 7)) {
	case 0: cut(w, a); break;
	case 1: replace(w, a); break;
	case 2: nest(a); break;
	case 3: go_on_for_ever(a); break;
	case 4: a->status = statuses[dice_unsigned(&w->dice, ARRAY_LEN(statuses))]; break;
	case 5: a->location[0] = a->nonce[0] = '\0'; break;
	default: ca_say_header(a, "Retry-After: %" PRIu64, dice_between(&w->dice, 0, RETRY_AFTER_MAX_S)); break;
	}
}
