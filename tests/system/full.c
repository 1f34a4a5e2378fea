/* tests/system/full.c -- preloaded into a program: the disk with the directory FULL_BELOW is full while FULL_BELOW/full is there; FULL_ERRNO:
 * the number of what is wrong with it, when that is something else.
 *
 * For machines where nobody may mount a small one (disk.py).  Files can still be made and removed, only not be written.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static bool
is_full(int fd)
{
	const char *below = getenv("FULL_BELOW");
	char link[64], path[PATH_MAX], mark[PATH_MAX];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	if (below == NULL || n < (ssize_t)strlen(below) || memcmp(path, below, strlen(below)) != 0) {
		return false;
	}
	snprintf(mark, sizeof mark, "%s/full", below);
	return access(mark, F_OK) == 0;
}

static ssize_t
no_space(void)
{
	const char *number = getenv("FULL_ERRNO");
	errno = number != NULL ? atoi(number) : ENOSPC;
	return -1;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	return is_full(fd) ? no_space() : syscall(SYS_write, fd, bytes, n);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return is_full(fd) ? no_space() : syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite64(fd, bytes, n, at);
}
