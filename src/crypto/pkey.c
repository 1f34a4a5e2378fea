#include "crypto/pkey.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "crypto/drop_p.h"
#include "crypto/pkey_p.h"

enum { EXPONENT_BITS_MAX = 64 }; /* of RSA's public exponent: the cost of a verification follows it */

static const struct {
	const char *text, *kty, *crv, *alg;
	const char *group;  /* OpenSSL's name */
	size_t number_len;  /* octets of a coordinate or of the private number */
} kinds[PKEY_KIND_COUNT] = {
	[PKEY_RSA] = { "RSA", "RSA", NULL, "RS256", NULL, 0 },
	[PKEY_P256] = { "P-256", "EC", "P-256", "ES256", "prime256v1", 32 },
	[PKEY_P384] = { "P-384", "EC", "P-384", "ES384", "secp384r1", 48 },
	[PKEY_ED25519] = { "Ed25519", "OKP", "Ed25519", "EdDSA", NULL, 32 },
};

static void
md_ctx_drop(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static void
sig_drop(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}

/* ---- kinds ---- */

static enum pkey_kind
ec_kind(const EVP_PKEY *evp)
{
	char group[32];
	size_t n;
	if (EVP_PKEY_get_utf8_string_param(evp, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &n) != 1) {
		return PKEY_NONE;
	}
	return strcmp(group, kinds[PKEY_P256].group) == 0   ? PKEY_P256
	       : strcmp(group, kinds[PKEY_P384].group) == 0 ? PKEY_P384
	                                                    : PKEY_NONE;
}

static enum pkey_kind
rsa_kind(const EVP_PKEY *evp)
{
	[[gnu::cleanup(bn_drop)]] BIGNUM *e = NULL;
	int bits = EVP_PKEY_get_bits(evp);
	if (bits < PKEY_RSA_BITS_MIN || bits > PKEY_RSA_BITS_MAX) {
		return PKEY_NONE;
	}
	bool has_e = EVP_PKEY_get_bn_param(evp, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
	return has_e && BN_num_bits(e) > 1 && BN_num_bits(e) <= EXPONENT_BITS_MAX && BN_is_odd(e) ? PKEY_RSA : PKEY_NONE;
}

static enum pkey_kind
evp_kind(const EVP_PKEY *evp)
{
	switch (EVP_PKEY_get_base_id(evp)) {
	case EVP_PKEY_RSA:
		return rsa_kind(evp);
	case EVP_PKEY_EC:
		return ec_kind(evp);
	case EVP_PKEY_ED25519:
		return PKEY_ED25519;
	default:
		return PKEY_NONE;
	}
}

err_t
pkey_take(EVP_PKEY *evp, struct pkey **out)
{
	if (evp == NULL) {
		return E_CRYPTO;
	}
	enum pkey_kind kind = evp_kind(evp);
	struct pkey *k = kind != PKEY_NONE ? try_alloc(sizeof *k) : NULL;
	if (k == NULL) {
		EVP_PKEY_free(evp);
		return kind == PKEY_NONE ? E_UNSUPPORTED : E_NOMEM;
	}
	k->evp = evp;
	k->kind = kind;
	k->bits = (unsigned)EVP_PKEY_get_bits(evp);
	*out = k;
	return OK;
}

void
pkey_free(struct pkey **k)
{
	if (*k != NULL) {
		EVP_PKEY_free((*k)->evp); /* wipes */
		free_ptr(k);
	}
}

enum pkey_kind
pkey_kind(const struct pkey *k)
{
	return k->kind;
}

unsigned
pkey_bits(const struct pkey *k)
{
	return k->bits;
}

bool
pkey_is_equal(const struct pkey *a, const struct pkey *b)
{
	return EVP_PKEY_eq(a->evp, b->evp) == 1;
}

const char *
pkey_print(const struct pkey *k, char out[PKEY_TEXT_MAX])
{
	if (k->kind != PKEY_RSA) {
		return kinds[k->kind].text;
	}
	unsigned bits = k->bits;
	memcpy(out, "RSA 0000", sizeof "RSA 0000");
	for (char *digit = out + 7; bits != 0; digit--, bits /= 10) { /* 2048 to 4096 */
		*digit = (char)('0' + bits % 10);
	}
	return out;
}

/* ---- private keys ---- */

/* OpenSSL would ask for a passphrase on the terminal. */
static int
refuse_passphrase(char *buf, int size, int is_writing, void *was_asked)
{
	(void)buf, (void)size, (void)is_writing;
	*(bool *)was_asked = true;
	return -1;
}

err_t
pkey_from_pem(const char *text, size_t len, struct pkey **out)
{
	bool was_asked = false;
	if (len > PKEY_PEM_READ_MAX) {
		return E_LIMIT;
	}
	[[gnu::cleanup(bio_drop)]] BIO *in = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *evp = in != NULL ? PEM_read_bio_PrivateKey(in, NULL, refuse_passphrase, &was_asked) : NULL;
	if (evp == NULL) {
		return in == NULL ? E_NOMEM : was_asked ? E_AUTH : E_FORMAT;
	}
	return pkey_take(evp, out);
}

err_t
pkey_to_pem(const struct pkey *k, struct buf *out)
{
	char *text;
	[[gnu::cleanup(bio_drop)]] BIO *to = BIO_new(BIO_s_mem());
	if (to == NULL || PEM_write_bio_PKCS8PrivateKey(to, k->evp, NULL, NULL, 0, NULL, NULL) != 1) {
		return E_CRYPTO;
	}
	long n = BIO_get_mem_data(to, &text);
	buf_put(out, text, n > 0 ? (size_t)n : 0);
	return out->err;
}

static err_t
ec_from_octets(enum pkey_kind kind, const uint8_t *octets, struct pkey **out)
{
	[[gnu::cleanup(bn_drop)]] BIGNUM *number = BN_secure_new();
	if (number == NULL || BN_bin2bn(octets, (int)kinds[kind].number_len, number) == NULL) {
		return E_NOMEM;
	}
	return pkey_make_ec(kind, number, out);
}

static err_t
rsa_from_der(const uint8_t *der, size_t len, struct pkey **out)
{
	const unsigned char *at = der;
	if (len > PKEY_PEM_READ_MAX) {
		return E_LIMIT;
	}
	EVP_PKEY *evp = d2i_AutoPrivateKey(NULL, &at, (long)len);
	if (evp == NULL) {
		return E_FORMAT;
	}
	if (at != der + len || EVP_PKEY_get_base_id(evp) != EVP_PKEY_RSA) {
		EVP_PKEY_free(evp);
		return E_FORMAT;
	}
	return pkey_take(evp, out);
}

err_t
pkey_from_octets(enum pkey_kind kind, const uint8_t *octets, size_t len, struct pkey **out)
{
	if (kind == PKEY_RSA) {
		return rsa_from_der(octets, len, out);
	}
	if (kind <= PKEY_NONE || kind >= PKEY_KIND_COUNT) {
		return E_UNSUPPORTED;
	}
	if (len != kinds[kind].number_len) {
		return E_FORMAT;
	}
	return kind == PKEY_ED25519 ? pkey_make_ed25519(octets, out) : ec_from_octets(kind, octets, out);
}

/* ---- public keys ---- */

err_t
pkey_from_public(const uint8_t *der, size_t len, struct pkey **out)
{
	const unsigned char *at = der;
	if (len > PKEY_PUBLIC_MAX) {
		return E_LIMIT;
	}
	EVP_PKEY *evp = d2i_PUBKEY(NULL, &at, (long)len);
	if (evp == NULL) {
		return E_FORMAT;
	}
	if (at != der + len) {
		EVP_PKEY_free(evp);
		return E_FORMAT;
	}
	return pkey_take(evp, out);
}

err_t
pkey_public(const struct pkey *k, struct buf *der)
{
	unsigned char *made = NULL;
	int n = i2d_PUBKEY(k->evp, &made);
	if (n <= 0) {
		return E_CRYPTO;
	}
	buf_put(der, made, (size_t)n);
	OPENSSL_free(made);
	return der->err;
}

/* Writes the number's octets without leading zeros, or with as many as `len` takes if that is not 0. */
static err_t
put_number(const struct pkey *k, const char *param, size_t len, uint8_t *out, size_t *out_len)
{
	[[gnu::cleanup(bn_drop)]] BIGNUM *n = NULL;
	if (EVP_PKEY_get_bn_param(k->evp, param, &n) != 1) {
		return E_CRYPTO;
	}
	len = len != 0 ? len : (size_t)BN_num_bytes(n);
	if (len > PKEY_NUMBER_MAX || BN_bn2binpad(n, out, (int)len) < 0) {
		return E_CRYPTO;
	}
	*out_len = len;
	return OK;
}

err_t
pkey_numbers(const struct pkey *k, struct pkey_numbers *out)
{
	struct pkey_numbers n = { .kty = kinds[k->kind].kty, .crv = kinds[k->kind].crv };
	size_t len = kinds[k->kind].number_len;
	if (k->kind == PKEY_ED25519) {
		n.n_or_x_len = len;
		if (EVP_PKEY_get_raw_public_key(k->evp, n.n_or_x, &n.n_or_x_len) != 1) {
			return E_CRYPTO;
		}
	} else if (k->kind == PKEY_RSA) {
		TRY(put_number(k, OSSL_PKEY_PARAM_RSA_N, 0, n.n_or_x, &n.n_or_x_len));
		TRY(put_number(k, OSSL_PKEY_PARAM_RSA_E, 0, n.e_or_y, &n.e_or_y_len));
	} else {
		TRY(put_number(k, OSSL_PKEY_PARAM_EC_PUB_X, len, n.n_or_x, &n.n_or_x_len));
		TRY(put_number(k, OSSL_PKEY_PARAM_EC_PUB_Y, len, n.e_or_y, &n.e_or_y_len));
	}
	*out = n;
	return OK;
}

/* ---- signatures ---- */

const EVP_MD *
pkey_digest(const struct pkey *k)
{
	return k->kind == PKEY_ED25519 ? NULL : k->kind == PKEY_P384 ? EVP_sha384() : EVP_sha256();
}

const char *
pkey_jws_alg(const struct pkey *k)
{
	return kinds[k->kind].alg;
}

/* OpenSSL writes ECDSA signatures in DER; JWS has r and s, each as long as the curve's numbers (RFC 7518 3.4). */
static err_t
put_r_and_s(const uint8_t *der, size_t len, size_t number_len, struct buf *out)
{
	const unsigned char *at = der;
	[[gnu::cleanup(sig_drop)]] ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	uint8_t *to = sig != NULL ? buf_take(out, 2 * number_len) : NULL;
	if (to == NULL) {
		return sig == NULL ? E_CRYPTO : out->err;
	}
	int n = (int)number_len;
	bool is_put = BN_bn2binpad(ECDSA_SIG_get0_r(sig), to, n) == n && BN_bn2binpad(ECDSA_SIG_get0_s(sig), to + n, n) == n;
	return is_put ? OK : E_CRYPTO;
}

err_t
pkey_sign(const struct pkey *k, const void *message, size_t len, struct buf *out)
{
	uint8_t made[PKEY_SIGNATURE_MAX];
	size_t n = sizeof made;
	[[gnu::cleanup(md_ctx_drop)]] EVP_MD_CTX *c = EVP_MD_CTX_new();
	if (c == NULL || EVP_DigestSignInit(c, NULL, pkey_digest(k), NULL, k->evp) != 1 ||
	    EVP_DigestSign(c, made, &n, message, len) != 1) {
		return E_CRYPTO;
	}
	if (k->kind == PKEY_P256 || k->kind == PKEY_P384) {
		return put_r_and_s(made, n, kinds[k->kind].number_len, out);
	}
	buf_put(out, made, n);
	return out->err;
}
