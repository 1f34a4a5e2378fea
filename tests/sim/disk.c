/* The disk, and in place of ops/state_dir.c what writes to it. */
#include "disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/state_dir.h"
#include "plan.h"

enum { ASIDE_FD = 1 << 20, SPOILT_MAX = 4 };

/* Directories that are open. */
static struct disk *open_disks[NODES_MAX];
static struct disk *next_disk; /* state_dir_open() opens it */

static struct disk *
disk_of(int fd)
{
	size_t i = 0;
	while (i < NODES_MAX && (open_disks[i] == NULL || (open_disks[i]->fd != fd && (int)i != fd - ASIDE_FD))) {
		i++;
	}
	ASSERT(i < NODES_MAX);
	return open_disks[i];
}

/* ---- contents ---- */

static void
content_drop(struct disk_content *c)
{
	free(c->octets);
	*c = (struct disk_content){ 0 };
}

static void
content_set_len(struct disk_content *c, size_t len)
{
	c->octets = xrealloc(c->octets, len + 1);
	c->len = len;
	c->synced = c->synced < len ? c->synced : len;
}

/* What the power leaves of it. */
static void
content_cut(struct disk *d, struct disk_content *c)
{
	size_t unsure = c->len - c->synced, kept = dice_below(&d->dice, unsure);
	switch (dice_below(&d->dice, 3)) {
	case 0: /* the length was written, the octets were not */
		memset(c->octets + c->synced + kept, 0, unsure - kept);
		break;
	case 1: /* or were written wrongly */
		c->octets[c->synced + kept] ^= (uint8_t)dice_between(&d->dice, 1, UINT8_MAX);
		break;
	default: content_set_len(c, c->synced + kept); break;
	}
	c->synced = c->len;
}

/* ---- files ---- */

struct disk_file *
disk_find(struct disk *d, const char *name)
{
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		if (d->files[i].is_there && strcmp(d->files[i].name, name) == 0) {
			return &d->files[i];
		}
	}
	return NULL;
}

/* Also one that was there, or will be. */
static struct disk_file *
file_get(struct disk *d, const char *name)
{
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		if (strcmp(d->files[i].name, name) == 0) {
			return &d->files[i];
		}
	}
	size_t free_at = 0;
	while (free_at < DISK_FILES_MAX && d->files[free_at].name[0] != '\0') {
		free_at++;
	}
	ASSERT(free_at < DISK_FILES_MAX);
	d->files[free_at].is_name_synced = true;
	memcpy(d->files[free_at].name, name, strlen(name) + 1);
	return &d->files[free_at];
}

/* The name is about to mean something else. */
static void
file_leave(struct disk_file *f)
{
	if (f->is_name_synced) {
		f->was_there = f->is_there;
		f->before = f->now;
		f->now = (struct disk_content){ 0 };
		f->is_name_synced = false;
	}
	content_drop(&f->now);
}

static void
file_lose_power(struct disk *d, struct disk_file *f)
{
	size_t len = f->now.len;
	bool is_unsure = !f->is_name_synced || f->now.synced < len;
	if (!f->is_name_synced && dice_hits(&d->dice, 500)) {
		content_drop(&f->now);
		f->now = f->before;
		f->before = (struct disk_content){ 0 };
		f->is_there = f->was_there;
	}
	content_drop(&f->before);
	f->is_name_synced = true;
	f->is_hurt |= is_unsure;
	if (f->now.synced < f->now.len) {
		content_cut(d, &f->now);
	}
}

/* ---- the disk ---- */

void
disk_init(struct disk *d, uint64_t seed)
{
	*d = (struct disk){ .dice = { seed }, .fd = -1 };
}

void
disk_fini(struct disk *d)
{
	disk_close(d);
	content_drop(&d->new);
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		content_drop(&d->files[i].now);
		content_drop(&d->files[i].before);
	}
}

void
disk_select(struct disk *d)
{
	next_disk = d;
}

/* A file that was being written aside is removed at the next start, so it needs not stay. */
void
disk_close(struct disk *d)
{
	for (size_t i = 0; i < NODES_MAX; i++) {
		open_disks[i] = open_disks[i] == d ? NULL : open_disks[i];
	}
	d->fd = -1;
	d->is_dying = d->is_dead = false;
	d->aside[0] = '\0';
	content_drop(&d->new);
}

void
disk_lose_power(struct disk *d)
{
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		file_lose_power(d, &d->files[i]);
	}
}

void
disk_spoil(struct disk *d)
{
	struct disk_file *f = &d->files[dice_below(&d->dice, DISK_FILES_MAX)];
	for (size_t n = dice_between(&d->dice, 1, SPOILT_MAX); f->is_there && f->now.len != 0 && n != 0; n--) {
		f->now.octets[dice_below(&d->dice, f->now.len)] ^= (uint8_t)dice_between(&d->dice, 1, UINT8_MAX);
		f->is_hurt = true;
	}
}

void
disk_is_read(struct disk *d)
{
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		d->files[i].is_hurt = false;
	}
}

/* ---- ops/state_dir.h ---- */

static err_t
io_error(int why)
{
	errno = why;
	return E_IO;
}

/* How many of these octets are written before the process is killed, or the disk is full. */
static size_t
writable(struct disk *d, size_t n)
{
	size_t most = d->is_dead ? 0 : n;
	most = d->full != 0 ? dice_below(&d->dice, n + 1) : most;
	if (d->is_dying && most >= d->left) {
		most = d->left;
		d->is_dead = true;
	}
	d->left -= d->is_dying ? most : 0;
	return most;
}

static err_t
content_write(struct disk *d, struct disk_content *c, const uint8_t *octets, size_t n)
{
	size_t most = writable(d, n), at = c->len;
	content_set_len(c, at + most);
	memcpy(c->octets + at, octets, most);
	return most == n && d->full == 0 ? OK : io_error(ENOSPC);
}

err_t
state_dir_open(const char *path, const struct privs_who *user, int *dir, struct diag *diag)
{
	struct disk *d = next_disk;
	size_t i = 0;
	(void)path, (void)user, (void)diag;
	while (open_disks[i] != NULL) {
		i++;
	}
	open_disks[i] = d;
	*dir = d->fd = memfd_create("disk", MFD_CLOEXEC); /* it is closed as any directory is */
	ASSERT(*dir >= 0);
	return OK;
}

err_t
state_dir_each(int dir, const char *suffix, void (*each)(void *ctx, const char *name), void *ctx)
{
	struct disk *d = disk_of(dir);
	for (size_t i = 0; i < DISK_FILES_MAX; i++) {
		const struct disk_file *f = &d->files[i];
		size_t n = strlen(f->name), m = strlen(suffix);
		if (f->is_there && n > m && strcmp(f->name + n - m, suffix) == 0) {
			each(ctx, f->name);
		}
	}
	return OK;
}

err_t
state_file_open(int dir, const char *name, int *fd)
{
	const struct disk_file *f = disk_find(disk_of(dir), name);
	if (f == NULL) {
		return E_NOTFOUND;
	}
	*fd = memfd_create(name, MFD_CLOEXEC);
	ASSERT(*fd >= 0);
	ssize_t n = write(*fd, f->now.octets, f->now.len);
	ASSERT(n == (ssize_t)f->now.len);
	off_t at = lseek(*fd, 0, SEEK_SET);
	ASSERT(at == 0);
	return OK;
}

err_t
state_file_begin(int dir, const char *name, int *fd)
{
	struct disk *d = disk_of(dir);
	if (d->is_dead) {
		return io_error(EIO);
	}
	ASSERT(d->aside[0] == '\0');
	memcpy(d->aside, name, strlen(name) + 1);
	size_t i = 0;
	while (open_disks[i] != d) {
		i++;
	}
	*fd = ASIDE_FD + (int)i;
	return OK;
}

err_t
state_file_write(int fd, const uint8_t *octets, size_t n)
{
	struct disk *d = disk_of(fd);
	return content_write(d, &d->new, octets, n);
}

void
state_file_drop(int dir, const char *name, int fd)
{
	struct disk *d = disk_of(dir);
	(void)name, (void)fd;
	d->aside[0] = '\0';
	content_drop(&d->new);
}

err_t
state_file_put(int dir, const char *name, int fd)
{
	struct disk *d = disk_of(dir);
	if (d->is_dead || d->full != 0) {
		state_file_drop(dir, name, fd);
		return io_error(ENOSPC);
	}
	struct disk_file *f = file_get(d, name);
	file_leave(f);
	f->now = d->new;
	f->now.synced = f->now.len;
	f->is_there = true;
	f->is_hurt = false;
	d->new = (struct disk_content){ 0 };
	d->aside[0] = '\0';
	return OK;
}

err_t
state_file_append(int dir, const char *name, uint64_t at, const uint8_t *octets, size_t n)
{
	struct disk *d = disk_of(dir);
	struct disk_file *f = disk_find(d, name);
	if (d->is_dead) {
		return io_error(EIO);
	}
	if (f == NULL || f->now.len < at) {
		return E_STALE;
	}
	content_set_len(&f->now, at);
	err_t err = content_write(d, &f->now, octets, n);
	if (err != OK && !d->is_dead) {
		content_set_len(&f->now, at);
	}
	return err;
}

err_t
state_file_remove(int dir, const char *name)
{
	struct disk *d = disk_of(dir);
	struct disk_file *f = disk_find(d, name);
	if (d->is_dead) {
		return io_error(EIO);
	}
	if (f != NULL) {
		file_leave(f);
		f->is_there = false;
	}
	return OK;
}

/* Nobody reads it again. */
err_t
state_file_set_aside(int dir, const char *name)
{
	return state_file_remove(dir, name);
}

err_t
state_dir_damaged(int dir, unsigned *n)
{
	(void)dir;
	*n = 0;
	return OK;
}

err_t
state_dir_sync(int dir)
{
	struct disk *d = disk_of(dir);
	for (size_t i = 0; i < DISK_FILES_MAX && !d->is_dead; i++) {
		content_drop(&d->files[i].before);
		d->files[i].is_name_synced = true;
	}
	return OK;
}
