#include "bin/ocertify_files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "bin/cli.h"
#include "ops/files.h"

static err_t
complain(const char *what, const char *path)
{
	cli_error("cannot %s %s: %s", what, path, strerror(errno));
	return E_IO;
}

/* ---- reading ---- */

static err_t
read_all(int fd, const char *path, size_t max, struct text *out)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return complain("read", path);
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		cli_error("%s is %s", path, S_ISREG(st.st_mode) ? "too large" : "no regular file");
		return E_LIMIT;
	}
	size_t len = 0, size = (size_t)st.st_size;
	char *s = try_alloc(size + 1);
	ssize_t n = 1;
	while (s != NULL && len < size && (n = read(fd, s + len, size - len)) > 0) {
		len += (size_t)n;
	}
	*out = (struct text){ s, len };
	return s == NULL || n < 0 ? complain("read", path) : OK;
}

err_t
text_read(const char *path, size_t max, struct text *out)
{
	[[gnu::cleanup(file_close)]] int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct text t = { NULL, 0 };
	if (fd < 0) {
		return errno == ENOENT ? E_NOTFOUND : complain("read", path);
	}
	err_t err = read_all(fd, path, max, &t);
	if (err != OK) {
		text_free(&t);
		return err;
	}
	*out = t;
	return OK;
}

void
text_free(struct text *t)
{
	if (t->s != NULL) {
		wipe(t->s, t->len);
		free_ptr(&t->s);
	}
}

/* ---- writing ---- */

/* A name that is moved is so also after the power has failed. */
static err_t
sync_directory(const char *path)
{
	[[gnu::cleanup(free_ptr)]] char *copy = xstrdup(path);
	return file_sync_dir(AT_FDCWD, dirname(copy)) == OK ? OK : complain("write the directory of", path);
}

/* A service may have given its certificate to a group.  Who may not give files away keeps what can be kept. */
static void
copy_rights(int fd, const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0) {
		(void)!fchown(fd, st.st_uid, st.st_gid);
		(void)!fchmod(fd, st.st_mode & 0777);
	} else {
		mode_t mask = umask(0);
		(void)umask(mask);
		(void)!fchmod(fd, 0644 & ~mask);
	}
}

/* A link, unlike a rename, never replaces a file. */
static err_t
put(const char *aside, const char *path, enum text_place place)
{
	if (place == TEXT_NEW) {
		int failed = link(aside, path), why = errno;
		(void)unlink(aside);
		errno = why;
		return failed == 0 ? OK : why == EEXIST ? E_EXISTS : complain("make", path);
	}
	return rename(aside, path) == 0 ? OK : complain("replace", path);
}

static err_t
fill(int fd, const char *path, enum text_place place, const void *octets, size_t len)
{
	if (place == TEXT_PUBLIC) {
		copy_rights(fd, path);
	}
	return file_write(fd, octets, len) == OK && fsync(fd) == 0 ? OK : complain("write", path);
}

err_t
text_write(const char *path, enum text_place place, const void *octets, size_t len)
{
	struct str aside = { 0 };
	str_printf(&aside, "%s.XXXXXX", path);
	[[gnu::cleanup(free_ptr)]] char *name = aside.s;
	[[gnu::cleanup(file_close)]] int fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		return complain("make a file beside", path);
	}
	err_t err = fill(fd, path, place, octets, len);
	err = err == OK ? put(name, path, place) : err;
	if (err != OK) {
		(void)unlink(name);
		return err;
	}
	return sync_directory(path);
}

err_t
text_move(const char *from, const char *to)
{
	TRY(rename(from, to) == 0 ? OK : complain("replace", to));
	return sync_directory(to);
}
