/* Warns of file names that git cannot check out on some system, and of two names that some system takes for the same.  The primary serves
 * such files. */
#include "bin/ozone.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/filename.h"

struct ozone_paths {
	struct named_path {
		char *path; /* owned */
		bool is_new;
	} *list;
	size_t n, cap;
};

struct ozone_paths *
ozone_paths_new(void)
{
	return xalloc(sizeof(struct ozone_paths));
}

static void
add(struct ozone_paths *p, const char *path, size_t len, bool is_new)
{
	if (p->n == p->cap) {
		p->cap = p->cap != 0 ? p->cap * 2 : 64;
		p->list = xrealloc(p->list, p->cap * sizeof *p->list);
	}
	p->list[p->n++] = (struct named_path){ .path = xstrndup(path, len), .is_new = is_new };
}

void
ozone_paths_add(struct ozone_paths *p, const char *path, bool is_new)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		add(p, path, (size_t)(slash - path), is_new); /* each directory; settle() removes duplicates */
	}
	add(p, path, strlen(path), is_new);
}

static int
compare(const void *a, const void *b)
{
	const struct named_path *x = a, *y = b;
	int order = filename_compare(x->path, strlen(x->path), y->path, strlen(y->path));
	return order != 0 ? order : strcmp(x->path, y->path);
}

/* Sorts the paths, and removes duplicates. */
static void
settle(struct ozone_paths *p)
{
	size_t kept = 0;
	if (p->n > 1) {
		qsort(p->list, p->n, sizeof *p->list, compare);
	}
	for (size_t i = 0; i < p->n; i++) {
		if (kept != 0 && strcmp(p->list[kept - 1].path, p->list[i].path) == 0) {
			p->list[kept - 1].is_new |= p->list[i].is_new;
			free(p->list[i].path);
		} else {
			p->list[kept++] = p->list[i];
		}
	}
	p->n = kept;
}

/* Checks the last part of a path; the directories before it are paths of their own in the list. */
static void
check_name(struct ozone *oz, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	const char *trouble = filename_trouble(name, strlen(name));
	if (trouble != NULL) {
		report_file(oz->report, DIAG_WARNING, path, "unportable-name", "git cannot check it out everywhere: rename it",
		            "the name %s", trouble);
	}
}

static bool
is_same(const struct named_path *a, const struct named_path *b)
{
	return filename_compare(a->path, strlen(a->path), b->path, strlen(b->path)) == 0;
}

void
ozone_paths_report(struct ozone_paths **paths, struct ozone *oz)
{
	struct ozone_paths *p = *paths;
	settle(p);
	for (size_t i = 0; i < p->n; i++) {
		struct named_path *at = &p->list[i], *before = i != 0 ? at - 1 : NULL;
		if (at->is_new) {
			check_name(oz, at->path);
		}
		if (before != NULL && (at->is_new || before->is_new) && is_same(before, at)) {
			report_file(oz->report, DIAG_WARNING, at->path, "name-clash", "a checkout there has one of the two: rename one",
			            "macOS or Windows takes it for %.200s", before->path);
		}
	}
	report_end(oz->report);
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].path);
	}
	free(p->list);
	free(p);
	*paths = NULL;
}
