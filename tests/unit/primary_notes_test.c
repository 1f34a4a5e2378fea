/* What the view says of each zone, commit by commit. */
#include "primary_tree.h"

static void
commit_as(struct tree *t, const char *id, const char *const *pairs, bool allow)
{
	struct source_change changes[FILES_MAX];
	struct source_commit c = { .allow_mass_delete = allow, .changes = changes, .now_s = 1000 + (uint64_t)id[0] };
	(void)snprintf(c.id, sizeof c.id, "%s", id);
	for (; pairs[0] != NULL; pairs += 2) {
		changes[c.n++] = tree_put(t, pairs[0], pairs[1]);
	}
	(void)apply(t, &c);
}
#define COMMIT(t, id, ...) commit_as(t, id, (const char *const[]){ __VA_ARGS__, NULL }, false)

static const struct zone_note *
note(const struct tree *t, const char *name)
{
	return note_of(primary_view(t->primary), name);
}

static void
assert_note(const struct zone_note *n, enum note_state state, const char *changed, const char *since, const char *tried)
{
	assert_non_null(n);
	assert_int_equal(n->state, state);
	assert_string_equal(n->changed, changed);
	assert_string_equal(n->since, since);
	assert_string_equal(n->tried, tried);
}

#define ZONE(serial) "$TTL 60\n@ SOA ns host " #serial " 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define BAD(serial) ZONE(serial) "x A 192.0.2.300\n"

static void
a_zone_knows_the_commit_that_changed_it(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	COMMIT(&t, "A", "one", ZONE(1), "two", ZONE(1));
	assert_note(note(&t, "one."), NOTE_SERVED, "A", "", "");
	assert_string_equal(note(&t, "one.")->file, "one");
	assert_int_equal(note(&t, "one.")->changed_s, 1000 + 'A');
	COMMIT(&t, "B", "two", ZONE(2));
	assert_note(note(&t, "one."), NOTE_SERVED, "A", "", "");
	assert_note(note(&t, "two."), NOTE_SERVED, "B", "", "");
	COMMIT(&t, "C", "two", "; said otherwise\n" ZONE(2));
	assert_note(note(&t, "two."), NOTE_SERVED, "B", "", "");
	COMMIT(&t, "D", "two", NULL);
	assert_null(note(&t, "two."));
	tree_fini(&t);
}

static void
a_broken_file_is_told_with_its_first_error(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	COMMIT(&t, "A", "one", ZONE(1));
	COMMIT(&t, "B", "one", BAD(2), "new", BAD(1));
	const struct zone_note *n = note(&t, "one.");
	assert_note(n, NOTE_LAST_GOOD, "A", "B", "B");
	assert_int_equal(n->line, 5);
	assert_int_equal(n->column, 5);
	assert_string_equal(n->code, "bad-rdata");
	assert_non_null(strstr(n->text, "IPv4"));
	assert_string_equal(n->where, "");
	assert_note(note(&t, "new."), NOTE_REJECTED, "", "B", "B");
	COMMIT(&t, "C", "one", BAD(3));
	assert_note(note(&t, "one."), NOTE_LAST_GOOD, "A", "B", "C");
	COMMIT(&t, "D", "one", ZONE(3), "new", ZONE(1));
	assert_note(note(&t, "one."), NOTE_SERVED, "D", "", "");
	assert_string_equal(note(&t, "one.")->text, "");
	assert_note(note(&t, "new."), NOTE_SERVED, "D", "", "");
	COMMIT(&t, "E", "new", BAD(2));
	COMMIT(&t, "F", "new", ZONE(1));
	assert_note(note(&t, "new."), NOTE_SERVED, "D", "", "");
	tree_fini(&t);
}

static void
an_error_goes_before_warnings_and_has_its_file(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	COMMIT(&t, "A", "one", ZONE(1) "www CNAME nowhere\n");
	const struct zone_note *n = note(&t, "one.");
	assert_note(n, NOTE_SERVED, "A", "", "");
	assert_int_equal(n->level, DIAG_WARNING);
	assert_int_equal(n->line, 5);
	COMMIT(&t, "B", "one", ZONE(2) "www CNAME nowhere\n$INCLUDE part/hosts\n", "part/hosts", "\nx AAAA 1::2::3\n");
	n = note(&t, "one.");
	assert_note(n, NOTE_LAST_GOOD, "A", "B", "B");
	assert_int_equal(n->level, DIAG_ERROR);
	assert_string_equal(n->where, "part/hosts");
	assert_int_equal(n->line, 2);
	tree_fini(&t);
}

static void
what_is_held_says_why_and_since_when(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	COMMIT(&t, "A", "one", ZONE(1), "two", ZONE(1), "three", ZONE(1));
	COMMIT(&t, "B", "one", NULL, "two", NULL);
	assert_note(note(&t, "one."), NOTE_HELD, "A", "B", "B");
	assert_non_null(strstr(note(&t, "one.")->text, "2 of 3 zones would be removed"));
	COMMIT(&t, "C", "three", ZONE(2));
	assert_note(note(&t, "one."), NOTE_HELD, "A", "B", "B");
	COMMIT(&t, "D", "one", ZONE(1));
	assert_note(note(&t, "one."), NOTE_SERVED, "A", "", "");
	assert_note(note(&t, "two."), NOTE_HELD, "A", "B", "B");
	commit_as(&t, "E", (const char *const[]){ "three", ZONE(3), NULL }, true);
	assert_null(note(&t, "two."));
	tree_fini(&t);
}

static void
a_zone_that_moves_keeps_its_commit(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	COMMIT(&t, "A", "one", ZONE(1), "two", ZONE(1), "Bad", BAD(1));
	COMMIT(&t, "B", "one", NULL, "ONE", ZONE(1), "Bad", NULL, "bad", BAD(1));
	assert_note(note(&t, "one."), NOTE_SERVED, "A", "", "");
	assert_string_equal(note(&t, "one.")->file, "ONE");
	assert_string_equal(note(&t, "bad.")->file, "bad");
	COMMIT(&t, "C", "two", ZONE(2), "TWO", ZONE(3));
	assert_string_equal(note(&t, "two.")->file, "two");
	assert_note(note(&t, "two."), NOTE_SERVED, "C", "", "");
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_knows_the_commit_that_changed_it),
		cmocka_unit_test(a_broken_file_is_told_with_its_first_error),
		cmocka_unit_test(an_error_goes_before_warnings_and_has_its_file),
		cmocka_unit_test(what_is_held_says_why_and_since_when),
		cmocka_unit_test(a_zone_that_moves_keeps_its_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
