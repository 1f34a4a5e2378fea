#include "crypto/csr.h"

#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "crypto/drop_p.h"
#include "crypto/pkey_p.h"

static void
req_drop(X509_REQ **r)
{
	X509_REQ_free(*r);
}

static void
extensions_drop(X509_EXTENSIONS **e)
{
	sk_X509_EXTENSION_pop_free(*e, X509_EXTENSION_free);
}

/* ---- making ---- */

static GENERAL_NAME *
general_name(const char *name)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	if (g == NULL || text == NULL || ASN1_STRING_set(text, name, -1) != 1) {
		GENERAL_NAME_free(g);
		ASN1_IA5STRING_free(text);
		return NULL;
	}
	GENERAL_NAME_set0_value(g, GEN_DNS, text);
	return g;
}

static err_t
put_names(X509_REQ *req, const struct host_names *names)
{
	[[gnu::cleanup(names_drop)]] GENERAL_NAMES *list = GENERAL_NAMES_new();
	[[gnu::cleanup(extensions_drop)]] X509_EXTENSIONS *extensions = NULL;
	for (size_t i = 0; i < names->n; i++) {
		GENERAL_NAME *g = general_name(names->name[i]);
		if (list == NULL || g == NULL || sk_GENERAL_NAME_push(list, g) <= 0) {
			GENERAL_NAME_free(g);
			return E_NOMEM;
		}
	}
	bool is_put = X509V3_add1_i2d(&extensions, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1 &&
	              X509_REQ_add_extensions(req, extensions) == 1;
	return is_put ? OK : E_CRYPTO;
}

err_t
csr_make(const struct pkey *key, const struct host_names *names, struct buf *der)
{
	unsigned char *made = NULL;
	[[gnu::cleanup(req_drop)]] X509_REQ *req = X509_REQ_new();
	if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 || X509_REQ_set_pubkey(req, key->evp) != 1) {
		return E_CRYPTO;
	}
	TRY(put_names(req, names));
	int n = X509_REQ_sign(req, key->evp, pkey_digest(key)) > 0 ? i2d_X509_REQ(req, &made) : 0;
	if (n <= 0) {
		return E_CRYPTO;
	}
	buf_put(der, made, (size_t)n);
	OPENSSL_free(made);
	return der->err;
}

/* ---- reading ---- */

static err_t
add_name(struct csr *c, const ASN1_STRING *text)
{
	err_t err = host_names_add(&c->names, (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
	return err == E_FORMAT ? E_UNSUPPORTED : err;
}

static err_t
read_common_names(struct csr *c, const X509_REQ *req)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);
	for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
		TRY(add_name(c, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
	}
	return OK;
}

static err_t
read_alt_names(struct csr *c, X509_REQ *req)
{
	int why = 0;
	[[gnu::cleanup(extensions_drop)]] X509_EXTENSIONS *extensions = X509_REQ_get_extensions(req);
	[[gnu::cleanup(names_drop)]] GENERAL_NAMES *list = X509V3_get_d2i(extensions, NID_subject_alt_name, &why, NULL);
	if (list == NULL) {
		return extensions == NULL || why == -1 ? OK : E_FORMAT; /* -1: there is none */
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		int kind;
		void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &kind);
		if (kind != GEN_DNS) {
			return E_UNSUPPORTED;
		}
		TRY(add_name(c, value));
	}
	return OK;
}

static err_t
read_key(struct csr *c, X509_REQ *req)
{
	EVP_PKEY *evp = X509_REQ_get0_pubkey(req);
	if (evp == NULL) {
		return E_UNSUPPORTED;
	}
	TRY(EVP_PKEY_up_ref(evp) == 1 ? pkey_take(evp, &c->key) : E_CRYPTO);
	return X509_REQ_verify(req, evp) == 1 ? OK : E_AUTH;
}

static err_t
fill(struct csr *c, X509_REQ *req)
{
	TRY(read_common_names(c, req));
	TRY(read_alt_names(c, req));
	TRY(c->names.n == 0 ? E_NOTFOUND : OK);
	return read_key(c, req);
}

err_t
csr_read(const uint8_t *der, size_t len, struct csr **out)
{
	const unsigned char *at = der;
	if (len > CSR_DER_MAX) {
		return E_LIMIT;
	}
	[[gnu::cleanup(req_drop)]] X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)len);
	if (req == NULL || at != der + len) {
		return E_FORMAT;
	}
	[[gnu::cleanup(csr_free)]] struct csr *c = try_alloc(sizeof *c);
	uint8_t *copy = try_alloc(len);
	if (c == NULL || copy == NULL) {
		free_ptr(&copy);
		return E_NOMEM;
	}
	memcpy(copy, der, len);
	c->der = copy;
	c->der_len = len;
	TRY(fill(c, req));
	*out = c;
	c = NULL;
	return OK;
}

void
csr_free(struct csr **c)
{
	if (*c != NULL) {
		pkey_free(&(*c)->key);
		free_ptr(&(*c)->der);
		free_ptr(c);
	}
}
