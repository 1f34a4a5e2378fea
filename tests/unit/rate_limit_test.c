#include "auth/rate_limit_p.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/now.h"

static const uint8_t key[RATE_LIMIT_KEY_LEN] = { 1, 2, 3 };
static const struct rate_limit_conf defaults = { .rate = 10, .slip = 2, .window_s = 15, .ipv4_len = 24, .ipv6_len = 56 };
static const uint8_t example[] = "\7example", www[] = "\3www\7example";

static struct key_address
v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct key_address){ .family = 4, .octets = { a, b, c, d } };
}

static struct rate_account
account_of(uint32_t network, enum rate_kind kind)
{
	return (struct rate_account){
		.from = v4((uint8_t)(network >> 16), (uint8_t)(network >> 8), (uint8_t)network, 7), .kind = kind, .about = www,
	};
}

/* How many of n answers pass at that time. */
static unsigned
pass(struct rate_limit *r, const struct rate_account *a, uint64_t now_ns, unsigned n)
{
	unsigned passed = 0;
	for (unsigned i = 0; i < n; i++) {
		passed += rate_limit_judge(r, a, now_ns, i) == RATE_PASS;
	}
	return passed;
}

static uint64_t
at(double s)
{
	return 1000 * NOW_SECOND_NS + (uint64_t)(s * (double)NOW_SECOND_NS);
}

static void
a_second_of_answers_at_once(void **state)
{
	(void)state;
	static const uint32_t rates[] = { 1, 3, 10, 200, 999, 1000000 };
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct rate_limit_conf conf = defaults;
		struct rate_account a = account_of(1, RATE_DATA);
		conf.rate = rates[i];
		struct rate_limit *r = rate_limit_new(&conf, key);
		assert_int_equal(pass(r, &a, at(0), 2 * rates[i]), rates[i]);
		rate_limit_free(&r);
	}
}

/* Whoever stays within the rate is never held back, however long that goes on. */
static void
within_the_rate(void **state)
{
	(void)state;
	struct rate_account a = account_of(1, RATE_DATA);
	struct rate_limit *r = rate_limit_new(&defaults, key);
	for (unsigned i = 0; i < 10000; i++) {
		assert_int_equal(pass(r, &a, at(i / 10.0), 1), 1);
	}
	for (unsigned s = 2000; s < 3000; s++) {
		assert_int_equal(pass(r, &a, at(s), 10), 10);
	}
	rate_limit_free(&r);
}

/* Twice the rate: in the first second a second's worth passes, and then what accrues in it; then nothing, until it has been quiet. */
static void
a_flood_gets_nothing_more(void **state)
{
	(void)state;
	struct rate_account a = account_of(1, RATE_DATA);
	struct rate_limit *r = rate_limit_new(&defaults, key);
	unsigned passed = 0;
	for (unsigned i = 0; i < 20 * 60; i++) {
		passed += pass(r, &a, at(i / 20.0), 1);
	}
	assert_in_range(passed, 19, 21);
	assert_int_equal(pass(r, &a, at(60 + 13), 1), 0); /* it was 15 seconds ahead, and may be 1 */
	assert_int_equal(pass(r, &a, at(60 + 16), 20), 10);
	rate_limit_free(&r);
}

/* With a window of a second each second has its answers, as with Knot. */
static void
a_short_window(void **state)
{
	(void)state;
	struct rate_limit_conf conf = defaults;
	struct rate_account a = account_of(1, RATE_DATA);
	unsigned passed = 0;
	conf.window_s = 1;
	struct rate_limit *r = rate_limit_new(&conf, key);
	for (unsigned i = 0; i < 100 * 60; i++) {
		passed += pass(r, &a, at(i / 100.0), 1);
	}
	assert_in_range(passed, 600, 611); /* 10 a second, and a second's worth at once */
	rate_limit_free(&r);
}

static void
networks_and_kinds_are_apart(void **state)
{
	(void)state;
	struct rate_limit *r = rate_limit_new(&defaults, key);
	struct rate_account a = account_of(1, RATE_DATA), other;
	assert_int_equal(pass(r, &a, at(0), 100), 10);
	a.from.octets[3] = 99; /* the same /24 */
	assert_int_equal(pass(r, &a, at(0), 1), 0);
	other = a;
	other.from.octets[2]++;
	assert_int_equal(pass(r, &other, at(0), 1), 1);
	for (unsigned kind = RATE_REFERRAL; kind < RATE_KINDS; kind++) {
		other = a;
		other.kind = (enum rate_kind)kind;
		assert_int_equal(pass(r, &other, at(0), 1), 1);
	}
	other = a;
	other.about = example;
	assert_int_equal(pass(r, &other, at(0), 1), 1);
	other.about = NULL;
	assert_int_equal(pass(r, &other, at(0), 1), 1);
	rate_limit_free(&r);
}

static void
networks_of_ipv6(void **state)
{
	(void)state;
	struct rate_limit *r = rate_limit_new(&defaults, key);
	struct rate_account a = { .from = { .family = 6, .octets = { 0x20, 1, 0x0D, 0xB8, 0, 0, 1 } }, .about = www };
	assert_int_equal(pass(r, &a, at(0), 100), 10);
	a.from.octets[7] = a.from.octets[15] = 0xFF; /* the same /56 */
	assert_int_equal(pass(r, &a, at(0), 1), 0);
	a.from.octets[6] ^= 1;
	assert_int_equal(pass(r, &a, at(0), 1), 1);
	rate_limit_free(&r);
}

/* A prefix may have any length. */
static void
prefixes(void **state)
{
	(void)state;
	for (uint8_t len = 1; len <= 32; len++) {
		struct rate_limit_conf conf = defaults;
		struct rate_account a = account_of(0, RATE_DATA);
		conf.ipv4_len = len;
		struct rate_limit *r = rate_limit_new(&conf, key);
		assert_int_equal(pass(r, &a, at(0), 100), 10);
		if (len < 32) {
			a.from.octets[len / 8] ^= (uint8_t)(0x80 >> len % 8); /* the first bit that does not count */
			assert_int_equal(pass(r, &a, at(0), 1), 0);
		}
		a.from.octets[(len - 1) / 8] ^= (uint8_t)(0x80 >> (len - 1) % 8);
		assert_int_equal(pass(r, &a, at(0), 1), 1);
		rate_limit_free(&r);
	}
}

static void
some_are_exempt(void **state)
{
	(void)state;
	struct rate_limit_conf conf = defaults;
	conf.exempt[0] = (struct rate_limit_network){ .address = v4(10, 1, 0, 0), .len = 15 };
	conf.exempt[1] = (struct rate_limit_network){ .address = { .family = 6, .octets = { 0x20, 1 } }, .len = 16 };
	conf.exempt_n = 2;
	struct rate_limit *r = rate_limit_new(&conf, key);
	struct rate_account a = { .about = www };
	a.from = v4(10, 1, 2, 3);
	assert_int_equal(pass(r, &a, at(0), 100), 100);
	a.from = v4(10, 0, 2, 3);
	assert_int_equal(pass(r, &a, at(0), 100), 100);
	a.from = v4(10, 2, 2, 3);
	assert_int_equal(pass(r, &a, at(0), 100), 10);
	a.from = (struct key_address){ .family = 6, .octets = { 0x20, 1, 1 } };
	assert_int_equal(pass(r, &a, at(0), 100), 100);
	rate_limit_free(&r);
}

static void
some_slip(void **state)
{
	(void)state;
	for (uint32_t slip = 0; slip <= 10; slip++) {
		struct rate_limit_conf conf = defaults;
		struct rate_account a = account_of(1, RATE_DENIAL);
		unsigned n[3] = { 0 };
		conf.slip = slip;
		struct rate_limit *r = rate_limit_new(&conf, key);
		for (unsigned i = 0; i < 10000 + conf.rate; i++) {
			n[rate_limit_judge(r, &a, at(0), n[RATE_DROP] + n[RATE_SLIP])]++;
		}
		unsigned want = slip != 0 ? 10000 / slip : 0;
		assert_int_equal(n[RATE_PASS], conf.rate);
		assert_in_range(n[RATE_SLIP], want - want / 10, want + want / 10);
		rate_limit_free(&r);
	}
}

/* ---- shared cells ---- */

enum { FLOODS = 20000, HONEST = 2000 };

static bool
is_alone(const uint16_t (*used)[RATE_LIMIT_CELLS], const struct rate_limit *r, const struct rate_account *a)
{
	uint32_t cells[RATE_LIMIT_ROWS];
	rate_limit_cells(r, a, cells);
	for (unsigned i = 0; i < RATE_LIMIT_ROWS; i++) {
		if (used[i][cells[i]] == 0) {
			return true;
		}
	}
	return false;
}

/* What the header says: who is above its rate is always held back, and who is not is held back only if all of its cells are shared with
 * such; and this happens as seldom as that. */
static void
floods_do_not_hold_others_back(void **state)
{
	(void)state;
	uint16_t (*used)[RATE_LIMIT_CELLS] = calloc(RATE_LIMIT_ROWS, sizeof *used);
	unsigned wrong = 0;
	assert_non_null(used);
	struct rate_limit *r = rate_limit_new(&defaults, key);
	for (uint32_t f = 0; f < FLOODS; f++) {
		uint32_t cells[RATE_LIMIT_ROWS];
		struct rate_account a = account_of(f, RATE_DENIAL);
		assert_in_range(pass(r, &a, at(0), 40), 0, 10);
		assert_int_equal(pass(r, &a, at(0), 1), 0);
		rate_limit_cells(r, &a, cells);
		for (unsigned i = 0; i < RATE_LIMIT_ROWS; i++) {
			used[i][cells[i]] = 1;
		}
	}
	for (uint32_t h = 0; h < HONEST; h++) {
		struct rate_account a = account_of((1u << 20) + h, RATE_DENIAL);
		bool is_held = false;
		for (unsigned s = 0; s < 2; s++) {
			is_held |= pass(r, &a, at(s / 10.0), 5) != 5;
		}
		assert_true(!is_held || !is_alone((const uint16_t(*)[RATE_LIMIT_CELLS])used, r, &a));
		wrong += is_held;
	}
	/* (20,000 / 262,144)^4 of 2,000 is 0.07; the other honest ones take 0.8 % of the cells more */
	assert_in_range(wrong, 0, 2);
	rate_limit_free(&r);
	free(used);
}

/* Many small accounts: none is above its rate, and none is held back. */
static void
many_small_accounts(void **state)
{
	(void)state;
	struct rate_limit *r = rate_limit_new(&defaults, key);
	unsigned held = 0;
	for (uint32_t i = 0; i < 500000; i++) { /* in one second */
		struct rate_account a = account_of(i, RATE_DATA);
		held += pass(r, &a, at(i / 500000.0), 1) != 1;
	}
	assert_int_equal(held, 0);
	rate_limit_free(&r);
}

/* Another key, other cells. */
static void
cells_depend_on_the_key(void **state)
{
	(void)state;
	static const uint8_t other[RATE_LIMIT_KEY_LEN] = { 9 };
	struct rate_limit *a = rate_limit_new(&defaults, key), *b = rate_limit_new(&defaults, other);
	unsigned same = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		struct rate_account account = account_of(i, RATE_DATA);
		uint32_t of_a[RATE_LIMIT_ROWS], of_b[RATE_LIMIT_ROWS];
		rate_limit_cells(a, &account, of_a);
		rate_limit_cells(b, &account, of_b);
		for (unsigned row = 0; row < RATE_LIMIT_ROWS; row++) {
			assert_in_range(of_a[row], 0, RATE_LIMIT_CELLS - 1);
			same += of_a[row] == of_b[row];
		}
	}
	assert_in_range(same, 0, 3);
	rate_limit_free(&a);
	rate_limit_free(&b);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 100000 };

struct asker {
	struct rate_limit *r;
	pthread_t thread;
	unsigned passed;
};

static void *
run(void *ctx)
{
	struct asker *a = ctx;
	const struct rate_account account = account_of(1, RATE_DATA);
	for (unsigned i = 0; i < EACH; i++) {
		a->passed += rate_limit_judge(a->r, &account, at(i / (double)EACH), i) == RATE_PASS;
	}
	return NULL;
}

/* Together they get what one would get, and only little more. */
static void
threads_share_the_table(void **state)
{
	(void)state;
	struct rate_limit_conf conf = defaults;
	struct asker askers[THREADS];
	unsigned passed = 0;
	conf.rate = 10000;
	struct rate_limit *r = rate_limit_new(&conf, key);
	for (unsigned i = 0; i < THREADS; i++) {
		askers[i] = (struct asker){ .r = r };
		assert_int_equal(pthread_create(&askers[i].thread, NULL, run, &askers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
		passed += askers[i].passed;
	}
	assert_in_range(passed, 9000, 80000); /* of 400,000 */
	rate_limit_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_of_answers_at_once),
		cmocka_unit_test(within_the_rate),
		cmocka_unit_test(a_flood_gets_nothing_more),
		cmocka_unit_test(a_short_window),
		cmocka_unit_test(networks_and_kinds_are_apart),
		cmocka_unit_test(networks_of_ipv6),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(some_are_exempt),
		cmocka_unit_test(some_slip),
		cmocka_unit_test(floods_do_not_hold_others_back),
		cmocka_unit_test(many_small_accounts),
		cmocka_unit_test(cells_depend_on_the_key),
		cmocka_unit_test(threads_share_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
