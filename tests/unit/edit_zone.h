/* A zone in files of memory, and what an update makes of them: for the tests of zone/edit.h. */
#pragma once

#include "zone_text.h"

#include "zone/edit.h"

enum { FILES_MAX = 8 };

struct zone_file {
	const char *path, *text; /* text NULL: there is no such file */
	size_t len;
	bool is_shared;          /* may not be edited */
};

/* The first is the zone's own. */
struct zone_files {
	struct zone_file file[FILES_MAX];
	size_t opened, closed;
	bool drops_outside;
	char trouble[DIAG_TEXT_MAX];
	struct zone_builder *builder;
};

static inline struct zone_file *
files_find(struct zone_files *f, const char *path)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (f->file[i].text != NULL && strcmp(f->file[i].path, path) == 0) {
			return &f->file[i];
		}
	}
	return NULL;
}

static inline err_t
files_open(void *ctx, const char *path, struct master_text *out)
{
	struct zone_files *f = ctx;
	const struct zone_file *found = files_find(f, path);
	if (found == NULL) {
		return E_NOTFOUND;
	}
	f->opened++;
	char *copy = malloc(found->len + 1); /* so that a use after the close is seen */
	assert_non_null(copy);
	memcpy(copy, found->text, found->len);
	*out = (struct master_text){ .text = copy, .len = found->len, .handle = copy };
	return OK;
}

static inline void
files_close(void *ctx, struct master_text *text)
{
	struct zone_files *f = ctx;
	f->closed++;
	free(text->handle);
}

static inline bool
files_may_edit(void *ctx, const char *path)
{
	const struct zone_file *found = files_find(ctx, path);
	return found == NULL || !found->is_shared;
}

static inline void
files_see(void *ctx, const struct diag *d)
{
	struct zone_files *f = ctx;
	if (d->level == DIAG_ERROR && f->trouble[0] == '\0') {
		snprintf(f->trouble, sizeof f->trouble, "%s:%u: %.400s", d->file, d->line, d->text);
	}
}

static inline struct master_reader
files_reader(struct zone_files *f, const struct diag_sink *sink, const uint8_t *apex)
{
	return (struct master_reader){ .apex = apex, .file = f->file[0].path, .ctx = f, .open = files_open, .close = files_close,
		                       .sink = sink, .drops_outside = f->drops_outside };
}

static inline err_t
files_build(void *ctx, const struct master_rr *rr)
{
	struct zone_files *f = ctx;
	return zone_builder_add(f->builder, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
}

/* What the files say, whether or not it is wise: zone/check.h is not asked.  NULL, and f->trouble, when they are no zone. */
static inline struct zone *
files_load(struct zone_files *f, const uint8_t *apex)
{
	struct zone *z = NULL;
	struct findings findings = { 0 };
	struct master_counts counts;
	const struct diag_sink sink = { files_see, f };
	struct master_reader r = files_reader(f, &sink, apex);
	r.record = files_build;
	f->trouble[0] = '\0';
	assert_int_equal(zone_builder_new(apex, &findings, &f->builder), OK);
	err_t err = master_read(&r, f->file[0].text, f->file[0].len, &counts);
	if (err == OK) {
		err = zone_builder_finish(f->builder, &z);
	}
	if (err != OK && f->trouble[0] == '\0') {
		snprintf(f->trouble, sizeof f->trouble, "%.400s", findings.n != 0 ? findings.list[0].text : err_str(err));
	}
	zone_builder_free(&f->builder);
	findings_fini(&findings);
	return z;
}

static inline err_t
see_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	str_cat(ctx, is_added ? "+ " : "- ");
	return text_print(ctx, rr);
}

/* What the files say must be the zone; `what` is told where it is not. */
static inline void
assert_files_say(struct zone_files *f, const struct zone *want, const char *what)
{
	struct str differences = { 0 };
	struct zone *got = files_load(f, want->apex_name);
	if (got == NULL) {
		fail_msg("%s: %s\n%.*s", what, f->trouble, (int)f->file[0].len, f->file[0].text);
		return;
	}
	assert_int_equal(zone_diff(want, got, see_difference, &differences), OK);
	if (differences.len != 0) {
		fail_msg("%s: %s\n%.*s", what, differences.s, (int)f->file[0].len, f->file[0].text);
	}
	str_fini(&differences);
	zone_free(&got);
}

/* Edits the files so that they say `new`. */
static inline err_t
files_edit(struct zone_files *f, const struct zone *old, const struct zone *new, struct edit *out, struct diag *why)
{
	struct zone_changes changes;
	const struct master_reader r = files_reader(f, NULL, new->apex_name);
	assert_int_equal(zone_changes_find(old, new, SIZE_MAX, &changes), OK);
	const struct edit_in in = { .source = &r, .text = f->file[0].text, .len = f->file[0].len, .old = old, .new = new,
		                    .changes = &changes, .may_edit = files_may_edit };
	f->opened = f->closed = 0;
	err_t err = edit_zone(&in, out, why);
	assert_int_equal(f->opened, f->closed);
	zone_changes_fini(&changes);
	return err;
}

/* The files with the edited ones in their places; the texts are those of `e`. */
static inline struct zone_files
files_after(const struct zone_files *f, const struct edit *e)
{
	struct zone_files after = *f;
	for (size_t i = 0; i < e->n; i++) {
		struct zone_file *file = files_find(&after, e->files[i].path);
		assert_non_null(file);
		file->text = e->files[i].text;
		file->len = e->files[i].len;
		assert_int_equal(strlen(file->text), file->len);
	}
	return after;
}
