#include "ops/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
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

/* flock() holds between descriptors, so one process can be two. */
static void
test_one_has_the_lock(void **state)
{
	char dir[] = "/tmp/files_test.XXXXXX", path[64], other[64];
	[[gnu::cleanup(file_close)]] int first = -1, second = -1, gone = -1;
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/lock", dir);
	(void)snprintf(other, sizeof other, "%s/none/lock", dir);
	assert_int_equal(file_lock(path, &first), OK);
	assert_int_equal(file_lock(path, &second), E_BUSY);
	assert_int_equal(second, -1);
	file_unlock(path, &first);
	assert_int_equal(first, -1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(file_lock(path, &second), OK);
	file_unlock(path, &gone); /* does nothing */
	assert_int_equal(access(path, F_OK), 0);
	file_close(&second); /* as of a process that was killed: the file stays, and does not matter */
	assert_int_equal(file_lock(path, &first), OK);
	file_unlock(path, &first);
	assert_int_equal(file_lock(other, &first), E_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(file_lock(path, &first), E_IO); /* not where somebody's link leads */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

enum { RACERS = 4, RACES = 300 };

struct race {
	const char *path;
	atomic_int holders, wins;
};

static void *
race(void *ctx)
{
	struct race *r = ctx;
	int fd = -1;
	for (int i = 0; i < RACES; i++) {
		if (file_lock(r->path, &fd) == OK) {
			assert_int_equal(atomic_fetch_add(&r->holders, 1), 0);
			atomic_fetch_add(&r->wins, 1);
			sched_yield();
			atomic_fetch_sub(&r->holders, 1);
			file_unlock(r->path, &fd);
		}
	}
	return NULL;
}

/* The file goes with each unlock: nobody may come to hold the lock of a file that is not there any more. */
static void
test_the_lock_is_of_the_file_that_is_there(void **state)
{
	char dir[] = "/tmp/files_test.XXXXXX", path[64];
	pthread_t threads[RACERS];
	struct race r = { .path = path };
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/lock", dir);
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_true(r.wins > 0);
	assert_int_equal(rmdir(dir), 0);
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
		cmocka_unit_test(test_one_has_the_lock),
		cmocka_unit_test(test_the_lock_is_of_the_file_that_is_there),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_directory_is_listed_from_its_beginning),
	};
	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
