/* Files of secondaries in commits: in effect with the commit, gone with it, and a bad one costs nothing that was good. */
#include "primary_tree.h"

#define ZONE "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define KEY(name) name " DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
#define PUSH_KEY KEY("push._notify.")

static bool
may_transfer(const struct tree *t, const char *zone, uint8_t last_octet)
{
	const struct key_address a = { .family = 4, .octets = { 192, 0, 2, last_octet } };
	struct name n;
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n), OK);
	return secondaries_may_transfer(primary_view(t->primary)->secondaries, n.oct, &a);
}

static bool
key_may_transfer(const struct tree *t, const char *key, const char *zone)
{
	struct name k, z;
	assert_int_equal(name_parse(key, strlen(key), NULL, &k), OK);
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &z), OK);
	const struct key *found = keystore_find(primary_view(t->primary)->keys, k.oct);
	return found != NULL && key_has_right(found, RIGHT_TRANSFER, z.oct);
}

static void
they_come_and_go(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "example", ZONE, "other", ZONE, "_keys", PUSH_KEY KEY("k."), NULL }, false, false);
	assert_null(primary_view(t.primary)->secondaries);
	assert_int_equal(commit(&t, "_secondaries", "_transfer APL 1:192.0.2.1/32\n", false), PRIMARY_APPLIED);
	assert_int_equal(t.events[SECONDARIES_LOADED], 1);
	assert_int_equal(t.events[ZONE_LOADED] + t.events[ZONE_CHANGED] + t.events[SECONDARIES_REJECTED] + t.diagnostics, 0);
	assert_true(may_transfer(&t, "example.", 1) && may_transfer(&t, "other.", 1) && !may_transfer(&t, "example.", 2));
	(void)commit(&t, "example._secondaries", "_transfer APL !1:192.0.2.1/32 1:192.0.2.2/32\n_transfer PTR k.\n", false);
	assert_true(!may_transfer(&t, "example.", 1) && may_transfer(&t, "example.", 2) && may_transfer(&t, "other.", 1));
	assert_true(key_may_transfer(&t, "k.", "example.") && !key_may_transfer(&t, "k.", "other."));
	/* Of a commit that is about something else nothing changes. */
	const struct secondaries *s = primary_view(t.primary)->secondaries;
	(void)commit(&t, "third", ZONE, false);
	assert_ptr_equal(primary_view(t.primary)->secondaries, s);
	/* The grants follow when keys change, and when secondaries do. */
	(void)commit(&t, "_keys", PUSH_KEY, false);
	assert_false(key_may_transfer(&t, "k.", "example."));
	(void)commit(&t, "_keys", PUSH_KEY KEY("k."), false);
	assert_true(key_may_transfer(&t, "k.", "example."));
	(void)commit(&t, "example._secondaries", "_transfer.sub PTR k.\n", false);
	assert_true(key_may_transfer(&t, "k.", "sub.example.") && !key_may_transfer(&t, "k.", "example."));
	assert_true(may_transfer(&t, "example.", 1));
	/* The valve does not hold them. */
	assert_int_equal(commit(&t, "example._secondaries", NULL, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[SECONDARIES_LOADED], 1);
	assert_false(key_may_transfer(&t, "k.", "sub.example."));
	assert_int_equal(commit(&t, "_secondaries", "", false), PRIMARY_APPLIED);
	assert_null(primary_view(t.primary)->secondaries);
	tree_fini(&t);
}

/* A bad line costs that line, and a file that has no good one leaves its last good content. */
static void
a_bad_one(void **state)
{
	(void)state;
	static const char *const whole[] = { "_transfer APL 1:192.0.2.300/32\n", SYMLINK, "nothing\n" };
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "example", ZONE, NULL }, false, false);
	(void)commit(&t, "_secondaries", "_transfer APL 1:192.0.2.1/32\n_transfer APL 1:192.0.2.300/32\nx TXT y\n", false);
	assert_int_equal(t.events[SECONDARIES_LOADED], 1);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
	assert_int_equal(t.diagnostics, 2);
	assert_string_equal(t.where, "_secondaries:3 not-a-secondary");
	assert_true(may_transfer(&t, "example.", 1));
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		(void)commit_many(&t, (const char *const[]){ "_secondaries", whole[i], NULL }, false, false);
		assert_int_equal(t.events[SECONDARIES_LOADED], 0);
		assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
		assert_int_equal(t.events[ZONE_REJECTED] + t.events[KEYS_REJECTED], 0);
		assert_true(may_transfer(&t, "example.", 1));
	}
	(void)commit(&t, "_secondaries", "_transfer APL 1:192.0.2.3/32\n", false);
	assert_true(!may_transfer(&t, "example.", 1) && may_transfer(&t, "example.", 3));
	(void)commit(&t, "_Secondaries", "_transfer APL 1:192.0.2.4/32\n", false); /* in another spelling it is none */
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_false(may_transfer(&t, "example.", 4));
	tree_fini(&t);
}

static void
how_they_are_found(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "example", ZONE, "part/all", "_transfer APL 1:192.0.2.1/32\n",
	                                             "_secondaries", "$INCLUDE part/all\n", NULL }, false, false);
	assert_true(may_transfer(&t, "example.", 1));
	(void)commit(&t, "part/all", "_transfer APL 1:192.0.2.2/32\n", false);
	assert_true(!may_transfer(&t, "example.", 1) && may_transfer(&t, "example.", 2));
	(void)commit(&t, ".originignore", "_sec*\n", false);
	assert_false(may_transfer(&t, "example.", 2));
	(void)commit(&t, ".originignore", NULL, false);
	assert_true(may_transfer(&t, "example.", 2));
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "example", ZONE, NULL }, false, true);
	assert_null(primary_view(t.primary)->secondaries);
	tree_fini(&t);
}

/* Keys that no operation names, and keys that are nowhere: said when they are news. */
static void
names_of_keys(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY KEY("k."), "example", ZONE, NULL }, false, false);
	assert_string_equal(t.where, "_keys:2 key-operation");
	/* Both in one commit: nothing is to be said, whichever comes first in it. */
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY KEY("k.") KEY("l."), "example._secondaries",
	                                             "_transfer PTR k.\nns2 PTR l.\n", NULL }, false, false);
	assert_int_equal(t.diagnostics, 0);
	(void)commit(&t, "_keys", PUSH_KEY KEY("k.") KEY("l."), false);
	assert_int_equal(t.diagnostics, 0);
	/* One goes that is named: said once. */
	(void)commit(&t, "_keys", PUSH_KEY KEY("k."), false);
	assert_int_equal(t.diagnostics, 1);
	assert_string_equal(t.where, "example._secondaries:0 secondary-key-unknown");
	(void)commit(&t, "_keys", PUSH_KEY KEY("k.") KEY("new._notify."), false);
	assert_int_equal(t.diagnostics, 0);
	(void)commit(&t, "example._secondaries", "_transfer PTR k.\nns2 PTR l.\n", false);
	assert_int_equal(t.diagnostics, 1);
	/* The file goes that named it. */
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY KEY("k."), "example._secondaries", NULL, NULL }, false, false);
	assert_int_equal(t.diagnostics, 1);
	assert_string_equal(t.where, "_keys:2 key-operation");
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_come_and_go),
		cmocka_unit_test(a_bad_one),
		cmocka_unit_test(how_they_are_found),
		cmocka_unit_test(names_of_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
