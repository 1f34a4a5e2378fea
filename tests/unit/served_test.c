/* A reader never sees a half-published version, and never one that was given back.  Meant to run
 * under ThreadSanitizer as well (-Db_sanitize=thread). */
#include "net/served.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

/* served.h passes views on and never looks into them, so the test has a shape of its own: every
 * number in a version is the same, and 0 once it was discarded. */
enum { NUMBERS = 512, READERS = 3, VERSIONS = 400 };
struct version {
	uint64_t number[NUMBERS];
};

static const struct version *
as_version(const struct view *v)
{
	return (const struct version *)(const void *)v;
}

static const struct view *
as_view(const struct version *v)
{
	return (const struct view *)(const void *)v;
}

static struct version *
version_new(uint64_t number)
{
	struct version *v = xalloc(sizeof *v);
	for (size_t i = 0; i < NUMBERS; i++) {
		v->number[i] = number;
	}
	return v;
}

static void
version_discard(void *v)
{
	memset(v, 0, sizeof(struct version));
	free(v);
}

/* Each version weighs as much. */
enum { WEIGHT = 1000 };

static size_t
weight(const void *old)
{
	assert_true(((const struct version *)old)->number[0] != 0);
	return WEIGHT;
}

static struct served *
serve(const struct version *first)
{
	return served_new(&(struct served_conf){ .first = as_view(first), .octets_max = SIZE_MAX, .release = version_discard });
}

struct shared {
	struct served *served;
	pthread_t readers[READERS];
	atomic_bool stop;
	_Atomic uint64_t reads;
	_Atomic uint64_t broken;
};

static void
readers_begin(struct shared *sh, void *(*run)(void *))
{
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_create(&sh->readers[i], NULL, run, sh), 0);
	}
}

/* None of them has seen anything broken. */
static void
readers_end(struct shared *sh)
{
	atomic_store(&sh->stop, true);
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(sh->readers[i], NULL), 0);
	}
	assert_int_equal(atomic_load(&sh->broken), 0);
}

static bool
is_whole(const struct version *v, uint64_t *last)
{
	uint64_t first = v->number[0];
	for (size_t i = 1; i < NUMBERS; i++) {
		if (v->number[i] != first) {
			return false;
		}
	}
	bool is_newer = first >= *last && first != 0;
	*last = first;
	return is_newer;
}

static void *
reader(void *arg)
{
	struct shared *sh = arg;
	uint64_t last = 0;
	served_thread_begin();
	while (!atomic_load(&sh->stop)) {
		const struct version *v = as_version(served_read(sh->served));
		if (!is_whole(v, &last)) {
			atomic_fetch_add(&sh->broken, 1);
		}
		served_read_end(sh->served);
		atomic_fetch_add(&sh->reads, 1);
	}
	served_thread_end();
	return NULL;
}

static void
readers_see_whole_versions_only(void **state)
{
	(void)state;
	struct version *now = version_new(1);
	struct shared sh = { .served = serve(now) };
	readers_begin(&sh, reader);
	for (uint64_t n = 2; n < VERSIONS; n++) {
		struct version *next = version_new(n);
		served_publish(sh.served, as_view(next), now);
		now = next;
	}
	while (atomic_load(&sh.reads) < 100) { /* on one core they may not have had their turn yet */
		sched_yield();
	}
	readers_end(&sh);
	served_free(&sh.served);
	assert_null(sh.served);
	version_discard(now);
}

static void
the_writer_waits_for_no_idle_reader(void **state)
{
	(void)state;
	struct version *a = version_new(1), *b = version_new(2);
	struct served *s = serve(a);
	served_thread_begin(); /* registered, but not reading */
	served_publish(s, as_view(b), a);
	assert_ptr_equal(served_read(s), b);
	served_read_end(s);
	served_thread_end();
	served_free(&s);
	version_discard(b);
}

/* ---- pins ---- */

struct given_back {
	unsigned n;
	uint64_t last; /* number of the version that went last */
};
static struct given_back given_back;

static void
give_back(void *old)
{
	given_back.n++;
	given_back.last = ((struct version *)old)->number[0];
	version_discard(old);
}

static void
count_call(void *ctx)
{
	(*(unsigned *)ctx)++;
}

/* Publishes the version after `now`. */
static struct version *
publish_next(struct served *s, struct version *now)
{
	struct version *next = version_new(now->number[0] + 1);
	served_publish(s, as_view(next), now);
	return next;
}

static void
pinned_versions_stay_and_go_in_order(void **state)
{
	(void)state;
	unsigned calls = 0;
	struct version *now = version_new(1);
	struct served *s = served_new(&(struct served_conf){
		.first = as_view(now), .octets_max = SIZE_MAX, .release = give_back, .unpinned = count_call, .ctx = &calls,
	});
	struct served_pin *one = NULL, *three = NULL, *last = NULL;
	given_back = (struct given_back){ 0 };
	assert_ptr_equal(served_pin(s, &one), now);
	now = publish_next(s, publish_next(s, now));
	assert_int_equal(given_back.n, 0);
	assert_int_equal(served_kept(s).versions, 2);
	assert_ptr_equal(served_pin(s, &three), now);
	assert_int_equal(as_version(served_pin(s, &last))->number[0], 3);
	served_unpin(s, &last);
	assert_null(last);
	assert_int_equal(calls, 0);
	now = publish_next(s, now);
	served_unpin(s, &one);
	assert_int_equal(calls, 1);
	assert_int_equal(given_back.n, 0); /* that is for the writer to do */
	served_reclaim(s);
	assert_int_equal(given_back.n, 2);
	assert_int_equal(given_back.last, 2);
	served_unpin(s, &three);
	now = publish_next(s, now);
	assert_int_equal(given_back.last, 4);
	assert_int_equal(served_kept(s).versions, 0);
	served_free(&s);
	version_discard(now);
}

static void
a_pin_that_holds_too_much_is_revoked(void **state)
{
	(void)state;
	struct version *now = version_new(1);
	struct served *s = serve(now);
	struct served_pin *pin = NULL;
	served_pin(s, &pin);
	for (unsigned i = 0; i < SERVED_VERSIONS_MAX; i++) {
		assert_false(served_pin_is_revoked(pin));
		now = publish_next(s, now);
	}
	assert_false(served_pin_is_revoked(pin));
	now = publish_next(s, now);
	assert_true(served_pin_is_revoked(pin));
	served_unpin(s, &pin);
	served_free(&s);
	version_discard(now);
}

/* Room for three versions.  Who began first goes first, and nobody goes needlessly. */
static void
the_oldest_go_when_too_much_is_kept(void **state)
{
	(void)state;
	unsigned calls = 0;
	struct version *now = version_new(1);
	struct served *s = served_new(&(struct served_conf){
		.first = as_view(now), .octets_max = 3 * WEIGHT, .release = give_back, .octets = weight, .revoked = count_call, .ctx = &calls,
	});
	struct served_pin *one = NULL, *also_one = NULL, *three = NULL;
	given_back = (struct given_back){ 0 };
	served_pin(s, &one);
	served_pin(s, &also_one);
	now = publish_next(s, publish_next(s, now));
	served_pin(s, &three);
	now = publish_next(s, now);
	assert_int_equal(served_kept(s).versions, 3);
	assert_int_equal(served_kept(s).octets, 3 * WEIGHT);
	assert_false(served_pin_is_revoked(one));
	assert_int_equal(served_pin_kept_octets(one), 0);
	now = publish_next(s, now);
	assert_int_equal(calls, 1);
	assert_true(served_pin_is_revoked(one) && served_pin_is_revoked(also_one));
	assert_int_equal(served_pin_kept_octets(one), 4 * WEIGHT);
	assert_false(served_pin_is_revoked(three)); /* 3 and 4, once 1 has gone */
	served_unpin(s, &one);
	served_unpin(s, &also_one);
	served_reclaim(s);
	assert_int_equal(given_back.last, 2);
	assert_int_equal(served_kept(s).octets, 2 * WEIGHT);
	now = publish_next(s, publish_next(s, now));
	assert_true(served_pin_is_revoked(three));
	served_unpin(s, &three);
	now = publish_next(s, now);
	assert_int_equal(served_kept(s).versions, 0);
	assert_int_equal(served_kept(s).octets, 0);
	served_free(&s);
	version_discard(now);
}

/* However large the version is that was replaced last: who reads it may end, until the next comes. */
static void
the_version_before_may_be_read_to_its_end(void **state)
{
	(void)state;
	struct version *now = version_new(1);
	struct served *s = served_new(&(struct served_conf){
		.first = as_view(now), .octets_max = WEIGHT / 2, .release = give_back, .octets = weight,
	});
	struct served_pin *pin = NULL;
	served_pin(s, &pin);
	now = publish_next(s, now);
	assert_false(served_pin_is_revoked(pin));
	now = publish_next(s, now);
	assert_true(served_pin_is_revoked(pin));
	served_unpin(s, &pin);
	served_free(&s);
	version_discard(now);
}

static void *
pinning_reader(void *arg)
{
	struct shared *sh = arg;
	uint64_t last = 0;
	while (!atomic_load(&sh->stop)) {
		struct served_pin *pin = NULL;
		const struct version *v = as_version(served_pin(sh->served, &pin));
		uint64_t first = v->number[0];
		sched_yield();
		if (!is_whole(v, &last) || v->number[0] != first) {
			atomic_fetch_add(&sh->broken, 1);
		}
		served_unpin(sh->served, &pin);
		atomic_fetch_add(&sh->reads, 1);
	}
	return NULL;
}

static void
pinned_versions_are_whole(void **state)
{
	(void)state;
	struct version *now = version_new(1);
	struct shared sh = { .served = serve(now) };
	readers_begin(&sh, pinning_reader);
	for (unsigned n = 0; n < VERSIONS || atomic_load(&sh.reads) < 100; n++) {
		now = publish_next(sh.served, now);
	}
	readers_end(&sh);
	served_free(&sh.served);
	version_discard(now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_versions_only),
		cmocka_unit_test(the_writer_waits_for_no_idle_reader),
		cmocka_unit_test(pinned_versions_stay_and_go_in_order),
		cmocka_unit_test(a_pin_that_holds_too_much_is_revoked),
		cmocka_unit_test(the_oldest_go_when_too_much_is_kept),
		cmocka_unit_test(the_version_before_may_be_read_to_its_end),
		cmocka_unit_test(pinned_versions_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
