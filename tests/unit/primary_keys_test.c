/* Commits after which nobody could announce the next one: which keys stay good, and until when. */
#include "primary_tree.h"

#define ZONE "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define KEY(name) name " DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
#define OTHER_SECRET(name) name " DNSKEY 0 3 163 AAAAipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"

/* Pairs of path and text; NULL: it goes. */
struct files {
	const char *pairs[2 * FILES_MAX + 1];
};

static bool
has_key(const struct tree *t, const char *name)
{
	struct name n;
	assert_int_equal(name_parse(name, strlen(name), NULL, &n), OK);
	return keystore_find(primary_view(t->primary)->keys, n.oct) != NULL;
}

#define ROOT_KEY "_keys", KEY("push._notify.")
#define TWO_ZONES "a", ZONE, "b", ZONE

static const struct {
	struct files before, change;
	bool is_held;
	const char *good, *gone; /* keys afterwards */
} cases[] = {
	/* The last that may notify goes. */
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", NULL } }, true, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", "" } }, true, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", "; none\n" } }, true, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", NULL, "keys", KEY("push._notify.") } }, true, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", NULL, "_keys/push", KEY("push._notify.") } }, true, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", SYMLINK } }, false, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { ".originignore", "_keys\n" } }, true, "push._notify.", NULL },
	{ { { "_keys", KEY("u._update."), TWO_ZONES } }, { { "_keys", NULL } }, true, "u._update.", NULL },
	{ { { ROOT_KEY } }, { { "_keys", NULL } }, true, "push._notify.", NULL }, /* zones are still to come */
	/* Keys of other names only. */
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("push._notify.c.") } }, true, "push._notify.", "push._notify.c." },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("push._notify.a.") } }, true, "push._notify.", "push._notify.a." },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("nothing.") } }, true, "push._notify.", "nothing." },
	/* Others may: whoever pushes can read their keys. */
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("new._notify.") } }, false, "new._notify.", "push._notify." },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", OTHER_SECRET("push._notify.") } }, false, "push._notify.", NULL },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("s._transfer.") } }, false, "s._transfer.", "push._notify." },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", KEY("x._notify.a.") KEY("y._update.b.") } }, false, "y._update.b.", "push._notify." },
	{ { { ROOT_KEY, TWO_ZONES } }, { { "_keys", NULL, "a._keys", KEY("x._notify.a."), "b._keys", KEY("y._update.b.") } }, false,
	  "x._notify.a.", "push._notify." },
	/* Keys of one zone. */
	{ { { "a._keys", KEY("x._notify.a."), "b._keys", KEY("y._notify.b."), TWO_ZONES } }, { { "a._keys", NULL } }, true, "x._notify.a.", NULL },
	{ { { "a._keys", KEY("x._update.a."), "b._keys", KEY("y._notify.b."), TWO_ZONES } }, { { "a._keys", "" } }, true, "x._update.a.", NULL },
	{ { { "a._keys", KEY("x._notify.a."), ROOT_KEY, TWO_ZONES } }, { { "a._keys", NULL } }, false, "push._notify.", "x._notify.a." },
	{ { { "a._keys", KEY("x._notify.a."), "b._keys", KEY("y._notify.b."), TWO_ZONES } }, { { "a._keys", NULL, "a", NULL } }, false,
	  "y._notify.b.", "x._notify.a." }, /* the zone goes, too */
	{ { { "a._keys", KEY("x._notify.h.a."), ROOT_KEY, TWO_ZONES } }, { { "_keys", NULL } }, true, "push._notify.", NULL },
	/* What is not needed goes, though another file is held. */
	{ { { ROOT_KEY, "a._keys", KEY("x._notify.c.a."), TWO_ZONES } }, { { "_keys", NULL, "a._keys", NULL } }, true, "push._notify.",
	  "x._notify.c.a." },
};

static void
a_commit_that_takes_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		tree_init(&t);
		(void)commit_many(&t, cases[i].before.pairs, false, false);
		enum primary_outcome outcome = commit_many(&t, cases[i].change.pairs, false, false);
		if ((outcome == PRIMARY_HELD) != cases[i].is_held || !has_key(&t, cases[i].good) || t.events[KEYS_HELD] != cases[i].is_held ||
		    (cases[i].gone != NULL && has_key(&t, cases[i].gone))) {
			fail_msg("case %zu: %s, %u files", i, outcome == PRIMARY_HELD ? "held" : "not held", t.events[KEYS_HELD]);
		}
		if (primary_held_keys_n(t.primary) != cases[i].is_held) {
			fail_msg("case %zu: %zu files", i, primary_held_keys_n(t.primary));
		}
		tree_fini(&t);
	}
}

static void
what_is_held_goes_with_the_trailer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		tree_init(&t);
		(void)commit_many(&t, cases[i].before.pairs, false, false);
		assert_int_equal(commit_many(&t, cases[i].change.pairs, i % 2 == 0, false), i % 2 != 0 && cases[i].is_held ? PRIMARY_HELD : PRIMARY_APPLIED);
		assert_int_equal(commit_many(&t, (const char *const[]){ "unheard", ZONE, NULL }, true, false), PRIMARY_APPLIED);
		assert_int_equal(primary_held_keys_n(t.primary), 0);
		assert_int_equal(has_key(&t, cases[i].good), !cases[i].is_held);
		tree_fini(&t);
	}
}

/* Another commit that has a key for the zones lets go what was held, without a trailer; one that has none says nothing new. */
static void
what_is_held_goes_when_it_is_not_needed(void **state)
{
	(void)state;
	const char *const texts[] = { "", NULL };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct tree t;
		tree_init(&t);
		(void)commit_many(&t, (const char *const[]){ ROOT_KEY, TWO_ZONES, NULL }, false, false);
		assert_int_equal(commit_many(&t, (const char *const[]){ "_keys", texts[i], NULL }, false, false), PRIMARY_HELD);
		assert_int_equal(commit_many(&t, (const char *const[]){ "c", ZONE, NULL }, false, false), PRIMARY_APPLIED);
		assert_int_equal(t.events[KEYS_HELD], 0);
		assert_true(has_key(&t, "push._notify."));
		assert_int_equal(commit_many(&t, (const char *const[]){ "a._keys", KEY("x._notify.a."), NULL }, false, false), PRIMARY_APPLIED);
		assert_true(has_key(&t, "push._notify.") && has_key(&t, "x._notify.a."));
		assert_int_equal(commit_many(&t, (const char *const[]){ "b._keys", KEY("y._notify.b."), "c._keys", KEY("z._notify.c."), NULL }, false,
		                             false), PRIMARY_APPLIED);
		assert_false(has_key(&t, "push._notify."));
		assert_int_equal(primary_held_keys_n(t.primary), 0);
		tree_fini(&t);
	}
}

static void
who_wants_no_valve_has_none(void **state)
{
	(void)state;
	struct tree t;
	tree_init_conf(&t, &(struct primary_conf){ .delete_zones_percent = 100, .delete_records_percent = 50, .delete_records_min = 100 });
	(void)commit_many(&t, (const char *const[]){ ROOT_KEY, TWO_ZONES, NULL }, false, false);
	assert_int_equal(commit_many(&t, (const char *const[]){ "_keys", NULL, NULL }, false, false), PRIMARY_APPLIED);
	assert_false(has_key(&t, "push._notify."));
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_that_takes_keys),
		cmocka_unit_test(what_is_held_goes_with_the_trailer),
		cmocka_unit_test(what_is_held_goes_when_it_is_not_needed),
		cmocka_unit_test(who_wants_no_valve_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
