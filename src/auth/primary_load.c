/* One file of a commit: text into a zone, or into keys. */
#include <stdlib.h>
#include <string.h>

#include "auth/load_keys.h"
#include "auth/primary_p.h"
#include "base/alloc.h"
#include "zone/load.h"

/* More changes than this part of a zone's records, and the new version is taken as it is, without a history.  Of a small zone all
 * may change. */
enum { CHANGES_PART = 16, CHANGES_MIN = 1000 };

struct loading {
	const struct source_commit *commit;
	struct pending *d;
};

void
free_paths(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(paths[i]);
	}
	free(paths);
}

/* Remembers the path, also of a file that cannot be read: when it comes, the zone is loaded again. */
static void
note_include(struct pending *d, const char *path)
{
	for (size_t i = 0; i < d->includes_n; i++) {
		if (strcmp(d->includes[i], path) == 0) {
			return;
		}
	}
	d->includes = xrealloc(d->includes, (d->includes_n + 1) * sizeof *d->includes);
	d->includes[d->includes_n++] = xstrdup(path);
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct loading *l = ctx;
	note_include(l->d, path);
	return l->commit->open(l->commit->ctx, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	struct loading *l = ctx;
	l->commit->close(l->commit->ctx, text);
}

static size_t
changes_max(const struct zone *served)
{
	return served->records / CHANGES_PART > CHANGES_MIN ? served->records / CHANGES_PART : CHANGES_MIN;
}

static err_t
load_text(struct loading *l, const struct primary *p, const struct master_text *text)
{
	struct pending *d = l->d;
	struct master_reader reader = {
		.apex = d->file->apex.oct, .file = d->file->path, .ctx = l, .open = open_include, .close = close_include,
		.sink = &p->log.diag, .drops_outside = d->file->kind == SOURCE_ZONE && p->conf.drops_outside,
	};
	struct load_result result = { 0 };
	err_t err = d->file->kind == SOURCE_KEYS ? keys_load(&reader, text->text, text->len, &d->keys, &result)
	                                         : zone_load(&reader, text->text, text->len, &d->zone, &result);
	d->counts = (struct load_counts){ .records = result.records, .errors = result.errors, .warnings = result.warnings };
	return err;
}

static err_t
reject(const struct primary *p, struct pending *d, const char *why)
{
	d->is_rejected = true;
	primary_report(p, &(struct primary_report){
	                          .event = d->file->kind == SOURCE_KEYS ? KEYS_REJECTED : ZONE_REJECTED,
	                          .path = d->file->path, .zone = pending_served(d), .records = d->counts.records,
	                          .errors = d->counts.errors, .warnings = d->counts.warnings, .text = why });
	return OK;
}

/* It has the name of a script or a document, and was never a zone here. */
static err_t
pass_over(const struct primary *p, struct pending *d)
{
	d->is_passed_over = true;
	primary_report(p, &(struct primary_report){ .event = FILE_IGNORED, .path = d->file->path,
	                                            .text = "named like a script or a document, and its text does not begin as a zone's" });
	return OK;
}

err_t
primary_load_file(const struct primary *p, const struct source_commit *c, const struct source_change *change,
                  struct pending *d)
{
	struct loading l = { .commit = c, .d = d };
	struct master_text text = { 0 };
	bool is_opened = change == NULL || change->bytes == NULL;

	bool is_doubtful = d->is_new && d->file->kind == SOURCE_ZONE && source_is_doubtful(p->next_ignore, d->file->path);
	if (change != NULL && change->refused != NULL) {
		return is_doubtful ? pass_over(p, d) : reject(p, d, change->refused);
	}
	if (!is_opened) {
		text = (struct master_text){ .text = (const char *)change->bytes, .len = change->len };
	} else {
		err_t err = c->open(c->ctx, d->file->path, &text);
		if (err != OK) {
			return reject(p, d, err_str(err));
		}
	}
	bool is_none = is_doubtful && !source_is_master(text.text, text.len);
	err_t err = is_none ? pass_over(p, d) : load_text(&l, p, &text);
	if (is_opened) {
		c->close(c->ctx, &text);
	}
	const struct zone *served = pending_served(d);
	if (err == OK && d->zone != NULL && served != NULL) {
		err = zone_changes_find(served, d->zone, changes_max(served), &d->changes);
	}
	if (err == OK) {
		return OK;
	}
	return err == E_FORMAT ? reject(p, d, "") : err == E_NOMEM || err == E_LIMIT ? reject(p, d, err_str(err)) : err;
}
