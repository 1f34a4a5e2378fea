/* SNTP: a question, the answers that count and those that do not, and what becomes of the clock. */
#include "image/sntp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t NONCE = 0x0123456789abcdef;
static const int64_t S = 1000000000;

/* 2026-11-30 18:00:00 UTC, and the same since 1900. */
enum { THEN_S = 1796061600 };
static const uint32_t THEN_1900 = 4005050400;

static void
put(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

/* A good answer: half a second to think. */
static void
answer(uint8_t m[SNTP_LEN])
{
	memset(m, 0, SNTP_LEN);
	m[0] = 4 << 3 | 4; /* version, mode */
	m[1] = 2;          /* stratum */
	put(m + 4, 0x8000);
	put(m + 8, 0x8000);
	put(m + 24, NONCE >> 32);
	put(m + 28, NONCE & UINT32_MAX);
	put(m + 32, THEN_1900);
	put(m + 40, THEN_1900);
	put(m + 44, 0x80000000);
}

static err_t
read_answer(const uint8_t *m, size_t len, struct sntp_answer *out)
{
	const char *why;
	return sntp_read(m, len, NONCE, out, &why);
}

static void
a_question_says_nothing_of_us(void **state)
{
	(void)state;
	uint8_t m[SNTP_LEN], zero[SNTP_LEN] = { 0 };
	sntp_ask(NONCE, m);
	assert_int_equal(m[0], 0x23); /* version 4, client */
	assert_memory_equal(m + 1, zero, 39);
	assert_memory_equal(m + 40, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
}

static void
times(void **state)
{
	(void)state;
	uint8_t m[SNTP_LEN];
	struct sntp_answer a;
	answer(m);
	assert_int_equal(read_answer(m, sizeof m, &a), OK);
	assert_int_equal(a.received_ns, THEN_S * S);
	assert_int_equal(a.sent_ns, THEN_S * S + S / 2);
	/* A second there and a second back, by a clock that is ten seconds behind. */
	assert_int_equal(sntp_offset_ns(&a, (THEN_S - 11) * S, (THEN_S - 9) * S + S / 2), 10 * S);

	put(m + 32, 0); /* 2036-02-07 06:28:16 */
	put(m + 36, 1);
	put(m + 40, 0);
	assert_int_equal(read_answer(m, sizeof m, &a), OK);
	assert_int_equal(a.sent_ns / S, 2085978496);
}

static void
not_an_answer(void **state)
{
	(void)state;
	uint8_t m[SNTP_LEN];
	struct sntp_answer a;
	answer(m);
	assert_int_equal(read_answer(m, SNTP_LEN - 1, &a), E_FORMAT);
	m[0] = 4 << 3 | 5; /* broadcast */
	assert_int_equal(read_answer(m, sizeof m, &a), E_FORMAT);
	answer(m);
	m[31] ^= 1;
	assert_int_equal(read_answer(m, sizeof m, &a), E_FORMAT);
}

static void
a_server_that_is_of_no_use(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		uint32_t value;
		err_t err;
	} cases[] = {
		{ 0, 0x24000000, E_REFUSED },     /* stratum 0: a kiss of death */
		{ 0, 0xe4020000, E_UNSUPPORTED }, /* not synchronised */
		{ 0, 0x24100000, E_UNSUPPORTED }, /* stratum 16 */
		{ 4, 0x10000, E_UNSUPPORTED },    /* a root delay of a second */
		{ 4, 0x80000000, E_UNSUPPORTED }, /* a negative one */
		{ 8, 0x10000, E_UNSUPPORTED },
		{ 40, 0, E_UNSUPPORTED },         /* sent in 2036, and half a second */
		{ 32, 4005050399u - 10, E_UNSUPPORTED },
		{ 32, 4005050401u, E_UNSUPPORTED }, /* received after it was sent */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t m[SNTP_LEN];
		struct sntp_answer a;
		answer(m);
		put(m + cases[i].at, cases[i].value);
		assert_int_equal(read_answer(m, sizeof m, &a), cases[i].err);
	}
}

static enum sntp_verdict
decide(struct sntp_judge *j, int64_t offset_s)
{
	return sntp_decide(j, offset_s * S, (THEN_S + offset_s) * S, (THEN_S - 86400) * S);
}

static void
the_first_answer_counts(void **state)
{
	(void)state;
	struct sntp_judge j = { .was_right = false };
	assert_int_equal(decide(&j, 50 * 365 * 86400), SNTP_STEP);
	assert_int_equal(decide(&j, 0), SNTP_SLEW);
	assert_int_equal(sntp_decide(&j, SNTP_SLEW_MAX_MS * 1000000, THEN_S * S, 0), SNTP_SLEW);
	assert_int_equal(sntp_decide(&j, -SNTP_SLEW_MAX_MS * 1000000 - 1, THEN_S * S, 0), SNTP_STEP);
}

static void
nobody_goes_back_before_the_image(void **state)
{
	(void)state;
	struct sntp_judge j = { .was_right = false };
	assert_int_equal(decide(&j, -86401), SNTP_DOUBT);
	assert_int_equal(decide(&j, -86399), SNTP_STEP);
}

static void
a_large_jump_needs_witnesses(void **state)
{
	(void)state;
	struct sntp_judge j = { .was_right = true };
	assert_int_equal(decide(&j, SNTP_TRUST_MAX_S), SNTP_STEP);
	assert_int_equal(decide(&j, 7200), SNTP_DOUBT);
	assert_int_equal(decide(&j, 7200), SNTP_DOUBT);
	assert_int_equal(decide(&j, 7200), SNTP_STEP);
	assert_int_equal(decide(&j, 7200), SNTP_DOUBT);
	assert_int_equal(decide(&j, 9000), SNTP_DOUBT); /* they disagree */
	assert_int_equal(decide(&j, 9000), SNTP_DOUBT);
	assert_int_equal(decide(&j, 0), SNTP_SLEW);
	assert_int_equal(decide(&j, 9000), SNTP_DOUBT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_says_nothing_of_us),
		cmocka_unit_test(times),
		cmocka_unit_test(not_an_answer),
		cmocka_unit_test(a_server_that_is_of_no_use),
		cmocka_unit_test(the_first_answer_counts),
		cmocka_unit_test(nobody_goes_back_before_the_image),
		cmocka_unit_test(a_large_jump_needs_witnesses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
