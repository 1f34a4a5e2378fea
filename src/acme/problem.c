#include "acme/problem.h"

#include <stdio.h>
#include <string.h>

#include "acme/http.h"
#include "acme/json.h"

static const char urn[] = "urn:ietf:params:acme:error:";

static const char *const names[ACME_PROBLEM_KINDS] = {
	[ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST] = "accountDoesNotExist",
	[ACME_PROBLEM_ALREADY_REPLACED] = "alreadyReplaced",
	[ACME_PROBLEM_ALREADY_REVOKED] = "alreadyRevoked",
	[ACME_PROBLEM_BAD_CSR] = "badCSR",
	[ACME_PROBLEM_BAD_NONCE] = "badNonce",
	[ACME_PROBLEM_BAD_PUBLIC_KEY] = "badPublicKey",
	[ACME_PROBLEM_BAD_REVOCATION_REASON] = "badRevocationReason",
	[ACME_PROBLEM_BAD_SIGNATURE_ALGORITHM] = "badSignatureAlgorithm",
	[ACME_PROBLEM_CAA] = "caa",
	[ACME_PROBLEM_COMPOUND] = "compound",
	[ACME_PROBLEM_CONFLICT] = "conflict",
	[ACME_PROBLEM_CONNECTION] = "connection",
	[ACME_PROBLEM_DNS] = "dns",
	[ACME_PROBLEM_EXTERNAL_ACCOUNT_REQUIRED] = "externalAccountRequired",
	[ACME_PROBLEM_INCORRECT_RESPONSE] = "incorrectResponse",
	[ACME_PROBLEM_INVALID_CONTACT] = "invalidContact",
	[ACME_PROBLEM_INVALID_PROFILE] = "invalidProfile",
	[ACME_PROBLEM_MALFORMED] = "malformed",
	[ACME_PROBLEM_ORDER_NOT_READY] = "orderNotReady",
	[ACME_PROBLEM_RATE_LIMITED] = "rateLimited",
	[ACME_PROBLEM_REJECTED_IDENTIFIER] = "rejectedIdentifier",
	[ACME_PROBLEM_SERVER_INTERNAL] = "serverInternal",
	[ACME_PROBLEM_TLS] = "tls",
	[ACME_PROBLEM_UNAUTHORIZED] = "unauthorized",
	[ACME_PROBLEM_UNSUPPORTED_CONTACT] = "unsupportedContact",
	[ACME_PROBLEM_UNSUPPORTED_IDENTIFIER] = "unsupportedIdentifier",
	[ACME_PROBLEM_USER_ACTION_REQUIRED] = "userActionRequired",
};

void
acme_put_plain(struct str *out, const char *text, size_t max)
{
	for (; *text != '\0' && max > 0; text++, max--) {
		str_char(out, *text >= ' ' && *text < 0x7F ? *text : '?');
	}
}

/* The type without its prefix, if it has it. */
static const char *
short_type(const struct json_t *problem)
{
	const char *type = acme_json_text(problem, "type");
	if (type == NULL) {
		return "";
	}
	return strncmp(type, urn, sizeof urn - 1) == 0 ? type + sizeof urn - 1 : type;
}

static enum acme_problem_kind
kind_of(const struct json_t *problem)
{
	const char *type = acme_json_text(problem, "type");
	if (type == NULL || strncmp(type, urn, sizeof urn - 1) != 0) {
		return ACME_PROBLEM_OTHER;
	}
	for (unsigned i = ACME_PROBLEM_OTHER + 1; i < ACME_PROBLEM_KINDS; i++) {
		if (strcmp(type + sizeof urn - 1, names[i]) == 0) {
			return i;
		}
	}
	return ACME_PROBLEM_OTHER;
}

/* "type: detail", or what there is of them. */
static void
put_one(struct str *out, const struct json_t *problem)
{
	const char *type = short_type(problem), *detail = acme_json_text(problem, "detail");
	detail = detail != NULL ? detail : acme_json_text(problem, "title");
	acme_put_plain(out, type, ACME_PROBLEM_LINE_MAX);
	if (type[0] != '\0' && detail != NULL) {
		str_cat(out, ": ");
	}
	acme_put_plain(out, detail != NULL ? detail : "", ACME_PROBLEM_LINE_MAX);
}

/* " (name: type: detail; …)" */
static void
put_parts(struct str *out, const struct json_t *problem, bool *has_names)
{
	const struct json_t *parts = acme_json_array(problem, "subproblems");
	size_t n = acme_json_n(parts);
	for (size_t i = 0; i < n && i < ACME_PROBLEM_PARTS_MAX; i++) {
		const struct json_t *part = acme_json_item(parts, i);
		const char *name = acme_json_text(acme_json_object(part, "identifier"), "value");
		str_cat(out, i == 0 ? " (" : "; ");
		if (name != NULL) {
			*has_names = true;
			acme_put_plain(out, name, 255);
			str_cat(out, ": ");
		}
		put_one(out, part);
	}
	str_cat(out, n > ACME_PROBLEM_PARTS_MAX ? "; ...)" : n != 0 ? ")" : "");
}

/* RFC 8555 6.2: which algorithms the CA takes instead. */
static void
put_algorithms(struct str *out, const struct json_t *problem)
{
	const struct json_t *algorithms = acme_json_array(problem, "algorithms");
	for (size_t i = 0; i < acme_json_n(algorithms) && i < ACME_PROBLEM_PARTS_MAX; i++) {
		const char *name = acme_json_item_text(algorithms, i);
		str_cat(out, i == 0 ? "; accepted: " : ", ");
		acme_put_plain(out, name != NULL ? name : "?", 32);
	}
}

/* RFC 8555 7.3.3: where a person can do it. */
static void
put_instance(struct str *out, const struct json_t *problem)
{
	const char *url = acme_json_text(problem, "instance");
	if (url != NULL && kind_of(problem) == ACME_PROBLEM_USER_ACTION_REQUIRED) {
		str_cat(out, "; to be done at ");
		acme_put_plain(out, url, ACME_URL_MAX);
	}
}

static void
keep_line(struct str *line, struct acme_problem *out)
{
	(void)snprintf(out->line, sizeof out->line, "%s", str_text(line));
	if (line->len > ACME_PROBLEM_LINE_MAX) {
		memcpy(out->line + ACME_PROBLEM_LINE_MAX - 3, "...", 3);
	}
	str_fini(line);
}

void
acme_problem_of(const struct json_t *object, struct acme_problem *out)
{
	struct str line = { 0 };
	*out = (struct acme_problem){ .kind = kind_of(object) };
	put_one(&line, object);
	put_parts(&line, object, &out->has_names);
	put_algorithms(&line, object);
	put_instance(&line, object);
	if (line.len == 0) {
		str_cat(&line, "no reason given");
	}
	keep_line(&line, out);
}

void
acme_problem_read(unsigned status, const char *body, size_t len, struct acme_problem *out)
{
	struct json_t *json = NULL;
	struct str line = { 0 };
	if (acme_json_read(body, len, &json) == OK && (acme_json_text(json, "type") != NULL || acme_json_text(json, "detail") != NULL)) {
		acme_problem_of(json, out);
	} else {
		*out = (struct acme_problem){ 0 };
		str_printf(&line, "HTTP status %u without a reason", status);
		keep_line(&line, out);
	}
	acme_json_free(&json);
}
