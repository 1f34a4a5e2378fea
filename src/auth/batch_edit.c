/* Writes the new versions of a batch's zones into their files. */
#include <stdlib.h>
#include <string.h>

#include "auth/batch_p.h"
#include "base/alloc.h"

struct opener {
	struct batch *b;
	const struct file *file; /* the file of the zone that is being read */
	bool is_stale;           /* the source has another commit by now */
};

/* Opens the text of a file.  If the primary keeps a copy (texts.h), the copy is borrowed; else the text belongs to the source,
 * and close_text() gives it back. */
static err_t
open_text(void *ctx, const char *path, struct master_text *out)
{
	struct opener *o = ctx;
	struct texts *kept = &o->b->p->texts;
	const struct source_commit *source = o->b->source;
	size_t len;
	const char *text = texts_find(kept, path, &len);
	if (text == NULL) {
		err_t err = source->open(source->ctx, path, out);
		o->is_stale |= err == E_STALE;
		TRY(err);
		if (out->len > TEXTS_ONE_MAX) {
			return OK;
		}
		texts_put(kept, path, out->text, out->len);
		text = texts_find(kept, path, &len);
		if (text == NULL) {
			return OK;
		}
		source->close(source->ctx, out);
	}
	*out = (struct master_text){ .text = text, .len = len };
	return OK;
}

static void
close_text(void *ctx, struct master_text *text)
{
	struct opener *o = ctx;
	const struct source_commit *source = o->b->source;
	if (text->handle != NULL) {
		source->close(source->ctx, text);
	}
}

bool
batch_is_read_by_others(const struct batch *b, const struct file *own, const char *path)
{
	const struct include *read = includes_find(&b->p->includes, path);
	size_t others = read != NULL ? read->users : 0;
	for (size_t i = 0; i < own->reads.n && others != 0; i++) {
		others -= own->reads.list[i] == read;
	}
	return others != 0;
}

static bool
may_edit(void *ctx, const char *path)
{
	const struct opener *o = ctx;
	return !batch_is_read_by_others(o->b, o->file, path);
}

static err_t
edit_text(struct opener *o, struct work *w, const struct master_text *text, struct diag *why)
{
	const struct master_reader reader = {
		.apex = w->file->apex.oct, .file = w->file->path, .ctx = o, .open = open_text, .close = close_text,
		.drops_outside = o->b->p->conf.drops_outside,
	};
	const struct edit_in in = {
		.source = &reader, .text = text->text, .len = text->len, .old = w->file->zone, .new = w->new, .changes = &w->changes,
		.may_edit = may_edit,
	};
	return edit_zone(&in, &w->edit, why);
}

/* Sets the text of the whole file, and takes ownership of `text`.  NULL: the file is removed. */
static err_t
set_file(struct work *w, char *text, size_t len)
{
	struct edit_file *files = try_alloc(sizeof *files);
	char *path = strdup(w->file->path);
	if (files == NULL || path == NULL) {
		free(files);
		free(path);
		free(text);
		return E_NOMEM;
	}
	files[0] = (struct edit_file){ .path = path, .text = text, .len = len };
	w->edit.files = files;
	w->edit.n = 1;
	return OK;
}

static err_t
write_new(struct work *w)
{
	struct str text = { 0 };
	err_t err = edit_new_zone(w->new, &text);
	if (err != OK) {
		str_fini(&text);
		return err;
	}
	return set_file(w, text.s, text.len);
}

err_t
batch_edit(struct batch *b, struct work *w, struct diag *why)
{
	struct opener o = { .b = b, .file = w->file };
	struct master_text text = { 0 };
	if (w->is_removal) {
		return set_file(w, NULL, 0);
	}
	if (w->is_new) {
		return write_new(w);
	}
	err_t err = open_text(&o, w->file->path, &text);
	if (err != OK) {
		diag_set(why, DIAG_ERROR, "update", "%s cannot be read from the repository: %s", w->file->path, err_str(err));
		return err == E_NOMEM || err == E_STALE ? err : E_REFUSED;
	}
	err = edit_text(&o, w, &text, why);
	close_text(&o, &text);
	texts_trim(&b->p->texts);
	return o.is_stale ? E_STALE : err == E_FORMAT ? E_REFUSED : err;
}
