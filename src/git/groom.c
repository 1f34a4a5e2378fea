#include "git/groom.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "git/files.h"
#include "git/local.h"
#include "git/repack.h"

enum {
	SMALL_OBJECTS = 64,     /* a pack with fewer, */
	SMALL_OCTETS = 1 << 18, /* and no more than so much, is of a push or two */
	SMALL_MIN = 16,         /* for fewer of them it is not worth while */
	SMALL_AT_ONCE = 4096,   /* objects, of all of them; what is left has its turn later */
	GC_PID_MAX_S = 12 * 3600,
};

static bool
is_small(const struct git_pack *p)
{
	return p->objects < SMALL_OBJECTS && p->octets <= SMALL_OCTETS;
}

/* How many of the list, from the first on, are small; a large one among them (few objects, but a zone of 40 MB) goes to the end. */
static size_t
small_first(struct git_packs *p)
{
	size_t n = 0, objects = 0;
	for (size_t i = 0; i < p->n && objects < SMALL_AT_ONCE; i++) {
		if (is_small(&p->all[i])) {
			struct git_pack moved = p->all[i];
			objects += moved.objects;
			p->all[i] = p->all[n];
			p->all[n++] = moved;
		}
	}
	return n;
}

/* ---- where packs are made ---- */

/* A directory of ours in the repository, locked by a flock() on itself: one tidies at a time, and what is in it when we have the
 * lock is of somebody who was killed. */
struct aside {
	char dir[PATH_MAX];
	int fd;
};

/* An index that stayed behind when its pack had its name already. */
static void
undo_half(const struct git_local *l, const char *name)
{
	char pack[PATH_MAX + NAME_MAX + 8], index[PATH_MAX + NAME_MAX + 8];
	size_t len = strlen(name);
	if (len < 4 || strcmp(name + len - 4, ".idx") != 0) {
		return;
	}
	snprintf(index, sizeof index, "%s/pack/%s", l->objects, name);
	snprintf(pack, sizeof pack, "%s/pack/%.*s.pack", l->objects, (int)len - 4, name);
	if (access(index, F_OK) < 0) {
		unlink(pack);
	}
}

static void
empty_aside(const struct git_local *l, const struct aside *a)
{
	DIR *d = opendir(a->dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] != '.') {
			undo_half(l, e->d_name);
			unlinkat(dirfd(d), e->d_name, 0);
		}
	}
	if (d != NULL) {
		closedir(d);
	}
}

static void
end_aside(struct aside *a)
{
	if (a->fd >= 0) {
		rmdir(a->dir); /* it is empty, or the next one empties it */
	}
	file_close(&a->fd);
}

/* E_BUSY: somebody else tidies. */
static err_t
begin_aside(const struct git_local *l, struct aside *a, struct diag *diag)
{
	struct stat st;
	snprintf(a->dir, sizeof a->dir, "%.4000sorigin-tidy", l->dir);
	if (mkdir(a->dir, 0777) < 0 && errno != EEXIST) {
		return file_trouble(diag, "make", a->dir);
	}
	int fd = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT) {
		return file_trouble(diag, "open the directory", a->dir);
	}
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0) {
		file_close(&fd);
		diag_set(diag, DIAG_ERROR, "git", "%.250s is in use", a->dir);
		return E_BUSY;
	}
	a->fd = fd;
	file_share(fd, l->shared);
	empty_aside(l, a);
	return OK;
}

/* ---- what is done there ---- */

/* libgit2 syncs what it makes while it is told to. */
static err_t
repack_durably(const struct git_how *how, const struct git_local *l, const struct git_ids *ids, const char *where,
               char name[64], struct diag *diag)
{
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0) {
		return git_trouble(diag, -1, "libgit2 refused a setting");
	}
	err_t err = git_repack(l->repo, how, ids, where, name, diag);
	(void)!git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 0);
	return err;
}

static void
share_pack(const struct git_staged *s, int shared)
{
	for (size_t i = 0; i < 2; i++) {
		[[gnu::cleanup(file_close)]] int fd = open(s->tmp[i], O_RDONLY | O_CLOEXEC);
		file_share(fd, shared);
	}
}

static void
add_id(void *ctx, const uint8_t id[ID_LEN])
{
	git_oid one;
	memcpy(one.id, id, ID_LEN);
	git_ids_add(ctx, &one);
}

static void
map_id(void *ctx, const uint8_t id[ID_LEN])
{
	id_map_put(ctx, id, 0);
}

static err_t
check_pack(const struct git_packs *p, const char *name, const struct git_ids *ids, struct diag *diag)
{
	struct git_pack one;
	struct git_packs made = { .all = &one, .n = 1 };
	struct id_map map = { 0 };
	size_t number;
	memcpy(made.dir, p->dir, sizeof made.dir);
	snprintf(one.name, sizeof one.name, "%s", name);
	err_t err = git_packs_ids(&made, 0, 1, map_id, &map, diag);
	for (size_t i = 0; i < ids->n && err == OK; i++) {
		if (!id_map_has(&map, ids->ids[i].id, &number)) {
			diag_set(diag, DIAG_ERROR, "git", "the new pack %.200s/%s lacks objects", p->dir, name);
			err = E_IO;
		}
	}
	id_map_fini(&map);
	return err;
}

/* The small ones become one.  It is looked into before they go: nobody has a copy of what is in them. */
static err_t
pack_small(const struct git_how *how, const struct git_local *l, const struct git_placing *placing, bool *was_groomed,
           struct diag *diag)
{
	[[gnu::cleanup(git_packs_fini)]] struct git_packs p = { 0 };
	[[gnu::cleanup(git_ids_fini)]] struct git_ids ids = { 0 };
	[[gnu::cleanup(git_packs_unstage)]] struct git_staged staged = { .fd = { -1, -1 } };
	char hash[64] = "", name[80];
	git_packs_list(l->objects, &p);
	size_t n = small_first(&p);
	if (n < SMALL_MIN) {
		return OK;
	}
	TRY(git_packs_ids(&p, 0, n, add_id, &ids, diag));
	TRY(repack_durably(how, l, &ids, placing->aside, hash, diag));
	snprintf(name, sizeof name, "pack-%s", hash);
	git_packs_staged(placing, name, &staged);
	share_pack(&staged, l->shared);
	TRY(git_packs_place(&staged, true, diag));
	TRY(check_pack(&p, name, &ids, diag));
	git_packs_remove(&p, 0, n, name);
	*was_groomed = true;
	return OK;
}

static err_t
join_similar(const struct git_local *l, const struct git_placing *placing, bool *was_groomed, struct diag *diag)
{
	[[gnu::cleanup(git_packs_fini)]] struct git_packs p = { 0 };
	git_packs_list(l->objects, &p);
	size_t n = git_packs_tail(&p);
	if (n < 2) {
		return OK;
	}
	TRY(git_packs_join(&p, 0, n, placing, diag));
	*was_groomed = true;
	return OK;
}

/* ---- git's own tidying ---- */

/* "PID HOST", as `git gc` writes it.  One on another machine cannot be asked; nor can one that is another user's be sent anything, but
 * then there is one. */
static bool
is_gc_alive(FILE *f)
{
	char theirs[256], ours[256] = "";
	intmax_t pid = 0;
	if (fscanf(f, "%jd %255s", &pid, theirs) != 2) {
		return false;
	}
	(void)!gethostname(ours, sizeof ours - 1);
	bool is_pid = pid > 0 && pid <= INT_MAX; /* kill() takes others for groups */
	return strcmp(theirs, ours) != 0 || (is_pid && (kill((pid_t)pid, 0) == 0 || errno == EPERM));
}

bool
git_gc_is_at_work(const char *dir, bool *is_stale)
{
	char path[PATH_MAX + 8];
	struct stat st;
	bool is_at_work = false;
	snprintf(path, sizeof path, "%sgc.pid", dir);
	*is_stale = false;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f == NULL) {
		bool is_there = errno != ENOENT; /* who may not read it cannot know */
		file_close(&fd);
		return is_there;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && time(NULL) - st.st_mtime <= GC_PID_MAX_S) {
		is_at_work = is_gc_alive(f);
	}
	fclose(f);
	*is_stale = !is_at_work;
	return is_at_work;
}

static err_t
groom(const struct git_how *how, const struct git_local *l, bool *was_groomed, struct diag *diag)
{
	[[gnu::cleanup(end_aside)]] struct aside aside = { .fd = -1 };
	TRY(begin_aside(l, &aside, diag));
	const struct git_placing placing = { .objects = l->objects, .aside = aside.dir, .shared = l->shared, .is_durable = true };
	TRY(pack_small(how, l, &placing, was_groomed, diag));
	return join_similar(l, &placing, was_groomed, diag);
}

static size_t
count_packs(git_repository *repo)
{
	char objects[PATH_MAX];
	snprintf(objects, sizeof objects, "%.4000sobjects", git_repository_commondir(repo));
	return git_packs_count(objects);
}

enum groom_time
git_groom_time(git_repository *repo, size_t before)
{
	size_t n = count_packs(repo);
	return n < before + GROOM_PACKS ? GROOM_NOT_YET : n < before + GROOM_PACKS_MAX ? GROOM_WHEN_IDLE : GROOM_NOW;
}

err_t
git_groom(const struct git_how *how, git_repository *repo, size_t *before, struct groomed *out, struct diag *diag)
{
	struct git_local l;
	err_t err = OK;
	*out = (struct groomed){ 0 };
	git_local_look(repo, &l);
	if (l.is_direct && l.is_tidied && !git_gc_is_at_work(l.dir, &out->has_stale_gc)) {
		err = groom(how, &l, &out->was_groomed, diag);
	}
	*before = count_packs(repo);
	return err;
}
