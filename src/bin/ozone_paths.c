/* Names of files that git cannot check out on some system, or that some system takes for one.  The primary serves such files; a warning. */
#include "bin/ozone.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/filename.h"

struct ozone_paths {
	struct named_path {
		char *path; /* owned */
		bool is_news;
	} *list;
	size_t n, cap;
};

struct ozone_paths *
ozone_paths_new(void)
{
	return xalloc(sizeof(struct ozone_paths));
}

static void
add(struct ozone_paths *p, const char *path, size_t len, bool is_news)
{
	if (p->n == p->cap) {
		p->cap = p->cap != 0 ? p->cap * 2 : 64;
		p->list = xrealloc(p->list, p->cap * sizeof *p->list);
	}
	p->list[p->n++] = (struct named_path){ .path = xstrndup(path, len), .is_news = is_news };
}

void
ozone_paths_add(struct ozone_paths *p, const char *path, bool is_news)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		add(p, path, (size_t)(slash - path), is_news); /* the directory; again and again, and taken for one later */
	}
	add(p, path, strlen(path), is_news);
}

static int
compare(const void *a, const void *b)
{
	const struct named_path *x = a, *y = b;
	int order = filename_compare(x->path, strlen(x->path), y->path, strlen(y->path));
	return order != 0 ? order : strcmp(x->path, y->path);
}

/* Sorted, and each once. */
static void
settle(struct ozone_paths *p)
{
	size_t kept = 0;
	if (p->n > 1) {
		qsort(p->list, p->n, sizeof *p->list, compare);
	}
	for (size_t i = 0; i < p->n; i++) {
		if (kept != 0 && strcmp(p->list[kept - 1].path, p->list[i].path) == 0) {
			p->list[kept - 1].is_news |= p->list[i].is_news;
			free(p->list[i].path);
		} else {
			p->list[kept++] = p->list[i];
		}
	}
	p->n = kept;
}

/* By its last part: what is before it is a path of its own. */
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
		if (at->is_news) {
			check_name(oz, at->path);
		}
		if (before != NULL && (at->is_news || before->is_news) && is_same(before, at)) {
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
