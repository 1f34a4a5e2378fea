/* A kept link is away for a while, and NOTIFYs with it: what happened meanwhile is heard of as soon as it is there again. */
#include "follower_world.h"

enum { MANY = 1000, NAME_MAX_ = 16 };

/* Primary 0, which is behind a kept link, has the zones "a" and "b", and none that is the root. */
static void
begin(struct world *w)
{
	world_begin(w);
	COMMIT(w, 0, ROOT_KEYS, { "a", ZONE("7", "") }, { "b", ZONE("7", "") });
	follow_with(w, 0, ROOT_KEY, SECRET, true);
	run(w, S);
	notify(w, 0, "a", ROOT_KEY, 7);
	notify(w, 0, "b", ROOT_KEY, 7);
	run(w, 100 * S);
	assert_int_equal(serial_of(w, "a") + serial_of(w, "b"), 14);
}

static void
cut(struct world *w, uint64_t ns)
{
	w->primary[0].is_down = true;
	post(w, 0, NULL, 0, true);
	run(w, ns);
	w->primary[0].is_down = false;
}

static void
zones_that_go_and_come(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	cut(&w, 30 * S);
	COMMIT(&w, 0, ROOT_KEYS, { "b", ZONE("8", "") });
	run(&w, 60 * S);
	assert_true(w.is_open[0]);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	assert_int_equal(serial_of(&w, "b"), 8);
	cut(&w, 30 * S);
	COMMIT(&w, 0, ROOT_KEYS, { "a", ZONE("9", "") }, { "b", ZONE("8", "") });
	run(&w, 70 * S);
	assert_int_equal(serial_of(&w, "a"), 9);
	world_fini(&w);
}

static void
name_of(unsigned i, char out[NAME_MAX_])
{
	(void)snprintf(out, NAME_MAX_, "z%u", i);
}

static void
begin_with_many(struct world *w)
{
	static char names[MANY][NAME_MAX_];
	static const char *files[MANY + 1][2] = { ROOT_KEYS };
	world_begin(w);
	for (unsigned i = 0; i < MANY; i++) {
		name_of(i, names[i]);
		files[i + 1][0] = names[i];
		files[i + 1][1] = ZONE("7", "");
	}
	commit(w, 0, (const char *const (*)[2])files, MANY + 1);
	follow_with(w, 0, ROOT_KEY, SECRET, true);
	run(w, S);
	for (unsigned i = 0; i < MANY; i++) {
		notify(w, 0, names[i], ROOT_KEY, 7);
		run(w, 10 * MS);
	}
	run(w, 100 * S);
	assert_int_equal(follower_stats(w->f)->zones, MANY);
	assert_int_equal(follower_stats(w->f)->transferring + follower_stats(w->f)->waiting, 0);
}

/* Each once, and not all at once. */
static void
many_zones_make_no_storm(void **state)
{
	(void)state;
	static struct world w;
	begin_with_many(&w);
	cut(&w, 5 * S);
	unsigned before = w.primary[0].asked, most = 0;
	for (unsigned i = 0; i < 30; i++) {
		unsigned asked = w.primary[0].asked;
		run(&w, S);
		most = w.primary[0].asked - asked > most ? w.primary[0].asked - asked : most;
	}
	assert_in_range(w.primary[0].asked - before, MANY, MANY + 10);
	assert_in_range(most, 1, FOLLOWER_CATCH_UP_A_S + 5);
	world_fini(&w);
}

/* The primary closes the link every few seconds. */
static void
a_link_that_ends_again_and_again(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	unsigned before = w.primary[0].asked, cuts = 0;
	for (; cuts < 300; cuts++) {
		run(&w, 11 * S);
		if (w.is_open[0]) {
			post(&w, 0, NULL, 0, true);
		}
	}
	unsigned domain = cuts; /* it is asked about each time */
	assert_in_range(w.primary[0].asked - before, domain / 2, domain + 2 * 20);
	world_fini(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_that_go_and_come),
		cmocka_unit_test(many_zones_make_no_storm),
		cmocka_unit_test(a_link_that_ends_again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
