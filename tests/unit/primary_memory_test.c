/* What zones may take in memory, all together: who is served, and who has to wait. */
#include "primary_tree.h"

#define MIB ((size_t)1 << 20)

static const char *
generating(char out[512], unsigned serial, unsigned records)
{
	char apex[256];
	(void)snprintf(apex, sizeof apex, SOA, serial);
	(void)snprintf(out, 512, "%s$GENERATE 1-%u h$ A 192.0.2.1\n", apex, records);
	return out;
}

/* Of a whole tree the zones that take little are served, wherever they stand. */
static void
a_zone_that_takes_too_much_leaves_the_others(void **state)
{
	(void)state;
	char huge[512], small[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)generating(huge, 1, 300000); /* some 25 MiB */
	(void)generating(small, 1, 1000);
	(void)commit_many(&t, (const char *const[]){ "a", huge, "b", small, "c", huge, "d", small, NULL }, false, true);
	assert_null(served(&t, "a."));
	assert_null(served(&t, "c."));
	assert_int_equal(served(&t, "b.")->records, 1003);
	assert_int_equal(served(&t, "d.")->records, 1003);
	assert_int_equal(t.events[ZONE_REJECTED], 2);
	assert_int_equal(t.diagnostics, 2);
	assert_string_equal(t.where, "c:0 memory-max");
	assert_true(primary_octets(t.primary) < MIB);
	assert_false(primary_has_room_again(t.primary));
	tree_fini(&t);
}

static void
the_last_good_version_of_what_takes_too_much(void **state)
{
	(void)state;
	char text[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)commit(&t, "a", generating(text, 1, 10), false);
	(void)commit(&t, "a", generating(text, 2, 300000), false);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_int_equal(serial(&t, "a."), 1);
	(void)commit(&t, "a", generating(text, 3, 10), false);
	assert_int_equal(t.events[ZONE_REJECTED], 0);
	assert_int_equal(serial(&t, "a."), 3);
	tree_fini(&t);
}

/* A new version is there beside the old one for a while. */
static void
what_is_served_counts_while_a_version_is_made(void **state)
{
	(void)state;
	char text[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)commit(&t, "a", generating(text, 1, 40000), false);
	size_t one = primary_octets(t.primary);
	assert_in_range(one, 3 * MIB, 4 * MIB);
	(void)commit(&t, "b", generating(text, 1, 80000), false);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_true(primary_octets(t.primary) == one && primary_room(t.primary) == 8 * MIB - one);
	tree_fini(&t);
}

/* What there was no memory for is read again when there is, by itself. */
static void
memory_that_becomes_free_is_used(void **state)
{
	(void)state;
	char text[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)commit(&t, "a", generating(text, 1, 40000), false);
	(void)commit(&t, "b", generating(text, 1, 80000), false);
	assert_null(served(&t, "b."));
	(void)commit(&t, "c", generating(text, 1, 10), false);
	assert_int_equal(t.events[ZONE_REJECTED], 0); /* it is known without reading that there is no more than there was */
	assert_false(primary_has_room_again(t.primary));
	(void)commit(&t, "a", NULL, true);
	assert_true(primary_has_room_again(t.primary));
	(void)commit(&t, "c", generating(text, 2, 10), false);
	assert_int_equal(served(&t, "b.")->records, 80003);
	assert_false(primary_has_room_again(t.primary));
	tree_fini(&t);
}

/* What a $GENERATE would make is known before it is made: that is not tried in vain, turn by turn. */
static void
a_short_line_of_many_records_is_not_made_in_vain(void **state)
{
	(void)state;
	char huge[512], fits[512];
	struct tree t;
	tree_init_within(&t, 32 * MIB);
	(void)generating(huge, 1, 1000000); /* some 85 MiB */
	(void)generating(fits, 1, 200000);  /* some 17 MiB: more than a fourth of the memory */
	(void)commit_many(&t, (const char *const[]){ "a", huge, "b", fits, "c", huge, NULL }, false, true);
	assert_int_equal(served(&t, "b.")->records, 200003);
	assert_int_equal(t.events[ZONE_REJECTED], 2);
	assert_in_range(t.rejected_records, 1, 2 * 40000); /* those of the first turn, each with 2 MiB */
	assert_false(primary_has_room_again(t.primary));
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_that_takes_too_much_leaves_the_others),
		cmocka_unit_test(the_last_good_version_of_what_takes_too_much),
		cmocka_unit_test(what_is_served_counts_while_a_version_is_made),
		cmocka_unit_test(memory_that_becomes_free_is_used),
		cmocka_unit_test(a_short_line_of_many_records_is_not_made_in_vain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
