#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/filename.h"
#include "base/str.h"
#include "crypto/sha.h"
#include "git/commit_p.h"
#include "git/tree.h"
#include "git/treeedit.h"
#include "ops/host.h"

err_t
commit_trouble(struct maker *m, err_t err, const char *format, ...)
{
	va_list args;
	char text[DIAG_TEXT_MAX];
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	diag_set(m->diag, DIAG_ERROR, "git", "%s", text);
	return err;
}

/* ---- objects ---- */

err_t
commit_add_object(struct maker *m, enum pack_type type, const void *data, size_t len, void *owned, uint8_t id[ID_LEN])
{
	static const char *const names[] = { [PACK_COMMIT] = "commit", [PACK_TREE] = "tree", [PACK_BLOB] = "blob" };
	struct git_made *made = m->out;
	char head[32];
	size_t number;
	int n = snprintf(head, sizeof head, "%s %zu", names[type], len) + 1; /* with its NUL */
	err_t err = sha1(head, (size_t)n, data, len, id);
	if (err != OK || id_map_has(&made->by_id, id, &number)) {
		free(owned);
		return err;
	}
	if (made->n == made->cap) {
		made->cap = made->cap == 0 ? 16 : made->cap * 2;
		made->objects = xrealloc(made->objects, made->cap * sizeof *made->objects);
	}
	struct git_made_object *o = &made->objects[made->n];
	*o = (struct git_made_object){ .type = type, .data = data, .len = len, .owned = owned };
	memcpy(o->id, id, ID_LEN);
	id_map_put(&made->by_id, id, made->n++);
	return OK;
}

/* ---- the entries of the PUSH ---- */

static err_t
check_path(struct maker *m, const char *path, size_t len)
{
	unsigned depth = 0;
	if (len >= TREE_PATH_MAX) {
		return commit_trouble(m, E_LIMIT, "a path of %zu octets is too long", len);
	}
	for (size_t at = 0; at <= len; depth++) {
		size_t part = strcspn(path + at, "/");
		if (!tree_name_is_ours(path + at, part)) {
			return commit_trouble(m, E_REFUSED, "%.200s is not a path that an update may write", path);
		}
		at += part + 1;
	}
	if (filename_has_private_part(path)) {
		return commit_trouble(m, E_REFUSED, "%.200s is a file of keys or secondaries, which no update writes", path);
	}
	return depth < TREE_DEPTH_MAX ? OK : commit_trouble(m, E_LIMIT, "%.200s: directories too deep", path);
}

static err_t
take_put(struct maker *m, const struct link_file *f, struct change *c)
{
	const struct git_conf *conf = m->in->conf;
	m->octets += f->len;
	if (f->len > conf->file_max) {
		return commit_trouble(m, E_LIMIT, "%.200s would have %zu octets, the limit is %zu", f->path, f->len, conf->file_max);
	}
	if (m->octets > conf->text_max) {
		return commit_trouble(m, E_LIMIT, "the files of one commit would have more than %llu octets",
		               (unsigned long long)conf->text_max);
	}
	return commit_add_object(m, PACK_BLOB, f->bytes, f->len, NULL, c->id);
}

static err_t
take_message(struct maker *m, struct link_files *files)
{
	struct link_file f;
	if (link_files_next(files, &f) != OK || f.kind != LINK_ENTRY_MESSAGE) {
		return commit_trouble(m, E_FORMAT, "the commit has no message");
	}
	if (f.len > GIT_MESSAGE_MAX) {
		return commit_trouble(m, E_LIMIT, "the message of the commit is longer than %d octets", GIT_MESSAGE_MAX);
	}
	if (memchr(f.bytes, '\0', f.len) != NULL) {
		return commit_trouble(m, E_FORMAT, "the message of the commit has a NUL octet");
	}
	m->message = (const char *)f.bytes;
	m->message_len = f.len;
	return OK;
}

static err_t
take_changes(struct maker *m, struct link_files *files)
{
	struct link_file f;
	err_t err;
	while ((err = link_files_next(files, &f)) == OK) {
		struct change *c = &m->changes[m->n++];
		*c = (struct change){ .path = f.path, .path_len = f.path_len, .is_removal = f.kind == LINK_ENTRY_REMOVE };
		if (f.kind != LINK_ENTRY_PUT && f.kind != LINK_ENTRY_REMOVE) {
			return commit_trouble(m, E_FORMAT, "%.200s: the entry is of a kind that a commit cannot have", f.path);
		}
		TRY(check_path(m, f.path, f.path_len));
		if (f.kind == LINK_ENTRY_PUT) {
			TRY(take_put(m, &f, c));
		}
	}
	return err == E_NOTFOUND ? OK : commit_trouble(m, err, "the entries of the commit are malformed");
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct change *)a)->path, ((const struct change *)b)->path);
}

static err_t
take_entries(struct maker *m)
{
	struct link_files files = link_files_over(m->in->map, m->in->n);
	if (m->in->n > m->in->conf->files_max) {
		return commit_trouble(m, E_LIMIT, "too many files in one commit");
	}
	m->changes = try_alloc(((size_t)m->in->n + 1) * sizeof *m->changes);
	if (m->changes == NULL) {
		return commit_trouble(m, E_NOMEM, "no memory for the files of a commit");
	}
	TRY(take_message(m, &files));
	TRY(take_changes(m, &files));
	qsort(m->changes, m->n, sizeof *m->changes, by_path);
	for (size_t i = 1; i < m->n; i++) {
		if (by_path(&m->changes[i - 1], &m->changes[i]) == 0) {
			return commit_trouble(m, E_FORMAT, "%.200s is there twice in one commit", m->changes[i].path);
		}
	}
	return OK;
}

/* ---- the commit itself ---- */

static void
put_person(struct str *out, const struct git_conf *c, const char *role, int64_t now_s)
{
	char host[HOST_NAME_LEN_MAX + 1];
	host_name(host);
	if (c->committer != NULL) {
		str_printf(out, "%s %s", role, c->committer);
	} else {
		str_printf(out, "%s Origin <origin@%s>", role, host);
	}
	str_printf(out, " %lld +0000\n", (long long)now_s);
}

static err_t
make_commit(struct maker *m)
{
	struct str text = { 0 };
	str_printf(&text, "tree %s\n", git_oid_tostr_s(&m->out->tree));
	if (m->in->base != NULL) {
		str_printf(&text, "parent %s\n", git_oid_tostr_s(m->in->base));
	}
	put_person(&text, m->in->conf, "author", m->in->now_s);
	put_person(&text, m->in->conf, "committer", m->in->now_s);
	str_char(&text, '\n');
	str_put(&text, m->message, m->message_len);
	if (text.err != OK) {
		str_fini(&text);
		return commit_trouble(m, E_NOMEM, "no memory for a commit");
	}
	return commit_add_object(m, PACK_COMMIT, text.s, text.len, text.s, m->out->commit.id);
}

static err_t
find_root(struct maker *m, git_oid *tree)
{
	[[gnu::cleanup(git_free_commit)]] git_commit *base = NULL;
	if (git_oid_equal(&m->in->last->commit, m->in->base)) {
		*tree = m->in->last->tree;
		return OK;
	}
	int ret = git_commit_lookup(&base, m->in->repo, m->in->base);
	if (ret < 0) {
		err_t err = git_trouble(m->diag, ret, "cannot read commit %.12s", git_oid_tostr_s(m->in->base));
		return err == E_NOTFOUND ? E_STALE : E_IO;
	}
	*tree = *git_commit_tree_id(base);
	return OK;
}

static err_t
make_root(struct maker *m)
{
	git_oid old;
	struct span all = { .to = m->n };
	bool is_empty = false;
	if (m->in->base != NULL) {
		TRY(find_root(m, &old));
		all.old = &old;
	}
	return commit_make_dir(m, &all, m->out->tree.id, &is_empty);
}

static err_t
make_all(struct maker *m)
{
	TRY(take_entries(m));
	TRY(make_root(m));
	return make_commit(m);
}

err_t
git_commit_make(const struct git_commit_in *in, struct git_made *out, struct diag *diag)
{
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	struct maker m = { .in = in, .out = out, .diag = diag };
	int ret = git_repository_odb(&odb, in->repo);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot open the repository's objects");
	}
	m.odb = odb;
	err_t err = make_all(&m);
	free(m.changes);
	return err;
}

err_t
git_made_pack(const struct git_made *made, struct pack_out *out)
{
	for (size_t i = 0; i < made->n; i++) {
		const struct git_made_object *o = &made->objects[i];
		pack_out_object(out, o->type, o->id, o->data, o->len);
	}
	return pack_out_finish(out);
}

void
git_made_keep(struct git_made *made, struct git_made *last)
{
	git_made_fini(last);
	last->commit = made->commit;
	last->tree = made->tree;
	last->objects = xalloc((made->n + 1) * sizeof *last->objects);
	for (size_t i = 0; i < made->n; i++) {
		struct git_made_object *o = &made->objects[i];
		if (o->type == PACK_TREE) {
			id_map_put(&last->by_id, o->id, last->n);
			last->objects[last->n++] = *o;
			o->owned = NULL;
		}
	}
	git_made_fini(made);
}

void
git_made_fini(struct git_made *made)
{
	for (size_t i = 0; i < made->n; i++) {
		free(made->objects[i].owned);
	}
	free(made->objects);
	id_map_fini(&made->by_id);
	*made = (struct git_made){ 0 };
}
