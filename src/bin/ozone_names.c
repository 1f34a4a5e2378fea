/* Lists the zones and keys for which one version has files. */
#include "bin/ozone.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct ozone_names {
	struct named {
		struct name apex;
		enum source_kind kind;
		char *path; /* owned */
	} *list;
	size_t n, cap;
};

struct ozone_names *
ozone_names_new(void)
{
	return xalloc(sizeof(struct ozone_names));
}

void
ozone_names_add(struct ozone_names *names, const struct job *job)
{
	if (names->n == names->cap) {
		names->cap = names->cap != 0 ? names->cap * 2 : 64;
		names->list = xrealloc(names->list, names->cap * sizeof *names->list);
	}
	names->list[names->n++] = (struct named){ .apex = job->apex, .kind = job->kind, .path = xstrdup(job->path) };
}

static int
compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	if (x->kind != y->kind) {
		return x->kind < y->kind ? -1 : 1;
	}
	int by_name = name_compare(x->apex.oct, y->apex.oct);
	return by_name != 0 ? by_name : strcmp(x->path, y->path);
}

static void
names_sort(struct ozone_names *names)
{
	if (names->n > 1) {
		qsort(names->list, names->n, sizeof *names->list, compare_names);
	}
}

void
ozone_names_free(struct ozone_names **names)
{
	for (size_t i = 0; i < (*names)->n; i++) {
		free((*names)->list[i].path);
	}
	free((*names)->list);
	free(*names);
	*names = NULL;
}

static bool
begins_zone(const struct ozone_names *names, size_t i)
{
	const struct named *a = &names->list[i];
	return a->kind == SOURCE_ZONE && (i == 0 || a[-1].kind != SOURCE_ZONE || !name_is_equal(a[-1].apex.oct, a->apex.oct));
}

size_t
ozone_names_zones(const struct ozone_names *names)
{
	size_t n = 0;
	for (size_t i = 0; i < names->n; i++) {
		n += begins_zone(names, i);
	}
	return n;
}

size_t
ozone_names_n(const struct ozone_names *names)
{
	return names->n;
}

const uint8_t *
ozone_names_zone_at(const struct ozone_names *names, size_t i)
{
	const struct named *at = &names->list[i];
	return at->kind == SOURCE_ZONE ? at->apex.oct : NULL;
}

size_t
ozone_names_missing(struct ozone_names *names, struct ozone_names *other, const char **first)
{
	size_t n = 0, k = 0;
	names_sort(names);
	names_sort(other);
	for (size_t i = 0; i < names->n; i++) {
		const struct named *x = &names->list[i];
		while (k < other->n && (other->list[k].kind < x->kind ||
		                        (other->list[k].kind == x->kind && name_compare(other->list[k].apex.oct, x->apex.oct) < 0))) {
			k++;
		}
		bool is_there = k < other->n && other->list[k].kind == x->kind && name_is_equal(other->list[k].apex.oct, x->apex.oct);
		if (begins_zone(names, i) && !is_there) {
			*first = n == 0 ? x->path : *first;
			n++;
		}
	}
	return n;
}

void
ozone_names_report(struct ozone_names **names, struct ozone *oz)
{
	const struct named *list = (*names)->list;
	names_sort(*names);
	for (size_t i = 1; i < (*names)->n; i++) {
		if (list[i].kind == list[i - 1].kind && name_is_equal(list[i].apex.oct, list[i - 1].apex.oct)) {
			report_file(oz->report, DIAG_ERROR, list[i].path, "zone-twice", "remove one of the two files",
			            "%s is a file for the same name", list[i - 1].path);
		}
	}
	report_end(oz->report);
	ozone_names_free(names);
}

/* The first zone that does not come before the name in canonical order; NULL: none. */
static const struct named *
find_from(const struct ozone_names *names, size_t zones, const uint8_t *name)
{
	size_t low = 0, high = zones;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_compare(names->list[mid].apex.oct, name) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low < zones ? &names->list[low] : NULL;
}

bool
ozone_names_concern(struct ozone_names *names, const uint8_t *name)
{
	size_t zones = ozone_names_zones(names);
	const struct named *found = find_from(names, zones, name); /* names below a name come right after it */
	bool is_concerned = zones == 0 || (found != NULL && name_is_within(found->apex.oct, name));
	while (!is_concerned && !name_is_root(name)) {
		name = name_parent(name);
		found = find_from(names, zones, name);
		is_concerned = found != NULL && name_is_equal(found->apex.oct, name);
	}
	return is_concerned;
}

void
ozone_note_zones(struct ozone *oz, const struct side *side, char *const *files, size_t n)
{
	oz->zones = ozone_names_new();
	for (size_t i = 0; i < n; i++) {
		struct job job = { .path = files[i] };
		job.kind = source_kind_of(side->ignore, job.path, &job.apex);
		if (job.kind == SOURCE_ZONE) {
			ozone_names_add(oz->zones, &job);
		}
	}
	names_sort(oz->zones);
}
