/* Catalogs that are followed: what they list comes, goes, moves and begins anew; and whatever is wrong with them changes nothing. */
#include "follower_world.h"

/* Primary 0 has the zones a, b and c, besides the catalogs; NULL: as before, or none. */
static void
commit_catalogs(struct world *w, const char *cat, const char *dog)
{
	static const char *was[2];
	was[0] = cat != NULL ? cat : was[0];
	was[1] = dog != NULL ? dog : w->primary[0].primary != NULL ? was[1] : ZONE("1", "");
	COMMIT(w, 0, ROOT_KEYS, { "a", SHORT("1") }, { "b", SHORT("1") }, { "c", SHORT("1") }, { "cat", was[0] }, { "dog", was[1] });
}

static void
begin_with(struct world *w, const char *text)
{
	world_begin(w);
	commit_catalogs(w, text, NULL);
	follow(w, 0, ROOT_KEY);
	add_catalog(w, "cat");
	run(w, S);
}

static void
next(struct world *w, const char *catalog, const char *text, uint32_t serial)
{
	bool is_cat = catalog[0] == 'c';
	commit_catalogs(w, is_cat ? text : NULL, is_cat ? NULL : text);
	notify(w, 0, catalog, ROOT_KEY, serial);
	run(w, S);
	assert_int_equal(serial_of(w, catalog), serial);
}

static void
test_members_come_and_go(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"));
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(serial_of(&w, "b"), 1);
	assert_null(held(&w, "c"));
	assert_int_equal(w.events[FOLLOW_CATALOG], 1);
	next(&w, "cat", CATALOG("2", "y.zones PTR b.\nz.zones PTR c.\n"), 2);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	assert_int_equal(serial_of(&w, "c"), 1);
	assert_int_equal(w.events[FOLLOW_MEMBERS_REMOVED], 1);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	run(&w, 300 * S); /* nobody asks for it, so it does not come back by itself */
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	unsigned transfers = w.primary[0].transfers;
	next(&w, "cat", CATALOG("3", "x.zones PTR a.\ny.zones PTR b.\nz.zones PTR c.\n"), 3);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 1); /* the catalog's */
	next(&w, "cat", CATALOG("4", ""), 4); /* an empty one is good */
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	run(&w, 700 * S);
	for (const char *const *name = (const char *const[]){ "a", "b", "c", NULL }; *name != NULL; name++) {
		assert_int_equal(presence_of(&w, *name), FOLLOW_FORGOTTEN); /* they have expired */
	}
	assert_int_equal(follower_stats(w.f)->zones, 1);
	world_fini(&w);
}

static void
test_another_label_resets(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "x.zones PTR a.\n"));
	unsigned transfers = w.primary[0].transfers;
	next(&w, "cat", CATALOG("2", "X.zones PTR a.\n"), 2); /* no other one */
	assert_int_equal(w.primary[0].transfers, transfers + 1);
	next(&w, "cat", CATALOG("3", "other.zones PTR a.\n"), 3);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 3); /* it was transferred anew */
	next(&w, "cat", CATALOG("4", ""), 4);
	next(&w, "cat", CATALOG("5", "third.zones PTR a.\n"), 5); /* from those that are kept */
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 6);
	world_fini(&w);
}

static void
test_a_broken_catalog_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "x.zones PTR a.\n"));
	next(&w, "cat", CATALOG("2", "y.zones PTR b.\nversion TXT \"1\"\n"), 2);
	assert_int_equal(w.events[FOLLOW_CATALOG_BROKEN], 1);
	assert_string_equal(w.why, "version.cat. has several TXT records");
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_null(held(&w, "b"));
	next(&w, "cat", CATALOG("3", "y.zones PTR b.\n"), 3);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	assert_int_equal(serial_of(&w, "b"), 1);
	world_fini(&w);
}

/* Neither the catalog nor a member goes because a primary denies it. */
static void
test_notauth_removes_none(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "x.zones PTR a.\nn.zones PTR not-yet.\n"));
	assert_int_equal(presence_of(&w, "not-yet"), FOLLOW_NEW);
	COMMIT(&w, 0, ROOT_KEYS, { "b", SHORT("1") });
	notify(&w, 0, "a", ROOT_KEY, 0);
	notify(&w, 0, "cat", ROOT_KEY, 0);
	run(&w, S);
	assert_int_equal(w.events[FOLLOW_GONE], 0);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(serial_of(&w, "cat"), 1);
	run(&w, 700 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_EXPIRED);
	COMMIT(&w, 0, ROOT_KEYS, { "a", SHORT("1") }, { "not-yet", SHORT("1") });
	run(&w, 400 * S); /* they are asked for again and again */
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(serial_of(&w, "not-yet"), 1);
	world_fini(&w);
}

static void
begin_with_two(struct world *w, const char *first, const char *second)
{
	world_begin(w);
	commit_catalogs(w, first, second);
	follow(w, 0, ROOT_KEY);
	add_catalog(w, "cat");
	run(w, S);
	add_catalog(w, "dog");
	follower_timer(w->f, &w->now);
	run(w, S);
}

static void
test_two_catalogs(void **state)
{
	(void)state;
	struct world w;
	begin_with_two(&w, CATALOG("1", "x.zones PTR a.\n"), CATALOG("1", "x.zones PTR a.\nz.zones PTR c.\n"));
	assert_int_equal(w.events[FOLLOW_MEMBER_REFUSED], 1);
	assert_string_equal(w.why, "another catalog has it");
	unsigned transfers = w.primary[0].transfers;
	next(&w, "dog", CATALOG("2", "z.zones PTR c.\n"), 2); /* what was not its own stays */
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.events[FOLLOW_MEMBERS_REMOVED], 0);
	next(&w, "dog", CATALOG("3", "x.zones PTR a.\nz.zones PTR c.\n"), 3);
	next(&w, "cat", CATALOG("2", ""), 2); /* now it is the other one's, and begins anew */
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 4);
	world_fini(&w);
}

/* "coo" alone moves nothing: that waits for a version of the other catalog (RFC 9432 4.4.1). */
/* The other one has expired when the first one lets the zone go, and comes back as it was. */
static void
test_what_a_catalog_lets_go_while_the_other_one_has_expired(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	commit_catalogs(&w, CATALOG("1", "x.zones PTR a.\n"), SHORT("1") "version TXT \"2\"\nz.zones PTR a.\n");
	follow(&w, 0, ROOT_KEY);
	add_catalog(&w, "cat");
	add_catalog(&w, "dog");
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 1);
	w.primary[0].failing = "dog";
	run(&w, 700 * S);
	assert_int_equal(presence_of(&w, "dog"), FOLLOW_EXPIRED);
	commit_catalogs(&w, CATALOG("2", ""), SHORT("1") "version TXT \"2\"\nz.zones PTR a.\n");
	notify(&w, 0, "cat", ROOT_KEY, 2);
	run(&w, S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	w.primary[0].failing = NULL;
	run(&w, 100 * S);
	assert_int_equal(presence_of(&w, "dog"), FOLLOW_PRESENT);
	assert_int_equal(serial_of(&w, "a"), 1);
	world_fini(&w);
}

static void
test_a_change_of_ownership(void **state)
{
	(void)state;
	struct world w;
	begin_with_two(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"), CATALOG("1", "x.zones PTR a.\n"));
	unsigned transfers = w.primary[0].transfers;
	next(&w, "cat", CATALOG("2", "x.zones PTR a.\ncoo.x.zones PTR dog.\ny.zones PTR b.\ncoo.y.zones PTR DOG.\n"), 2);
	next(&w, "cat", CATALOG("3", "x.zones PTR a.\ncoo.x.zones PTR dog.\ny.zones PTR b.\ncoo.y.zones PTR DOG.\nz.zones PTR c.\n"), 3);
	next(&w, "cat", CATALOG("4", "x.zones PTR a.\ncoo.x.zones PTR dog.\ny.zones PTR b.\ncoo.y.zones PTR DOG.\n"), 4);
	assert_int_equal(w.primary[0].transfers, transfers + 4); /* with c */
	next(&w, "dog", CATALOG("2", "x.zones PTR a.\nother.zones PTR b.\n"), 2);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(serial_of(&w, "b"), 1);
	assert_int_equal(w.primary[0].transfers, transfers + 6); /* b anew, since its label is another one */
	next(&w, "cat", CATALOG("5", ""), 5);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_int_equal(serial_of(&w, "b"), 1);
	next(&w, "dog", CATALOG("3", ""), 3);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	assert_int_equal(presence_of(&w, "b"), FOLLOW_WITHDRAWN);
	world_fini(&w);
}

/* Of whoever makes the catalog, no zone is taken that keys give to others. */
static void
test_what_keys_say_of_a_name(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	COMMIT(&w, 1, { "example", ZONE("7", "") }, KEYS);
	COMMIT(&w, 0, ROOT_KEYS, { "a", SHORT("1") }, { "sub.example", SHORT("1") }, { "b.own", SHORT("1") }, { "own", SHORT("1") },
	       { "cat", CATALOG("1", "1.zones PTR a.\n2.zones PTR sub.example.\n3.zones PTR example.\n4.zones PTR own.\n5.zones PTR b.own.\n"
	                             "6.zones PTR cat.\n") },
	       { "own._keys", "k._transfer.own. DNSKEY 0 3 163 " SECRET "\n" });
	follow(&w, 0, ROOT_KEY);
	follow(&w, 1, KEY);
	follow(&w, 0, "k._transfer.own");
	add_catalog(&w, "cat");
	run(&w, S);
	assert_int_equal(w.events[FOLLOW_MEMBER_REFUSED], 4);
	assert_null(held(&w, "sub.example"));
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(serial_of(&w, "own"), 1);
	assert_int_equal(serial_of(&w, "b.own"), 1); /* the same primary's */
	COMMIT(&w, 0, ROOT_KEYS, { "cat", CATALOG("2", "1.zones PTR a.\n2.zones PTR sub.example.\n3.zones PTR example.\n4.zones PTR own.\n"
	                                               "5.zones PTR b.own.\n6.zones PTR cat.\n7.zones PTR x.\n") });
	notify(&w, 0, "cat", ROOT_KEY, 2);
	run(&w, S);
	assert_int_equal(w.events[FOLLOW_MEMBER_REFUSED], 4); /* they are told once */
	world_fini(&w);
}

/* A zone that was found by a NOTIFY is the catalog's once that lists it; and may be found so again. */
static void
test_a_zone_that_a_key_has_found(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "y.zones PTR b.\n"));
	notify(&w, 0, "a", ROOT_KEY, 1);
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 1);
	next(&w, "cat", CATALOG("2", "x.zones PTR a.\ny.zones PTR b.\n"), 2);
	next(&w, "cat", CATALOG("3", "y.zones PTR b.\n"), 3);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	notify(&w, 0, "a", NULL, 0); /* anybody can send it */
	run(&w, S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	notify(&w, 0, "a", ROOT_KEY, 1);
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 1);
	next(&w, "cat", CATALOG("4", "y.zones PTR b.\n"), 4);
	assert_int_equal(serial_of(&w, "a"), 1);
	world_fini(&w);
}

/* The catalog's key reaches no zone but the catalog by its name. */
static void
test_members_outside_of_the_domain(void **state)
{
	(void)state;
	struct world w;
	static const char keys[] = "k._transfer.cat. DNSKEY 0 3 163 " SECRET "\n";
	world_begin(&w);
	COMMIT(&w, 0, { "_keys", keys }, { "a", SHORT("1") }, { "cat", CATALOG("1", "x.zones PTR a.\n") });
	w.primary[0].conf.is_axfr_open = true; /* as with a primary that gives the key its rights in another way */
	follow(&w, 0, "k._transfer.cat");
	add_catalog(&w, "cat");
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 1);
	COMMIT(&w, 0, { "_keys", keys }, { "a", SHORT("2") }, { "cat", CATALOG("1", "x.zones PTR a.\n") });
	notify(&w, 0, "a", "k._transfer.cat", 2);
	run(&w, S);
	assert_int_equal(serial_of(&w, "a"), 2);
	COMMIT(&w, 0, { "_keys", keys }, { "a", SHORT("3") }, { "cat", CATALOG("2", "") });
	notify(&w, 0, "cat", "k._transfer.cat", 2);
	run(&w, S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_WITHDRAWN);
	notify(&w, 0, "a", "k._transfer.cat", 3);
	run(&w, 700 * S);
	assert_int_equal(presence_of(&w, "a"), FOLLOW_FORGOTTEN);
	world_fini(&w);
}

/* What nobody knows yet may be a member. */
static void
test_no_name_is_denied_before_the_catalog(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "cat.example", CATALOG("1", "x.zones PTR a.example.\n") }, { "a.example", SHORT("1") });
	w.primary[0].is_down = true;
	follow(&w, 0, KEY);
	add_catalog(&w, "cat.example");
	run(&w, 60 * S);
	assert_int_equal(presence_of(&w, "."), FOLLOW_UNKNOWN);
	assert_int_equal(presence_of(&w, "cat.example"), FOLLOW_NEW);
	w.primary[0].is_down = false;
	run(&w, 100 * S);
	assert_int_equal(serial_of(&w, "a.example"), 1);
	assert_null(held(&w, "."));
	world_fini(&w);
}

/* A key of the root tells of the zones that it finds, and not of those that a catalog lists. */
static void
test_a_key_of_the_root_does_not_stand_for_the_catalog(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	commit_catalogs(&w, CATALOG("1", "x.zones PTR a.\n"), NULL);
	w.primary[0].failing = "cat";
	follow(&w, 0, ROOT_KEY);
	add_catalog(&w, "cat");
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "."), FOLLOW_UNKNOWN);
	w.primary[0].failing = NULL;
	run(&w, FOLLOWER_NEW_MAX_S * S);
	assert_int_equal(serial_of(&w, "a"), 1);
	assert_null(held(&w, "."));
	world_fini(&w);
}

/* The root was a zone, which is gone while the catalog has not come yet. */
static void
test_no_name_is_denied_before_the_catalog_when_the_root_is_gone(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "@", SHORT("1") }, { "cat", CATALOG("1", "") });
	w.primary[0].failing = "cat";
	follow(&w, 0, ROOT_KEY);
	add_catalog(&w, "cat");
	run(&w, 3 * HOUR); /* until the key's domain is well known */
	assert_int_equal(serial_of(&w, "."), 1);
	COMMIT(&w, 0, ROOT_KEYS, { "cat", CATALOG("1", "") });
	run(&w, HOUR);
	assert_int_equal(presence_of(&w, "."), FOLLOW_UNKNOWN);
	w.primary[0].failing = NULL;
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "cat"), 1);
	assert_int_equal(presence_of(&w, "."), FOLLOW_FORGOTTEN);
	world_fini(&w);
}

/* The answer that is on its way when the catalog lets a zone go, or resets it. */
static void
test_a_demand_waits_for_the_answer(void **state)
{
	(void)state;
	for (unsigned is_reset = 0; is_reset < 2; is_reset++) {
		struct world w;
		begin_with(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"));
		w.primary[0].ignored = "a";
		notify(&w, 0, "a", ROOT_KEY, 2);
		run(&w, S);
		next(&w, "cat", is_reset ? CATALOG("2", "other.zones PTR a.\ny.zones PTR b.\n") : CATALOG("2", "y.zones PTR b.\n"), 2);
		assert_int_equal(serial_of(&w, "a"), 1); /* it is asked about */
		assert_int_equal(w.events[is_reset ? FOLLOW_TO_RESET : FOLLOW_TO_LEAVE], 1); /* but this is known, before the catalog is kept */
		assert_int_equal(w.demanded_at, w.events[FOLLOW_TRANSFERRED] - 1);
		w.primary[0].ignored = NULL;
		run(&w, 100 * S);
		assert_int_equal(presence_of(&w, "a"), is_reset ? FOLLOW_PRESENT : FOLLOW_WITHDRAWN);
		assert_int_equal(follower_stats(w.f)->zones, 3);
		world_fini(&w);
	}
}

/* Nor is it lost when the zone is let go, and listed again, before the answer is there. */
static void
test_a_reset_waits_for_the_answer_in_any_case(void **state)
{
	(void)state;
	for (unsigned is_back = 0; is_back < 2; is_back++) {
		struct world w;
		begin_with(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"));
		w.primary[0].ignored = "a";
		notify(&w, 0, "a", ROOT_KEY, 2);
		run(&w, S);
		unsigned transfers = w.primary[0].transfers;
		next(&w, "cat", CATALOG("2", "other.zones PTR a.\ny.zones PTR b.\n"), 2);
		next(&w, "cat", CATALOG("3", "y.zones PTR b.\n"), 3);
		if (is_back) {
			next(&w, "cat", CATALOG("4", "other.zones PTR a.\ny.zones PTR b.\n"), 4);
		}
		w.primary[0].ignored = NULL;
		run(&w, 100 * S);
		assert_int_equal(presence_of(&w, "a"), is_back ? FOLLOW_PRESENT : FOLLOW_FORGOTTEN);
		assert_int_equal(w.primary[0].transfers, transfers + (is_back ? 4 : 2)); /* of the catalog, and of the zone anew */
		world_fini(&w);
	}
}

static void
test_no_memory(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"));
	w.no_room = true;
	commit_catalogs(&w, CATALOG("2", "y.zones PTR b.\nz.zones PTR c.\n"), NULL);
	notify(&w, 0, "cat", ROOT_KEY, 2);
	run(&w, 5 * S);
	assert_int_equal(serial_of(&w, "cat"), 1);
	w.no_room = false;
	notify(&w, 0, "cat", ROOT_KEY, 2);
	run(&w, DELAY_MS * MS * 3);
	w.no_room = true; /* the catalog has come, or is about to */
	run(&w, 5 * S);
	w.no_room = false;
	run(&w, 700 * S);
	assert_int_equal(serial_of(&w, "cat"), 2);
	assert_int_equal(serial_of(&w, "b"), 1);
	assert_int_equal(serial_of(&w, "c"), 1);
	assert_int_not_equal(presence_of(&w, "a"), FOLLOW_PRESENT);
	world_fini(&w);
}

static void
test_limits(void **state)
{
	(void)state;
	struct world w;
	world_begin_conf(&w, (struct follower_conf){ .zones_max = 2 });
	commit_catalogs(&w, CATALOG("1", "x.zones PTR a.\ny.zones PTR b.\n"), NULL);
	follow(&w, 0, ROOT_KEY);
	add_catalog(&w, "cat");
	run(&w, S);
	assert_int_equal(follower_stats(w.f)->zones, 2);
	assert_int_equal(w.events[FOLLOW_MEMBER_REFUSED], 1);
	assert_string_equal(w.why, "too many zones are followed");
	world_fini(&w);
}

static void
test_what_is_no_catalog_to_follow(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	assert_int_equal(follower_add_catalog(w.f, &w.now, (const uint8_t *)"\3cat"), E_NOTFOUND);
	assert_int_equal(follower_add_catalog(w.f, &w.now, (const uint8_t *)"\7example"), OK);
	assert_int_equal(follower_add_catalog(w.f, &w.now, (const uint8_t *)"\7EXAMPLE"), E_EXISTS);
	for (unsigned i = 1; i < FOLLOWER_CATALOGS_MAX; i++) {
		uint8_t name[] = "\1a\7example";
		name[1] = (uint8_t)('a' + i);
		assert_int_equal(follower_add_catalog(w.f, &w.now, name), OK);
	}
	assert_int_equal(follower_add_catalog(w.f, &w.now, (const uint8_t *)"\4more\7example"), E_LIMIT);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.events[FOLLOW_CATALOG_BROKEN], 1);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_come_and_go),
		cmocka_unit_test(test_another_label_resets),
		cmocka_unit_test(test_a_broken_catalog_changes_nothing),
		cmocka_unit_test(test_notauth_removes_none),
		cmocka_unit_test(test_two_catalogs),
		cmocka_unit_test(test_what_a_catalog_lets_go_while_the_other_one_has_expired),
		cmocka_unit_test(test_a_change_of_ownership),
		cmocka_unit_test(test_what_keys_say_of_a_name),
		cmocka_unit_test(test_a_zone_that_a_key_has_found),
		cmocka_unit_test(test_members_outside_of_the_domain),
		cmocka_unit_test(test_no_name_is_denied_before_the_catalog),
		cmocka_unit_test(test_a_key_of_the_root_does_not_stand_for_the_catalog),
		cmocka_unit_test(test_no_name_is_denied_before_the_catalog_when_the_root_is_gone),
		cmocka_unit_test(test_a_demand_waits_for_the_answer),
		cmocka_unit_test(test_a_reset_waits_for_the_answer_in_any_case),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_is_no_catalog_to_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
