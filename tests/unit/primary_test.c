/* Commits in, views out: what is served after each. */
#include "primary_tree.h"

#include <time.h>

#include "base/str.h"
#include "zone/dump.h"
#include "zone/history.h"
#include "zone/load.h"

static char *
zone_text(unsigned serial, unsigned hosts, const char *more)
{
	struct str s = { 0 };
	str_printf(&s, SOA, serial);
	for (unsigned i = 0; i < hosts; i++) {
		str_printf(&s, "h%u A 192.0.2.%u\n", i, i % 250);
	}
	str_cat(&s, more);
	return s.s;
}

static err_t
append(void *ctx, const char *text, size_t len)
{
	str_put(ctx, text, len);
	return OK;
}

static char *
dumped(const struct zone *z)
{
	struct str s = { 0 };
	assert_int_equal(dump_zone(z, append, &s), OK);
	return s.s;
}

/* What is served is what a primary that starts now would serve. */
static void
assert_as_if_new(const struct tree *t, const char *name, const char *text)
{
	struct name apex;
	assert_int_equal(name_parse(name, strlen(name), NULL, &apex), OK);
	struct master_reader r = { .apex = apex.oct, .file = name };
	struct load_result result;
	struct zone *fresh = NULL;
	assert_int_equal(zone_load(&r, text, strlen(text), SIZE_MAX, &fresh, &result), OK);
	char *want = dumped(fresh), *got = dumped(served(t, name));
	assert_string_equal(got, want);
	assert_int_equal(served(t, name)->records, fresh->records);
	free(want);
	free(got);
	zone_free(&fresh);
}

static void
a_bad_version_leaves_the_last_good_one(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *good = zone_text(1, 3, ""), *bad = zone_text(2, 3, "x A 192.0.2.256\n"), *empty = strdup("");
	assert_int_equal(commit(&t, "example", good, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_LOADED], 1);
	assert_int_equal(commit(&t, "example", bad, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_string_equal(t.where, "example:8 bad-rdata");
	assert_int_equal(served(&t, "example.")->serial, 1);
	assert_int_equal(commit(&t, "example", empty, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_int_equal(served(&t, "example.")->serial, 1);
	free(good), free(bad), free(empty);
	tree_fini(&t);
}

static void
a_file_without_a_zones_name_is_said_until_it_is_gone(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	assert_int_equal(commit(&t, "a..b", "no zone\n", false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_int_equal(commit(&t, "a..b", NULL, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_REJECTED], 0);
	tree_fini(&t);
}

/* As a tree says that no git would make: whoever may push may make one. */
static void
a_commit_that_names_a_file_twice_changes_nothing(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *good = zone_text(1, 3, ""), *other = zone_text(2, 3, "");
	assert_int_equal(commit(&t, "example", good, false), PRIMARY_APPLIED);
	const struct source_change put = { .kind = SOURCE_PUT, .path = "example", .bytes = (const uint8_t *)other, .len = strlen(other) };
	const struct source_change put_new = { .kind = SOURCE_PUT, .path = "new", .bytes = (const uint8_t *)other, .len = strlen(other) };
	const struct source_change remove = { .kind = SOURCE_REMOVE, .path = "example" };
	const struct source_change twice[][3] = {
		{ put, put_new, put }, { remove, put_new, put }, { put, put_new, remove }, { put_new, put, put_new },
	};
	for (size_t i = 0; i < 2 * ARRAY_LEN(twice); i++) {
		struct source_commit c = { .id = "5678", .changes = twice[i / 2], .n = 3, .is_whole = i % 2 != 0, .ctx = &t,
			                   .open = open_file, .close = close_file };
		enum primary_outcome outcome;
		const struct view *view, *before = primary_view(t.primary);
		struct discard *old = NULL;
		assert_int_equal(primary_apply(t.primary, &c, &outcome, &view, &old), E_FORMAT);
		assert_ptr_equal(primary_view(t.primary), before);
	}
	assert_int_equal(served(&t, "example.")->serial, 1);
	assert_int_equal(commit(&t, "example", other, false), PRIMARY_APPLIED);
	assert_int_equal(served(&t, "example.")->serial, 2);
	free(good), free(other);
	tree_fini(&t);
}

static void
what_would_remove_too_much_is_held_back(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *full = zone_text(1, 200, ""), *half = zone_text(2, 60, ""), *small = zone_text(1, 1, "");
	(void)commit(&t, "a", full, false);
	(void)commit(&t, "b", small, false);
	(void)commit(&t, "c", small, false);
	assert_int_equal(commit(&t, "a", half, false), PRIMARY_HELD);
	assert_int_equal(t.events[ZONE_HELD], 1);
	assert_int_equal(served(&t, "a.")->serial, 1);
	assert_int_equal(commit(&t, "a", half, true), PRIMARY_APPLIED);
	assert_int_equal(served(&t, "a.")->serial, 2);
	assert_int_equal(commit(&t, "c", NULL, false), PRIMARY_APPLIED); /* one of three */
	assert_int_equal(commit(&t, "b", NULL, false), PRIMARY_APPLIED); /* half is not more than half */
	assert_int_equal(commit(&t, "a", NULL, false), PRIMARY_HELD);
	assert_non_null(served(&t, "a."));
	assert_int_equal(commit(&t, "a", NULL, true), PRIMARY_APPLIED);
	assert_null(served(&t, "a."));
	free(full), free(half), free(small);
	tree_fini(&t);
}

/* Zones a, with so many hosts, b and c. */
static void
three_zones(struct tree *t, unsigned hosts)
{
	char *first = zone_text(1, hosts, ""), *others = zone_text(1, 1, "");
	tree_init(t);
	(void)commit_many(t, (const char *const[]){ "a", first, "b", others, "c", others, NULL }, false, false);
	free(first), free(others);
}

static void
what_is_held_blocks_nothing_else(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 200);
	char *half = zone_text(2, 60, ""), *second = zone_text(2, 2, ""), *third = zone_text(3, 3, ""), *back = zone_text(3, 190, "");
	assert_int_equal(commit_many(&t, (const char *const[]){ "a", half, "b", second, NULL }, false, false), PRIMARY_HELD);
	assert_int_equal(serial(&t, "a."), 1);
	assert_int_equal(serial(&t, "b."), 2);
	assert_int_equal(primary_held_n(t.primary), 1);
	assert_int_equal(commit(&t, "b", third, false), PRIMARY_APPLIED); /* which says nothing of it */
	assert_int_equal(serial(&t, "a."), 1);
	assert_int_equal(serial(&t, "b."), 3);
	assert_int_equal(primary_held_n(t.primary), 1);
	assert_int_equal(commit(&t, "a", back, false), PRIMARY_APPLIED); /* good again */
	assert_int_equal(serial(&t, "a."), 3);
	assert_int_equal(primary_held_n(t.primary), 0);
	free(half), free(second), free(third), free(back);
	tree_fini(&t);
}

static void
a_trailer_lets_go_what_was_held(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 200);
	char *half = zone_text(2, 60, ""), *second = zone_text(2, 2, "");
	(void)commit(&t, "a", half, false);
	assert_int_equal(commit_many(&t, (const char *const[]){ "b", NULL, "c", NULL, NULL }, false, false), PRIMARY_HELD);
	assert_int_equal(t.events[ZONE_HELD], 2);
	assert_int_equal(primary_held_n(t.primary), 3);
	/* That of an update is about its own zones. */
	struct source_change other = { .kind = SOURCE_PUT, .path = "d", .bytes = (const uint8_t *)second, .len = strlen(second) };
	struct source_commit c = { .id = "9abc", .allowed = (const char *const[]){ "d" }, .allowed_n = 1, .changes = &other, .n = 1 };
	assert_int_equal(apply(&t, &c), PRIMARY_APPLIED);
	assert_int_equal(primary_held_n(t.primary), 3);
	assert_int_equal(serial(&t, "d."), 2);
	assert_int_equal(commit_many(&t, (const char *const[]){ NULL }, true, false), PRIMARY_APPLIED); /* an empty commit */
	assert_int_equal(primary_held_n(t.primary), 0);
	assert_int_equal(serial(&t, "a."), 2);
	assert_null(served(&t, "b."));
	assert_null(served(&t, "c."));
	free(half), free(second);
	tree_fini(&t);
}

/* What an update took away passes, also out of an included file; what a person did, seen together with it, does not. */
static void
the_trailer_of_an_update_is_for_its_files(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 200);
	char *half = zone_text(3, 60, ""), *part = zone_text(2, 0, "$INCLUDE parts/hosts\n"), *hosts = zone_text(2, 200, "");
	(void)commit_many(&t, (const char *const[]){ "b", hosts, "c", part, "parts/hosts", strstr(hosts, "h0 "), NULL }, true, false);
	struct source_change changes[] = {
		{ .kind = SOURCE_PUT, .path = "a", .bytes = (const uint8_t *)half, .len = strlen(half) },
		{ .kind = SOURCE_PUT, .path = "b", .bytes = (const uint8_t *)half, .len = strlen(half) },
		{ .kind = SOURCE_PUT, .path = "parts/hosts" },
	};
	(void)tree_put(&t, "parts/hosts", "h1 A 192.0.2.1\n");
	struct source_commit c = { .id = "9abc", .allowed = (const char *const[]){ "a", "parts/hosts" }, .allowed_n = 2, .changes = changes, .n = 3 };
	assert_int_equal(apply(&t, &c), PRIMARY_HELD);
	assert_int_equal(serial(&t, "a."), 3);
	assert_int_equal(serial(&t, "b."), 2);
	assert_int_equal(served(&t, "c.")->records, 4);
	assert_int_equal(primary_held_n(t.primary), 1);
	free(half), free(part), free(hosts);
	tree_fini(&t);
}

static void
zones_whose_files_come_back(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 200);
	char *second = zone_text(2, 2, ""), *half = zone_text(2, 60, ""), *whole = zone_text(3, 200, "");
	assert_int_equal(commit_many(&t, (const char *const[]){ "a", NULL, "b", NULL, NULL }, false, false), PRIMARY_HELD);
	assert_int_equal(commit(&t, "c", NULL, false), PRIMARY_HELD); /* with these it is all of them */
	assert_int_equal(primary_held_n(t.primary), 3);
	assert_int_equal(primary_view(t.primary)->zones.n, 3);
	assert_int_equal(commit(&t, "a", half, false), PRIMARY_HELD); /* it is back, and has lost too much */
	assert_int_equal(serial(&t, "a."), 1);
	assert_int_equal(commit(&t, "b", "rubbish\n", false), PRIMARY_APPLIED); /* a broken file: its last good goes on */
	assert_int_equal(serial(&t, "b."), 1);
	assert_int_equal(primary_held_n(t.primary), 2);
	assert_int_equal(commit(&t, "C", second, false), PRIMARY_APPLIED); /* under another spelling */
	assert_int_equal(t.events[ZONE_CHANGED], 1);
	assert_int_equal(serial(&t, "c."), 2);
	assert_int_equal(primary_held_n(t.primary), 1);
	assert_int_equal(commit(&t, "a", whole, false), PRIMARY_APPLIED);
	assert_int_equal(primary_held_n(t.primary), 0);
	assert_int_equal(serial(&t, "a."), 3);
	free(second), free(half), free(whole);
	tree_fini(&t);
}

static size_t
keys_n(const struct tree *t)
{
	return primary_view(t->primary)->keys != NULL ? keystore_count(primary_view(t->primary)->keys) : 0;
}

#define SECRET "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
#define KEY(name) name " DNSKEY 0 3 163 " SECRET "\n"

/* Without its keys nobody could transfer a zone that is held back, or announce the push that brings it back. */
static void
keys_of_zones_that_are_held_stay_good(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 1);
	const char *all = KEY("x._transfer."), *one = KEY("y._notify.a.");
	(void)commit_many(&t, (const char *const[]){ "_keys", all, "a._keys", one, NULL }, false, false);
	assert_int_equal(keys_n(&t), 2);
	/* `git rm` of all there is. */
	assert_int_equal(commit_many(&t, (const char *const[]){ "a", NULL, "b", NULL, "c", NULL, "_keys", NULL, NULL }, false, false), PRIMARY_HELD);
	assert_int_equal(keys_n(&t), 2);
	assert_int_equal(primary_held_n(t.primary), 3); /* zones */
	/* A key that goes by itself goes; the others are held in every commit that follows. */
	assert_int_equal(commit(&t, "a._keys", NULL, false), PRIMARY_APPLIED);
	assert_int_equal(keys_n(&t), 1);
	/* The zones are back, and the keys are not: they are the last that could announce a push. */
	char *z = zone_text(2, 1, "");
	assert_int_equal(commit_many(&t, (const char *const[]){ "a", z, "b", z, "c", z, NULL }, false, false), PRIMARY_APPLIED);
	assert_int_equal(keys_n(&t), 1);
	assert_int_equal(primary_held_n(t.primary), 0);
	assert_int_equal(commit(&t, "x", NULL, true), PRIMARY_APPLIED);
	assert_int_equal(keys_n(&t), 0);
	free(z);
	tree_fini(&t);
}

/* The same by a whole tree, and by .originignore; and the ways out. */
static void
keys_that_are_held_are_let_go(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 1);
	char *z = zone_text(2, 1, "");
	(void)commit(&t, "_keys", KEY("x._transfer."), false);
	assert_int_equal(commit_many(&t, (const char *const[]){ "new", z, NULL }, false, true), PRIMARY_HELD);
	assert_int_equal(keys_n(&t), 1);
	(void)commit(&t, "_keys", KEY("y._transfer.") KEY("z._transfer."), false); /* back, and another */
	assert_int_equal(keys_n(&t), 2);
	assert_int_equal(commit(&t, ".originignore", "*\n", false), PRIMARY_HELD);
	assert_int_equal(keys_n(&t), 2);
	assert_int_equal(commit(&t, "x", NULL, true), PRIMARY_APPLIED); /* the trailer */
	assert_int_equal(primary_view(t.primary)->zones.n, 0);
	assert_int_equal(keys_n(&t), 0);
	free(z);
	tree_fini(&t);
}

/* As after a forced push. */
static void
a_whole_tree_holds_and_lets_go(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 1);
	char *z = zone_text(5, 1, "");
	assert_int_equal(commit_many(&t, (const char *const[]){ "new", z, NULL }, false, true), PRIMARY_HELD);
	assert_int_equal(primary_view(t.primary)->zones.n, 4);
	assert_int_equal(primary_held_n(t.primary), 3);
	assert_int_equal(commit_many(&t, (const char *const[]){ "new", z, "a", z, NULL }, false, true), PRIMARY_APPLIED);
	assert_int_equal(primary_held_n(t.primary), 2);
	assert_int_equal(serial(&t, "a."), 5);
	assert_int_equal(commit_many(&t, (const char *const[]){ "new", z, "a", z, NULL }, true, true), PRIMARY_APPLIED);
	assert_int_equal(primary_view(t.primary)->zones.n, 2);
	free(z);
	tree_fini(&t);
}

static void
a_zone_that_moves_is_no_removal(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 200);
	char *half = zone_text(2, 60, ""), *second = zone_text(2, 2, "");
	/* To a file that is bad, to one that has lost too much, and to a good one. */
	assert_int_equal(commit_many(&t, (const char *const[]){ "b", NULL, "B", "rubbish\n", "a", NULL, "A", half, "c", NULL, "C", second, NULL },
	                             false, false), PRIMARY_HELD);
	assert_int_equal(t.events[ZONE_HELD], 1);
	assert_int_equal(t.events[ZONE_REMOVED], 0);
	assert_int_equal(serial(&t, "a."), 1);
	assert_int_equal(serial(&t, "b."), 1);
	assert_int_equal(serial(&t, "c."), 2);
	assert_int_equal(commit(&t, "B", second, false), PRIMARY_APPLIED);
	assert_int_equal(serial(&t, "b."), 2);
	assert_int_equal(commit(&t, "A", half, true), PRIMARY_APPLIED);
	assert_int_equal(serial(&t, "a."), 2);
	assert_int_equal(primary_held_n(t.primary), 0);
	free(half), free(second);
	tree_fini(&t);
}

/* An include makes the difference: of the file as it stands now, not of the one that is served. */
static void
what_a_held_zone_includes_counts(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *full = zone_text(1, 200, ""), *part = zone_text(2, 0, "$INCLUDE parts/hosts\n"), *hosts = zone_text(0, 150, "");
	(void)commit(&t, "a", full, false);
	(void)commit(&t, "parts/hosts", "x A 192.0.2.1\n", false);
	assert_int_equal(commit(&t, "a", part, false), PRIMARY_HELD);
	assert_int_equal(commit(&t, "parts/hosts", strstr(hosts, "h0"), false), PRIMARY_APPLIED);
	assert_int_equal(serial(&t, "a."), 2);
	assert_int_equal(primary_held_n(t.primary), 0);
	assert_int_equal(commit(&t, "parts/hosts", "x A 192.0.2.1\n", false), PRIMARY_HELD);
	assert_int_equal(serial(&t, "a."), 2);
	free(full), free(part), free(hosts);
	tree_fini(&t);
}

static void
another_ttl_for_all_removes_nothing(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *full = zone_text(1, 200, ""), *later = zone_text(2, 200, ""), *fewer = zone_text(3, 60, "");
	memcpy(later, "$TTL 99", 7);
	(void)commit(&t, "a", full, false);
	assert_int_equal(commit(&t, "a", later, false), PRIMARY_APPLIED);
	assert_int_equal(commit(&t, "a", fewer, false), PRIMARY_HELD); /* another TTL, but most of them are gone, too */
	assert_int_equal(served(&t, "a.")->serial, 2);
	free(full), free(later), free(fewer);
	tree_fini(&t);
}

static void
a_changed_include_reloads_who_uses_it(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *z = zone_text(1, 0, "$INCLUDE common/mail\n");
	assert_int_equal(commit(&t, "example", z, false), PRIMARY_APPLIED);
	assert_int_equal(t.events[ZONE_REJECTED], 1); /* it is not there yet */
	(void)commit(&t, "common/mail", "mail A 192.0.2.9\n", false);
	assert_int_equal(t.events[ZONE_LOADED], 1);
	assert_int_equal(served(&t, "example.")->records, 4);
	(void)commit(&t, "common/mail", "mail A 192.0.2.9\nmail A 192.0.2.10\n", false);
	assert_int_equal(t.events[ZONE_CHANGED], 1);
	assert_int_equal(t.events[ZONE_SERIAL_STUCK], 1);
	assert_int_equal(served(&t, "example.")->records, 5);
	free(z);
	tree_fini(&t);
}

static void
one_name_is_one_file(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	char *z = zone_text(1, 0, ""), *y = zone_text(2, 0, "");
	(void)commit(&t, "example", z, false);
	(void)commit(&t, "EXAMPLE", y, false);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	assert_int_equal(served(&t, "example.")->serial, 1);
	(void)commit(&t, "README.md", y, false);
	assert_int_equal(t.events[FILE_IGNORED], 1);
	assert_int_equal(primary_view(t.primary)->zones.n, 1);
	assert_int_equal(commit(&t, "example", NULL, false), PRIMARY_APPLIED); /* the other one takes its place */
	assert_int_equal(t.events[ZONE_REMOVED], 0);
	assert_int_equal(t.events[ZONE_CHANGED], 1);
	assert_int_equal(served(&t, "example.")->serial, 2);
	assert_int_equal(commit(&t, "EXAMPLE", NULL, false), PRIMARY_HELD);
	free(z), free(y);
	tree_fini(&t);
}

/* What was served with which serial, and what is said of it. */
static void
serials_that_do_not_grow_are_said(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		unsigned serial; /* 0: the file goes */
		unsigned hosts;
		unsigned loaded, changed, stuck, back;
	} steps[] = {
		{ "example", 10, 1, 1, 0, 0, 0 },
		{ "example", 10, 2, 0, 1, 1, 0 },
		{ "example", 5, 2, 0, 1, 0, 1 },
		{ "example", 5, 3, 0, 1, 0, 1 },
		{ "example", 6, 4, 0, 1, 0, 1 },
		{ "example", 10, 5, 0, 1, 1, 0 },
		{ "example", 11, 5, 0, 1, 0, 0 },
		/* gone and back: lower, the same with other records, just the same */
		{ "example", 0, 0, 0, 0, 0, 0 },
		{ "example", 9, 1, 1, 0, 0, 1 },
		{ "example", 12, 1, 0, 1, 0, 0 },
		{ "example", 0, 0, 0, 0, 0, 0 },
		{ "example", 12, 2, 1, 0, 1, 0 },
		{ "example", 13, 2, 0, 1, 0, 0 },
		{ "example", 0, 0, 0, 0, 0, 0 },
		{ "Example", 13, 2, 1, 0, 0, 0 },
		{ "Example", 13 + 2147483648u, 2, 0, 1, 0, 1 },
		{ "Example", 0, 0, 0, 0, 0, 0 },
		{ "example", 13, 2, 1, 0, 1, 0 }, /* there were two others */
	};
	struct tree t;
	tree_init(&t);
	char *keep = zone_text(1, 0, "");
	for (size_t i = 0; i < 4; i++) { /* so that a removal is not too much */
		static const char *const others[] = { "a", "b", "c", "d" };
		(void)commit(&t, others[i], keep, false);
	}
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		char *text = steps[i].serial != 0 ? zone_text(steps[i].serial, steps[i].hosts, "") : NULL;
		assert_int_equal(commit(&t, steps[i].path, text, false), PRIMARY_APPLIED);
		if (t.events[ZONE_SERIAL_STUCK] != steps[i].stuck || t.events[ZONE_SERIAL_BACK] != steps[i].back ||
		    t.events[ZONE_LOADED] != steps[i].loaded || t.events[ZONE_CHANGED] != steps[i].changed) {
			fail_msg("step %zu", i);
		}
		free(text);
	}
	free(keep);
	tree_fini(&t);
}

/* What files were in older commits, with the first: texts that end anywhere, and some that are none. */
static void
a_start_learns_from_older_commits(void **state)
{
	(void)state;
	static const struct {
		const char *past[3];
		unsigned stuck, back;
		uint32_t newest;
	} cases[] = {
		{ { "@ SOA a b 3 1 1 1 1\n" }, 0, 0, 5 },
		{ { "; x\n@ SOA a b 5 1 1 1 1\nx A 192.0.2." }, 0, 0, 5 }, /* the same serial, and who knows with what */
		{ { "$TTL 1\n@ SOA a b 10 1 1 1 1\nx A 192.0.2." }, 0, 1, 10 },
		{ { "@ SOA a b 10 1 1 1 1\n", "@ SOA a b 4 1 1 1 1\n" }, 0, 1, 10 },
		{ { "@ SOA a b 2026112801 1 1 1 1\n", "@ SOA a b 4173596448 1 1 1 1\n", "@ SOA a b 2 1 1 1 1\n" }, 0, 0, 5 },
		{ { "no zone", "x.example.net. SOA a b 10 1 1 1 1\n", "@ SOA a b 1" }, 0, 0, 5 },
		{ { "$INCLUDE soa\n", "", "@ SOA a b (10 1" }, 0, 0, 5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tree t;
		tree_init(&t);
		struct source_past past[4] = { { .path = "README", .bytes = (const uint8_t *)"", .len = 0 } };
		size_t n = 1;
		for (size_t k = 0; k < 3 && cases[i].past[k] != NULL; k++) {
			past[n++] = (struct source_past){ .path = "example", .bytes = (const uint8_t *)cases[i].past[k],
				                          .len = strlen(cases[i].past[k]) };
		}
		char *text = zone_text(5, 1, "");
		for (size_t again = 0; again < 2; again++) { /* the second time the zone is there */
			const struct source_change put = { .path = "example", .bytes = (uint8_t *)text, .len = strlen(text) };
			struct source_commit c = { .id = "1", .changes = &put, .n = 1, .past = past, .past_n = n, .is_whole = true, .ctx = &t,
				                   .open = open_file, .close = close_file };
			enum primary_outcome outcome;
			const struct view *view;
			struct discard *old = NULL;
			assert_int_equal(primary_apply(t.primary, &c, &outcome, &view, &old), OK);
			discard_free(&old);
			if (t.events[ZONE_SERIAL_STUCK] != cases[i].stuck || t.events[ZONE_SERIAL_BACK] != cases[i].back ||
			    history_newest_serial(served(&t, "example.")) != cases[i].newest) {
				fail_msg("case %zu", i);
			}
		}
		free(text);
		tree_fini(&t);
	}
}

/* A short text may stand for very many records, and there may be ten thousand such texts: each costs what it is long. */
static void
older_commits_cost_what_they_are_long(void **state)
{
	(void)state;
	static const char generates[] = "$TTL 1\n$GENERATE 1-300000 a$ A 192.0.2.1\n@ SOA a b 10 1 1 1 1\n";
	struct tree t;
	tree_init(&t);
	static struct source_past past[2000];
	for (size_t i = 0; i < ARRAY_LEN(past); i++) {
		past[i] = (struct source_past){ .path = "example", .bytes = (const uint8_t *)generates, .len = sizeof generates - 1 };
	}
	char *text = zone_text(5, 1, "");
	const struct source_change put = { .path = "example", .bytes = (uint8_t *)text, .len = strlen(text) };
	struct source_commit c = { .id = "1", .changes = &put, .n = 1, .past = past, .past_n = ARRAY_LEN(past), .is_whole = true, .ctx = &t,
		                   .open = open_file, .close = close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	clock_t begin = clock();
	assert_int_equal(primary_apply(t.primary, &c, &outcome, &view, &old), OK);
	assert_true(clock() - begin < 5 * CLOCKS_PER_SEC); /* 600,000,000 records would take minutes */
	discard_free(&old);
	assert_int_equal(history_newest_serial(served(&t, "example.")), 5);
	free(text);
	tree_fini(&t);
}

static void
keys_come_and_go(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	(void)commit(&t, "_keys", "a._update. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n", false);
	(void)commit(&t, "example._keys", "b._notify.example. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n", false);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 2);
	(void)commit(&t, "_keys", "a._update. DNSKEY 0 3 163 not base64!\n", false);
	assert_int_equal(t.events[KEYS_REJECTED], 1);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 2); /* the last good ones */
	(void)commit(&t, "_keys", NULL, false);
	assert_int_equal(keystore_count(primary_view(t.primary)->keys), 1);
	tree_fini(&t);
}

/* Files that are no zones: what .originignore says, and that it changes. */
static void
the_files_that_are_ignored_change(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 1);
	char *z = zone_text(5, 1, "");
	assert_int_equal(commit_many(&t, (const char *const[]){ "d.template", z, "README.zone", z, "e.sh", "#!/bin/sh\n", NULL }, false, false),
	                 PRIMARY_APPLIED);
	assert_int_equal(primary_view(t.primary)->zones.n, 4);
	assert_int_equal(t.events[FILE_IGNORED], 2);
	assert_int_equal(commit(&t, ".originignore", "*.template\n/a\n", false), PRIMARY_APPLIED); /* of files that the commit does not name */
	assert_int_equal(t.events[ZONE_REMOVED], 2);
	assert_null(served(&t, "d.template."));
	assert_null(served(&t, "a."));
	(void)commit(&t, "f.template", z, false);
	assert_null(served(&t, "f.template."));
	assert_int_equal(commit(&t, ".originignore", "*.template\n!f.*\n!README.zone\n!e.sh\n", false), PRIMARY_APPLIED);
	assert_int_equal(serial(&t, "a."), 1);
	assert_int_equal(serial(&t, "f.template."), 5);
	assert_int_equal(serial(&t, "readme.zone."), 5);
	assert_int_equal(t.events[ZONE_REJECTED], 1); /* somebody means that script */
	assert_null(served(&t, "d.template."));
	assert_int_equal(commit(&t, ".originignore", "*\n", false), PRIMARY_HELD); /* the safety valve holds for it */
	assert_int_equal(primary_view(t.primary)->zones.n, 5);
	assert_int_equal(commit(&t, "b", z, false), PRIMARY_APPLIED);
	assert_int_equal(serial(&t, "b."), 1);
	assert_int_equal(commit(&t, ".originignore", NULL, false), PRIMARY_APPLIED);
	assert_int_equal(primary_held_n(t.primary), 1); /* README.zone is none again */
	assert_int_equal(serial(&t, "b."), 5);
	assert_int_equal(serial(&t, "d.template."), 5);
	free(z);
	tree_fini(&t);
}

/* One that cannot be read leaves what it said; a whole tree begins anew. */
static void
a_bad_list_of_ignored_files(void **state)
{
	(void)state;
	struct tree t;
	three_zones(&t, 1);
	char *z = zone_text(5, 1, ""), *large = malloc(IGNORE_OCTETS_MAX + 2);
	memset(large, 'b', IGNORE_OCTETS_MAX + 1);
	large[IGNORE_OCTETS_MAX + 1] = '\0';
	(void)commit(&t, ".originignore", "c\n", false);
	assert_null(served(&t, "c."));
	(void)commit(&t, ".originignore", large, false);
	assert_int_equal(t.events[ZONE_REJECTED], 1);
	(void)commit(&t, "c", z, false);
	assert_null(served(&t, "c."));
	(void)commit_many(&t, (const char *const[]){ "a", z, "b", z, "c", z, "d", z, ".originignore", "b\n", NULL }, true, true);
	assert_int_equal(serial(&t, "c."), 5);
	assert_null(served(&t, "b."));
	(void)commit_many(&t, (const char *const[]){ "a", z, "b", z, "c", z, NULL }, true, true);
	assert_int_equal(serial(&t, "b."), 5);
	free(z), free(large);
	tree_fini(&t);
}


/* What takes one key out of many: a word that is no base64, an algorithm, a parenthesis and a quote that are not closed, a name that is
 * another's, a second secret, a zone's record. */
static void
a_bad_line_costs_its_key(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"b._update. DNSKEY 0 3 163 !\n", "b._update. DNSKEY 0 3 13 " SECRET "\n", "b._update. DNSKEY 0 3 163 ( " SECRET "\n",
		"b._update. DNSKEY 0 3 163 \"" SECRET "\n", "b._update. " SECRET "\n", SECRET " b._update. DNSKEY 0 3 163\n",
		"b._update. DNSKEY 0 3 163 c\n", "a._update. DNSKEY 0 3 163 AAAA" SECRET "\n", "b._update. A 192.0.2.1\n", "b..c\n", ")\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct tree t;
		struct str s = { 0 };
		tree_init(&t);
		str_printf(&s, "%s%s%s", KEY("a._update."), lines[i], KEY("c._update."));
		(void)commit(&t, "_keys", s.s, false); /* the first that it sees */
		assert_int_equal(t.events[KEYS_REJECTED], 1);
		assert_int_equal(t.events[KEYS_LOADED], 1);
		assert_int_equal(strncmp(t.where, i == 2 ? "_keys:3" : "_keys:2", 7), 0);
		assert_int_equal(keystore_count(primary_view(t.primary)->keys), 2);
		(void)commit(&t, "_keys", KEY("c._update."), false);
		(void)commit(&t, "_keys", lines[i], false); /* without a good one the last good go on */
		assert_int_equal(keystore_count(primary_view(t.primary)->keys), 1);
		str_fini(&s);
		tree_fini(&t);
	}
}

/* A host, a delegation, a wildcard or a name with empty ones above it. */
static void
add_name(struct str *s, unsigned i, unsigned serial)
{
	switch (i % 4) {
	case 0:
		str_printf(s, "h%u %u A 192.0.2.9\n", i, serial % 60 == 0 ? 60u : 61u);
		break;
	case 1:
		str_printf(s, "d%u NS ns.d%u\nns.d%u A 192.0.2.%u\n", i, i, i, i == serial ? 8u : 9u);
		break;
	case 2:
		str_printf(s, "*.w%u TXT \"x\"\n", i);
		break;
	default:
		str_printf(s, "deep.er.n%u MX 1 ns\n", i);
	}
}

/* Many small changes of one zone: each version shares memory with the one before, and is as if read anew. */
static void
small_changes_add_up(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t);
	srandom(1);
	bool on[400] = { false };
	for (unsigned serial = 1; serial < 120; serial++) {
		struct str s = { 0 };
		str_printf(&s, SOA, serial);
		for (unsigned i = 0; i < ARRAY_LEN(on); i++) {
			on[i] ^= serial == 1 || random() % 100 < (long)(serial % 5);
			if (on[i]) {
				add_name(&s, i, serial);
			}
		}
		assert_int_equal(commit(&t, "example", s.s, true), PRIMARY_APPLIED);
		assert_as_if_new(&t, "example.", s.s);
		str_fini(&s);
	}
	tree_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_version_leaves_the_last_good_one),
		cmocka_unit_test(a_file_without_a_zones_name_is_said_until_it_is_gone),
		cmocka_unit_test(a_commit_that_names_a_file_twice_changes_nothing),
		cmocka_unit_test(what_would_remove_too_much_is_held_back),
		cmocka_unit_test(what_is_held_blocks_nothing_else),
		cmocka_unit_test(a_trailer_lets_go_what_was_held),
		cmocka_unit_test(the_trailer_of_an_update_is_for_its_files),
		cmocka_unit_test(zones_whose_files_come_back),
		cmocka_unit_test(a_whole_tree_holds_and_lets_go),
		cmocka_unit_test(a_zone_that_moves_is_no_removal),
		cmocka_unit_test(what_a_held_zone_includes_counts),
		cmocka_unit_test(keys_of_zones_that_are_held_stay_good),
		cmocka_unit_test(keys_that_are_held_are_let_go),
		cmocka_unit_test(another_ttl_for_all_removes_nothing),
		cmocka_unit_test(a_changed_include_reloads_who_uses_it),
		cmocka_unit_test(one_name_is_one_file),
		cmocka_unit_test(serials_that_do_not_grow_are_said),
		cmocka_unit_test(a_start_learns_from_older_commits),
		cmocka_unit_test(older_commits_cost_what_they_are_long),
		cmocka_unit_test(keys_come_and_go),
		cmocka_unit_test(a_bad_line_costs_its_key),
		cmocka_unit_test(the_files_that_are_ignored_change),
		cmocka_unit_test(a_bad_list_of_ignored_files),
		cmocka_unit_test(small_changes_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
