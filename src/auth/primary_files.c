/* Keeps the list of the files that are zones, or hold keys or secondaries, sorted by path. */
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"
#include "zone/history.h"

/* Index of the path, or the index where it would be inserted. */
static size_t
file_index(const struct primary *p, const char *path)
{
	size_t low = 0, high = p->files_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(p->files[mid]->path, path) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

struct file *
file_find(const struct primary *p, const char *path)
{
	size_t i = file_index(p, path);
	return i < p->files_n && strcmp(p->files[i]->path, path) == 0 ? p->files[i] : NULL;
}

/* Tries the usual name of the zone's file first, since nearly all files have it. */
struct file *
primary_file_of(const struct primary *p, const uint8_t *apex)
{
	char path[NAME_TEXT_MAX];
	source_file_name(apex, path);
	struct file *f = file_find(p, path);
	if (f != NULL && f->kind == SOURCE_ZONE && name_is_equal(f->apex.oct, apex)) {
		return f;
	}
	bool is_served = view_zone(p->views.latest, apex) != NULL;
	for (size_t i = 0; is_served && i < p->files_n; i++) {
		f = p->files[i];
		if (f->kind == SOURCE_ZONE && f->zone != NULL && name_is_equal(f->apex.oct, apex)) {
			return f;
		}
	}
	return NULL;
}

struct file *
file_new(const char *path, enum source_kind kind, const struct name *apex)
{
	size_t len = strlen(path) + 1;
	struct file *f = try_alloc(sizeof *f);
	char *copy = try_alloc(len);
	if (f == NULL || copy == NULL) {
		free(f);
		free(copy);
		return NULL;
	}
	f->path = memcpy(copy, path, len);
	f->kind = kind;
	f->apex = *apex;
	return f;
}

void
file_free(struct primary *p, struct file *f)
{
	history_free_zone(&f->zone);
	keystore_free(&f->keys);
	secondaries_free(&f->secondaries);
	reads_fini(p, &f->reads);
	free(f->path);
	free(f);
}

err_t
file_reserve(struct primary *p, size_t n)
{
	if (n > p->files_cap - p->files_n) {
		size_t cap = 2 * p->files_cap > p->files_n + n ? 2 * p->files_cap : p->files_n + n;
		struct file **grown = realloc(p->files, cap * sizeof(struct file *));
		if (grown == NULL) {
			return E_NOMEM;
		}
		p->files = grown;
		p->files_cap = cap;
	}
	return OK;
}

void
file_insert(struct primary *p, struct file *f)
{
	size_t i = file_index(p, f->path);
	ASSERT(p->files_n < p->files_cap);
	memmove(p->files + i + 1, p->files + i, (p->files_n - i) * sizeof *p->files);
	p->files[i] = f;
	p->files_n++;
}

void
file_remove(struct primary *p, struct file *f)
{
	size_t i = file_index(p, f->path);
	memmove(p->files + i, p->files + i + 1, (p->files_n - i - 1) * sizeof *p->files);
	p->files_n--;
	file_set_hold(p, f, HOLD_NONE);
	file_set_wanted(p, f, 0);
	file_free(p, f);
}

void
file_set_hold(struct primary *p, struct file *f, enum file_hold hold)
{
	bool is_zone = f->kind == SOURCE_ZONE;
	size_t *held = is_zone ? &p->held_n : &p->held_keys_n;
	*held -= f->hold != HOLD_NONE;
	*held += hold != HOLD_NONE;
	f->hold = hold;
}

size_t
file_octets(const struct file *f)
{
	return f != NULL ? zone_octets(f->zone) + keystore_octets(f->keys) + secondaries_octets(f->secondaries) : 0;
}
