/* Commits after which nobody could announce the next one: which keys stay good, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/primary.h"

#define ZONE "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define KEY(name) name " DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
#define OTHER_SECRET(name) name " DNSKEY 0 3 163 AAAAipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"

enum { FILES_MAX = 8 };

#define SYMLINK "link" /* a text for what is no file */

/* Pairs of path and text; NULL: it goes. */
struct files {
	const char *pairs[2 * FILES_MAX + 1];
};

struct world {
	struct primary *primary;
	struct files tree;         /* as it is now */
	unsigned held;             /* KEYS_HELD, in the last commit */
};

static void
on_report(void *ctx, const struct primary_report *r)
{
	struct world *w = ctx;
	w->held += r->event == KEYS_HELD;
}

/* The pair of that path, or the one after the last. */
static const char **
find(struct world *w, const char *path)
{
	const char **pair = w->tree.pairs;
	while (pair[0] != NULL && strcmp(pair[0], path) != 0) {
		pair += 2;
	}
	return pair;
}

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	const char *text = find(ctx, path)[1];
	if (text == NULL) {
		return E_NOTFOUND;
	}
	*out = (struct master_text){ .text = text, .len = strlen(text) };
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

static enum primary_outcome
commit(struct world *w, const struct files *files, bool allow)
{
	struct source_change changes[FILES_MAX];
	struct source_commit c = { .id = "1", .allow_mass_delete = allow, .changes = changes, .ctx = w, .open = open_file, .close = close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	for (const char *const *p = files->pairs; p[0] != NULL; p += 2) {
		bool is_link = p[1] != NULL && strcmp(p[1], SYMLINK) == 0;
		const char **pair = find(w, p[0]);
		pair[0] = p[0];
		pair[1] = p[1];
		changes[c.n++] = (struct source_change){ .kind = p[1] != NULL ? SOURCE_PUT : SOURCE_REMOVE, .path = p[0],
			                                 .refused = is_link ? "it is a symbolic link" : NULL };
	}
	w->held = 0;
	assert_int_equal(primary_apply(w->primary, &c, &outcome, &view, &old), OK);
	primary_discard(&old);
	return outcome;
}

static bool
has_key(const struct world *w, const char *name)
{
	struct name n;
	assert_int_equal(name_parse(name, strlen(name), NULL, &n), OK);
	return keystore_find(primary_view(w->primary)->keys, n.oct) != NULL;
}

static void
world_init(struct world *w, unsigned percent)
{
	const struct primary_conf conf = { .delete_zones_percent = percent, .delete_records_percent = 50, .delete_records_min = 100 };
	*w = (struct world){ 0 };
	const struct primary_log log = { .report = on_report, .ctx = w };
	w->primary = primary_new(&conf, &log);
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
		struct world w;
		world_init(&w, 50);
		(void)commit(&w, &cases[i].before, false);
		enum primary_outcome outcome = commit(&w, &cases[i].change, false);
		if ((outcome == PRIMARY_HELD) != cases[i].is_held || !has_key(&w, cases[i].good) || w.held != cases[i].is_held ||
		    (cases[i].gone != NULL && has_key(&w, cases[i].gone))) {
			fail_msg("case %zu: %s, %u files", i, outcome == PRIMARY_HELD ? "held" : "not held", w.held);
		}
		if (primary_held_keys_n(w.primary) != cases[i].is_held) {
			fail_msg("case %zu: %zu files", i, primary_held_keys_n(w.primary));
		}
		primary_free(&w.primary);
	}
}

static void
what_is_held_goes_with_the_trailer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_init(&w, 50);
		(void)commit(&w, &cases[i].before, false);
		assert_int_equal(commit(&w, &cases[i].change, i % 2 == 0), i % 2 != 0 && cases[i].is_held ? PRIMARY_HELD : PRIMARY_APPLIED);
		assert_int_equal(commit(&w, &(struct files){ { "unheard", ZONE } }, true), PRIMARY_APPLIED);
		assert_int_equal(primary_held_keys_n(w.primary), 0);
		assert_int_equal(has_key(&w, cases[i].good), !cases[i].is_held);
		primary_free(&w.primary);
	}
}

/* Another commit that has a key for the zones lets go what was held, without a trailer; one that has none says nothing new. */
static void
what_is_held_goes_when_it_is_not_needed(void **state)
{
	(void)state;
	const char *const texts[] = { "", NULL };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct world w;
		world_init(&w, 50);
		(void)commit(&w, &(struct files){ { ROOT_KEY, TWO_ZONES } }, false);
		assert_int_equal(commit(&w, &(struct files){ { "_keys", texts[i] } }, false), PRIMARY_HELD);
		assert_int_equal(commit(&w, &(struct files){ { "c", ZONE } }, false), PRIMARY_APPLIED);
		assert_int_equal(w.held, 0);
		assert_true(has_key(&w, "push._notify."));
		assert_int_equal(commit(&w, &(struct files){ { "a._keys", KEY("x._notify.a.") } }, false), PRIMARY_APPLIED);
		assert_true(has_key(&w, "push._notify.") && has_key(&w, "x._notify.a."));
		assert_int_equal(commit(&w, &(struct files){ { "b._keys", KEY("y._notify.b."), "c._keys", KEY("z._notify.c.") } }, false), PRIMARY_APPLIED);
		assert_false(has_key(&w, "push._notify."));
		assert_int_equal(primary_held_keys_n(w.primary), 0);
		primary_free(&w.primary);
	}
}

static void
who_wants_no_valve_has_none(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 100);
	(void)commit(&w, &(struct files){ { ROOT_KEY, TWO_ZONES } }, false);
	assert_int_equal(commit(&w, &(struct files){ { "_keys", NULL } }, false), PRIMARY_APPLIED);
	assert_false(has_key(&w, "push._notify."));
	primary_free(&w.primary);
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
