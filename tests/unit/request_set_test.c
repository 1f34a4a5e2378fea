#include "acme/request_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "certificates.h"
#include "named.h"

enum { NOW = 1800000000, DAY = 86400 };

static const struct acme_span till_tomorrow = { NOW, NOW + DAY };

static void
assert_name(err_t (*make)(const uint8_t *, struct name *), const char *from, const char *want)
{
	char text[NAME_TEXT_MAX];
	struct name made;
	assert_int_equal(make(named(from).oct, &made), OK);
	assert_int_equal(made.len, name_len(made.oct));
	(void)name_print(made.oct, text);
	assert_string_equal(text, want);
}

static void
names_are_made(void **state)
{
	(void)state;
	assert_name(acme_tlsa_name, "www.example.", "_letsencrypt._tcp.www.example.");
	assert_name(acme_status_name, "www.example.", "_status._letsencrypt._tcp.www.example.");
	assert_name(acme_challenge_name, "www.example.", "_acme-challenge.www.example.");
	assert_name(acme_challenge_name, "*.example.", "_acme-challenge.example.");
	assert_name(acme_persist_name, "*.example.", "_validation-persist.example.");
}

static void
names_are_bounded(void **state)
{
	(void)state;
	struct name n = named("a."), made = { .len = 0 };
	while (n.len + 18 < NAME_WIRE_MAX) { /* 18: _letsencrypt._tcp. */
		struct name longer;
		assert_int_equal(name_join((const uint8_t[]){ 1, 'a', 0 }, 2, n.oct, &longer), OK);
		n = longer;
	}
	assert_int_equal(acme_tlsa_name(n.oct, &made), n.len + 18 <= NAME_WIRE_MAX ? OK : E_NAMELEN);
	assert_int_equal(acme_status_name(n.oct, &made), E_NAMELEN);
}

static void
hosts_are_found_by_their_owner(void **state)
{
	(void)state;
	struct name owner = named("_LetsEncrypt._tcp.www.example."), other = named("_letsencrypt._udp.www.example.");
	assert_true(name_is_equal(acme_tlsa_host(owner.oct), named("www.example.").oct));
	assert_null(acme_tlsa_host(other.oct));
	assert_null(acme_tlsa_host(named("_letsencrypt.").oct));
	assert_null(acme_tlsa_host(name_root));
	assert_true(name_is_root(acme_tlsa_host(named("_letsencrypt._tcp.").oct)));
}

static void
records_have_a_use(void **state)
{
	(void)state;
	assert_int_equal(acme_tlsa_use((const uint8_t[]){ 3, 255, 0, 0x30 }, 4), ACME_REQUEST);
	assert_int_equal(acme_tlsa_use((const uint8_t[]){ 3, 0, 0, 0x30 }, 4), ACME_CERT);
	assert_int_equal(acme_tlsa_use((const uint8_t[]){ 0, 0, 0, 0x30 }, 4), ACME_CHAIN);
	assert_int_equal(acme_tlsa_use((const uint8_t[]){ 0, 0, 0, 0x30 }, 3), ACME_OTHER);
	assert_int_equal(acme_tlsa_use((const uint8_t[]){ 3, 1, 1, 0x30 }, 4), ACME_OTHER);
}

/* ---- sets ---- */

static void
add(struct acme_set *s, const uint8_t head[ACME_DER_AT], const uint8_t *der, size_t len)
{
	uint8_t *rdata = malloc(ACME_DER_AT + len);
	memcpy(rdata, head, ACME_DER_AT);
	memcpy(rdata + ACME_DER_AT, der, len);
	acme_set_add(s, rdata, ACME_DER_AT + len);
	free(rdata);
}

static const uint8_t request_head[] = { 3, 255, 0 }, cert_head[] = { 3, 0, 0 }, chain_head[] = { 0, 0, 0 };

static struct cert *
leaf(const struct pkey *key, const struct pkey *signer, const char *names, int64_t from_s, int64_t until_s)
{
	return make_cert(&(struct making){ "", "CA", key, signer, names, false, from_s, until_s, 1 });
}

static void
certificates_fit_by_key_names_and_time(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example", "*.example" };
	static const char both[] = "DNS:*.example,DNS:www.example,DNS:more.example";
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one"), *other = key_of(PKEY_P256, "other");
	[[gnu::cleanup(csr_free)]] struct csr *r = request_for(k, names, 2);
	const struct {
		const struct pkey *key;
		const char *names;
		int64_t from_s, until_s;
		bool fits;
	} cases[] = {
		{ k, both, NOW, NOW + DAY, true },
		{ other, both, NOW, NOW + DAY, false },
		{ k, "DNS:*.example", NOW, NOW + DAY, false }, /* a wildcard is not the names that it covers */
		{ k, NULL, NOW, NOW + DAY, false },
		{ k, both, NOW + 1, NOW + DAY, false },
		{ k, both, NOW, NOW + DAY - 1, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		[[gnu::cleanup(cert_free)]] struct cert *c = leaf(cases[i].key, other, cases[i].names, cases[i].from_s, cases[i].until_s);
		assert_int_equal(acme_cert_fits(c, r, till_tomorrow), cases[i].fits);
	}
}

static void
the_one_that_expires_last_is_found(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example" };
	struct acme_set s = { 0 };
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one");
	[[gnu::cleanup(csr_free)]] struct csr *r = request_for(k, names, 1);
	static const int64_t ends[] = { NOW + 2 * DAY, NOW + 90 * DAY, NOW + 9 * DAY };
	assert_null(acme_set_find(&s, r, till_tomorrow));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		[[gnu::cleanup(cert_free)]] struct cert *c = leaf(k, k, "DNS:www.example", NOW - DAY, ends[i]);
		add(&s, cert_head, c->der, c->der_len);
		add(&s, chain_head, c->der, c->der_len);
	}
	add(&s, request_head, r->der, r->der_len);
	assert_int_equal(acme_set_find(&s, s.request, till_tomorrow)->not_after_s, NOW + 90 * DAY);
	assert_int_equal(s.chain_n, 3);
	acme_set_fini(&s);
	assert_int_equal(s.cert_n, 0);
}

/* Of CAs whose certificates are good for hours none would ever be valid until tomorrow. */
static void
a_short_life_need_not_last_until_tomorrow(void **state)
{
	(void)state;
	enum { HOUR = 3600 };
	static const char *const names[] = { "www.example" };
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one");
	[[gnu::cleanup(csr_free)]] struct csr *r = request_for(k, names, 1);
	const struct {
		int64_t life_s, left_s;
		bool lasts;
	} cases[] = {
		{ 90 * DAY, DAY, true },
		{ 90 * DAY, DAY - 1, false },
		{ 4 * DAY, DAY, true },
		{ 4 * DAY, DAY - 1, false },
		{ 2 * DAY, DAY / 2, true },
		{ 2 * DAY, DAY / 2 - 1, false },
		{ 12 * HOUR, 3 * HOUR, true },
		{ 12 * HOUR, 3 * HOUR - 1, false },
		{ 12 * HOUR, 12 * HOUR + 1, false }, /* not yet */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct acme_set s = { 0 };
		int64_t until_s = NOW + cases[i].left_s;
		[[gnu::cleanup(cert_free)]] struct cert *c = leaf(k, k, "DNS:www.example", until_s - cases[i].life_s, until_s);
		add(&s, cert_head, c->der, c->der_len);
		const struct cert *found[ACME_CERTS_MAX];
		assert_int_equal(acme_set_find_lasting(&s, r, NOW, found), cases[i].lasts);
		acme_set_fini(&s);
	}
}

/* The first may lack its chain: so all are shown. */
static void
all_that_last_are_found_in_their_order(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example" };
	static const int64_t ends[] = { NOW + 9 * DAY, NOW + 90 * DAY, NOW + DAY / 2, NOW + 30 * DAY, NOW + 90 * DAY };
	static const size_t order[] = { 1, 4, 3, 0 };
	struct acme_set s = { 0 };
	const struct cert *found[ACME_CERTS_MAX];
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one"), *other = key_of(PKEY_P256, "other");
	[[gnu::cleanup(csr_free)]] struct csr *r = request_for(k, names, 1), *o = request_for(other, names, 1);
	assert_int_equal(acme_set_find_lasting(&s, r, NOW, found), 0);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		[[gnu::cleanup(cert_free)]] struct cert *c = leaf(k, k, "DNS:www.example", NOW - 60 * DAY, ends[i]);
		add(&s, cert_head, c->der, c->der_len);
	}
	assert_int_equal(acme_set_find_lasting(&s, r, NOW, found), ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_ptr_equal(found[i], s.cert[order[i]]);
	}
	assert_int_equal(acme_set_find_lasting(&s, o, NOW, found), 0);
	acme_set_fini(&s);
}

static void
one_request_is_the_request(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example" };
	struct acme_set s = { 0 };
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one"), *other = key_of(PKEY_P256, "other");
	[[gnu::cleanup(csr_free)]] struct csr *r = request_for(k, names, 1), *again = request_for(k, names, 1), *o = request_for(other, names, 1);
	assert_true(acme_request_is_same(r, again)); /* its signature is another one */
	assert_false(acme_request_is_same(r, o));
	add(&s, request_head, (const uint8_t *)"nonsense", 8);
	assert_null(s.request);
	assert_int_equal(s.request_err, E_FORMAT);
	acme_set_fini(&s);
	add(&s, request_head, r->der, r->der_len);
	assert_non_null(s.request);
	add(&s, request_head, o->der, o->der_len);
	assert_null(s.request);
	assert_int_equal(s.requests_n, 2);
	acme_set_fini(&s);
}

static void
sets_are_bounded(void **state)
{
	(void)state;
	struct acme_set s = { 0 };
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one");
	[[gnu::cleanup(cert_free)]] struct cert *c = leaf(k, k, NULL, NOW, NOW);
	for (size_t i = 0; i < 100; i++) {
		add(&s, cert_head, c->der, c->der_len);
		add(&s, chain_head, c->der, c->der_len);
	}
	assert_int_equal(s.cert_n, ACME_CERTS_MAX);
	assert_int_equal(s.chain_n, ACME_CHAIN_RECORDS_MAX);
	assert_int_equal(s.left_out_n, 200 - ACME_CERTS_MAX - ACME_CHAIN_RECORDS_MAX);
	acme_set_fini(&s);
}

static void
requests_stay_below_their_host(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example", "*.www.example", "a.b.www.example", "xwww.example" };
	[[gnu::cleanup(pkey_free)]] struct pkey *k = key_of(PKEY_P256, "one");
	[[gnu::cleanup(csr_free)]] struct csr *inside = request_for(k, names, 3), *outside = request_for(k, names, 4);
	[[gnu::cleanup(csr_free)]] struct csr *wildcard = request_for(k, names + 1, 1);
	assert_null(acme_request_outside(inside, named("WWW.example.").oct));
	assert_string_equal(acme_request_outside(outside, named("www.example.").oct), "xwww.example");
	assert_null(acme_request_outside(outside, named("example.").oct));
	assert_string_equal(acme_request_outside(wildcard, named("a.www.example.").oct), "*.www.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(hosts_are_found_by_their_owner),
		cmocka_unit_test(records_have_a_use),
		cmocka_unit_test(certificates_fit_by_key_names_and_time),
		cmocka_unit_test(the_one_that_expires_last_is_found),
		cmocka_unit_test(a_short_life_need_not_last_until_tomorrow),
		cmocka_unit_test(all_that_last_are_found_in_their_order),
		cmocka_unit_test(one_request_is_the_request),
		cmocka_unit_test(sets_are_bounded),
		cmocka_unit_test(requests_stay_below_their_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
