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
version_discard(struct version *v)
{
	memset(v, 0, sizeof *v);
	free(v);
}

struct shared {
	struct served *served;
	atomic_bool stop;
	_Atomic uint64_t reads;
	_Atomic uint64_t broken;
};

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
	struct shared sh = { .served = served_new(as_view(now)) };
	pthread_t threads[READERS];
	for (size_t i = 0; i < READERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &sh), 0);
	}
	for (uint64_t n = 2; n < VERSIONS; n++) {
		struct version *next = version_new(n);
		served_publish(sh.served, as_view(next));
		version_discard(now);
		now = next;
	}
	while (atomic_load(&sh.reads) < 100) { /* on one core they may not have had their turn yet */
		sched_yield();
	}
	atomic_store(&sh.stop, true);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load(&sh.broken), 0);
	served_free(&sh.served);
	assert_null(sh.served);
	version_discard(now);
}

static void
the_writer_waits_for_no_idle_reader(void **state)
{
	(void)state;
	struct version *a = version_new(1), *b = version_new(2);
	struct served *s = served_new(as_view(a));
	served_thread_begin(); /* registered, but not reading */
	served_publish(s, as_view(b));
	assert_ptr_equal(served_read(s), b);
	served_read_end(s);
	served_thread_end();
	served_free(&s);
	version_discard(a);
	version_discard(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_versions_only),
		cmocka_unit_test(the_writer_waits_for_no_idle_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
