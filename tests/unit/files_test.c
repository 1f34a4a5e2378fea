#include "ops/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OCTETS = 1 << 20 };

static void *
read_slowly(void *fd)
{
	static uint8_t octets[1000];
	size_t sum = 0;
	ssize_t n;
	while ((n = read(*(const int *)fd, octets, sizeof octets)) > 0) {
		sum += (size_t)n;
	}
	return (void *)(uintptr_t)sum;
}

/* A pipe holds less: more than one call of write(2) is needed if a reader takes a part now and then. */
static void
test_all_is_written(void **state)
{
	static const uint8_t octets[OCTETS];
	int fds[2];
	pthread_t reader;
	void *sum;
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_slowly, &fds[0]), 0);
	assert_int_equal(file_write(fds[1], octets, sizeof octets), OK);
	file_close(&fds[1]);
	assert_int_equal(pthread_join(reader, &sum), 0);
	assert_int_equal((uintptr_t)sum, OCTETS);
	file_close(&fds[0]);
	assert_int_equal(fds[0], -1);
	file_close(&fds[0]); /* does nothing */
}

static void
test_full_disk(void **state)
{
	[[gnu::cleanup(file_close)]] int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)state;
	assert_true(full >= 0);
	assert_int_equal(file_write(full, "x", 1), E_IO);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(file_write(full, "", 0), OK);
}

static unsigned
count(int at, const char *name)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(at, name);
	unsigned n = 0;
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		n += e->d_name[0] != '.';
	}
	return n;
}

static void
test_directory_is_listed_from_its_beginning(void **state)
{
	char path[] = "/tmp/files_test.XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(path));
	[[gnu::cleanup(file_close)]] int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	[[gnu::cleanup(file_close)]] int file = openat(dir, "a", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(count(dir, "."), 1);
	}
	assert_int_equal(count(AT_FDCWD, path), 1);
	assert_null(file_list(dir, "a"));
	assert_int_equal(errno, ENOTDIR);
	assert_null(file_list(dir, "b"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(unlinkat(dir, "a", 0), 0);
	assert_int_equal(rmdir(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_written),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_directory_is_listed_from_its_beginning),
	};
	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
