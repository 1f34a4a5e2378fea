#include "acme/remark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct remark
a_failure(void)
{
	struct remark r = { .kind = REMARK_FAILED, .at_s = 1795939200, .tries = 3, .next_s = 1795940100, .request = "0123ABCD" };
	(void)snprintf(r.reason, sizeof r.reason, "urn:ietf:params:acme:error:dns: nobody answers");
	return r;
}

static struct remark
a_proof(void)
{
	struct remark r = { .kind = REMARK_PROOF, .at_s = 1795939200, .mark = "abcdefgh", .value = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ" };
	assert_int_equal(name_parse("_acme-challenge.www.example.org.", 32, NULL, &r.owner), OK);
	return r;
}

static struct remark
a_tlsa(void)
{
	struct remark r = { .kind = REMARK_TLSA, .at_s = 1795939200,
		            .value = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" };
	assert_int_equal(name_parse("_443._tcp.www.example.org.", 26, NULL, &r.owner), OK);
	return r;
}

static size_t
write(const struct remark *r, uint8_t rdata[REMARK_RDATA_MAX])
{
	struct buf b = buf_over(rdata, REMARK_RDATA_MAX);
	assert_int_equal(remark_write(r, &b), OK);
	return b.len;
}

static void
what_is_written_is_read(void **state)
{
	(void)state;
	const struct remark kinds[] = { a_failure(), a_proof(), a_tlsa() };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t rdata[REMARK_RDATA_MAX];
		struct remark again;
		size_t len = write(&kinds[i], rdata);
		assert_int_equal(remark_read(rdata, len, &again), OK);
		assert_memory_equal(&again, &kinds[i], sizeof again);
	}
}

static void
it_can_be_read_by_people(void **state)
{
	(void)state;
	static const char want[] = "\6failed\0242026-11-29T08:00:00Z\7tries 3\x19next 2026-11-29T08:15:00Z\20request 0123ABCD"
				   "\x2Eurn:ietf:params:acme:error:dns: nobody answers";
	uint8_t rdata[REMARK_RDATA_MAX];
	const struct remark r = a_failure();
	assert_int_equal(write(&r, rdata), sizeof want - 1);
	assert_memory_equal(rdata, want, sizeof want - 1);
}

static void
a_long_reason_has_several_strings(void **state)
{
	(void)state;
	struct remark r = a_failure(), again;
	uint8_t rdata[REMARK_RDATA_MAX];
	memset(r.reason, 'x', REMARK_REASON_MAX);
	size_t len = write(&r, rdata);
	assert_int_equal(remark_read(rdata, len, &again), OK);
	assert_string_equal(again.reason, r.reason);
}

static void
others_are_no_remarks(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "\1x", "\6failed", "\6failed\0242026-11-29T08:00:00Z", "\5proof\x8" "abcdefgh\0242026-02-30T08:00:00Z\1a\1b",
		"\6failed\0242026-13-29T08:00:00Z\7tries 3\x19next 2026-11-29T08:15:00Z\20request 0123ABCD\1x",
		"\6failed\0242026-11-29T08:00:00Z\7tries -\x19next 2026-11-29T08:15:00Z\20request 0123ABCD\1x",
		"\5proof\x9" "abcdefghi\0242026-11-29T08:00:00Z\1a\1b",
	};
	struct remark r;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(remark_read((const uint8_t *)rows[i], strlen(rows[i]), &r), E_FORMAT);
	}
}

/* Each day from 1970 to 2100, and the last second that can be written. */
static void
times_are_right(void **state)
{
	(void)state;
	struct remark r = a_failure(), again;
	uint8_t rdata[REMARK_RDATA_MAX];
	char text[REMARK_TIME_TEXT_MAX];
	for (uint64_t at = 0; at < UINT64_C(47482) * 86400; at += 86399) {
		r.at_s = at;
		size_t len = write(&r, rdata);
		assert_int_equal(remark_read(rdata, len, &again), OK);
		assert_int_equal(again.at_s, at);
	}
	remark_print_time(951782399, text);
	assert_string_equal(text, "2000-02-28T23:59:59Z");
	remark_print_time(951782400, text);
	assert_string_equal(text, "2000-02-29T00:00:00Z");
	remark_print_time(UINT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(it_can_be_read_by_people),
		cmocka_unit_test(a_long_reason_has_several_strings), cmocka_unit_test(others_are_no_remarks), cmocka_unit_test(times_are_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
