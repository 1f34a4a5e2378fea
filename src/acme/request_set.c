#include "acme/request_set.h"

#include <string.h>

enum { LASTING_S = 86400 };

#define LABEL(text) { sizeof(text) - 1, text }

struct prefix {
	uint8_t len;
	char text[22];
};

static const struct prefix letsencrypt[] = { LABEL("_letsencrypt"), LABEL("_tcp") };
static const struct prefix status[] = { LABEL("_status"), LABEL("_letsencrypt"), LABEL("_tcp") };
static const struct prefix challenge[] = { LABEL("_acme-challenge") };
static const struct prefix persist[] = { LABEL("_validation-persist") };

/* ---- names ---- */

static err_t
put_before(const struct prefix *labels, size_t n, const uint8_t *name, struct name *out)
{
	struct name made = { .len = 0 };
	size_t rest = name_len(name);
	for (size_t i = 0; i < n; i++) {
		made.oct[made.len] = labels[i].len;
		memcpy(made.oct + made.len + 1, labels[i].text, labels[i].len);
		made.len = (uint8_t)(made.len + 1 + labels[i].len);
	}
	if (made.len + rest > NAME_WIRE_MAX) {
		return E_NAMELEN;
	}
	memcpy(made.oct + made.len, name, rest);
	made.len = (uint8_t)(made.len + rest);
	*out = made;
	return OK;
}

static const uint8_t *
without_wildcard(const uint8_t *name)
{
	return name_is_wildcard(name) ? name_parent(name) : name;
}

err_t
acme_tlsa_name(const uint8_t *host, struct name *out)
{
	return put_before(letsencrypt, ARRAY_LEN(letsencrypt), host, out);
}

err_t
acme_status_name(const uint8_t *host, struct name *out)
{
	return put_before(status, ARRAY_LEN(status), host, out);
}

err_t
acme_challenge_name(const uint8_t *name, struct name *out)
{
	return put_before(challenge, ARRAY_LEN(challenge), without_wildcard(name), out);
}

err_t
acme_persist_name(const uint8_t *name, struct name *out)
{
	return put_before(persist, ARRAY_LEN(persist), without_wildcard(name), out);
}

static bool
is_label(const uint8_t *label, const struct prefix *p)
{
	if (label[0] != p->len) {
		return false;
	}
	for (size_t i = 0; i < p->len; i++) {
		if (octet_lower(label[1 + i]) != (uint8_t)p->text[i]) {
			return false;
		}
	}
	return true;
}

const uint8_t *
acme_tlsa_host(const uint8_t *owner)
{
	for (size_t i = 0; i < ARRAY_LEN(letsencrypt); i++) {
		if (!is_label(owner, &letsencrypt[i])) {
			return NULL;
		}
		owner = name_parent(owner);
	}
	return owner;
}

/* ---- records ---- */

enum acme_use
acme_tlsa_use(const uint8_t *rdata, size_t len)
{
	static const struct {
		uint8_t head[ACME_DER_AT]; /* usage, selector, matching type (RFC 6698 2.1) */
		enum acme_use use;
	} uses[] = { { { 3, 255, 0 }, ACME_REQUEST }, { { 3, 0, 0 }, ACME_CERT }, { { 0, 0, 0 }, ACME_CHAIN } };
	for (size_t i = 0; i < ARRAY_LEN(uses) && len > ACME_DER_AT; i++) {
		if (memcmp(rdata, uses[i].head, ACME_DER_AT) == 0) {
			return uses[i].use;
		}
	}
	return ACME_OTHER;
}

/* ---- sets ---- */

static void
add_request(struct acme_set *s, const uint8_t *der, size_t len)
{
	struct csr *c = NULL;
	err_t err = csr_read(der, len, &c);
	s->requests_n++;
	csr_free(&s->request); /* with several, nobody knows which one is meant */
	if (err != OK) {
		s->request_err = err;
	} else if (s->requests_n == 1) {
		s->request = c;
	} else {
		csr_free(&c);
	}
}

static void
add_cert(struct acme_set *s, struct cert **list, size_t cap, size_t *n, const uint8_t *der, size_t len)
{
	if (*n < cap && cert_read(der, len, &list[*n]) == OK) {
		(*n)++;
	} else {
		s->left_out_n++;
	}
}

void
acme_set_add(struct acme_set *s, const uint8_t *rdata, size_t len)
{
	const uint8_t *der = rdata + ACME_DER_AT;
	switch (acme_tlsa_use(rdata, len)) {
	case ACME_REQUEST:
		add_request(s, der, len - ACME_DER_AT);
		break;
	case ACME_CERT:
		add_cert(s, s->cert, ACME_CERTS_MAX, &s->cert_n, der, len - ACME_DER_AT);
		break;
	case ACME_CHAIN:
		add_cert(s, s->chain, ACME_CHAIN_RECORDS_MAX, &s->chain_n, der, len - ACME_DER_AT);
		break;
	case ACME_OTHER:
		break;
	}
}

void
acme_set_fini(struct acme_set *s)
{
	csr_free(&s->request);
	for (size_t i = 0; i < s->cert_n; i++) {
		cert_free(&s->cert[i]);
	}
	for (size_t i = 0; i < s->chain_n; i++) {
		cert_free(&s->chain[i]);
	}
	*s = (struct acme_set){ 0 };
}

bool
acme_cert_fits(const struct cert *c, const struct csr *request, struct acme_span valid)
{
	return c->not_before_s <= valid.from_s && c->not_after_s >= valid.until_s && c->key != NULL &&
	       pkey_is_equal(c->key, request->key) && host_names_are_within(&request->names, &c->names);
}

const struct cert *
acme_set_find(const struct acme_set *s, const struct csr *request, struct acme_span valid)
{
	const struct cert *best = NULL;
	for (size_t i = 0; i < s->cert_n; i++) {
		const struct cert *c = s->cert[i];
		if (acme_cert_fits(c, request, valid) && (best == NULL || c->not_after_s > best->not_after_s)) {
			best = c;
		}
	}
	return best;
}

static bool
is_lasting(const struct cert *c, int64_t now_s)
{
	int64_t quarter_s = (c->not_after_s - c->not_before_s) / 4;
	return c->not_after_s - now_s >= (quarter_s < LASTING_S ? quarter_s : LASTING_S);
}

size_t
acme_set_find_lasting(const struct acme_set *s, const struct csr *request, int64_t now_s, const struct cert *out[ACME_CERTS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < s->cert_n; i++) {
		const struct cert *c = s->cert[i];
		if (!acme_cert_fits(c, request, (struct acme_span){ now_s, now_s }) || !is_lasting(c, now_s)) {
			continue;
		}
		size_t at = n++;
		for (; at > 0 && out[at - 1]->not_after_s < c->not_after_s; at--) {
			out[at] = out[at - 1];
		}
		out[at] = c;
	}
	return n;
}

bool
acme_request_is_same(const struct csr *a, const struct csr *b)
{
	return pkey_is_equal(a->key, b->key) && a->names.n == b->names.n && host_names_are_within(&a->names, &b->names);
}

const char *
acme_request_outside(const struct csr *request, const uint8_t *host)
{
	for (size_t i = 0; i < request->names.n; i++) {
		const char *text = request->names.name[i];
		struct name n;
		if (name_parse(text, strlen(text), NULL, &n) != OK || !name_is_within(without_wildcard(n.oct), host)) {
			return text;
		}
	}
	return NULL;
}
