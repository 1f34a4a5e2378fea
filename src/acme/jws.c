#include "acme/jws.h"

#include <stdlib.h>
#include <string.h>

#include "acme/json.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/enc.h"
#include "crypto/hmac.h"
#include "crypto/pkey.h"
#include "crypto/sha.h"

void
acme_put_base64url(struct str *out, const void *octets, size_t n)
{
	char text[ENC_BASE64URL_LEN(768)];
	const uint8_t *from = octets;
	while (n != 0) { /* pieces of whole groups of three */
		size_t piece = n < 768 ? n : 768;
		str_put(out, text, base64url_encode(from, piece, text));
		from += piece;
		n -= piece;
	}
}

static void
put_number(struct str *out, const char *member, const uint8_t *octets, size_t n)
{
	str_printf(out, "\"%s\":\"", member);
	acme_put_base64url(out, octets, n);
	str_char(out, '"');
}

err_t
acme_jwk(const struct pkey *key, struct str *out)
{
	struct pkey_numbers numbers;
	TRY(pkey_numbers(key, &numbers));
	if (numbers.crv == NULL) {
		str_char(out, '{');
		put_number(out, "e", numbers.e_or_y, numbers.e_or_y_len);
		str_printf(out, ",\"kty\":\"%s\",", numbers.kty);
		put_number(out, "n", numbers.n_or_x, numbers.n_or_x_len);
	} else {
		str_printf(out, "{\"crv\":\"%s\",\"kty\":\"%s\",", numbers.crv, numbers.kty);
		put_number(out, "x", numbers.n_or_x, numbers.n_or_x_len);
		if (numbers.e_or_y_len != 0) {
			str_char(out, ',');
			put_number(out, "y", numbers.e_or_y, numbers.e_or_y_len);
		}
	}
	str_char(out, '}');
	return out->err;
}

static err_t
hash_text(const char *a, size_t a_len, const char *b, size_t b_len, char out[ACME_THUMBPRINT_LEN + 1])
{
	uint8_t digest[SHA256_LEN];
	TRY(sha256(a, a_len, b, b_len, digest));
	out[base64url_encode(digest, sizeof digest, out)] = '\0';
	return OK;
}

err_t
acme_thumbprint(const struct pkey *key, char out[ACME_THUMBPRINT_LEN + 1])
{
	struct str jwk = { 0 };
	err_t err = acme_jwk(key, &jwk);
	if (err == OK) {
		err = hash_text(jwk.s, jwk.len, "", 0, out);
	}
	str_fini(&jwk);
	return err;
}

err_t
acme_dns_value(const char *token, const char *thumbprint, char out[ACME_THUMBPRINT_LEN + 1])
{
	struct str both = { 0 };
	str_printf(&both, "%s.%s", token, thumbprint);
	err_t err = both.err == OK ? hash_text(both.s, both.len, "", 0, out) : both.err;
	str_fini(&both);
	return err;
}

/* The protected header of a request, not encoded. */
static err_t
put_header(const struct pkey *key, const struct acme_jws *jws, struct str *out)
{
	const char *alg = pkey_jws_alg(key);
	if (alg == NULL) {
		return E_UNSUPPORTED;
	}
	str_printf(out, "{\"alg\":\"%s\",", alg);
	if (jws->kid != NULL) {
		str_cat(out, "\"kid\":");
		acme_json_quote(out, jws->kid);
	} else {
		str_cat(out, "\"jwk\":");
		TRY(acme_jwk(key, out));
	}
	str_cat(out, ",\"nonce\":");
	acme_json_quote(out, jws->nonce);
	str_cat(out, ",\"url\":");
	acme_json_quote(out, jws->url);
	str_char(out, '}');
	return out->err;
}

static err_t
sign_with_key(const struct pkey *key, const struct str *input, uint8_t *room, size_t *len)
{
	struct buf signature = buf_over(room, PKEY_SIGNATURE_MAX);
	TRY(pkey_sign(key, input->s, input->len, &signature));
	*len = signature.len;
	return signature.err;
}

static err_t
sign_with_secret(const struct acme_binding *binding, const struct str *input, uint8_t *room, size_t *len)
{
	[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
	TRY(hmac_begin(HMAC_SHA256, binding->key, binding->key_len, &h));
	TRY(hmac_update(h, input->s, input->len));
	return hmac_finish(h, room, len);
}

/* Header and payload become the signing input (RFC 7515 5.1), and then the three members. */
static err_t
put_signed(const struct pkey *key, const struct acme_binding *binding, const struct str *header, const char *payload, size_t n,
           struct str *out)
{
	uint8_t signature[PKEY_SIGNATURE_MAX];
	size_t len = 0;
	struct str input = { 0 };
	acme_put_base64url(&input, header->s, header->len);
	size_t header_len = input.len;
	str_char(&input, '.');
	acme_put_base64url(&input, payload, n);
	err_t err = input.err;
	if (err == OK) {
		err = binding != NULL ? sign_with_secret(binding, &input, signature, &len) : sign_with_key(key, &input, signature, &len);
	}
	if (err == OK) {
		str_cat(out, "{\"protected\":\"");
		str_put(out, input.s, header_len);
		str_cat(out, "\",\"payload\":\"");
		str_put(out, input.s + header_len + 1, input.len - header_len - 1);
		str_cat(out, "\",\"signature\":\"");
		acme_put_base64url(out, signature, len);
		str_cat(out, "\"}");
		err = out->err;
	}
	str_fini(&input);
	return err;
}

err_t
acme_jws_sign(const struct pkey *key, const struct acme_jws *jws, struct str *out)
{
	struct str header = { 0 };
	err_t err = put_header(key, jws, &header);
	if (err == OK) {
		err = put_signed(key, NULL, &header, jws->payload, jws->payload_len, out);
	}
	str_fini(&header);
	return err;
}

err_t
acme_jws_bind(const struct pkey *key, const struct acme_binding *binding, struct str *out)
{
	struct str header = { 0 }, jwk = { 0 };
	err_t err = acme_jwk(key, &jwk);
	str_cat(&header, "{\"alg\":\"HS256\",\"kid\":");
	acme_json_quote(&header, binding->kid);
	str_cat(&header, ",\"url\":");
	acme_json_quote(&header, binding->url);
	str_char(&header, '}');
	err = err == OK ? header.err : err;
	if (err == OK) {
		err = put_signed(key, binding, &header, jwk.s, jwk.len, out);
	}
	str_fini(&header);
	str_fini(&jwk);
	return err;
}
