#include "git/swap.h"

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

/* ---- what killed pushes have left ---- */

static bool
is_same_file(const struct stat *a, int dir, const char *name)
{
	struct stat b;
	return fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* Removes the pack files of a killed push: PACK.keep, pack and index under their temporary names, and a pack that has
 * no index yet.  `name`: "PACK.PID"; `st`: of the marker. */
static void
sweep_pack(int dir, const char *name, const struct stat *st)
{
	char file[GIT_SWAP_NAME];
	int len = (int)strcspn(name, ".");
	if (strncmp(name, "pack-", 5) != 0 || strlen(name) >= GIT_SWAP_PACK) {
		return;
	}
	snprintf(file, sizeof file, "objects/pack/%.*s.keep", len, name);
	if (is_same_file(st, dir, file)) {
		unlinkat(dir, file, 0);
	}
	snprintf(file, sizeof file, "%s%s.pack", STAGED, name + 5);
	unlinkat(dir, file, 0);
	snprintf(file, sizeof file, "%s%s.idx", STAGED, name + 5);
	unlinkat(dir, file, 0);
	snprintf(file, sizeof file, "objects/pack/%.*s.idx", len, name);
	if (faccessat(dir, file, F_OK, 0) < 0) {
		snprintf(file, sizeof file, "objects/pack/%.*s.pack", len, name);
		unlinkat(dir, file, 0);
	}
}

/* Removes a marker that nobody has locked, and the files that belong to it: its push was killed.  The marker may be the
 * same file as the lock of our branch; or the same file as our branch, if the push was killed right after it had moved
 * the branch.  If the marker has another second name, its push was to another branch, which may still have a lock.  Then
 * the marker stays until somebody pushes to that branch: without the marker nobody could tell that the lock may be
 * removed. */
static void
sweep_marker(const struct git_swap *s, const char *name)
{
	struct stat st;
	int dir = s->local->dir;
	[[gnu::cleanup(file_close)]] int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0) {
		return;
	}
	if (is_same_file(&st, dir, str_text(&s->lock))) {
		unlinkat(dir, str_text(&s->lock), 0);
	}
	sweep_pack(dir, name + sizeof PREFIX - 1, &st);
	if (fstat(fd, &st) == 0 && (st.st_nlink == 1 || is_same_file(&st, dir, s->ref))) {
		unlinkat(dir, name, 0);
	}
}

static void
sweep(const struct git_swap *s)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(s->local->dir, ".");
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0) {
			sweep_marker(s, e->d_name);
		}
	}
}

static err_t
init(struct git_swap *s, const struct git_local *l, const char *ref)
{
	*s = (struct git_swap){ .local = l, .ref = ref, .fd = -1 };
	str_printf(&s->lock, "%s.lock", ref);
	return s->lock.err;
}

void
git_swap_sweep(const struct git_local *l, const char *ref)
{
	[[gnu::cleanup(git_swap_end)]] struct git_swap s;
	if (init(&s, l, ref) == OK) {
		sweep(&s);
	}
}

/* ---- the marker ---- */

static err_t
open_marker(struct git_swap *s)
{
	struct stat st = { 0 };
	for (unsigned tries = 0; tries < 3 && st.st_nlink == 0; tries++) { /* 0: another process removed it before our flock() */
		file_close(&s->fd);
		s->fd = openat(s->local->dir, s->marker, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (s->fd < 0 || flock(s->fd, LOCK_EX) < 0 || fstat(s->fd, &st) < 0) {
			return E_IO;
		}
	}
	return st.st_nlink == 1 ? OK : E_IO;
}

static err_t
write_trouble(const struct git_swap *s, const char *name, struct diag *diag)
{
	return file_trouble_in(diag, "write", s->local->where, name);
}

err_t
git_swap_begin(const struct git_local *l, const char *ref, const git_oid *id, const char *pack, struct git_swap *s,
               struct diag *diag)
{
	char line[GIT_OID_HEXSZ + 2];
	ASSERT(strlen(pack) < GIT_PACK_NAME);
	TRY(init(s, l, ref));
	sweep(s);
	memcpy(s->pack, pack, strlen(pack) + 1);
	snprintf(s->marker, sizeof s->marker, "%s%s.%d", PREFIX, s->pack, (int)getpid());
	snprintf(s->stem, sizeof s->stem, "%s%s.%d", STAGED, s->pack + 5, (int)getpid());
	git_oid_fmt(line, id);
	line[GIT_OID_HEXSZ] = '\n';
	if (open_marker(s) != OK) {
		err_t err = write_trouble(s, s->marker, diag);
		s->marker[0] = '\0';
		return err;
	}
	file_share(s->fd, l->shared);
	return file_write(s->fd, line, GIT_OID_HEXSZ + 1) == OK ? OK : write_trouble(s, s->marker, diag);
}

err_t
git_swap_sync(struct git_swap *s, struct diag *diag)
{
	return fsync(s->fd) < 0 ? write_trouble(s, s->marker, diag) : OK;
}

/* ---- the lock ---- */

/* `name` becomes another name of the marker. */
static int
link_marker(const struct git_swap *s, const char *name)
{
	return linkat(s->local->dir, s->marker, s->local->dir, name, 0);
}

/* E_UNSUPPORTED: the file system has no links, or another one is mounted within the repository. */
static err_t
link_trouble(const struct git_swap *s, const char *name, struct diag *diag)
{
	bool is_impossible = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK || errno == EXDEV;
	err_t err = write_trouble(s, name, diag);
	return is_impossible ? E_UNSUPPORTED : err;
}

static err_t
lock_trouble(const struct git_swap *s, struct diag *diag)
{
	if (errno == EEXIST) {
		diag_set(diag, DIAG_ERROR, "git", "another process is writing to the branch: %.250s%.250s is there", s->local->where,
		         str_text(&s->lock));
		diag_hint(diag, "if no git is at work in that repository, a killed git has left the file: remove it");
		return E_BUSY;
	}
	return link_trouble(s, str_text(&s->lock), diag);
}

/* Makes the directories of a branch whose name has a "/".  git removes them when it packs references. */
static void
make_parents(struct git_swap *s)
{
	file_make_parents(s->local->dir, &s->lock, strlen("refs/heads/"), s->local->shared);
}

static err_t
take_lock(struct git_swap *s, struct diag *diag)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	for (unsigned ms = 0; link_marker(s, str_text(&s->lock)) < 0; ms += LOCK_STEP_MS) {
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

/* There cannot be both a branch "a" and a branch "a/b": "a" would have to be a file and a directory. */
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
	diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s meanwhile", name);
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
	char name[GIT_SWAP_NAME];
	snprintf(name, sizeof name, "objects/pack/%s.keep", s->pack);
	if (link_marker(s, name) < 0) {
		return link_trouble(s, name, diag);
	}
	memcpy(s->keep, name, sizeof s->keep);
	return OK;
}

err_t
git_swap_lock(struct git_swap *s, const git_oid *base, struct diag *diag)
{
	TRY(take_lock(s, diag));
	TRY(compare(s, s->ref, base, diag));
	return keep_pack(s, diag);
}

/* Syncs the directory of the branch's file. */
static err_t
sync_parent(const struct git_swap *s)
{
	[[gnu::cleanup(str_fini)]] struct str parent = { 0 };
	str_put(&parent, s->ref, (size_t)(strrchr(s->ref, '/') - s->ref));
	TRY(parent.err);
	return file_sync_dir(s->local->dir, str_text(&parent));
}

err_t
git_swap_commit(struct git_swap *s, struct diag *diag)
{
	if (renameat(s->local->dir, str_text(&s->lock), s->local->dir, s->ref) < 0) {
		return write_trouble(s, s->ref, diag);
	}
	s->is_locked = false;
	if (sync_parent(s) != OK) {
		(void)file_trouble_in(diag, "sync", s->local->where, s->ref);
		return E_UNKNOWN;
	}
	return OK;
}

static void
remove_name(const struct git_swap *s, char *name)
{
	if (name[0] != '\0') {
		unlinkat(s->local->dir, name, 0);
	}
	name[0] = '\0';
}

void
git_swap_end(struct git_swap *s)
{
	if (s->is_locked) {
		unlinkat(s->local->dir, str_text(&s->lock), 0);
	}
	s->is_locked = false;
	remove_name(s, s->keep);
	remove_name(s, s->marker); /* last: without it nobody could tell whose the other files are */
	file_close(&s->fd);
	str_fini(&s->lock);
}
