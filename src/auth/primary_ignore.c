/* Reads .originignore, and plans the files that a change of .originignore affects.
 *
 * A file that becomes ignored counts as removed, so the safety valve holds for it; a file that is no longer ignored counts as
 * new.  The commit names neither of them, so the names of ignored files are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

/* ---- names ---- */

static size_t
index_of(const struct ignored *t, const char *path, bool *is_there)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(t->list[mid], path) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	*is_there = low < t->n && strcmp(t->list[low], path) == 0;
	return low;
}

/* Without memory the name is left out: then a file that .originignore takes back is served only after its next push, or after a
 * restart. */
static void
insert(struct ignored *t, const char *path)
{
	bool is_there;
	size_t i = index_of(t, path, &is_there), len = strlen(path) + 1;
	char *copy = is_there || path[0] == '.' || !try_room(&t->list, sizeof *t->list, t->n, &t->cap) ? NULL : try_alloc(len);
	if (copy != NULL) {
		memmove(t->list + i + 1, t->list + i, (t->n - i) * sizeof *t->list);
		t->list[i] = memcpy(copy, path, len);
		t->n++;
	}
}

static void
take(struct ignored *t, const char *path)
{
	bool is_there;
	size_t i = index_of(t, path, &is_there);
	if (is_there) {
		free(t->list[i]);
		memmove(t->list + i, t->list + i + 1, (t->n - i - 1) * sizeof *t->list);
		t->n--;
	}
}

void
ignored_fini(struct ignored *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->list[i]);
	}
	free(t->list);
	*t = (struct ignored){ 0 };
}

/* ---- the file ---- */

static bool
say_bad(const struct apply *a, const char *why)
{
	primary_report(a->p, &(struct primary_report){ .event = ZONE_REJECTED, .path = IGNORE_FILE, .errors = 1, .text = why });
	return false;
}

/* False: the old patterns stay. */
static bool
read_file(struct apply *a, const struct source_change *change)
{
	const struct source_commit *c = a->commit;
	struct master_text text = { .text = (const char *)change->bytes, .len = change->len };
	bool is_opened = change->bytes == NULL;
	if (change->refused != NULL) {
		return say_bad(a, change->refused);
	}
	err_t err = is_opened ? c->open(c->ctx, change->path, &text) : OK;
	if (err != OK) {
		return say_bad(a, err_str(err));
	}
	err = ignore_read(text.text, text.len, &a->ignore);
	if (is_opened) {
		c->close(c->ctx, &text);
	}
	return err == OK || say_bad(a, err == E_NOMEM ? err_str(err) : "it is larger than 64 KiB, or has more than 1000 patterns");
}

void
ignored_read_patterns(struct apply *a)
{
	const struct source_commit *c = a->commit;
	a->is_ignore_new = c->is_whole;
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->changes[i].path, IGNORE_FILE) == 0) {
			a->is_ignore_new = c->changes[i].kind == SOURCE_REMOVE || read_file(a, &c->changes[i]);
		}
	}
	a->p->next_ignore = a->is_ignore_new ? a->ignore : a->p->ignore;
}

/* ---- consequences for files ---- */

err_t
ignored_plan_removals(struct apply *a)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n && a->is_ignore_new; i++) {
		struct file *f = p->files[i];
		if (f->hold != HOLD_GONE && !plan_changes(a, f->path) && source_is_ignored(p->next_ignore, f->path)) {
			TRY(plan_removal(a, f));
		}
	}
	return OK;
}

bool
ignored_comes_back(const struct apply *a, const char *path)
{
	bool is_there = false;
	if (a->is_ignore_new && !a->commit->is_whole) {
		(void)index_of(&a->p->ignored_files, path, &is_there);
	}
	return is_there && !source_is_ignored(a->p->next_ignore, path);
}

err_t
ignored_plan_returns(struct apply *a)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->ignored_files.n && a->is_ignore_new; i++) {
		const char *path = p->ignored_files.list[i];
		struct name apex;
		enum source_kind kind = source_kind_of(p->next_ignore, path, &apex);
		if (source_kind_is_read(kind) && !plan_changes(a, path)) {
			struct file *f = file_find(p, path);
			TRY(plan_file(a, f != NULL ? f : file_new(path, kind, &apex), NULL, f == NULL));
		}
	}
	return OK;
}

/* Updates the list for files that the commit does not name, but that are ignored from now on, or no longer. */
static void
look_again(struct apply *a)
{
	struct ignored *t = &a->p->ignored_files;
	for (size_t i = t->n; i != 0; i--) {
		if (!source_is_ignored(a->p->next_ignore, t->list[i - 1])) {
			take(t, t->list[i - 1]);
		}
	}
	for (size_t i = 0; i < a->removals_n; i++) {
		const struct file *f = a->list[i].file;
		if (!plan_changes(a, f->path) && f->hold != HOLD_GONE) {
			insert(t, f->path);
		}
	}
}

void
ignored_commit(struct apply *a)
{
	const struct source_commit *c = a->commit;
	struct primary *p = a->p;
	if (c->is_whole) {
		ignored_fini(&p->ignored_files);
	} else if (a->is_ignore_new) {
		look_again(a);
	}
	for (size_t i = 0; i < c->n; i++) {
		const char *path = c->changes[i].path;
		bool is_there = c->changes[i].kind == SOURCE_PUT && strchr(path, '/') == NULL;
		if (is_there && source_is_ignored(p->next_ignore, path)) {
			insert(&p->ignored_files, path);
		} else {
			take(&p->ignored_files, path);
		}
	}
	for (size_t i = a->removals_n; i < a->n; i++) {
		if (a->list[i].is_ignored) {
			insert(&p->ignored_files, a->list[i].file->path);
		}
	}
	if (a->is_ignore_new) {
		ignore_free(&p->ignore);
		p->ignore = a->ignore;
		a->ignore = NULL;
	}
}
