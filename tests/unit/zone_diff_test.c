#include "zone_text.h"

static err_t
note(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct str *out = ctx;
	str_char(out, is_added ? '+' : '-');
	return text_print(out, rr);
}

static void
assert_diff(const struct zone *old, const struct zone *new, const char *want)
{
	struct str got = { 0 };
	assert_int_equal(zone_diff(old, new, note, &got), OK);
	assert_string_equal(str_text(&got), want);
	str_fini(&got);
}

#define HASH "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"

static void
differences_of_two_zones(void **state)
{
	(void)state;
	struct zone *old = text_zone(TEXT_APEX "gone 300 A 192.0.2.1\n"
	                                       "same 300 A 192.0.2.1\n"
	                                       "same 300 NS Ns1\n"
	                                       "set 300 A 192.0.2.1\n"
	                                       "set 300 A 192.0.2.2\n"
	                                       "set 300 A 192.0.2.3\n"
	                                       "ttl 300 A 192.0.2.1\n"
	                                       "ttl 300 A 192.0.2.2\n"
	                                       "type 300 A 192.0.2.1\n"
	                                       "empty.x 300 A 192.0.2.1\n" HASH
	                                       " 300 NSEC3 1 1 12 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
	struct zone *new = text_zone(TEXT_APEX "SAME 300 A 192.0.2.1\n"
	                                       "same 300 NS nS1\n"
	                                       "set 300 A 192.0.2.3\n"
	                                       "set 300 A 192.0.2.0\n"
	                                       "set 300 A 192.0.2.2\n"
	                                       "ttl 60 A 192.0.2.1\n"
	                                       "ttl 60 A 192.0.2.3\n"
	                                       "type 300 AAAA ::1\n"
	                                       "came 300 A 192.0.2.1\n"
	                                       "empty.y 300 A 192.0.2.1\n" HASH
	                                       " 300 NSEC3 1 1 12 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX\n");
	assert_diff(old, new,
	            "-" HASH ".example. 300 NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A\n"
	            "+" HASH ".example. 300 NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR MX\n"
	            "+came.example. 300 A 192.0.2.1\n"
	            "-gone.example. 300 A 192.0.2.1\n"
	            "-set.example. 300 A 192.0.2.1\n"
	            "+set.example. 300 A 192.0.2.0\n"
	            "-ttl.example. 300 A 192.0.2.1\n"
	            "-ttl.example. 300 A 192.0.2.2\n"
	            "+ttl.example. 60 A 192.0.2.1\n"
	            "+ttl.example. 60 A 192.0.2.3\n"
	            "-type.example. 300 A 192.0.2.1\n"
	            "+type.example. 300 AAAA ::1\n"
	            "-empty.x.example. 300 A 192.0.2.1\n"
	            "+empty.y.example. 300 A 192.0.2.1\n");
	assert_diff(old, old, "");
	assert_diff(new, new, "");
	assert_diff(NULL, NULL, "");
	zone_free(&old);
	zone_free(&new);
}

static void
a_zone_comes_and_goes(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX);
	assert_diff(NULL, z,
	            "+example. 3600 NS ns1.example.\n"
	            "+example. 3600 SOA ns1.example. hostmaster.example. 7 7200 3600 1209600 300\n"
	            "+ns1.example. 3600 A 192.0.2.1\n");
	assert_diff(z, NULL,
	            "-example. 3600 NS ns1.example.\n"
	            "-example. 3600 SOA ns1.example. hostmaster.example. 7 7200 3600 1209600 300\n"
	            "-ns1.example. 3600 A 192.0.2.1\n");
	zone_free(&z);
}

static err_t
stop(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)is_added;
	(void)rr;
	return ++*(unsigned *)ctx == 2 ? E_STOPPED : OK;
}

static err_t
stop_walk(void *ctx, const struct zone_rr *rr)
{
	return stop(ctx, false, rr);
}

static void
the_callback_may_end_it(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX);
	unsigned calls = 0;
	assert_int_equal(zone_diff(z, NULL, stop, &calls), E_STOPPED);
	assert_int_equal(calls, 2);
	calls = 0;
	assert_int_equal(zone_walk(z, stop_walk, &calls), E_STOPPED);
	assert_int_equal(calls, 2);
	zone_free(&z);
}

/* What a difference says, applied to the old zone, gives the new one. */
struct applying {
	struct zone_txn *txn;
	bool is_second_pass; /* additions come after all removals, as in an IXFR */
};

static err_t
apply(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct applying *a = ctx;
	if (is_added != a->is_second_pass) {
		return OK;
	}
	return is_added ? zone_txn_add(a->txn, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen)
	                : zone_txn_remove(a->txn, rr->owner, rr->type, rr->rdata, rr->rdlen);
}

static void
differences_make_the_new_zone(void **state)
{
	(void)state;
	static const char *const labels[] = { "a", "b", "a.b", "c.a.b", "*.a", "x.*.a" };
	unsigned seed = 5;
	struct zone *old = text_zone(TEXT_APEX);
	for (int i = 0; i < 60; i++) {
		char text[4000] = TEXT_APEX;
		for (unsigned k = 0; k < 12; k++) { /* each address once: no duplicates */
			if (rand_r(&seed) % 2 != 0) {
				snprintf(text + strlen(text), sizeof text - strlen(text), "%s %u A 192.0.2.%u\n",
				         labels[(size_t)rand_r(&seed) % ARRAY_LEN(labels)], i % 3 == 0 ? 60u : 300u, k);
			}
		}
		struct zone *new = text_zone(text), *made = NULL;
		struct applying a = { .is_second_pass = false };
		struct garbage garbage = { 0 };
		assert_int_equal(zone_txn_begin(old, &a.txn), OK);
		assert_int_equal(zone_diff(old, new, apply, &a), OK);
		a.is_second_pass = true;
		assert_int_equal(zone_diff(old, new, apply, &a), OK);
		assert_int_equal(zone_txn_commit(&a.txn, &made, &garbage), OK);
		garbage_free(&garbage);
		assert_diff(made, new, "");
		assert_int_equal(made->nodes.n, new->nodes.n);
		zone_free(&new);
		old = made;
	}
	zone_free(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences_of_two_zones),
		cmocka_unit_test(a_zone_comes_and_goes),
		cmocka_unit_test(the_callback_may_end_it),
		cmocka_unit_test(differences_make_the_new_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
