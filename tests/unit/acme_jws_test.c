#include "acme/jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/enc.h"
#include "crypto/pkey.h"

/* The key of RFC 8037 appendix A. */
static struct pkey *
key_of_rfc8037(void)
{
	static const char d[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
	uint8_t octets[32];
	size_t n;
	struct pkey *key = NULL;
	assert_int_equal(base64url_decode(d, sizeof d - 1, octets, sizeof octets, &n), OK);
	assert_int_equal(pkey_from_octets(PKEY_ED25519, octets, n, &key), OK);
	return key;
}

/* The public key of RFC 7638 3.1. */
static struct pkey *
key_of_rfc7638(void)
{
	static const char der[] =
	        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbf"
	        "AAtVT86zwu1RK7aPFFxuhDR1L6tSoc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt7/RN5w6C"
	        "f0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+"
	        "bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDKgwIDAQAB";
	uint8_t octets[512];
	size_t n;
	struct pkey *key = NULL;
	assert_int_equal(base64_decode(der, sizeof der - 1, octets, sizeof octets, &n), OK);
	assert_int_equal(pkey_from_public(octets, n, &key), OK);
	return key;
}

static void
thumbprints_are_those_of_the_rfcs(void **state)
{
	struct pkey *ed = key_of_rfc8037(), *rsa = key_of_rfc7638();
	char thumbprint[ACME_THUMBPRINT_LEN + 1];
	struct str jwk = { 0 };
	(void)state;
	assert_int_equal(acme_jwk(ed, &jwk), OK);
	assert_string_equal(jwk.s, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
	assert_int_equal(acme_thumbprint(ed, thumbprint), OK);
	assert_string_equal(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	assert_int_equal(acme_thumbprint(rsa, thumbprint), OK);
	assert_string_equal(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	str_fini(&jwk);
	pkey_free(&ed);
	pkey_free(&rsa);
}

/* Known answers, made with python3-cryptography: this kind of signature has no random numbers. */
static void
requests_are_signed(void **state)
{
	static const char payload[] = "{\"a\":1}";
	const struct acme_jws jws = { .nonce = "abc", .url = "https://ca.example/new-order", .kid = "https://ca.example/acct/1",
		                      .payload = payload, .payload_len = sizeof payload - 1 };
	struct pkey *key = key_of_rfc8037();
	struct str out = { 0 };
	(void)state;
	assert_int_equal(acme_jws_sign(key, &jws, &out), OK);
	assert_string_equal(out.s, "{\"protected\":\"eyJhbGciOiJFZERTQSIsImtpZCI6Imh0dHBzOi8vY2EuZXhhbXBsZS9hY2N0LzEiLCJub25jZSI6ImFiYyIsI"
	                           "nVybCI6Imh0dHBzOi8vY2EuZXhhbXBsZS9uZXctb3JkZXIifQ\",\"payload\":\"eyJhIjoxfQ\",\"signature\":\""
	                           "Fy9J-uy8Md4Uk7Sey0vH3hKywkzCPJeoqtAp3aDzTKID5UIwMnPJO1N6C0NDD0Pzwy3C0B0bi74wMxqpX3g0DQ\"}");
	str_fini(&out);
	pkey_free(&key);
}

static void
accounts_are_bound(void **state)
{
	const struct acme_binding binding = { .kid = "kid-1", .key = (const uint8_t *)"secret", .key_len = 6,
		                              .url = "https://ca.example/new-account" };
	struct pkey *key = key_of_rfc8037();
	struct str out = { 0 };
	(void)state;
	assert_int_equal(acme_jws_bind(key, &binding, &out), OK);
	assert_string_equal(out.s, "{\"protected\":\"eyJhbGciOiJIUzI1NiIsImtpZCI6ImtpZC0xIiwidXJsIjoiaHR0cHM6Ly9jYS5leGFtcGxlL25ldy1hY2Nvd"
	                           "W50In0\",\"payload\":\"eyJjcnYiOiJFZDI1NTE5Iiwia3R5IjoiT0tQIiwieCI6IjExcVlBWUt4Q3JmVlNfN1R5V1FIT2c3"
	                           "aGN2UGFwaU1scndJYWFQY0hVUm8ifQ\",\"signature\":\"6Wgid-e1bPMwT1JdwVd_pRK9sDOI2u0ARQ9C1vnfECo\"}");
	str_fini(&out);
	pkey_free(&key);
}

static void
a_post_as_get_has_no_payload(void **state)
{
	const struct acme_jws jws = { .nonce = "abc", .url = "https://ca.example/x", .payload = "" };
	struct pkey *key = key_of_rfc8037();
	struct str out = { 0 };
	(void)state;
	assert_int_equal(acme_jws_sign(key, &jws, &out), OK);
	assert_non_null(strstr(out.s, "\",\"payload\":\"\",\"signature\":\""));
	str_fini(&out);
	pkey_free(&key);
}

static void
a_proof_is_a_hash_of_token_and_key(void **state)
{
	char value[ACME_THUMBPRINT_LEN + 1];
	(void)state;
	assert_int_equal(acme_dns_value("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	                                value), OK);
	assert_string_equal(value, "lAV291d372xyXVEZRY9j2FQ8g1TYpOaJr620CiahePA");
}

static void
long_payloads_are_encoded_whole(void **state)
{
	char text[2000], decoded[2000];
	struct str out = { 0 };
	size_t n;
	(void)state;
	for (size_t i = 0; i < sizeof text; i++) {
		text[i] = (char)(i * 7);
	}
	acme_put_base64url(&out, text, sizeof text);
	assert_int_equal(out.len, ENC_BASE64URL_LEN(sizeof text));
	assert_int_equal(base64url_decode(out.s, out.len, (uint8_t *)decoded, sizeof decoded, &n), OK);
	assert_memory_equal(decoded, text, sizeof text);
	str_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thumbprints_are_those_of_the_rfcs),
		cmocka_unit_test(requests_are_signed),
		cmocka_unit_test(accounts_are_bound),
		cmocka_unit_test(a_post_as_get_has_no_payload),
		cmocka_unit_test(a_proof_is_a_hash_of_token_and_key),
		cmocka_unit_test(long_payloads_are_encoded_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
