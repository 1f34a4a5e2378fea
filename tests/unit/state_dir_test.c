#include "ops/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];
static int dir;

static int
setup(void **state)
{
	const struct privs_who nobody_else = { .is_other = false };
	struct diag d;
	(void)state;
	(void)snprintf(path, sizeof path, "/tmp/state_dir_test.XXXXXX");
	assert_non_null(mkdtemp(path));
	assert_int_equal(state_dir_open(path, &nobody_else, &dir, &d), OK);
	return 0;
}

static void
remove_it(void *ctx, const char *name)
{
	(void)ctx;
	(void)unlinkat(dir, name, 0);
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(state_dir_each(dir, "", remove_it, NULL), OK);
	close(dir);
	return rmdir(path);
}

static void
put(const char *name, const char *text)
{
	int fd;
	assert_int_equal(state_file_begin(dir, name, &fd), OK);
	assert_int_equal(state_file_write(fd, (const uint8_t *)text, strlen(text)), OK);
	assert_int_equal(state_file_put(dir, name, fd), OK);
}

static err_t
append(const char *name, uint64_t at, const char *text)
{
	return state_file_append(dir, name, at, (const uint8_t *)text, strlen(text));
}

static void
assert_text(const char *name, const char *want)
{
	char got[100];
	int fd;
	assert_int_equal(state_file_open(dir, name, &fd), OK);
	ssize_t n = read(fd, got, sizeof got - 1);
	close(fd);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void
count(void *ctx, const char *name)
{
	assert_string_not_equal(name, "");
	++*(unsigned *)ctx;
}

static unsigned
files(const char *suffix)
{
	unsigned n = 0;
	assert_int_equal(state_dir_each(dir, suffix, count, &n), OK);
	return n;
}

static void
test_file_is_replaced_when_it_is_complete(void **state)
{
	int fd;
	(void)state;
	put("a.zone", "one");
	assert_int_equal(state_file_begin(dir, "a.zone", &fd), OK);
	assert_int_equal(state_file_write(fd, (const uint8_t *)"tw", 2), OK);
	assert_text("a.zone", "one");
	state_file_drop(dir, "a.zone", fd);
	assert_text("a.zone", "one");
	put("a.zone", "two");
	assert_text("a.zone", "two");
	assert_int_equal(faccessat(dir, "a.zone.new", F_OK, 0), -1);
}

static void
test_append_cuts_what_was_behind(void **state)
{
	(void)state;
	put("a.zone", "one, and more");
	assert_int_equal(append("a.zone", 3, "two"), OK);
	assert_text("a.zone", "onetwo");
	assert_int_equal(append("a.zone", 6, ""), OK);
	assert_int_equal(append("a.zone", 7, "x"), E_STALE);
	assert_int_equal(append("b.zone", 0, "x"), E_STALE);
	assert_text("a.zone", "onetwo");
}

static void
test_what_was_never_completed_is_removed(void **state)
{
	int fd;
	(void)state;
	put("a.zone", "");
	assert_int_equal(state_file_begin(dir, "b.zone", &fd), OK);
	close(fd);
	assert_int_equal(faccessat(dir, "b.zone.new", F_OK, 0), 0);
	assert_int_equal(files(".zone"), 1);
	assert_int_equal(faccessat(dir, "b.zone.new", F_OK, 0), -1);
}

static void
test_files_of_others_are_left_alone(void **state)
{
	static const char *const names[] = { "notes.new", ".new", ".zone.new", "zone.new", "a.zone.newer" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put(names[i], "theirs");
	}
	assert_int_equal(files(".zone"), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_text(names[i], "theirs");
	}
}

static void
test_what_is_aside_already_is_not_written_to(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(dir, "a.zone.new", 0600), 0); /* a pipe that nobody reads: to open it would take for ever */
	put("a.zone", "one");
	put("b", "keep this");
	assert_int_equal(linkat(dir, "b", dir, "a.zone.new", 0), 0);
	put("a.zone", "two");
	assert_text("a.zone", "two");
	assert_text("b", "keep this");
}

static void
test_files_are_set_aside(void **state)
{
	unsigned n;
	(void)state;
	assert_int_equal(state_dir_damaged(dir, &n), OK);
	assert_int_equal(n, 0);
	put("0.zone", "x");
	assert_int_equal(state_file_set_aside(dir, "0.zone"), OK);
	put("0.zone", "again");
	assert_int_equal(state_file_set_aside(dir, "0.zone"), OK);
	assert_int_equal(state_file_set_aside(dir, "0.zone"), E_IO);
	assert_int_equal(state_dir_damaged(dir, &n), OK);
	assert_int_equal(n, 1);
	assert_text("0.zone.damaged", "again");
}

static void
test_only_files_are_opened(void **state)
{
	int fd;
	(void)state;
	assert_int_equal(mkdirat(dir, "a.zone", 0700), 0);
	assert_int_equal(state_file_open(dir, "a.zone", &fd), E_NOTFOUND);
	assert_int_equal(append("a.zone", 0, "x"), E_STALE);
	assert_int_equal(unlinkat(dir, "a.zone", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(dir, "a.zone", 0600), 0);
	assert_int_equal(state_file_open(dir, "a.zone", &fd), E_NOTFOUND);
	assert_int_equal(append("a.zone", 0, "x"), E_STALE);
	assert_int_equal(state_file_remove(dir, "a.zone"), OK);
	assert_int_equal(symlinkat("/etc/passwd", dir, "a.zone"), 0);
	assert_int_equal(state_file_open(dir, "a.zone", &fd), E_NOTFOUND);
	assert_int_equal(append("a.zone", 0, "x"), E_STALE);
	assert_int_equal(state_file_remove(dir, "a.zone"), OK);
	assert_int_equal(state_file_remove(dir, "a.zone"), OK);
}

static void
test_one_has_it(void **state)
{
	const struct privs_who nobody_else = { .is_other = false };
	struct diag d;
	int second;
	(void)state;
	assert_int_equal(state_dir_open(path, &nobody_else, &second, &d), E_BUSY);
	assert_non_null(strstr(d.text, path));
	assert_int_equal(state_dir_open("/proc/self/nothing", &nobody_else, &second, &d), E_IO);
	assert_string_not_equal(d.hint, "");
	assert_int_equal(state_dir_open("/dev/null", &nobody_else, &second, &d), E_IO);
}

static void
test_full_disk_leaves_the_file(void **state)
{
	(void)state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(full >= 0);
	assert_int_equal(state_file_write(full, (const uint8_t *)"x", 1), E_IO);
	assert_int_equal(errno, ENOSPC);
	close(full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_is_replaced_when_it_is_complete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_append_cuts_what_was_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_never_completed_is_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_of_others_are_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_aside_already_is_not_written_to, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_are_set_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_files_are_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_has_it, setup, teardown),
		cmocka_unit_test(test_full_disk_leaves_the_file),
	};
	return cmocka_run_group_tests_name("state_dir", tests, NULL, NULL);
}
