/* Every allocation of a commit fails once, and with it all after it: what was served is served, nothing is lost or freed twice (which the
 * sanitizers see), and the same commit is taken when there is memory.  Linked with --wrap, see meson.build. */
#include "nomem.h"
#include "primary_tree.h"

#define KEY(name) name " DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
#define ZONE(serial) "$TTL 60\n@ SOA ns host " #serial " 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"

static const char *const before[] = {
	"a", ZONE(1) "x A 192.0.2.1\n", "b", ZONE(1) "$INCLUDE part/hosts\n", "part/hosts", "h1 A 192.0.2.2\n", "gone", ZONE(1),
	"_keys", KEY("a._update."), ".originignore", "*.template\n", "_secondaries", "_transfer APL 1:192.0.2.1/32\n", NULL,
};

/* Changes of each kind: a zone edited, one that moves, one that comes, an include, keys, secondaries, what is ignored. */
static const char *const after[] = {
	"a", ZONE(2) "x A 192.0.2.9\nsub NS ns.sub\nns.sub A 192.0.2.3\n", "new", ZONE(7), "part/hosts", "h1 A 192.0.2.2\nh2 A 192.0.2.3\n",
	"gone", NULL, "_keys", KEY("a._update.") KEY("b."), ".originignore", "*.template\n*.old\n",
	"_secondaries", "_transfer APL 1:192.0.2.2/32\n_transfer PTR b.\nns2 PTR b.\n_notify SRV 0 0 53 ns2\nns2 A 192.0.2.9\n", NULL,
};

/* Nobody could announce a push for "a" any more. */
static const char *const without_keys[] = { "b", ZONE(2), "_keys", KEY("b._notify.b."), NULL };

static err_t
try_commit(struct tree *t, size_t allocations, bool allow_mass_delete, const char *const *pairs)
{
	struct source_change changes[FILES_MAX];
	struct source_commit c = { .id = "5678", .allow_mass_delete = allow_mass_delete, .changes = changes, .ctx = t, .open = open_file,
		                   .close = close_file };
	for (; pairs[0] != NULL; pairs += 2) {
		changes[c.n++] = tree_put(t, pairs[0], pairs[1]);
	}
	enum primary_outcome outcome;
	const struct view *view, *was = primary_view(t->primary);
	struct discard *old = NULL;
	fail_after(allocations);
	err_t err = primary_apply(t->primary, &c, &outcome, &view, &old);
	is_failing = false;
	assert_true(err == OK || (err == E_NOMEM && has_failed));
	assert_true(err == OK || primary_view(t->primary) == was);
	discard_free(&old);
	assert_octets_are_counted(t->primary);
	return err;
}

static void
commits_without_memory(void **state)
{
	(void)state;
	size_t n = 0;
	bool was_refused;
	do {
		struct tree t;
		tree_init(&t);
		assert_int_equal(try_commit(&t, SIZE_MAX, true, before), OK);
		err_t err = try_commit(&t, n++, true, after);
		was_refused = has_failed;
		const struct zone *a = served(&t, "a."), *b = served(&t, "b.");
		assert_true(a != NULL && b != NULL && (a->serial == 1 || a->serial == 2));
		assert_int_equal(keystore_count(primary_view(t.primary)->keys) != 0, true);
		assert_true(secondaries_count(primary_view(t.primary)->secondaries) != 0);
		/* With the next push of anything all of it is there; where the commit as a whole was refused it is told again. */
		assert_int_equal(try_commit(&t, SIZE_MAX, true, err == OK ? (const char *const[]){ "other", ZONE(1), NULL } : after), OK);
		assert_int_equal(served(&t, "a.")->serial, 2);
		assert_int_equal(served(&t, "new.")->serial, 7);
		assert_int_equal(served(&t, "b.")->records, 5);
		assert_null(served(&t, "gone."));
		assert_int_equal(keystore_count(primary_view(t.primary)->keys), 2);
		assert_int_equal(secondaries_count(primary_view(t.primary)->secondaries), 5);
		assert_true(key_has_right(keystore_find(primary_view(t.primary)->keys, (const uint8_t *)"\1b"), RIGHT_TRANSFER, name_root));
		assert_notes_follow(t.primary);
		tree_fini(&t);
	} while (was_refused);
	assert_true(n > 100);
}

static void
keys_are_held_without_memory(void **state)
{
	(void)state;
	size_t n = 0;
	bool was_refused;
	do {
		struct tree t;
		tree_init(&t);
		assert_int_equal(try_commit(&t, SIZE_MAX, true, before), OK);
		err_t err = try_commit(&t, n++, false, without_keys);
		was_refused = has_failed;
		assert_int_equal(try_commit(&t, SIZE_MAX, false, err == OK ? (const char *const[]){ "other", ZONE(1), NULL } : without_keys), OK);
		assert_int_equal(primary_held_keys_n(t.primary), 1);
		assert_int_equal(keystore_count(primary_view(t.primary)->keys), 1);
		assert_int_equal(served(&t, "b.")->serial, 2);
		tree_fini(&t);
	} while (was_refused);
	assert_true(n > 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_without_memory),
		cmocka_unit_test(keys_are_held_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
