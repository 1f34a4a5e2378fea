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
put(struct inbox *in, unsigned key, const char *text)
{
	struct name k = key_of(key);
	return inbox_put(in, &nowhere, &k, 1700000000, (const uint8_t *)text, strlen(text));
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
	struct inbox *in = inbox_new(4, 2, count_wake, &wakes);
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
	struct inbox *in = inbox_new(100, 50, NULL, NULL);
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
		cmocka_unit_test(from_many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
