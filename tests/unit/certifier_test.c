/* The certifier: orders from their beginning to their end. */
#include "certifier_world.h"

static void
a_certificate_comes(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	assert_int_equal(w.changes, 2); /* proof and remark */
	updated(&w, CERTIFIER_UPDATED);
	answer(&w, "another value");
	assert_int_equal(proven_n, 0);
	wait(&w);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	assert_int_equal(proven_n, 1);
	ca_says(w.c, &w.now, ACME_ORDER_ISSUED);
	assert_int_equal(w.conditions, 1); /* the request */
	assert_int_equal(w.changes, 4);    /* both out; certificate and issuer in */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_DONE);
	end(&w);
}

/* Whatever fails, and however often: the proof is removed, and no hour has more than five orders. */
static void
failures_make_no_storm(void **state)
{
	(void)state;
	struct world w = { 0 };
	uint64_t begun_s[1000];
	size_t n = 0;
	begin(&w);
	const uint64_t until_s = w.now.wall_s + 3 * 24 * HOUR_S;
	while (w.now.wall_s < until_s) {
		begun_s[n++] = w.now.wall_s;
		ca_says(w.c, &w.now, ACME_ORDER_PROVE);
		updated(&w, n % 2 != 0 ? CERTIFIER_UPDATED : CERTIFIER_DENIED);
		if (n % 2 != 0) {
			ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		}
		assert_int_equal(w.changes, 3); /* both out, the reason in */
		updated(&w, CERTIFIER_UPDATED);
		while (ordered == NULL) {
			wait(&w);
		}
	}
	assert_in_range(n, 4, 12);
	for (size_t i = 5; i < n; i++) {
		assert_true(begun_s[i] - begun_s[i - 5] >= HOUR_S);
	}
	end(&w);
}

static void
a_lost_update_is_sent_again(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	for (unsigned i = 0; i < 3; i++) {
		updated(&w, CERTIFIER_LOST);
		wait(&w);
	}
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_PROVING);
	end(&w);
}

/* The wall clock jumps by a year, there or back, between each failure and the next try: no more orders than otherwise. */
static void
a_clock_that_jumps(void **state)
{
	(void)state;
	struct world w = { 0 };
	uint64_t begun_ns[200];
	size_t n = 0;
	begin(&w);
	while (n < ARRAY_LEN(begun_ns) && w.now.mono_ns < 3ull * 24 * HOUR_S * NOW_SECOND_NS) {
		begun_ns[n++] = w.now.mono_ns;
		ca_says(w.c, &w.now, ACME_ORDER_PROVE);
		updated(&w, CERTIFIER_UPDATED);
		w.now.wall_s = n % 2 != 0 ? w.now.wall_s + YEAR_S : w.now.wall_s - YEAR_S;
		ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		updated(&w, CERTIFIER_UPDATED);
		while (ordered == NULL) {
			wait(&w);
		}
	}
	assert_in_range(n, 4, 12);
	for (size_t i = 5; i < n; i++) {
		assert_true(begun_ns[i] - begun_ns[i - 5] >= HOUR_S * NOW_SECOND_NS);
	}
	end(&w);
}

/* The CA's clock may be ahead: what was accepted of it is no reason for another order. */
static void
a_certificate_that_begins_soon(void **state)
{
	(void)state;
	struct world w = { .has_certificate = true, .begins_in_s = 599 };
	begin(&w);
	assert_int_equal(orders_n, 0);
	end(&w);
	w = (struct world){ .has_certificate = true, .begins_in_s = 601 };
	begin(&w);
	assert_int_equal(orders_n, 1);
	end(&w);
}

enum { DAY_S = 24 * HOUR_S };

/* How many days the certificate of 90 days has left when it is renewed, if the CA's window is one day, so long after its begin. */
static uint64_t
days_left(uint64_t window_day)
{
	struct world w = { .has_certificate = true, .has_key_id = true };
	begin(&w);
	uint64_t begin_s = w.now.wall_s;
	assert_non_null(asked);
	asked->answer.window = (struct acme_window){ .start_s = begin_s + window_day * DAY_S, .end_s = begin_s + (window_day + 1) * DAY_S };
	ca_answers(w.c, &w.now, OK);
	while (orders_n == 0) {
		wait(&w);
	}
	uint64_t passed_s = w.now.wall_s - begin_s;
	end(&w);
	return 90 - passed_s / DAY_S;
}

/* A window after its end is none: else there would be a time without a certificate. */
static void
the_window_of_the_ca(void **state)
{
	(void)state;
	assert_int_equal(days_left(20), 70);
	assert_int_equal(days_left(80), 10);
	assert_in_range(days_left(90), 30, 35);
	assert_in_range(days_left(1000), 30, 35);
}

/* Somebody else has put a certificate there: the order ends, without another word. */
static void
an_order_that_is_overtaken(void **state)
{
	(void)state;
	struct world w = { .has_certificate = false };
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	w.has_certificate = true;
	serve(&w, true);
	assert_int_equal(w.last, CERTIFIER_CHANGED);
	assert_null(ordered);
	assert_false(w.base.is_asking);
	assert_int_equal(w.changes, 2); /* proof and remark out */
	assert_int_equal(w.conditions, 0);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(orders_n, 1);
	assert_false(w.is_updating);
	end(&w);
}

/* It says why there is no certificate, and there is one: it is removed, once. */
static void
a_failure_that_is_over(void **state)
{
	(void)state;
	struct world w = { .has_certificate = true, .has_failure = true };
	begin(&w);
	assert_int_equal(w.changes, 1);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_CLEANED);
	w.has_failure = false;
	serve(&w, true);
	assert_false(w.is_updating);
	assert_int_equal(orders_n, 0);
	end(&w);
}

/* A proof from before this run is removed, in the first place, and counts as a failure. */
static void
a_proof_that_was_left_behind(void **state)
{
	(void)state;
	struct world w = { .proof_at_s = START_S };
	begin(&w);
	assert_int_equal(orders_n, 0);
	assert_int_equal(w.changes, 3); /* proof and remark out, the reason in */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_CLEANED);
	end(&w);
}

/* A later one is that of another program with the same account: it stays until it is older than any order. */
static void
a_proof_of_somebody_else(void **state)
{
	(void)state;
	struct world w = { .has_certificate = true };
	begin(&w);
	w.proof_at_s = START_S;
	serve(&w, true);
	assert_false(w.is_updating);
	while (!w.is_updating) {
		assert_true(w.now.wall_s < START_S + 12 * HOUR_S);
		wait(&w);
	}
	assert_true(w.now.wall_s >= START_S + 2 * HOUR_S);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_CLEANED);
	assert_int_equal(orders_n, 0);
	end(&w);
}

/* What could not be removed is removed when there is no order under way, as if it were from an earlier run. */
static void
a_proof_that_stays(void **state)
{
	(void)state;
	struct world w = { .has_certificate = false };
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	ca_says(w.c, &w.now, ACME_ORDER_FAILED);
	while (orders_n == 1) {
		updated(&w, CERTIFIER_LOST);
		if (orders_n == 1) {
			wait(&w);
		}
	}
	w.proof_at_s = START_S;
	ca_says(w.c, &w.now, ACME_ORDER_FAILED); /* it has written nothing, and this hour's remark is there */
	assert_false(w.is_updating);
	serve(&w, true); /* with another signature below the request */
	assert_int_equal(w.changes, 2);
	assert_int_equal(orders_n, 2);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(orders_n, 3);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_comes),
		cmocka_unit_test(failures_make_no_storm),
		cmocka_unit_test(a_lost_update_is_sent_again),
		cmocka_unit_test(a_clock_that_jumps),
		cmocka_unit_test(a_certificate_that_begins_soon),
		cmocka_unit_test(the_window_of_the_ca),
		cmocka_unit_test(an_order_that_is_overtaken),
		cmocka_unit_test(a_failure_that_is_over),
		cmocka_unit_test(a_proof_that_was_left_behind),
		cmocka_unit_test(a_proof_of_somebody_else),
		cmocka_unit_test(a_proof_that_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
