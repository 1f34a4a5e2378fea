/* Lists the files that a commit concerns: those that it changes or removes, and those that must be read again because of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

/* Adds a file to the list.  The result is valid until the next call.  NULL: no memory. */
static struct pending *
plan_add(struct apply *a, struct file *f)
{
	if (!try_room(&a->list, sizeof *a->list, a->n, &a->cap)) {
		return NULL;
	}
	a->list[a->n] = (struct pending){ .file = f };
	f->planned = a->p->applied;
	plan_replaces(a, &f->reads);
	return &a->list[a->n++];
}

bool
plan_has(const struct apply *a, const struct file *f)
{
	return f->planned == a->p->applied;
}

err_t
plan_removal(struct apply *a, struct file *f)
{
	struct pending *d = plan_add(a, f);
	if (d == NULL) {
		return E_NOMEM;
	}
	d->is_removal = true;
	return OK;
}

err_t
plan_file(struct apply *a, struct file *f, const struct source_change *change, bool is_new)
{
	if (f == NULL) { /* there was no memory for it */
		return E_NOMEM;
	}
	struct file *from = f->kind == SOURCE_ZONE && f->zone == NULL ? hold_find_leaving(a, &f->apex) : NULL;
	struct pending *d = plan_add(a, f);
	if (d == NULL) {
		if (is_new) {
			file_free(a->p, f);
		}
		return E_NOMEM;
	}
	d->is_new = is_new;
	d->from = from;
	d->change = change;
	return memory_load(a, d);
}

static void
report_bad_name(const struct primary *p, const char *path)
{
	struct diag d;
	char text[DIAG_TEXT_MAX + sizeof "; " + DIAG_HINT_MAX];
	source_say_bad(path, &d);
	(void)snprintf(text, sizeof text, "%s; %s", d.text, d.hint);
	primary_report(p, &(struct primary_report){ .event = ZONE_REJECTED, .path = path, .text = text });
}

static err_t
plan_put(struct apply *a, const struct source_change *change)
{
	struct primary *p = a->p;
	struct name apex;
	enum source_kind kind = source_kind_of(p->next_ignore, change->path, &apex);
	if (kind == SOURCE_IGNORED) {
		primary_report(p, &(struct primary_report){ .event = FILE_IGNORED, .path = change->path });
	} else if (kind == SOURCE_BAD_NAME) {
		report_bad_name(p, change->path);
	}
	if (!source_kind_is_read(kind)) {
		return OK;
	}
	struct file *f = file_find(p, change->path);
	bool is_new = f == NULL;
	return plan_file(a, is_new ? file_new(change->path, kind, &apex) : f, change, is_new);
}

/* Plans the changed files of secondaries, or all other changed files. */
static err_t
plan_puts(struct apply *a, bool are_of_secondaries)
{
	const struct source_commit *c = a->commit;
	size_t len;
	for (size_t i = 0; i < c->n; i++) {
		bool is_of_secondaries = source_kind_by_end(c->changes[i].path, &len) == SOURCE_SECONDARIES;
		if (c->changes[i].kind == SOURCE_PUT && is_of_secondaries == are_of_secondaries) {
			TRY(plan_put(a, &c->changes[i]));
		}
	}
	return OK;
}

int
plan_compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the paths.  E_FORMAT: a path occurs twice; the file would be added twice, or changed after it was freed. */
static err_t
sort_paths(struct apply *a)
{
	const struct source_commit *c = a->commit;
	a->paths = try_alloc((c->n + 1) * sizeof *a->paths);
	if (a->paths == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < c->n; i++) {
		a->paths[i] = c->changes[i].path;
	}
	qsort(a->paths, c->n, sizeof *a->paths, plan_compare_paths);
	for (size_t i = 1; i < c->n; i++) {
		if (strcmp(a->paths[i - 1], a->paths[i]) == 0) {
			return E_FORMAT;
		}
	}
	return OK;
}

bool
plan_changes(const struct apply *a, const char *path)
{
	return bsearch(&path, a->paths, a->commit->n, sizeof *a->paths, plan_compare_paths) != NULL;
}

/* Plans files that were rejected because another file had the same zone, if the commit removes that other file. */
static err_t
plan_successors(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		struct file *f = p->files[i];
		if (f->kind == SOURCE_ZONE && f->zone == NULL && hold_is_leaving(a, &f->apex) && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}

/* Plans the removal of the files that a whole tree does not list. */
static err_t
plan_absent(struct apply *a)
{
	for (size_t i = 0; i < a->p->files_n; i++) {
		struct file *f = a->p->files[i];
		if (f->hold != HOLD_GONE && !plan_changes(a, f->path)) {
			TRY(plan_removal(a, f));
		}
	}
	return OK;
}

/* For a commit with the trailer: plans the files that are held because they lost too much in an earlier commit. */
static err_t
plan_shrunk(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n && p->held_n + p->held_keys_n != 0; i++) {
		struct file *f = p->files[i];
		if (f->hold == HOLD_SHRUNK && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}

/* Plans removals.  They come first, because the zone of a removed file may move to another file. */
static err_t
plan_removals(struct apply *a)
{
	const struct source_commit *c = a->commit;
	for (size_t i = 0; i < c->n; i++) {
		const char *path = c->changes[i].path;
		if (c->changes[i].kind == SOURCE_REMOVE || (strchr(path, '/') == NULL && source_is_ignored(a->p->next_ignore, path))) {
			struct file *f = file_find(a->p, path);
			TRY(f != NULL ? plan_removal(a, f) : OK);
		}
	}
	TRY(c->is_whole ? plan_absent(a) : ignored_plan_removals(a));
	TRY(hold_plan_gone(a));
	a->removals_n = a->n;
	return hold_list_leaving(a);
}

err_t
plan_commit(struct apply *a)
{
	const struct source_commit *c = a->commit;
	TRY(sort_paths(a));
	ignored_read_patterns(a);
	TRY(plan_removals(a));
	TRY(plan_puts(a, true)); /* first the secondaries: keys are read with the names that they mention */
	TRY(plan_puts(a, false));
	if (!c->is_whole) {
		TRY(ignored_plan_returns(a));
		TRY(plan_includers(a));
		TRY(plan_successors(a));
	}
	TRY(c->allow_mass_delete ? plan_shrunk(a) : OK);
	TRY(hold_plan_keys(a));
	TRY(plan_starved(a));
	TRY(memory_plan_again(a));
	TRY(limit_plan_again(a));
	TRY(memory_load_put_off(a));
	limit_reject(a);
	return OK;
}
