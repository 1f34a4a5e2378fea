#include "auth/marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/name.h"
#include "dns/serial.h"

/* Index of the name, or the index where it would be inserted. */
static size_t
index_of(const struct marks *m, const uint8_t *apex)
{
	size_t low = 0, high = m->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_compare(m->list[mid].apex, apex) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static bool
is_at(const struct marks *m, size_t i, const uint8_t *apex)
{
	return i < m->n && name_is_equal(m->list[i].apex, apex);
}

static void
remove_at(struct marks *m, size_t i)
{
	free(m->list[i].apex);
	memmove(m->list + i, m->list + i + 1, (m->n - i - 1) * sizeof *m->list);
	m->n--;
}

static int
compare_times(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;
	return *a < *b ? -1 : *a > *b;
}

/* Removes the oldest quarter at once: a table that stays full would else be walked for every new mark. */
static void
remove_oldest(struct marks *m)
{
	uint64_t *times = try_alloc(m->n * sizeof *times);
	size_t kept = 0;
	if (times == NULL) { /* no memory to find the oldest: removes any one */
		remove_at(m, m->n - 1);
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		times[i] = m->list[i].when;
	}
	qsort(times, m->n, sizeof *times, compare_times);
	for (size_t i = 0; i < m->n; i++) {
		if (m->list[i].when >= times[m->n / 4]) {
			m->list[kept++] = m->list[i];
		} else {
			free(m->list[i].apex);
		}
	}
	free(times);
	m->n = kept;
}

/* False: there is no memory, and no mark. */
static bool
insert(struct marks *m, const uint8_t *apex, uint32_t serial, uint64_t digest)
{
	if (m->n == MARKS_MAX) {
		remove_oldest(m);
	}
	size_t i = index_of(m, apex), len = name_len(apex);
	uint8_t *name = try_room(&m->list, sizeof *m->list, m->n, &m->cap) ? try_alloc(len) : NULL;
	if (name == NULL) {
		return false;
	}
	memmove(m->list + i + 1, m->list + i, (m->n - i) * sizeof *m->list);
	m->list[i] = (struct mark){ .apex = memcpy(name, apex, len), .serial = serial, .digest = digest, .when = m->times++ };
	m->n++;
	return true;
}

void
marks_fini(struct marks *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].apex);
	}
	free(m->list);
	*m = (struct marks){ 0 };
}

void
marks_note(struct marks *m, const uint8_t *apex, uint32_t serial, uint64_t digest)
{
	size_t i = index_of(m, apex);
	if (!is_at(m, i, apex)) {
		(void)insert(m, apex, serial, digest);
		return;
	}
	struct mark *mark = &m->list[i];
	mark->when = m->times++;
	if (serial_is_newer(serial, mark->serial)) {
		mark->serial = serial;
		mark->digest = digest;
		mark->is_hearsay = false;
	} else if (serial == mark->serial && digest != mark->digest) {
		mark->digest = 0;
	}
}

void
marks_note_past(struct marks *m, const uint8_t *apex, uint32_t serial)
{
	size_t i = index_of(m, apex);
	if (!is_at(m, i, apex)) {
		if (insert(m, apex, serial, 0)) {
			m->list[index_of(m, apex)].is_hearsay = true;
		}
	} else if (serial_is_newer(serial, m->list[i].serial)) {
		m->list[i].serial = serial;
		m->list[i].digest = 0;
		m->list[i].is_hearsay = true;
	}
}

const struct mark *
marks_find(const struct marks *m, const uint8_t *apex)
{
	size_t i = index_of(m, apex);
	return is_at(m, i, apex) ? &m->list[i] : NULL;
}

void
marks_drop(struct marks *m, const uint8_t *apex)
{
	size_t i = index_of(m, apex);
	if (is_at(m, i, apex)) {
		remove_at(m, i);
	}
}
