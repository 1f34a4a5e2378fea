/* Older versions of files: which of them are told when there is not room for all, and what is written down of those that are left behind. */
#include "git/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

#define LEFT "refs/origin/left"

enum {
	VERSION_OCTETS = 1000,
	ENTRY_OCTETS = 24 + VERSION_OCTETS, /* in a link_build: header, "zone" and its NUL, and the text, aligned */
};

static git_repository *repo;
static char dir[32];

static int
lib_begin(void **state)
{
	(void)state;
	struct diag diag;
	return git_lib_begin(&diag) == OK ? 0 : -1;
}

static int
lib_end(void **state)
{
	(void)state;
	git_lib_end();
	return 0;
}

static int
repo_begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/origin-past-XXXXXX");
	return mkdtemp(dir) != NULL && git_repository_init(&repo, dir, 1) == 0 ? 0 : -1;
}

static int
repo_end(void **state)
{
	(void)state;
	char command[64];
	git_free_repo(&repo);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command);
}

static void
alive(void *ctx)
{
	(void)ctx;
}

/* A commit on top of *tip (zero: of nothing), with one file of VERSION_OCTETS that begins with `mark`.  It becomes *tip. */
static void
commit(git_oid *tip, char mark)
{
	char text[VERSION_OCTETS];
	[[gnu::cleanup(git_free_tree)]] git_tree *tree = NULL;
	[[gnu::cleanup(git_free_commit)]] git_commit *parent = NULL;
	git_treebuilder *files = NULL;
	git_signature *who = NULL;
	git_oid blob, id;
	memset(text, '.', sizeof text);
	text[0] = mark;
	assert_int_equal(git_blob_create_from_buffer(&blob, repo, text, sizeof text), 0);
	assert_int_equal(git_treebuilder_new(&files, repo, NULL), 0);
	assert_int_equal(git_treebuilder_insert(NULL, files, "zone", &blob, GIT_FILEMODE_BLOB), 0);
	assert_int_equal(git_treebuilder_write(&id, files), 0);
	git_treebuilder_free(files);
	assert_int_equal(git_tree_lookup(&tree, repo, &id), 0);
	assert_int_equal(git_signature_new(&who, "a", "a@example", 1, 0), 0);
	bool has_parent = !git_oid_is_zero(tip);
	assert_int_equal(has_parent ? git_commit_lookup(&parent, repo, tip) : 0, 0);
	const git_commit *parents[] = { parent };
	assert_int_equal(git_commit_create(&id, repo, NULL, who, who, NULL, "a commit", tree, has_parent, parents), 0);
	git_signature_free(who);
	git_oid_cpy(tip, &id);
}

/* A history whose versions are these, the oldest first. */
static git_oid
history(const char *marks)
{
	git_oid tip = { 0 };
	for (; *marks != '\0'; marks++) {
		commit(&tip, *marks);
	}
	return tip;
}

static void
point(const char *ref, const git_oid *to)
{
	git_reference *made = NULL;
	assert_int_equal(git_reference_create(&made, repo, ref, to, 1, NULL), 0);
	git_free_ref(&made);
}

/* The marks of the versions that are told, in their order. */
static void
told(const git_oid *head, uint64_t octets_max, char out[32])
{
	const struct git_past_in in = { .repo = repo, .head = head, .left = LEFT, .alive = alive };
	struct link_build build = { 0 };
	struct link_map map;
	struct link_file f;
	uint32_t n;
	int fd;
	git_past_put(&in, &build, octets_max);
	assert_true(build.len <= octets_max);
	assert_int_equal(link_build_seal(&build, &fd, &n), OK);
	assert_int_equal(link_map(fd, &map), OK);
	close(fd);
	struct link_files files = link_files_over(&map, n);
	while (link_files_next(&files, &f) == OK) {
		assert_int_equal(f.kind, LINK_ENTRY_PAST);
		*out++ = (char)f.bytes[0];
	}
	*out = '\0';
	link_unmap(&map);
	link_build_fini(&build);
}

static void
the_newest_are_told_and_the_own_history_comes_first(void **state)
{
	(void)state;
	static const struct {
		uint64_t octets_max;
		const char *told;
	} cases[] = {
		{ 100 * ENTRY_OCTETS, "abcd1234" }, /* what was left behind, then the own history, each with the oldest first */
		{ 8 * ENTRY_OCTETS, "abcd1234" },
		{ 7 * ENTRY_OCTETS, "bcd1234" },
		{ 5 * ENTRY_OCTETS, "d1234" },
		{ 4 * ENTRY_OCTETS, "1234" },
		{ 2 * ENTRY_OCTETS, "34" },
		{ 2 * ENTRY_OCTETS - 8, "4" },
		{ ENTRY_OCTETS - 8, "" },
		{ 0, "" },
	};
	const git_oid head = history("12345"), left = history("abcd");
	point(LEFT, &left);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char marks[32];
		told(&head, cases[i].octets_max, marks);
		assert_string_equal(marks, cases[i].told);
	}
}

static err_t
leave(const git_oid *old, const git_oid *head, struct diag *diag)
{
	const struct git_past_leaving l = { .from = repo, .to = repo, .left = LEFT, .old = old, .head = head, .alive = alive };
	return git_past_leave(&l, diag);
}

static void
what_a_rewritten_branch_leaves_is_written_down(void **state)
{
	(void)state;
	char marks[32];
	struct diag diag;
	const git_oid old = history("abc"), head = history("12"), next = history("123"), other = history("xy");
	assert_int_equal(leave(&old, &head, &diag), OK);
	told(&head, 100 * ENTRY_OCTETS, marks);
	assert_string_equal(marks, "abc1");
	assert_int_equal(leave(&head, &next, &diag), OK); /* it builds on the last one: nothing is left behind */
	told(&next, 100 * ENTRY_OCTETS, marks);
	assert_string_equal(marks, "abc12");
	assert_int_equal(leave(&next, &other, &diag), OK);
	told(&other, 100 * ENTRY_OCTETS, marks);
	assert_string_equal(marks, "abc123x");
}

/* The clone must not move on then: after a restart nobody would know which serials were served. */
static void
what_is_left_cannot_be_written(void **state)
{
	(void)state;
	struct diag diag = { 0 };
	const git_oid old = history("abc"), head = history("12"), next = history("123");
	point("refs/origin", &old); /* a file where the reference needs a directory */
	assert_int_equal(leave(&old, &head, &diag), E_IO);
	assert_non_null(strstr(diag.text, "what the branch has left behind: "));
	assert_int_equal(leave(&head, &next, &diag), OK); /* nothing to write */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_are_told_and_the_own_history_comes_first, repo_begin, repo_end),
		cmocka_unit_test_setup_teardown(what_a_rewritten_branch_leaves_is_written_down, repo_begin, repo_end),
		cmocka_unit_test_setup_teardown(what_is_left_cannot_be_written, repo_begin, repo_end),
	};
	return cmocka_run_group_tests(tests, lib_begin, lib_end);
}
