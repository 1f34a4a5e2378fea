/* Commits in, views out: a tree of files, the commits that change it, and what is served after each. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/primary.h"
#include "notes.h"
#include "octets.h"

#define SOA "$TTL 60\n@ SOA ns host %u 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"

enum { FILES_MAX = 9 };

#define SYMLINK "a link" /* in the place of a text: there is no file */

/* The tree that commits are made of: what is in it now, and what the last commit changed. */
struct tree {
	struct primary *primary;
	const char *path[FILES_MAX];
	char *text[FILES_MAX];
	unsigned events[FILE_IGNORED + 1]; /* of the last commit */
	size_t rejected_records;           /* of the last commit: how many were read of what was rejected */
	unsigned diagnostics;
	char where[256];                   /* of the last diagnostic: "file:line code" */
};

static inline void
on_report(void *ctx, const struct primary_report *r)
{
	struct tree *t = ctx;
	t->events[r->event]++;
	t->rejected_records += r->event == ZONE_REJECTED ? r->records : 0;
}

static inline void
on_diag(void *ctx, const struct diag *d)
{
	struct tree *t = ctx;
	t->diagnostics++;
	(void)snprintf(t->where, sizeof t->where, "%s:%u %s", d->file, d->line, d->code);
}

static inline err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct tree *t = ctx;
	for (int i = 0; i < FILES_MAX; i++) {
		if (t->path[i] != NULL && t->text[i] != NULL && strcmp(t->path[i], path) == 0) {
			*out = (struct master_text){ .text = t->text[i], .len = strlen(t->text[i]) };
			return OK;
		}
	}
	return E_NOTFOUND;
}

static inline void
close_file(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

static inline void
tree_init_conf(struct tree *t, const struct primary_conf *conf)
{
	*t = (struct tree){ 0 };
	struct primary_log log = { .report = on_report, .diag = { on_diag, t }, .ctx = t };
	t->primary = primary_new(conf, &log);
}

static inline void
tree_init_within(struct tree *t, size_t octets_max)
{
	const struct primary_conf conf = { .delete_zones_percent = 50, .delete_records_percent = 50, .delete_records_min = 100,
		                           .octets_max = octets_max };
	tree_init_conf(t, &conf);
}

static inline void
tree_init(struct tree *t)
{
	tree_init_within(t, 0);
}

static inline void
tree_fini(struct tree *t)
{
	for (int i = 0; i < FILES_MAX; i++) {
		free(t->text[i]);
	}
	primary_free(&t->primary);
}

/* The file has that text from now on (NULL: it is removed); the change that says so, without its octets. */
static inline struct source_change
tree_put(struct tree *t, const char *path, const char *text)
{
	int i = 0;
	while (i < FILES_MAX && t->path[i] != NULL && strcmp(t->path[i], path) != 0) {
		i++;
	}
	assert_true(i < FILES_MAX);
	t->path[i] = path;
	free(t->text[i]);
	t->text[i] = text != NULL ? strdup(text) : NULL;
	bool is_link = text != NULL && strcmp(text, SYMLINK) == 0;
	return (struct source_change){ .kind = text != NULL ? SOURCE_PUT : SOURCE_REMOVE, .path = path,
		                       .refused = is_link ? "it is a symbolic link" : NULL };
}

static inline enum primary_outcome
apply(struct tree *t, struct source_commit *c)
{
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	c->ctx = t;
	c->open = open_file;
	c->close = close_file;
	memset(t->events, 0, sizeof t->events);
	t->rejected_records = 0;
	t->diagnostics = 0;
	assert_int_equal(primary_apply(t->primary, c, &outcome, &view, &old), OK);
	assert_ptr_equal(view, primary_view(t->primary));
	assert_string_equal(view->commit, c->id);
	assert_int_equal(primary_kept_octets(t->primary), discard_octets(old));
	discard_free(&old);
	assert_octets_are_counted(t->primary);
	assert_notes_follow(t->primary);
	return outcome;
}

/* One change, as a commit; text NULL removes the file. */
static inline enum primary_outcome
commit(struct tree *t, const char *path, const char *text, bool allow)
{
	struct source_change change = tree_put(t, path, text);
	if (text != NULL && strchr(path, '/') == NULL) {
		change.bytes = (const uint8_t *)text;
		change.len = strlen(text);
	}
	struct source_commit c = { .id = "1234", .allow_mass_delete = allow, .changes = &change, .n = 1 };
	return apply(t, &c);
}

/* Several at once: pairs of path and text, NULL at the end. */
static inline enum primary_outcome
commit_many(struct tree *t, const char *const *pairs, bool allow, bool is_whole)
{
	struct source_change changes[FILES_MAX];
	struct source_commit c = { .id = "5678", .allow_mass_delete = allow, .changes = changes, .is_whole = is_whole };
	for (; pairs[0] != NULL; pairs += 2) {
		changes[c.n++] = tree_put(t, pairs[0], pairs[1]);
	}
	return apply(t, &c);
}

static inline const struct zone *
served(const struct tree *t, const char *name)
{
	struct name n;
	assert_int_equal(name_parse(name, strlen(name), NULL, &n), OK);
	return view_zone(primary_view(t->primary), n.oct);
}

static inline unsigned
serial(const struct tree *t, const char *name)
{
	const struct zone *z = served(t, name);
	return z != NULL ? z->serial : 0;
}
