/* The commit that a primary serves, and what it learns of those before. */
#include <stdio.h>
#include <string.h>

#include "git.h"

enum { SIGNED_AGE = 3600 };

void
git_commit_id(unsigned commit, char out[65])
{
	(void)snprintf(out, 65, "%040u", commit);
}

err_t
git_open_file(void *ctx, const char *path, struct master_text *out)
{
	const struct git *g = ctx;
	const char *text = tree_get(&g->served, path);
	if (text == NULL) {
		return E_NOTFOUND;
	}
	*out = (struct master_text){ .text = text, .len = strlen(text) };
	return OK;
}

static err_t
open_none(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx, (void)path, (void)out;
	return E_NOTFOUND;
}

void
git_close_file(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

void
git_note_signed(const struct git *g)
{
	uint64_t now_s = WALL_S + g->node->world->now_ns / SECOND;
	for (unsigned at = g->remote->head; at != 0; at = g->remote->commits[at].parent) {
		const struct commit_note *c = &g->remote->commits[at];
		for (size_t i = 0; i < c->signed_n; i++) {
			const struct commit_signed *s = &c->signed_until[i];
			if (s->at_s + SIGNED_AGE > now_s) {
				updater_note_signed(g->updater, s->key, strlen(s->key), s->at_s);
			}
		}
	}
}

static bool
is_changed(const struct git *g, const struct tree_file *f, bool is_whole)
{
	const char *before = tree_get(&g->served, f->path);
	if (is_whole || before == NULL || f->text == NULL) {
		return f->text != NULL || (!is_whole && before != NULL);
	}
	return strcmp(before, f->text) != 0;
}

void
git_take_over(struct git *g, bool is_whole)
{
	struct source_change changes[TREE_FILES_MAX];
	struct source_commit c = { .changes = changes, .is_whole = is_whole, .now_s = node_now(g->node).wall_s, .open = open_none, .close = git_close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (size_t i = 0; i < TREE_FILES_MAX && g->seen.files[i].path[0] != '\0'; i++) {
		const struct tree_file *f = &g->seen.files[i];
		if (is_changed(g, f, is_whole)) {
			changes[c.n++] = (struct source_change){ .kind = f->text != NULL ? SOURCE_PUT : SOURCE_REMOVE, .path = f->path,
				                                 .bytes = (const uint8_t *)f->text, .len = f->text != NULL ? strlen(f->text) : 0 };
		}
	}
	git_commit_id(g->seen_head, c.id);
	err_t err = primary_apply(g->node->primary, &c, &outcome, &view, &old);
	ASSERT(err == OK && outcome == PRIMARY_APPLIED);
	tree_copy(&g->served, &g->seen);
	g->commit = g->seen_head;
	tell_changes(g->node, view, &old);
	people_note(g->node);
}
