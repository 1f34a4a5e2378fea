#include "git/files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What git-config(1) says of core.sharedRepository. */
static void
how_it_is_shared(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ NULL, 0 }, { "", 0 }, { "umask", 0 }, { "false", 0 }, { "0", 0 }, { "group", 0660 }, { "true", 0660 }, { "1", 0660 },
		{ "Group", 0660 }, { "all", 0664 }, { "world", 0664 }, { "everybody", 0664 }, { "2", 0664 }, { "0660", -0660 }, { "0640", -0640 },
		{ "0664", -0664 }, { "0777", -0666 }, { "0440", 0 }, { "0060", 0 }, { "nonsense", 0 }, { "0680", 0 }, { "-1", 0 }, { "99999999", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(file_shared(cases[i].text), cases[i].want);
	}
}

static void
modes(void **state)
{
	(void)state;
	static const struct {
		int shared;
		mode_t mode, want;
	} cases[] = {
		{ 0, 0600, 0600 }, { 0660, 0600, 0660 }, { 0660, 0644, 0664 }, { 0660, 0400, 0440 }, { 0660, 0444, 0444 },
		{ 0660, 0700, 0770 }, { 0664, 0600, 0664 }, { 0664, 0400, 0444 }, { 0664, 0700, 0775 }, { -0640, 0666, 0640 },
		{ -0640, 0444, 0440 }, { -0660, 0755, 0770 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(file_shared_mode(cases[i].shared, cases[i].mode), cases[i].want);
	}
}

static void
what_is_said_of_trouble(void **state)
{
	(void)state;
	static const struct {
		int why;
		err_t want;
		const char *hint;
	} cases[] = {
		{ ENOSPC, E_IO, "make room" }, { EDQUOT, E_IO, "make room" }, { EACCES, E_REFUSED, "able to write" },
		{ EROFS, E_REFUSED, "for writing" }, { EIO, E_IO, "disk fails" }, { ESTALE, E_IO, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diag d = { 0 };
		errno = cases[i].why;
		assert_int_equal(file_trouble(&d, "write", "/srv/zones.git/x"), cases[i].want);
		assert_non_null(strstr(d.text, "cannot write /srv/zones.git/x: "));
		assert_non_null(strstr(d.hint, cases[i].hint));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_it_is_shared),
		cmocka_unit_test(modes),
		cmocka_unit_test(what_is_said_of_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
