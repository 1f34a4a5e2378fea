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

/* ---- places ---- */

static err_t
follow_link(const char *given, char **out)
{
	*out = realpath(given, NULL);
	if (*out == NULL) {
		cli_error("the symbolic link %s leads nowhere: %s", given, strerror(errno));
		cli_hint("remove the link, or name another file; only a link to a file that is there is followed");
		return errno == ENOENT ? E_NOTFOUND : E_IO;
	}
	return OK;
}

err_t
text_locate(const char *given, char **out)
{
	struct stat st;
	char *place = NULL;
	if (lstat(given, &st) == 0 && S_ISLNK(st.st_mode)) {
		TRY(follow_link(given, &place));
	}
	place = place != NULL ? place : xstrdup(given);
	if (stat(place, &st) == 0 && !S_ISREG(st.st_mode)) {
		cli_error("%s is no regular file", place);
		free(place);
		return E_LIMIT;
	}
	*out = place;
	return OK;
}

/* ---- writing ---- */

err_t
text_sync(const char *path)
{
	[[gnu::cleanup(free_ptr)]] char *copy = xstrdup(path);
	return file_sync_dir(AT_FDCWD, dirname(copy)) == OK ? OK : complain("write the directory of", path);
}

/* Who may not give files away may still give them to a group that he is in. */
static bool
give(int fd, const struct stat *like)
{
	return fchown(fd, like->st_uid, like->st_gid) == 0 || fchown(fd, (uid_t)-1, like->st_gid) == 0;
}

/* A service may have given its files to a group.  Others have no right to a secret, nor has a group that nobody chose. */
static void
copy_rights(int fd, const char *path, enum text_place place)
{
	struct stat st;
	if (stat(path, &st) == 0) {
		mode_t of_secret = give(fd, &st) ? 0770 : 0700;
		(void)!fchmod(fd, st.st_mode & (place == TEXT_PUBLIC ? 0777 : of_secret));
	} else if (place == TEXT_PUBLIC) {
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
write_synced(int fd, const char *path, const void *octets, size_t len)
{
	return file_write(fd, octets, len) == OK && fsync(fd) == 0 ? OK : complain("write", path);
}

static err_t
write_aside(const char *path, enum text_place place, const char *like, const void *octets, size_t len, char **aside)
{
	struct str text = { 0 };
	str_printf(&text, "%s.XXXXXX", path);
	char *name = text.s;
	[[gnu::cleanup(file_close)]] int fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		free(name);
		return complain("make a file beside", path);
	}
	copy_rights(fd, like, place);
	err_t err = write_synced(fd, path, octets, len);
	if (err != OK) {
		(void)unlink(name);
		free(name);
		return err;
	}
	*aside = name;
	return OK;
}

err_t
text_write_like(const char *path, enum text_place place, const char *like, const void *octets, size_t len)
{
	[[gnu::cleanup(free_ptr)]] char *aside = NULL;
	TRY(write_aside(path, place, like, octets, len, &aside));
	err_t err = put(aside, path, place);
	if (err != OK) {
		(void)unlink(aside);
		return err;
	}
	return text_sync(path);
}

err_t
text_write(const char *path, enum text_place place, const void *octets, size_t len)
{
	return text_write_like(path, place, path, octets, len);
}

err_t
text_move(const char *from, const char *to)
{
	return rename(from, to) == 0 ? OK : complain("replace", to);
}

err_t
text_remove(const char *path)
{
	return unlink(path) == 0 || errno == ENOENT ? OK : complain("remove", path);
}
