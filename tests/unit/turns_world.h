/* tests/unit/turns_world.h -- transfers that come, wait, begin, are slow, and go, in any order; what auth/turns.h promises is counted
 * beside it, in another way, and held after each step.  For turns_test.c and fuzz/turns_fuzz.c.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "auth/turns.h"
#include "base/err.h"

enum { WORLD_CLIENTS = 6, WORLD_KEYS = 4, WORLD_TURNS = 48 };

struct world_turn {
	bool is_there;
	unsigned client, key;
	uint64_t asked; /* the step */
	uint64_t begun_ms, taken;
	bool was_slow;  /* over the last whole window */
	/* Who has begun while it waited, could have begun, and nothing of its own parties has. */
	bool client_was[WORLD_CLIENTS], key_was[WORLD_KEYS];
	struct turn turn;
};

struct world {
	struct turns turns;
	struct world_turn list[WORLD_TURNS];
	uint64_t now_ms, step;
};

static void
world_must(bool holds)
{
	if (!holds) {
		abort();
	}
}

static struct peer
world_peer(unsigned client)
{
	struct peer p = { .family = client % 2 ? 6 : 4 };
	p.address[p.family == 4 ? 3 : 7] = (uint8_t)client;
	p.address[15] = (uint8_t)(p.family == 4 ? 0 : rand()); /* of one /64 all are one client */
	return p;
}

static struct name
world_key(unsigned key)
{
	struct name n = { .len = 0 };
	if (key != 0) { /* 0: not signed */
		n.len = 3;
		n.oct[0] = 1;
		n.oct[1] = (uint8_t)('a' + key);
	}
	return n;
}

/* ---- counting ---- */

static unsigned
world_active(const struct world *w, int client, int key)
{
	unsigned n = 0;
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		const struct world_turn *t = &w->list[i];
		n += t->is_there && t->turn.is_active && (client < 0 || t->client == (unsigned)client) && (key < 0 || t->key == (unsigned)key);
	}
	return n;
}

static unsigned
world_share(unsigned max, unsigned of)
{
	return (max + of - 1) / of;
}

static bool
world_may_begin(const struct world *w, const struct world_turn *t)
{
	unsigned max = w->turns.max;
	return t->is_there && !t->turn.is_active && world_active(w, -1, -1) < max &&
	       world_active(w, (int)t->client, -1) < world_share(max, TURNS_CLIENT_PART) &&
	       world_active(w, -1, (int)t->key) < world_share(max, TURNS_KEY_PART);
}

static void
world_hold_shares(const struct world *w)
{
	unsigned max = w->turns.max;
	world_must(world_active(w, -1, -1) <= max);
	for (int i = 0; i < WORLD_CLIENTS; i++) {
		world_must(world_active(w, i, -1) <= world_share(max, TURNS_CLIENT_PART));
	}
	for (int i = 0; i < WORLD_KEYS; i++) {
		world_must(world_active(w, -1, i) <= world_share(max, TURNS_KEY_PART));
	}
}

/* ---- beginning ---- */

/* While one waits that may begin, nobody else has two turns before one of its own parties has one. */
static void
world_note_begun(struct world *w, const struct world_turn *begun, const bool could[WORLD_TURNS])
{
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		struct world_turn *t = &w->list[i];
		if (!t->is_there || t == begun || t->turn.is_active) {
			continue;
		}
		if (!could[i] || t->client == begun->client || t->key == begun->key) {
			memset(t->client_was, 0, sizeof t->client_was);
			memset(t->key_was, 0, sizeof t->key_was);
			continue;
		}
		world_must(!t->client_was[begun->client] && !t->key_was[begun->key]);
		t->client_was[begun->client] = t->key_was[begun->key] = true;
	}
}

/* Of the same client and key nobody who asked later goes first. */
static void
world_hold_order(const struct world *w, const struct world_turn *begun)
{
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		const struct world_turn *t = &w->list[i];
		bool waits = t->is_there && !t->turn.is_active && t->client == begun->client && t->key == begun->key;
		world_must(!waits || t->asked > begun->asked);
	}
}

/* All begin that may: no place stays free that somebody waits for. */
static void
world_let_begin(struct world *w)
{
	for (;;) {
		bool could[WORLD_TURNS], any = false;
		for (unsigned i = 0; i < WORLD_TURNS; i++) {
			could[i] = world_may_begin(w, &w->list[i]);
			any = any || could[i];
		}
		struct turn *turn = turns_begin_next(&w->turns, w->now_ms);
		world_must((turn != NULL) == any);
		if (turn == NULL) {
			return;
		}
		struct world_turn *t = LIST_ENTRY(turn, struct world_turn, turn);
		world_must(could[t - w->list]);
		t->begun_ms = w->now_ms;
		t->taken = 0;
		world_hold_order(w, t);
		world_note_begun(w, t, could);
		world_hold_shares(w);
	}
}

/* ---- steps ---- */

static void
world_ask(struct world *w, struct world_turn *t, unsigned client, unsigned key)
{
	struct peer from = world_peer(client);
	struct name signer = world_key(key);
	*t = (struct world_turn){ .is_there = true, .client = client, .key = key, .asked = w->step };
	if (turns_ask(&w->turns, &from, &signer, &t->turn) != OK) {
		abort();
	}
}

static void
world_leave(struct world *w, struct world_turn *t)
{
	turns_leave(&w->turns, &t->turn);
	t->is_there = false;
}

/* Time passes; each that is under way takes what its number and `seed` say. */
static void
world_pass(struct world *w, uint8_t seed)
{
	uint64_t ms = 1 + seed * 100u;
	w->now_ms += ms;
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		struct world_turn *t = &w->list[i];
		if (t->is_there && t->turn.is_active) {
			t->taken += ((seed ^ i) & 3) * (TURNS_RATE_MIN / 2) * ms / 1000;
			turn_note_taken(&t->turn, w->now_ms, t->taken);
		}
	}
}

/* Who is to end is slow, and somebody else's begin follows. */
static void
world_end_slow(struct world *w)
{
	struct turn *turn = turns_too_slow(&w->turns);
	if (turn == NULL) {
		return;
	}
	struct world_turn *t = LIST_ENTRY(turn, struct world_turn, turn);
	world_must(t->is_there && turn->is_active && turn->rate < TURNS_RATE_MIN && w->now_ms - t->begun_ms >= TURNS_WINDOW_MS);
	unsigned client = t->client;
	bool gains = false;
	world_leave(w, t);
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		gains = gains || (world_may_begin(w, &w->list[i]) && w->list[i].client != client);
	}
	world_must(gains);
}

static void
world_drop_one(struct world *w)
{
	struct turn *turn = turns_one_too_many(&w->turns);
	world_must((turn != NULL) == (w->turns.waiting_n != 0));
	if (turn != NULL) {
		world_must(!turn->is_active);
		world_leave(w, LIST_ENTRY(turn, struct world_turn, turn));
	}
}

static void
world_step(struct world *w, uint8_t what, uint8_t who, uint8_t how)
{
	struct world_turn *t = &w->list[who % WORLD_TURNS];
	w->step++;
	if (t->is_there && what % 4 == 0) {
		world_leave(w, t);
	} else if (!t->is_there && what % 4 != 1) {
		world_ask(w, t, how % WORLD_CLIENTS, how / WORLD_CLIENTS % WORLD_KEYS);
	} else if (what % 64 == 1) {
		world_drop_one(w);
	} else {
		world_pass(w, how);
		world_end_slow(w);
	}
	world_let_begin(w);
}

static void
world_begin(struct world *w, unsigned max)
{
	memset(w, 0, sizeof *w);
	turns_init(&w->turns, max);
}

/* All go, and nothing is left. */
static void
world_end(struct world *w)
{
	for (unsigned i = 0; i < WORLD_TURNS; i++) {
		if (w->list[i].is_there) {
			world_leave(w, &w->list[i]);
		}
	}
	world_must(w->turns.active_n == 0 && w->turns.waiting_n == 0);
	for (unsigned i = 0; i < TURNS_PARTY_CHAINS; i++) {
		world_must(w->turns.parties[i] == NULL);
	}
}
