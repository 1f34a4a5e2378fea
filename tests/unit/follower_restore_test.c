/* A follower ends, and the next one begins with the zones that it had. */
#include "follower_world.h"

/* Another follower of primary 0 takes the place of the one that is there.  Returns the version that this one had. */
static struct zone *
restart(struct world *w, const char *key)
{
	struct zone *version = keep(w, "example");
	world_restart(w);
	follow(w, 0, key);
	return version;
}

static struct follow_restored
refreshed(uint64_t ago_s)
{
	return (struct follow_restored){ .refreshed_ago_s = ago_s, .changed_s = WALL_S };
}

static err_t
give(struct world *w, struct zone *version, const struct follow_restored *r)
{
	err_t err = follower_restore(w->f, &w->now, &version, r);
	assert_true((version == NULL) == (err == OK));
	zone_free(&version);
	return err;
}

static void
zone_is_served_before_the_primary_is_asked(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	const struct follow_restored r = refreshed(100);
	unsigned connections = w.primary[0].connections;
	assert_int_equal(give(&w, version, &r), OK);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.primary[0].connections, connections);
	assert_int_equal(w.events[FOLLOW_RESTORED], 1);
	run(&w, S); /* the primary has nothing newer: no transfer */
	assert_int_equal(w.events[FOLLOW_CURRENT], 1);
	assert_int_equal(w.primary[0].transfers, 1);
	world_fini(&w);
}

static void
changes_are_asked_for_from_its_serial_on(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	const struct follow_restored r = refreshed(0);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "www A 192.0.2.7\n") });
	assert_int_equal(give(&w, version, &r), OK);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.transferred.form, INCOMING_CHANGES);
	world_fini(&w);
}

/* EXPIRE is 86400. */
static void
expiry_counts_from_the_refresh(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	const struct follow_restored r = refreshed(86000);
	w.primary[0].is_down = true;
	assert_int_equal(give(&w, version, &r), OK);
	run(&w, 399 * S);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_PRESENT);
	run(&w, 2 * S);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_EXPIRED);
	assert_int_equal(w.events[FOLLOW_EXPIRY], 1);
	world_fini(&w);
}

static void
expired_zone_is_kept_and_comes_back(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	const struct follow_restored r = refreshed(UINT32_MAX);
	assert_int_equal(give(&w, version, &r), OK);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_EXPIRED);
	assert_int_equal(w.events[FOLLOW_EXPIRY], 1);
	run(&w, S);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_PRESENT);
	assert_int_equal(w.primary[0].transfers, 1);
	world_fini(&w);
}

/* Nobody may take our word that it is gone before the primary has given it again: what was written last may have been lost. */
static void
restore_withdrawn(struct world *w)
{
	begin_with_version_7(w);
	struct zone *version = restart(w, KEY);
	struct follow_restored r = refreshed(1000);
	r.is_withdrawn = true;
	w->primary[0].is_down = true;
	assert_int_equal(give(w, version, &r), OK);
	run(w, HOUR);
	assert_int_equal(presence_of(w, "example"), FOLLOW_UNKNOWN);
}

static void
withdrawn_zone_stays_withdrawn_and_is_forgotten(void **state)
{
	struct world w;
	(void)state;
	restore_withdrawn(&w);
	COMMIT(&w, 0, KEYS, { "other", ZONE("1", "") });
	w.primary[0].is_down = false;
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_WITHDRAWN);
	run(&w, DAY);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_FORGOTTEN);
	world_fini(&w);
}

static void
withdrawn_zone_that_is_back_is_served(void **state)
{
	struct world w;
	(void)state;
	restore_withdrawn(&w);
	w.primary[0].is_down = false;
	run(&w, FOLLOWER_NEW_MAX_S * 2 * S); /* RETRY is longer */
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.primary[0].transfers, 1);
	world_fini(&w);
}

static void
withdrawn_zone_whose_primary_is_silent_expires(void **state)
{
	struct world w;
	(void)state;
	restore_withdrawn(&w);
	run(&w, DAY);
	assert_int_equal(presence_of(&w, "example"), FOLLOW_EXPIRED);
	world_fini(&w);
}

static void
what_is_not_taken_stays_the_callers(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	struct follow_restored r = refreshed(1);
	assert_int_equal(give(&w, restart(&w, "a._transfer.elsewhere"), &r), E_NOTFOUND);
	world_fini(&w);
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	w.no_room = true;
	assert_int_equal(give(&w, version, &r), E_NOMEM);
	assert_int_equal(follower_stats(w.f)->zones, 0);
	w.no_room = false;
	run(&w, S); /* it is found and transferred as any other */
	assert_int_equal(serial_of(&w, "example"), 7);
	version = restart(&w, KEY);
	r = (struct follow_restored){ .refreshed_ago_s = UINT32_MAX, .is_withdrawn = true };
	assert_int_equal(give(&w, version, &r), E_STALE);
	world_fini(&w);
}

/* The one that answered last is asked first, when it is still a source. */
static void
source_is_remembered(void **state)
{
	struct world w;
	struct name key;
	(void)state;
	begin_with_version_7(&w);
	struct zone *version = restart(&w, KEY);
	COMMIT(&w, 1, KEYS, { "example", ZONE("7", "") });
	follow(&w, 1, KEY);
	struct follow_restored r = refreshed(1);
	assert_int_equal(name_parse(KEY, strlen(KEY), NULL, &key), OK);
	r.key = key.oct;
	r.port = 53;
	r.address = (struct key_address){ .family = 4, .octets = { 10, 0, 0, 2 } };
	w.primary[0].is_silent = w.primary[1].is_silent = true;
	assert_int_equal(give(&w, version, &r), OK);
	run(&w, S);
	assert_int_equal(w.primary[1].asked, 2); /* the domain, and the zone */
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_is_served_before_the_primary_is_asked),
		cmocka_unit_test(changes_are_asked_for_from_its_serial_on),
		cmocka_unit_test(expiry_counts_from_the_refresh),
		cmocka_unit_test(expired_zone_is_kept_and_comes_back),
		cmocka_unit_test(withdrawn_zone_stays_withdrawn_and_is_forgotten),
		cmocka_unit_test(withdrawn_zone_that_is_back_is_served),
		cmocka_unit_test(withdrawn_zone_whose_primary_is_silent_expires),
		cmocka_unit_test(what_is_not_taken_stays_the_callers),
		cmocka_unit_test(source_is_remembered),
	};
	return cmocka_run_group_tests_name("follower_restore", tests, NULL, NULL);
}
