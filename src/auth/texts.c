#include "auth/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void
take_out(struct texts *t, size_t i)
{
	t->octets -= t->list[i].len;
	free(t->list[i].path);
	free(t->list[i].text);
	t->list[i] = t->list[--t->n];
}

void
texts_fini(struct texts *t)
{
	while (t->n != 0) {
		take_out(t, t->n - 1);
	}
	free(t->list);
	*t = (struct texts){ 0 };
}

static size_t
index_of(const struct texts *t, const char *path)
{
	size_t i = 0;
	while (i < t->n && strcmp(t->list[i].path, path) != 0) {
		i++;
	}
	return i;
}

const char *
texts_find(struct texts *t, const char *path, size_t *len)
{
	size_t i = index_of(t, path);
	if (i == t->n) {
		return NULL;
	}
	t->list[i].used = ++t->clock;
	*len = t->list[i].len;
	return t->list[i].text;
}

void
texts_put(struct texts *t, const char *path, const char *text, size_t len)
{
	char *copy;
	texts_drop(t, path);
	if (len > TEXTS_ONE_MAX || (copy = try_alloc(len + 1)) == NULL) {
		return;
	}
	char *name = try_room(&t->list, sizeof *t->list, t->n, &t->cap) ? try_alloc(strlen(path) + 1) : NULL;
	if (name == NULL) {
		free(copy);
		return;
	}
	memcpy(copy, text, len);
	t->list[t->n++] = (struct kept_text){ .path = strcpy(name, path), .text = copy, .len = len, .used = ++t->clock };
	t->octets += len;
}

void
texts_drop(struct texts *t, const char *path)
{
	size_t i = index_of(t, path);
	if (i != t->n) {
		take_out(t, i);
	}
}

static void
drop_oldest(struct texts *t)
{
	size_t oldest = 0;
	for (size_t i = 1; i < t->n; i++) {
		oldest = t->list[i].used < t->list[oldest].used ? i : oldest;
	}
	take_out(t, oldest);
}

void
texts_trim(struct texts *t)
{
	while (t->n > TEXTS_N_MAX || t->octets > TEXTS_ALL_MAX) {
		drop_oldest(t);
	}
}
