#include "git/treeedit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A tree out of lines "MODE NAME", each with an id of twenty times its letter. */
struct spec {
	const char *line;
	char id;
};

static void
put_tree(const struct spec *s, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t id[ID_LEN];
		memset(id, s[i].id, sizeof id);
		str_cat(out, s[i].line);
		str_char(out, '\0');
		str_put(out, id, sizeof id);
	}
}

static struct tree_edit
edit(const char *name, char id)
{
	size_t len = strlen(name);
	bool is_dir = len > 0 && name[len - 1] == '/';
	struct tree_edit e = { .name = name, .name_len = len - is_dir, .is_dir = is_dir, .is_removal = id == 0 };
	memset(e.id, id, sizeof e.id);
	return e;
}

static const struct spec old_tree[] = {
	{ "100644 a", 'a' }, { "100755 a-b", 'b' }, { "40000 a.b", 'c' }, { "100644 ab", 'd' }, { "120000 link", 'e' },
	{ "160000 module", 'f' }, { "100664 odd", 'g' }, { "100644 sub.x", 'i' }, { "40000 sub", 'h' }, { "100644 z", 'j' },
};

static err_t
edited(struct tree_edit *edits, size_t n, struct str *out, const struct tree_edit **which)
{
	struct str old = { 0 };
	put_tree(old_tree, ARRAY_LEN(old_tree), &old);
	err_t err = tree_edit((const uint8_t *)old.s, old.len, edits, n, out, which);
	str_fini(&old);
	return err;
}

static void
lines_come_and_go(void **state)
{
	(void)state;
	static const struct spec want[] = {
		{ "100644 a", 'a' }, { "100755 a-b", 'B' }, { "40000 a.b", 'c' }, { "100644 ab", 'd' }, { "120000 link", 'e' },
		{ "160000 module", 'f' }, { "40000 new", 'N' }, { "100664 odd", 'G' }, { "100644 sub.x", 'i' }, { "100644 sub0", 'S' },
		{ "40000 zz", 'Z' },
	};
	struct tree_edit edits[] = {
		edit("zz/", 'Z'), edit("sub/", 0), edit("sub0", 'S'), edit("z", 0), edit("odd", 'G'), edit("new/", 'N'), edit("a-b", 'B'),
	};
	struct str out = { 0 }, expected = { 0 };
	const struct tree_edit *which = NULL;
	assert_int_equal(edited(edits, ARRAY_LEN(edits), &out, &which), OK);
	put_tree(want, ARRAY_LEN(want), &expected);
	assert_int_equal(out.len, expected.len);
	assert_memory_equal(out.s, expected.s, out.len);
	str_fini(&out);
	str_fini(&expected);
}

static void
from_nothing_and_to_nothing(void **state)
{
	(void)state;
	/* A directory sorts as if its name ended in "/", which is after "." and before "0". */
	static const struct spec want[] = {
		{ "100644 a", 'a' }, { "100644 s.x", 'c' }, { "40000 s", 'b' }, { "100644 s0", 'd' },
	};
	struct tree_edit edits[] = { edit("s/", 'b'), edit("s0", 'd'), edit("a", 'a'), edit("s.x", 'c') };
	struct str out = { 0 }, expected = { 0 }, nothing = { 0 };
	const struct tree_edit *which = NULL;
	assert_int_equal(tree_edit((const uint8_t *)"", 0, edits, ARRAY_LEN(edits), &out, &which), OK);
	put_tree(want, ARRAY_LEN(want), &expected);
	assert_int_equal(out.len, expected.len);
	assert_memory_equal(out.s, expected.s, out.len);
	struct tree_edit back[] = { edit("a", 0), edit("s/", 0), edit("s0", 0), edit("s.x", 0) };
	assert_int_equal(tree_edit((const uint8_t *)out.s, out.len, back, ARRAY_LEN(back), &nothing, &which), OK);
	assert_int_equal(nothing.len, 0);
	str_fini(&out);
	str_fini(&expected);
	str_fini(&nothing);
}

static void
what_cannot_be(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		char id;
		err_t err;
	} bad[] = {
		{ "nothing", 0, E_NOTFOUND }, { "a/", 0, E_NOTFOUND },   { "sub", 0, E_NOTFOUND },  { "a/", 'x', E_EXISTS },
		{ "sub", 'x', E_EXISTS },     { "link", 'x', E_REFUSED }, { "link", 0, E_REFUSED },  { "module", 0, E_REFUSED },
		{ "link/", 'x', E_EXISTS },   { "SUB/", 'x', E_EXISTS },  { "A", 'x', E_EXISTS },    { "LINK. ", 'x', E_UNSUPPORTED },
		{ "con.example", 'x', E_UNSUPPORTED }, { "a\\b", 'x', E_UNSUPPORTED }, { "Sub", 'x', E_EXISTS },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tree_edit edits[] = { edit("z", 'x'), edit(bad[i].name, bad[i].id), edit("0", 'x') };
		struct str out = { 0 };
		const struct tree_edit *which = NULL;
		assert_int_equal(edited(edits, ARRAY_LEN(edits), &out, &which), bad[i].err);
		assert_non_null(which);
		assert_int_equal(which->name_len, strcspn(bad[i].name, "/"));
		assert_memory_equal(which->name, bad[i].name, which->name_len);
		str_fini(&out);
	}
	struct tree_edit swap[] = { edit("a", 0), edit("a/", 'x'), edit("sub", 'y'), edit("sub/", 0) }; /* at once they can */
	struct str out = { 0 };
	const struct tree_edit *which = NULL;
	assert_int_equal(edited(swap, ARRAY_LEN(swap), &out, &which), OK);
	str_fini(&out);
}

static void
what_is_no_tree(void **state)
{
	(void)state;
	static const struct spec unsorted[] = { { "100644 b", 'a' }, { "100644 a", 'b' } };
	static const struct spec twice[] = { { "100644 a", 'a' }, { "100644 a", 'b' } };
	static const struct spec dir_before[] = { { "40000 a", 'a' }, { "100644 a.b", 'b' } };
	static const struct spec no_name[] = { { "100644 ", 'a' } };
	static const struct spec no_mode[] = { { " a", 'a' } };
	static const struct spec slash[] = { { "100644 a/", 'a' } };
	static const struct {
		const struct spec *s;
		size_t n;
	} bad[] = { { unsorted, 2 }, { twice, 2 }, { dir_before, 2 }, { no_name, 1 }, { no_mode, 1 }, { slash, 1 } };
	const struct tree_edit *which = NULL;
	uint8_t id[ID_LEN];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str tree = { 0 }, out = { 0 };
		put_tree(bad[i].s, bad[i].n, &tree);
		assert_int_equal(tree_edit((const uint8_t *)tree.s, tree.len, NULL, 0, &out, &which), E_FORMAT);
		assert_int_equal(tree_find_dir((const uint8_t *)tree.s, tree.len, "a", 1, id), E_FORMAT);
		str_fini(&tree);
		str_fini(&out);
	}
	struct str tree = { 0 };
	put_tree(old_tree, ARRAY_LEN(old_tree), &tree);
	for (size_t len = 1; len < tree.len; len++) { /* cut off anywhere but between lines it is none */
		struct str out = { 0 };
		err_t err = tree_edit((const uint8_t *)tree.s, len, NULL, 0, &out, &which);
		assert_true(err == E_FORMAT || (err == OK && out.len == len));
		str_fini(&out);
	}
	str_fini(&tree);
}

static void
directories_are_found(void **state)
{
	(void)state;
	struct str tree = { 0 };
	uint8_t id[ID_LEN], want[ID_LEN];
	put_tree(old_tree, ARRAY_LEN(old_tree), &tree);
	memset(want, 'h', sizeof want);
	assert_int_equal(tree_find_dir((const uint8_t *)tree.s, tree.len, "sub/more", 3, id), OK);
	assert_memory_equal(id, want, sizeof id);
	assert_int_equal(tree_find_dir((const uint8_t *)tree.s, tree.len, "a", 1, id), E_NOTFOUND);
	assert_int_equal(tree_find_dir((const uint8_t *)tree.s, tree.len, "su", 2, id), E_NOTFOUND);
	str_fini(&tree);
	static const struct spec old_mode[] = { { "040000 d", 'd' } };
	put_tree(old_mode, 1, &tree);
	assert_int_equal(tree_find_dir((const uint8_t *)tree.s, tree.len, "d", 1, id), OK);
	str_fini(&tree);
}

static void
names_that_are_ours(void **state)
{
	(void)state;
	static const char *const good[] = { "example.org", "@", "_keys", "a b", "git", "gitx", "x.git", "...", "a\\b", "caf\xC3\xA9", "g~1" };
	static const char *const bad[] = {
		"", ".", "..", "a/b", ".git", ".GIT", ".gitmodules", ".gitattributes", ".git ", ".git.", "git~1", "GIT~2", "a\\.git",
		"\\.git", "a\\git~1", ".g\xE2\x80\x8Cit", "\xE2\x80\x8C.git",
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(tree_name_is_ours(good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(tree_name_is_ours(bad[i], strlen(bad[i])));
	}
	assert_false(tree_name_is_ours("a\0b", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_and_go),
		cmocka_unit_test(from_nothing_and_to_nothing),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(what_is_no_tree),
		cmocka_unit_test(directories_are_found),
		cmocka_unit_test(names_that_are_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
