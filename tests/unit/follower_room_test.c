/* Memory for transfers: all together never take more than there is. */
#include "follower_world.h"

/* What a large zone takes; its builder takes a little more. */
static size_t
large_octets(void)
{
	struct world w;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", large_zone("7") });
	follow(&w, 0, KEY);
	run(&w, S);
	size_t octets = zone_octets(held(&w, "example")->version);
	world_fini(&w);
	return octets;
}

static void
begin_with_room(struct world *w, size_t room, size_t zone_max)
{
	world_begin_conf(w, (struct follower_conf){ .octets_max = world_room, .zone_octets_max = zone_max });
	w->room = room;
	w->primary[0].spread_ms = 10;
	COMMIT(w, 0, ROOT_KEYS, { "a.example", large_zone("7") }, { "b.example", large_zone("8") }, { "c.example", ZONE("9", "") });
	follow(w, 0, ROOT_KEY);
	run(w, S);
}

static void
notify_of_all(struct world *w)
{
	notify(w, 0, "a.example", ROOT_KEY, 7);
	notify(w, 0, "b.example", ROOT_KEY, 8);
	notify(w, 0, "c.example", ROOT_KEY, 9);
	run(w, 5 * S);
}

static void
large_zones_follow_each_other(void **state)
{
	size_t large = large_octets();
	struct world w;
	(void)state;
	begin_with_room(&w, large * 3 / 2, 0);
	notify_of_all(&w);
	assert_int_equal(serial_of(&w, "a.example"), 7);
	assert_int_equal(serial_of(&w, "b.example"), 8);
	assert_int_equal(serial_of(&w, "c.example"), 9);
	assert_int_equal(w.events[FOLLOW_FAILED], 0);
	assert_in_range(w.events[FOLLOW_PUT_OFF], 1, 2);
	assert_non_null(strstr(w.why, "octets of memory"));
	world_fini(&w);
}

/* There is enough for both: nobody waits. */
static void
large_zones_come_together_if_they_can(void **state)
{
	size_t large = large_octets();
	struct world w;
	(void)state;
	begin_with_room(&w, large * 3, 0);
	notify(&w, 0, "a.example", ROOT_KEY, 7);
	notify(&w, 0, "b.example", ROOT_KEY, 8);
	run(&w, 5 * S);
	assert_int_equal(serial_of(&w, "a.example"), 7);
	assert_int_equal(serial_of(&w, "b.example"), 8);
	assert_int_equal(w.events[FOLLOW_PUT_OFF], 0);
	assert_int_equal(w.primary[0].transfers, 2);
	world_fini(&w);
}

/* A version that is there tells how much its next one will take, so it is not begun in vain. */
static void
a_known_zone_waits_until_there_is_room(void **state)
{
	size_t large = large_octets();
	struct world w;
	(void)state;
	begin_with_room(&w, SIZE_MAX, 0);
	notify(&w, 0, "a.example", ROOT_KEY, 7);
	notify(&w, 0, "b.example", ROOT_KEY, 8);
	run(&w, S);
	w.room = large * 3 / 2;
	w.primary[0].has_bad_journal = true;
	COMMIT(&w, 0, ROOT_KEYS, { "a.example", large_zone("17") }, { "b.example", large_zone("18") });
	notify(&w, 0, "a.example", ROOT_KEY, 17);
	notify(&w, 0, "b.example", ROOT_KEY, 18);
	run(&w, 5 * S);
	assert_int_equal(serial_of(&w, "a.example"), 17);
	assert_int_equal(serial_of(&w, "b.example"), 18);
	assert_int_equal(w.events[FOLLOW_PUT_OFF], 0);
	assert_int_equal(w.primary[0].transfers, 4); /* each whole, twice */
	world_fini(&w);
}

static void
a_zone_that_is_too_large_is_refused(void **state)
{
	size_t large = large_octets();
	struct world w;
	(void)state;
	for (unsigned is_one = 0; is_one < 2; is_one++) { /* too large for one zone, or for all */
		begin_with_room(&w, is_one ? SIZE_MAX : large / 2, is_one ? large / 2 : 0);
		notify_of_all(&w);
		assert_int_equal(serial_of(&w, "a.example"), 0);
		assert_int_equal(serial_of(&w, "c.example"), 9);
		assert_non_null(strstr(w.why, "octets of memory"));
		assert_true(w.events[FOLLOW_FAILED] >= 2);
		assert_in_range(w.events[FOLLOW_PUT_OFF], 0, 2);
		w.room = SIZE_MAX;
		run(&w, 300 * S);
		assert_int_equal(serial_of(&w, "a.example"), is_one ? 0 : 7);
		world_fini(&w);
	}
}

/* They are small, and may make zones smaller. */
static void
changes_come_without_any_room(void **state)
{
	struct world w;
	(void)state;
	begin_with_room(&w, SIZE_MAX, 0);
	notify(&w, 0, "c.example", ROOT_KEY, 9);
	run(&w, S);
	w.room = 0;
	COMMIT(&w, 0, ROOT_KEYS, { "c.example", ZONE("10", "") });
	notify(&w, 0, "c.example", ROOT_KEY, 10);
	run(&w, S);
	assert_int_equal(serial_of(&w, "c.example"), 10);
	world_fini(&w);
}

enum { SMALL = 600 };

/* Primary 1 has many small zones, of which one is found every tenth of a second, and takes half a second. */
static void
begin_with_small_ones(struct world *w, size_t room)
{
	static char names[SMALL][16];
	static const char *files[SMALL + 1][2] = { ROOT_KEYS };
	begin_with_room(w, room, 0);
	for (unsigned i = 0; i < SMALL; i++) {
		(void)snprintf(names[i], sizeof names[i], "z%u", i);
		files[i + 1][0] = names[i];
		files[i + 1][1] = ZONE("7", "");
	}
	commit(w, 1, (const char *const (*)[2])files, SMALL + 1);
	w->primary[1].spread_ms = 500;
	follow(w, 1, ROOT_KEY);
	run(w, S);
}

static void
find_small_ones(struct world *w, unsigned from, unsigned n)
{
	char name[16];
	for (unsigned i = from; i < from + n; i++) {
		(void)snprintf(name, sizeof name, "z%u", i);
		notify(w, 1, name, ROOT_KEY, 7);
		run(w, 100 * MS);
	}
}

static void
begin_with_a_large_one_that_waits(struct world *w)
{
	begin_with_small_ones(w, large_octets() * 13 / 10);
	find_small_ones(w, 0, 10);
	notify(w, 0, "a.example", ROOT_KEY, 7);
}

/* It needs all memory, of which others always have a part. */
static void
small_zones_of_others_do_not_hold_up_a_large_one(void **state)
{
	static struct world w;
	(void)state;
	begin_with_a_large_one_that_waits(&w);
	find_small_ones(&w, 10, 390);
	assert_int_equal(w.events[FOLLOW_PUT_OFF], 1);
	assert_int_equal(serial_of(&w, "a.example"), 7);
	assert_int_equal(serial_of(&w, "z300"), 7); /* nor does it hold them up */
	world_fini(&w);
}

/* Nor while its primary is away. */
static void
a_large_one_that_cannot_come_holds_up_none(void **state)
{
	static struct world w;
	(void)state;
	begin_with_a_large_one_that_waits(&w);
	find_small_ones(&w, 10, 10);
	w.primary[0].is_down = true;
	post(&w, 0, NULL, 0, true);
	find_small_ones(&w, 20, 380);
	assert_int_equal(serial_of(&w, "a.example"), 0);
	assert_in_range(w.primary[1].transfers, 300, 400); /* eight in a second, as before */
	w.primary[0].is_down = false;
	find_small_ones(&w, 400, 200);
	run(&w, 300 * S);
	assert_int_equal(serial_of(&w, "a.example"), 7);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_zones_follow_each_other),
		cmocka_unit_test(large_zones_come_together_if_they_can),
		cmocka_unit_test(a_known_zone_waits_until_there_is_room),
		cmocka_unit_test(a_zone_that_is_too_large_is_refused),
		cmocka_unit_test(changes_come_without_any_room),
		cmocka_unit_test(small_zones_of_others_do_not_hold_up_a_large_one),
		cmocka_unit_test(a_large_one_that_cannot_come_holds_up_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
