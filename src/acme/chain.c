#include "acme/chain.h"

void
acme_chain_fini(struct acme_chain *c)
{
	for (size_t i = 0; i < c->n; i++) {
		cert_free(&c->certs[i]);
	}
	*c = (struct acme_chain){ 0 };
}

static bool
has_all_names(const struct cert *leaf, const struct acme_chain_wish *wish)
{
	for (size_t i = 0; i < wish->names_n; i++) {
		if (!host_names_has(&leaf->names, wish->names[i])) {
			return false;
		}
	}
	return true;
}

static bool
is_signed_upwards(const struct acme_chain *c)
{
	for (size_t i = 0; i + 1 < c->n; i++) {
		if (!cert_is_issued_by(c->certs[i], c->certs[i + 1])) {
			return false;
		}
	}
	return true;
}

static const char *
fault_of_time(const struct acme_chain *c, int64_t now_s)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->certs[i]->not_after_s <= now_s) {
			return i == 0 ? "the certificate has expired already" : "a certificate of its chain has expired already";
		}
		if (c->certs[i]->not_before_s > now_s + ACME_CLOCK_SKEW_S) {
			return i == 0 ? "the certificate is not valid yet" : "a certificate of its chain is not valid yet";
		}
	}
	return NULL;
}

/* What is wrong with the chain; NULL: nothing is. */
static const char *
fault_of(const struct acme_chain *c, const struct acme_chain_wish *wish)
{
	const struct cert *leaf = c->certs[0];
	if (leaf->key == NULL || !pkey_is_equal(leaf->key, wish->key)) {
		return "the certificate has another public key than the signing request";
	}
	if (!has_all_names(leaf, wish)) {
		return "the certificate lacks a name of the signing request";
	}
	if (leaf->is_ca) {
		return "the certificate is one of a CA";
	}
	const char *fault = fault_of_time(c, (int64_t)wish->now_s);
	if (fault != NULL) {
		return fault;
	}
	return is_signed_upwards(c) ? NULL : "the chain is none: a certificate is not signed by the next one";
}

err_t
acme_chain_read(const struct acme_chain_wish *wish, const char *pem, size_t len, struct acme_chain *out, const char **why)
{
	struct acme_chain c = { 0 };
	err_t err = certs_read_pem(pem, len, c.certs, ACME_CHAIN_CERTS_MAX, &c.n);
	const char *fault = err == OK ? fault_of(&c, wish) : NULL;
	if (fault != NULL) {
		*why = fault;
		err = E_AUTH;
	}
	if (err != OK) {
		acme_chain_fini(&c);
		return err;
	}
	*out = c;
	return OK;
}
