/* Keys from seeds.
 *
 * HKDF-SHA256 (RFC 5869) makes a key of the seed, with the kind of the wanted key as its context.  With this, HMAC-SHA256 of a counter is
 * a stream of octets, from which numbers are drawn.  The tests hold a key of each kind: the same seed must always give the same key.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "base/alloc.h"
#include "crypto/drop_p.h"
#include "crypto/hmac.h"
#include "crypto/pkey.h"
#include "crypto/pkey_p.h"

enum {
	EXPONENT = 65537,
	EXTRA = 16,               /* octets beyond the curve's order, so that all residues are as likely (FIPS 186-4 B.4.1) */
	APART = 100,              /* the primes differ in one of their first bits, but for this many (FIPS 186-4 B.3.3) */
	DRAWS_MAX = 100000,       /* candidates for a prime: one of 710 is one, for 2,048 bits */
	NUMBER_LEN_MAX = PKEY_RSA_BITS_MAX / 16,
};

struct stream {
	uint8_t key[SHA256_LEN];
	uint64_t counter;
};

static void
stream_fini(struct stream *s)
{
	wipe(s, sizeof *s);
}

static err_t
hmac_sha256(const uint8_t *key, size_t key_len, const void *message, size_t len, uint8_t out[SHA256_LEN])
{
	[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
	uint8_t mac[HMAC_MAX];
	size_t n;
	TRY(hmac_begin(HMAC_SHA256, key, key_len, &h));
	TRY(hmac_update(h, message, len));
	TRY(hmac_finish(h, mac, &n));
	memcpy(out, mac, SHA256_LEN);
	wipe(mac, sizeof mac);
	return OK;
}

/* HKDF: extract, then the first block of expand. */
static err_t
stream_begin(struct stream *s, enum pkey_kind kind, unsigned bits, const uint8_t *seed, size_t seed_len)
{
	static const char salt[] = "Origin: key from seed";
	uint8_t prk[SHA256_LEN];
	const uint8_t info[] = { 'k', 'e', 'y', (uint8_t)kind, (uint8_t)(bits >> 8), (uint8_t)bits, 1 };
	err_t err = hmac_sha256((const uint8_t *)salt, sizeof salt - 1, seed, seed_len, prk);
	err = err == OK ? hmac_sha256(prk, sizeof prk, info, sizeof info, s->key) : err;
	s->counter = 0;
	wipe(prk, sizeof prk);
	return err;
}

static err_t
stream_draw(struct stream *s, uint8_t *out, size_t n)
{
	uint8_t block[SHA256_LEN];
	for (size_t at = 0; at < n; at += sizeof block) {
		uint8_t counter[8];
		size_t part = n - at < sizeof block ? n - at : sizeof block;
		for (unsigned i = 0; i < sizeof counter; i++) {
			counter[i] = (uint8_t)(s->counter >> (56 - 8 * i));
		}
		TRY(hmac_sha256(s->key, sizeof s->key, counter, sizeof counter, block));
		memcpy(out + at, block, part);
		s->counter++;
	}
	wipe(block, sizeof block);
	return OK;
}

static void
bld_drop(OSSL_PARAM_BLD **b)
{
	OSSL_PARAM_BLD_free(*b);
}

static void
group_drop(EC_GROUP **g)
{
	EC_GROUP_free(*g);
}

static void
point_drop(EC_POINT **p)
{
	EC_POINT_free(*p);
}

/* Makes a key pair of its numbers; OpenSSL overwrites the secret ones among the parameters, as they come from BN_secure_new(). */
static err_t
key_of_params(const char *type, OSSL_PARAM_BLD *b, struct pkey **out)
{
	EVP_PKEY *evp = NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	bool is_made = c != NULL && params != NULL && EVP_PKEY_fromdata_init(c) == 1 &&
	               EVP_PKEY_fromdata(c, &evp, EVP_PKEY_KEYPAIR, params) == 1;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(c);
	return is_made ? pkey_take(evp, out) : E_CRYPTO;
}

/* ---- curves ---- */

static EC_GROUP *
group_of(enum pkey_kind kind)
{
	return EC_GROUP_new_by_curve_name(kind == PKEY_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
}

err_t
pkey_make_ec(enum pkey_kind kind, const BIGNUM *number, struct pkey **out)
{
	uint8_t public[1 + 2 * 48];
	[[gnu::cleanup(group_drop)]] EC_GROUP *g = group_of(kind);
	[[gnu::cleanup(point_drop)]] EC_POINT *p = g != NULL ? EC_POINT_new(g) : NULL;
	[[gnu::cleanup(bld_drop)]] OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	if (p == NULL || b == NULL) {
		return E_NOMEM;
	}
	if (BN_is_zero(number) || BN_cmp(number, EC_GROUP_get0_order(g)) >= 0) {
		return E_RANGE;
	}
	size_t n = EC_POINT_mul(g, p, number, NULL, NULL, NULL) == 1
	                   ? EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, public, sizeof public, NULL)
	                   : 0;
	const char *name = kind == PKEY_P256 ? "prime256v1" : "secp384r1";
	bool is_put = n != 0 && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, name, 0) == 1 &&
	              OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, public, n) == 1 &&
	              OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1;
	return is_put ? key_of_params("EC", b, out) : E_CRYPTO;
}

/* Draws a number from 1 to the group's order less 1. */
static err_t
draw_in_group(struct stream *s, const EC_GROUP *g, BIGNUM *number)
{
	uint8_t octets[48 + EXTRA];
	[[gnu::cleanup(bn_ctx_drop)]] BN_CTX *c = BN_CTX_new();
	[[gnu::cleanup(bn_drop)]] BIGNUM *most = BN_dup(EC_GROUP_get0_order(g));
	size_t n = most != NULL ? (size_t)BN_num_bytes(most) + EXTRA : 0;
	if (c == NULL || most == NULL) {
		return E_NOMEM;
	}
	TRY(stream_draw(s, octets, n));
	bool is_drawn = BN_sub_word(most, 1) == 1 && BN_bin2bn(octets, (int)n, number) != NULL &&
	                BN_mod(number, number, most, c) == 1 && BN_add_word(number, 1) == 1;
	wipe(octets, sizeof octets);
	return is_drawn ? OK : E_CRYPTO;
}

static err_t
ec_from_stream(struct stream *s, enum pkey_kind kind, struct pkey **out)
{
	[[gnu::cleanup(group_drop)]] EC_GROUP *g = group_of(kind);
	[[gnu::cleanup(bn_drop)]] BIGNUM *number = BN_secure_new();
	if (g == NULL || number == NULL) {
		return E_NOMEM;
	}
	TRY(draw_in_group(s, g, number));
	return pkey_make_ec(kind, number, out);
}

err_t
pkey_make_ed25519(const uint8_t seed[32], struct pkey **out)
{
	return pkey_take(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32), out);
}

static err_t
ed25519_from_stream(struct stream *s, struct pkey **out)
{
	uint8_t seed[32];
	err_t err = stream_draw(s, seed, sizeof seed);
	err = err == OK ? pkey_make_ed25519(seed, out) : err;
	wipe(seed, sizeof seed);
	return err;
}

/* ---- RSA ---- */

struct rsa {
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
	BIGNUM *p1, *q1, *lambda, *t; /* p - 1, q - 1, their least common multiple */
	BN_CTX *c;
};
enum { RSA_NUMBERS = 12 };

static BIGNUM **
rsa_number(struct rsa *r, size_t i)
{
	BIGNUM **const all[RSA_NUMBERS] = {
		&r->n, &r->e, &r->d, &r->p, &r->q, &r->dp, &r->dq, &r->qinv, &r->p1, &r->q1, &r->lambda, &r->t,
	};
	return all[i];
}

static err_t
rsa_init(struct rsa *r)
{
	bool has_all = (r->c = BN_CTX_secure_new()) != NULL;
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		BIGNUM **n = rsa_number(r, i);
		*n = i < 2 ? BN_new() : BN_secure_new(); /* n and e are public */
		has_all = has_all && *n != NULL;
	}
	return has_all ? OK : E_NOMEM;
}

static void
rsa_fini(struct rsa *r)
{
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		BN_clear_free(*rsa_number(r, i));
	}
	BN_CTX_free(r->c);
}

/* The first two bits are 1, so the product of two primes has all bits.  The last one makes it odd. */
static err_t
draw_candidate(struct stream *s, size_t len, BIGNUM *out)
{
	uint8_t octets[NUMBER_LEN_MAX];
	TRY(stream_draw(s, octets, len));
	octets[0] |= 0xC0;
	octets[len - 1] |= 1;
	bool is_read = BN_bin2bn(octets, (int)len, out) != NULL;
	wipe(octets, sizeof octets);
	return is_read ? OK : E_NOMEM;
}

static err_t
draw_prime(struct stream *s, struct rsa *r, size_t len, BIGNUM *out)
{
	for (unsigned i = 0; i < DRAWS_MAX; i++) {
		TRY(draw_candidate(s, len, out));
		int verdict = BN_mod_word(out, EXPONENT) == 1 ? 0 : BN_check_prime(out, r->c, NULL);
		if (verdict != 0) {
			return verdict == 1 ? OK : E_CRYPTO;
		}
	}
	return E_CRYPTO;
}

static err_t
draw_primes(struct stream *s, struct rsa *r, unsigned bits)
{
	TRY(draw_prime(s, r, bits / 16, r->p));
	do {
		TRY(draw_prime(s, r, bits / 16, r->q));
		if (BN_sub(r->t, r->p, r->q) != 1) {
			return E_CRYPTO;
		}
	} while (BN_num_bits(r->t) <= (int)bits / 2 - APART);
	if (BN_cmp(r->p, r->q) < 0) {
		BN_swap(r->p, r->q);
	}
	return OK;
}

/* RFC 8017 3.2, with the least common multiple. */
static err_t
compute(struct rsa *r)
{
	bool ok = BN_set_word(r->e, EXPONENT) == 1 && BN_mul(r->n, r->p, r->q, r->c) == 1 &&
	          BN_sub(r->p1, r->p, BN_value_one()) == 1 && BN_sub(r->q1, r->q, BN_value_one()) == 1 &&
	          BN_gcd(r->t, r->p1, r->q1, r->c) == 1 && BN_div(r->lambda, NULL, r->p1, r->t, r->c) == 1 &&
	          BN_mul(r->lambda, r->lambda, r->q1, r->c) == 1;
	BN_set_flags(r->lambda, BN_FLG_CONSTTIME);
	BN_set_flags(r->p, BN_FLG_CONSTTIME);
	ok = ok && BN_mod_inverse(r->d, r->e, r->lambda, r->c) != NULL && BN_mod(r->dp, r->d, r->p1, r->c) == 1 &&
	     BN_mod(r->dq, r->d, r->q1, r->c) == 1 && BN_mod_inverse(r->qinv, r->q, r->p, r->c) != NULL;
	return ok ? OK : E_CRYPTO;
}

static err_t
key_of_numbers(const struct rsa *r, struct pkey **out)
{
	const struct {
		const char *name;
		const BIGNUM *n;
	} numbers[] = {
		{ OSSL_PKEY_PARAM_RSA_N, r->n },          { OSSL_PKEY_PARAM_RSA_E, r->e },
		{ OSSL_PKEY_PARAM_RSA_D, r->d },          { OSSL_PKEY_PARAM_RSA_FACTOR1, r->p },
		{ OSSL_PKEY_PARAM_RSA_FACTOR2, r->q },    { OSSL_PKEY_PARAM_RSA_EXPONENT1, r->dp },
		{ OSSL_PKEY_PARAM_RSA_EXPONENT2, r->dq }, { OSSL_PKEY_PARAM_RSA_COEFFICIENT1, r->qinv },
	};
	[[gnu::cleanup(bld_drop)]] OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (b == NULL || OSSL_PARAM_BLD_push_BN(b, numbers[i].name, numbers[i].n) != 1) {
			return E_CRYPTO;
		}
	}
	return key_of_params("RSA", b, out);
}

static err_t
rsa_from_stream(struct stream *s, unsigned bits, struct pkey **out)
{
	[[gnu::cleanup(rsa_fini)]] struct rsa r = { 0 };
	TRY(rsa_init(&r));
	TRY(draw_primes(s, &r, bits));
	TRY(compute(&r));
	return key_of_numbers(&r, out);
}

/* ---- all kinds ---- */

err_t
pkey_from_seed(enum pkey_kind kind, unsigned bits, const uint8_t *seed, size_t seed_len, struct pkey **out)
{
	[[gnu::cleanup(stream_fini)]] struct stream s;
	if (kind == PKEY_RSA && (bits < PKEY_RSA_BITS_MIN || bits > PKEY_RSA_BITS_MAX || bits % 64 != 0)) {
		return E_RANGE;
	}
	TRY(stream_begin(&s, kind, kind == PKEY_RSA ? bits : 0, seed, seed_len));
	switch (kind) {
	case PKEY_RSA:
		return rsa_from_stream(&s, bits, out);
	case PKEY_P256:
	case PKEY_P384:
		return ec_from_stream(&s, kind, out);
	case PKEY_ED25519:
		return ed25519_from_stream(&s, out);
	default:
		return E_UNSUPPORTED;
	}
}
