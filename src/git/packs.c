#include "git/packs.h"

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

/* ---- the list ---- */

size_t
git_packs_count(int dir)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, "objects/pack");
	size_t n = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		n += file_has_ending(e->d_name, ".idx");
	}
	return n;
}

uint64_t
git_packs_octets(int dir)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, "objects/pack");
	uint64_t all = 0, largest = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct stat st;
		if (file_has_ending(e->d_name, ".pack") && fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
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

static void
add_pack(struct git_packs *out, const char *index, const struct mapped *midx)
{
	struct git_pack p;
	char name[NAME_MAX + 1];
	snprintf(name, sizeof name, "%.*s", (int)(strlen(index) - strlen(".idx")), index);
	if (!is_kept(out->dir, name, midx) && look_at(out->dir, name, &p) == OK) {
		out->all = xrealloc(out->all, (out->n + 1) * sizeof *out->all);
		out->all[out->n++] = p;
	}
}

void
git_packs_list(int dir, struct git_packs *out)
{
	[[gnu::cleanup(unmap)]] struct mapped midx = { 0 };
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, "objects/pack");
	*out = (struct git_packs){ .dir = d != NULL ? fcntl(dirfd(d), F_DUPFD_CLOEXEC, 0) : -1 };
	if (out->dir < 0 || (map_file(out->dir, "multi-pack-index", "", &midx) != OK &&
	                     faccessat(out->dir, "multi-pack-index", F_OK, 0) == 0)) {
		return; /* it cannot be read, so nobody knows which packs it names */
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (file_has_ending(e->d_name, ".idx")) {
			add_pack(out, e->d_name, &midx);
		}
	}
	if (out->n > 0) {
		qsort(out->all, out->n, sizeof *out->all, by_objects);
	}
}

void
git_packs_fini(struct git_packs *p)
{
	file_close(&p->dir);
	free(p->all);
	*p = (struct git_packs){ .dir = -1 };
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
join_all(const struct git_packs *p, size_t n, const char *where, struct pack_join *j, struct diag *diag)
{
	for (size_t i = 0; i < n; i++) {
		err_t err = join_one(p->dir, p->all[i].name, j);
		if (err != OK) {
			diag_set(diag, DIAG_ERROR, "git", "%.250s: %s.pack cannot be joined with others: %s", where, p->all[i].name,
			         err_str(err));
			diag_hint(diag, "`git fsck` tells whether it is damaged");
			return err;
		}
	}
	return pack_out_finish(&j->out);
}

/* Removes the first `n` packs of the list.  The new pack, `except`, stays: it has the name of an old one if it is the same. */
static void
remove_packs(const struct git_packs *p, size_t n, const char *except)
{
	/* The index goes first: git does not look into a pack without an index.  So it does no harm if we are killed in between. */
	static const char *const files[] = { ".idx", ".rev", ".pack" };
	char name[NAME_MAX + 16];
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(files) && strcmp(p->all[i].name, except) != 0; k++) {
			snprintf(name, sizeof name, "%s%s", p->all[i].name, files[k]);
			unlinkat(p->dir, name, 0);
		}
	}
}

err_t
git_packs_join(const struct git_packs *p, size_t n, const struct git_placing *how, struct diag *diag)
{
	[[gnu::cleanup(pack_join_fini)]] struct pack_join j = { 0 };
	[[gnu::cleanup(git_unstage)]] struct git_staged staged = GIT_STAGED_NONE;
	TRY(join_all(p, n, how->where, &j, diag));
	TRY(git_stage(how, &j.out, &staged, diag));
	TRY(git_stage_place(&staged, false, diag));
	remove_packs(p, n, staged.name);
	return OK;
}
