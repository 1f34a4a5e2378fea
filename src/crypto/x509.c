#include "crypto/x509.h"

#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "crypto/drop_p.h"
#include "crypto/pem.h"
#include "crypto/pkey_p.h"

enum { DAY_S = 86400 };

static void
time_drop(ASN1_TIME **t)
{
	ASN1_TIME_free(*t);
}

/* ---- what is in a certificate ---- */

static err_t
read_names(struct cert *c, const X509 *x)
{
	int why = 0;
	[[gnu::cleanup(names_drop)]] GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, &why, NULL);
	if (list == NULL) {
		return why == -1 ? OK : E_FORMAT; /* -1: there is none */
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		int kind;
		const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list, i), &kind);
		if (kind == GEN_DNS) {
			err_t err = host_names_add(&c->names, (const char *)ASN1_STRING_get0_data(text),
			                           (size_t)ASN1_STRING_length(text));
			TRY(err == E_FORMAT ? OK : err);
		}
	}
	return OK;
}

static err_t
read_time(const ASN1_TIME *t, int64_t *out)
{
	int days, seconds;
	[[gnu::cleanup(time_drop)]] ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	if (epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, t) != 1) {
		return E_FORMAT;
	}
	*out = (int64_t)days * DAY_S + seconds;
	return OK;
}

static void
read_key(struct cert *c, X509 *x)
{
	EVP_PKEY *evp = X509_get0_pubkey(x);
	if (evp != NULL && EVP_PKEY_up_ref(evp) == 1 && pkey_take(evp, &c->key) != OK) {
		c->key = NULL;
	}
}

/* The octets of the INTEGER, without tag and length. */
static err_t
read_serial(struct cert *c, const X509 *x)
{
	unsigned char der[CERT_SERIAL_MAX + 2], *to = der;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int n = i2d_ASN1_INTEGER(serial, NULL);
	if (n < 2 || (size_t)n > sizeof der) {
		return E_LIMIT;
	}
	c->serial_len = (size_t)i2d_ASN1_INTEGER(serial, &to) - 2;
	memcpy(c->serial, der + 2, c->serial_len);
	return OK;
}

static void
read_key_id(struct cert *c, X509 *x)
{
	const ASN1_OCTET_STRING *id = X509_get0_authority_key_id(x);
	size_t n = id != NULL ? (size_t)ASN1_STRING_length(id) : 0;
	if (n != 0 && n <= CERT_KEY_ID_MAX) {
		memcpy(c->key_id, ASN1_STRING_get0_data(id), n);
		c->key_id_len = n;
	}
}

static void
read_issuer(struct cert *c, const X509 *x)
{
	const X509_NAME *name = X509_get_issuer_name(x);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	at = at < 0 ? X509_NAME_get_index_by_NID(name, NID_organizationName, -1) : at;
	if (at < 0) {
		return;
	}
	const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	const unsigned char *s = ASN1_STRING_get0_data(text);
	size_t n = (size_t)ASN1_STRING_length(text);
	for (size_t i = 0; i < n && i < CERT_ISSUER_MAX - 1; i++) {
		c->issuer[i] = s[i] >= ' ' && s[i] < 0x7F ? (char)s[i] : '?';
	}
}

static err_t
fill(struct cert *c, X509 *x)
{
	TRY(read_names(c, x));
	TRY(read_time(X509_get0_notBefore(x), &c->not_before_s));
	TRY(read_time(X509_get0_notAfter(x), &c->not_after_s));
	TRY(read_serial(c, x));
	read_key(c, x);
	read_key_id(c, x);
	read_issuer(c, x);
	c->is_ca = X509_check_ca(x) == 1;
	return OK;
}

err_t
cert_read(const uint8_t *der, size_t len, struct cert **out)
{
	const unsigned char *at = der;
	if (len > CERT_DER_MAX) {
		return E_LIMIT;
	}
	X509 *x = d2i_X509(NULL, &at, (long)len);
	if (x == NULL || at != der + len) {
		X509_free(x);
		return E_FORMAT;
	}
	[[gnu::cleanup(cert_free)]] struct cert *c = try_alloc(sizeof *c);
	uint8_t *copy = try_alloc(len);
	if (c == NULL || copy == NULL) {
		X509_free(x);
		free_ptr(&copy);
		return E_NOMEM;
	}
	memcpy(copy, der, len);
	c->der = copy;
	c->der_len = len;
	c->x509 = x;
	TRY(fill(c, x));
	*out = c;
	c = NULL;
	return OK;
}

void
cert_free(struct cert **c)
{
	if (*c != NULL) {
		pkey_free(&(*c)->key);
		free_ptr(&(*c)->der);
		X509_free((*c)->x509);
		free_ptr(c);
	}
}

bool
cert_is_equal(const struct cert *a, const struct cert *b)
{
	return a->der_len == b->der_len && memcmp(a->der, b->der, a->der_len) == 0;
}

/* ---- chains ---- */

bool
cert_is_issued_by(const struct cert *c, const struct cert *ca)
{
	EVP_PKEY *key = ca->is_ca ? X509_get0_pubkey(ca->x509) : NULL;
	return key != NULL && X509_check_issued(ca->x509, c->x509) == X509_V_OK && X509_verify(c->x509, key) == 1;
}

static bool
is_better(const struct cert *a, const struct cert *b, int64_t now_s)
{
	bool is_a_valid = a->not_after_s >= now_s, is_b_valid = b->not_after_s >= now_s;
	return is_a_valid != is_b_valid ? is_a_valid : a->not_after_s > b->not_after_s;
}

static bool
is_in(const struct cert *const *chain, size_t n, const struct cert *c)
{
	for (size_t i = 0; i < n; i++) {
		if (cert_is_equal(chain[i], c)) {
			return true;
		}
	}
	return false;
}

static const struct cert *
issuer_of(const struct cert *c, struct cert *const *others, size_t n, int64_t now_s)
{
	const struct cert *best = NULL;
	for (size_t i = 0; i < n; i++) {
		bool is_tried = best == NULL || is_better(others[i], best, now_s);
		if (is_tried && cert_is_issued_by(c, others[i])) {
			best = others[i];
		}
	}
	return best;
}

void
chain_order(const struct cert *leaf, struct cert *const *others, size_t others_n, int64_t now_s, const struct cert *chain[CHAIN_MAX],
            size_t *n)
{
	const struct cert *last = leaf;
	*n = 0;
	while (*n < CHAIN_MAX) {
		const struct cert *next = issuer_of(last, others, others_n, now_s);
		if (next == NULL || cert_is_equal(next, leaf) || is_in(chain, *n, next)) {
			return; /* the latter: it has issued itself, or two have issued each other */
		}
		chain[(*n)++] = last = next;
	}
}

/* ---- PEM ---- */

void
cert_put_pem(const struct cert *c, struct str *out)
{
	pem_put(PEM_CERTIFICATE, c->der, c->der_len, out);
}

struct list {
	struct cert **certs;
	size_t cap, *n;
};

static err_t
append(void *ctx, const uint8_t *der, size_t len)
{
	struct list *l = ctx;
	TRY(*l->n == l->cap ? E_LIMIT : cert_read(der, len, &l->certs[*l->n]));
	++*l->n;
	return OK;
}

err_t
certs_read_pem(const char *text, size_t len, struct cert **certs, size_t cap, size_t *n)
{
	struct list l = { certs, cap, n };
	*n = 0;
	return pem_each(text, len, PEM_CERTIFICATE, append, &l);
}
