/* Questions over UDP, and what becomes of them when UDP does not do. */
#include "follower_world.h"

/* Follows primary 0, which has serial 7 of "example", and has closed the connection. */
static void
begin_without_link(struct world *w)
{
	begin_with_version_7(w);
	post(w, 0, NULL, 0, true);
	run(w, S);
	assert_int_equal(follower_stats(w->f)->links, 0);
	assert_int_equal(w->primary[0].connections, 1);
}

/* The question about the key's domain, each hour, takes a connection, which is closed again. */
static void
run_closing(struct world *w, unsigned minutes)
{
	for (unsigned i = 0; i < minutes; i++) {
		run(w, 60 * S);
		if (w->is_open[0]) {
			post(w, 0, NULL, 0, true);
		}
	}
}

static void
a_refresh_needs_no_connection(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	run_closing(&w, 24 * 60);
	assert_in_range(w.primary[0].datagrams, 23, 28);
	assert_in_range(w.primary[0].connections, 23, 28); /* for the domain */
	assert_int_equal(follower_stats(w.f)->datagrams_lost, 0);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	world_fini(&w);
}

static void
what_is_newer_comes_over_a_connection(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].datagrams, 1);
	assert_int_equal(w.primary[0].transfers, 2);
	world_fini(&w);
}

/* A transfer follows most likely, so the connection is made at once. */
static void
a_notify_is_followed_over_a_connection(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].datagrams, 0);
	world_fini(&w);
}

static void
an_open_connection_is_used(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	run(&w, DAY);
	assert_int_equal(w.primary[0].datagrams, 0);
	assert_int_equal(w.primary[0].connections, 1);
	world_fini(&w);
}

static void
a_kept_link_is_used(void **state)
{
	struct world w;
	(void)state;
	begin_kept_with_version_7(&w);
	run_closing(&w, 600);
	assert_int_equal(w.primary[0].datagrams, 0);
	world_fini(&w);
}

static void
a_lost_question_is_sent_again(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	w.primary[0].datagrams_lost = 1;
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].datagrams, 2);
	assert_int_equal(follower_stats(w.f)->datagrams_lost, 0);
	world_fini(&w);
}

/* It costs each zone three seconds at first; later one question now and then. */
static void
a_firewall_costs_little(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	w.primary[0].drops_datagrams = true;
	COMMIT(&w, 0, ROOT_KEYS, { "a.example", ZONE("7", "") }, { "b.example", ZONE("7", "") }, { "c.example", ZONE("7", "") });
	follow(&w, 0, ROOT_KEY);
	notify(&w, 0, "a.example", ROOT_KEY, 7);
	notify(&w, 0, "b.example", ROOT_KEY, 7);
	notify(&w, 0, "c.example", ROOT_KEY, 7);
	run(&w, S);
	post(&w, 0, NULL, 0, true);
	run_closing(&w, 7 * 24 * 60);
	assert_in_range(w.primary[0].datagrams, 2, 2 * (3 + 18)); /* 3 at first, then after 1, 2, 4, … minutes, up to a day */
	assert_int_equal(w.events[FOLLOW_FAILED], 0);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 0);
	w.primary[0].drops_datagrams = false;
	unsigned lost = (unsigned)follower_stats(w.f)->datagrams_lost, before = w.primary[0].datagrams;
	run_closing(&w, 2 * 24 * 60);
	assert_int_equal(follower_stats(w.f)->datagrams_lost, lost);
	assert_in_range(w.primary[0].datagrams - before, 20, 170);
	world_fini(&w);
}

static void
what_says_that_nobody_is_there_is_believed_at_once(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	w.primary[0].is_unreachable = true;
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].datagrams, 1);
	world_fini(&w);
}

/* A question is pending when the primary goes: that is a dead primary, not a firewall. */
static void
a_dead_primary_is_no_more_asked_than_before(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	w.primary[0].is_down = true;
	run(&w, 10 * HOUR);
	assert_in_range(w.primary[0].datagrams, 1, 4);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 1);
	w.primary[0].is_down = false;
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

static void
forged_answers_are_passed_over(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	w.primary[0].is_forged = true;
	run(&w, 3590 * S);
	assert_int_equal(w.primary[0].datagrams, 1);
	assert_int_equal(follower_stats(w.f)->unexpected, 2);
	assert_int_equal(follower_stats(w.f)->datagrams_lost, 0);
	world_fini(&w);
}

/* No answer over UDP that is unsigned or cut is believed; the connection brings a good one. */
static void
what_is_not_good_comes_over_a_connection(void **state)
{
	struct world w;
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		begin_without_link(&w);
		COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
		w.primary[0].is_unsigned = i == 0;
		w.primary[0].conf.udp_max = i == 1 ? 100 : UDP_MAX;
		if (i == 2) { /* the key is gone: NOTAUTH, with BADKEY and unsigned */
			COMMIT(&w, 0, { "example._keys", "b._transfer.example. DNSKEY 0 3 163 " SECRET "\n" }, { "example", ZONE("8", "") });
		}
		run(&w, HOUR);
		assert_int_equal(serial_of(&w, "example"), i == 2 ? 7 : 8);
		assert_int_equal(w.events[FOLLOW_GONE], 0);
		assert_int_equal(w.primary[0].datagrams, 1);
		assert_true(w.primary[0].connections >= 2);
		world_fini(&w);
	}
}

static void
a_signed_denial_counts(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("8", "") });
	run(&w, 3590 * S);
	assert_int_equal(w.events[FOLLOW_GONE], 1);
	world_fini(&w);
}

static void
many_zones_are_few_at_a_time(void **state)
{
	struct world w;
	static char names[64][16];
	const char *files[65][2] = { ROOT_KEYS };
	(void)state;
	world_begin(&w);
	for (unsigned i = 0; i < 64; i++) {
		(void)snprintf(names[i], sizeof names[i], "z%u.example", i);
		files[i + 1][0] = names[i];
		files[i + 1][1] = "$TTL 60\n@ SOA ns host 7 1 1 86400 60\n@ NS ns\nns A 192.0.2.1\n"; /* all are due at once */
	}
	commit(&w, 0, files, 65);
	follow(&w, 0, ROOT_KEY);
	for (unsigned i = 0; i < 64; i++) {
		notify(&w, 0, names[i], ROOT_KEY, 7);
	}
	run(&w, 500 * MS);
	assert_int_equal(follower_stats(w.f)->zones, 64);
	post(&w, 0, NULL, 0, true);
	unsigned connections = w.primary[0].connections;
	for (unsigned i = 0; i < 2000; i++) {
		run(&w, MS);
		assert_true(follower_stats(w.f)->links != 0 || follower_stats(w.f)->asking <= FOLLOWER_LINK_UDP_MAX);
	}
	assert_int_equal(w.primary[0].connections, connections);
	assert_in_range(w.primary[0].datagrams, 100, 200);
	world_fini(&w);
}

static void
it_may_end_while_a_question_is_under_way(void **state)
{
	struct world w;
	(void)state;
	begin_without_link(&w);
	w.primary[0].drops_datagrams = true;
	while (follower_stats(w.f)->asking == 0) {
		run(&w, S);
	}
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refresh_needs_no_connection),
		cmocka_unit_test(what_is_newer_comes_over_a_connection),
		cmocka_unit_test(a_notify_is_followed_over_a_connection),
		cmocka_unit_test(an_open_connection_is_used),
		cmocka_unit_test(a_kept_link_is_used),
		cmocka_unit_test(a_lost_question_is_sent_again),
		cmocka_unit_test(a_firewall_costs_little),
		cmocka_unit_test(what_says_that_nobody_is_there_is_believed_at_once),
		cmocka_unit_test(a_dead_primary_is_no_more_asked_than_before),
		cmocka_unit_test(forged_answers_are_passed_over),
		cmocka_unit_test(what_is_not_good_comes_over_a_connection),
		cmocka_unit_test(a_signed_denial_counts),
		cmocka_unit_test(many_zones_are_few_at_a_time),
		cmocka_unit_test(it_may_end_while_a_question_is_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
