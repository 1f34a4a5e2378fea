/* Makes sides of revisions of a repository, and jobs for the files that differ between two of them. */
#include "bin/ozone.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "git/tree.h"

/* Paths or names, in the order of strcmp(), which is not quite git's. */
struct texts {
	char **list; /* owned, and what it points to */
	size_t n, cap;
};

struct repo {
	struct tree_repo *repo;
	struct tree *now, *was; /* `was` is NULL when there is nothing to compare with */
	struct side now_side, was_side;
	struct texts now_files, was_files; /* files of the root */
	struct texts changed, added;       /* paths at any depth: all that differ, and the new ones among them */
};

static void
texts_add(struct texts *t, const char *text, size_t len)
{
	if (t->n == t->cap) {
		t->cap = t->cap != 0 ? t->cap * 2 : 64;
		t->list = xrealloc(t->list, t->cap * sizeof *t->list);
	}
	t->list[t->n++] = xstrndup(text, len);
}

static int
compare_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static void
texts_sort(struct texts *t)
{
	if (t->n > 1) {
		qsort(t->list, t->n, sizeof *t->list, compare_text);
	}
}

static bool
has_text(const struct texts *t, const char *text)
{
	return t->n != 0 && bsearch(&text, t->list, t->n, sizeof *t->list, compare_text) != NULL;
}

static void
texts_fini(struct texts *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->list[i]);
	}
	free(t->list);
}

static void
repo_fini(struct repo *r)
{
	ozone_side_fini(&r->now_side);
	ozone_side_fini(&r->was_side);
	texts_fini(&r->changed);
	texts_fini(&r->added);
	texts_fini(&r->now_files);
	texts_fini(&r->was_files);
	tree_close(&r->now);
	tree_close(&r->was);
	tree_repo_close(&r->repo);
}

static err_t
open_in_tree(void *ctx, const char *path, struct master_text *out, struct diag *why)
{
	struct tree_blob blob;
	TRY(tree_read(ctx, path, OZONE_FILE_MAX, &blob, why));
	*out = (struct master_text){ .text = blob.text, .len = blob.len, .handle = blob.handle };
	return OK;
}

static void
close_in_tree(void *ctx, struct master_text *text)
{
	struct tree_blob blob = { .text = text->text, .len = text->len, .handle = text->handle };
	(void)ctx;
	tree_blob_free(&blob);
	*text = (struct master_text){ 0 };
}

static struct side
side_over(struct tree *t)
{
	return (struct side){ .ctx = t, .open = open_in_tree, .close = close_in_tree, .includes = xalloc(sizeof(struct includes)) };
}

/* ---- what changed ---- */

static err_t
note_change(void *ctx, const struct tree_change *c)
{
	struct repo *r = ctx;
	texts_add(&r->changed, c->path, c->path_len);
	if (c->what == TREE_ADDED) {
		texts_add(&r->added, c->path, c->path_len);
	}
	return OK;
}

static void
list_files(const struct tree *t, struct texts *out)
{
	for (size_t i = 0; i < tree_entry_n(t); i++) {
		const struct tree_entry *e = tree_entry_at(t, i);
		if (e->kind == TREE_FILE) {
			texts_add(out, e->name, strlen(e->name));
		}
	}
	texts_sort(out);
}

/* ---- which zones read a changed file ---- */

struct reading {
	const struct repo *r;
	struct side *side;
	bool is_concerned;
};

static err_t
skip_record(void *ctx, const struct master_rr *rr)
{
	const struct reading *reading = ctx;
	(void)rr;
	return reading->is_concerned ? E_STOPPED : OK;
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct reading *reading = ctx;
	reading->is_concerned = reading->is_concerned || has_text(&reading->r->changed, path);
	return reading->is_concerned ? E_NOTFOUND : ozone_side_open(reading->side, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	const struct reading *reading = ctx;
	ozone_side_close(reading->side, text);
}

/* True when the text has this word; any other text need not be read. */
static bool
has_include(const struct master_text *text)
{
	static const char word[] = "$include";
	const char *at = text->text, *end = text->text + text->len;
	while ((at = memchr(at, '$', (size_t)(end - at))) != NULL) {
		if ((size_t)(end - at) >= sizeof word - 1 && strncasecmp(at, word, sizeof word - 1) == 0) {
			return true;
		}
		at++;
	}
	return false;
}

/* True when a file, which has not changed, includes one that has.  Otherwise its includes are counted here against the limit for all
 * zones, because the file will not be read again. */
static bool
includes_changed(struct ozone *oz, const struct repo *r, const struct job *job)
{
	struct master_allowance left = oz->includes;
	struct reading reading = { .r = r, .side = job->new };
	struct master_text text;
	struct diag why;
	if (job->new->open(job->new->ctx, job->path, &text, &why) != OK) {
		return true; /* the job will report why it cannot be read */
	}
	if (has_include(&text)) {
		struct master_counts counts;
		struct master_reader reader = {
			.apex = job->apex.oct, .file = job->path, .ctx = &reading, .record = skip_record,
			.open = open_include, .close = close_include, .allowance = &left,
			.is_of_keys = job->kind == SOURCE_KEYS, .has_default_ttl = job->kind != SOURCE_ZONE,
		};
		err_t err = master_read(&reader, text.text, text.len, &counts);
		(void)err; /* a bad file was bad before */
	}
	job->new->close(job->new->ctx, &text);
	if (!reading.is_concerned && !job->is_context) {
		oz->includes = left;
	}
	return reading.is_concerned;
}

/* ---- jobs ---- */

/* True for a file of a zone, of keys or of secondaries.  An entry that should be one and cannot be is reported, if it has changed. */
static bool
is_candidate(struct ozone *oz, struct job *job, const struct tree_entry *e, bool is_changed)
{
	struct name apex;
	if (e->kind == TREE_DIR || source_is_ignored(job->new->ignore, e->name)) {
		return false;
	}
	if (e->kind != TREE_FILE) {
		if (is_changed) {
			report_file(oz->report, DIAG_ERROR, e->name, "not-a-file",
			            "zones are files; for one zone's records in another, write $INCLUDE",
			            "a %s is not followed", e->kind == TREE_SYMLINK ? "symbolic link" : "submodule");
		}
		return false;
	}
	if (source_kind_of(job->new->ignore, e->name, &apex) == SOURCE_BAD_NAME && !is_changed) {
		return false;
	}
	return ozone_job_name(oz, job, e->name);
}

static bool
is_concerned(struct ozone *oz, const struct repo *r, const struct job *job)
{
	return r->was == NULL || has_text(&r->changed, job->path) || source_is_ignored(r->was_side.ignore, job->path) ||
	       includes_changed(oz, r, job);
}

static bool
is_of_rights(enum source_kind kind)
{
	return kind == SOURCE_KEYS || kind == SOURCE_SECONDARIES;
}

/* Notes whether a file of keys or secondaries was added, changed or removed. */
static void
note_changed_rights(struct ozone *oz, const struct repo *r)
{
	struct name apex;
	for (size_t i = 0; i < r->changed.n && !oz->rights.is_changed; i++) {
		oz->rights.is_changed = is_of_rights(source_kind_of(r->now_side.ignore, r->changed.list[i], &apex));
	}
}

/* Reads unchanged files of keys and secondaries before the changed ones.  So a key that is in both is reported in the changed file. */
static err_t
read_context(struct ozone *oz, struct repo *r)
{
	err_t err = OK;
	for (size_t i = 0; err == OK && i < r->now_files.n; i++) {
		struct job job = { .path = r->now_files.list[i], .new = &r->now_side, .is_context = true };
		job.kind = source_kind_of(r->now_side.ignore, job.path, &job.apex);
		if (is_of_rights(job.kind) && !is_concerned(oz, r, &job)) {
			err = ozone_job(oz, &job);
		}
	}
	return err;
}

/* Checks an entry of the new root directory. */
static err_t
check_entry(struct ozone *oz, struct repo *r, const struct tree_entry *e, struct ozone_names *names)
{
	struct job job = { .path = e->name, .old_path = e->name, .new = &r->now_side, .is_compared = r->was != NULL };
	bool is_changed = r->was == NULL || has_text(&r->changed, e->name);
	if (!is_candidate(oz, &job, e, is_changed)) {
		return OK;
	}
	ozone_names_add(names, &job);
	if (!is_concerned(oz, r, &job)) {
		return OK;
	}
	bool was_there = r->was != NULL && has_text(&r->was_files, e->name) && !source_is_ignored(r->was_side.ignore, e->name);
	job.old = was_there ? &r->was_side : NULL;
	return ozone_job(oz, &job);
}

static err_t
check_removed(struct ozone *oz, struct repo *r, const struct tree_entry *e, struct ozone_names *names)
{
	struct job job = { .path = e->name, .old_path = e->name, .old = &r->was_side, .is_compared = true, .is_listed = true };
	job.kind = source_kind_of(r->was_side.ignore, e->name, &job.apex);
	bool was_checked = e->kind == TREE_FILE && source_kind_is_read(job.kind);
	if (was_checked) {
		ozone_names_add(names, &job);
	}
	bool is_there = has_text(&r->now_files, e->name) && !source_is_ignored(r->now_side.ignore, e->name);
	return was_checked && !is_there ? ozone_job(oz, &job) : OK;
}

struct path_walk {
	const struct repo *r;
	struct ozone_paths *paths;
};

static err_t
note_path(void *ctx, const struct tree_change *c)
{
	const struct path_walk *walk = ctx;
	[[gnu::cleanup(free_ptr)]] char *path = xstrndup(c->path, c->path_len);
	ozone_paths_add(walk->paths, path, walk->r->was == NULL || has_text(&walk->r->added, path));
	return OK;
}

/* Checks the paths of the whole tree, since a new name may clash with an old one.  A tree that cannot be walked was reported before. */
static void
check_paths(struct ozone *oz, const struct repo *r)
{
	[[gnu::cleanup(tree_close)]] struct tree *nothing = NULL;
	struct path_walk walk = { .r = r };
	struct diag why;
	if ((r->was != NULL && r->added.n == 0) || tree_open(r->repo, NULL, &nothing, &why) != OK) {
		return;
	}
	walk.paths = ozone_paths_new();
	(void)!tree_diff(nothing, r->now, note_path, &walk, &why);
	ozone_paths_report(&walk.paths, oz);
}

static err_t
check_trees(struct ozone *oz, struct repo *r)
{
	struct ozone_names *names = ozone_names_new(), *old_names = ozone_names_new();
	size_t n = tree_entry_n(r->now);
	err_t err = read_context(oz, r);
	for (size_t i = 0; err == OK && i < n; i++) {
		const struct tree_entry *e = tree_entry_at(r->now, i);
		report_progress(oz->report, e->name, i + 1, n);
		err = check_entry(oz, r, e, names);
		report_end(oz->report);
	}
	for (size_t i = 0; err == OK && r->was != NULL && i < tree_entry_n(r->was); i++) {
		err = check_removed(oz, r, tree_entry_at(r->was, i), old_names);
	}
	check_paths(oz, r);
	ozone_valve_zones(oz, old_names, names);
	ozone_valve_keys(oz, names);
	ozone_names_free(&old_names);
	ozone_names_report(&names, oz);
	return err;
}

static err_t
open_trees(struct repo *r, const struct ozone_revs *revs, struct diag *why)
{
	TRY(tree_repo_open(revs->dir, &r->repo, why));
	TRY(tree_open(r->repo, revs->new, &r->now, why));
	r->now_side = side_over(r->now);
	list_files(r->now, &r->now_files);
	if (revs->has_old) {
		TRY(tree_open(r->repo, revs->old, &r->was, why));
		r->was_side = side_over(r->was);
		list_files(r->was, &r->was_files);
		TRY(tree_diff(r->was, r->now, note_change, r, why));
		texts_sort(&r->changed);
		texts_sort(&r->added);
	}
	return OK;
}

err_t
ozone_repo(struct ozone *oz, const struct ozone_revs *revs)
{
	[[gnu::cleanup(repo_fini)]] struct repo r = { 0 };
	struct diag why = { 0 };
	err_t err = open_trees(&r, revs, &why);
	if (err != OK) {
		cli_error("%s", why.text[0] != '\0' ? why.text : err_str(err));
		if (why.hint[0] != '\0') {
			cli_hint("%s", why.hint);
		}
		return E_IO;
	}
	if (r.was != NULL) {
		oz->allows_mass_delete |= tree_allows_mass_delete(r.was, r.now);
		oz->valve_level = tree_id(r.now)[0] != '\0' ? DIAG_ERROR : DIAG_WARNING;
	}
	report_begin(oz->report, "");
	ozone_side_ignore(oz, &r.now_side);
	if (r.was != NULL) {
		ozone_side_ignore(NULL, &r.was_side);
	}
	ozone_note_zones(oz, &r.now_side, r.now_files.list, r.now_files.n);
	note_changed_rights(oz, &r);
	err = ozone_note_rights(oz, &r.now_side, r.now_files.list, r.now_files.n);
	return err == OK ? check_trees(oz, &r) : err;
}
