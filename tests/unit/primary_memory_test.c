/* What zones may take in memory, all together: who is served, and who has to wait. */
#include "primary_tree.h"

#include "auth/secondaries_p.h"
#include "base/str.h"

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

/* ---- keys and secondaries ---- */

#define KEY_LINE "k%u._notify.%s. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"

/* Keys that reach DOMAIN, numbered from `first`.  The caller frees it. */
static char *
keys_of(const char *domain, unsigned first, unsigned n)
{
	struct str text = { 0 };
	for (unsigned i = first; i < first + n; i++) {
		str_printf(&text, KEY_LINE, i, domain);
	}
	return text.s;
}

static char *
prefixes_of(unsigned n)
{
	struct str text = { 0 };
	for (unsigned i = 0; i < n; i++) {
		str_printf(&text, "_transfer APL 1:10.%u.%u.0/24\n", i / 256, i % 256);
	}
	return text.s;
}

/* A commit that somebody still reads the view before. */
static struct discard *
commit_kept(struct tree *t, const char *path, const char *text)
{
	struct source_change change = tree_put(t, path, text);
	struct source_commit c = { .id = "1234", .changes = &change, .n = 1, .ctx = t, .open = open_file, .close = close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	assert_int_equal(primary_apply(t->primary, &c, &outcome, &view, &old), OK);
	return old;
}

/* The copies of old views count, so that slow transfers of them are ended (net/served.h). */
static void
keys_that_were_replaced_count(void **state)
{
	(void)state;
	enum { COMMITS = 5, KEYS = 1000 };
	struct discard *old[COMMITS];
	char *keys = keys_of("example", 0, KEYS), *prefixes = prefixes_of(1000);
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", keys, "_secondaries", prefixes, NULL }, false, false);
	const struct view *v = primary_view(t.primary);
	size_t copy = keystore_octets(v->keys) + secondaries_octets(v->secondaries);
	assert_in_range(copy, KEYS * (sizeof(struct key) + sizeof(struct prefix)), KEYS * (sizeof(struct key) + 300));
	assert_true(primary_octets(t.primary) >= 2 * copy - copy / 8);
	for (int i = 0; i < COMMITS; i++) {
		old[i] = commit_kept(&t, "other._secondaries", i % 2 == 0 ? "_transfer PTR k.\n" : "_transfer PTR l.\n");
		assert_in_range(discard_octets(old[i]), copy, copy + copy / 4);
		assert_true(primary_kept_octets(t.primary) >= (size_t)(i + 1) * copy);
	}
	for (int i = 0; i < COMMITS; i++) {
		discard_free(&old[i]);
	}
	assert_octets_are_counted(t.primary);
	tree_fini(&t);
	free(keys);
	free(prefixes);
}

/* Too many for the memory: that file is rejected, with figures, and all else goes on. */
static void
keys_that_take_too_much(void **state)
{
	(void)state;
	char *few = keys_of("example", 0, 10), *many = keys_of("example", 0, 5000), *half = keys_of("example", 0, 2000);
	char *of_b = keys_of("b", 0, 2000), *of_c = keys_of("c", 0, 2000), *prefixes = prefixes_of(60000), zone[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)commit_many(&t, (const char *const[]){ "_keys", few, "a", generating(zone, 1, 10), "_secondaries",
	                                             "_transfer APL 1:192.0.2.1/32\n", NULL }, false, false);
	(void)commit_many(&t, (const char *const[]){ "_keys", many, "a", generating(zone, 2, 10), NULL }, false, false);
	assert_int_equal(t.events[KEYS_REJECTED], 1);
	assert_string_equal(t.where, "_keys:0 memory-max");
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 10);
	assert_int_equal(serial(&t, "a."), 2);
	assert_false(primary_has_room_again(t.primary));
	(void)commit(&t, "_keys", half, false);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 2000);
	(void)commit(&t, "_secondaries", prefixes, false);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
	assert_string_equal(t.where, "_secondaries:0 memory-max");
	assert_int_equal(secondaries_count(primary_view(t.primary)->secondaries), 1);
	assert_true(primary_octets(t.primary) < 8 * MIB);
	tree_fini(&t);
	/* What there was no memory for is read again when there is. */
	tree_init_within(&t, 20 * MIB);
	(void)commit_many(&t, (const char *const[]){ "_keys", few, "b._keys", of_b, "c._keys", of_c, NULL }, false, false);
	(void)commit(&t, "_keys", many, false);
	assert_int_equal(t.events[KEYS_REJECTED], 1);
	(void)commit_many(&t, (const char *const[]){ "b._keys", NULL, "c._keys", NULL, NULL }, true, false);
	assert_true(primary_has_room_again(t.primary));
	(void)commit(&t, "a", generating(zone, 1, 10), false);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 5000);
	tree_fini(&t);
	free(few);
	free(many);
	free(half);
	free(of_b);
	free(of_c);
	free(prefixes);
}

/* Where zones take all memory, a key can go, or be another one; only more keys there cannot be. */
static void
a_right_can_be_taken_away_without_memory(void **state)
{
	(void)state;
	char *keys = keys_of("a", 0, 100), *others = keys_of("a", 100, 100), *fewer = keys_of("a", 100, 50), *more = keys_of("a", 0, 150);
	char zone[512];
	struct tree t;
	tree_init_within(&t, 8 * MIB);
	(void)commit_many(&t, (const char *const[]){ "_keys", keys, "_secondaries", "_transfer APL 1:192.0.2.1/32 1:192.0.2.2/32\n_transfer PTR k.\n",
	                                             NULL }, false, false);
	(void)commit(&t, "a", generating(zone, 1, 40000), false);
	t.primary->conf.octets_max = primary_octets(t.primary); /* there is nothing left */
	assert_int_equal(primary_room(t.primary), 0);
	(void)commit(&t, "_keys", others, false);
	assert_int_equal(t.events[KEYS_REJECTED], 0);
	(void)commit(&t, "_keys", more, false);
	assert_int_equal(t.events[KEYS_REJECTED], 1);
	(void)commit(&t, "_keys", fewer, false);
	assert_int_equal(t.events[KEYS_REJECTED], 0);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 50);
	(void)commit(&t, "_secondaries", "_transfer APL !1:192.0.2.1/32 1:192.0.2.2/32\nx\n", false); /* also by a file with a bad line */
	assert_int_equal(t.events[SECONDARIES_LOADED], 1);
	assert_int_equal(secondaries_grants_n(primary_view(t.primary)->secondaries), 0);
	(void)commit(&t, "_secondaries", "_transfer APL !1:192.0.2.1/32 1:192.0.2.2/32\n", false);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 0);
	assert_int_equal(secondaries_grants_n(primary_view(t.primary)->secondaries), 0);
	(void)commit(&t, "_secondaries", NULL, false);
	assert_null(primary_view(t.primary)->secondaries);
	tree_fini(&t);
	free(keys);
	free(others);
	free(fewer);
	free(more);
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
		cmocka_unit_test(keys_that_were_replaced_count),
		cmocka_unit_test(keys_that_take_too_much),
		cmocka_unit_test(a_right_can_be_taken_away_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
