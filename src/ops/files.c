#include "ops/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 8 };

void
file_close(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

err_t
file_write(int fd, const void *octets, size_t len)
{
	const char *at = octets;
	while (len > 0) {
		ssize_t did = write(fd, at, len);
		if (did < 0 && errno != EINTR) {
			return E_IO;
		}
		at += did > 0 ? did : 0;
		len -= did > 0 ? (size_t)did : 0;
	}
	return OK;
}

err_t
file_sync_dir(int at, const char *name)
{
	[[gnu::cleanup(file_close)]] int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? OK : E_IO;
}

/* Between open() and flock() the process that had the lock may have removed its file: then others will lock another one of that name. */
static err_t
lock_at(const char *path, int fd)
{
	struct stat ours, there;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? E_BUSY : E_IO;
	}
	if (fstat(fd, &ours) < 0) {
		return E_IO;
	}
	bool is_there = stat(path, &there) == 0 && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
	return is_there ? OK : E_STALE;
}

err_t
file_lock(const char *path, int *fd)
{
	err_t err;
	int tries = LOCK_TRIES;
	do {
		int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
		if (f < 0) {
			return E_IO;
		}
		err = lock_at(path, f);
		if (err == OK) {
			*fd = f;
			return OK;
		}
		int why = errno;
		close(f);
		errno = why;
	} while (err == E_STALE && --tries > 0);
	return err == E_STALE ? E_BUSY : err;
}

void
file_unlock(const char *path, int *fd)
{
	if (*fd >= 0) {
		(void)unlink(path); /* before the lock is given up: afterwards it may be another process's */
	}
	file_close(fd);
}

DIR *
file_list(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		file_close(&fd);
	}
	return d;
}

void
file_close_dir(DIR **d)
{
	if (*d != NULL) {
		closedir(*d);
	}
	*d = NULL;
}

void
files_keep(const int *keep, size_t n)
{
	int first = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++) {
		for (; first < keep[i]; first++) {
			close(first);
		}
		first = keep[i] + 1;
	}
	closefrom(first); /* works even where close_range() is forbidden, or else aborts */
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		close(null);
	}
}
