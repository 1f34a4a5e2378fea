#include "acme/renewal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 86400 };

/* The example of RFC 9773 4.1. */
static void
the_name_of_a_certificate_is_that_of_the_rfc(void **state)
{
	static const uint8_t key_id[] = { 0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3, 0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C,
		                          0xDE, 0x01, 0xC8, 0xD4 };
	static const uint8_t serial[] = { 0x00, 0x87, 0x65, 0x43, 0x21 };
	struct acme_cert_parts parts = { .key_id = key_id, .key_id_len = 20, .serial = serial, .serial_len = 5 };
	char id[ACME_CERT_ID_MAX + 1];
	(void)state;
	assert_int_equal(acme_cert_id(&parts, id), OK);
	assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
	parts.key_id_len = 0;
	assert_int_equal(acme_cert_id(&parts, id), E_LIMIT);
	parts.key_id_len = 5000;
	assert_int_equal(acme_cert_id(&parts, id), E_LIMIT);
}

static void
windows_are_read(void **state)
{
	static const char good[] = "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-03T04:00:00Z\"},"
	                           "\"explanationURL\":\"https://acme.example.com/docs/ari\"}";
	static const char *const bad[] = {
		"{}", "{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\"}}", "{\"suggestedWindow\":[]}",
		"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":\"2025-01-02T04:00:00Z\"}}",
		"{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\",\"end\":7}}", "x",
	};
	struct acme_window w;
	(void)state;
	assert_int_equal(acme_window_read(good, sizeof good - 1, &w), OK);
	assert_int_equal(w.start_s, 1735790400);
	assert_int_equal(w.end_s, 1735790400 + DAY);
	assert_string_equal(w.explanation, "https://acme.example.com/docs/ari");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(acme_window_read(bad[i], strlen(bad[i]), &w), E_FORMAT);
	}
}

/* 1,000 certificates with one window: no tenth of it has more than a fifth of them. */
static void
many_do_not_meet(void **state)
{
	unsigned counts[10] = { 0 };
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char id[40];
		(void)snprintf(id, sizeof id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AId%05u", i);
		uint64_t at_s = acme_window_moment(1000000, 1000000 + 10 * DAY, id);
		assert_in_range(at_s, 1000000, 1000000 + 10 * DAY - 1);
		assert_int_equal(at_s, acme_window_moment(1000000, 1000000 + 10 * DAY, id));
		counts[(at_s - 1000000) / DAY]++;
	}
	for (unsigned i = 0; i < 10; i++) {
		assert_in_range(counts[i], 50, 200);
	}
}

static void
without_information_a_third_of_the_life_is_left(void **state)
{
	static const struct {
		uint64_t life_s, from_s, to_s; /* since the beginning */
	} rows[] = {
		{ 90 * DAY, 55 * DAY, 60 * DAY }, { 45 * DAY, 27 * DAY, 30 * DAY }, { 6 * DAY, 6 * DAY * 9 / 20, 3 * DAY },
		{ 0, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t at_s = acme_renewal_moment(1000, 1000 + rows[i].life_s, "a.b");
		assert_in_range(at_s, 1000 + rows[i].from_s, 1000 + rows[i].to_s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_of_a_certificate_is_that_of_the_rfc),
		cmocka_unit_test(windows_are_read),
		cmocka_unit_test(many_do_not_meet),
		cmocka_unit_test(without_information_a_third_of_the_life_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
