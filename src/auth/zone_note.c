#include "auth/zone_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/nkey.h"

/* ---- one note ---- */

static size_t
text_octets(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 1;
}

/* Copies the text to *to, and moves *to to after it. */
static const char *
put_text(char **to, const char *text)
{
	size_t n = text_octets(text);
	char *at = *to;
	if (n > 1) {
		memcpy(at, text, n);
	}
	*to += n;
	return at;
}

struct zone_note *
zone_note_new(const struct zone_note_parts *p)
{
	static const struct trouble none = { .code = "" };
	const struct trouble *t = p->trouble != NULL ? p->trouble : &none;
	size_t apex_len = name_len(p->apex);
	size_t catalog_len = p->catalog != NULL ? name_len(p->catalog) : 0;
	size_t octets = sizeof(struct zone_note) + apex_len + text_octets(p->file) + text_octets(p->changed) + text_octets(p->since) +
	                text_octets(p->tried) + text_octets(t->text) + text_octets(t->file) + catalog_len;
	struct zone_note *n = try_alloc(octets);
	if (n == NULL) {
		return NULL;
	}
	n->state = p->state;
	n->level = t->level;
	n->line = t->line;
	n->column = t->column;
	n->changed_s = p->changed_s;
	n->code = t->code;
	n->general = t->general;
	n->octets = octets;
	n->apex_len = (uint8_t)apex_len;
	memcpy(n->apex, p->apex, apex_len);
	char *to = (char *)n->apex + apex_len;
	n->file = put_text(&to, p->file);
	n->changed = put_text(&to, p->changed);
	n->since = put_text(&to, p->since);
	n->tried = put_text(&to, p->tried);
	n->text = put_text(&to, t->text);
	n->where = put_text(&to, t->file);
	if (p->catalog != NULL) {
		memcpy(to, p->catalog, catalog_len);
		n->catalog = (const uint8_t *)to;
	}
	return n;
}

const char *
zone_note_state_text(enum note_state state)
{
	static const char *const texts[] = {
		[NOTE_SERVED] = "served", [NOTE_LAST_GOOD] = "last-good", [NOTE_REJECTED] = "rejected", [NOTE_HELD] = "held",
		[NOTE_NEW] = "new", [NOTE_EXPIRED] = "expired",
	};
	return texts[state];
}

/* ---- the notes of a view ---- */

void
zone_notes_init(struct zone_notes *n)
{
	trie_init(&n->all, ZONE_NOTE_NAME_AT);
	trie_init(&n->troubles, ZONE_NOTE_NAME_AT);
}

static void
free_note(void *ctx, void *note)
{
	(void)ctx;
	free(note);
}

void
zone_notes_fini(struct zone_notes *n)
{
	trie_fini(&n->troubles, NULL, NULL);
	trie_fini(&n->all, free_note, NULL);
}

static struct zone_note *
find(const struct trie *notes, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(notes, &key);
}

struct zone_note *
zone_notes_find(const struct zone_notes *n, const uint8_t *apex)
{
	return find(&n->all, apex);
}

void
note_txn_begin(struct note_txn *t, const struct zone_notes *from)
{
	*t = (struct note_txn){ 0 };
	trie_begin(&t->all, &from->all);
	trie_begin(&t->troubles, &from->troubles);
}

struct zone_note *
note_txn_find(const struct note_txn *t, const uint8_t *apex)
{
	return find(&t->all.now, apex);
}

static err_t
claim(struct note_txn *t, const struct nkey *key)
{
	TRY(garbage_reserve(&t->garbage, 1));
	TRY(trie_claim(&t->all, key));
	return trie_claim(&t->troubles, key);
}

/* Puts the note into both tries, or into neither.  After the claims, only a name that is new in a trie needs memory.  If that
 * fails in `all`, the name is new there, so it was not in `troubles` before, either. */
err_t
note_txn_put(struct note_txn *t, struct zone_note *n)
{
	struct nkey key;
	void *replaced;
	nkey_set(&key, n->apex);
	struct zone_note *old = trie_get(&t->all.now, &key);
	TRY(claim(t, &key));
	if (zone_note_is_trouble(n)) {
		TRY(trie_put(&t->troubles, n, &replaced));
	}
	err_t err = trie_put(&t->all, n, &replaced);
	if (err != OK || !zone_note_is_trouble(n)) {
		(void)trie_remove(&t->troubles, &key);
	}
	if (err == OK && old != NULL) {
		garbage_add(&t->garbage, old, old->octets);
	}
	return err;
}

err_t
note_txn_remove(struct note_txn *t, struct zone_note *n)
{
	struct nkey key;
	nkey_set(&key, n->apex);
	TRY(claim(t, &key));
	(void)trie_remove(&t->all, &key);
	(void)trie_remove(&t->troubles, &key);
	garbage_add(&t->garbage, n, n->octets);
	return OK;
}

void
note_txn_commit(struct note_txn *t, struct zone_notes *out, struct garbage *garbage)
{
	out->all = trie_commit(&t->all, garbage);
	out->troubles = trie_commit(&t->troubles, garbage);
	garbage_move(garbage, &t->garbage);
}

void
note_txn_rollback(struct note_txn *t)
{
	trie_rollback(&t->all);
	trie_rollback(&t->troubles);
	garbage_forget(&t->garbage); /* the old version keeps them */
}
