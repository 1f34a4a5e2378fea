/* A zone that several primaries have: the newest version counts. */
#include "follower_world.h"

/* Follows primaries 0 and 1, which have serial 7 of the zone "example". */
static void
begin_with_two(struct world *w)
{
	world_begin(w);
	COMMIT(w, 0, KEYS, { "example", ZONE("7", "") });
	COMMIT(w, 1, KEYS, { "example", ZONE("7", "") });
	follow(w, 0, KEY);
	follow(w, 1, KEY);
	run(w, S);
	assert_int_equal(serial_of(w, "example"), 7);
}

static void
the_newest_version_is_served_at_first(void **state)
{
	struct world w;
	(void)state;
	for (unsigned newest = 0; newest < 2; newest++) {
		world_begin(&w);
		COMMIT(&w, 0, KEYS, { "example", newest == 0 ? ZONE("9", "") : ZONE("7", "") });
		COMMIT(&w, 1, KEYS, { "example", newest == 1 ? ZONE("9", "") : ZONE("7", "") });
		follow(&w, 0, KEY);
		follow(&w, 1, KEY);
		run(&w, S);
		assert_int_equal(serial_of(&w, "example"), 9);
		assert_int_equal(w.events[FOLLOW_FAILED], 0);
		world_fini(&w);
	}
}

/* Without a NOTIFY: each has something newer, and the second one the newest. */
static void
a_refresh_asks_all(void **state)
{
	struct world w;
	(void)state;
	begin_with_two(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("8", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("9", "") });
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 9);
	world_fini(&w);
}

static void
a_notify_asks_no_more_than_it_must(void **state)
{
	struct world w;
	(void)state;
	begin_with_two(&w);
	unsigned asked = w.primary[0].asked;
	COMMIT(&w, 1, KEYS, { "example", ZONE("8", "") });
	notify(&w, 1, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].asked, asked);
	notify(&w, 1, "example", KEY, 0); /* without a serial there may be anything */
	run(&w, S);
	assert_int_equal(w.primary[0].asked, asked + 1);
	world_fini(&w);
}

/* One sends a NOTIFY every minute, the other one has a version that is newer than all of these, and sends none. */
static void
notifies_of_one_do_not_hide_the_other(void **state)
{
	struct world w;
	char serial[16], text[256];
	(void)state;
	begin_with_two(&w);
	COMMIT(&w, 1, KEYS, { "example", ZONE("1000", "") });
	for (uint32_t i = 8; i < 68; i++) {
		(void)snprintf(serial, sizeof serial, "%u", i);
		(void)snprintf(text, sizeof text, "$TTL 60\n@ SOA ns host %u 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", i);
		COMMIT(&w, 0, KEYS, { "example", text });
		notify(&w, 0, "example", KEY, i);
		run(&w, 61 * S);
	}
	assert_int_equal(serial_of(&w, "example"), 1000);
	world_fini(&w);
}

/* It comes while the zone waits for its turn at the other source, whose answer leads to a version, but not to the newest. */
static void
a_notify_of_another_source_is_not_lost(void **state)
{
	struct world w;
	(void)state;
	world_begin_conf(&w, (struct follower_conf){ .transfers_max = 1 });
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("7", "") });
	COMMIT(&w, 1, ROOT_KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, ROOT_KEY);
	follow(&w, 1, ROOT_KEY);
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, S);
	w.primary[0].spread_ms = 1000;
	notify(&w, 0, "example.net", ROOT_KEY, 7);
	run(&w, 100 * MS);
	assert_int_equal(follower_stats(w.f)->transferring, 1);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("8", "") }, { "example.net", ZONE("7", "") });
	notify(&w, 0, "example", ROOT_KEY, 8);
	run(&w, 100 * MS);
	assert_int_equal(follower_stats(w.f)->waiting, 1);
	COMMIT(&w, 1, ROOT_KEYS, { "example", ZONE("8", "") });
	COMMIT(&w, 1, ROOT_KEYS, { "example", ZONE("9", "") });
	notify(&w, 1, "example", ROOT_KEY, 9);
	run(&w, 5 * S);
	assert_int_equal(serial_of(&w, "example"), 9);
	world_fini(&w);
}

/* The other primary has not heard of the new version yet.  That is no trouble, unless it lasts. */
static void
one_that_is_behind_for_a_moment_has_not_failed(void **state)
{
	struct world w;
	(void)state;
	begin_with_two(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 0);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.events[FOLLOW_BEHIND], 1);
	assert_int_equal(w.events[FOLLOW_FAILED], 0);
	run(&w, 2 * HOUR);
	assert_in_range(w.events[FOLLOW_BEHIND], 1, 2);
	assert_in_range(w.events[FOLLOW_FAILED], 1, 3);
	assert_non_null(strstr(w.why, "serial 7, which is older than ours (8)"));
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	world_fini(&w);
}

/* The one that our version came from begins anew: it is older, not behind. */
static void
one_that_begins_anew_is_older_at_once(void **state)
{
	struct world w;
	(void)state;
	begin_with_two(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, KEYS, { "example", ZONE("3", "") });
	notify(&w, 0, "example", KEY, 0);
	run(&w, S);
	assert_int_equal(w.events[FOLLOW_FAILED], 1);
	assert_non_null(strstr(w.why, "serial 3, which is older than ours (8)"));
	assert_int_equal(w.events[FOLLOW_BEHIND], 1); /* the other one, which has 7 */
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

/* All versions have expired: any is better than none, and the newest the best. */
static void
after_expiry_the_newest_of_older_ones_is_served(void **state)
{
	struct world w;
	(void)state;
	begin_with_two(&w);
	w.primary[0].is_silent = w.primary[1].is_silent = true;
	run(&w, 2 * DAY);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_EXPIRED);
	for (unsigned i = 0; i < 2; i++) {
		primary_free(&w.primary[i].primary);
		w.primary[i].is_silent = false;
	}
	COMMIT(&w, 0, KEYS, { "example", ZONE("4", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("5", "") });
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 5);
	world_fini(&w);
}

/* Primary 0 has that zone of the domain "example"; primary 1 is silent. */
static void
begin_with_a_silent_one(struct world *w, const char *zone)
{
	world_begin(w);
	COMMIT(w, 0, KEYS, { zone, SHORT("7") });
	COMMIT(w, 1, KEYS, { "y.example", ZONE("7", "") });
	w->primary[1].is_silent = true;
	follow(w, 0, KEY);
	follow(w, 1, KEY);
}

/* It may have zones that the other one denies. */
static void
a_silent_one_keeps_the_domain_unknown(void **state)
{
	struct world w;
	(void)state;
	begin_with_a_silent_one(&w, "z.example");
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_UNKNOWN);
	w.primary[1].is_silent = false;
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_FORGOTTEN);
	world_fini(&w);
}

static void
a_silent_one_keeps_a_new_zone(void **state)
{
	struct world w;
	(void)state;
	begin_with_a_silent_one(&w, "z.example");
	notify(&w, 0, "y.example", KEY, 7); /* which it denies */
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "y.example"), FOLLOW_NEW);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	w.primary[1].is_silent = false;
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "y.example"), 7);
	world_fini(&w);
}

/* The domain was a zone, which is gone: what else there is in it is still known to one alone. */
static void
a_silent_one_keeps_what_was_a_zone_unknown(void **state)
{
	struct world w;
	(void)state;
	begin_with_a_silent_one(&w, "example");
	run(&w, 5 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	COMMIT(&w, 0, KEYS, { "z.example", ZONE("7", "") });
	run(&w, 100 * S);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_WITHDRAWN);
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_UNKNOWN);
	w.primary[1].is_silent = false;
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_FORGOTTEN);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_version_is_served_at_first),
		cmocka_unit_test(a_refresh_asks_all),
		cmocka_unit_test(a_notify_asks_no_more_than_it_must),
		cmocka_unit_test(notifies_of_one_do_not_hide_the_other),
		cmocka_unit_test(a_notify_of_another_source_is_not_lost),
		cmocka_unit_test(one_that_is_behind_for_a_moment_has_not_failed),
		cmocka_unit_test(one_that_begins_anew_is_older_at_once),
		cmocka_unit_test(after_expiry_the_newest_of_older_ones_is_served),
		cmocka_unit_test(a_silent_one_keeps_the_domain_unknown),
		cmocka_unit_test(a_silent_one_keeps_a_new_zone),
		cmocka_unit_test(a_silent_one_keeps_what_was_a_zone_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
