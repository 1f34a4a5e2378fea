#include "net/secondary_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, EACH = 20000 };

static struct secondary_event
gone(uint64_t conn)
{
	return (struct secondary_event){ .kind = SECONDARY_GONE, .target = { .conn = conn } };
}

static void
events_come_in_order_with_their_keys(void **state)
{
	(void)state;
	struct secondary_queue q;
	struct tsig_key key = { .alg = HMAC_SHA256 };
	name_set(&key.name, (const uint8_t *)"\1k");
	const struct secondary_event asked = { .kind = SECONDARY_ASKED, .key = &key, .target = { .conn = 7 } }, closed = gone(7);
	const struct secondary_event ahead = { .kind = SECONDARY_AHEAD, .key = &key, .serial = 10 };
	secondary_queue_init(&q);
	assert_null(secondary_queue_take(&q));
	assert_int_equal(secondary_queue_put(&q, &asked), OK);
	assert_int_equal(secondary_queue_put(&q, &closed), OK);
	assert_int_equal(secondary_queue_put(&q, &ahead), OK);
	memset(&key, 0, sizeof key); /* it was copied */

	struct secondary_event *first = secondary_queue_take(&q), *second = first->next, *third = second->next;
	assert_int_equal(first->kind, SECONDARY_ASKED);
	assert_ptr_equal(first->target.key, first->key);
	assert_true(name_is_equal(first->key->name.oct, (const uint8_t *)"\1k"));
	assert_int_equal(second->kind, SECONDARY_GONE);
	assert_null(second->key);
	assert_int_equal(third->kind, SECONDARY_AHEAD);
	assert_int_equal(third->serial, 10);
	assert_true(name_is_equal(third->key->name.oct, (const uint8_t *)"\1k"));
	assert_null(third->next);
	assert_null(secondary_queue_take(&q));
	secondary_event_free(&first);
	secondary_event_free(&second);
	secondary_event_free(&third);
	assert_null(first);
	secondary_queue_fini(&q);
}

static void
there_is_a_limit(void **state)
{
	(void)state;
	struct secondary_queue q;
	secondary_queue_init(&q);
	for (unsigned i = 0; i < SECONDARY_QUEUE_MAX; i++) {
		const struct secondary_event e = gone(i);
		assert_int_equal(secondary_queue_put(&q, &e), OK);
	}
	const struct secondary_event e = gone(1);
	assert_int_equal(secondary_queue_put(&q, &e), E_LIMIT);
	secondary_queue_fini(&q); /* with all that is in it */
}

static void *
put_many(void *arg)
{
	struct secondary_queue *q = arg;
	for (unsigned i = 0; i < EACH;) {
		const struct secondary_event e = gone(i);
		i += secondary_queue_put(q, &e) == OK;
	}
	return NULL;
}

static void
many_put_and_one_takes(void **state)
{
	(void)state;
	struct secondary_queue q;
	pthread_t threads[THREADS];
	unsigned taken = 0;
	secondary_queue_init(&q);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, &q), 0);
	}
	while (taken < THREADS * EACH) {
		for (struct secondary_event *e = secondary_queue_take(&q), *next; e != NULL; e = next) {
			next = e->next;
			secondary_event_free(&e);
			taken++;
		}
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_null(secondary_queue_take(&q));
	secondary_queue_fini(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_order_with_their_keys),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(many_put_and_one_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
