#include "auth/secondary.h"

#include <stdlib.h>
#include <string.h>

#include "auth/zone_note.h"
#include "base/alloc.h"
#include "zone/changes.h"
#include "zone/history.h"
#include "zone/nkey.h"
#include "zone/trie.h"

struct entry {
	struct zone *version;          /* owned; NULL: none */
	enum follow_presence presence; /* FOLLOW_FORGOTTEN: nothing was shown yet */
	uint64_t made_s;               /* when the version came */
	size_t note_octets;            /* of the view's note on it */
	const struct name *catalog;    /* that lists it, borrowed; NULL: none */
	uint8_t name_len;
	uint8_t name[];
};

struct secondary {
	struct secondary_conf conf;
	struct view_line views;
	struct trie_txn entries; /* of struct entry, by name; never committed, since nobody else reads it */
	size_t octets;           /* of all entries, with their versions */
};

/* ---- entries ---- */

static bool
is_shut(enum follow_presence p)
{
	return p == FOLLOW_NEW || p == FOLLOW_EXPIRED || p == FOLLOW_UNKNOWN;
}

static enum shut_why
why_shut(enum follow_presence p)
{
	return p == FOLLOW_NEW ? SHUT_NEW : p == FOLLOW_EXPIRED ? SHUT_EXPIRED : SHUT_UNKNOWN;
}

static size_t
entry_size(size_t name_len)
{
	return sizeof(struct entry) + name_len;
}

/* With what the view has of it. */
static size_t
entry_octets(const struct entry *e)
{
	size_t shown = e->note_octets + (is_shut(e->presence) ? shut_zone_octets(e->name_len) : 0);
	return alloc_octets(entry_size(e->name_len)) + zone_octets(e->version) + shown;
}

static void
entry_free(void *ctx, void *entry)
{
	struct entry *e = entry;
	(void)ctx;
	history_free_zone(&e->version);
	free(e);
}

static err_t
entry_add(struct secondary *s, const struct nkey *key, struct entry **out)
{
	void *none;
	struct entry *e = try_alloc(entry_size(key->name_len));
	if (e == NULL) {
		return E_NOMEM;
	}
	e->presence = FOLLOW_FORGOTTEN;
	e->name_len = key->name_len;
	memcpy(e->name, key->name, key->name_len);
	err_t err = trie_put(&s->entries, e, &none);
	if (err != OK) {
		free(e);
		return err;
	}
	s->octets += entry_octets(e);
	*out = e;
	return OK;
}

/* Removes an entry of which nothing is left but its name. */
static void
entry_remove(struct secondary *s, struct entry *e)
{
	struct nkey key;
	nkey_set(&key, e->name);
	(void)trie_remove(&s->entries, &key);
	s->octets -= entry_octets(e);
	free(e);
}

/* ---- one step: a zone's entry, and the next view ---- */

struct step {
	struct secondary *s;
	struct entry *e;
	size_t octets;          /* of the entry, before */
	uint64_t now_s, made_s; /* made_s: the entry's, once the step is done */
	struct zone_note *note; /* made here, and owned until the commit; NULL: none */
	struct next_view next;
};

static void
forget_if_empty(struct secondary *s, struct entry *e)
{
	if (e->presence == FOLLOW_FORGOTTEN) {
		entry_remove(s, e);
	}
}

static err_t
step_begin(struct secondary *s, const uint8_t *apex, uint64_t now_s, struct step *step)
{
	struct nkey key;
	nkey_set(&key, apex);
	*step = (struct step){ .s = s, .e = trie_get(&s->entries.now, &key), .now_s = now_s };
	if (step->e == NULL) {
		TRY(entry_add(s, &key, &step->e));
	}
	step->octets = entry_octets(step->e);
	step->made_s = step->e->made_s;
	err_t err = next_view_begin(&step->next, &s->views, 1);
	if (err != OK) {
		forget_if_empty(s, step->e);
	}
	return err;
}

static void
step_rollback(struct step *step)
{
	next_view_rollback(&step->next);
	free(step->note);
	forget_if_empty(step->s, step->e);
}

/* It is hidden from whoever may not have it. */
static void
note_catalog(struct step *step)
{
	const struct secondary *s = step->s;
	const struct entry *e = step->e;
	for (size_t i = 0; i < s->conf.followed_n; i++) {
		if (name_is_equal(s->conf.followed[i].oct, e->name)) {
			step->next.view->followed[i] = e->presence == FOLLOW_PRESENT ? e->version : NULL;
		}
	}
}

static void
step_commit(struct step *step, enum follow_presence presence, struct secondary_step *out)
{
	struct secondary *s = step->s;
	struct entry *e = step->e;
	e->presence = presence;
	e->made_s = step->made_s;
	e->note_octets = step->note != NULL ? alloc_octets(step->note->octets) : 0;
	s->octets += entry_octets(e) - step->octets;
	note_catalog(step);
	forget_if_empty(s, e);
	out->view = next_view_commit(&step->next, "", step->now_s, &out->old);
}

/* What the view is to say of the zone. */
static err_t
note(struct step *step, enum follow_presence presence)
{
	const uint8_t *apex = step->e->name;
	struct note_txn *notes = &step->next.notes;
	struct zone_note *old = note_txn_find(notes, apex);
	bool is_served = presence == FOLLOW_PRESENT;
	const struct name *catalog = step->e->catalog;
	struct zone_note_parts parts = { .apex = apex, .changed_s = is_served ? step->made_s : 0,
		                         .catalog = catalog != NULL ? catalog->oct : NULL };
	if (!is_served && !is_shut(presence)) {
		return old != NULL ? note_txn_remove(notes, old) : OK;
	}
	parts.state = is_served ? NOTE_SERVED : presence == FOLLOW_EXPIRED ? NOTE_EXPIRED : NOTE_NEW;
	step->note = zone_note_new(&parts);
	return step->note != NULL ? note_txn_put(notes, step->note) : E_NOMEM;
}

/* What the view shows of the zone becomes this; the version stays.  An error: to be rolled back. */
static err_t
turn_to(struct step *step, enum follow_presence presence)
{
	const struct entry *e = step->e;
	bool was_served = e->presence == FOLLOW_PRESENT, is_served = presence == FOLLOW_PRESENT;
	ASSERT(!is_served || e->version != NULL);
	if (was_served && !is_served) {
		TRY(next_view_withdraw(&step->next, e->name));
	} else if (is_served && !was_served) {
		TRY(next_view_put(&step->next, e->version, NULL));
	}
	TRY(note(step, presence));
	return is_shut(presence) ? next_view_shut(&step->next, e->name, why_shut(presence))
	                         : next_view_open(&step->next, e->name);
}

/* ---- versions ---- */

static bool
is_any(const struct zone_changes *c)
{
	return c->added + c->removed != 0;
}

/* `z` will be served; or the version that is there, when they are the same: a serial that stays with its content keeps its history. */
static err_t
put(struct step *step, struct zone *z, const struct zone_changes *changes)
{
	const struct entry *e = step->e;
	if (e->version != NULL && !is_any(changes)) {
		return turn_to(step, FOLLOW_PRESENT);
	}
	step->made_s = step->now_s;
	TRY(next_view_put(&step->next, z, e->presence == FOLLOW_PRESENT ? e->version : NULL));
	TRY(note(step, FOLLOW_PRESENT));
	return next_view_open(&step->next, e->name);
}

static err_t
take_first(struct step *step, struct zone **whole)
{
	TRY(put(step, *whole, NULL));
	step->e->version = *whole;
	*whole = NULL;
	return OK;
}

/* Also when the version before is kept only: older views have it until the step's discard is freed, and the new one may share with it. */
static err_t
take_whole(struct step *step, struct zone **whole)
{
	struct zone *before = step->e->version;
	struct zone_changes changes;
	ASSERT(name_is_equal((*whole)->apex_name, step->e->name));
	if (before == NULL) {
		return take_first(step, whole);
	}
	TRY(zone_changes_find(before, *whole, zone_changes_max(before), &changes));
	err_t err = put(step, *whole, &changes);
	if (err == OK && is_any(&changes)) {
		step->e->version = next_view_follow(&step->next, before, whole, &changes);
	}
	zone_changes_fini(&changes);
	return err;
}

static err_t
take_changes(struct step *step, struct zone_txn **txn)
{
	const struct zone *made;
	struct zone_changes changes;
	ASSERT(step->e->version != NULL);
	TRY(zone_txn_prepare(*txn, &made)); /* it was: this only tells the version */
	TRY(zone_changes_of(*txn, &changes));
	err_t err = put(step, (struct zone *)(uintptr_t)made, &changes);
	if (err == OK && is_any(&changes)) {
		step->e->version = next_view_follow_txn(&step->next, step->e->version, txn, &changes);
	}
	zone_changes_fini(&changes);
	return err;
}

err_t
secondary_take(struct secondary *s, const uint8_t *apex, struct zone **whole, struct zone_txn **changes, uint64_t now_s,
               const struct zone **version, struct secondary_step *out)
{
	struct step step;
	ASSERT((*whole != NULL) != (*changes != NULL));
	TRY(step_begin(s, apex, now_s, &step));
	err_t err = *whole != NULL ? take_whole(&step, whole) : take_changes(&step, changes);
	if (err != OK) {
		step_rollback(&step);
		return err;
	}
	*version = step.e->version;
	step_commit(&step, FOLLOW_PRESENT, out);
	return OK;
}

err_t
secondary_restore(struct secondary *s, const uint8_t *apex, struct zone **whole, enum follow_presence presence, uint64_t made_s,
                  uint64_t now_s, const struct zone **version, struct secondary_step *out)
{
	struct step step;
	TRY(step_begin(s, apex, now_s, &step));
	ASSERT(step.e->version == NULL);
	step.e->version = *whole;
	step.made_s = made_s;
	err_t err = turn_to(&step, presence);
	if (err != OK) {
		step.e->version = NULL;
		step_rollback(&step);
		return err;
	}
	*version = *whole;
	*whole = NULL;
	step_commit(&step, presence, out);
	return OK;
}

err_t
secondary_show(struct secondary *s, const uint8_t *apex, enum follow_presence presence, uint64_t now_s, struct secondary_step *out)
{
	struct step step;
	TRY(step_begin(s, apex, now_s, &step));
	err_t err = turn_to(&step, presence);
	if (err != OK) {
		step_rollback(&step);
		return err;
	}
	if (presence == FOLLOW_FORGOTTEN && step.e->version != NULL) {
		next_view_remove(&step.next, step.e->version);
		step.e->version = NULL;
	}
	step_commit(&step, presence, out);
	return OK;
}

static const struct name *
followed_name(const struct secondary *s, const uint8_t *catalog)
{
	for (size_t i = 0; catalog != NULL && i < s->conf.followed_n; i++) {
		if (name_is_equal(s->conf.followed[i].oct, catalog)) {
			return &s->conf.followed[i];
		}
	}
	return NULL;
}

err_t
secondary_belongs(struct secondary *s, const uint8_t *apex, const uint8_t *catalog)
{
	struct nkey key;
	nkey_set(&key, apex);
	struct entry *e = trie_get(&s->entries.now, &key);
	if (e == NULL && catalog == NULL) {
		return OK;
	}
	if (e == NULL) {
		TRY(entry_add(s, &key, &e));
	}
	e->catalog = followed_name(s, catalog);
	return OK;
}

/* ---- memory ---- */

size_t
secondary_octets(const struct secondary *s)
{
	const struct view *v = s->views.latest;
	size_t tries = s->entries.now.octets + v->zones.octets + v->shut.octets + v->notes.all.octets + v->notes.troubles.octets;
	return s->octets + tries + zone_octets(v->catalog) + keystore_octets(v->keys);
}

size_t
secondary_room(const struct secondary *s)
{
	size_t max = s->conf.octets_max != 0 ? s->conf.octets_max : SIZE_MAX;
	size_t used = secondary_octets(s) + s->views.kept_octets;
	return used < max ? max - used : 0;
}

/* ---- making and freeing ---- */

const struct view *
secondary_view(const struct secondary *s)
{
	return s->views.latest;
}

struct secondary *
secondary_new(const struct secondary_conf *conf, struct keystore *keys)
{
	struct secondary *s = xalloc(sizeof *s);
	struct trie none;
	s->conf = *conf;
	view_line_init(&s->views, &conf->catalog);
	s->views.latest->keys = keys;
	ASSERT(conf->followed_n <= VIEW_FOLLOWED_MAX);
	s->views.latest->followed_n = (unsigned)conf->followed_n;
	s->views.latest->is_ready = true; /* its keys are all there are, and its zones all that are known */
	trie_init(&none, offsetof(struct entry, name));
	trie_begin(&s->entries, &none);
	return s;
}

void
secondary_free(struct secondary **s)
{
	if (*s == NULL) {
		return;
	}
	view_line_fini(&(*s)->views);
	trie_fini(&(*s)->entries.now, entry_free, NULL);
	free_ptr(s);
}
