/* tests/unit/certificates.h -- makes certificates for tests. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/csr.h"
#include "crypto/x509.h"

static inline struct pkey *
key_of(enum pkey_kind kind, const char *seed)
{
	struct pkey *k = NULL;
	assert_int_equal(pkey_from_seed(kind, 2048, (const uint8_t *)seed, strlen(seed), &k), OK);
	return k;
}

static inline EVP_PKEY *
evp_of(const struct pkey *k)
{
	uint8_t pem[PKEY_PEM_MAX];
	struct buf b = buf_over(pem, sizeof pem);
	assert_int_equal(pkey_to_pem(k, &b), OK);
	BIO *in = BIO_new_mem_buf(pem, (int)b.len);
	EVP_PKEY *evp = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	assert_non_null(evp);
	return evp;
}

static inline struct csr *
request_for(const struct pkey *k, const char *const *names, size_t n)
{
	static uint8_t der[CSR_DER_MAX];
	struct buf b = buf_over(der, sizeof der);
	struct csr *c = NULL;
	struct host_names *list = calloc(1, sizeof *list);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(host_names_add(list, names[i], strlen(names[i])), OK);
	}
	assert_int_equal(csr_make(k, list, &b), OK);
	assert_int_equal(csr_read(der, b.len, &c), OK);
	free(list);
	return c;
}

struct making {
	const char *subject, *issuer;
	const struct pkey *key, *signer;
	const char *alt_names; /* "DNS:a.example,DNS:*.a.example"; NULL: none */
	bool is_ca;
	int64_t not_before_s, not_after_s;
	long serial;
	bool has_key_id; /* an AuthorityKeyIdentifier */
};

static inline void
put_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline struct cert *
make_cert(const struct making *m)
{
	X509 *x = X509_new();
	EVP_PKEY *key = evp_of(m->key), *signer = evp_of(m->signer);
	unsigned char *der = NULL;
	struct cert *c = NULL;
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), m->serial);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)m->subject, -1, -1, 0);
	X509_NAME *issuer = X509_NAME_new();
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const uint8_t *)m->issuer, -1, -1, 0);
	X509_set_issuer_name(x, issuer);
	X509_NAME_free(issuer);
	ASN1_TIME_set(X509_getm_notBefore(x), m->not_before_s);
	ASN1_TIME_set(X509_getm_notAfter(x), m->not_after_s);
	X509_set_pubkey(x, key);
	put_extension(x, NID_basic_constraints, m->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (m->alt_names != NULL) {
		put_extension(x, NID_subject_alt_name, m->alt_names);
	}
	if (m->has_key_id) {
		put_extension(x, NID_authority_key_identifier, "DER:30:06:80:04:01:02:03:04");
	}
	assert_true(X509_sign(x, signer, pkey_kind(m->signer) == PKEY_ED25519 ? NULL : EVP_sha256()) > 0);
	int n = i2d_X509(x, &der);
	assert_int_equal(cert_read(der, (size_t)n, &c), OK);
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	return c;
}
