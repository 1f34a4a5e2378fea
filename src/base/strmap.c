#include "base/strmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"

/* A branch has the place of the first bit in which the strings below it differ; a leaf has a string. */
struct strmap_node {
	const char *key; /* NULL: a branch */
	union {
		void *item;
		struct strmap_node *child[2];
	};
	size_t at;       /* branch: offset of the octet */
	uint8_t bit;     /* branch: the bit in that octet, as a mask */
};

/* The side of a branch on which a string is.  Octets after the end of the string count as 0.  No string continues after its NUL,
 * so none is the beginning of another. */
static size_t
side_of(const struct strmap_node *branch, const char *key, size_t len)
{
	uint8_t octet = branch->at < len ? (uint8_t)key[branch->at] : 0;
	return (octet & branch->bit) != 0;
}

/* The only string that can be `key`, according to the branches. */
static struct strmap_node *
nearest(const struct strmap *m, const char *key, size_t len)
{
	struct strmap_node *n = m->root;
	while (n != NULL && n->key == NULL) {
		n = n->child[side_of(n, key, len)];
	}
	return n;
}

void *
strmap_find(const struct strmap *m, const char *key)
{
	const struct strmap_node *n = nearest(m, key, strlen(key));
	return n != NULL && strcmp(n->key, key) == 0 ? n->item : NULL;
}

static struct strmap_node *
leaf_new(const char *key, void *item)
{
	struct strmap_node *n = try_alloc(sizeof *n);
	if (n != NULL) {
		n->key = key;
		n->item = item;
	}
	return n;
}

/* Makes a branch for the first bit in which two strings differ. */
static struct strmap_node *
branch_new(const char *a, const char *b)
{
	struct strmap_node *n = try_alloc(sizeof *n);
	if (n == NULL) {
		return NULL;
	}
	while (a[n->at] == b[n->at]) {
		ASSERT(a[n->at] != '\0'); /* the key is not there yet */
		n->at++;
	}
	uint8_t difference = (uint8_t)((uint8_t)a[n->at] ^ (uint8_t)b[n->at]);
	n->bit = 0x80;
	while ((difference & n->bit) == 0) {
		n->bit >>= 1;
	}
	return n;
}

static bool
is_above(const struct strmap_node *n, const struct strmap_node *branch)
{
	return n->key == NULL && (n->at < branch->at || (n->at == branch->at && n->bit > branch->bit));
}

err_t
strmap_put(struct strmap *m, const char *key, void *item)
{
	size_t len = strlen(key);
	const struct strmap_node *other = nearest(m, key, len);
	struct strmap_node **place = &m->root;
	struct strmap_node *leaf = leaf_new(key, item);
	struct strmap_node *branch = leaf != NULL && other != NULL ? branch_new(key, other->key) : NULL;
	if (leaf == NULL || (other != NULL && branch == NULL)) {
		free(leaf);
		return E_NOMEM;
	}
	m->n++;
	if (other == NULL) {
		m->root = leaf;
		return OK;
	}
	while (is_above(*place, branch)) {
		place = &(*place)->child[side_of(*place, key, len)];
	}
	size_t side = side_of(branch, key, len);
	branch->child[side] = leaf;
	branch->child[1 - side] = *place;
	*place = branch;
	return OK;
}

void *
strmap_take(struct strmap *m, const char *key)
{
	size_t len = strlen(key);
	struct strmap_node **place = &m->root, **above = NULL;
	while (*place != NULL && (*place)->key == NULL) {
		above = place;
		place = &(*place)->child[side_of(*place, key, len)];
	}
	struct strmap_node *leaf = *place;
	if (leaf == NULL || strcmp(leaf->key, key) != 0) {
		return NULL;
	}
	void *item = leaf->item;
	free(leaf);
	m->n--;
	if (above == NULL) {
		m->root = NULL;
	} else {
		struct strmap_node *branch = *above;
		*above = branch->child[place == &branch->child[0]];
		free(branch);
	}
	return item;
}
