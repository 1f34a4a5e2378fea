#include "auth/secondary_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct secondary_table table;
static const uint8_t a_zone[] = "\1a\4test", b_zone[] = "\1b\4test";

static int
start(void **state)
{
	(void)state;
	secondary_table_init(&table);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	secondary_table_fini(&table);
	return 0;
}

static struct key_address
v4(uint8_t last)
{
	return (struct key_address){ .family = 4, .octets = { 192, 0, 2, last } };
}

static struct secondary_at
at(const struct key_address *a, uint16_t port)
{
	return (struct secondary_at){ .address = *a, .port = port };
}

static void
told(const struct key_address *a, uint16_t port, uint32_t serial, uint64_t now_s)
{
	const struct secondary_at where = at(a, port);
	secondary_table_told(&table, a_zone, &where, serial, now_s);
}

static void
failed(const struct key_address *a, uint16_t port, const char *error, uint64_t now_s)
{
	const struct secondary_at where = at(a, port);
	secondary_table_failed(&table, a_zone, &where, error, now_s);
}

static void
rows_are_kept_by_zone_and_address(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	const struct key_address one = v4(1), two = v4(2), six = { .family = 6, .octets = { 0x20, 1 } };
	told(&six, 53, 7, 100);
	secondary_table_has(&table, a_zone, &two, 6, 101);
	failed(&one, 53, "away", 102);
	const struct secondary_at two_at = at(&two, 53);
	secondary_table_told(&table, (const uint8_t *)"\1A\4TEST", &two_at, 7, 103);
	assert_true(secondary_table_knows(&table, a_zone, &two) && !secondary_table_knows(&table, b_zone, &two));
	assert_int_equal(secondary_table_read(&table, b_zone, rows), 0);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_true(key_address_is_equal(&rows[0].address, &one) && rows[0].has_s == 0 && rows[0].told_s == 0);
	assert_string_equal(rows[0].error, "away");
	const struct key_address none = v4(3);
	assert_false(secondary_table_knows(&table, a_zone, &none));
	assert_int_equal(rows[0].error_s, 102);
	assert_true(key_address_is_equal(&rows[1].address, &two) && key_address_is_equal(&rows[2].address, &six));
	assert_true(rows[1].has == 6 && rows[1].has_s == 101 && rows[1].told == 7 && rows[1].told_s == 103 && rows[1].error == NULL);
	assert_true(rows[2].told == 7 && rows[2].told_s == 100 && rows[2].has_s == 0);
}

static void
what_goes_well_ends_an_error(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	const struct key_address one = v4(1);
	failed(&one, 53, "away", 1);
	secondary_table_has(&table, a_zone, &one, 5, 2);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 1);
	assert_null(rows[0].error);
	failed(&one, 0, "gone", 3);
	told(&one, 53, 6, 4);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 1);
	assert_true(rows[0].error == NULL && rows[0].has == 5);
}

/* One that is told at several ports is several secondaries, until nobody can tell which. */
static void
rows_of_one_address(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	const struct key_address one = v4(1), zero = v4(0), two = v4(2);
	told(&zero, 53, 1, 1);
	told(&two, 53, 1, 1);
	secondary_table_has(&table, a_zone, &one, 4, 1); /* a transfer comes first, and the port is known with the first notification */
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_int_equal(rows[1].port, 0);
	told(&one, 5354, 5, 2);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_true(rows[1].port == 5354 && rows[1].has == 4 && rows[1].told == 5);
	failed(&one, 53, "away", 3);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_true(rows[1].port == 53 && rows[1].told_s == 0 && rows[2].port == 5354 && rows[2].error == NULL);
	failed(&one, 0, "broke off", 4); /* whichever */
	secondary_table_has(&table, a_zone, &one, 6, 5);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_true(rows[1].has == 6 && rows[2].has == 6 && rows[1].error == NULL && rows[2].error == NULL);
	failed(&one, 53, "away", 6);
	secondary_table_has(&table, a_zone, &one, 7, 7);
	told(&one, 5354, 7, 7);
	told(&one, 0, 7, 7);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_true(rows[1].has == 7 && rows[1].error != NULL && rows[2].error == NULL); /* the transfer may be that of the other */
	assert_true(rows[0].told == 1 && rows[0].has_s == 0 && rows[3].told == 1 && rows[3].has_s == 0);
	told(&one, 53, 7, 8);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_null(rows[1].error);
}

static void
there_is_a_limit_for_a_zone_and_for_all(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	for (unsigned i = 0; i < 100; i++) {
		const struct key_address a = v4((uint8_t)i);
		told(&a, 53, 1, 1000 - i); /* those that came first were heard last */
	}
	assert_int_equal(secondary_table_read(&table, a_zone, rows), SECONDARY_OF_ZONE_MAX);
	assert_int_equal(table.rows, SECONDARY_OF_ZONE_MAX);
	const struct key_address dead = v4(200);
	failed(&dead, 53, "away", 2000); /* takes nobody's place */
	assert_int_equal(table.over_limit, 1);
	table.over_limit = 0;
	assert_int_equal(secondary_table_read(&table, a_zone, rows), SECONDARY_OF_ZONE_MAX);
	for (uint8_t i = 0; i < SECONDARY_OF_ZONE_MAX - 1; i++) {
		const struct key_address early = v4(i), last = v4(99);
		assert_true(key_address_is_equal(&rows[i].address, &early));
		assert_true(key_address_is_equal(&rows[SECONDARY_OF_ZONE_MAX - 1].address, &last));
	}
	for (unsigned i = 0; i < SECONDARY_ROWS_MAX; i++) {
		char text[32];
		struct name n;
		const struct secondary_at a = { .address = v4(1), .port = 53 };
		(void)snprintf(text, sizeof text, "z%u.test.", i);
		assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
		secondary_table_told(&table, n.oct, &a, 1, 1);
	}
	assert_int_equal(table.rows, SECONDARY_ROWS_MAX);
	assert_int_equal(table.over_limit, SECONDARY_OF_ZONE_MAX);
	secondary_table_forget(&table, a_zone);
	assert_int_equal(table.rows, SECONDARY_ROWS_MAX - SECONDARY_OF_ZONE_MAX);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 0);
	secondary_table_forget(&table, a_zone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_kept_by_zone_and_address, start, stop),
		cmocka_unit_test_setup_teardown(what_goes_well_ends_an_error, start, stop),
		cmocka_unit_test_setup_teardown(rows_of_one_address, start, stop),
		cmocka_unit_test_setup_teardown(there_is_a_limit_for_a_zone_and_for_all, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
