/* What the messages of the git side make of the state that people ask for. */
#include "bin/oprimary_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The state after these messages.  `answered`: the newest PULL that each of them leaves answered. */
static struct daemon_state
state_after(const struct link_frame *frames, const uint64_t *answered, size_t n)
{
	struct primary_state s = { 0 };
	struct daemon_state out;
	primary_state_init(&s, "file:///srv/zones.git");
	for (size_t i = 0; i < n; i++) {
		primary_state_on_frame(&s, &frames[i], OK, answered[i]);
	}
	primary_state_read(&s, &out);
	primary_state_fini(&s);
	return out;
}

static void
what_a_step_took_is_the_same_for_good_and_bad(void **state)
{
	(void)state;
	const struct link_frame good = { .type = LINK_PUSHED, .took_ms = 700, .commit_us = 2000, .push_us = 3000, .id = "c1" };
	const struct link_frame bad = { .type = LINK_PUSH_FAILED, .took_ms = 800, .status = E_REFUSED, .text = "a hook says no" };
	const struct link_frame pull = { .type = LINK_UPTODATE, .pull = 1, .took_ms = 900, .id = "c1" };
	const uint64_t answered[] = { 1, 1, 1 };
	struct daemon_state s = state_after((const struct link_frame[]){ pull, good }, answered, 2);
	assert_int_equal(s.pull.took_ms, 900);
	assert_int_equal(s.push.took_ms, 700);
	assert_int_equal(s.push.n, 1);
	s = state_after((const struct link_frame[]){ pull, good, bad }, answered, 3);
	assert_int_equal(s.push.took_ms, 800);
	assert_int_equal(s.push.err, E_REFUSED);
	assert_int_equal(s.push.n, 1);
}

/* The remote is away, and the commit in the cache is told, or cannot be told either: people read why the remote is away. */
static void
a_pull_from_the_cache_hides_no_failure(void **state)
{
	(void)state;
	const struct link_frame away = {
		.type = LINK_FAILED, .pull = 1, .status = E_TIMEOUT, .retry_s = 4, .took_ms = 900, .text = "no answer", .flags = LINK_CACHE_NEXT,
	};
	const struct link_frame after[] = {
		{ .type = LINK_COMMIT, .flags = LINK_FROM_CACHE | LINK_WHOLE, .took_ms = 5, .id = "c0" },
		{ .type = LINK_FAILED, .status = E_NOTFOUND, .retry_s = 8, .took_ms = 5, .text = "the clone has no commit" },
	};
	const uint64_t answered[] = { 1, 1 };
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		const struct daemon_state s = state_after((const struct link_frame[]){ away, after[i] }, answered, 2);
		assert_int_equal(s.pull.n, 1);
		assert_int_equal(s.pull.err, E_TIMEOUT);
		assert_string_equal(s.pull.text, "no answer");
		assert_int_equal(s.pull.took_ms, 900);
		assert_int_equal(s.retry_s, 4);
		assert_string_equal(s.head, "");
	}
}

/* The git process cannot open its directory: its only message has no number, and answers every PULL. */
static void
a_git_process_that_cannot_begin_is_noted(void **state)
{
	(void)state;
	const struct link_frame last = { .type = LINK_FAILED, .status = E_BUSY, .text = "another process has the lock" };
	const struct daemon_state s = state_after(&last, (const uint64_t[]){ 3 }, 1);
	assert_int_equal(s.pull.n, 3);
	assert_int_equal(s.pull.err, E_BUSY);
	assert_string_equal(s.pull.text, "another process has the lock");
	assert_int_equal(s.retry_s, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_step_took_is_the_same_for_good_and_bad),
		cmocka_unit_test(a_pull_from_the_cache_hides_no_failure),
		cmocka_unit_test(a_git_process_that_cannot_begin_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
