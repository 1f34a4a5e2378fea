#include "remote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"

/* ---- trees ---- */

void
tree_fini(struct tree *t)
{
	for (size_t i = 0; i < TREE_FILES_MAX; i++) {
		free(t->files[i].text);
	}
	*t = (struct tree){ 0 };
}

void
tree_copy(struct tree *to, const struct tree *from)
{
	tree_fini(to);
	*to = *from;
	for (size_t i = 0; i < TREE_FILES_MAX; i++) {
		to->files[i].text = from->files[i].text != NULL ? xstrdup(from->files[i].text) : NULL;
	}
}

static struct tree_file *
tree_file(struct tree *t, const char *path)
{
	size_t i = 0;
	while (i < TREE_FILES_MAX && t->files[i].path[0] != '\0' && strcmp(t->files[i].path, path) != 0) {
		i++;
	}
	ASSERT(i < TREE_FILES_MAX && strlen(path) < TREE_PATH_MAX);
	memcpy(t->files[i].path, path, strlen(path) + 1);
	return &t->files[i];
}

void
tree_put(struct tree *t, const char *path, const char *text, size_t len)
{
	struct tree_file *f = tree_file(t, path);
	free(f->text);
	f->text = NULL;
	if (text != NULL) {
		f->text = xalloc(len + 1);
		memcpy(f->text, text, len);
	}
}

const char *
tree_get(const struct tree *t, const char *path)
{
	for (size_t i = 0; i < TREE_FILES_MAX; i++) {
		if (strcmp(t->files[i].path, path) == 0) {
			return t->files[i].text;
		}
	}
	return NULL;
}

/* ---- commits ---- */

static struct commit_note *
new_commit(struct remote *r, unsigned parent)
{
	ASSERT(r->commits_n + 1 < COMMITS_MAX);
	struct commit_note *c = &r->commits[++r->commits_n];
	*c = (struct commit_note){ .parent = parent };
	return c;
}

void
remote_take_people(struct remote *r, const char *path, const char *text, size_t len)
{
	tree_put(&r->files, path, text, len);
	new_commit(r, r->head)->is_of_people = true;
	r->head = r->commits_n;
}

void
remote_rewrite(struct remote *r)
{
	new_commit(r, 0)->is_of_people = true;
	r->head = r->commits_n;
}

/* As git/signed.h reads it. */
static void
read_signed(struct commit_note *c, const char *message)
{
	static const char trailer[] = "Origin-Signed: ";
	for (const char *at = message; (at = strstr(at, trailer)) != NULL; at++) {
		struct commit_signed *s = &c->signed_until[c->signed_n];
		ASSERT(c->signed_n < SIGNED_MAX);
		int n = sscanf(at + sizeof trailer - 1, "%63s %" SCNu64, s->key, &s->at_s);
		ASSERT(n == 2);
		c->signed_n++;
	}
}

unsigned
remote_new_commit(struct remote *r, unsigned parent, const char *message)
{
	read_signed(new_commit(r, parent), message);
	return r->commits_n;
}

bool
remote_has(const struct remote *r, unsigned head, unsigned commit)
{
	unsigned at = head;
	while (at != 0 && at != commit) {
		at = r->commits[at].parent;
	}
	return at != 0;
}

bool
remote_take(struct remote *r, const struct pushed *p)
{
	if (r->head == p->commit) {
		return true;
	}
	if (r->head != p->base) {
		return false;
	}
	for (size_t i = 0; i < TREE_FILES_MAX; i++) {
		const struct tree_file *f = &p->changes.files[i];
		if (f->path[0] != '\0') {
			tree_put(&r->files, f->path, f->text, f->text != NULL ? strlen(f->text) : 0);
		}
	}
	r->head = p->commit;
	return true;
}

void
remote_delay(struct remote *r, struct pushed *p, uint64_t until_ns)
{
	pushed_fini(&r->late);
	r->late = *p;
	r->late_ns = until_ns;
	r->has_late = true;
	*p = (struct pushed){ 0 };
}

void
pushed_fini(struct pushed *p)
{
	tree_fini(&p->changes);
	*p = (struct pushed){ 0 };
}

void
remote_fini(struct remote *r)
{
	tree_fini(&r->files);
	pushed_fini(&r->late);
}
