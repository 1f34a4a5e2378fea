#include "auth/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	KEY_SLOTS = 1024,
	MAC_SLOTS_MIN = 1024, /* a power of two; the number doubles when there are as many entries, and never shrinks */
	PART_FORGOTTEN = 16,  /* when all entries together are too many, the key with most of them loses one sixteenth of its own */
};

struct replay_entry {
	struct replay_entry *slot_next, *list_next;
	struct key_past *key;
	uint8_t mac[TSIG_MAC_PART];
	uint64_t signed_s;
	uint32_t taken_s; /* by the clock that never goes back */
	uint16_t rcode;
	bool is_answered;
};

/* Entries of one kind, oldest first. */
struct past_list {
	struct replay_entry *first, *last;
	size_t n;
};

struct key_past {
	struct key_past *next; /* next in the slot */
	struct name name;
	struct past_list done, refused;
	size_t under_way;
	uint64_t floor_s;      /* newest signing time of forgotten requests that were carried out; 0: none */
};

struct replay {
	struct key_past *keys[KEY_SLOTS]; /* owned */
	struct replay_entry **slots;      /* owned, with the entries */
	size_t slots_n, entries;          /* entries: including those under way */
	size_t kept;                      /* entries in lists */
	uint64_t floor_s;                 /* a floor for all keys */
};

struct replay *
replay_new(void)
{
	struct replay *r = xalloc(sizeof *r);
	r->slots_n = MAC_SLOTS_MIN;
	r->slots = xalloc(r->slots_n * sizeof(struct replay_entry *));
	return r;
}

static void
free_entries(struct replay *r)
{
	for (size_t i = 0; i < r->slots_n; i++) {
		for (struct replay_entry *e = r->slots[i], *next; e != NULL; e = next) {
			next = e->slot_next;
			free(e);
		}
	}
	free(r->slots);
}

void
replay_free(struct replay **rp)
{
	struct replay *r = *rp;
	if (r == NULL) {
		return;
	}
	free_entries(r);
	for (size_t i = 0; i < KEY_SLOTS; i++) {
		for (struct key_past *k = r->keys[i], *next; k != NULL; k = next) {
			next = k->next;
			free(k);
		}
	}
	free(r);
	*rp = NULL;
}

/* ---- entries by their MACs ---- */

/* The octets of a MAC are as good as random, so the first ones are the hash. */
static struct replay_entry **
slot_of(const struct replay *r, const uint8_t mac[TSIG_MAC_PART])
{
	uint32_t h;
	memcpy(&h, mac, sizeof h);
	return &r->slots[h & (r->slots_n - 1)];
}

static struct replay_entry *
find(const struct replay *r, const struct key_past *key, const uint8_t mac[TSIG_MAC_PART])
{
	struct replay_entry *e = *slot_of(r, mac);
	while (e != NULL && (e->key != key || memcmp(e->mac, mac, TSIG_MAC_PART) != 0)) {
		e = e->slot_next;
	}
	return e;
}

static void
put_into_slot(struct replay *r, struct replay_entry *e)
{
	struct replay_entry **at = slot_of(r, e->mac);
	e->slot_next = *at;
	*at = e;
}

/* Doubles the number of slots, if there is memory for it. */
static void
grow(struct replay *r)
{
	struct replay_entry **old = r->slots, **slots = calloc(2 * r->slots_n, sizeof(struct replay_entry *));
	size_t n = r->slots_n;
	if (slots == NULL) {
		return;
	}
	r->slots = slots;
	r->slots_n = 2 * n;
	for (size_t i = 0; i < n; i++) {
		for (struct replay_entry *e = old[i], *next; e != NULL; e = next) {
			next = e->slot_next;
			put_into_slot(r, e);
		}
	}
	free(old);
}

static void
entry_free(struct replay *r, struct replay_entry *e)
{
	struct replay_entry **at = slot_of(r, e->mac);
	while (*at != e) {
		at = &(*at)->slot_next;
	}
	*at = e->slot_next;
	r->entries--;
	free(e);
}

/* ---- the memory of each key ---- */

static struct key_past **
key_slot(struct replay *r, const uint8_t *name)
{
	return &r->keys[name_hash(name) % KEY_SLOTS];
}

static void
raise_floor(struct key_past *k, uint64_t signed_s)
{
	k->floor_s = signed_s > k->floor_s ? signed_s : k->floor_s;
}

static void
keep(struct replay *r, struct past_list *list, struct replay_entry *e)
{
	*(list->last != NULL ? &list->last->list_next : &list->first) = e;
	list->last = e;
	list->n++;
	r->kept++;
}

static void
forget_oldest(struct replay *r, struct key_past *k, struct past_list *list)
{
	struct replay_entry *e = list->first;
	list->first = e->list_next;
	list->last = list->first != NULL ? list->last : NULL;
	list->n--;
	r->kept--;
	if (list == &k->done) {
		raise_floor(k, e->signed_s);
	}
	entry_free(r, e);
}

static void
forget_older(struct replay *r, struct key_past *k, struct past_list *list, uint64_t mono_s)
{
	while (list->first != NULL && (uint32_t)mono_s - list->first->taken_s > REPLAY_AGE_S) {
		forget_oldest(r, k, list);
	}
}

/* True when nothing of the key needs to be remembered. */
static bool
is_over(const struct key_past *k, uint64_t now_s)
{
	return k->done.n + k->refused.n + k->under_way == 0 && k->floor_s + TSIG_FUDGE_MAX_S < now_s;
}

/* Forgets old requests of the keys in a slot, and keys that need no memory any more. */
static void
tidy_slot(struct replay *r, struct key_past **at, const struct replay_request *q)
{
	for (struct key_past *k; (k = *at) != NULL;) {
		forget_older(r, k, &k->done, q->mono_s);
		forget_older(r, k, &k->refused, q->mono_s);
		if (is_over(k, q->now_s)) {
			*at = k->next;
			free(k);
		} else {
			at = &k->next;
		}
	}
}

/* NULL: no memory. */
static struct key_past *
key_of(struct key_past **at, const uint8_t *name)
{
	while (*at != NULL && !name_is_equal((*at)->name.oct, name)) {
		at = &(*at)->next;
	}
	if (*at == NULL && (*at = try_alloc(sizeof **at)) != NULL) {
		name_set(&(*at)->name, name);
	}
	return *at;
}

static size_t
kept_of(const struct key_past *k)
{
	return k->done.n + k->refused.n;
}

static struct key_past *
key_with_most(struct replay *r)
{
	struct key_past *most = NULL;
	for (size_t i = 0; i < KEY_SLOTS; i++) {
		for (struct key_past *k = r->keys[i]; k != NULL; k = k->next) {
			most = most == NULL || kept_of(k) > kept_of(most) ? k : most;
		}
	}
	return most;
}

/* Makes room for one more entry. */
static void
make_room(struct replay *r)
{
	if (r->kept < REPLAY_MAX) {
		return;
	}
	struct key_past *k = key_with_most(r);
	for (size_t n = kept_of(k) / PART_FORGOTTEN + 1; n != 0; n--) {
		forget_oldest(r, k, k->refused.n != 0 ? &k->refused : &k->done);
	}
}

/* ---- public functions ---- */

/* A floor that lies further in the future than a signature can be valid means that the clock was set back: then the present time
 * is the floor, as after a restart. */
static void
lower_floor(uint64_t *floor_s, uint64_t now_s)
{
	*floor_s = *floor_s > now_s + TSIG_FUDGE_MAX_S ? now_s : *floor_s;
}

static bool
is_doubtful(struct replay *r, struct key_past *k, const struct replay_request *q)
{
	lower_floor(&k->floor_s, q->now_s);
	lower_floor(&r->floor_s, q->now_s);
	return q->signed_s <= k->floor_s || q->signed_s <= r->floor_s;
}

static struct replay_entry *
entry_new(struct replay *r, struct key_past *k, const struct replay_request *q, const uint8_t mac[TSIG_MAC_PART])
{
	struct replay_entry *e = try_alloc(sizeof *e);
	if (e == NULL) {
		return NULL;
	}
	e->key = k;
	memcpy(e->mac, mac, TSIG_MAC_PART);
	e->signed_s = q->signed_s;
	e->taken_s = (uint32_t)q->mono_s;
	if (r->entries == r->slots_n) {
		grow(r);
	}
	put_into_slot(r, e);
	r->entries++;
	k->under_way++;
	return e;
}

err_t
replay_take(struct replay *r, const struct replay_request *q, enum replay_state *state, unsigned *rcode,
            struct replay_entry **entry)
{
	uint8_t mac[TSIG_MAC_PART] = { 0 };
	struct key_past **slot = key_slot(r, q->key);
	tidy_slot(r, slot, q);
	struct key_past *k = key_of(slot, q->key);
	if (k == NULL) {
		return E_NOMEM;
	}
	memcpy(mac, q->mac, q->mac_len < TSIG_MAC_PART ? q->mac_len : TSIG_MAC_PART);
	struct replay_entry *e = find(r, k, mac);
	if (e != NULL) {
		*rcode = e->rcode;
		*state = e->is_answered ? REPLAY_ANSWERED : REPLAY_UNDER_WAY;
		return OK;
	}
	if (is_doubtful(r, k, q)) {
		*state = REPLAY_DOUBTFUL;
		return OK;
	}
	*state = REPLAY_NEW;
	*entry = entry_new(r, k, q, mac);
	return *entry != NULL ? OK : E_NOMEM;
}

void
replay_settle(struct replay *r, struct replay_entry *e, unsigned rcode, bool is_carried_out)
{
	struct key_past *k = e->key;
	e->rcode = (uint16_t)rcode;
	e->is_answered = true;
	k->under_way--;
	make_room(r);
	keep(r, is_carried_out ? &k->done : &k->refused, e);
	if (k->refused.n > REPLAY_REFUSED_MAX) {
		forget_oldest(r, k, &k->refused);
	}
}

void
replay_lose(struct replay *r, struct replay_entry *e)
{
	e->key->under_way--;
	make_room(r);
	keep(r, &e->key->done, e);
}

err_t
replay_note(struct replay *r, const uint8_t *key, uint64_t signed_s)
{
	if (key == NULL) {
		r->floor_s = signed_s > r->floor_s ? signed_s : r->floor_s;
		return OK;
	}
	struct key_past *k = key_of(key_slot(r, key), key);
	if (k == NULL) {
		return E_NOMEM;
	}
	raise_floor(k, signed_s);
	return OK;
}

size_t
replay_n(const struct replay *r)
{
	return r->kept;
}
