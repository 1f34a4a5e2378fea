/* What there is to see of a zone. */
#include "follower_world.h"

static void
keep_state(void *ctx, const struct follow_state *s)
{
	*(struct follow_state *)ctx = *s;
}

static struct follow_state
only_state(const struct world *w)
{
	struct follow_state s = { 0 };
	assert_int_equal(follower_stats(w->f)->zones, 1);
	follower_each(w->f, &w->now, keep_state, &s);
	return s;
}

static void
a_zone_that_is_well(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	run(&w, 100 * S);
	const struct follow_state s = only_state(&w);
	assert_int_equal(s.presence, FOLLOW_PRESENT);
	assert_int_equal(s.serial, 7);
	assert_in_range(s.refreshed_ago_s, 98, 100);
	assert_in_range(s.transferred_ago_s, 98, 100);
	assert_in_range(s.next_s, 3100, 3500);
	assert_in_range(s.expires_s, 86290, 86310);
	assert_int_equal(s.source->address.octets[3], 1);
	assert_string_equal(s.trouble, "");
	world_fini(&w);
}

static void
a_zone_that_is_asked_about_has_no_next_time(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	w.primary[0].is_silent = true;
	notify(&w, 0, "example", KEY, 8);
	assert_int_equal(follower_stats(w.f)->asking, 1);
	assert_int_equal(only_state(&w).next_s, UINT64_MAX);
	world_fini(&w);
}

/* A domain without a zone is asked about again and again, so that the link to the primary fails for longer and longer; then the refresh of
 * the zone is due. */
static void
a_zone_that_waits_for_its_primary_says_when_that_is_tried(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	follow(&w, 0, "a._transfer.net");
	run(&w, S);
	w.primary[0].is_down = true;
	post(&w, 0, NULL, 0, true);
	run(&w, 3000 * S); /* less than REFRESH */
	await_turn(&w, "example");
	const struct follow_state s = only_state(&w);
	unsigned tried = w.primary[0].connections;
	assert_in_range(s.next_s, 1, FOLLOWER_DOWN_MAX_S);
	run(&w, (s.next_s - 1) * S);
	assert_int_equal(only_state(&w).next_s, 1);
	assert_int_equal(w.primary[0].connections, tried);
	run(&w, 2 * S);
	assert_int_equal(w.primary[0].connections, tried + 1);
	assert_in_range(only_state(&w).next_s, 300, 600); /* RETRY */
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_that_is_well),
		cmocka_unit_test(a_zone_that_is_asked_about_has_no_next_time),
		cmocka_unit_test(a_zone_that_waits_for_its_primary_says_when_that_is_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
