#include "auth/next_view.h"

#include <stdlib.h>
#include <string.h>

#include "auth/catalog.h"
#include "base/alloc.h"
#include "zone/history.h"

struct discard {
	struct garbage garbage;    /* branches of the set's trie, nodes, deltas */
	struct zone **zones;
	size_t zones_n, zones_cap;
	struct keystore *keys;     /* the old view's */
	struct secondaries *secondaries; /* likewise */
	struct view *view;
	size_t octets;             /* of all of it */
	size_t *kept;              /* the view line's count */
};

/* ---- what goes ---- */

/* For so many zones, and a catalog.  NULL: no memory. */
static struct discard *
discard_new(size_t zones)
{
	struct discard *d = try_alloc(sizeof *d);
	struct zone **list = try_alloc((zones + 1) * sizeof(struct zone *));
	if (d == NULL || list == NULL) {
		free(d);
		free(list);
		return NULL;
	}
	d->zones = list;
	d->zones_cap = zones + 1;
	return d;
}

static void
discard_zone(struct discard *old, struct zone *z)
{
	ASSERT(old->zones_n < old->zones_cap);
	old->zones[old->zones_n++] = z;
	old->octets += zone_octets(z) - z->history.octets; /* that goes on, or is garbage of its own */
}

void
discard_free(struct discard **d)
{
	struct discard *old = *d;
	if (old == NULL) {
		return;
	}
	if (old->kept != NULL) {
		*old->kept -= old->octets;
	}
	garbage_free(&old->garbage);
	for (size_t i = 0; i < old->zones_n; i++) {
		zone_free(&old->zones[i]);
	}
	free(old->zones);
	keystore_free(&old->keys);
	secondaries_free(&old->secondaries);
	free(old->view);
	free(old);
	*d = NULL;
}

size_t
discard_octets(const struct discard *d)
{
	return d->octets;
}

/* ---- begin and end ---- */

void
view_line_init(struct view_line *line, const struct name *catalog)
{
	*line = (struct view_line){ .latest = xalloc(sizeof *line->latest), .catalog = *catalog };
	trie_init(&line->latest->zones, ZONE_NAME_AT);
	trie_init(&line->latest->shut, SHUT_NAME_AT);
	zone_notes_init(&line->latest->notes);
}

void
view_line_fini(struct view_line *line)
{
	struct zone *catalog = (struct zone *)(uintptr_t)line->latest->catalog;
	struct keystore *keys = (struct keystore *)(uintptr_t)line->latest->keys;
	struct secondaries *secondaries = (struct secondaries *)(uintptr_t)line->latest->secondaries;
	trie_fini(&line->latest->zones, NULL, NULL);
	shut_fini(&line->latest->shut);
	zone_notes_fini(&line->latest->notes);
	history_free_zone(&catalog);
	keystore_free(&keys);
	secondaries_free(&secondaries);
	free(line->latest);
	*line = (struct view_line){ 0 };
}

err_t
next_view_begin(struct next_view *n, struct view_line *line, size_t changes)
{
	struct next_view new = { .line = line, .view = try_alloc(sizeof *new.view) };
	new.old = new.view != NULL ? discard_new(changes) : NULL;
	if (new.old == NULL) {
		free(new.view);
		return E_NOMEM;
	}
	new.view->keys = line->latest->keys;
	new.view->secondaries = line->latest->secondaries;
	new.view->unknown_n = line->latest->unknown_n;
	new.view->followed_n = line->latest->followed_n;
	memcpy(new.view->followed, line->latest->followed, sizeof new.view->followed);
	trie_begin(&new.zones, &line->latest->zones);
	shut_txn_begin(&new.shut, &line->latest->shut);
	note_txn_begin(&new.notes, &line->latest->notes);
	*n = new;
	return OK;
}

void
next_view_rollback(struct next_view *n)
{
	trie_rollback(&n->zones);
	shut_txn_rollback(&n->shut);
	note_txn_rollback(&n->notes);
	free(n->view);
	discard_free(&n->old);
}

static void
catalog_step(struct next_view *n, uint64_t now_s)
{
	struct view_line *line = n->line;
	struct zone *retired;
	if (line->catalog.len == 0) {
		return;
	}
	err_t err = catalog_follow(line->catalog.oct, line->latest, n->view, now_s, line->is_catalog_behind, &n->old->garbage, &retired);
	line->is_catalog_behind = err != OK;
	if (retired != NULL) {
		discard_zone(n->old, retired);
	}
}

const struct view *
next_view_commit(struct next_view *n, const char *commit, uint64_t now_s, struct discard **old)
{
	struct view_line *line = n->line;
	strncpy(n->view->commit, commit, sizeof n->view->commit - 1);
	n->view->is_ready = true;
	n->view->zones = trie_commit(&n->zones, &n->old->garbage);
	n->view->shut = shut_txn_commit(&n->shut, &n->old->garbage);
	note_txn_commit(&n->notes, &n->view->notes, &n->old->garbage);
	catalog_step(n, now_s);
	n->old->view = line->latest;
	n->old->octets += n->old->garbage.octets;
	n->old->kept = &line->kept_octets;
	line->kept_octets += n->old->octets;
	line->latest = n->view;
	*old = n->old;
	return line->latest;
}

/* ---- zones ---- */

/* The name was put by this transaction: to put it again needs no memory. */
static void
put_again(struct next_view *n, struct zone *z)
{
	void *replaced;
	err_t err = trie_put(&n->zones, z, &replaced);
	ASSERT(err == OK && replaced != NULL);
}

static bool
is_catalog(const struct next_view *n, const uint8_t *apex)
{
	const struct name *catalog = &n->line->catalog;
	return catalog->len != 0 && name_is_equal(apex, catalog->oct);
}

err_t
next_view_put(struct next_view *n, struct zone *z, const struct zone *before)
{
	void *replaced = NULL;
	if (is_catalog(n, z->apex_name)) {
		return E_EXISTS;
	}
	TRY(trie_put(&n->zones, z, &replaced));
	if (replaced != before) {
		put_again(n, replaced);
		return E_EXISTS;
	}
	return OK;
}

err_t
next_view_claim(struct next_view *n, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_claim(&n->zones, &key);
}

err_t
next_view_withdraw(struct next_view *n, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	TRY(trie_claim(&n->zones, &key));
	(void)trie_remove(&n->zones, &key);
	return OK;
}

static bool
is_unknown(const struct next_view *n, const struct nkey *key)
{
	const struct shut_zone *z = trie_get(&n->shut.all.now, key);
	return z != NULL && z->why == SHUT_UNKNOWN;
}

err_t
next_view_shut(struct next_view *n, const uint8_t *apex, enum shut_why why)
{
	struct nkey key;
	nkey_set(&key, apex);
	if (is_catalog(n, apex) || trie_get(&n->zones.now, &key) != NULL) {
		return E_EXISTS;
	}
	bool was_unknown = is_unknown(n, &key);
	TRY(shut_txn_put(&n->shut, apex, why));
	n->view->unknown_n += (why == SHUT_UNKNOWN) - (size_t)was_unknown;
	return OK;
}

err_t
next_view_open(struct next_view *n, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	bool was_unknown = is_unknown(n, &key);
	TRY(shut_txn_remove(&n->shut, apex));
	n->view->unknown_n -= was_unknown;
	return OK;
}

struct zone *
next_view_follow(struct next_view *n, struct zone *before, struct zone **z, const struct zone_changes *changes)
{
	struct garbage *garbage = &n->old->garbage;
	struct zone *made = NULL;
	bool is_made = zone_changes_are_whole(changes) && zone_changes_apply(before, changes, &made, garbage) == OK;
	if (is_made) { /* `before` itself is in the garbage now, and lives as long as that */
		history_extend(before, made, changes, garbage);
		put_again(n, made);
		return made;
	}
	struct zone *taken = *z;
	history_extend(before, taken, changes, garbage);
	discard_zone(n->old, before);
	*z = NULL;
	return taken;
}

struct zone *
next_view_follow_txn(struct next_view *n, struct zone *before, struct zone_txn **txn, const struct zone_changes *changes)
{
	struct zone *made;
	err_t err = zone_txn_commit(txn, &made, &n->old->garbage);
	ASSERT(err == OK); /* it was prepared */
	history_extend(before, made, changes, &n->old->garbage);
	return made;
}

void
next_view_remove(struct next_view *n, struct zone *z)
{
	struct nkey key;
	nkey_set(&key, z->apex_name);
	(void)trie_remove(&n->zones, &key);
	history_drop(z, &n->old->garbage);
	discard_zone(n->old, z);
}

/* ---- keys ---- */

void
next_view_set_keys(struct next_view *n, struct keystore *keys, struct secondaries *secondaries)
{
	n->old->keys = (struct keystore *)(uintptr_t)n->line->latest->keys;
	n->old->secondaries = (struct secondaries *)(uintptr_t)n->line->latest->secondaries;
	n->old->octets += keystore_octets(n->old->keys) + secondaries_octets(n->old->secondaries);
	n->view->keys = keys;
	n->view->secondaries = secondaries;
}
