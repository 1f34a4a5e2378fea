/* The directories of a new commit: see git/commit_p.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/commit_p.h"
#include "git/treeedit.h"

static err_t
read_tree(struct maker *m, const git_oid *id, git_odb_object **out)
{
	size_t len = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	int ret = git_odb_read_header(&len, &type, m->odb, id);
	if (ret == 0 && (type != GIT_OBJECT_TREE || len > m->in->conf->file_max)) {
		return commit_trouble(m, E_IO, "object %.12s is not a directory, or is too large", git_oid_tostr_s(id));
	}
	ret = ret == 0 ? git_odb_read(out, m->odb, id) : ret;
	if (ret < 0) {
		(void)!git_trouble(m->diag, ret, "cannot read the directory %.12s", git_oid_tostr_s(id));
		return E_IO;
	}
	return OK;
}

static err_t
edit_trouble(struct maker *m, err_t err, const struct tree_edit *which)
{
	if (err == E_FORMAT) {
		return commit_trouble(m, E_IO, "a directory of the parent commit is damaged");
	}
	const char *why = err == E_NOTFOUND ? "it is to be removed, but is not there"
	                  : err == E_EXISTS ? "some systems could not tell it from another name that is there"
	                  : err == E_UNSUPPORTED ? "not every system can have a file of that name"
	                                      : "it is a symbolic link or a submodule, which updates never change";
	err = err == E_UNSUPPORTED ? E_REFUSED : err;
	return which != NULL ? commit_trouble(m, err, "%.*s: %s", (int)which->name_len, which->name, why)
	                     : commit_trouble(m, err, "a directory cannot be changed: %s", err_str(err));
}

struct dir {
	git_odb_object *old;     /* NULL: it is new */
	struct tree_edit *edits;
	size_t n;
	struct str text;
};

static void
dir_fini(struct dir *d)
{
	git_odb_object_free(d->old);
	free(d->edits);
	str_fini(&d->text);
}

static const uint8_t *
dir_bytes(const struct dir *d, size_t *len)
{
	*len = d->old != NULL ? git_odb_object_size(d->old) : 0;
	return d->old != NULL ? git_odb_object_data(d->old) : (const uint8_t *)"";
}

/* How many changes from `i` on are below the directory whose name ends at `slash`. */
static size_t
below_n(const struct maker *m, const struct span *s, size_t i, const char *slash)
{
	size_t len = (size_t)(slash - m->changes[i].path) + 1, n = 1;
	while (i + n < s->to && strncmp(m->changes[i + n].path, m->changes[i].path, len) == 0) {
		n++;
	}
	return n;
}

static err_t
edit_subdir(struct maker *m, struct dir *d, const struct span *s, struct tree_edit *e)
{
	git_oid old;
	struct span sub = *s;
	size_t len;
	const uint8_t *bytes = dir_bytes(d, &len);
	err_t err = tree_find_dir(bytes, len, e->name, e->name_len, old.id);
	if (err != OK && err != E_NOTFOUND) {
		return edit_trouble(m, err, e);
	}
	sub.old = err == OK ? &old : NULL;
	e->is_dir = true;
	return commit_make_dir(m, &sub, e->id, &e->is_removal);
}

static err_t
collect_edits(struct maker *m, struct dir *d, const struct span *s)
{
	for (size_t i = s->from, n = 1; i < s->to; i += n) {
		const struct change *c = &m->changes[i];
		const char *name = c->path + s->prefix, *slash = strchr(name, '/');
		struct tree_edit *e = &d->edits[d->n++];
		*e = (struct tree_edit){ .name = name, .name_len = strcspn(name, "/"), .is_removal = c->is_removal };
		memcpy(e->id, c->id, ID_LEN);
		n = slash != NULL ? below_n(m, s, i, slash) : 1;
		if (slash != NULL) {
			const struct span sub = { .from = i, .to = i + n, .prefix = s->prefix + e->name_len + 1 };
			TRY(edit_subdir(m, d, &sub, e));
		}
	}
	return OK;
}

err_t
commit_make_dir(struct maker *m, const struct span *s, uint8_t id[ID_LEN], bool *is_empty)
{
	[[gnu::cleanup(dir_fini)]] struct dir d = { 0 };
	const struct tree_edit *which = NULL;
	size_t len;
	if (s->old != NULL) {
		TRY(read_tree(m, s->old, &d.old));
	}
	d.edits = xalloc((s->to - s->from + 1) * sizeof *d.edits);
	TRY(collect_edits(m, &d, s));
	const uint8_t *bytes = dir_bytes(&d, &len);
	err_t err = tree_edit(bytes, len, d.edits, d.n, &d.text, &which);
	if (err != OK) {
		return edit_trouble(m, err, which);
	}
	*is_empty = d.text.len == 0;
	if (*is_empty && s->prefix > 0) { /* in git only the root directory can be empty */
		return OK;
	}
	void *text = d.text.s;
	len = d.text.len;
	d.text = (struct str){ 0 };
	return commit_add_object(m, PACK_TREE, text != NULL ? text : "", len, text, id);
}
