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

/* As its users do, with memory that is got outside of the table. */
static void
note(const struct secondary_news *news)
{
	struct secondary_room room = { 0 };
	while (!secondary_table_note(&table, news, &room)) {
		assert_true(secondary_room_make(&room));
	}
	secondary_room_free(&room);
}

static void
told(const struct key_address *a, uint16_t port, uint32_t serial, uint64_t now_s)
{
	note(&(struct secondary_news){ a_zone, { *a, port }, now_s, SECONDARY_TOLD, .serial = serial });
}

static void
has(const struct key_address *a, uint32_t serial, uint64_t now_s)
{
	note(&(struct secondary_news){ a_zone, { *a, 0 }, now_s, SECONDARY_HAS, .serial = serial });
}

static void
failed(const struct key_address *a, uint16_t port, const char *error, uint64_t now_s)
{
	note(&(struct secondary_news){ a_zone, { *a, port }, now_s, SECONDARY_FAILED, .error = error });
}

static void
forget(const uint8_t *zone)
{
	struct secondary_room room = { 0 };
	secondary_table_forget(&table, zone, &room);
	secondary_room_free(&room);
}

static void
rows_are_kept_by_zone_and_address(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	const struct key_address one = v4(1), two = v4(2), six = { .family = 6, .octets = { 0x20, 1 } };
	told(&six, 53, 7, 100);
	has(&two, 6, 101);
	failed(&one, 53, "away", 102);
	note(&(struct secondary_news){ (const uint8_t *)"\1A\4TEST", { two, 53 }, 103, SECONDARY_TOLD, .serial = 7 });
	assert_int_equal(secondary_table_read(&table, b_zone, rows), 0);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_true(key_address_is_equal(&rows[0].address, &one) && rows[0].has_s == 0 && rows[0].told_s == 0);
	assert_string_equal(rows[0].error, "away");
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
	has(&one, 5, 2);
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
	has(&one, 4, 1); /* a transfer comes first, and the port is known with the first notification */
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_int_equal(rows[1].port, 0);
	told(&one, 5354, 5, 2);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 3);
	assert_true(rows[1].port == 5354 && rows[1].has == 4 && rows[1].told == 5);
	failed(&one, 53, "away", 3);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_true(rows[1].port == 53 && rows[1].told_s == 0 && rows[2].port == 5354 && rows[2].error == NULL);
	failed(&one, 0, "broke off", 4); /* whichever */
	has(&one, 6, 5);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 4);
	assert_true(rows[1].has == 6 && rows[2].has == 6 && rows[1].error == NULL && rows[2].error == NULL);
	failed(&one, 53, "away", 6);
	has(&one, 7, 7);
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
		(void)snprintf(text, sizeof text, "z%u.test.", i);
		assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
		note(&(struct secondary_news){ n.oct, { v4(1), 53 }, 1, SECONDARY_TOLD, .serial = 1 });
	}
	assert_int_equal(table.rows, SECONDARY_ROWS_MAX);
	assert_int_equal(table.over_limit, SECONDARY_OF_ZONE_MAX);
	forget(a_zone);
	assert_int_equal(table.rows, SECONDARY_ROWS_MAX - SECONDARY_OF_ZONE_MAX);
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 0);
	forget(a_zone);
}

/* Whoever holds the lock never allocates: what needs memory says so, and has changed nothing. */
static void
memory_comes_from_outside(void **state)
{
	(void)state;
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	struct secondary_room room = { 0 };
	const struct key_address one = v4(1), two = v4(2);
	const struct secondary_news first = { a_zone, { one, 53 }, 1, SECONDARY_TOLD, .serial = 1 };
	const struct secondary_news second = { a_zone, { two, 53 }, 1, SECONDARY_TOLD, .serial = 1 };
	assert_false(secondary_table_note(&table, &first, &room));
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 0);
	assert_true(secondary_room_make(&room) && secondary_table_note(&table, &first, &room));
	assert_null(room.block); /* the table has it */
	assert_true(secondary_table_note(&table, &first, &room)); /* the row is there */
	assert_false(secondary_table_note(&table, &second, &room));
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 1);
	assert_true(secondary_room_make(&room));
	forget(a_zone); /* meanwhile */
	assert_true(secondary_table_note(&table, &second, &room) && secondary_table_note(&table, &first, &room));
	assert_int_equal(secondary_table_read(&table, a_zone, rows), 2);
	assert_int_equal(table.rows, 2);
	secondary_room_free(&room);
}

/* Who transfers: a secondary, or somebody who looks. */
static void
who_is_a_secondary(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		uint8_t from;
		bool is_secondary;
	} rows[] = {
		{ "", 1, true },                               { "", 2, false },
		{ "hoster-key.", 1, true },                    { "hoster-key.", 2, false },
		{ "k._transfer.test.", 1, true },              { "k._transfer.test.", 2, false },
		{ "192.0.2.9._transfer.test.", 1, true },      { "192.0.2.9._transfer.test.", 2, false }, /* the primary's address */
		{ "192.0.2.9.192.0.2.1._transfer.test.", 1, true }, { "192.0.2.9.192.0.2.1._transfer.test.", 2, false },
		{ "192.0.2.9.192.0.2.2._transfer.test.", 1, false }, { "192.0.2.9.192.0.2.2._transfer.test.", 2, true },
		{ "k._update.test.", 1, false },               { "k._a._update.", 1, false },
		{ "k._notify.test.", 1, true },                { "k._aaa._update.test.", 1, true }, /* a grant made it a transfer key */
	};
	const struct key_address one = v4(1);
	told(&one, 53, 1, 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct key_address from = v4(rows[i].from);
		struct name key = { .len = 0 };
		if (rows[i].key[0] != '\0') {
			assert_int_equal(name_parse(rows[i].key, strlen(rows[i].key), NULL, &key), OK);
		}
		if (secondary_table_is_secondary(&table, a_zone, &key, &from) != rows[i].is_secondary) {
			fail_msg("%s from %u", rows[i].key, rows[i].from);
		}
		assert_false(rows[i].from == 1 && rows[i].key[0] == '\0' && secondary_table_is_secondary(&table, b_zone, &key, &from));
	}
}

static void
states(void **state)
{
	(void)state;
	static const struct {
		struct secondary_row row;
		uint32_t serial;
		uint64_t since_s;
		const char *want;
	} rows[] = {
		{ { .has_s = 0 }, 7, 10, "unheard" },
		{ { .told = 7, .told_s = 11 }, 7, 10, "told" },
		{ { .told = 6, .told_s = 9 }, 7, 10, "behind" },
		{ { .has = 7, .has_s = 11 }, 7, 10, "current" },
		{ { .has = 6, .has_s = 9, .told = 7, .told_s = 11 }, 7, 10, "behind" },
		{ { .has = 8, .has_s = 9 }, 7, 10, "ahead" },  /* the serial went back */
		{ { .has = 8, .has_s = 11 }, 7, 10, "current" }, /* the caller looks at a view that is no more the newest */
		{ { .has = 7 + 0x80000000u, .has_s = 9 }, 7, 10, "ahead" }, /* none is newer (dns/serial.h) */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(secondary_state_text(secondary_row_state(&rows[i].row, rows[i].serial, rows[i].since_s)), rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_kept_by_zone_and_address, start, stop),
		cmocka_unit_test_setup_teardown(what_goes_well_ends_an_error, start, stop),
		cmocka_unit_test_setup_teardown(rows_of_one_address, start, stop),
		cmocka_unit_test_setup_teardown(there_is_a_limit_for_a_zone_and_for_all, start, stop),
		cmocka_unit_test_setup_teardown(memory_comes_from_outside, start, stop),
		cmocka_unit_test_setup_teardown(who_is_a_secondary, start, stop),
		cmocka_unit_test(states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
