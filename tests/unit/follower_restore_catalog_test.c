/* A follower of a catalog ends, and the next one begins with the versions that it had. */
#include "follower_world.h"

#define CATALOG_KEY "b._transfer.cat" /* none of a member */
#define BOTH CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n")

static const struct follow_restored RECENT = { .refreshed_ago_s = 10, .changed_s = WALL_S };

/* What the follower before had. */
struct kept {
	struct zone *cat, *a, *b; /* owned */
};

static void
commit_catalog(struct world *w, const char *text)
{
	COMMIT(w, 0, ROOT_KEYS, { "a", SHORT("1") }, { "b", SHORT("1") }, { "c", SHORT("1") }, { "cat", text });
}

/* A follower with a key of the root has had the catalog and what that lists; another one takes its place, with that key, and the primary
 * cannot be reached. */
static struct kept
restart(struct world *w, const char *catalog, const char *key)
{
	world_begin(w);
	commit_catalog(w, catalog);
	follow(w, 0, ROOT_KEY);
	add_catalog(w, "cat");
	run(w, S);
	const struct kept k = { keep(w, "cat"), keep(w, "a"), keep(w, "b") };
	world_restart(w);
	follow(w, 0, key);
	add_catalog(w, "cat");
	w->primary[0].is_down = true;
	return k;
}

static void
end(struct world *w, struct kept *k)
{
	zone_free(&k->cat);
	zone_free(&k->a);
	zone_free(&k->b);
	world_fini(w);
}

static err_t
give(struct world *w, struct zone **version, struct follow_restored r)
{
	assert_non_null(*version);
	err_t err = follower_restore(w->f, &w->now, version, &r);
	assert_true((*version == NULL) == (err == OK));
	return err;
}

static void
give_all(struct world *w, struct kept *k)
{
	assert_int_equal(give(w, &k->cat, RECENT), OK);
	assert_int_equal(give(w, &k->a, RECENT), OK);
	assert_int_equal(give(w, &k->b, RECENT), OK);
}

/* The primary is up again; the catalog is asked for after ten minutes. */
static void
reach(struct world *w)
{
	w->primary[0].is_down = false;
	run(w, 700 * S);
}

static void
test_members_are_served_while_the_primary_is_down(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, CATALOG_KEY);
	assert_int_equal(give(&w, &k.a, RECENT), E_NOTFOUND); /* its catalog says that it is ours, and goes first */
	assert_int_equal(give(&w, &k.cat, RECENT), OK);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_NEW);
	assert_int_equal(give(&w, &k.a, RECENT), OK);
	assert_int_equal(serial_of(&w, "cat"), 1);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(presence_of(&w, "b"), FOLLOW_NEW); /* it has no file */
	assert_int_equal(w.events[FOLLOW_RESTORED], 2);
	assert_int_equal(w.events[FOLLOW_CATALOG], 1);
	assert_int_equal(w.events[FOLLOW_MEMBER], 0);
	run(&w, 580 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_PRESENT);
	assert_int_equal(presence_of(&w, "."), FOLLOW_FORGOTTEN); /* it is known which zones there are */
	run(&w, 20 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_EXPIRED);
	assert_int_equal(presence_of(&w, "cat"), FOLLOW_PRESENT);
	end(&w, &k);
}

static void
test_what_has_not_changed_is_not_transferred(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	unsigned transfers = w.primary[0].transfers;
	give_all(&w, &k);
	reach(&w);
	assert_int_equal(w.primary[0].transfers, transfers);
	assert_int_equal(w.events[FOLLOW_MEMBER] + w.events[FOLLOW_FOUND] + w.events[FOLLOW_SET_ASIDE], 0);
	assert_int_equal(follower_stats(w.f)->zones, 3);
	end(&w, &k);
}

static void
test_what_is_listed_no_more_is_withdrawn(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	unsigned transfers = w.primary[0].transfers;
	commit_catalog(&w, CATALOG("2", "y.zones PTR b.\n"));
	give_all(&w, &k);
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 1); /* nobody knows it yet */
	reach(&w);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	assert_int_equal(serial_of(&w, "b"), 1);
	assert_int_equal(w.events[FOLLOW_SET_ASIDE], 1);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	assert_int_equal(w.primary[0].transfers, transfers + 1); /* the catalog's */
	run(&w, 700 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_FORGOTTEN);
	end(&w, &k);
}

static void
test_another_label_resets(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	unsigned transfers = w.primary[0].transfers;
	commit_catalog(&w, CATALOG("2", "other.zones PTR a.\ny.zones PTR b.\n"));
	give_all(&w, &k);
	reach(&w);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 2); /* the catalog, and that zone anew */
	end(&w, &k);
}

/* It may have been listed under another label since; and a key of the root alone does not bring it back. */
static void
test_what_was_listed_no_more_is_not_restored(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	const struct follow_restored unlisted = { .refreshed_ago_s = 10, .is_withdrawn = true, .is_unlisted = true };
	assert_int_equal(give(&w, &k.cat, RECENT), OK);
	assert_int_equal(give(&w, &k.a, unlisted), E_NOTFOUND);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_NEW);
	reach(&w);
	assert_int_equal(serial_of(&w, "a"), 1);
	end(&w, &k);
	k = restart(&w, BOTH, ROOT_KEY);
	assert_int_equal(give(&w, &k.a, unlisted), E_NOTFOUND); /* its catalog has not come yet */
	end(&w, &k);
}

/* The catalog has it, whatever a primary said of it. */
static void
test_member_that_a_primary_denied_is_not_forgotten(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	assert_int_equal(give(&w, &k.cat, RECENT), OK);
	assert_int_equal(give(&w, &k.a, (struct follow_restored){ .refreshed_ago_s = 100, .is_withdrawn = true }), OK);
	assert_int_equal(give(&w, &k.b, (struct follow_restored){ .refreshed_ago_s = 1000, .is_withdrawn = true }), OK);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_UNKNOWN);
	assert_int_equal(presence_of(&w, "b"), FOLLOW_EXPIRED);
	run(&w, 600 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_EXPIRED);
	assert_int_equal(w.events[FOLLOW_EXPIRY], 2);
	reach(&w);
	assert_int_equal(serial_of(&w, "a") + serial_of(&w, "b"), 2);
	end(&w, &k);
}

static void
test_expired_catalog_lists_its_members(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, CATALOG_KEY);
	assert_int_equal(give(&w, &k.cat, (struct follow_restored){ .refreshed_ago_s = UINT32_MAX }), OK);
	assert_int_equal(presence_of(&w, "cat"), FOLLOW_EXPIRED);
	assert_int_equal(give(&w, &k.a, RECENT), OK);
	assert_int_equal(serial_of(&w, "a"), 1);
	end(&w, &k);
}

static void
test_broken_version_is_told(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, CATALOG("1", "x.zones PTR a.\nx.zones PTR b.\n"), CATALOG_KEY);
	assert_true(w.is_broken);
	assert_int_equal(give(&w, &k.cat, RECENT), OK);
	assert_int_equal(w.events[FOLLOW_CATALOG_BROKEN], 1);
	assert_int_equal(follower_stats(w.f)->zones, 1);
	end(&w, &k);
	k = restart(&w, BOTH, CATALOG_KEY);
	assert_false(w.is_broken);
	end(&w, &k);
}

static void
test_what_is_not_taken_stays_the_callers(void **state)
{
	(void)state;
	struct world w;
	struct kept k = restart(&w, BOTH, ROOT_KEY);
	assert_int_equal(give(&w, &k.cat, RECENT), OK);
	w.no_room = true;
	assert_int_equal(give(&w, &k.a, RECENT), E_NOMEM);
	w.no_room = false;
	assert_int_equal(follower_stats(w.f)->zones, 3);
	reach(&w); /* it is transferred as any other */
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(give(&w, &k.a, RECENT), E_EXISTS);
	end(&w, &k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_are_served_while_the_primary_is_down),
		cmocka_unit_test(test_what_has_not_changed_is_not_transferred),
		cmocka_unit_test(test_what_is_listed_no_more_is_withdrawn),
		cmocka_unit_test(test_another_label_resets),
		cmocka_unit_test(test_what_was_listed_no_more_is_not_restored),
		cmocka_unit_test(test_member_that_a_primary_denied_is_not_forgotten),
		cmocka_unit_test(test_expired_catalog_lists_its_members),
		cmocka_unit_test(test_broken_version_is_told),
		cmocka_unit_test(test_what_is_not_taken_stays_the_callers),
	};
	return cmocka_run_group_tests_name("follower_restore_catalog", tests, NULL, NULL);
}
