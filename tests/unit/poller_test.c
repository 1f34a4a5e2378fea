/* A thread that polls: it hears its descriptor, beats, and ends when it is told to, soon or late. */
#include "ops/poller.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000, LONG_MS = 10 * LIMIT_MS };

struct world {
	struct poller poller;
	int fd, turn_ms;
	atomic_uint heard;
	atomic_bool is_held;
};

static void *
run(void *ctx)
{
	struct world *w = ctx;
	short events;
	char octet;
	while (poller_wait(&w->poller, w->fd, POLLIN, w->turn_ms, &events)) {
		if ((events & POLLIN) != 0 && read(w->fd, &octet, 1) == 1) {
			atomic_fetch_add(&w->heard, 1);
		}
		while (atomic_load(&w->is_held)) {
			(void)poll(NULL, 0, 1);
		}
	}
	return NULL;
}

static void
it_hears_and_beats(void **state)
{
	(void)state;
	struct world w = { .turn_ms = LONG_MS };
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	w.fd = ends[0];
	assert_int_equal(poller_begin(&w.poller, run, &w), OK);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(write(ends[1], "x", 1), 1);
		while (atomic_load(&w.heard) != i) {
			(void)poll(NULL, 0, 1);
		}
		assert_true(atomic_load(&w.poller.pulse.beats) >= i);
	}
	assert_true(poller_end(&w.poller, LIMIT_MS));
	close(ends[0]);
	close(ends[1]);
}

static void
await_beat(const struct world *w)
{
	while (atomic_load(&w->poller.pulse.beats) == 0) {
		(void)poll(NULL, 0, 1);
	}
}

static void
it_beats_without_events(void **state)
{
	(void)state;
	struct world w = { .fd = -1, .turn_ms = 1 };
	assert_int_equal(poller_begin(&w.poller, run, &w), OK);
	await_beat(&w);
	assert_true(poller_end(&w.poller, LIMIT_MS));
	assert_int_equal(atomic_load(&w.heard), 0);
}

static void
one_that_hangs_is_not_waited_for(void **state)
{
	(void)state;
	struct world w = { .fd = -1, .turn_ms = 1, .is_held = true };
	assert_int_equal(poller_begin(&w.poller, run, &w), OK);
	await_beat(&w);
	assert_false(poller_end(&w.poller, 10));
	atomic_store(&w.is_held, false);
	assert_true(poller_end(&w.poller, LIMIT_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_hears_and_beats),
		cmocka_unit_test(it_beats_without_events),
		cmocka_unit_test(one_that_hangs_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
