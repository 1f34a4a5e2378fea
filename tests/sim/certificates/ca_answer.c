/* What the CA says when all is well, and the form of problems. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certificates.h"

enum { BODY_MAX = 4096, HEADER_MAX = 512 };

void
ca_say(struct acme_answer *a, unsigned status, const char *body)
{
	acme_answer_begin(a, status);
	err_t err = acme_answer_body(a, body, strlen(body));
	ASSERT(err == OK);
}

void
ca_say_header(struct acme_answer *a, const char *format, ...)
{
	char line[HEADER_MAX];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	err_t err = acme_answer_header(a, line, (size_t)n);
	ASSERT(err == OK);
}

void
ca_say_problem(struct acme_answer *a, unsigned status, const char *type, const char *detail)
{
	char body[BODY_MAX];
	(void)snprintf(body, sizeof body, "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"%s\"}", type, detail);
	ca_say(a, status, body);
}

void
ca_say_directory(const struct world *w, struct acme_answer *a)
{
	char body[BODY_MAX];
	(void)snprintf(body, sizeof body, "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/account\",\"newOrder\":\"" CA_URL
	               "/order\"%s}", w->plan->has_window ? ",\"renewalInfo\":\"" CA_URL "/window\"" : "");
	ca_say(a, 200, body);
}

/* ---- orders ---- */

static const struct ca_proof *
proof_of(const struct ca *ca, unsigned number)
{
	const struct ca_proof *p = &ca->proofs[number % CA_PROOFS_MAX];
	return p->number == number ? p : NULL;
}

/* RFC 8555 7.1.6 */
static const char *
status_of(const struct world *w, const struct ca_order *o)
{
	bool is_ready = true;
	if (o->is_finalized) {
		return w->now_ns >= o->done_ns ? "valid" : "processing";
	}
	for (size_t i = 0; i < o->n; i++) {
		const struct ca_proof *p = proof_of(&w->ca, o->proofs[i]);
		if (p == NULL || p->state == CA_INVALID) {
			return "invalid";
		}
		is_ready &= p->state == CA_VALID;
	}
	return is_ready ? "ready" : "pending";
}

void
ca_say_order(const struct world *w, struct acme_answer *a, unsigned status, const struct ca_order *o)
{
	struct str body = { 0 };
	const char *text = status_of(w, o);
	str_printf(&body, "{\"status\":\"%s\",\"finalize\":\"" CA_URL "/finalize/%u\",\"authorizations\":[", text, o->number);
	for (size_t i = 0; i < o->n; i++) {
		str_printf(&body, "%s\"" CA_URL "/proof/%u\"", i == 0 ? "" : ",", o->proofs[i]);
	}
	str_cat(&body, "]");
	if (strcmp(text, "valid") == 0) {
		str_printf(&body, ",\"certificate\":\"" CA_URL "/cert/%u\"", o->cert);
	} else if (strcmp(text, "invalid") == 0) {
		str_cat(&body, ",\"error\":{\"type\":\"urn:ietf:params:acme:error:unauthorized\",\"detail\":\"a proof was not found\"}");
	}
	str_cat(&body, "}");
	ca_say(a, status, str_text(&body));
	ca_say_header(a, "Location: " CA_URL "/order/%u", o->number);
	str_fini(&body);
}

void
ca_say_proof(const struct world *w, struct acme_answer *a, const struct ca_proof *p)
{
	static const char *const states[] = { [CA_PENDING] = "pending", [CA_VALID] = "valid", [CA_INVALID] = "invalid" };
	char body[BODY_MAX], lasting[HEADER_MAX] = "";
	if (w->plan->has_lasting) {
		(void)snprintf(lasting, sizeof lasting, "{\"type\":\"dns-persist-01\",\"url\":\"" CA_URL "/lasting/%u\",\"issuerDomainNames\":[\""
		               CA_ISSUER "\"],\"status\":\"%s\"},", p->number, states[p->state]);
	}
	(void)snprintf(body, sizeof body, "{\"status\":\"%s\",\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"}%s,\"challenges\":["
	               "{\"type\":\"http-01\",\"url\":\"" CA_URL "/http/%u\",\"token\":\"%s\",\"status\":\"pending\"},%s"
	               "{\"type\":\"dns-01\",\"url\":\"" CA_URL "/tell/%u\",\"token\":\"%s\",\"status\":\"%s\"%s}]}",
	               states[p->state], p->name, p->is_wildcard ? ",\"wildcard\":true" : "", p->number, p->token, lasting,
	               p->number, p->token, states[p->state], p->state == CA_INVALID ?
	               ",\"error\":{\"type\":\"urn:ietf:params:acme:error:incorrectResponse\",\"detail\":\"no such record\"}" : "");
	ca_say(a, 200, body);
}

/* ---- renewal ---- */

/* The tenth of the lifetime that begins with four tenths left (RFC 9773 4.2). */
void
ca_say_window(struct acme_answer *a, const struct ca_cert *c)
{
	char body[BODY_MAX], from[REMARK_TIME_TEXT_MAX], until[REMARK_TIME_TEXT_MAX];
	uint64_t tenth_s = (c->not_after_s - c->not_before_s) / 10;
	remark_print_time(c->not_after_s - 4 * tenth_s, from);
	remark_print_time(c->not_after_s - 3 * tenth_s, until);
	(void)snprintf(body, sizeof body, "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}}", from, until);
	ca_say(a, 200, body);
	ca_say_header(a, "Retry-After: 21600");
}
