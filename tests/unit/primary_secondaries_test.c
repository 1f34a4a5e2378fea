/* Files of secondaries in commits: in effect with the commit, gone with it, and a bad one costs nothing that was good. */
#include "primary_tree.h"

#include "base/str.h"

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

/* A bad line costs that line, but what a file says of addresses stays as it was; and a file that has no good line stays as it was. */
static void
a_bad_one(void **state)
{
	(void)state;
	static const char *const whole[] = { "_transfer APL 1:192.0.2.300/32\n", SYMLINK, "nothing\n" };
	struct tree t;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "example", ZONE, NULL }, false, false);
	(void)commit(&t, "_secondaries", "_transfer APL 1:192.0.2.1/32\n", false);
	(void)commit(&t, "_secondaries", "_transfer APL 1:192.0.2.9/32\n_transfer APL 1:192.0.2.300/32\nx TXT y\n", false);
	assert_int_equal(t.events[SECONDARIES_LOADED], 1);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
	assert_int_equal(t.diagnostics, 2);
	assert_string_equal(t.where, "_secondaries:3 not-a-secondary");
	assert_true(may_transfer(&t, "example.", 1) && !may_transfer(&t, "example.", 9));
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

/* ---- no right grows because of an error ---- */

#define WIDE "_transfer APL 1:192.0.2.0/24\n"
#define HOSTS "_notify SRV 0 0 53 ns2\nns2 A 192.0.2.9\n_transfer PTR k.\n"

/* All but .53 in lab, and everybody elsewhere: or nobody. */
static void
assert_is_excepted(const struct tree *t, bool may_others)
{
	assert_false(may_transfer(t, "lab.", 53));
	assert_int_equal(may_transfer(t, "lab.", 54), may_others);
	assert_int_equal(may_transfer(t, "other.", 53), may_others);
}

/* What is in the tree, as a start finds it. */
static void
restart(const struct tree *before, struct tree *now)
{
	const char *pairs[2 * FILES_MAX + 1] = { NULL };
	size_t n = 0;
	for (int i = 0; i < FILES_MAX; i++) {
		if (before->path[i] != NULL && before->text[i] != NULL) {
			pairs[n++] = before->path[i];
			pairs[n++] = before->text[i];
		}
	}
	tree_init(now);
	(void)commit_many(now, pairs, false, true);
}

/* An exception with a mistake in it, in one file with what it is an exception from. */
static void
an_exception_stays(void **state)
{
	(void)state;
	static const char *const bad[] = {
		WIDE HOSTS "_transfer.lab APL !1:192.0.2.53/33\n",
		WIDE HOSTS "_transfer.lab APL !1:192.0.2.53/32 1:192.0.2.99/33\n", /* one of several items */
		WIDE HOSTS "x._Transfer.lab APL !1:192.0.2.53/32\n",              /* a host */
		WIDE HOSTS "_transfer.lab TXT !1:192.0.2.53/32\n",
		WIDE HOSTS "$INCLUDE part\n",
		"_transfer APL 1:0.0.0.0/0\n" HOSTS "_transfer.lab APL !1:192.0.2.53/33\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tree t, again;
		tree_init(&t);
		(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY KEY("k."), "_secondaries", WIDE "_transfer.lab APL !1:192.0.2.53/32\n",
		                                             NULL }, false, false);
		assert_is_excepted(&t, true);
		for (int k = 0; k < 2; k++) { /* the second time, the last good version is of two commits before */
			(void)commit(&t, "_secondaries", bad[i], false);
			assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
			assert_int_equal(t.events[SECONDARIES_LOADED], 1);
			assert_is_excepted(&t, true);
			assert_true(key_may_transfer(&t, "k.", "lab."));
		}
		restart(&t, &again);
		assert_int_equal(again.events[SECONDARIES_REJECTED], 1);
		assert_is_excepted(&again, false);
		assert_true(key_may_transfer(&again, "k.", "lab."));
		(void)commit(&again, "_secondaries", WIDE "_transfer.lab APL !1:192.0.2.53/32\n", false);
		assert_is_excepted(&again, true);
		(void)commit(&again, "_secondaries", WIDE, false);
		assert_true(may_transfer(&again, "lab.", 53));
		tree_fini(&t);
		tree_fini(&again);
	}
}

/* In a file of its own, of which nothing is good. */
static void
a_file_of_exceptions(void **state)
{
	(void)state;
	static const char *const bad[] = { "_transfer APL !1:192.0.2.53/33\n", SYMLINK, "nothing\n", "ns2 A 192.0.2.9\nx\n" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tree t, again;
		tree_init(&t);
		(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "_secondaries", WIDE, "lab._secondaries",
		                                             "_transfer APL !1:192.0.2.53/32\n", NULL }, false, false);
		assert_is_excepted(&t, true);
		(void)commit_many(&t, (const char *const[]){ "lab._secondaries", bad[i], NULL }, false, false);
		assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
		assert_is_excepted(&t, true);
		restart(&t, &again);
		assert_int_equal(again.events[SECONDARIES_REJECTED], 1);
		assert_true(!may_transfer(&again, "lab.", 53) && !may_transfer(&again, "a.lab.", 54));
		assert_true(may_transfer(&again, "other.", 53));
		(void)commit(&again, "lab._secondaries", NULL, false);
		assert_true(may_transfer(&again, "lab.", 53));
		tree_fini(&t);
		tree_fini(&again);
	}
}

static char *
many_hosts(unsigned n, const char *then)
{
	struct str text = { 0 };
	for (unsigned i = 0; i < n; i++) {
		str_cat(&text, "h A 192.0.2.1\n");
	}
	str_cat(&text, then);
	return text.s;
}

/* Files that are too many together: none is taken in part. */
static void
too_many(void **state)
{
	(void)state;
	static const char except[] = "_transfer APL !1:192.0.2.53/32 !1:192.0.2.52/32\n";
	char *full = many_hosts(SECONDARIES_MAX - 2, WIDE), *fuller = many_hosts(SECONDARIES_MAX - 1, WIDE), *half = many_hosts(SECONDARIES_MAX / 2, WIDE);
	struct tree t, again;
	tree_init(&t);
	(void)commit_many(&t, (const char *const[]){ "_keys", PUSH_KEY, "_secondaries", half, "lab._secondaries", except, NULL }, false, false);
	assert_is_excepted(&t, true);
	/* The one that grows is rejected, and the other stays; also when one grows and the other gets smaller. */
	(void)commit(&t, "_secondaries", full, false);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
	assert_int_equal(t.events[SECONDARIES_LOADED], 0);
	assert_int_equal(secondaries_count(primary_view(t.primary)->secondaries), SECONDARIES_MAX / 2 + 1 + 2);
	assert_is_excepted(&t, true);
	(void)commit(&t, "lab._secondaries", "_transfer APL !1:192.0.2.53/32\n", false); /* now there is room for the one that was rejected */
	assert_int_equal(t.events[SECONDARIES_REJECTED], 0);
	assert_int_equal(t.events[SECONDARIES_LOADED], 2);
	assert_int_equal(secondaries_count(primary_view(t.primary)->secondaries), SECONDARIES_MAX);
	assert_is_excepted(&t, true);
	(void)commit(&t, "lab._secondaries", except, false);
	assert_int_equal(t.events[SECONDARIES_REJECTED], 1);
	assert_is_excepted(&t, true);
	/* A start knows no version before. */
	restart(&t, &again);
	assert_int_equal(again.events[SECONDARIES_REJECTED], 1);
	assert_true(!may_transfer(&again, "lab.", 53) && !may_transfer(&again, "lab.", 54) && may_transfer(&again, "other.", 53));
	(void)commit(&again, "_secondaries", fuller, false);
	assert_true(!may_transfer(&again, "lab.", 53) && may_transfer(&again, "other.", 53));
	tree_fini(&t);
	tree_fini(&again);
	free(full);
	free(fuller);
	free(half);
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
	/* Another one goes when that one comes: their number stays. */
	(void)commit(&t, "_keys", PUSH_KEY KEY("l."), false);
	assert_int_equal(t.diagnostics, 1);
	assert_string_equal(t.where, "example._secondaries:0 secondary-key-unknown");
	(void)commit(&t, "_keys", PUSH_KEY KEY("l.") KEY("m._notify."), false);
	assert_int_equal(t.diagnostics, 0);
	(void)commit(&t, "_keys", PUSH_KEY KEY("k."), false);
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
		cmocka_unit_test(an_exception_stays),
		cmocka_unit_test(a_file_of_exceptions),
		cmocka_unit_test(too_many),
		cmocka_unit_test(how_they_are_found),
		cmocka_unit_test(names_of_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
