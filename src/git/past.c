#include "git/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/walk.h"

struct version {
	char *path; /* owned */
	git_oid id;
};

struct past {
	const struct git_past_in *in;
	git_tree *head;
	struct version *list; /* newest first */
	size_t n, cap, entries;
	git_oid seen[PAST_COMMITS_MAX]; /* commits */
	size_t seen_n;
};

static git_tree *
tree_of(git_repository *repo, const git_oid *id)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	git_tree *tree = NULL;
	if (git_commit_lookup(&commit, repo, id) == 0 && git_commit_tree(&tree, commit) != 0) {
		return NULL;
	}
	return tree;
}

/* True when `head` has the same version of the file. */
static bool
is_in_head(const struct past *p, const struct tree_change *c)
{
	const git_tree_entry *e = git_tree_entry_byname(p->head, c->path);
	return e != NULL && memcmp(git_tree_entry_id(e)->id, c->id, sizeof c->id) == 0;
}

static err_t
add_version(void *ctx, const struct tree_change *c)
{
	struct past *p = ctx;
	if (c->what == TREE_REMOVED || c->kind != TREE_FILE || c->is_below_root || is_in_head(p, c)) {
		return OK;
	}
	if (p->n == PAST_FILES_MAX) {
		return E_STOPPED;
	}
	if (p->n == p->cap) {
		p->cap = p->cap != 0 ? 2 * p->cap : 64;
		p->list = xrealloc(p->list, p->cap * sizeof *p->list);
	}
	struct version *v = &p->list[p->n++];
	v->path = xstrdup(c->path);
	memcpy(v->id.id, c->id, sizeof c->id);
	return OK;
}

/* Adds the versions that a commit brought.  It is compared with its first parent, where the branch was before.  *id
 * becomes the parent.  False: there is no parent, or a limit is reached, or the commit cannot be read. */
static bool
add_commit(struct past *p, git_oid *id)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *old = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *new = tree_of(p->in->repo, id);
	struct diag diag = { 0 };
	if (new == NULL || git_commit_lookup(&commit, p->in->repo, id) != 0) {
		return false;
	}
	bool has_parent = git_commit_parentcount(commit) != 0;
	if (has_parent) {
		git_oid_cpy(id, git_commit_parent_id(commit, 0));
		old = tree_of(p->in->repo, id);
	}
	p->entries += git_tree_entrycount(new) + (old != NULL ? git_tree_entrycount(old) : 0);
	return p->entries <= PAST_ENTRIES_MAX && git_walk(p->in->repo, old, new, PAST_ENTRIES_MAX, add_version, p, &diag) == OK &&
	       has_parent;
}

static bool
is_seen(const struct past *p, const git_oid *id)
{
	for (size_t i = 0; i < p->seen_n; i++) {
		if (git_oid_equal(&p->seen[i], id)) {
			return true;
		}
	}
	return false;
}

/* Adds a commit and its ancestors (first parents only), up to one that was added before. */
static void
add_history(struct past *p, git_oid id)
{
	bool goes_on = true;
	while (goes_on && p->seen_n < PAST_COMMITS_MAX && !is_seen(p, &id)) {
		p->seen[p->seen_n++] = id;
		goes_on = add_commit(p, &id);
		p->in->alive(p->in->ctx);
	}
}

static void
add_ref(struct past *p, const char *ref)
{
	git_oid id;
	if (ref != NULL && git_reference_name_to_id(&id, p->in->repo, ref) == 0) {
		add_history(p, id);
	}
}

static void
add_log(struct past *p)
{
	git_reflog *log = NULL;
	/* The repository is not ours, and git_reflog_read() would make a log there if there is none. */
	if (p->in->branch == NULL || git_reference_has_log(p->in->repo, p->in->branch) != 1 ||
	    git_reflog_read(&log, p->in->repo, p->in->branch) != 0) {
		return;
	}
	size_t n = git_reflog_entrycount(log);
	for (size_t i = 0; i < n && i < PAST_LOG_MAX; i++) {
		add_history(p, *git_reflog_entry_id_new(git_reflog_entry_byindex(log, i)));
	}
	git_reflog_free(log);
}

/* The history of `head` comes first in the list, and so is told last: it was served after all histories that were left
 * behind. */
static void
gather(struct past *p)
{
	add_history(p, *p->in->head);
	add_ref(p, p->in->kept);
	add_ref(p, p->in->left);
	add_log(p);
}

static void
put_version(const struct past *p, const struct version *v, size_t limit, struct link_build *build)
{
	[[gnu::cleanup(git_free_object)]] git_odb_object *object = NULL;
	struct diag diag = { 0 };
	if (git_read_blob(p->in->repo, &v->id, v->path, limit, &object, &diag) != OK) {
		return;
	}
	size_t len = git_odb_object_size(object);
	const char *text = git_odb_object_data(object);
	size_t head = len < PAST_FILE_OCTETS ? len : PAST_FILE_OCTETS;
	link_build_put(build, LINK_ENTRY_PAST, v->path, strlen(v->path), text, head);
}

/* How many versions are within PAST_OCTETS_MAX, counted from the newest one: the newest matter most. */
static size_t
within_limit(const struct past *p)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	size_t octets = 0, n = 0;
	if (git_repository_odb(&odb, p->in->repo) != 0) {
		return 0;
	}
	for (; n < p->n; n++) {
		size_t len = 0;
		git_object_t type;
		octets += git_odb_read_header(&len, &type, odb, &p->list[n].id) == 0 ? len : 0;
		if (octets > PAST_OCTETS_MAX) {
			break;
		}
	}
	return n;
}

void
git_past_put(const struct git_past_in *in, struct link_build *build, uint64_t octets_max)
{
	struct past p = { .in = in, .head = tree_of(in->repo, in->head) };
	if (p.head != NULL) {
		gather(&p);
	}
	for (size_t i = within_limit(&p); i-- != 0 && build->err == OK && build->len + 2 * PAST_FILE_OCTETS < octets_max;) {
		put_version(&p, &p.list[i], PAST_OCTETS_MAX, build);
		if (i % 64 == 0) {
			in->alive(in->ctx);
		}
	}
	for (size_t i = 0; i < p.n; i++) {
		free(p.list[i].path);
	}
	free(p.list);
	git_free_tree(&p.head);
}

void
git_past_note(git_repository *repo, const char *left, const git_oid *old, const git_oid *head)
{
	if (!git_oid_equal(old, head) && git_graph_descendant_of(repo, head, old) != 1) {
		git_reference *made = NULL;
		(void)git_reference_create(&made, repo, left, old, 1, NULL);
		git_free_ref(&made);
	}
}
