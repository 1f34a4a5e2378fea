#include "acme/persist.h"

#include <string.h>

#include "acme/jws.h"
#include "acme/span.h"
#include "base/enc.h"
#include "crypto/hmac.h"
#include "crypto/sha.h"

enum { NAME_MAX = 253, URI_MAX = 2048, TXT_STRING_MAX = 255 };

bool
acme_persist_is_issuer(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > NAME_MAX || text[0] == '.' || text[len - 1] == '.') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && text[i - 1] != '.');
		if (!is_good) {
			return false;
		}
	}
	return true;
}

/* accounturi: the account itself, or H(length || domain || thumbprint || account) below the CA's prefix (section 4.1). */
static err_t
put_account(const struct acme_persist *p, const char *domain, struct str *out)
{
	if (p->hash_prefix == NULL) {
		str_cat(out, p->account);
		return out->err;
	}
	uint8_t digest[SHA256_LEN];
	struct str input = { 0 };
	str_char(&input, (char)strlen(domain));
	str_printf(&input, "%s%s%s", domain, p->thumbprint, p->account);
	err_t err = input.err == OK ? sha256(input.s, input.len, "", 0, digest) : input.err;
	str_fini(&input);
	if (err == OK) {
		str_printf(out, "%ssha-256/", p->hash_prefix);
		acme_put_base64url(out, digest, sizeof digest);
		err = out->err;
	}
	return err;
}

err_t
acme_persist_print(const struct acme_persist *p, const char *name, bool is_wildcard, struct str *out)
{
	if (p->issuers_n == 0 || p->account == NULL || strlen(name) > NAME_MAX) {
		return E_NOTFOUND;
	}
	str_printf(out, "%s; accounturi=", p->issuers[0]);
	TRY(put_account(p, name, out));
	str_cat(out, is_wildcard ? "; policy=wildcard" : "");
	return out->err;
}

err_t
acme_persist_print_line(const struct acme_persist *p, const char *name, bool is_wildcard, struct str *out)
{
	struct str text = { 0 };
	err_t err = acme_persist_print(p, name, is_wildcard, &text);
	if (err == OK) {
		str_printf(out, "_validation-persist.%s. 3600 TXT", name);
		for (const char *part = str_text(&text); *part != '\0'; part += strnlen(part, TXT_STRING_MAX)) {
			str_printf(out, " \"%.*s\"", (int)TXT_STRING_MAX, part);
		}
		str_char(out, '\n');
		err = out->err;
	}
	str_fini(&text);
	return err;
}

/* ---- reading ---- */

static const char BLANKS[] = " \t";

/* All up to the next semicolon, which is passed; false: there is nothing left. */
static bool
next_part(const char **at, struct span *out)
{
	if (*at == NULL) {
		return false;
	}
	size_t n = strcspn(*at, ";");
	*out = span_trim((struct span){ *at, n }, BLANKS);
	*at = (*at)[n] == ';' ? *at + n + 1 : NULL;
	return true;
}

/* The parameters that mean something, each empty (s == NULL) if it is not there. */
struct parameters {
	struct span account, policy, until;
};

/* "tag=value" (RFC 8659 4.2): letters, digits and hyphens, then visible characters. */
static bool
is_parameter(struct span t, struct span *tag, struct span *value)
{
	const char *equals = memchr(t.s, '=', t.len);
	if (equals == NULL) {
		return false;
	}
	*tag = span_trim((struct span){ t.s, (size_t)(equals - t.s) }, BLANKS);
	*value = span_trim((struct span){ equals + 1, t.len - (size_t)(equals - t.s) - 1 }, BLANKS);
	for (size_t i = 0; i < value->len; i++) {
		if (value->s[i] <= ' ' || value->s[i] >= 0x7F) {
			return false;
		}
	}
	return tag->len != 0;
}

/* False: the text is malformed. */
static bool
take_parameter(struct span part, struct parameters *out)
{
	struct span tag, value, *to = NULL;
	if (!is_parameter(part, &tag, &value)) {
		return false;
	}
	to = span_is_caseless(tag, "accounturi") ? &out->account
	     : span_is_caseless(tag, "policy")   ? &out->policy
	     : span_is_caseless(tag, "persistUntil") ? &out->until : NULL;
	if (to == NULL) {
		return true; /* one that we do not know */
	}
	if (to->s != NULL) {
		return false;
	}
	*to = value;
	return true;
}

static bool
is_issuer(const struct acme_persist *p, struct span issuer)
{
	for (size_t i = 0; i < p->issuers_n; i++) {
		if (span_is_caseless(issuer, p->issuers[i])) {
			return true;
		}
	}
	return false;
}

/* For this domain, or for any ("*"). */
static bool
is_account(const struct acme_persist *p, const char *name, struct span account)
{
	const char *const domains[] = { name, "*" };
	bool is_same = false;
	for (size_t i = 0; i < 2 && !is_same; i++) {
		struct str want = { 0 };
		is_same = put_account(p, domains[i], &want) == OK && span_is(account, str_text(&want));
		str_fini(&want);
	}
	return is_same;
}

static bool
is_over(struct span until, uint64_t wall_s)
{
	uint64_t v = 0;
	for (size_t i = 0; i < until.len; i++) {
		if (until.s[i] < '0' || until.s[i] > '9' || i == 18) {
			return true;
		}
		v = v * 10 + (uint64_t)(until.s[i] - '0');
	}
	return until.len == 0 || v < wall_s;
}

bool
acme_persist_is_proof(const struct acme_persist *p, const char *name, bool is_wildcard, uint64_t wall_s, const char *text)
{
	struct parameters found = { 0 };
	struct span part;
	const char *at = text;
	if (p->account == NULL || strlen(name) > NAME_MAX || strlen(text) > URI_MAX || !next_part(&at, &part) || !is_issuer(p, part)) {
		return false;
	}
	while (next_part(&at, &part)) {
		if (part.len == 0 ? at != NULL : !take_parameter(part, &found)) {
			return false;
		}
	}
	return found.account.s != NULL && is_account(p, name, found.account) && (found.until.s == NULL || !is_over(found.until, wall_s)) &&
	       (!is_wildcard || (found.policy.s != NULL && span_is_caseless(found.policy, "wildcard")));
}
