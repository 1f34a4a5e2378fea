#include "auth/view.h"

enum { LOOKS_MAX = 100 };

const struct zone *
view_zone(const struct view *v, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(&v->zones, &key);
}

const struct shut_zone *
view_shut_zone(const struct view *v, const uint8_t *apex)
{
	struct nkey key;
	if (v->shut.n == 0) {
		return NULL;
	}
	nkey_set(&key, apex);
	return trie_get(&v->shut, &key);
}

/* The value at the name or nearest above it. */
static const void *
nearest(const struct trie *t, const struct nkey *key)
{
	struct trie_path path;
	trie_lookup(t, key, &path);
	return path.exact != NULL ? path.exact : path.n != 0 ? path.ancestor[path.n - 1] : NULL;
}

const struct zone *
view_zone_around(const struct view *v, const struct nkey *key)
{
	return nearest(&v->zones, key);
}

const struct shut_zone *
view_shut_around(const struct view *v, const uint8_t *name)
{
	struct nkey key;
	if (v->shut.n == 0) {
		return NULL;
	}
	nkey_set(&key, name);
	const struct shut_zone *shut = nearest(&v->shut, &key);
	const struct zone *served = view_zone_around(v, &key);
	return shut != NULL && !(served != NULL && served->apex_len > shut->apex_len) ? shut : NULL;
}

bool
view_may_have_unknown(const struct view *v, const uint8_t *name)
{
	struct trie_iter it;
	struct nkey key;
	const struct shut_zone *z;
	if (v->unknown_n == 0) {
		return false;
	}
	unsigned looks = 0;
	nkey_set(&key, name);
	trie_iter_seek(&it, &v->shut, &key);
	do {
		z = trie_iter_next(&it);
	} while (z != NULL && z->why != SHUT_UNKNOWN && ++looks < LOOKS_MAX && name_is_within(z->apex, name));
	return z != NULL && name_is_within(z->apex, name);
}
