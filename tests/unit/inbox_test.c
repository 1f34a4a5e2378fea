/* Meant to run under ThreadSanitizer as well. */
#include "net/inbox.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct return_path nowhere;

static struct name
key_of(unsigned i)
{
	char text[32];
	struct name n;
	snprintf(text, sizeof text, "key-%u.", i);
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	return n;
}

static err_t
put_signed(struct inbox *in, unsigned key, unsigned mac, const uint8_t *bytes, size_t len)
{
	struct name k = key_of(key);
	uint8_t octets[TSIG_MAC_PART] = { 0 };
	memcpy(octets, &mac, sizeof mac);
	return inbox_put(in, &nowhere, &k, octets, 1700000000, bytes, len);
}

/* Each signed anew. */
static err_t
put_octets(struct inbox *in, unsigned key, const uint8_t *bytes, size_t len)
{
	static _Atomic unsigned mac;
	return put_signed(in, key, atomic_fetch_add(&mac, 1), bytes, len);
}

static err_t
put(struct inbox *in, unsigned key, const char *text)
{
	return put_octets(in, key, (const uint8_t *)text, strlen(text));
}

static void
count_wake(void *ctx)
{
	atomic_fetch_add((_Atomic unsigned *)ctx, 1);
}

static void
in_order_and_bounded(void **state)
{
	(void)state;
	_Atomic unsigned wakes = 0;
	struct inbox *in = inbox_new(4, 2, 0, count_wake, &wakes);
	assert_int_equal(put(in, 1, "a"), OK);
	assert_int_equal(put(in, 1, "b"), OK);
	assert_int_equal(put(in, 1, "c"), E_BUSY);
	assert_int_equal(put(in, 2, "d"), OK);
	assert_int_equal(put(in, 3, "e"), OK);
	assert_int_equal(put(in, 4, "f"), E_LIMIT);
	assert_int_equal(wakes, 1);
	struct inbox_item *item = inbox_take_all(in);
	assert_null(inbox_take_all(in));
	assert_int_equal(put(in, 4, "f"), E_LIMIT); /* under way is not done */
	assert_int_equal(inbox_stats(in).waiting, 4);
	for (const char *want = "abde"; item != NULL; want++) {
		struct inbox_item *next = item->next;
		assert_int_equal(item->bytes[0], *want);
		assert_int_equal(item->len, 1);
		inbox_give_back(in, item);
		item = next;
	}
	assert_int_equal(put(in, 1, "g"), OK);
	assert_int_equal(wakes, 2);
	struct inbox_stats s = inbox_stats(in);
	assert_int_equal(s.accepted, 5);
	assert_int_equal(s.over_limit, 2);
	assert_int_equal(s.over_key_limit, 1);
	assert_int_equal(s.waiting, 1);
	inbox_free(&in);
	assert_null(in);
}

/* Whoever has recorded one takes no places with it, also while it is under way. */
static void
what_comes_again_takes_no_place(void **state)
{
	(void)state;
	const uint8_t octets[] = { 1 };
	struct inbox *in = inbox_new(4, 2, 0, NULL, NULL);
	assert_int_equal(put_signed(in, 1, 7, octets, 1), OK);
	assert_int_equal(put_signed(in, 1, 7, octets, 1), E_EXISTS);
	assert_int_equal(put_signed(in, 2, 7, octets, 1), OK); /* another key's */
	assert_int_equal(put_signed(in, 1, 7 + (1 << 16), octets, 1), OK); /* in the same slot */
	struct inbox_item *item = inbox_take_all(in);
	assert_int_equal(put_signed(in, 1, 7, octets, 1), E_EXISTS);
	assert_int_equal(inbox_stats(in).waiting, 3);
	assert_int_equal(inbox_stats(in).repeated, 2);
	for (struct inbox_item *next; item != NULL; item = next) {
		next = item->next;
		inbox_give_back(in, item);
	}
	assert_int_equal(put_signed(in, 1, 7, octets, 1), OK);
	inbox_free(&in);
}

static unsigned
put_until_full(struct inbox *in, unsigned key, size_t len, err_t why)
{
	static uint8_t bytes[65535];
	unsigned n = 0;
	err_t err;
	while ((err = put_octets(in, key, bytes, len)) == OK) {
		n++;
	}
	assert_int_equal(err, why);
	return n;
}

static void
give_all_back(struct inbox *in)
{
	for (struct inbox_item *item = inbox_take_all(in), *next; item != NULL; item = next) {
		next = item->next;
		inbox_give_back(in, item);
	}
	assert_int_equal(inbox_stats(in).octets, 0);
}

/* What is counted are octets, too, those beside the message included; and one key does not get the room of all. */
static void
bounded_by_what_they_cost(void **state)
{
	(void)state;
	enum { COST = 2000, LARGE = 65535 };
	struct inbox *in = inbox_new(10000, 9999, COST, NULL, NULL);
	unsigned of_one = put_until_full(in, 1, LARGE, E_BUSY);
	assert_in_range(of_one, 10, INBOX_OCTETS_MAX / INBOX_KEY_PART / (LARGE + COST) * 3); /* 9,999 times 4 KiB are more than a quarter */
	give_all_back(in);
	inbox_free(&in);

	in = inbox_new(10000, 1000, COST, NULL, NULL);
	of_one = put_until_full(in, 1, LARGE, E_BUSY);
	assert_in_range(of_one, INBOX_OCTETS_MAX / INBOX_KEY_PART / (LARGE + COST + 1000), INBOX_OCTETS_MAX / INBOX_KEY_PART / (LARGE + COST));
	for (unsigned key = 2; key < 1 + INBOX_KEY_PART; key++) {
		assert_int_equal(put_until_full(in, key, LARGE, E_BUSY), of_one); /* the first has left them their parts */
	}
	(void)put_until_full(in, 9, LARGE, E_LIMIT);
	assert_in_range(inbox_stats(in).octets, INBOX_OCTETS_MAX - LARGE - COST - 1000, INBOX_OCTETS_MAX);
	give_all_back(in);
	assert_int_equal(put_until_full(in, 1, 100, E_BUSY), 1000);
	inbox_free(&in);

	in = inbox_new(100000, 100000, COST, NULL, NULL); /* who wants more of them gets room for them */
	assert_int_equal(put_until_full(in, 1, 100, E_LIMIT), 100000);
	inbox_free(&in);
}

enum { THREADS = 3, EACH = 5000 };

static void *
putter(void *arg)
{
	struct inbox *in = arg;
	for (unsigned i = 0; i < EACH; i++) {
		while (put(in, i % 7, "update") != OK) {
			sched_yield();
		}
	}
	return NULL;
}

static void
from_many_threads(void **state)
{
	(void)state;
	struct inbox *in = inbox_new(100, 50, 0, NULL, NULL);
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, putter, in), 0);
	}
	for (unsigned got = 0; got < THREADS * EACH;) {
		for (struct inbox_item *item = inbox_take_all(in), *next; item != NULL; item = next) {
			next = item->next;
			assert_memory_equal(item->bytes, "update", 6);
			inbox_give_back(in, item);
			got++;
		}
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(inbox_stats(in).accepted, THREADS * EACH);
	inbox_free(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_and_bounded),
		cmocka_unit_test(what_comes_again_takes_no_place),
		cmocka_unit_test(bounded_by_what_they_cost),
		cmocka_unit_test(from_many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
