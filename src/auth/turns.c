#include "auth/turns.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum party_kind { PARTY_CLIENT_4 = 4, PARTY_CLIENT_6 = 6, PARTY_KEY = 'k' };

struct party_id {
	uint8_t kind, len;
	uint8_t octets[NAME_WIRE_MAX];
};

struct party {
	struct party *next; /* next in the chain */
	struct party_id id;
	unsigned active, waiting;
	uint64_t last;      /* turns->count when its last transfer began, or when the party was made: a new party comes after
	                     * those that wait */
};

/* ---- parties ---- */

static struct party_id
id_of_client(const struct peer *p)
{
	struct party_id id = { .kind = p->family, .len = (uint8_t)peer_client_len(p) };
	memcpy(id.octets, p->address, id.len);
	return id;
}

static struct party_id
id_of_key(const struct name *key)
{
	struct party_id id = { .kind = PARTY_KEY, .len = key->len };
	memcpy(id.octets, key->oct, key->len);
	return id;
}

static bool
is_same(const struct party_id *a, const struct party_id *b)
{
	return a->kind == b->kind && a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

static struct party **
chain_of(struct turns *t, const struct party_id *id)
{
	uint32_t hash = id->kind;
	for (unsigned i = 0; i < id->len; i++) {
		hash = hash * 31 + id->octets[i];
	}
	return &t->parties[(hash ^ hash >> 8 ^ hash >> 16) % TURNS_PARTY_CHAINS];
}

/* Finds or makes a party.  NULL: no memory. */
static struct party *
party_of(struct turns *t, const struct party_id *id)
{
	struct party **chain = chain_of(t, id), *p = *chain;
	while (p != NULL && !is_same(&p->id, id)) {
		p = p->next;
	}
	if (p == NULL && (p = try_alloc(sizeof *p)) != NULL) {
		p->id = *id;
		p->last = t->count;
		p->next = *chain;
		*chain = p;
	}
	return p;
}

/* Frees a party (NULL is fine) without transfers. */
static void
party_settle(struct turns *t, struct party *p)
{
	if (p == NULL || p->active != 0 || p->waiting != 0) {
		return;
	}
	struct party **at = chain_of(t, &p->id);
	while (*at != p) {
		at = &(*at)->next;
	}
	*at = p->next;
	free(p);
}

/* ---- joining and leaving ---- */

static unsigned
part(unsigned max, unsigned of)
{
	return max / of + (max % of != 0);
}

void
turns_init(struct turns *t, unsigned max)
{
	ASSERT(max != 0);
	memset(t, 0, sizeof *t);
	list_init(&t->waiting);
	list_init(&t->active);
	t->max = max;
	t->client_max = part(max, TURNS_CLIENT_PART);
	t->key_max = part(max, TURNS_KEY_PART);
}

err_t
turns_ask(struct turns *t, const struct peer *from, const struct name *key, struct turn *turn)
{
	struct party_id client_id = id_of_client(from), key_id = id_of_key(key);
	struct party *client = party_of(t, &client_id), *signer = party_of(t, &key_id);
	if (client == NULL || signer == NULL) {
		party_settle(t, client);
		party_settle(t, signer);
		return E_NOMEM;
	}
	*turn = (struct turn){ .client = client, .key = signer };
	client->waiting++;
	signer->waiting++;
	list_append(&t->waiting, &turn->link);
	t->waiting_n++;
	return OK;
}

static void
stop_waiting(struct turns *t, struct turn *turn)
{
	list_remove(&turn->link);
	turn->client->waiting--;
	turn->key->waiting--;
	t->waiting_n--;
}

void
turns_leave(struct turns *t, struct turn *turn)
{
	if (turn->is_active) {
		list_remove(&turn->link);
		turn->client->active--;
		turn->key->active--;
		t->active_n--;
	} else {
		stop_waiting(t, turn);
	}
	party_settle(t, turn->client);
	party_settle(t, turn->key);
}

/* ---- order ---- */

static bool
may_begin(const struct turns *t, const struct turn *turn)
{
	return t->active_n < t->max && turn->client->active < t->client_max && turn->key->active < t->key_max;
}

/* True when the parties of `a` have waited longer since their last transfers.  Each turn has two parties; the later of their two
 * transfers decides, and if these are equal, the earlier one. */
static bool
is_before(const struct turn *a, const struct turn *b)
{
	uint64_t ac = a->client->last, ak = a->key->last, bc = b->client->last, bk = b->key->last;
	uint64_t a_later = ac > ak ? ac : ak, b_later = bc > bk ? bc : bk;
	return a_later != b_later ? a_later < b_later : ac + ak < bc + bk;
}

static struct turn *
find_next(const struct turns *t)
{
	struct turn *best = NULL;
	if (t->active_n == t->max) {
		return NULL;
	}
	for (struct list_link *l = t->waiting.next; l != &t->waiting; l = l->next) {
		struct turn *turn = LIST_ENTRY(l, struct turn, link);
		if (may_begin(t, turn) && (best == NULL || is_before(turn, best))) {
			best = turn;
		}
	}
	return best;
}

struct turn *
turns_begin_next(struct turns *t, uint64_t now_ms)
{
	struct turn *turn = find_next(t);
	if (turn == NULL) {
		return NULL;
	}
	stop_waiting(t, turn);
	turn->is_active = true;
	turn->window_ms = now_ms;
	turn->rate = TURNS_RATE_MIN;
	turn->client->last = turn->key->last = ++t->count;
	turn->client->active++;
	turn->key->active++;
	list_append(&t->active, &turn->link);
	t->active_n++;
	return turn;
}

/* ---- rate ---- */

void
turn_note_taken(struct turn *turn, uint64_t now_ms, uint64_t taken)
{
	uint64_t took_ms = now_ms - turn->window_ms;
	if (took_ms >= TURNS_WINDOW_MS) {
		turn->rate = (taken - turn->window_taken) * 1000 / took_ms;
		turn->window_ms = now_ms;
		turn->window_taken = taken;
	}
}

/* True when `waiting` could begin if `active` ended.  False for the same client, which would gain nothing. */
static bool
is_in_the_way(const struct turns *t, const struct turn *active, const struct turn *waiting)
{
	return active->client != waiting->client && waiting->client->active < t->client_max &&
	       (waiting->key->active < t->key_max || waiting->key == active->key);
}

static bool
is_in_anybodys_way(const struct turns *t, const struct turn *active)
{
	for (struct list_link *l = t->waiting.next; l != &t->waiting; l = l->next) {
		if (is_in_the_way(t, active, LIST_ENTRY(l, struct turn, link))) {
			return true;
		}
	}
	return false;
}

struct turn *
turns_too_slow(const struct turns *t)
{
	struct turn *slowest = NULL;
	for (struct list_link *l = t->active.next; l != &t->active; l = l->next) {
		struct turn *turn = LIST_ENTRY(l, struct turn, link);
		uint64_t limit = slowest != NULL ? slowest->rate : TURNS_RATE_MIN;
		if (turn->rate < limit && is_in_anybodys_way(t, turn)) {
			slowest = turn;
		}
	}
	return slowest;
}

/* ---- room ---- */

/* True when `a` is to be dropped before `b`: unsigned ones first, then those of the key with the most waiting, then those of the client
 * with the most waiting. */
static bool
goes_sooner(const struct turn *a, const struct turn *b)
{
	bool a_is_signed = a->key->id.len != 0, b_is_signed = b->key->id.len != 0;
	if (a_is_signed != b_is_signed) {
		return b_is_signed;
	}
	return a->key->waiting != b->key->waiting ? a->key->waiting > b->key->waiting : a->client->waiting > b->client->waiting;
}

struct turn *
turns_one_too_many(const struct turns *t)
{
	struct turn *most = NULL;
	for (struct list_link *l = t->waiting.prev; l != &t->waiting; l = l->prev) {
		struct turn *turn = LIST_ENTRY(l, struct turn, link);
		if (most == NULL || goes_sooner(turn, most)) {
			most = turn;
		}
	}
	return most;
}
