#include "git/packs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "git/files.h"
#include "git/join.h"

static void
close_dir(DIR **d)
{
	if (*d != NULL) {
		closedir(*d);
	}
}

static bool
has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);
	return n > e && strcmp(name + n - e, ending) == 0;
}

/* ---- what is there ---- */

size_t
git_packs_count(int dir)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, "objects/pack");
	size_t n = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		n += has_ending(e->d_name, ".idx");
	}
	return n;
}

uint64_t
git_packs_octets(const char *objects)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/pack", objects);
	[[gnu::cleanup(close_dir)]] DIR *d = opendir(path);
	uint64_t all = 0, largest = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct stat st;
		if (has_ending(e->d_name, ".pack") && fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
			all += (uint64_t)st.st_size;
			largest = (uint64_t)st.st_size > largest ? (uint64_t)st.st_size : largest;
		}
	}
	return all - largest > largest ? all - largest : 0;
}

struct mapped {
	const uint8_t *bytes;
	size_t len;
};

static void
unmap(struct mapped *m)
{
	if (m->len > 0) {
		munmap((void *)(uintptr_t)m->bytes, m->len);
	}
}

static err_t
map_file(int dir, const char *name, const char *ending, struct mapped *out)
{
	char file[NAME_MAX + 16];
	struct stat st;
	snprintf(file, sizeof file, "%s%s", name, ending);
	[[gnu::cleanup(file_close)]] int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0) {
		return E_IO;
	}
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		return E_NOMEM;
	}
	*out = (struct mapped){ .bytes = bytes, .len = (size_t)st.st_size };
	return OK;
}

static bool
is_kept(int dir, const char *name, const struct mapped *midx)
{
	static const char *const beside[] = { ".keep", ".promisor", ".mtimes", ".bitmap" };
	char file[NAME_MAX + 16];
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		snprintf(file, sizeof file, "%s%s", name, beside[i]);
		if (faccessat(dir, file, F_OK, 0) == 0) {
			return true;
		}
	}
	snprintf(file, sizeof file, "%s.idx", name); /* as the multi-pack-index names it */
	return midx->len > 0 && memmem(midx->bytes, midx->len, file, strlen(file)) != NULL;
}

static err_t
look_at(int dir, const char *name, struct git_pack *out)
{
	uint8_t head[8 + 256 * 4];
	char file[NAME_MAX + 16];
	struct stat st;
	snprintf(file, sizeof file, "%s.idx", name);
	[[gnu::cleanup(file_close)]] int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, head, sizeof head) != (ssize_t)sizeof head) {
		return E_IO;
	}
	snprintf(file, sizeof file, "%s.pack", name);
	if (fstatat(dir, file, &st, 0) < 0 || !S_ISREG(st.st_mode)) {
		return E_NOTFOUND;
	}
	out->octets = (uint64_t)st.st_size;
	snprintf(out->name, sizeof out->name, "%s", name);
	return pack_index_count(head, sizeof head, &out->objects);
}

static int
by_objects(const void *a, const void *b)
{
	const struct git_pack *x = a, *y = b;
	return x->objects != y->objects ? (x->objects < y->objects ? -1 : 1) : strcmp(x->name, y->name);
}

void
git_packs_list(const char *objects, struct git_packs *out)
{
	[[gnu::cleanup(unmap)]] struct mapped midx = { 0 };
	snprintf(out->dir, sizeof out->dir, "%s/pack", objects);
	[[gnu::cleanup(close_dir)]] DIR *d = opendir(out->dir);
	if (d == NULL || (map_file(dirfd(d), "multi-pack-index", "", &midx) != OK &&
	                  faccessat(dirfd(d), "multi-pack-index", F_OK, 0) == 0)) {
		return; /* with one that cannot be read, which packs it needs cannot be known */
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct git_pack p;
		char name[NAME_MAX + 1];
		if (!has_ending(e->d_name, ".idx")) {
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)(strlen(e->d_name) - strlen(".idx")), e->d_name);
		if (!is_kept(dirfd(d), name, &midx) && look_at(dirfd(d), name, &p) == OK) {
			out->all = xrealloc(out->all, (out->n + 1) * sizeof *out->all);
			out->all[out->n++] = p;
		}
	}
	if (out->n > 0) {
		qsort(out->all, out->n, sizeof *out->all, by_objects);
	}
}

void
git_packs_fini(struct git_packs *p)
{
	free(p->all);
	*p = (struct git_packs){ 0 };
}

size_t
git_packs_tail(struct git_packs *p)
{
	uint64_t octets = 0, objects = 0;
	size_t kept = 0, n = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (p->all[i].octets <= GIT_JOIN_OCTETS_MAX / 2) {
			p->all[kept++] = p->all[i];
		}
	}
	p->n = kept;
	while (n < p->n && octets + p->all[n].octets <= GIT_JOIN_OCTETS_MAX && (n == 0 || p->all[n].objects < 2 * objects)) {
		octets += p->all[n].octets;
		objects += p->all[n].objects;
		n++;
	}
	return n >= 2 ? n : 0;
}

/* ---- writing ---- */

/* "tmp_" is what git begins such names with, too, and what `git prune` clears away: with --expire=now also while its maker is at
 * work.  So that is for repositories that are ours alone. */
static err_t
stage_one(const struct git_placing *how, struct git_staged *s, unsigned i, const struct str *content)
{
	char path[PATH_MAX];
	if (how->aside != NULL) {
		snprintf(path, sizeof path, "%.3900s/%.100s.%s", how->aside, how->stem, i == 0 ? "pack" : "idx");
	} else {
		snprintf(path, sizeof path, "%.3900s/tmp_%s_%s.%d", s->dir, i == 0 ? "pack" : "idx", s->name + 5, (int)getpid());
	}
	unlink(path); /* of one who had our number before us */
	s->fd[i] = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (s->fd[i] < 0) {
		return E_IO;
	}
	memcpy(s->tmp[i], path, sizeof path);
	file_share(s->fd[i], how->shared);
	TRY(file_write(s->fd[i], content->s, content->len));
	sync_file_range(s->fd[i], 0, 0, SYNC_FILE_RANGE_WRITE); /* begins what git_packs_sync() waits for */
	return OK;
}

void
git_packs_name(const struct pack_out *out, char name[GIT_PACK_NAME])
{
	int n = snprintf(name, GIT_PACK_NAME, "pack-");
	for (size_t i = 0; i < ID_LEN; i++) {
		n += snprintf(name + n, GIT_PACK_NAME - (size_t)n, "%02x", out->sum[i]);
	}
}

err_t
git_packs_stage(const struct git_placing *how, const struct pack_out *out, struct git_staged *s, struct diag *diag)
{
	*s = (struct git_staged){ .fd = { -1, -1 } };
	git_packs_name(out, s->name);
	snprintf(s->dir, sizeof s->dir, "%s/pack", how->objects);
	if (mkdir(s->dir, 0777) < 0 && errno != EEXIST) {
		return file_trouble(diag, "make", s->dir);
	}
	if (stage_one(how, s, 0, &out->bytes) != OK || stage_one(how, s, 1, &out->index) != OK) {
		return file_trouble(diag, "write in", s->dir);
	}
	return OK;
}

err_t
git_packs_sync(struct git_staged *s, struct diag *diag)
{
	for (size_t i = 0; i < 2; i++) {
		if (fsync(s->fd[i]) < 0) {
			return file_trouble(diag, "write in", s->dir);
		}
	}
	return OK;
}

err_t
git_packs_place(struct git_staged *s, bool is_durable, struct diag *diag)
{
	char pack[PATH_MAX], index[PATH_MAX];
	snprintf(pack, sizeof pack, "%.3900s/%s.pack", s->dir, s->name);
	snprintf(index, sizeof index, "%.3900s/%s.idx", s->dir, s->name);
	if (rename(s->tmp[0], pack) < 0) {
		return file_trouble(diag, "write", pack);
	}
	s->tmp[0][0] = '\0';
	if (rename(s->tmp[1], index) < 0) {
		err_t err = file_trouble(diag, "write", index);
		unlink(pack); /* without its index it is nothing to anybody */
		return err;
	}
	s->tmp[1][0] = '\0';
	return is_durable ? file_sync_dir(s->dir, diag) : OK;
}

void
git_packs_unstage(struct git_staged *s)
{
	for (size_t i = 0; i < 2; i++) {
		file_close(&s->fd[i]);
		if (s->tmp[i][0] != '\0') {
			unlink(s->tmp[i]);
		}
	}
}

/* ---- joining ---- */

static err_t
join_one(int dir, const char *name, struct pack_join *j)
{
	[[gnu::cleanup(unmap)]] struct mapped pack = { 0 };
	[[gnu::cleanup(unmap)]] struct mapped index = { 0 };
	TRY(map_file(dir, name, ".pack", &pack));
	TRY(map_file(dir, name, ".idx", &index));
	const struct pack_in in = { .pack = pack.bytes, .pack_len = pack.len, .index = index.bytes, .index_len = index.len };
	return pack_join_add(j, &in);
}

static err_t
join_all(const struct git_packs *p, size_t from, size_t to, struct pack_join *j, struct diag *diag)
{
	[[gnu::cleanup(file_close)]] int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = from; i < to; i++) {
		err_t err = join_one(dir, p->all[i].name, j);
		if (err != OK) {
			diag_set(diag, DIAG_ERROR, "git", "%.250s/%s.pack cannot be joined with others: %s", p->dir, p->all[i].name,
			         err_str(err));
			diag_hint(diag, "`git fsck` tells whether it is damaged");
			return err;
		}
	}
	return pack_out_finish(&j->out);
}

static void
remove_packs(const struct git_packs *p, size_t from, size_t to, const char *except)
{
	/* The index goes first: without it nobody looks into the pack, so a kill in between leaves nothing half. */
	static const char *const files[] = { ".idx", ".rev", ".pack" };
	char path[PATH_MAX];
	for (size_t i = from; i < to; i++) {
		for (size_t k = 0; k < ARRAY_LEN(files) && strcmp(p->all[i].name, except) != 0; k++) {
			snprintf(path, sizeof path, "%.3800s/%s%s", p->dir, p->all[i].name, files[k]);
			unlink(path);
		}
	}
}

err_t
git_packs_join(const struct git_packs *p, size_t from, size_t to, const struct git_placing *how, struct diag *diag)
{
	[[gnu::cleanup(pack_join_fini)]] struct pack_join j = { 0 };
	[[gnu::cleanup(git_packs_unstage)]] struct git_staged staged = { .fd = { -1, -1 } };
	TRY(join_all(p, from, to, &j, diag));
	TRY(git_packs_stage(how, &j.out, &staged, diag));
	TRY(git_packs_place(&staged, false, diag));
	remove_packs(p, from, to, staged.name);
	return OK;
}
