#include "auth/quiet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { START_MS = 1000000, HOUR_MS = 3600000 };

/* Updates without pause, each commit of which takes a while, and a person who tries again and again. */
struct sim {
	struct quiet q;
	uint64_t now_ms;
	unsigned commit_ms;  /* what one takes */
	uint64_t commits, waited_ms;
	unsigned longest_ms; /* that updates waited */
};

static struct sim
sim_of(unsigned commit_ms)
{
	return (struct sim){ .now_ms = START_MS, .commit_ms = commit_ms };
}

/* The next commit; its push lands at the end of it. */
static void
push_next(struct sim *s)
{
	unsigned wait_ms = quiet_wait(&s->q, s->now_ms);
	s->now_ms += wait_ms;
	s->waited_ms += wait_ms;
	s->longest_ms = wait_ms > s->longest_ms ? wait_ms : s->longest_ms;
	assert_int_equal(quiet_wait(&s->q, s->now_ms), 0);
	quiet_begin(&s->q, s->now_ms);
	s->now_ms += s->commit_ms;
	quiet_pushed(&s->q, s->now_ms);
	s->commits++;
}

/* Until updates have to wait. */
static void
push_until_quiet(struct sim *s)
{
	while (quiet_wait(&s->q, s->now_ms) == 0) {
		push_next(s);
	}
}

static void
push_until(struct sim *s, uint64_t end_ms)
{
	while (s->now_ms + quiet_wait(&s->q, s->now_ms) + s->commit_ms <= end_ms) {
		push_next(s);
	}
}

/* He pulls at `at_ms`, and pushes `try_ms` later, again and again; how many times?  What he brings comes in at the end. */
static unsigned
tries_of_person(struct sim *s, uint64_t at_ms, unsigned try_ms)
{
	push_until(s, at_ms);
	for (unsigned tries = 1;; tries++) {
		uint64_t before = s->commits;
		push_until(s, at_ms + try_ms);
		at_ms += try_ms;
		if (s->commits == before) {
			s->now_ms = at_ms;
			quiet_others_pushed(&s->q, at_ms);
			return tries;
		}
	}
}

/* Whatever a try takes, and whenever it begins, once people have been seen. */
static void
a_person_is_through_with_three_tries(void **state)
{
	(void)state;
	static const unsigned commit_ms[] = { 5, 20, 90 };
	unsigned seed = 1;
	for (size_t i = 0; i < 3; i++) {
		for (unsigned try_ms = QUIET_SLICE_MS + 50; try_ms <= QUIET_MS / 2 - 100; try_ms += 150) {
			struct sim s = sim_of(commit_ms[i]);
			push_next(&s);
			quiet_others_pushed(&s.q, s.now_ms);
			push_until(&s, s.now_ms + QUIET_BURST_MS + QUIET_MS);
			for (unsigned n = 0; n < 40; n++) {
				uint64_t pause_ms = (uint64_t)rand_r(&seed) % 30000;
				assert_in_range(tries_of_person(&s, s.now_ms + pause_ms, try_ms), 1, 3);
			}
			assert_in_range(s.longest_ms, 1, QUIET_MS);
		}
	}
}

/* Also where updates begin anew with him, after a pause of their own. */
static void
a_person_is_through_in_a_burst(void **state)
{
	(void)state;
	for (unsigned try_ms = 1000; try_ms <= QUIET_MS / 2 - 100; try_ms += 150) {
		for (unsigned later_ms = 0; later_ms <= QUIET_BURST_MS; later_ms += 100) {
			struct sim s = sim_of(20);
			push_next(&s);
			quiet_others_pushed(&s.q, s.now_ms);
			s.now_ms += QUIET_MS;
			assert_in_range(tries_of_person(&s, s.now_ms + later_ms, try_ms), 1, 3);
		}
	}
}

/* Who has pushed before there were any updates is known when they begin. */
static void
a_push_before_ours_counts(void **state)
{
	(void)state;
	for (unsigned try_ms = QUIET_SLICE_MS + 50; try_ms <= QUIET_MS / 2 - 100; try_ms += 150) {
		struct sim s = sim_of(20);
		quiet_others_pushed(&s.q, s.now_ms);
		s.now_ms += 5000;
		push_next(&s);
		assert_in_range(tries_of_person(&s, s.now_ms + QUIET_BURST_MS + QUIET_MS, try_ms), 1, 3);
	}
}

/* Who comes for the first time is kept out for a few minutes at most. */
static void
the_first_time_takes_longer(void **state)
{
	(void)state;
	for (unsigned try_ms = 500; try_ms <= QUIET_MS / 2; try_ms += 500) {
		struct sim s = sim_of(20);
		push_next(&s);
		uint64_t begin_ms = s.now_ms + 7000;
		assert_true(tries_of_person(&s, begin_ms, try_ms) > 3);
		assert_true(s.now_ms - begin_ms <= QUIET_RARELY_MS + QUIET_MS);
		push_until(&s, s.now_ms + QUIET_BURST_MS);
		assert_in_range(tries_of_person(&s, s.now_ms + 3000, try_ms), 1, 3);
	}
}

static void
nobody_costs_next_to_nothing(void **state)
{
	(void)state;
	struct sim s = sim_of(20);
	push_until(&s, START_MS + QUIET_RARELY_MS);
	assert_int_equal(s.waited_ms, 0);
	push_until(&s, START_MS + 2 * HOUR_MS);
	assert_true(s.waited_ms * 100 <= 3 * 2 * HOUR_MS);
}

/* Each push counts for ten minutes, more of them for an hour at most; then all is as it was. */
static void
people_are_expected_for_a_while(void **state)
{
	(void)state;
	struct sim s = sim_of(20);
	push_next(&s);
	quiet_others_pushed(&s.q, s.now_ms);
	uint64_t first_ms = s.now_ms;
	assert_true(quiet_is_anybody_expected(&s.q, first_ms + QUIET_EXPECT_MS - 1));
	assert_false(quiet_is_anybody_expected(&s.q, first_ms + QUIET_EXPECT_MS));
	quiet_others_pushed(&s.q, first_ms + 1000);
	assert_true(quiet_is_anybody_expected(&s.q, first_ms + 2 * QUIET_EXPECT_MS - 1));
	for (unsigned i = 0; i < 100; i++) {
		quiet_others_pushed(&s.q, first_ms + 2000);
	}
	assert_true(quiet_is_anybody_expected(&s.q, first_ms + 2000 + QUIET_EXPECT_MAX_MS - 1));
	assert_false(quiet_is_anybody_expected(&s.q, first_ms + 2000 + QUIET_EXPECT_MAX_MS));
	push_until(&s, first_ms + 2 * QUIET_EXPECT_MAX_MS);
	s.waited_ms = 0;
	push_until(&s, s.now_ms + QUIET_RARELY_MS);
	assert_true(s.waited_ms <= 2 * QUIET_MS);
}

/* Updates that come with pauses of their own, or are few, never wait, whoever pushes. */
static void
pauses_of_their_own_are_enough(void **state)
{
	(void)state;
	struct sim s = sim_of(20);
	for (unsigned i = 0; i < 1000; i++) {
		for (unsigned n = 0; n < 100; n++) { /* two seconds */
			push_next(&s);
		}
		quiet_others_pushed(&s.q, s.now_ms + 1000);
		s.now_ms += QUIET_MS;
	}
	assert_int_equal(s.waited_ms, 0);
}

/* A person is expected, and updates wait for him now. */
static struct sim
in_a_moment(void)
{
	struct sim s = sim_of(20);
	push_next(&s);
	quiet_others_pushed(&s.q, s.now_ms);
	push_until_quiet(&s);
	return s;
}

/* Updates are pushed for a slice and no longer, then they wait. */
static void
assert_slice(struct sim *s)
{
	uint64_t begin_ms = s->now_ms;
	push_until_quiet(s);
	assert_in_range(s->now_ms - begin_ms, QUIET_SLICE_MS, QUIET_SLICE_MS + s->commit_ms);
}

/* When he is through nobody waits for the rest of the moment. */
static void
a_moment_ends_with_the_push(void **state)
{
	(void)state;
	struct sim s = in_a_moment();
	assert_in_range(quiet_wait(&s.q, s.now_ms + 1000), 1, QUIET_MS - 1000);
	quiet_others_pushed(&s.q, s.now_ms + 1000);
	assert_int_equal(quiet_wait(&s.q, s.now_ms + 1000), 0);
	s.now_ms += 1000;
	assert_slice(&s); /* and then there is another one */
}

/* A push that fails is none: the stretch after it is as short as it would have been. */
static void
a_push_that_fails_makes_the_stretch_no_longer(void **state)
{
	(void)state;
	struct sim s = in_a_moment();
	s.now_ms += quiet_wait(&s.q, s.now_ms);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(quiet_wait(&s.q, s.now_ms), 0);
		quiet_begin(&s.q, s.now_ms);
		s.now_ms += 20;
	}
	assert_slice(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_is_through_with_three_tries),
		cmocka_unit_test(a_person_is_through_in_a_burst),
		cmocka_unit_test(a_push_before_ours_counts),
		cmocka_unit_test(the_first_time_takes_longer),
		cmocka_unit_test(nobody_costs_next_to_nothing),
		cmocka_unit_test(people_are_expected_for_a_while),
		cmocka_unit_test(pauses_of_their_own_are_enough),
		cmocka_unit_test(a_moment_ends_with_the_push),
		cmocka_unit_test(a_push_that_fails_makes_the_stretch_no_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
