/* How long a link may be idle: what primaries say of it (RFC 7828), and what a secondary does. */
#include "follower_world.h"

enum { SAID_S = 30 };

static void
begin(struct world *w, uint16_t kept_100ms, bool is_kept)
{
	world_begin(w);
	w->primary[0].kept_100ms = kept_100ms;
	COMMIT(w, 0, KEYS, { "example", ZONE("7", "") });
	follow_with(w, 0, KEY, SECRET, is_kept);
	run(w, S);
	assert_int_equal(serial_of(w, "example"), 7);
}

static void
a_link_is_closed_before_the_primary_does_it(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SAID_S * 10, false);
	assert_true(w.is_open[0]);
	run(&w, (SAID_S - 1) * S);
	assert_false(w.is_open[0]);
	assert_int_equal(w.events[FOLLOW_FAILED] + w.events[FOLLOW_LINK_DOWN], 0);
	assert_int_equal(w.primary[0].connections, 1);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", NULL, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].connections, 2);
	world_fini(&w);
}

static void
a_link_that_is_used_stays(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SAID_S * 10, false);
	for (int i = 0; i < 20; i++) {
		run(&w, SAID_S / 2 * S);
		notify(&w, 0, "example", NULL, 0);
	}
	assert_int_equal(w.primary[0].connections, 1);
	assert_true(w.is_open[0]);
	world_fini(&w);
}

/* The primary reaches the secondary by nothing else. */
static void
a_kept_link_is_used_in_time(void **state)
{
	(void)state;
	struct world w;
	begin(&w, SAID_S * 10, true);
	unsigned asked = w.primary[0].asked;
	run(&w, 20 * SAID_S * S);
	assert_true(w.is_open[0]);
	assert_int_equal(w.primary[0].connections, 1);
	assert_in_range(w.primary[0].asked - asked, 20, 25);
	world_fini(&w);
}

static void
a_primary_that_has_no_place_is_left_at_once(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 0, false);
	assert_false(w.is_open[0]);
	assert_int_equal(w.events[FOLLOW_FAILED] + w.events[FOLLOW_LINK_DOWN], 0);
	run(&w, 3600 * S);
	assert_false(w.is_open[0]);
	assert_in_range(w.primary[0].connections, 2, 10); /* for its SOA record, then for the zone; then as refresh asks for */
	world_fini(&w);
	begin(&w, 0, true);
	run(&w, 3600 * S);
	assert_in_range(w.primary[0].connections, 5, 30); /* less and less often */
	world_fini(&w);
}


static void
a_long_time_is_said(void **state)
{
	(void)state;
	struct world w;
	begin(&w, UINT16_MAX, false);
	run(&w, HOUR);
	assert_true(w.is_open[0]);
	world_fini(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_closed_before_the_primary_does_it),
		cmocka_unit_test(a_link_that_is_used_stays),
		cmocka_unit_test(a_kept_link_is_used_in_time),
		cmocka_unit_test(a_primary_that_has_no_place_is_left_at_once),
		cmocka_unit_test(a_long_time_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
