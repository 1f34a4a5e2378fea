/* Certificates of the CA, real ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ca.h"
#include "crypto/pkey.h"

/* Ed25519, so that the same seed makes the same octets. */
static EVP_PKEY *middle_key, *root_key, *false_key;
static X509 *middle, *other_middle, *false_middle;

static EVP_PKEY *
key_of(uint8_t number)
{
	uint8_t octets[32] = { number };
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, octets, sizeof octets);
	ASSERT(k != NULL);
	return k;
}

static void
put_name(X509_NAME *name, const char *text)
{
	if (text[0] != '\0') {
		int ok = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)text, -1, -1, 0);
		ASSERT(ok == 1);
	}
}

static void
put_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer != NULL ? issuer : x, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ASSERT(e != NULL && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static X509 *
begin(long serial, const char *issuer, const char *subject, EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new();
	ASSERT(x != NULL && name != NULL);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	put_name(name, issuer);
	X509_set_issuer_name(x, name);
	X509_NAME_free(name);
	name = X509_NAME_new();
	put_name(name, subject);
	X509_set_subject_name(x, name);
	X509_NAME_free(name);
	X509_set_pubkey(x, key);
	return x;
}

static void
set_times(X509 *x, uint64_t from_s, uint64_t until_s)
{
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until_s);
}

static void
sign(X509 *x, EVP_PKEY *key)
{
	int n = X509_sign(x, key, NULL);
	ASSERT(n > 0);
}

static X509 *
make_middle(const char *issuer, EVP_PKEY *key)
{
	X509 *x = begin(2, issuer, "Middle", key);
	set_times(x, 1500000000, 2000000000);
	put_extension(x, NULL, NID_basic_constraints, "critical,CA:TRUE");
	put_extension(x, NULL, NID_subject_key_identifier, "hash");
	sign(x, root_key);
	return x;
}

void
ca_keys_begin(void)
{
	middle_key = key_of(1);
	root_key = key_of(2);
	false_key = key_of(3);
	middle = make_middle(CA_ROOT, middle_key);
	other_middle = make_middle(CA_OTHER_ROOT, middle_key);
	false_middle = make_middle(CA_ROOT, false_key);
}

void
ca_keys_end(void)
{
	EVP_PKEY_free(middle_key);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(false_key);
	X509_free(middle);
	X509_free(other_middle);
	X509_free(false_middle);
}

/* ---- one ---- */

static void
put_names(X509 *x, const struct csr *request, enum ca_lie lie)
{
	struct str names = { 0 };
	for (size_t i = 0; i < request->names.n; i++) {
		bool is_wrong = lie == CA_WRONG_NAME && i == request->names.n - 1;
		str_printf(&names, "%sDNS:%s", i == 0 ? "" : ",", is_wrong ? "elsewhere.example" : request->names.name[i]);
	}
	put_extension(x, NULL, NID_subject_alt_name, str_text(&names));
	str_fini(&names);
}

static EVP_PKEY *
key_in(const struct csr *request)
{
	const uint8_t *at = request->der;
	X509_REQ *r = d2i_X509_REQ(NULL, &at, (long)request->der_len);
	EVP_PKEY *k = r != NULL ? X509_REQ_get_pubkey(r) : NULL;
	ASSERT(k != NULL);
	X509_REQ_free(r);
	return k;
}

static void
put_pem(struct str *out, X509 *x)
{
	char *text = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int ok = bio != NULL && PEM_write_bio_X509(bio, x);
	ASSERT(ok == 1);
	long n = BIO_get_mem_data(bio, &text);
	str_printf(out, "%.*s", (int)n, text);
	BIO_free(bio);
}

static void
set_validity(X509 *x, const struct ca_cert *c, enum ca_lie lie)
{
	uint64_t life_s = c->not_after_s - c->not_before_s;
	if (lie == CA_EXPIRED) {
		set_times(x, c->not_before_s - life_s, c->not_before_s);
	} else if (lie == CA_EARLY) {
		set_times(x, c->not_before_s + 86400, c->not_after_s + 86400);
	} else {
		set_times(x, c->not_before_s, c->not_after_s);
	}
}

static void
set_id(struct ca_cert *c)
{
	struct cert *leaf = ca_leaf(c);
	const struct acme_cert_parts parts = {
		.key_id = leaf->key_id, .serial = leaf->serial, .key_id_len = leaf->key_id_len, .serial_len = leaf->serial_len,
	};
	err_t err = acme_cert_id(&parts, c->id);
	ASSERT(err == OK);
	cert_free(&leaf);
}

void
ca_issue(struct ca_cert *c, const struct csr *request, enum ca_lie lie)
{
	EVP_PKEY *key = key_in(request);
	X509 *x = begin(1000 + c->number, "Middle", "", lie == CA_WRONG_KEY ? false_key : key);
	set_validity(x, c, lie);
	put_extension(x, NULL, NID_basic_constraints, "CA:FALSE");
	put_extension(x, middle, NID_authority_key_identifier, "keyid");
	put_names(x, request, lie);
	sign(x, middle_key);
	put_pem(&c->pem, x);
	put_pem(&c->pem, lie == CA_WRONG_CHAIN ? false_middle : middle);
	put_pem(&c->other, x);
	put_pem(&c->other, other_middle);
	set_id(c);
	if (lie == CA_CUT) {
		char *end = strstr(c->pem.s, "-----END");
		*end = '\0';
		c->pem.len = (size_t)(end - c->pem.s);
	}
	X509_free(x);
	EVP_PKEY_free(key);
}

struct cert *
ca_leaf(const struct ca_cert *c)
{
	struct cert *certs[2] = { NULL, NULL };
	size_t n = 0;
	err_t err = certs_read_pem(str_text(&c->pem), c->pem.len, certs, 2, &n);
	ASSERT(err == OK && n == 2);
	cert_free(&certs[1]);
	return certs[0];
}

struct cert *
ca_middle(void)
{
	unsigned char *der = NULL;
	struct cert *c = NULL;
	int n = i2d_X509(middle, &der);
	err_t err = n > 0 ? cert_read(der, (size_t)n, &c) : E_CRYPTO;
	ASSERT(err == OK);
	OPENSSL_free(der);
	return c;
}
