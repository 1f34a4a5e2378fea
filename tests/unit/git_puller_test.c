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

/* How many PULLs the git side was asked for since the last time, and the flags of the last one. */
static unsigned
asked(const struct world *w, uint8_t *flags)
{
	struct link_frame f;
	unsigned n = 0;
	while (link_recv(w->git, &f) == OK) {
		assert_int_equal(f.type, LINK_PULL);
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
	puller_end(&w.puller, true);
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
	puller_end(&w.puller, true);
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
	puller_end(&w.puller, true);
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
	puller_end(&w.puller, true);
	puller_go_on(&w.puller);
	assert_int_equal(asked(&w, &flags), 0);
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
