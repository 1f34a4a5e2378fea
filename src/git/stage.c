#include "git/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/files.h"

static const char PACKS[] = "objects/pack";
static const char *const endings[] = { ".pack", ".idx" };

void
git_pack_name(const struct pack_out *out, char name[GIT_PACK_NAME])
{
	int n = snprintf(name, GIT_PACK_NAME, "pack-");
	for (size_t i = 0; i < ID_LEN; i++) {
		n += snprintf(name + n, GIT_PACK_NAME - (size_t)n, "%02x", out->sum[i]);
	}
}

/* The directory of the temporary names. */
static int
place_aside(const struct git_staged *s)
{
	return s->how->stem != NULL ? s->how->dir : s->packs;
}

/* git's own temporary names begin with "tmp_", too, and `git prune` removes such files; with --expire=now also while
 * they are being written.  So we use these names only in repositories that are ours alone. */
static void
name_aside(const struct git_staged *s, unsigned i, char out[GIT_STAGED_NAME])
{
	if (s->how->stem != NULL) {
		snprintf(out, GIT_STAGED_NAME, "%s%s", s->how->stem, endings[i]);
	} else {
		snprintf(out, GIT_STAGED_NAME, "tmp_%s.%d%s", s->name + 5, (int)getpid(), endings[i]);
	}
}

static err_t
stage_one(struct git_staged *s, unsigned i, const struct str *content)
{
	char name[GIT_STAGED_NAME];
	int dir = place_aside(s);
	name_aside(s, i, name);
	unlinkat(dir, name, 0); /* an earlier process may have had our number and left this file */
	s->fd[i] = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
	if (s->fd[i] < 0) {
		return E_IO;
	}
	memcpy(s->tmp[i], name, sizeof name);
	file_share(s->fd[i], s->how->shared);
	TRY(file_write(s->fd[i], content->s, content->len));
	sync_file_range(s->fd[i], 0, 0, SYNC_FILE_RANGE_WRITE); /* begins to write to the disk; git_stage_sync() waits for the end */
	return OK;
}

err_t
git_stage(const struct git_placing *how, const struct pack_out *out, struct git_staged *s, struct diag *diag)
{
	s->how = how;
	git_pack_name(out, s->name);
	if (mkdirat(how->dir, PACKS, 0777) < 0 && errno != EEXIST) {
		return file_trouble_in(diag, "make", how->where, PACKS);
	}
	s->packs = openat(how->dir, PACKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->packs < 0 || stage_one(s, 0, &out->bytes) != OK || stage_one(s, 1, &out->index) != OK) {
		return file_trouble_in(diag, "write in", how->where, PACKS);
	}
	return OK;
}

err_t
git_stage_sync(struct git_staged *s, struct diag *diag)
{
	for (size_t i = 0; i < 2; i++) {
		if (fsync(s->fd[i]) < 0) {
			return file_trouble_in(diag, "write in", s->how->where, PACKS);
		}
	}
	return OK;
}

static err_t
place_one(struct git_staged *s, unsigned i)
{
	char name[GIT_STAGED_NAME];
	snprintf(name, sizeof name, "%s%s", s->name, endings[i]);
	if (renameat(place_aside(s), s->tmp[i], s->packs, name) < 0) {
		return E_IO;
	}
	s->tmp[i][0] = '\0';
	return OK;
}

err_t
git_stage_place(struct git_staged *s, bool is_durable, struct diag *diag)
{
	char pack[GIT_STAGED_NAME];
	if (place_one(s, 0) != OK) {
		return file_trouble_in(diag, "write in", s->how->where, PACKS);
	}
	if (place_one(s, 1) != OK) {
		err_t err = file_trouble_in(diag, "write in", s->how->where, PACKS);
		snprintf(pack, sizeof pack, "%s%s", s->name, endings[0]);
		unlinkat(s->packs, pack, 0); /* without an index nobody can use it */
		return err;
	}
	return is_durable && fsync(s->packs) < 0 ? file_trouble_in(diag, "sync", s->how->where, PACKS) : OK;
}

void
git_unstage(struct git_staged *s)
{
	for (size_t i = 0; i < 2; i++) {
		file_close(&s->fd[i]);
		if (s->tmp[i][0] != '\0') {
			unlinkat(place_aside(s), s->tmp[i], 0);
		}
	}
	file_close(&s->packs);
}
