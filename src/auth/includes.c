#include "auth/includes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char kept_mark; /* its address is the handle of texts that belong to this table */

struct include *
includes_find(const struct includes *t, const char *path)
{
	return strmap_find(&t->map, path);
}

/* NULL: no memory. */
static struct include *
find_or_make(struct includes *t, const char *path)
{
	struct include *i = includes_find(t, path);
	if (i != NULL) {
		return i;
	}
	size_t len = strlen(path) + 1;
	i = try_alloc(sizeof *i);
	char *copy = try_alloc(len);
	if (i == NULL || copy == NULL || strmap_put(&t->map, memcpy(copy, path, len), i) != OK) {
		free(i);
		free(copy);
		return NULL;
	}
	i->path = copy;
	return i;
}

static void
drop_unused(struct includes *t, struct include *i)
{
	if (i->users == 0 && !i->is_tried) {
		(void)strmap_take(&t->map, i->path);
		free(i->path);
		free(i);
	}
}

struct include *
includes_hold(struct includes *t, const char *path)
{
	struct include *i = find_or_make(t, path);
	if (i != NULL) {
		i->users++;
	}
	return i;
}

void
includes_release(struct includes *t, struct include *i)
{
	ASSERT(i->users != 0);
	i->users--;
	drop_unused(t, i);
}

/* Keeps a copy, if there is room for it. */
static void
keep(struct includes *t, struct include *i, const struct master_text *text)
{
	if (text->len > INCLUDES_KEPT_MAX - t->kept || (i->text = try_alloc(text->len + 1)) == NULL) {
		return;
	}
	if (text->len != 0) {
		memcpy(i->text, text->text, text->len);
	}
	i->len = text->len;
	t->kept += text->len;
}

static void
note_tried(struct includes *t, struct include *i)
{
	if (!i->is_tried) {
		i->is_tried = true;
		i->next_tried = t->tried;
		t->tried = i;
	}
}

err_t
includes_open(struct includes *t, const struct includes_source *from, const char *path, struct master_text *out)
{
	struct include *i = find_or_make(t, path);
	if (i == NULL) {
		return E_NOMEM;
	}
	if (!i->is_tried) {
		note_tried(t, i);
		i->err = from->open(from->ctx, path, out);
		if (i->err != OK) {
			return i->err;
		}
		keep(t, i, out);
		if (i->text == NULL) {
			return OK;
		}
		from->close(from->ctx, out);
	}
	TRY(i->err);
	if (i->text == NULL) {
		return from->open(from->ctx, path, out);
	}
	*out = (struct master_text){ .text = i->text, .len = i->len, .handle = (void *)(uintptr_t)&kept_mark };
	return OK;
}

void
includes_close(const struct includes_source *from, struct master_text *text)
{
	if (text->handle == &kept_mark) {
		*text = (struct master_text){ 0 };
	} else {
		from->close(from->ctx, text);
	}
}

void
includes_forget(struct includes *t)
{
	while (t->tried != NULL) {
		struct include *i = t->tried;
		t->tried = i->next_tried;
		free(i->text);
		i->text = NULL;
		i->len = 0;
		i->is_tried = false;
		drop_unused(t, i);
	}
	t->kept = 0;
}

void
includes_fini(struct includes *t)
{
	includes_forget(t);
	ASSERT(t->map.n == 0);
}
