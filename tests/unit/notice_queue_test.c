#include "net/notice_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct follow_notice
notice(const char *zone, const char *key, uint8_t sender)
{
	struct follow_notice n = { .address = { 4, { 192, 0, 2, sender } } };
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n.zone), OK);
	if (key != NULL) {
		assert_int_equal(name_parse(key, strlen(key), NULL, &n.key), OK);
	}
	return n;
}

static void
put(struct notice_queue *q, struct follow_notice n, int64_t serial)
{
	n.has_serial = serial >= 0;
	n.serial = (uint32_t)serial;
	assert_int_equal(notice_queue_put(q, &n), OK);
}

static void
assert_next(struct notice_queue *q, struct follow_notice want, int64_t serial)
{
	struct follow_notice n;
	assert_true(notice_queue_take(q, &n));
	assert_true(name_is_equal(n.zone.oct, want.zone.oct));
	assert_int_equal(n.key.len, want.key.len);
	assert_true(n.key.len == 0 || name_is_equal(n.key.oct, want.key.oct));
	assert_true(key_address_is_equal(&n.address, &want.address));
	assert_int_equal(n.has_serial, serial >= 0);
	assert_int_equal(n.serial, serial >= 0 ? (uint32_t)serial : 0);
}

static void
assert_empty(struct notice_queue *q)
{
	struct follow_notice n;
	assert_false(notice_queue_take(q, &n));
}

static struct notice_queue *
queue_new(void)
{
	struct notice_queue *q = xalloc(sizeof *q);
	notice_queue_init(q, UINT64_C(0x123456789ABCDEF0));
	return q;
}

static void
queue_free(struct notice_queue *q)
{
	notice_queue_fini(q);
	free(q);
}

static void
one_place_for_what_says_the_same(void **state)
{
	(void)state;
	struct notice_queue *q = queue_new();
	const struct follow_notice a = notice("a.example.", "k._transfer.example.", 1);
	put(q, a, 7);
	put(q, notice("b.example.", "k._transfer.example.", 1), 3);
	put(q, notice("A.Example.", "K._transfer.example.", 1), 9); /* the place of the first */
	put(q, notice("a.example.", "j._transfer.example.", 1), 10);
	put(q, notice("a.example.", NULL, 1), 11);
	put(q, notice("a.example.", "k._transfer.example.", 2), 12);
	struct follow_notice v6 = a;
	v6.address = (struct key_address){ 6, { 192, 0, 2, 1 } };
	put(q, v6, 13);
	put(q, notice(".", NULL, 1), 14);
	assert_next(q, a, 9);
	assert_next(q, notice("b.example.", "k._transfer.example.", 1), 3);
	put(q, a, 8); /* the place was given up */
	assert_next(q, notice("a.example.", "j._transfer.example.", 1), 10);
	assert_next(q, notice("a.example.", NULL, 1), 11);
	assert_next(q, notice("a.example.", "k._transfer.example.", 2), 12);
	assert_next(q, v6, 13);
	assert_next(q, notice(".", NULL, 1), 14);
	assert_next(q, a, 8);
	assert_empty(q);
	put(q, a, 1);
	queue_free(q);
}

/* A NOTIFY that was overtaken, or sent again, must not hide a newer one; and one without a serial asks in any case. */
static void
the_newer_serial_counts(void **state)
{
	(void)state;
	static const int64_t cases[][3] = { { 5, 6, 6 }, { 6, 5, 6 }, { 0xFFFFFFFF, 0, 0 }, { 0, 0xFFFFFFFF, 0 }, { 5, -1, -1 }, { -1, 5, -1 } };
	struct notice_queue *q = queue_new();
	const struct follow_notice n = notice("example.", NULL, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put(q, n, cases[i][0]);
		put(q, n, cases[i][1]);
		assert_next(q, n, cases[i][2]);
		assert_empty(q);
	}
	queue_free(q);
}

static void
it_is_bounded(void **state)
{
	(void)state;
	struct notice_queue *q = queue_new();
	char zone[32];
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < NOTICE_QUEUE_MAX; i++) {
			snprintf(zone, sizeof zone, "z%u.example.", i);
			put(q, notice(zone, "k.", 1), i);
		}
		struct follow_notice more = notice("more.example.", "k.", 1);
		assert_int_equal(notice_queue_put(q, &more), E_LIMIT);
		assert_int_equal(notice_queue_dropped(q), round + 1);
		put(q, notice("z7.example.", "k.", 1), 8); /* has a place */
		for (unsigned i = 0; i < NOTICE_QUEUE_MAX; i++) {
			snprintf(zone, sizeof zone, "z%u.example.", i);
			assert_next(q, notice(zone, "k.", 1), i == 7 ? 8 : i);
		}
		assert_empty(q);
	}
	queue_free(q);
}

static void
unsigned_ones_leave_room_for_signed_ones(void **state)
{
	(void)state;
	struct notice_queue *q = queue_new();
	struct follow_notice taken;
	char zone[32];
	for (unsigned i = 0; i < NOTICE_QUEUE_UNSIGNED_MAX; i++) {
		snprintf(zone, sizeof zone, "z%u.example.", i);
		put(q, notice(zone, NULL, 1), i);
	}
	const struct follow_notice more = notice("more.example.", NULL, 1);
	assert_int_equal(notice_queue_put(q, &more), E_LIMIT);
	put(q, notice("more.example.", "k.", 1), 7);
	assert_true(notice_queue_take(q, &taken));
	put(q, more, 7);
	assert_int_equal(notice_queue_put(q, &(struct follow_notice){ .zone = notice("z.", NULL, 1).zone }), E_LIMIT);
	queue_free(q);
}

static void
the_longest_names(void **state)
{
	(void)state;
	struct notice_queue *q = queue_new();
	char text[256];
	memset(text, 'a', 253);
	text[63] = text[127] = text[191] = '.';
	text[253] = '.';
	text[254] = '\0';
	struct follow_notice n = notice(text, text, 1);
	n.address.family = 6;
	assert_int_equal(n.zone.len, NAME_WIRE_MAX);
	put(q, n, 1);
	assert_next(q, n, 1);
	queue_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_place_for_what_says_the_same),
		cmocka_unit_test(the_newer_serial_counts),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(unsigned_ones_leave_room_for_signed_ones),
		cmocka_unit_test(the_longest_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
