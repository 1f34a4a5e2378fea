#include "dns/tsig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/enc.h"
#include "dns/rrtype.h"
#include "tsig_vectors.h"

enum { CAP = 1024 };

struct wire {
	size_t n;
	uint8_t p[CAP];
};

static struct wire
copy(struct octets o)
{
	struct wire w = { .n = o.n };
	assert_true(o.n <= CAP);
	memcpy(w.p, o.p, o.n);
	return w;
}

static struct tsig_key
vector_key(enum hmac_alg alg)
{
	struct tsig_key key = { .alg = alg, .secret_len = sizeof vector_secret };
	assert_int_equal(name_parse(VECTOR_KEY_NAME, strlen(VECTOR_KEY_NAME), NULL, &key.name), OK);
	memcpy(key.secret, vector_secret, sizeof vector_secret);
	return key;
}

static struct msg
parsed(const uint8_t *wire, size_t n)
{
	struct msg m;
	assert_int_equal(msg_parse(wire, n, &m), OK);
	return m;
}

static err_t
verify_request(struct tsig *t, const struct wire *w, const struct tsig_key *key, uint64_t now_s)
{
	struct msg m = parsed(w->p, w->n);
	return tsig_verify_request(t, &m, key, now_s);
}

static err_t
verify_response(struct tsig *t, const uint8_t *wire, size_t n, uint64_t now_s)
{
	struct msg m = parsed(wire, n);
	return tsig_verify_response(t, &m, now_s);
}

static void
assert_same(const struct wire *w, struct octets want)
{
	assert_int_equal(w->n, want.n);
	assert_memory_equal(w->p, want.p, want.n);
}

static void
we_sign_as_dnspython_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct tsig_key key = vector_key(v->alg);
		struct tsig client = { .key = &key }, server = { 0 };
		struct wire request = copy(v->request), response = copy(v->response);
		assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
		assert_same(&request, v->signed_request);
		assert_int_equal(verify_request(&server, &request, &key, VECTOR_NOW_S + 300), OK);
		assert_int_equal(tsig_sign_response(&server, response.p, &response.n, CAP, VECTOR_NOW_S), OK);
		assert_same(&response, v->signed_response);
		assert_int_equal(verify_response(&client, response.p, response.n, VECTOR_NOW_S - 300), OK);
		assert_true(tsig_chain_is_closed(&client));
		tsig_fini(&client);
		tsig_fini(&server);
	}
}

/* Whatever octet is changed, it is not taken for the key's word.  Except: the ID (the original one is
 * signed) and the case of names. */
static void
no_octet_can_be_changed(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA256);
	for (size_t at = 2; at < vectors[2].signed_request.n; at++) {
		struct wire w = copy(vectors[2].signed_request);
		w.p[at] ^= 0x01;
		struct msg m;
		struct tsig t = { 0 };
		if (msg_parse(w.p, w.n, &m) == OK && m.has_tsig) {
			err_t err = tsig_verify_request(&t, &m, &key, VECTOR_NOW_S);
			assert_true(err == E_AUTH || err == E_FORMAT);
			assert_int_equal(err == E_AUTH, t.error != 0);
		}
	}
	struct wire w = copy(vectors[2].signed_request);
	struct tsig t = { 0 };
	w.p[0] ^= 1;
	assert_int_equal(verify_request(&t, &w, &key, VECTOR_NOW_S), OK);
	assert_int_equal(t.original_id, 0xBEEF);
}

/* Whoever forwards a request gives it another ID, and the answer the first one again (RFC 2136 6.1, 6.7). */
static void
an_answer_has_the_original_id(void **state)
{
	(void)state;
	const struct vector *v = &vectors[2];
	struct tsig_key key = vector_key(v->alg);
	struct wire request = copy(v->request), forwarded, answer = copy(v->request);
	struct tsig server = { 0 }, client = { .key = &key };
	assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
	forwarded = request;
	forwarded.p[0] ^= 0xFF;
	assert_int_equal(verify_request(&server, &forwarded, &key, VECTOR_NOW_S), OK);
	answer.p[0] = forwarded.p[0];
	answer.p[2] |= 0x80;
	assert_int_equal(tsig_sign_response(&server, answer.p, &answer.n, CAP, VECTOR_NOW_S), OK);
	answer.p[0] = request.p[0];
	struct msg m = parsed(answer.p, answer.n);
	assert_memory_equal(answer.p + m.tsig.rdata_at + m.tsig.rdlength - 6, request.p, 2); /* then error, and length of other data */
	assert_int_equal(verify_response(&client, answer.p, answer.n, VECTOR_NOW_S), OK);
	tsig_fini(&client);
	tsig_fini(&server);
}

static void
answer_error(struct tsig *t, const struct vector *v, struct wire *w, uint64_t now_s)
{
	*w = copy(v->request);
	w->p[2] |= 0x80;
	w->p[3] = RCODE_NOTAUTH;
	assert_int_equal(tsig_sign_error(t, w->p, &w->n, CAP, now_s), OK);
}

static void
unknown_key_is_answered_unsigned(void **state)
{
	(void)state;
	const struct vector *v = &vectors[2];
	struct wire w = copy(v->signed_request);
	struct tsig_key key = vector_key(HMAC_SHA256), other = vector_key(HMAC_SHA384);
	struct tsig server = { 0 }, client = { .key = &key };
	struct name name;
	struct msg m = parsed(w.p, w.n);
	assert_int_equal(tsig_key_name(&m, &name), OK);
	assert_true(name_is_equal(name.oct, key.name.oct));
	assert_int_equal(verify_request(&server, &w, &other, VECTOR_NOW_S), E_AUTH);
	assert_int_equal(server.error, RCODE_BADKEY); /* the algorithm is part of the key */
	assert_int_equal(verify_request(&server, &w, NULL, VECTOR_NOW_S), E_AUTH);
	assert_int_equal(server.error, RCODE_BADKEY);

	struct wire answer;
	answer_error(&server, v, &answer, VECTOR_NOW_S);
	m = parsed(answer.p, answer.n);
	assert_true(m.has_tsig);
	assert_int_equal(m.tsig.rdlength, 13 + 16); /* no MAC, no other data */
	struct wire request = copy(v->request);
	assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
	assert_int_equal(verify_response(&client, answer.p, answer.n, VECTOR_NOW_S), E_AUTH);
	assert_int_equal(client.error, RCODE_BADKEY);
	assert_true(client.is_peer_error);
	assert_false(client.is_error_signed);
}

static void
wrong_secret_is_answered_unsigned(void **state)
{
	(void)state;
	struct wire w = copy(vectors[2].signed_request), answer;
	struct tsig_key key = vector_key(HMAC_SHA256);
	key.secret[0] ^= 1;
	struct tsig server = { 0 };
	/* The time is wrong too, but without the secret nobody is told (RFC 8945 5.2). */
	assert_int_equal(verify_request(&server, &w, &key, VECTOR_NOW_S + 9999), E_AUTH);
	assert_int_equal(server.error, RCODE_BADSIG);
	answer_error(&server, &vectors[2], &answer, VECTOR_NOW_S);
	struct msg m = parsed(answer.p, answer.n);
	assert_int_equal(m.tsig.rdlength, 13 + 16);
}

static void
wrong_time_is_answered_signed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct wire w = copy(v->signed_request), answer, request = copy(v->request);
		struct tsig_key key = vector_key(v->alg);
		struct tsig server = { 0 }, client = { .key = &key };
		assert_int_equal(verify_request(&server, &w, &key, VECTOR_NOW_S + 301), E_AUTH);
		assert_int_equal(server.error, RCODE_BADTIME);
		assert_int_equal(verify_request(&server, &w, &key, VECTOR_NOW_S - 301), E_AUTH);
		assert_int_equal(server.error, RCODE_BADTIME);
		answer_error(&server, v, &answer, VECTOR_NOW_S + 3600);
		/* dnspython makes another header (RA, AD, ...): verify its own with our client */
		assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
		assert_int_equal(verify_response(&client, v->bad_time.p, v->bad_time.n, VECTOR_NOW_S), E_AUTH);
		assert_int_equal(client.error, RCODE_BADTIME);
		assert_true(client.is_peer_error && client.is_error_signed);
		assert_int_equal(client.server_time_s, VECTOR_NOW_S + 3600);
		request = copy(v->request);
		assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
		client.server_time_s = 0;
		assert_int_equal(verify_response(&client, answer.p, answer.n, VECTOR_NOW_S), E_AUTH);
		assert_true(client.is_peer_error && client.is_error_signed);
		assert_int_equal(client.server_time_s, VECTOR_NOW_S + 3600);
	}
}

/* The signed request with the MAC cut to `n` octets. */
static struct wire
with_mac_cut(const struct vector *v, size_t n)
{
	struct wire w = copy(v->signed_request);
	struct msg m = parsed(w.p, w.n);
	size_t whole = hmac_len(v->alg), mac_at = w.n - 6 - whole;
	memmove(w.p + mac_at + n, w.p + mac_at + whole, 6);
	w.p[mac_at - 1] = (uint8_t)n;
	w.n -= whole - n;
	w.p[m.tsig.rdata_at - 1] = (uint8_t)(m.tsig.rdlength - (whole - n));
	return w;
}

static void
truncated_macs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct tsig_key key = vector_key(v->alg);
		size_t whole = hmac_len(v->alg);
		for (size_t n = 0; n < whole; n++) {
			struct wire w = with_mac_cut(v, n), answer, request = copy(v->request);
			struct tsig t = { 0 }, client = { .key = &key };
			err_t err = verify_request(&t, &w, &key, VECTOR_NOW_S);
			bool may = n >= 10 && n >= whole / 2;
			assert_int_equal(err, may ? E_AUTH : E_FORMAT);
			if (!may) {
				continue;
			}
			assert_int_equal(t.error, RCODE_BADTRUNC);
			answer_error(&t, v, &answer, VECTOR_NOW_S);
			assert_int_equal(tsig_sign_request(&client, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
			client.mac_len = n; /* what was sent is what the answer signs (RFC 8945 5.2.2.1) */
			assert_int_equal(verify_response(&client, answer.p, answer.n, VECTOR_NOW_S), E_AUTH);
			assert_int_equal(client.error, RCODE_BADTRUNC);
			assert_true(client.is_error_signed);
		}
		/* the last octet that is left is wrong: it counts */
		struct wire w = with_mac_cut(v, whole - 1);
		struct tsig t = { 0 };
		w.p[w.n - 7] ^= 1;
		assert_int_equal(verify_request(&t, &w, &key, VECTOR_NOW_S), E_AUTH);
		assert_int_equal(t.error, RCODE_BADSIG);
	}
}

static struct tsig
chain_client(const struct tsig_key *key)
{
	struct tsig t = { .key = key };
	struct wire request = copy(vectors[2].request);
	assert_int_equal(tsig_sign_request(&t, request.p, &request.n, CAP, VECTOR_NOW_S), OK);
	assert_same(&request, vectors[2].signed_request);
	return t;
}

static void
chains_are_verified(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA256);
	const struct octets *both[] = { chain, chain_with_gap };
	for (size_t k = 0; k < 2; k++) {
		struct tsig t = chain_client(&key);
		assert_false(tsig_chain_is_closed(&t));
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(verify_response(&t, both[k][i].p, both[k][i].n, VECTOR_NOW_S), OK);
			assert_int_equal(tsig_chain_is_closed(&t), k == 0 || i == 0 || i == 3);
		}
		tsig_fini(&t);
	}
}

static void
chains_are_signed_as_dnspython_does(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA256);
	struct wire request = copy(vectors[2].signed_request);
	struct tsig server = { 0 };
	assert_int_equal(verify_request(&server, &request, &key, VECTOR_NOW_S), OK);
	for (size_t i = 0; i < 4; i++) {
		struct msg m = parsed(chain[i].p, chain[i].n);
		struct wire w = { .n = m.tsig.at }; /* as it was before */
		memcpy(w.p, chain[i].p, w.n);
		w.p[11]--;
		assert_int_equal(tsig_sign_response(&server, w.p, &w.n, CAP, VECTOR_NOW_S + i), OK);
		assert_same(&w, chain[i]);
	}
	tsig_fini(&server);
}

static void
broken_chains_are_refused(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA256);
	struct tsig t = chain_client(&key);
	/* the first message has to be signed */
	assert_int_equal(verify_response(&t, chain_with_gap[1].p, chain_with_gap[1].n, VECTOR_NOW_S), E_NOTFOUND);
	/* one left out */
	assert_int_equal(verify_response(&t, chain[0].p, chain[0].n, VECTOR_NOW_S), OK);
	assert_int_equal(verify_response(&t, chain[2].p, chain[2].n, VECTOR_NOW_S), E_AUTH);
	assert_int_equal(t.error, RCODE_BADSIG);
	assert_false(t.is_peer_error);
	tsig_fini(&t);
	/* order changed among the unsigned ones */
	t = chain_client(&key);
	static const size_t order[] = { 0, 2, 1 };
	for (size_t i = 0; i < 3; i++) {
		const struct octets *o = &chain_with_gap[order[i]];
		assert_int_equal(verify_response(&t, o->p, o->n, VECTOR_NOW_S), OK);
	}
	assert_int_equal(verify_response(&t, chain_with_gap[3].p, chain_with_gap[3].n, VECTOR_NOW_S), E_AUTH);
	tsig_fini(&t);
	/* 99 unsigned in a row are allowed, the hundredth is not (RFC 8945 5.3.1) */
	t = chain_client(&key);
	assert_int_equal(verify_response(&t, chain[0].p, chain[0].n, VECTOR_NOW_S), OK);
	for (int i = 0; i < 99; i++) {
		assert_int_equal(verify_response(&t, chain_with_gap[1].p, chain_with_gap[1].n, VECTOR_NOW_S), OK);
	}
	assert_int_equal(verify_response(&t, chain_with_gap[1].p, chain_with_gap[1].n, VECTOR_NOW_S), E_NOTFOUND);
	assert_false(tsig_chain_is_closed(&t));
	tsig_fini(&t);
}

static void
room_is_respected(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA512);
	size_t want = vectors[4].signed_request.n;
	for (size_t cap = vectors[4].request.n; cap <= want; cap++) {
		struct tsig t = { .key = &key };
		struct wire w = copy(vectors[4].request);
		err_t err = tsig_sign_request(&t, w.p, &w.n, cap, VECTOR_NOW_S);
		assert_int_equal(err, cap < want ? E_FULL : OK);
		assert_int_equal(w.n, cap < want ? vectors[4].request.n : want);
		assert_int_equal(w.p[11], vectors[4].request.p[11] + (cap < want ? 0 : 1));
	}
}

static void
malformed_records(void **state)
{
	(void)state;
	struct tsig_key key = vector_key(HMAC_SHA256);
	static const struct { int at; uint8_t v; } changes[] = { /* offsets from the RDATA */
		{ -7, 1 },  /* class not ANY */
		{ -3, 1 },  /* TTL not 0 */
		{ 0, 0xC0 }, /* algorithm name compressed */
		{ 0, 12 },  /* algorithm name cut */
		{ 22, 31 }, /* MAC shorter than it is */
		{ 22, 33 }, /* and longer */
		{ 60, 1 },  /* other data that is not there */
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct wire w = copy(vectors[2].signed_request);
		struct msg m = parsed(w.p, w.n);
		struct tsig t = { 0 };
		w.p[m.tsig.rdata_at + (size_t)changes[i].at] = changes[i].v;
		assert_int_equal(verify_request(&t, &w, &key, VECTOR_NOW_S), E_FORMAT);
	}
	struct msg m = parsed(vectors[2].request.p, vectors[2].request.n);
	struct tsig t = { 0 };
	struct name name;
	assert_int_equal(tsig_verify_request(&t, &m, &key, VECTOR_NOW_S), E_NOTFOUND);
	assert_int_equal(tsig_key_name(&m, &name), E_NOTFOUND);
}

static void
keys_are_parsed(void **state)
{
	(void)state;
	struct tsig_key key;
	char why[128];
	assert_int_equal(tsig_key_parse("personal._update.mirage:SHA256:kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=",
	                                &key, why), OK);
	assert_int_equal(key.alg, HMAC_SHA256);
	assert_int_equal(key.secret_len, 32);
	assert_int_equal(key.secret[0], 0x90);
	assert_int_equal(key.name.len, 25);
	assert_int_equal(tsig_key_parse("k.:hmac-SHA512:eA==", &key, why), OK);
	assert_int_equal(key.alg, HMAC_SHA512);
	assert_string_equal(tsig_alg_text(key.alg), "SHA512");

	static const struct { const char *text, *why; } bad[] = {
		{ "", "expected NAME" },       { "k", "expected NAME" },
		{ "k:SHA256", "expected NAME" }, { "hmac-sha256:k:eA==", "comes first" },
		{ "a..b:SHA256:eA==", "domain name" }, { "k:MD5:eA==", "algorithm" },
		{ "k:SHA256:", "is empty" },   { "k:SHA256:eA=", "base64" },
		{ "k:SHA256:s3cr:t", "base64" }, { "k:s3cr=:SHA256", "algorithm" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(tsig_key_parse(bad[i].text, &key, why), E_FORMAT);
		assert_non_null(strstr(why, bad[i].why));
		assert_null(strstr(why, "s3cr"));
	}
	char longest[20 + ENC_BASE64_LEN(TSIG_SECRET_MAX + 1)] = "k:sha1:";
	uint8_t zeros[TSIG_SECRET_MAX + 1] = { 0 };
	size_t n = base64_encode(zeros, TSIG_SECRET_MAX, longest + 7);
	longest[7 + n] = '\0';
	assert_int_equal(tsig_key_parse(longest, &key, why), OK);
	assert_int_equal(key.secret_len, TSIG_SECRET_MAX);
	n = base64_encode(zeros, TSIG_SECRET_MAX + 1, longest + 7);
	longest[7 + n] = '\0';
	assert_int_equal(tsig_key_parse(longest, &key, why), E_FORMAT);
	assert_non_null(strstr(why, "longer than 512"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(we_sign_as_dnspython_does),
		cmocka_unit_test(no_octet_can_be_changed),
		cmocka_unit_test(an_answer_has_the_original_id),
		cmocka_unit_test(unknown_key_is_answered_unsigned),
		cmocka_unit_test(wrong_secret_is_answered_unsigned),
		cmocka_unit_test(wrong_time_is_answered_signed),
		cmocka_unit_test(truncated_macs),
		cmocka_unit_test(chains_are_verified),
		cmocka_unit_test(chains_are_signed_as_dnspython_does),
		cmocka_unit_test(broken_chains_are_refused),
		cmocka_unit_test(room_is_respected),
		cmocka_unit_test(malformed_records),
		cmocka_unit_test(keys_are_parsed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
