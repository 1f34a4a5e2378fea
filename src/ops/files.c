#include "ops/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
