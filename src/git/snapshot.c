#include "git/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "git/link_files.h"
#include "git/signed.h"
#include "git/trailer.h"
#include "git/walk.h"
#include "ops/clock.h"

enum { BINARY_PROBE = 8192 };

#define BETTER_PLACE "keep files that are not zones in a directory"

struct snapshot {
	const struct git_snapshot_in *in;
	struct link_build build;
	struct diag *diag;
	size_t seen;
};

static err_t
commit_tree(git_repository *repo, const git_oid *id, git_tree **out, struct diag *diag)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	int ret = git_commit_lookup(&commit, repo, id);
	ret = ret == 0 ? git_commit_tree(out, commit) : ret;
	return ret < 0 ? git_trouble(diag, ret, "cannot read commit %.12s", git_oid_tostr_s(id)) : OK;
}

/* True for names that hardly any zone has: the content is not sent.  If the DNS side wants it, it sends a GET. */
static bool
has_name_of_no_zone(const char *path)
{
	static const char *const starts[] = { ".", "README", "LICENSE", "COPYING", "CHANGELOG", "CONTRIBUTING", "Makefile" };
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (strncasecmp(path, starts[i], strlen(starts[i])) == 0) {
			return true;
		}
	}
	return false;
}

static err_t
put(struct snapshot *s, enum link_entry_kind kind, const struct tree_change *c, const void *content, size_t len)
{
	link_build_put(&s->build, kind, c->path, c->path_len, content, len);
	if (s->build.err == OK && s->build.len > s->in->conf->text_max) {
		diag_set(s->diag, DIAG_ERROR, "git", "the files of commit %.12s add up to more than %llu octets, half of --memory-max",
		         git_oid_tostr_s(s->in->commit), (unsigned long long)s->in->conf->text_max);
		diag_hint(s->diag, "raise --memory-max, or serve them from several repositories");
		return E_LIMIT;
	}
	if (s->build.err != OK) {
		diag_set(s->diag, DIAG_ERROR, "git", "no memory for the files of commit %.12s", git_oid_tostr_s(s->in->commit));
		return E_NOMEM;
	}
	return OK;
}

static err_t
put_refused(struct snapshot *s, const struct tree_change *c, const char *why)
{
	return put(s, LINK_ENTRY_REFUSED, c, why, strlen(why));
}

static err_t
put_too_large(struct snapshot *s, const struct tree_change *c)
{
	char why[DIAG_TEXT_MAX + sizeof "; " BETTER_PLACE];
	snprintf(why, sizeof why, "%s; " BETTER_PLACE, s->diag->text);
	return put_refused(s, c, why);
}

static err_t
put_file(struct snapshot *s, const struct tree_change *c)
{
	[[gnu::cleanup(git_free_object)]] git_odb_object *object = NULL;
	git_oid id;
	memcpy(id.id, c->id, sizeof c->id);
	err_t err = git_read_blob(s->in->repo, &id, c->path, s->in->conf->file_max, &object, s->diag);
	if (err == E_LIMIT) {
		return put_too_large(s, c);
	}
	TRY(err);
	const char *content = git_odb_object_data(object);
	size_t len = git_odb_object_size(object);
	if (memchr(content, '\0', len < BINARY_PROBE ? len : BINARY_PROBE) != NULL) {
		return put_refused(s, c, "it is binary, no text; " BETTER_PLACE);
	}
	return put(s, LINK_ENTRY_PUT, c, content, len);
}

static err_t
changed(void *ctx, const struct tree_change *c)
{
	struct snapshot *s = ctx;
	if (++s->seen % 256 == 0) {
		s->in->alive(s->in->ctx);
	}
	if (c->what == TREE_REMOVED) {
		return put(s, LINK_ENTRY_REMOVE, c, NULL, 0);
	}
	if (c->is_below_root) {
		return put(s, LINK_ENTRY_NAMED, c, NULL, 0);
	}
	if (c->kind == TREE_SYMLINK) {
		return put_refused(s, c, "it is a symbolic link; a zone must be a file of its own");
	}
	if (c->kind == TREE_SUBMODULE) {
		return put_refused(s, c, "it is a submodule; a zone must be a file of its own");
	}
	return has_name_of_no_zone(c->path) ? put(s, LINK_ENTRY_NAMED, c, NULL, 0) : put_file(s, c);
}

static err_t
allowed(void *ctx, const struct tree_change *c)
{
	return put(ctx, LINK_ENTRY_ALLOWED, c, NULL, 0);
}

static err_t
build(struct snapshot *s, const git_oid *base, git_tree *old, git_tree *new, struct link_frame *out)
{
	const struct git_snapshot_in *in = s->in;
	int fd = -1;
	uint32_t n = 0;
	const struct git_history history = git_history_read(in->repo, base, in->commit);
	TRY(git_walk(in->repo, old, new, in->conf->files_max, changed, s, s->diag));
	if (history.allows == GIT_ALLOWS_OWN) {
		TRY(git_history_own(in->repo, base, in->commit, allowed, s, s->diag));
	}
	if (old == NULL && in->past != NULL) {
		git_past_put(in->past, &s->build, in->conf->text_max);
	}
	git_signed_put(in->repo, base, in->commit, clock_wall_s(), &s->build);
	err_t err = link_build_seal(&s->build, &fd, &n);
	if (err != OK) {
		diag_set(s->diag, DIAG_ERROR, "git", "no memory for the files of commit %.12s", git_oid_tostr_s(in->commit));
		return err;
	}
	*out = (struct link_frame){ .type = LINK_COMMIT, .n = n, .fd = fd };
	out->flags = (uint8_t)((old == NULL ? LINK_WHOLE : 0) | (history.allows == GIT_ALLOWS_ALL ? LINK_ALLOW_MASS_DELETE : 0) |
	                       (history.has_people ? LINK_OF_PEOPLE : 0));
	git_oid_tostr(out->id, sizeof out->id, in->commit);
	return OK;
}

err_t
git_snapshot(const struct git_snapshot_in *in, struct link_frame *out, struct diag *diag)
{
	[[gnu::cleanup(git_free_tree)]] git_tree *old = NULL;
	[[gnu::cleanup(git_free_tree)]] git_tree *new = NULL;
	struct snapshot s = { .in = in, .diag = diag };
	struct diag lost;
	const git_oid *base = in->base;
	TRY(commit_tree(in->repo, in->commit, &new, diag));
	if (base != NULL && commit_tree(in->repo, base, &old, &lost) != OK) {
		base = NULL; /* the history was rewritten, and git has removed the old one */
	}
	err_t err = build(&s, base, old, new, out);
	link_build_fini(&s.build);
	if ((err == E_NOTFOUND || err == E_IO) && old != NULL) { /* git may just be removing the old history, its commits last */
		s = (struct snapshot){ .in = in, .diag = diag };
		err = build(&s, NULL, NULL, new, out);
		link_build_fini(&s.build);
	}
	return err;
}

void
git_snapshot_file(const struct git_conf *conf, git_repository *repo, struct git_dirs *dirs, const git_oid *commit,
                  const char *path, struct link_frame *out)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *found = NULL;
	[[gnu::cleanup(git_free_object)]] git_odb_object *object = NULL;
	struct diag diag = { 0 };
	*out = (struct link_frame){ .type = LINK_FILE, .fd = -1 };
	int ret = git_commit_lookup(&found, repo, commit);
	err_t err = ret < 0 ? git_trouble(&diag, ret, "cannot read commit %.12s", git_oid_tostr_s(commit)) : OK;
	if (err == E_NOTFOUND) {
		err = E_STALE;
	} else if (err == OK) {
		err = git_read_path(repo, dirs, git_commit_tree_id(found), path, conf->file_max, &object, &diag);
	}
	if (err == E_NOTFOUND && access(git_repository_commondir(repo), F_OK) < 0) {
		err = E_STALE; /* the repository is gone: the next pull says so */
	}
	if (err == OK) {
		err = link_seal_bytes(git_odb_object_data(object), git_odb_object_size(object), &out->fd);
	}
	out->status = (uint16_t)err;
	snprintf(out->text, sizeof out->text, "%s", diag.text);
}
