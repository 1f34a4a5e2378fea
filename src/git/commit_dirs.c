/* The directories of a new commit: see git/commit_p.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/commit_p.h"
#include "git/treeedit.h"

struct dir {
	git_odb_object *read;    /* holds `old`; NULL: that is empty, or of the last commit */
	const void *old;         /* as it was before; "": it is new */
	size_t old_len;
	struct tree_edit *edits;
	size_t n;
	struct str text;
};

static void
dir_fini(struct dir *d)
{
	git_odb_object_free(d->read);
	free(d->edits);
	str_fini(&d->text);
}

static err_t
read_dir(struct maker *m, const git_oid *id, struct dir *d)
{
	size_t len = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	int ret = git_odb_read_header(&len, &type, m->odb, id);
	if (ret == 0 && (type != GIT_OBJECT_TREE || len > m->in->conf->file_max)) {
		return commit_trouble(m, E_IO, "object %.12s is not a directory, or is too large", git_oid_tostr_s(id));
	}
	ret = ret == 0 ? git_odb_read(&d->read, m->odb, id) : ret;
	if (ret < 0) {
		(void)!git_trouble(m->diag, ret, "cannot read the directory %.12s", git_oid_tostr_s(id));
		return E_IO;
	}
	d->old = git_odb_object_data(d->read);
	d->old_len = git_odb_object_size(d->read);
	return OK;
}

static err_t
find_dir(struct maker *m, const git_oid *id, struct dir *d)
{
	const struct git_made *last = m->in->last;
	size_t i;
	if (!id_map_has(&last->by_id, id->id, &i)) {
		return read_dir(m, id, d);
	}
	d->old = last->objects[i].data;
	d->old_len = last->objects[i].len;
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
	err_t err = tree_find_dir(d->old, d->old_len, e->name, e->name_len, old.id);
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
	[[gnu::cleanup(dir_fini)]] struct dir d = { .old = "" };
	const struct tree_edit *which = NULL;
	if (s->old != NULL) {
		TRY(find_dir(m, s->old, &d));
	}
	d.edits = xalloc((s->to - s->from + 1) * sizeof *d.edits);
	TRY(collect_edits(m, &d, s));
	err_t err = tree_edit(d.old, d.old_len, d.edits, d.n, &d.text, &which);
	if (err != OK) {
		return edit_trouble(m, err, which);
	}
	*is_empty = d.text.len == 0;
	if (*is_empty && s->prefix > 0) { /* in git only the root directory can be empty */
		return OK;
	}
	void *text = d.text.s;
	size_t len = d.text.len;
	d.text = (struct str){ 0 };
	return commit_add_object(m, PACK_TREE, text != NULL ? text : "", len, text, id);
}
