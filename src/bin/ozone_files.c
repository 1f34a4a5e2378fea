/* Sides that are files: one file, standard input, a directory that is a checkout of the repository. */
#include "bin/ozone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/filename.h"
#include "bin/cli.h"
#include "dns/secret.h"
#include "ops/files.h"

/* ---- texts ---- */

/* A text that is not empty is a mapping, of the file or, for a pipe, an anonymous one.  munmap() frees both. */
static void
close_text(void *ctx, struct master_text *text)
{
	(void)ctx;
	if (text->handle != NULL) {
		(void)munmap(text->handle, text->len);
	}
	*text = (struct master_text){ 0 };
}

static err_t
fail_errno(struct diag *why, const char *path)
{
	int e = errno;
	diag_set(why, DIAG_ERROR, "unreadable", "%.300s: %s", path, strerror(e));
	return e == ENOENT || e == ENOTDIR ? E_NOTFOUND : E_IO;
}

static err_t
fail_too_large(struct diag *why, const char *path)
{
	diag_set(why, DIAG_ERROR, "file-too-large", "%.300s is larger than %zu MiB", path, OZONE_FILE_MAX >> 20);
	return E_LIMIT;
}

static err_t
map_file(int fd, size_t len, const char *path, struct master_text *out, struct diag *why)
{
	if (len == 0) {
		*out = (struct master_text){ .text = "" };
		return OK;
	}
	void *at = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED) {
		return fail_errno(why, path);
	}
	(void)madvise(at, len, MADV_SEQUENTIAL);
	*out = (struct master_text){ .text = at, .len = len, .handle = at };
	return OK;
}

/* Reads a pipe or a terminal until its end. */
static err_t
read_stream(int fd, const char *path, struct master_text *out, struct diag *why)
{
	size_t cap = 1 << 16, len = 0;
	char *bytes = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	err_t err = bytes == MAP_FAILED ? E_NOMEM : OK;
	for (ssize_t got = 1; err == OK && got != 0;) {
		got = read(fd, bytes + len, cap - len);
		if (got < 0 && errno != EINTR) {
			err = fail_errno(why, path);
		}
		len += got > 0 ? (size_t)got : 0;
		if (len == cap && err == OK) {
			void *more = cap < OZONE_FILE_MAX ? mremap(bytes, cap, cap * 2, MREMAP_MAYMOVE) : MAP_FAILED;
			err = more != MAP_FAILED ? OK : cap < OZONE_FILE_MAX ? E_NOMEM : fail_too_large(why, path);
			bytes = more != MAP_FAILED ? more : bytes;
			cap *= more != MAP_FAILED ? 2 : 1;
		}
	}
	if (err != OK || len == 0) {
		if (bytes != MAP_FAILED) {
			(void)munmap(bytes, cap);
		}
		*out = (struct master_text){ .text = "" };
		return err;
	}
	bytes = mremap(bytes, cap, len, 0); /* close_text() knows only `len` */
	*out = (struct master_text){ .text = bytes, .len = len, .handle = bytes };
	return OK;
}

static err_t
open_text(int fd, const char *path, bool may_stream, struct master_text *out, struct diag *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		return fail_errno(why, path);
	}
	if (S_ISREG(st.st_mode)) {
		return (uintmax_t)st.st_size > OZONE_FILE_MAX ? fail_too_large(why, path)
		                                   : map_file(fd, (size_t)st.st_size, path, out, why);
	}
	if (S_ISDIR(st.st_mode) || !may_stream) {
		diag_set(why, DIAG_ERROR, "not-a-file", "%.300s is %s", path,
		         S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		return E_REFUSED;
	}
	return read_stream(fd, path, out, why);
}

/* ---- directories ---- */

struct dir_side {
	int fd;
	const char *main;      /* name of the file that was given on the command line, or NULL */
	const char *main_path; /* its path as given there, by which it is opened; "-": standard input */
};

/* `path` is plain (no "..", not absolute), as master_include_path() makes it.  Symbolic links are not followed: the server, which reads
 * the same tree from git, does not follow them either. */
static int
open_beneath(int dir, const char *path)
{
	[[gnu::cleanup(file_close)]] int at = -1;
	for (;;) {
		const char *slash = strchr(path, '/');
		char part[NAME_MAX + 1];
		size_t len = slash != NULL ? (size_t)(slash - path) : strlen(path);
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, len);
		part[len] = '\0';
		int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | (slash != NULL ? O_DIRECTORY : 0);
		int next = openat(at >= 0 ? at : dir, part, flags);
		if (next < 0 || slash == NULL) {
			return next;
		}
		file_close(&at);
		at = next;
		path = slash + 1;
	}
}

static err_t
open_in_dir(void *ctx, const char *path, struct master_text *out, struct diag *why)
{
	const struct dir_side *s = ctx;
	bool is_main = s->main != NULL && strcmp(path, s->main) == 0;
	if (is_main && strcmp(s->main_path, "-") == 0) {
		return read_stream(STDIN_FILENO, "standard input", out, why);
	}
	[[gnu::cleanup(file_close)]] int fd =
		is_main ? open(s->main_path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : open_beneath(s->fd, path);
	if (fd < 0 && errno == ELOOP) {
		diag_set(why, DIAG_ERROR, "not-a-file", "%.300s is a symbolic link, and is not followed", path);
		return E_REFUSED;
	}
	if (fd < 0) {
		return fail_errno(why, path);
	}
	return open_text(fd, path, is_main, out, why);
}

static struct side
side_over(struct dir_side *s)
{
	return (struct side){ .ctx = s, .open = open_in_dir, .close = close_text, .includes = xalloc(sizeof(struct includes)) };
}

bool
ozone_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- one file ---- */

/* A file that was given on the command line: its directory, from which $INCLUDE may read, and its name there. */
struct named {
	struct dir_side dir;
	struct side side;
	char *prefix;     /* owned: "" or with a "/" at its end */
	const char *name;
};

static void
named_fini(struct named *n)
{
	ozone_side_fini(&n->side);
	file_close(&n->dir.fd);
	free(n->prefix);
}

static err_t
named_open(const char *path, struct named *n)
{
	const char *slash = strrchr(path, '/');
	n->dir.fd = -1;
	n->name = slash != NULL ? slash + 1 : path;
	n->prefix = xstrndup(path, (size_t)(n->name - path));
	n->dir.main = n->name;
	n->dir.main_path = path;
	n->side = side_over(&n->dir);
	n->dir.fd = open(n->prefix[0] != '\0' ? n->prefix : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->dir.fd < 0) {
		cli_error("%s: %s", path, strerror(errno));
		return E_IO;
	}
	return OK;
}

/* True for "/dev/null" and empty files, which stand for "no file": git gives them in place of the old version of a new file. */
static bool
is_no_file(const char *path)
{
	struct stat st;
	return strcmp(path, "/dev/null") == 0 || (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
}

/* True when `name`, or the file to which a link `path` leads, is the name of a file of keys or secondaries.  Such a file is never a
 * zone's, whatever --zone-name says. */
static bool
is_private_file(const char *path, const char *name)
{
	[[gnu::cleanup(free_ptr)]] char *real = realpath(path, NULL);
	const char *slash = real != NULL ? strrchr(real, '/') : NULL;
	return filename_is_private(name, strlen(name)) || (slash != NULL && filename_is_private(slash + 1, strlen(slash + 1)));
}

static err_t
refuse_private(const char *what)
{
	struct diag d;
	source_say_bad("_SECONDARIES", &d); /* the same text as for another spelling of such a name */
	cli_error("%s: %s", what, d.text);
	cli_hint("%s", d.hint);
	return E_UNSUPPORTED;
}

/* Reports show names of files unmasked.  So an argument that looks like a key, and is not the name of a file, is refused, and only its
 * masked form is shown. */
static err_t
refuse_key(const char *path)
{
	[[gnu::cleanup(str_fini)]] struct str masked = { 0 };
	secret_mask(path, &masked);
	if (strcmp(str_text(&masked), path) == 0 || access(path, F_OK) == 0) {
		return OK;
	}
	cli_error("%s: %s", path, strerror(errno));
	return E_IO;
}

/* A file that is given on the command line is checked as a zone, even if its name is README. */
static err_t
name_job(struct job *job, const char *file, const char *zone_name)
{
	const char *name = zone_name != NULL ? zone_name : file;
	size_t len, of_file;
	enum source_kind kind = source_kind_by_end(name, &len);
	job->kind = source_is_keys_name(file) || kind == SOURCE_ZONE ? source_kind_by_end(file, &of_file) : kind;
	if ((kind != SOURCE_ZONE && len == 0) || (len == 1 && name[0] == '@')) {
		name_set(&job->apex, name_root);
		return OK;
	}
	bool is_read = zone_name != NULL ? name_parse(name, len, NULL, &job->apex) == OK : source_read_name(name, len, &job->apex);
	if (strcmp(name, "-") == 0 || !is_read) {
		cli_error("%s: %s", file, zone_name != NULL ? "--zone-name is no domain name" : "which zone is this?");
		struct diag d;
		source_say_bad(name, &d);
		cli_hint("the file's name is taken for the zone's; --zone-name=NAME says otherwise%s%s", zone_name == NULL ? "; " : "",
		         zone_name == NULL ? d.hint : "");
		return E_UNSUPPORTED;
	}
	char spelled[NAME_TEXT_MAX];
	source_file_name(job->apex.oct, spelled);
	return filename_is_private(spelled, strlen(spelled)) ? refuse_private(name) : OK;
}

err_t
ozone_file(struct ozone *oz, const char *path, const char *old, const char *zone_name)
{
	[[gnu::cleanup(named_fini)]] struct named now = { .dir.fd = -1 };
	[[gnu::cleanup(named_fini)]] struct named was = { .dir.fd = -1 };
	struct job job = { .is_compared = old != NULL };
	TRY(refuse_key(path));
	TRY(named_open(path, &now));
	TRY(name_job(&job, now.name, zone_name));
	if (job.kind == SOURCE_ZONE && is_private_file(path, now.name)) {
		return refuse_private(path);
	}
	job.path = job.old_path = now.name;
	if (old == NULL || strcmp(path, "/dev/null") != 0) {
		job.new = &now.side;
	}
	if (old != NULL && !is_no_file(old)) {
		TRY(named_open(old, &was));
		job.old = &was.side;
		job.old_path = was.name;
		if (access(old, R_OK) != 0) {
			cli_error("%s: %s", old, strerror(errno));
			return E_IO;
		}
	}
	report_begin(oz->report, now.prefix);
	report_progress(oz->report, now.name, 1, 1);
	return ozone_job(oz, &job);
}

/* ---- a directory ---- */

struct listing {
	char **names; /* owned; sorted */
	size_t n, cap;
};

static void
listing_fini(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->names[i]);
	}
	free(l->names);
}

static int
compare_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* Directories are left out: they hold what $INCLUDE reads, and git's own files. */
static bool
is_listed(int dir, const struct dirent *e)
{
	struct stat st;
	return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode);
}

static err_t
listing_read(int dir, struct listing *l)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, ".");
	if (d == NULL) {
		return E_IO;
	}
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		if (!is_listed(dir, e)) {
			continue;
		}
		if (l->n == l->cap) {
			l->cap = l->cap != 0 ? l->cap * 2 : 64;
			l->names = xrealloc(l->names, l->cap * sizeof *l->names);
		}
		l->names[l->n++] = xstrdup(e->d_name);
	}
	if (l->n != 0) {
		qsort(l->names, l->n, sizeof *l->names, compare_text);
	}
	return OK;
}

struct dir {
	struct dir_side dir;
	struct side side;
	struct listing files;
};

static void
dir_fini(struct dir *d)
{
	ozone_side_fini(&d->side);
	file_close(&d->dir.fd);
	listing_fini(&d->files);
}

static err_t
dir_open(const char *path, struct dir *d)
{
	d->side = side_over(&d->dir);
	d->dir.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir.fd < 0 || listing_read(d->dir.fd, &d->files) != OK) {
		cli_error("%s: %s", path, strerror(errno));
		return E_IO;
	}
	return OK;
}

static char *
prefix_of(const char *path)
{
	struct str s = { 0 };
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	if (len != 1 || path[0] != '.') {
		str_put(&s, path, len);
		str_cat(&s, path[len - 1] == '/' ? "" : "/");
	}
	char *prefix = xstrdup(str_text(&s));
	str_fini(&s);
	return prefix;
}

/* Reports bad names of new files.  `was`: the files of the old version; NULL: all files are new. */
static void
check_paths(struct ozone *oz, const struct listing *now, const struct listing *was)
{
	struct ozone_paths *paths = ozone_paths_new();
	for (size_t i = 0; i < now->n; i++) {
		const char *name = now->names[i];
		bool is_old = was != NULL && was->n != 0 && bsearch(&name, was->names, was->n, sizeof(char *), compare_text) != NULL;
		ozone_paths_add(paths, name, !is_old);
	}
	ozone_paths_report(&paths, oz);
}

/* Checks the files of both directories in the order of their names, as in a merge. */
static err_t
check_dirs(struct ozone *oz, struct dir *now, struct dir *was, bool is_compared)
{
	struct ozone_names *names = ozone_names_new(), *old_names = ozone_names_new();
	size_t i = 0, k = 0, done = 0;
	err_t err = OK;
	while (err == OK && (i < now->files.n || k < was->files.n)) {
		const char *a = i < now->files.n ? now->files.names[i] : NULL;
		const char *b = k < was->files.n ? was->files.names[k] : NULL;
		int order = a == NULL ? 1 : b == NULL ? -1 : strcmp(a, b);
		struct job job = { .is_compared = is_compared };
		job.path = job.old_path = order <= 0 ? a : b;
		job.new = order <= 0 && !source_is_ignored(now->side.ignore, a) ? &now->side : NULL;
		job.old = order >= 0 && !source_is_ignored(was->side.ignore, b) ? &was->side : NULL;
		i += order <= 0;
		k += order >= 0;
		report_progress(oz->report, job.path, ++done, now->files.n);
		if ((job.new != NULL || job.old != NULL) && ozone_job_name(oz, &job, job.path)) {
			if (job.new != NULL) {
				ozone_names_add(names, &job);
			}
			if (job.old != NULL) {
				ozone_names_add(old_names, &job);
			}
			err = ozone_job(oz, &job);
		}
		report_end(oz->report);
	}
	check_paths(oz, &now->files, is_compared ? &was->files : NULL);
	ozone_valve_zones(oz, old_names, names);
	ozone_valve_keys(oz, names);
	ozone_names_free(&old_names);
	ozone_names_report(&names, oz);
	return err;
}

err_t
ozone_dir(struct ozone *oz, const char *path, const char *old)
{
	[[gnu::cleanup(dir_fini)]] struct dir now = { .dir.fd = -1 };
	[[gnu::cleanup(dir_fini)]] struct dir was = { .dir.fd = -1 };
	TRY(dir_open(path, &now));
	if (old != NULL) {
		TRY(dir_open(old, &was));
	}
	[[gnu::cleanup(free_ptr)]] char *prefix = prefix_of(path);
	report_begin(oz->report, prefix);
	ozone_side_ignore(oz, &now.side);
	if (old != NULL) {
		ozone_side_ignore(NULL, &was.side);
	}
	ozone_note_zones(oz, &now.side, now.files.names, now.files.n);
	err_t err = ozone_note_rights(oz, &now.side, now.files.names, now.files.n);
	err = err == OK ? check_dirs(oz, &now, &was, old != NULL) : err;
	report_begin(oz->report, "");
	return err;
}
