#include "git/puller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	struct git_side side;
	struct puller puller;
	int git;
	unsigned woken;
	uint64_t numbered; /* the last PULL that has come */
};

static void
on_wake(void *ctx)
{
	struct world *w = ctx;
	w->woken++;
}

static void
world_init(struct world *w)
{
	int s[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s), 0);
	*w = (struct world){ .side = { .link = s[0] }, .git = s[1] };
	w->puller.git = &w->side;
	w->puller.wake = on_wake;
	w->puller.ctx = w;
	puller_init(&w->puller);
}

static void
world_fini(struct world *w)
{
	close(w->side.link);
	close(w->git);
}

/* The git side tells the result of a pull; `number`: the newest PULL that had come when it began. */
static void
answer(struct world *w, enum link_type type, uint64_t number)
{
	const struct link_frame f = { .type = (uint8_t)type, .pull = number, .retry_s = 1, .fd = -1 };
	puller_end(&w->puller, &f);
}

/* How many PULLs the git side was asked for since the last time, and the flags of the last one. */
static unsigned
asked(struct world *w, uint8_t *flags)
{
	struct link_frame f;
	unsigned n = 0;
	while (link_recv(w->git, &f) == OK) {
		assert_int_equal(f.type, LINK_PULL);
		assert_int_equal(f.pull, ++w->numbered);
		*flags = f.flags;
		n++;
	}
	return n;
}

static void
a_wish_wakes_the_loader_which_asks(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	world_init(&w);
	assert_int_equal(puller_wait_ms(&w.puller), -1);
	puller_want(&w.puller, PULL_FOR_NEWS);
	puller_want(&w.puller, PULL_FOR_NEWS);
	assert_int_equal(w.woken, 2);
	assert_int_equal(asked(&w, &flags), 0);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	assert_int_equal(flags, 0);
	assert_true(puller_is_pulling(&w.puller));
	assert_int_equal(w.puller.pulls, 1);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 0);
	world_fini(&w);
}

static void
a_wish_during_a_pull_is_not_lost(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	world_init(&w);
	puller_want(&w.puller, PULL_FOR_UPDATE);
	puller_go_on(&w.puller);
	puller_want(&w.puller, PULL_FOR_UPDATE);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	answer(&w, LINK_COMMIT, w.puller.pulls);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	world_fini(&w);
}

static void
the_whole_is_asked_for_once(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	world_init(&w);
	puller_want_whole(&w.puller);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	assert_int_equal(flags, LINK_WHOLE);
	answer(&w, LINK_COMMIT, w.puller.pulls);
	puller_want(&w.puller, PULL_FOR_UPDATE);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	assert_int_equal(flags, 0);
	world_fini(&w);
}

static void
a_notify_that_comes_again_is_counted_and_no_more(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	const uint8_t one[TSIG_MAC_PART] = { 1 }, other[TSIG_MAC_PART] = { 2 };
	world_init(&w);
	assert_true(puller_on_notify(&w.puller, one));
	puller_go_on(&w.puller);
	answer(&w, LINK_COMMIT, w.puller.pulls);
	assert_int_equal(asked(&w, &flags), 1);
	assert_false(puller_on_notify(&w.puller, one));
	assert_int_equal(w.puller.notify_repeated, 1);
	assert_int_equal(w.woken, 1);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 0);
	assert_true(puller_on_notify(&w.puller, other));
	world_fini(&w);
}

/* What was asked of the process before is of no use any more, and the wish for it is fulfilled by the first pull of the new one. */
static void
a_new_process_pulls_first(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	world_init(&w);
	puller_want(&w.puller, PULL_FOR_NEWS);
	puller_go_on(&w.puller);
	puller_want(&w.puller, PULL_FOR_NEWS);
	assert_int_equal(asked(&w, &flags), 1);
	puller_restart(&w.puller);
	assert_int_equal(asked(&w, &flags), 1);
	assert_true(puller_is_pulling(&w.puller));
	answer(&w, LINK_COMMIT, w.puller.pulls);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 0);
	world_fini(&w);
}

/* The git side pulls by itself after a failure.  What it saw then may be older than the wish. */
static void
the_result_of_an_earlier_pull_is_no_answer(void **state)
{
	(void)state;
	static const enum link_type results[] = { LINK_UPTODATE, LINK_COMMIT, LINK_FAILED };
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		struct world w;
		uint8_t flags;
		world_init(&w);
		puller_want(&w.puller, PULL_FOR_UPDATE);
		puller_go_on(&w.puller);
		answer(&w, LINK_FAILED, 1); /* the git side tries again, and meanwhile: */
		assert_int_equal(puller_next(&w.puller), 2);
		puller_want(&w.puller, PULL_FOR_UPDATE);
		while (!puller_is_pulling(&w.puller)) { /* after a pause */
			puller_go_on(&w.puller);
		}
		assert_int_equal(asked(&w, &flags), 2);
		answer(&w, results[i], 1);
		assert_true(puller_is_pulling(&w.puller));
		assert_int_equal(w.puller.answered, 1);
		answer(&w, LINK_COMMIT, 0); /* out of the cache */
		assert_true(puller_is_pulling(&w.puller));
		assert_int_equal(w.puller.answered, 1);
		answer(&w, results[i], 2);
		assert_false(puller_is_pulling(&w.puller));
		assert_int_equal(w.puller.answered, 2);
		world_fini(&w);
	}
}

/* It may say what it likes: no PULL is answered that was not sent. */
static void
a_number_that_was_never_given(void **state)
{
	(void)state;
	struct world w;
	uint8_t flags;
	world_init(&w);
	puller_restart(&w.puller);
	answer(&w, LINK_UPTODATE, UINT64_MAX);
	assert_false(puller_is_pulling(&w.puller));
	assert_int_equal(w.puller.answered, 1);
	puller_restart(&w.puller);
	assert_int_equal(asked(&w, &flags), 2);
	assert_true(puller_is_pulling(&w.puller));
	world_fini(&w);
}

/* It cannot even open its directory, and has read no PULL. */
static void
a_process_that_cannot_begin_answers_all(void **state)
{
	(void)state;
	struct world w;
	const struct link_frame last = { .type = LINK_FAILED, .fd = -1 };
	world_init(&w);
	puller_restart(&w.puller);
	assert_int_equal(puller_answered(&w.puller, &last), 1);
	puller_end(&w.puller, &last);
	assert_false(puller_is_pulling(&w.puller));
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wish_wakes_the_loader_which_asks),
		cmocka_unit_test(a_wish_during_a_pull_is_not_lost),
		cmocka_unit_test(the_whole_is_asked_for_once),
		cmocka_unit_test(a_notify_that_comes_again_is_counted_and_no_more),
		cmocka_unit_test(a_new_process_pulls_first),
		cmocka_unit_test(the_result_of_an_earlier_pull_is_no_answer),
		cmocka_unit_test(a_number_that_was_never_given),
		cmocka_unit_test(a_process_that_cannot_begin_answers_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
