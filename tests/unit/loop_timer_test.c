/* Timers of a loop that stalls, with a pipe as its socket. */
#include "net/loop_timer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { LATE_MS = 1000, ROUNDS = 20 };
#define MS UINT64_C(1000000)

struct fixture {
	uv_loop_t loop;
	struct loop_timer timer;
	uv_poll_t poll;
	uv_async_t stall;
	int pipe[2];
	bool is_answer_due; /* when the loop stalls, a peer answers */
	uint64_t again_ns;  /* the timer is set to it each time, as by a machine; NOW_NEVER: not any more */
	unsigned answers, timeouts, answers_before; /* the first timeout */
};

static void
on_timer(uv_timer_t *handle)
{
	struct fixture *f = handle->data;
	f->answers_before = f->timeouts++ == 0 ? f->answers : f->answers_before;
	loop_timer_set(&f->timer, on_timer, f->timeouts < ROUNDS ? f->again_ns : NOW_NEVER);
	if (f->timeouts == ROUNDS || f->again_ns == NOW_NEVER) {
		(void)uv_poll_stop(&f->poll);
		uv_unref((uv_handle_t *)&f->stall);
	}
}

static void
on_answer(uv_poll_t *handle, int status, int events)
{
	struct fixture *f = handle->data;
	char octet;
	assert_int_equal(status, 0);
	assert_true(events & UV_READABLE);
	assert_int_equal(read(f->pipe[0], &octet, 1), 1);
	f->answers++;
}

/* While the loop reads one socket it stalls for so long, and meanwhile the peer answers at another. */
static void
on_stall(uv_async_t *handle)
{
	struct fixture *f = handle->data;
	usleep(LATE_MS * 1000);
	assert_true(!f->is_answer_due || write(f->pipe[1], "x", 1) == 1);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	*f = (struct fixture){ .again_ns = NOW_NEVER };
	assert_int_equal(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->timer.handle), 0);
	assert_int_equal(uv_async_init(&f->loop, &f->stall, on_stall), 0);
	assert_int_equal(uv_poll_init(&f->loop, &f->poll, f->pipe[0]), 0);
	assert_int_equal(uv_poll_start(&f->poll, UV_READABLE, on_answer), 0);
	f->timer.handle.data = f->stall.data = f->poll.data = f;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	uv_close((uv_handle_t *)&f->timer.handle, NULL);
	uv_close((uv_handle_t *)&f->stall, NULL);
	uv_close((uv_handle_t *)&f->poll, NULL);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->pipe[0]);
	close(f->pipe[1]);
	return 0;
}

static void
an_answer_counts_before_a_timeout_that_is_late(void **state)
{
	struct fixture *f = *state;
	f->is_answer_due = true;
	assert_int_equal(uv_async_send(&f->stall), 0);
	loop_timer_set(&f->timer, on_timer, net_now().mono_ns + 10 * MS);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f->timeouts, 1);
	assert_int_equal(f->answers_before, 1);
}

/* Where nobody answers, and where the deadline is over as soon as it is set, again and again. */
static void
a_late_timeout_comes_all_the_same(void **state)
{
	struct fixture *f = *state;
	f->again_ns = 0;
	assert_int_equal(uv_async_send(&f->stall), 0);
	uint64_t begun_ns = net_now().mono_ns;
	loop_timer_set(&f->timer, on_timer, begun_ns + 10 * MS);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f->timeouts, ROUNDS);
	assert_int_equal(f->answers, 0);
	assert_in_range(net_now().mono_ns - begun_ns, LATE_MS * MS, 10 * LATE_MS * MS);
}

static void
a_timeout_comes_at_its_time(void **state)
{
	struct fixture *f = *state;
	uint64_t begun_ns = net_now().mono_ns;
	loop_timer_set(&f->timer, on_timer, begun_ns);
	loop_timer_set(&f->timer, on_timer, NOW_NEVER);
	loop_timer_set(&f->timer, on_timer, begun_ns + 50 * MS);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f->timeouts, 1);
	assert_in_range(net_now().mono_ns - begun_ns, 50 * MS, 10 * LATE_MS * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_counts_before_a_timeout_that_is_late, setup, teardown),
		cmocka_unit_test_setup_teardown(a_late_timeout_comes_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(a_timeout_comes_at_its_time, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop_timer", tests, NULL, NULL);
}
