#include "git/swap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "git/files.h"

static const char PREFIX[] = "origin-push.", STAGED[] = "origin-pack.";

enum { LOCK_STEP_MS = 10 };

/* ---- what the dead left ---- */

static bool
is_same_file(const struct stat *a, const char *path)
{
	struct stat b;
	return lstat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* A pack that has not got its index yet, what pack and index were before they had a name, and what keeps the pack.  `name`:
 * "PACK.PID"; `st`: of the marker. */
static void
sweep_pack(const struct git_local *l, const char *name, const struct stat *st)
{
	char path[PATH_MAX + 320], index[PATH_MAX + 320];
	int len = (int)strcspn(name, ".");
	if (strncmp(name, "pack-", 5) != 0) {
		return;
	}
	snprintf(path, sizeof path, "%s/pack/%.*s.keep", l->objects, len, name);
	if (is_same_file(st, path)) {
		unlink(path);
	}
	snprintf(path, sizeof path, "%s%s%s.pack", l->dir, STAGED, name + 5);
	unlink(path);
	snprintf(path, sizeof path, "%s%s%s.idx", l->dir, STAGED, name + 5);
	unlink(path);
	snprintf(path, sizeof path, "%s/pack/%.*s.pack", l->objects, len, name);
	snprintf(index, sizeof index, "%s/pack/%.*s.idx", l->objects, len, name);
	if (access(index, F_OK) < 0) {
		unlink(path);
	}
}

/* The marker is one file with the lock or, when its maker was killed a moment later, with the branch, too.  One that is neither of
 * ours but has a second name belongs to another branch: that is for those who push there to clear up. */
static void
sweep_marker(const struct git_swap *s, const char *path, const char *name)
{
	struct stat st;
	[[gnu::cleanup(file_close)]] int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return;
	}
	if (fstat(fd, &st) < 0) {
		return;
	}
	if (is_same_file(&st, s->lock)) {
		unlink(s->lock);
	}
	sweep_pack(s->local, name + sizeof PREFIX - 1, &st);
	if (fstat(fd, &st) == 0 && (st.st_nlink == 1 || is_same_file(&st, s->ref))) {
		unlink(path);
	}
}

static void
sweep(const struct git_swap *s)
{
	char path[PATH_MAX + NAME_MAX + 1];
	DIR *d = opendir(s->local->dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0) {
			snprintf(path, sizeof path, "%s%s", s->local->dir, e->d_name);
			sweep_marker(s, path, e->d_name);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
}

static void
set_paths(struct git_swap *s, const struct git_local *l, const char *ref)
{
	*s = (struct git_swap){ .local = l, .fd = -1 };
	snprintf(s->ref, sizeof s->ref, "%.3000s%.1000s", l->dir, ref);
	snprintf(s->lock, sizeof s->lock, "%.4080s.lock", s->ref);
}

void
git_swap_sweep(const struct git_local *l, const char *ref)
{
	struct git_swap s;
	set_paths(&s, l, ref);
	sweep(&s);
}

/* ---- the marker ---- */

static err_t
open_marker(struct git_swap *s)
{
	struct stat st = { 0 };
	for (unsigned tries = 0; tries < 3 && st.st_nlink == 0; tries++) { /* 0: it was swept before we had our flock() on it */
		file_close(&s->fd);
		s->fd = open(s->marker, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (s->fd < 0 || flock(s->fd, LOCK_EX) < 0 || fstat(s->fd, &st) < 0) {
			return E_IO;
		}
	}
	return st.st_nlink == 1 ? OK : E_IO;
}

err_t
git_swap_begin(const struct git_local *l, const char *ref, const git_oid *id, const char *pack, struct git_swap *s,
               struct diag *diag)
{
	char line[GIT_OID_HEXSZ + 2];
	set_paths(s, l, ref);
	sweep(s);
	snprintf(s->marker, sizeof s->marker, "%.3900s%s%.63s.%d", l->dir, PREFIX, pack, (int)getpid());
	snprintf(s->pack, sizeof s->pack, "%.63s", pack);
	snprintf(s->stem, sizeof s->stem, "%s%.63s.%d", STAGED, pack + 5, (int)getpid());
	git_oid_fmt(line, id);
	line[GIT_OID_HEXSZ] = '\n';
	if (open_marker(s) != OK) {
		err_t err = file_trouble(diag, "write", s->marker);
		s->marker[0] = '\0';
		return err;
	}
	file_share(s->fd, l->shared);
	if (file_write(s->fd, line, GIT_OID_HEXSZ + 1) != OK) {
		return file_trouble(diag, "write", s->marker);
	}
	return OK;
}

err_t
git_swap_sync(struct git_swap *s, struct diag *diag)
{
	return fsync(s->fd) < 0 ? file_trouble(diag, "write", s->marker) : OK;
}

/* ---- the lock ---- */

/* The directories above a branch whose name has a "/": git removes them when it packs references. */
static void
make_parents(const struct git_swap *s)
{
	char path[PATH_MAX];
	size_t from = strlen(s->local->dir) + strlen("refs/heads/");
	snprintf(path, sizeof path, "%s", s->ref);
	for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) == 0 && s->local->shared != 0) {
			[[gnu::cleanup(file_close)]] int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			file_share(fd, s->local->shared);
		}
		*slash = '/';
	}
}

/* A file system without links, or one that begins within the repository. */
static err_t
link_trouble(const char *path, struct diag *diag)
{
	bool is_impossible = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK || errno == EXDEV;
	err_t err = file_trouble(diag, "write", path);
	return is_impossible ? E_UNSUPPORTED : err;
}

static err_t
lock_trouble(const struct git_swap *s, struct diag *diag)
{
	if (errno == EEXIST) {
		diag_set(diag, DIAG_ERROR, "git", "another process is writing to the branch: %.250s is there", s->lock);
		diag_hint(diag, "if no git is at work in that repository, one was killed there: remove the file");
		return E_BUSY;
	}
	return link_trouble(s->lock, diag);
}

static err_t
take_lock(struct git_swap *s, struct diag *diag)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	for (unsigned ms = 0; link(s->marker, s->lock) < 0; ms += LOCK_STEP_MS) {
		if (errno == ENOENT && ms < GIT_LOCK_WAIT_MS) {
			make_parents(s); /* again and again: `git pack-refs` may remove them before we have our lock */
		} else if (errno == EEXIST && ms < GIT_LOCK_WAIT_MS) {
			sweep(s);
			nanosleep(&step, NULL);
		} else {
			return lock_trouble(s, diag);
		}
	}
	s->is_locked = true;
	return OK;
}

/* A branch "a/b" and one "a" cannot both be: the one is a directory where the other is a file. */
static err_t
check_name(struct git_swap *s, const char *name, struct diag *diag)
{
	git_reference_iterator *it = NULL;
	const char *other;
	err_t err = OK;
	int ret = git_reference_iterator_new(&it, s->local->repo);
	while (ret == 0 && err == OK && git_reference_next_name(&other, it) == 0) {
		size_t n = strlen(name), o = strlen(other);
		const char *longer = n > o ? name : other;
		size_t min = n < o ? n : o;
		if (n != o && strncmp(name, other, min) == 0 && longer[min] == '/') {
			diag_set(diag, DIAG_ERROR, "git", "there can be no branch %.200s beside %.200s", name, other);
			diag_hint(diag, "name another with --remote=URL#BRANCH");
			err = E_EXISTS;
		}
	}
	git_reference_iterator_free(it);
	return ret < 0 ? git_trouble(diag, ret, "cannot read the branches") : err;
}

static err_t
moved(const char *name, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s since", name);
	return E_STALE;
}

static err_t
compare(struct git_swap *s, const char *name, const git_oid *base, struct diag *diag)
{
	[[gnu::cleanup(git_free_ref)]] git_reference *now = NULL;
	int ret = git_reference_lookup(&now, s->local->repo, name);
	if (ret == GIT_ENOTFOUND) {
		return base != NULL ? moved(name, diag) : check_name(s, name, diag);
	}
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot read the branch %.200s", name);
	}
	if (git_reference_type(now) != GIT_REFERENCE_DIRECT) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s is a symbolic reference", name);
		return E_UNSUPPORTED;
	}
	return base != NULL && git_oid_equal(git_reference_target(now), base) ? OK : moved(name, diag);
}

static err_t
keep_pack(struct git_swap *s, struct diag *diag)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%.3900s/pack/%s.keep", s->local->objects, s->pack);
	if (link(s->marker, path) < 0) {
		return link_trouble(path, diag);
	}
	memcpy(s->keep, path, sizeof s->keep);
	return OK;
}

err_t
git_swap_lock(struct git_swap *s, const char *name, const git_oid *base, struct diag *diag)
{
	TRY(take_lock(s, diag));
	TRY(compare(s, name, base, diag));
	return keep_pack(s, diag);
}

err_t
git_swap_commit(struct git_swap *s, struct diag *diag)
{
	char dir[PATH_MAX];
	if (rename(s->lock, s->ref) < 0) {
		return file_trouble(diag, "write", s->ref);
	}
	s->is_locked = false;
	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(s->ref, '/') - s->ref), s->ref);
	return file_sync_dir(dir, diag) == OK ? OK : E_UNKNOWN;
}

void
git_swap_end(struct git_swap *s)
{
	if (s->is_locked) {
		unlink(s->lock);
	}
	if (s->keep[0] != '\0') {
		unlink(s->keep);
	}
	if (s->marker[0] != '\0') {
		unlink(s->marker); /* last: without it nobody knew whose the others are */
	}
	file_close(&s->fd);
	s->is_locked = false;
	s->marker[0] = s->keep[0] = '\0';
}
