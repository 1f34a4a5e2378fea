#include "git/home.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "git/files.h"
#include "git/shortage.h"

static const char TEMP_PREFIX[] = "origin-git.";

enum { SETTLED_S = 60 }; /* a younger directory may have no lock yet, since its primary is just making it */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	remove(path);
	return 0;
}

void
remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Names the references after a hash of remote and branch, so that each has its own. */
static void
name_refs(const struct git_conf *conf, char ref[HOME_REF_MAX], char left[HOME_REF_MAX])
{
	uint64_t h = HASH64_START;
	const char *const parts[] = { conf->url, "#", conf->branch != NULL ? conf->branch : "" };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		h = hash64(h, parts[i], strlen(parts[i]));
	}
	snprintf(ref, HOME_REF_MAX, "refs/origin/%016llx", (unsigned long long)h);
	snprintf(left, HOME_REF_MAX, "refs/left/%016llx", (unsigned long long)h);
}

static void
hint(struct diag *diag, int why, const char *otherwise)
{
	const struct shortage *shortage = shortage_of_errno(why);
	diag_hint(diag, "%s", shortage != NULL ? shortage->hint : otherwise);
}

static err_t
lock_dir(struct git_home *h, struct diag *diag)
{
	char path[sizeof h->clone];
	snprintf(path, sizeof path, "%s/" HOME_LOCK, h->dir);
	h->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->lock < 0) {
		int why = errno;
		diag_set(diag, DIAG_ERROR, "git", "cannot write in %.300s: %s", h->dir, strerror(why));
		hint(diag, why, "the directory must belong to the user that oprimary runs as");
		return E_IO;
	}
	if (flock(h->lock, LOCK_EX | LOCK_NB) < 0) {
		diag_set(diag, DIAG_ERROR, "git", "%.300s is in use by another oprimary", h->dir);
		diag_hint(diag, "give each one a --cache-dir of its own");
		return E_BUSY;
	}
	return OK;
}

const char *
git_home_temp_root(void)
{
	const char *root = getenv("TMPDIR");
	return root != NULL && root[0] == '/' ? root : "/tmp";
}

/* Removes a temporary directory of ours if nobody holds its lock: its primary was killed. */
static void
sweep_one(const char *root, const char *name)
{
	char path[HOME_DIR_MAX], lock[HOME_DIR_MAX + 8];
	struct stat st;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", root, name) >= sizeof path || lstat(path, &st) < 0 ||
	    !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mtime + SETTLED_S > time(NULL)) {
		return;
	}
	snprintf(lock, sizeof lock, "%s/" HOME_LOCK, path);
	int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			remove_tree(path);
		}
		close(fd);
	}
}

static void
sweep_temp(const char *root)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(AT_FDCWD, root);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strncmp(e->d_name, TEMP_PREFIX, sizeof TEMP_PREFIX - 1) == 0) {
			sweep_one(root, e->d_name);
		}
	}
}

static err_t
make_temp(struct git_home *h, struct diag *diag)
{
	const char *root = git_home_temp_root();
	sweep_temp(root);
	h->is_temp = true;
	if ((size_t)snprintf(h->dir, sizeof h->dir, "%s/%sXXXXXX", root, TEMP_PREFIX) >= sizeof h->dir || mkdtemp(h->dir) == NULL) {
		int why = errno;
		h->is_temp = false;
		diag_set(diag, DIAG_ERROR, "git", "cannot make a directory for the clone in %.300s: %s", root, strerror(why));
		hint(diag, why, "name a directory with --cache-dir, or set another TMPDIR");
		return E_IO;
	}
	return OK;
}

static err_t
make_cache(struct git_home *h, const char *dir, struct diag *diag)
{
	if ((size_t)snprintf(h->dir, sizeof h->dir, "%s", dir) >= sizeof h->dir || (mkdir(dir, 0700) < 0 && errno != EEXIST)) {
		int why = errno;
		diag_set(diag, DIAG_ERROR, "git", "cannot make the cache directory %.300s: %s", dir, strerror(why));
		hint(diag, why, "the directory above it must be there, and writable for the user that oprimary runs as");
		return E_IO;
	}
	return OK;
}

err_t
git_conf_check_cache(const struct git_conf *c, struct diag *diag)
{
	struct git_home h;
	if (c->cache_dir == NULL) {
		return OK;
	}
	TRY(make_cache(&h, c->cache_dir, diag));
	if (access(c->cache_dir, R_OK | W_OK | X_OK) < 0) {
		int why = errno;
		diag_set(diag, DIAG_ERROR, "git", "cannot write into the cache directory %.300s: %s", c->cache_dir, strerror(why));
		hint(diag, why, "it must belong to the user that oprimary runs as");
		return E_IO;
	}
	return OK;
}

err_t
git_home_open(const struct git_conf *conf, struct git_home *out, struct diag *diag)
{
	*out = (struct git_home){ .lock = -1 };
	name_refs(conf, out->ref, out->left);
	if (conf->scheme == GIT_REMOTE_LOCAL && conf->cache_dir == NULL) {
		out->is_in_place = true;
		return OK;
	}
	TRY(conf->cache_dir != NULL ? make_cache(out, conf->cache_dir, diag) : make_temp(out, diag));
	snprintf(out->clone, sizeof out->clone, "%s/" HOME_CLONE, out->dir);
	err_t err = lock_dir(out, diag);
	if (err != OK) {
		git_home_close(out);
	}
	return err;
}

err_t
git_home_open_temp(struct git_home *out, struct diag *diag)
{
	*out = (struct git_home){ .lock = -1 };
	TRY(make_temp(out, diag));
	err_t err = lock_dir(out, diag);
	if (err != OK) {
		git_home_close(out);
	}
	return err;
}

bool
git_home_has_commit(const struct git_home *h)
{
	char path[sizeof h->clone + HOME_REF_MAX + 1];
	snprintf(path, sizeof path, "%s/%s", h->clone, h->ref);
	return !h->is_in_place && access(path, R_OK) == 0;
}

void
git_home_drop_clone(const struct git_home *h)
{
	char aside[sizeof h->clone + 8];
	if (!h->is_in_place) {
		snprintf(aside, sizeof aside, "%s.bad", h->clone);
		remove_tree(aside);
		rename(h->clone, aside); /* in one step, so that half a clone is never taken for a whole one */
		remove_tree(aside);
	}
}

static bool
is_leftover(const char *name)
{
	return file_has_ending(name, ".lock") || strncmp(name, "pack_git2_", 10) == 0 || strncmp(name, "tmp_", 4) == 0 ||
	       strstr(name, "_git2_") != NULL;
}

/* True when there is a file with the part of `name` before its first ".", and `suffix` after that. */
static bool
has_file(int dir, const char *name, const char *suffix)
{
	char file[NAME_MAX + 8];
	snprintf(file, sizeof file, "%.*s%s", (int)strcspn(name, "."), name, suffix);
	return faccessat(dir, file, F_OK, 0) == 0;
}

/* A pack without its index, or an index without its pack: a worker was killed while it made or removed them. */
static bool
is_half(int dir, const char *name)
{
	return (file_has_ending(name, ".pack") && !has_file(dir, name, ".idx")) ||
	       (file_has_ending(name, ".idx") && !has_file(dir, name, ".pack"));
}

static void
sweep_dir(int clone, const char *sub, bool is_of_packs)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(clone, sub);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (e->d_type == DT_REG && (is_leftover(e->d_name) || (is_of_packs && is_half(dirfd(d), e->d_name)))) {
			unlinkat(dirfd(d), e->d_name, 0);
		}
	}
}

void
git_home_sweep(const struct git_home *h)
{
	[[gnu::cleanup(file_close)]] int clone = open(h->clone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unlinkat(clone, "refs/push/head", 0); /* of a push (git/upload.c): its objects were only in the memory of a worker that is gone */
	sweep_dir(clone, ".", false);
	sweep_dir(clone, "refs/origin", false);
	sweep_dir(clone, "refs/left", false);
	sweep_dir(clone, "refs/push", false);
	sweep_dir(clone, "objects", false);
	sweep_dir(clone, "objects/pack", true);
}

void
git_home_close(struct git_home *h)
{
	if (h->is_temp) {
		remove_tree(h->dir);
	}
	if (h->lock >= 0) {
		close(h->lock);
	}
	*h = (struct git_home){ .lock = -1 };
}
