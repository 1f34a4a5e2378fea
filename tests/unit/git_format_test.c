/* Formats of repositories, and what is said of them. */
#include "git/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "git/lib.h"

const char *__lsan_default_suppressions(void);

/* What libgit2 leaves behind when it looks for extensions. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

/* Makes a bare repository with that at the end of its configuration, tries to open it as src/git does, and explains why not. */
static bool
explain(const char *settings, struct diag *diag)
{
	char dir[] = "/tmp/origin-format-XXXXXX", path[64], command[64];
	git_repository *repo = NULL;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(git_repository_init(&repo, dir, 1), 0);
	git_free_repo(&repo);
	snprintf(path, sizeof path, "%s/config", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(settings, f);
	fclose(f);
	bool is_format = git_repository_open(&repo, dir) != 0 && git_format_explain(dir, "the remote", diag);
	git_free_repo(&repo);
	snprintf(command, sizeof command, "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	return is_format;
}

static void
what_libgit2_does_not_know_is_said(void **state)
{
	static const struct { const char *settings, *text, *hint; } cases[] = {
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n", "SHA-256", "fast-export" },
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n", "extensions.refStorage", "refs migrate" },
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n\tobjectFormat = sha256\n", "SHA-256", "fast-export" },
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n", "a partial clone", "full clone" },
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tinTheFuture = yes\n", "extensions.inthefuture", "--bare" },
		{ "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tinTheFuture\n", "extensions.inthefuture", "--bare" },
		{ "[core]\n\trepositoryformatversion = 7\n", "core.repositoryFormatVersion 7", "without options" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag diag = { 0 };
		assert_true(explain(cases[i].settings, &diag));
		assert_non_null(strstr(diag.text, "the remote"));
		assert_non_null(strstr(diag.text, cases[i].text));
		assert_non_null(strstr(diag.hint, cases[i].hint));
	}
}

/* Newer ones than 1.5 read it. */
static void
settings_of_work_trees_are_said_or_read(void **state)
{
	static const char settings[] = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tworktreeConfig = true\n";
	struct diag diag = { 0 };
	(void)state;
	bool is_format = explain(settings, &diag);
	assert_true(is_format || LIBGIT2_VER_MINOR > 5 || LIBGIT2_VER_MAJOR > 1);
	assert_true(!is_format || strstr(diag.text, "extensions.worktreeConfig") != NULL);
}

static void
other_trouble_is_left_alone(void **state)
{
	struct diag diag = { 0 };
	git_repository *repo = NULL;
	(void)state;
	assert_int_equal(git_repository_open(&repo, "/nonexistent/origin.git"), GIT_ENOTFOUND);
	assert_false(git_format_explain("/nonexistent/origin.git", "it", &diag));
	assert_false(explain("[core\n", &diag));
	assert_false(explain("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnoop = 1\n", &diag));
	assert_string_equal(diag.text, "");
}

static void
a_remote_is_known_by_words(void **state)
{
	struct diag diag = { 0 };
	(void)state;
	assert_true(git_format_explain_remote("error parsing REF pkt-line", "the remote", &diag));
	assert_non_null(strstr(diag.text, "SHA-256"));
	assert_false(git_format_explain_remote("failed to connect to 192.0.2.1: Connection refused", "the remote", &diag));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libgit2_does_not_know_is_said),
		cmocka_unit_test(settings_of_work_trees_are_said_or_read),
		cmocka_unit_test(other_trouble_is_left_alone),
		cmocka_unit_test(a_remote_is_known_by_words),
	};
	struct diag diag;
	if (git_lib_begin(&diag) != OK) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	git_lib_end();
	return failed;
}
