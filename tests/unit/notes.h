/* tests/unit/notes.h -- the notes of a view (auth/zone_note.h) are about just the zones that there are. */
#pragma once

#include <string.h>

#include "auth/primary.h"
#include "zone/nkey.h"

static inline const struct zone_note *
note_of(const struct view *v, const char *name)
{
	struct name n;
	assert_int_equal(name_parse(name, strlen(name), name_root, &n), OK);
	return zone_notes_find(&v->notes, n.oct);
}

static inline void
assert_note_is_true(const struct view *v, const struct zone_note *n)
{
	struct nkey key;
	nkey_set(&key, n->apex);
	bool is_served = view_zone(v, n->apex) != NULL, is_trouble = n->state != NOTE_SERVED;
	assert_int_equal(is_served, n->state != NOTE_REJECTED);
	assert_ptr_equal(trie_get(&v->notes.troubles, &key), is_trouble ? n : NULL);
	assert_int_equal(is_served, n->changed[0] != '\0');
	assert_int_equal(is_trouble, n->since[0] != '\0');
	assert_int_equal(is_trouble, n->tried[0] != '\0');
}

static inline void
assert_notes_follow(const struct primary *p)
{
	const struct view *v = primary_view(p);
	struct trie_iter it;
	size_t served = 0, troubles = 0;
	trie_iter_first(&it, &v->notes.all);
	for (const struct zone_note *n; (n = trie_iter_next(&it)) != NULL;) {
		assert_note_is_true(v, n);
		served += n->state != NOTE_REJECTED;
		troubles += n->state != NOTE_SERVED;
	}
	assert_int_equal(served, view_zones_n(v));
	assert_int_equal(troubles, v->notes.troubles.n);
}
