#include "git/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "git/walk.h"

struct version {
	char *path; /* owned */
	git_oid id;
};

struct past {
	const struct git_past_in *in;
	git_tree *head;
	struct version *list; /* newest first */
	size_t n, cap;
	struct part {
		size_t commits, entries, versions;
	} part;               /* what there is of this part: the limits are for each */
	git_oid seen[2 * PAST_COMMITS_MAX]; /* commits of both parts */
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
	if (p->part.versions == PAST_FILES_MAX) {
		return E_STOPPED;
	}
	p->part.versions++;
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
	p->part.entries += git_tree_entrycount(new) + (old != NULL ? git_tree_entrycount(old) : 0);
	return p->part.entries <= PAST_ENTRIES_MAX && git_walk(p->in->repo, old, new, PAST_ENTRIES_MAX, add_version, p, &diag) == OK &&
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
	while (goes_on && p->part.commits < PAST_COMMITS_MAX && !is_seen(p, &id)) {
		p->part.commits++;
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
 * behind.  Returns how many versions it has. */
static size_t
gather(struct past *p)
{
	add_history(p, *p->in->head);
	size_t own = p->n;
	p->part = (struct part){ 0 };
	add_ref(p, p->in->kept);
	add_ref(p, p->in->left);
	add_log(p);
	return own;
}

static void
past_fini(struct past *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].path);
	}
	free(p->list);
	git_free_tree(&p->head);
}

/* ---- telling ---- */

/* The beginning of a version.  *text is good as long as *object is. */
static bool
read_version(const struct past *p, const struct version *v, git_odb_object **object, const void **text, size_t *len)
{
	struct diag diag = { 0 };
	if (git_read_blob(p->in->repo, &v->id, v->path, PAST_OCTETS_MAX, object, &diag) != OK) {
		return false;
	}
	*text = git_odb_object_data(*object);
	*len = git_odb_object_size(*object);
	*len = *len < PAST_FILE_OCTETS ? *len : PAST_FILE_OCTETS;
	return true;
}

static void
put_version(const struct past *p, const struct version *v, struct link_build *build)
{
	[[gnu::cleanup(git_free_object)]] git_odb_object *object = NULL;
	const void *text;
	size_t len;
	if (read_version(p, v, &object, &text, &len)) {
		link_build_put(build, LINK_ENTRY_PAST, v->path, strlen(v->path), text, len);
	}
}

/* Octets that the version takes in a link_build; `len`: its full length. */
static uint64_t
told_octets(const struct version *v, size_t len)
{
	uint64_t octets = sizeof(struct link_entry) + strlen(v->path) + 1 + (len < PAST_FILE_OCTETS ? len : PAST_FILE_OCTETS);
	return (octets + 7) / 8 * 8;
}

/* Of the versions [from, to) the end of those that are within PAST_OCTETS_MAX and have room in *room octets, counted from the newest one:
 * the newest matter most.  *room becomes what they leave. */
static size_t
within_limit(const struct past *p, size_t from, size_t to, uint64_t *room)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	size_t octets = 0, at = from;
	if (git_repository_odb(&odb, p->in->repo) != 0) {
		return from;
	}
	for (; at < to; at++) {
		size_t len = 0;
		git_object_t type;
		octets += git_odb_read_header(&len, &type, odb, &p->list[at].id) == 0 ? len : 0;
		uint64_t told = told_octets(&p->list[at], len);
		if (octets > PAST_OCTETS_MAX || told > *room) {
			break;
		}
		*room -= told;
	}
	return at;
}

static void
put_part(const struct past *p, size_t from, size_t to, struct link_build *build)
{
	for (size_t i = to; i-- > from && build->err == OK;) {
		put_version(p, &p->list[i], build);
		if (i % 64 == 0) {
			p->in->alive(p->in->ctx);
		}
	}
}

/* The branch's own history takes of the room first.  It is told last. */
static void
put_within(const struct past *p, size_t own, struct link_build *build, uint64_t room)
{
	size_t own_end = within_limit(p, 0, own, &room);
	size_t left_end = within_limit(p, own, p->n, &room);
	put_part(p, own, left_end, build);
	put_part(p, 0, own_end, build);
}

void
git_past_put(const struct git_past_in *in, struct link_build *build, uint64_t octets_max)
{
	struct past p = { .in = in, .head = tree_of(in->repo, in->head) };
	if (p.head != NULL && build->len < octets_max) {
		size_t own = gather(&p);
		put_within(&p, own, build, octets_max - build->len);
	}
	past_fini(&p);
}

/* ---- leaving ---- */

/* Our commits, while they are made.  Each has versions of different files; later versions of the same files go into the
 * next one. */
struct chain {
	git_odb *odb;
	git_treebuilder *files; /* of the next commit */
	char tip[GIT_OID_HEXSZ + 1]; /* the last commit; "": none yet */
};

static void
chain_fini(struct chain *c)
{
	git_treebuilder_free(c->files);
	git_free_odb(&c->odb);
}

/* Returns libgit2's value, as add_link() does. */
static int
end_commit(struct chain *c)
{
	[[gnu::cleanup(str_fini)]] struct str text = { 0 };
	char tree[GIT_OID_HEXSZ + 1];
	git_oid id;
	int ret = git_treebuilder_write(&id, c->files);
	if (ret != 0) {
		return ret;
	}
	git_oid_tostr(tree, sizeof tree, &id);
	str_printf(&text, "tree %s\n", tree);
	if (c->tip[0] != '\0') {
		str_printf(&text, "parent %s\n", c->tip);
	}
	str_cat(&text, "author Origin <origin> 0 +0000\ncommitter Origin <origin> 0 +0000\n\nolder versions of files\n");
	ret = git_odb_write(&id, c->odb, str_text(&text), text.len, GIT_OBJECT_COMMIT);
	git_oid_tostr(c->tip, sizeof c->tip, &id);
	return ret == 0 ? git_treebuilder_clear(c->files) : ret;
}

/* A version that cannot be read is left out, and so is a file whose name libgit2 refuses. */
static int
add_link(struct chain *c, const struct past *p, const struct version *v)
{
	[[gnu::cleanup(git_free_object)]] git_odb_object *object = NULL;
	const void *text;
	size_t len;
	git_oid id;
	if (!read_version(p, v, &object, &text, &len)) {
		return 0;
	}
	int ret = git_treebuilder_get(c->files, v->path) != NULL ? end_commit(c) : 0;
	ret = ret == 0 ? git_odb_write(&id, c->odb, text, len, GIT_OBJECT_BLOB) : ret;
	if (ret == 0) {
		(void)!git_treebuilder_insert(NULL, c->files, v->path, &id, GIT_FILEMODE_BLOB);
	}
	return ret;
}

static err_t
write_chain(const struct past *p, git_repository *to, const char *left, struct diag *diag)
{
	[[gnu::cleanup(chain_fini)]] struct chain c = { 0 };
	[[gnu::cleanup(git_free_ref)]] git_reference *made = NULL;
	git_oid tip;
	uint64_t room = UINT64_MAX;
	int ret = git_repository_odb(&c.odb, to);
	ret = ret == 0 ? git_treebuilder_new(&c.files, to, NULL) : ret;
	for (size_t i = ret == 0 ? within_limit(p, 0, p->n, &room) : 0; i-- != 0 && ret == 0;) {
		ret = add_link(&c, p, &p->list[i]);
		p->in->alive(p->in->ctx);
	}
	ret = ret == 0 ? end_commit(&c) : ret;
	ret = ret == 0 ? git_oid_fromstr(&tip, c.tip) : ret;
	ret = ret == 0 ? git_reference_create(&made, to, left, &tip, 1, NULL) : ret;
	if (ret != 0) {
		(void)git_trouble(diag, ret, "cannot write to %.200s what the branch has left behind", git_repository_path(to));
		return E_IO;
	}
	return OK;
}

/* A history that was left behind ends where it meets this one. */
static void
see_history(struct past *p, git_repository *repo, git_oid id)
{
	git_commit *commit;
	bool goes_on = true;
	while (goes_on && p->seen_n < PAST_COMMITS_MAX && git_commit_lookup(&commit, repo, &id) == 0) {
		p->seen[p->seen_n++] = id;
		goes_on = git_commit_parentcount(commit) != 0;
		if (goes_on) {
			git_oid_cpy(&id, git_commit_parent_id(commit, 0));
		}
		git_free_commit(&commit);
	}
}

err_t
git_past_leave(const struct git_past_leaving *l, struct diag *diag)
{
	bool is_rewritten = l->old != NULL && !git_oid_equal(l->old, l->head) && git_graph_descendant_of(l->to, l->head, l->old) != 1;
	const struct git_past_in in = { .repo = l->from, .head = l->head, .alive = l->alive, .ctx = l->ctx };
	struct past p = { .in = &in };
	if (l->from == l->to && !is_rewritten) {
		return OK;
	}
	p.head = tree_of(l->to, l->head);
	if (p.head == NULL) {
		return OK;
	}
	see_history(&p, l->to, *l->head);
	if (is_rewritten) {
		add_history(&p, *l->old);
	}
	add_ref(&p, l->left);
	err_t err = p.n != 0 ? write_chain(&p, l->to, l->left, diag) : OK;
	past_fini(&p);
	return err;
}
