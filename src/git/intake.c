#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "git/intake_p.h"

/* ---- the objects in memory ---- */

static const struct object *
intake_find(const struct intake *in, const git_oid *id)
{
	size_t i;
	return id_map_has(&in->by_id, id->id, &i) ? &in->objects[i] : NULL;
}

void
intake_add(struct intake *in, const uint8_t id[PACK_ID], enum pack_type type, uint8_t *data, size_t len)
{
	if (in->n == in->cap) {
		in->cap = in->cap == 0 ? 64 : in->cap * 2;
		in->objects = xrealloc(in->objects, in->cap * sizeof *in->objects);
	}
	struct object *o = &in->objects[in->n];
	*o = (struct object){ .type = type, .data = data, .len = len };
	memcpy(o->id, id, PACK_ID);
	id_map_put(&in->by_id, id, in->n++);
	in->total += len;
}

static void
intake_forget(struct intake *in)
{
	while (in->n > 0) {
		free(in->objects[--in->n].data);
	}
	free(in->objects);
	in->objects = NULL;
	in->cap = in->total = 0;
	id_map_fini(&in->by_id);
}

static int
backend_read(void **data, size_t *len, git_object_t *type, git_odb_backend *backend, const git_oid *id)
{
	const struct object *o = intake_find((struct intake *)backend, id);
	uint8_t *copy = o != NULL ? git_odb_backend_data_alloc(backend, o->len + 1) : NULL;
	if (copy == NULL) {
		return o == NULL ? GIT_ENOTFOUND : -1;
	}
	memcpy(copy, o->data, o->len);
	copy[o->len] = '\0';
	*data = copy;
	*len = o->len;
	*type = (git_object_t)o->type;
	return 0;
}

static int
backend_read_header(size_t *len, git_object_t *type, git_odb_backend *backend, const git_oid *id)
{
	const struct object *o = intake_find((struct intake *)backend, id);
	if (o == NULL) {
		return GIT_ENOTFOUND;
	}
	*len = o->len;
	*type = (git_object_t)o->type;
	return 0;
}

static int
backend_exists(git_odb_backend *backend, const git_oid *id)
{
	return intake_find((struct intake *)backend, id) != NULL;
}

static void
backend_free(git_odb_backend *backend)
{
	struct intake *in = (struct intake *)backend;
	intake_forget(in);
	git_odb_free(in->disk);
	free(in->dir);
	free(in);
}

/* ---- the functions of git/intake.h ---- */

err_t
intake_attach(git_repository *repo, struct intake **out, struct diag *diag)
{
	enum { PRIORITY = 1000 }; /* over libgit2's own two backends */
	[[gnu::cleanup(git_free_odb)]] git_odb *odb = NULL;
	[[gnu::cleanup(str_fini)]] struct str path = { 0 };
	struct intake *in = xalloc(sizeof *in);
	git_odb_init_backend(&in->parent, GIT_ODB_BACKEND_VERSION);
	in->parent.read = backend_read;
	in->parent.read_header = backend_read_header;
	in->parent.exists = backend_exists;
	in->parent.free = backend_free;
	str_printf(&path, "%sobjects", git_repository_path(repo));
	in->dir = xstrdup(str_text(&path));
	int ret = git_odb_open(&in->disk, in->dir);
	ret = ret == 0 ? git_repository_odb(&odb, repo) : ret;
	ret = ret == 0 ? git_odb_add_backend(odb, &in->parent, PRIORITY) : ret;
	if (ret < 0) {
		backend_free(&in->parent);
		return git_trouble(diag, ret, "cannot open the clone's objects");
	}
	*out = in;
	return OK;
}

void
intake_set_open(struct intake *in, bool is_open)
{
	in->parent.writepack = is_open ? intake_writepack : NULL;
}

bool
intake_is_empty(const struct intake *in)
{
	return in->n == 0;
}

size_t
intake_octets(const struct intake *in)
{
	return in->total;
}

err_t
intake_take(struct intake *in, const uint8_t id[20], git_object_t type, const void *data, size_t len)
{
	size_t i;
	if (id_map_has(&in->by_id, id, &i)) {
		return OK;
	}
	uint8_t *copy = malloc(len + 1);
	if (copy == NULL) {
		return E_NOMEM;
	}
	memcpy(copy, data, len);
	intake_add(in, id, (enum pack_type)type, copy, len);
	return OK;
}

void
intake_drop(struct intake *in)
{
	intake_forget(in);
}

err_t
intake_flush(struct intake *in, void (*alive)(void *ctx), void *ctx, struct diag *diag)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct object *o = &in->objects[i];
		git_oid id;
		int ret = git_odb_write(&id, in->disk, o->data, o->len, (git_object_t)o->type);
		if (ret < 0) {
			err_t err = git_trouble(diag, ret, "the new commit is served, but cannot be written to %.200s", in->dir);
			if (diag->hint[0] == '\0') {
				diag_hint(diag, "the primary tries again by itself");
			}
			return err;
		}
		alive(ctx);
	}
	intake_forget(in);
	return OK;
}
