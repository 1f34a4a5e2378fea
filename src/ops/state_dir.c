#include "ops/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/files.h"
#include "ops/shortage.h"

static const char ASIDE[] = ".new", DAMAGED[] = ".damaged";

/* ---- the directory ---- */

static err_t
cannot(struct diag *diag, const char *what, const char *path, int why, const char *otherwise)
{
	const struct shortage *shortage = shortage_of_errno(why);
	diag_set(diag, DIAG_ERROR, "state", "cannot %s the state directory %.300s: %s", what, path, strerror(why));
	diag_hint(diag, "%s", shortage != NULL ? shortage->hint : otherwise);
	return E_IO;
}

/* A directory that root has just made is of no use to the user whom the process becomes. */
static err_t
give(int fd, const char *path, const struct privs_who *user, struct diag *diag)
{
	if (user->is_other && fchown(fd, user->uid, user->gid) < 0) {
		return cannot(diag, "give away", path, errno, "make it yourself, for the user that the program runs as");
	}
	return OK;
}

static err_t
lock(int fd, const char *path, struct diag *diag)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		return OK;
	}
	if (errno != EWOULDBLOCK) {
		return cannot(diag, "lock", path, errno, "use a file system that has locks");
	}
	diag_set(diag, DIAG_ERROR, "state", "the state directory %.300s is in use by another process", path);
	diag_hint(diag, "give each one a --state-dir of its own");
	return E_BUSY;
}

err_t
state_dir_open(const char *path, const struct privs_who *user, int *dir, struct diag *diag)
{
	bool is_made = mkdir(path, 0700) == 0;
	if (!is_made && errno != EEXIST) {
		return cannot(diag, "make", path, errno, "the directory above it must be there, and writable for us");
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (is_made ? O_NOFOLLOW : 0));
	if (fd < 0) {
		return cannot(diag, "open", path, errno, "it must be a directory of the user that the program runs as");
	}
	err_t err = is_made ? give(fd, path, user, diag) : OK;
	err = err == OK ? lock(fd, path, diag) : err;
	if (err != OK) {
		close(fd);
		return err;
	}
	*dir = fd;
	return OK;
}

err_t
state_dir_sync(int dir)
{
	return fsync(dir) == 0 ? OK : E_IO;
}

/* Does the part of the name before `len` end in the suffix, with something before it? */
static bool
ends_in(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);
	return len > n && memcmp(name + len - n, suffix, n) == 0;
}

/* Written aside for a file that ends in the suffix: whatever else is called so is another program's. */
static bool
is_aside(const char *name, size_t len, const char *suffix)
{
	return ends_in(name, len, ASIDE) && ends_in(name, len - strlen(ASIDE), suffix);
}

err_t
state_dir_each(int dir, const char *suffix, void (*each)(void *ctx, const char *name), void *ctx)
{
	const struct dirent *e;
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, ".");
	if (d == NULL) {
		return E_IO;
	}
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);
		if (is_aside(e->d_name, len, suffix)) {
			(void)unlinkat(dir, e->d_name, 0);
		} else if (ends_in(e->d_name, len, suffix)) {
			each(ctx, e->d_name);
		}
	}
	return OK;
}

/* ---- files ---- */

static err_t
name_with(const char *name, const char *suffix, char out[NAME_MAX + 1])
{
	bool fits = (size_t)snprintf(out, NAME_MAX + 1, "%s%s", name, suffix) <= NAME_MAX;
	errno = ENAMETOOLONG;
	return fits ? OK : E_IO;
}

/* A link, a pipe, a directory: by the errors of open(2). */
static bool
is_no_regular_file(int why)
{
	return why == ELOOP || why == ENXIO || why == EISDIR;
}

err_t
state_file_open(int dir, const char *name, int *out)
{
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		return errno == ENOENT || is_no_regular_file(errno) ? E_NOTFOUND : E_IO;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return E_NOTFOUND;
	}
	*out = fd;
	return OK;
}

err_t
state_file_begin(int dir, const char *name, int *fd)
{
	char aside[NAME_MAX + 1];
	TRY(name_with(name, ASIDE, aside));
	if (unlinkat(dir, aside, 0) < 0 && errno != ENOENT) {
		return E_IO;
	}
	/* a file of our own making: not a pipe that nobody reads, and not one that has another name, too */
	*fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd >= 0 ? OK : E_IO;
}

err_t
state_file_write(int fd, const uint8_t *octets, size_t n)
{
	return file_write(fd, octets, n);
}

void
state_file_drop(int dir, const char *name, int fd)
{
	char aside[NAME_MAX + 1];
	int why = errno;
	close(fd);
	if (name_with(name, ASIDE, aside) == OK) {
		(void)unlinkat(dir, aside, 0);
	}
	errno = why;
}

err_t
state_file_put(int dir, const char *name, int fd)
{
	char aside[NAME_MAX + 1];
	err_t err = name_with(name, ASIDE, aside);
	if (err != OK || fsync(fd) < 0 || renameat(dir, aside, dir, name) < 0) {
		state_file_drop(dir, name, fd);
		return E_IO;
	}
	close(fd);
	return OK;
}

static err_t
write_at(int fd, uint64_t at, const uint8_t *octets, size_t n)
{
	return lseek(fd, (off_t)at, SEEK_SET) >= 0 ? file_write(fd, octets, n) : E_IO;
}

/* The octets behind the end go first: else a part of them could stay behind what is written now. */
static err_t
append(int fd, uint64_t at, const uint8_t *octets, size_t n)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return E_IO;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < at) {
		return E_STALE;
	}
	if ((uint64_t)st.st_size > at && ftruncate(fd, (off_t)at) < 0) {
		return E_IO;
	}
	err_t err = write_at(fd, at, octets, n);
	if (err != OK) {
		int why = errno;
		(void)!ftruncate(fd, (off_t)at);
		errno = why;
	}
	return err;
}

err_t
state_file_append(int dir, const char *name, uint64_t at, const uint8_t *octets, size_t n)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		return errno == ENOENT || is_no_regular_file(errno) ? E_STALE : E_IO;
	}
	err_t err = append(fd, at, octets, n);
	int why = errno;
	close(fd);
	errno = why;
	return err;
}

err_t
state_file_remove(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? OK : E_IO;
}

static void
count(void *ctx, const char *name)
{
	(void)name;
	++*(unsigned *)ctx;
}

err_t
state_dir_damaged(int dir, unsigned *n)
{
	*n = 0;
	return state_dir_each(dir, DAMAGED, count, n);
}

err_t
state_file_set_aside(int dir, const char *name)
{
	char damaged[NAME_MAX + 1];
	TRY(name_with(name, DAMAGED, damaged));
	return renameat(dir, name, dir, damaged) == 0 ? OK : E_IO;
}
