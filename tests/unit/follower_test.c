/* Follows real primaries over a network of the test's own. */
#include "follower_world.h"

static void
finds_and_transfers_the_domain_of_a_key(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "www A 192.0.2.7\n") });
	follow(&w, 0, KEY);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.transferred.form, INCOMING_WHOLE);
	assert_int_equal(w.primary[0].connections, 1);
	assert_int_equal(w.primary[0].asked, 3); /* the domain, the zone, its transfer */
	world_fini(&w);
}

static void
takes_changes_after_notify(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "www A 192.0.2.7\n") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.transferred.form, INCOMING_CHANGES);
	assert_int_equal(w.primary[0].connections, 1);
	world_fini(&w);
}

static void
old_news_cost_nothing(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	unsigned asked = w.primary[0].asked;
	notify(&w, 0, "example", KEY, 7);
	notify(&w, 0, "example", KEY, 6);
	run(&w, S);
	assert_int_equal(w.primary[0].asked, asked);
	notify(&w, 0, "example", KEY, 0); /* without a hint */
	run(&w, S);
	assert_int_equal(w.primary[0].asked, asked + 1);
	world_fini(&w);
}

static void
unsigned_notify_counts_from_the_primary_alone(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	unsigned asked = w.primary[0].asked;
	notify(&w, 2, "example", NULL, 0);
	notify(&w, 0, "other.example", NULL, 0); /* a zone that is not known */
	run(&w, S);
	assert_int_equal(w.primary[0].asked, asked);
	notify(&w, 0, "example", NULL, 0);
	run(&w, S);
	assert_int_equal(w.primary[0].asked, asked + 1);
	world_fini(&w);
}

static void
a_root_key_finds_zones_by_notify(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
	follow(&w, 0, ROOT_KEY);
	run(&w, S);
	assert_int_equal(held(&w, ".")->presence, FOLLOW_UNKNOWN);
	run(&w, 30 * S);
	assert_int_equal(w.zones_n, 0);
	notify(&w, 0, "example", ROOT_KEY, 7);
	notify(&w, 0, "example.net", ROOT_KEY, 9);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(serial_of(&w, "example.net"), 9);
	notify(&w, 0, "example.org", "other._transfer", 9); /* a key that is none of a source */
	run(&w, S);
	assert_null(held(&w, "example.org"));
	world_fini(&w);
}

static void
refreshes(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	run(&w, 3200 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	run(&w, 500 * S);
	assert_int_equal(serial_of(&w, "example"), 8);
	unsigned asked = w.primary[0].asked;
	run(&w, DAY);
	assert_in_range(w.primary[0].asked - asked, 24, 2 * 27); /* the zone, and its key's domain, each hour */
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

static void
expires_and_comes_back_without_a_transfer(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	w.primary[0].is_silent = true;
	run(&w, DAY - HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	run(&w, HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_EXPIRED);
	assert_int_equal(w.events[FOLLOW_EXPIRY], 1);
	w.primary[0].is_silent = false;
	run(&w, HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.primary[0].transfers, 1);
	world_fini(&w);
}

/* A primary out of a backup has an older serial: that is no news, until our version has expired. */
static void
an_older_serial_is_taken_only_when_ours_has_expired(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, KEYS, { "example", ZONE("5", "") });
	run(&w, DAY - HOUR);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_non_null(strstr(w.why, "serial 5, which is older than ours (7)"));
	run(&w, 2 * HOUR);
	assert_int_equal(serial_of(&w, "example"), 5);
	world_fini(&w);
}

static void
a_withdrawn_zone_is_kept_for_a_while(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
	follow(&w, 0, ROOT_KEY);
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, S);
	COMMIT(&w, 0, ROOT_KEYS, { "example.net", ZONE("9", "") });
	notify(&w, 0, "example", ROOT_KEY, 0);
	run(&w, S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_WITHDRAWN);
	assert_int_equal(w.events[FOLLOW_GONE], 1);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.primary[0].transfers, 1);
	COMMIT(&w, 0, ROOT_KEYS, { "example.net", ZONE("9", "") });
	notify(&w, 0, "example", ROOT_KEY, 0);
	run(&w, 2 * DAY);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_FORGOTTEN);
	assert_int_equal(follower_stats(w.f)->zones, 0);
	world_fini(&w);
}

static void
a_zone_that_comes_later_is_found(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("9", "") });
	follow(&w, 0, KEY);
	run(&w, 10 * S);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	run(&w, 300 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

static void
starts_while_the_primary_is_down(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	w.primary[0].is_down = true;
	follow(&w, 0, KEY);
	run(&w, HOUR);
	assert_in_range(w.primary[0].connections, 10, 25);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 1);
	w.primary[0].is_down = false;
	run(&w, 610 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.events[FOLLOW_LINK_UP], 1);
	world_fini(&w);
}

static void
fails_over(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	follow(&w, 1, KEY);
	run(&w, S);
	w.primary[0].is_silent = true;
	COMMIT(&w, 1, KEYS, { "example", ZONE("8", "") });
	run(&w, 3700 * S);
	assert_int_equal(serial_of(&w, "example"), 8);
	w.primary[1].is_silent = true; /* now the other way round */
	w.primary[0].is_silent = false;
	COMMIT(&w, 0, KEYS, { "example", ZONE("9", "") });
	run(&w, 3700 * S);
	assert_int_equal(serial_of(&w, "example"), 9);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	world_fini(&w);
}

/* One says that there is no such zone, the other has it: it stays. */
static void
one_denial_of_two_drops_nothing(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	follow(&w, 1, KEY);
	run(&w, S);
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("7", "") });
	run(&w, 2 * DAY);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	world_fini(&w);
}

/* The primary that has the zone is down, and another source has not got it yet: it stays.  The primary itself says that it is gone: it goes,
 * though the other source is down. */
static void
a_denial_counts_if_it_is_of_the_one_that_had_it(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	COMMIT(&w, 1, KEYS, { "example.net", ZONE("7", "") });
	follow(&w, 0, KEY);
	follow(&w, 1, KEY);
	run(&w, S);
	w.primary[0].is_silent = true;
	run(&w, 2 * HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	w.primary[0].is_silent = false;
	w.primary[1].is_silent = true;
	run(&w, 2 * HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("7", "") });
	run(&w, 2 * HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_WITHDRAWN);
	assert_int_equal(w.events[FOLLOW_GONE], 1);
	world_fini(&w);
}

static void
many_zones_of_a_dead_primary_make_no_storm(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") });
	w.primary[0].is_down = true;
	follow(&w, 0, ROOT_KEY);
	for (unsigned i = 0; i < 1000; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "z%u.example", i);
		notify(&w, 0, name, ROOT_KEY, 1);
	}
	run(&w, HOUR);
	assert_in_range(w.primary[0].connections, 10, 30);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 1);
	assert_int_equal(follower_stats(w.f)->zones, 1000);
	world_fini(&w);
}

/* The primary has the serial that we have, with other content: the changes from there do not fit. */
static void
changes_that_do_not_fit_lead_to_the_whole_zone(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "www A 192.0.2.7\n") });
	follow(&w, 0, KEY);
	run(&w, S);
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "ftp A 192.0.2.7\n") });
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") }); /* removes "ftp" */
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.events[FOLLOW_WHOLE], 1);
	assert_int_equal(follower_stats(w.f)->whole_again, 1);
	assert_int_equal(w.transferred.form, INCOMING_WHOLE);
	assert_int_equal(held(&w, "example")->version->records, 3);
	world_fini(&w);
}

static void
a_notify_during_a_transfer_is_not_lost(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	run(&w, 5 * MS); /* the transfer is under way */
	assert_int_equal(w.primary[0].transfers, 1);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

/* An older one that comes after it does not take its place. */
static void
a_late_notify_hides_no_newer_one(void **state)
{
	struct world w;
	(void)state;
	for (uint32_t serial = 0; serial <= 8; serial += 8) { /* 0: none, as when a zone is gone */
		world_begin(&w);
		COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
		follow(&w, 0, KEY);
		run(&w, 5 * MS); /* the transfer is under way */
		assert_int_equal(w.primary[0].transfers, 1);
		COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
		notify(&w, 0, "example", KEY, serial);
		notify(&w, 0, "example", KEY, 7);
		run(&w, S);
		assert_int_equal(serial_of(&w, "example"), 8);
		world_fini(&w);
	}
}

/* The question is answered by NOTAUTH, and before that answer comes, a NOTIFY that it is there again as it was. */
static void
a_zone_that_is_back_at_once_is_served_again(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("9", "") });
	notify(&w, 0, "example", KEY, 0);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	notify(&w, 0, "example", KEY, 7);
	run(&w, S);
	assert_int_equal(w.events[FOLLOW_GONE], 1);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

/* The same for a zone that was never transferred: its NOTIFY would not come again. */
static void
a_new_zone_that_is_back_at_once_is_not_forgotten(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example.net", ZONE("9", "") });
	follow(&w, 0, ROOT_KEY);
	run(&w, S);
	notify(&w, 0, "example", ROOT_KEY, 7);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", ROOT_KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

static void
a_wrong_key_costs_no_zone(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, { "example._keys", "b._transfer.example. DNSKEY 0 3 163 " SECRET "\n" }, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_non_null(strstr(w.why, "BADKEY: it has no such key"));
	world_fini(&w);
}

static void
another_secret_transfers_nothing(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	follow_with(&w, 0, KEY, "aJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=", false);
	run(&w, 100 * S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_UNKNOWN); /* nobody has answered whether that is a zone */
	assert_int_equal(follower_stats(w.f)->zones, 0);
	assert_non_null(strstr(w.why, "BADSIG"));
	world_fini(&w);
}

static void
clocks_that_differ_are_named(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	w.primary[0].skew_s = -3600;
	run(&w, 5 * MS);
	assert_non_null(strstr(w.why, "BADTIME: the clocks differ"));
	w.primary[0].skew_s = -60;
	run(&w, 100 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

static void
many_zones(struct world *w, unsigned n)
{
	static char names[64][2][256];
	const char *files[65][2] = { ROOT_KEYS };
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(names[i][0], 256, "z%u.example", i);
		files[i + 1][0] = names[i][0];
		files[i + 1][1] = ZONE("7", "");
	}
	commit(w, 0, files, n + 1);
	follow(w, 0, ROOT_KEY);
	for (unsigned i = 0; i < n; i++) {
		notify(w, 0, names[i][0], ROOT_KEY, 7);
	}
}

static void
assert_all_present(struct world *w, unsigned n)
{
	assert_int_equal(w->zones_n, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(w->zone[i].presence, FOLLOW_PRESENT);
	}
}

static void
a_primary_that_closes_early_is_humoured(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	w.primary[0].closes_after = 1;
	many_zones(&w, 60);
	run(&w, 60 * S);
	assert_all_present(&w, 60);
	assert_int_equal(w.events[FOLLOW_FAILED], 0);
	assert_in_range(w.primary[0].asked, 121, 270); /* one more question is on its way when it closes */
	world_fini(&w);
}

static void
transfers_are_few_at_a_time(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	many_zones(&w, 60);
	for (unsigned i = 0; i < 100; i++) {
		run(&w, MS);
		assert_true(follower_stats(w.f)->transferring <= FOLLOWER_LINK_TRANSFERS_MAX);
	}
	run(&w, 60 * S);
	assert_all_present(&w, 60);
	assert_int_equal(w.primary[0].connections, 1);
	world_fini(&w);
}

static void
notifies_that_overtake_each_other_lose_nothing(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, 3 * MS); /* the transfer of 8 is on its way */
	assert_int_equal(follower_stats(w.f)->transferring, 1);
	COMMIT(&w, 0, KEYS, { "example", ZONE("9", "") });
	notify(&w, 0, "example", KEY, 9);
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 9);
	COMMIT(&w, 0, KEYS, { "example", ZONE("10", "") });
	notify(&w, 0, "example", KEY, 10);
	run(&w, 3 * MS);
	COMMIT(&w, 0, KEYS, { "example", ZONE("11", "") });
	notify(&w, 0, "example", KEY, 0);
	notify(&w, 0, "example", KEY, 10);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 11);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_and_transfers_the_domain_of_a_key),
		cmocka_unit_test(takes_changes_after_notify),
		cmocka_unit_test(old_news_cost_nothing),
		cmocka_unit_test(unsigned_notify_counts_from_the_primary_alone),
		cmocka_unit_test(a_root_key_finds_zones_by_notify),
		cmocka_unit_test(refreshes),
		cmocka_unit_test(expires_and_comes_back_without_a_transfer),
		cmocka_unit_test(an_older_serial_is_taken_only_when_ours_has_expired),
		cmocka_unit_test(a_withdrawn_zone_is_kept_for_a_while),
		cmocka_unit_test(a_zone_that_comes_later_is_found),
		cmocka_unit_test(starts_while_the_primary_is_down),
		cmocka_unit_test(fails_over),
		cmocka_unit_test(one_denial_of_two_drops_nothing),
		cmocka_unit_test(a_denial_counts_if_it_is_of_the_one_that_had_it),
		cmocka_unit_test(many_zones_of_a_dead_primary_make_no_storm),
		cmocka_unit_test(changes_that_do_not_fit_lead_to_the_whole_zone),
		cmocka_unit_test(a_notify_during_a_transfer_is_not_lost),
		cmocka_unit_test(a_late_notify_hides_no_newer_one),
		cmocka_unit_test(a_zone_that_is_back_at_once_is_served_again),
		cmocka_unit_test(a_new_zone_that_is_back_at_once_is_not_forgotten),
		cmocka_unit_test(a_wrong_key_costs_no_zone),
		cmocka_unit_test(another_secret_transfers_nothing),
		cmocka_unit_test(clocks_that_differ_are_named),
		cmocka_unit_test(a_primary_that_closes_early_is_humoured),
		cmocka_unit_test(transfers_are_few_at_a_time),
		cmocka_unit_test(notifies_that_overtake_each_other_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
