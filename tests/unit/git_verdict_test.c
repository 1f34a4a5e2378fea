#include "git/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
statuses(void **state)
{
	(void)state;
	static const struct {
		const char *status, *words;
		err_t want;
	} cases[] = {
		{ "pre-receive hook declined", "no pushes on Fridays", E_REFUSED },
		{ "hook declined", "", E_REFUSED },
		{ "pre-receive hook declined", "cannot lock ref, says the hook; No space left", E_REFUSED },
		{ "protected branch hook declined", "error: GH006: Protected branch update failed for refs/heads/main.", E_REFUSED },
		{ "deny updating a hidden ref", "", E_REFUSED },
		{ "branch is currently checked out", "", E_REFUSED },
		{ "prohibited by Gerrit: not permitted", "", E_REFUSED },
		{ "push declined due to repository rule violations", "", E_REFUSED },
		{ "whatever this may mean", "", E_REFUSED },
		{ "fetch first", "", E_STALE },
		{ "non-fast-forward", "", E_STALE },
		{ "stale info", "", E_STALE },
		{ "failed to update ref", "error: cannot lock ref 'refs/heads/main': is at 1 but expected 2", E_STALE },
		{ "failed to update ref", "error: cannot lock ref 'refs/heads/main': Unable to create 'main.lock': File exists.", E_STALE },
		{ "cannot lock ref 'refs/heads/main': is at 1 but expected 2", "", E_STALE },
		{ "failed to lock", "", E_STALE },
		{ "reference already exists", "", E_STALE },
		{ "incorrect old value provided", "", E_STALE },
		{ "failed to update ref", "cannot lock ref: Unable to create 'main.lock': Permission denied", E_REFUSED },
		{ "failed to update ref", "error: couldn't set 'refs/heads/main': Read-only file system", E_REFUSED },
		{ "failed to update ref", "error: unable to write: No space left on device", E_IO },
		{ "unpacker error", "error: insufficient permission for adding an object to repository database objects", E_REFUSED },
		{ "unpacker error", "fatal: write error: No space left on device", E_IO },
		{ "unpacker error", "fatal: early EOF", E_IO },
		{ "unpacking the sent packfile failed on the remote", "", E_IO },
		{ "bad pack", "error: unpack should have generated eac1b1, but I can't find it!", E_IO },
		{ "unable to migrate objects to permanent storage", "", E_IO },
		{ "missing necessary objects", "", E_IO },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(git_verdict(cases[i].status, cases[i].words), cases[i].want);
	}
}

static void
porcelain(void **state)
{
	(void)state;
	static const char ref[] = "refs/heads/main";
	static const struct {
		const char *printed;
		err_t err;
		const char *status;
	} cases[] = {
		{ "To /srv/zones.git/\n \t123:refs/heads/main\tabc..def\nDone\n", OK, "" },
		{ "To /srv\n*\t123:refs/heads/main\t[new branch]\nDone\n", OK, "" },
		{ "To /srv\n=\t123:refs/heads/main\t[up to date]\nDone\n", OK, "" },
		{ "To /srv\n!\t123:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n", OK, "pre-receive hook declined" },
		{ "To /srv\n!\t123:refs/heads/main\t[rejected] (stale info)\nDone\n", OK, "stale info" },
		{ "!\t123:refs/heads/main\t[remote rejected] (not (yet) allowed)", OK, "not (yet) allowed" },
		{ "!\t123:refs/heads/main\t[remote rejected]", OK, "[remote rejected]" },
		{ "!\t123:refs/heads/main\t[remote failure] (remote failed to report status)\n", E_UNKNOWN, "remote failed to report status" },
		{ "", E_NOTFOUND, "" },
		{ "To /srv\nDone\n", E_NOTFOUND, "" },
		{ "!\t123:refs/heads/other\t[rejected] (stale info)\n \t123:refs/heads/main\tabc..def\n", OK, "" },
		{ "!\t123:refs/heads/mainly\t[rejected] (stale info)\n", E_NOTFOUND, "" },
		{ "! 123:refs/heads/main [rejected] (stale info)\n\t\t\n!\t\t\n!\t:\n", E_NOTFOUND, "" },
		{ "!\t1:refs/heads/main\t\n", OK, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str status = { 0 };
		assert_int_equal(git_porcelain(cases[i].printed, ref, &status), cases[i].err);
		assert_string_equal(str_text(&status), cases[i].status);
		str_fini(&status);
	}
}

static void
words_as_one_line(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		size_t max;
		const char *want;
	} cases[] = {
		{ "", 100, "" },
		{ "one\n", 100, "one" },
		{ "remote: one  \r\nremote: two\n\n\n", 100, "one; two" },
		{ "To /srv\nremote: says Jo        \nerror: failed to push some refs to '/srv'\n", 100, "says Jo" },
		{ "remote: To be or\n", 100, "To be or" },
		{ "error: failed to push some refs to '/srv'\n", 100, "error: failed to push some refs to '/srv'" },
		{ "re\x1B[31md\ttab\x7F", 100, "re [31md tab" },
		{ "remote: \nremote: x", 100, "x" },
		{ "0123456789", 4, "0123" },
		{ "01\n23\n45", 6, "01; 23" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str out = { 0 };
		git_words_line(cases[i].words, cases[i].max, &out);
		assert_string_equal(str_text(&out), cases[i].want);
		str_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(porcelain),
		cmocka_unit_test(words_as_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
