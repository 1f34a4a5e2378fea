#include "auth/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	MAC_PART = 16,              /* octets of a MAC that are compared: nobody finds another one that has these */
	SLOTS_EACH = 4,             /* at most a fourth is in use */
	EMPTY = UINT32_MAX,
};

struct entry {
	uint8_t mac[MAC_PART];
	uint32_t slot;
	uint32_t at_s;
	uint16_t rcode;
	bool is_answered;
};

/* A ring of entries, the oldest first to go, and a hash table of their numbers: open addressing, with entries taken out by
 * moving those behind them back. */
struct replay {
	struct entry *ring; /* owned, as `slots` */
	uint32_t cap, n, next;
	uint32_t *slots;
	uint32_t slots_n;
};

/* Room for so many, with nothing in it. */
static bool
make_room(struct replay *r, uint32_t cap)
{
	*r = (struct replay){ .cap = cap, .slots_n = SLOTS_EACH * cap };
	r->ring = calloc(cap, sizeof *r->ring);
	r->slots = malloc(r->slots_n * sizeof *r->slots);
	if (r->ring == NULL || r->slots == NULL) {
		free(r->ring);
		free(r->slots);
		return false;
	}
	memset(r->slots, 0xFF, r->slots_n * sizeof *r->slots); /* EMPTY */
	return true;
}

struct replay *
replay_new(void)
{
	struct replay *r = xalloc(sizeof *r);
	bool has_room = make_room(r, REPLAY_MIN);
	ASSERT(has_room); /* what xalloc() does without memory */
	return r;
}

void
replay_free(struct replay **r)
{
	if (*r != NULL) {
		free((*r)->ring);
		free((*r)->slots);
	}
	free_ptr(r);
	*r = NULL;
}

/* A MAC is as good as random: its first octets are the hash. */
static uint32_t
home_of(const struct replay *r, const uint8_t mac[MAC_PART])
{
	uint32_t h;
	memcpy(&h, mac, sizeof h);
	return h % r->slots_n;
}

static void
part_of(const uint8_t *mac, size_t len, uint8_t out[MAC_PART])
{
	memset(out, 0, MAC_PART);
	memcpy(out, mac, len < MAC_PART ? len : MAC_PART);
}

/* The slot that has the MAC, or the empty one where it would go. */
static uint32_t
find(const struct replay *r, const uint8_t mac[MAC_PART])
{
	uint32_t i = home_of(r, mac);
	while (r->slots[i] != EMPTY && memcmp(r->ring[r->slots[i]].mac, mac, MAC_PART) != 0) {
		i = (i + 1) % r->slots_n;
	}
	return i;
}

static void
take_out(struct replay *r, uint32_t slot)
{
	uint32_t hole = slot;
	for (uint32_t i = (slot + 1) % r->slots_n; r->slots[i] != EMPTY; i = (i + 1) % r->slots_n) {
		struct entry *e = &r->ring[r->slots[i]];
		uint32_t home = home_of(r, e->mac);
		if ((i - home) % r->slots_n >= (i - hole) % r->slots_n) { /* its way leads over the hole */
			r->slots[hole] = r->slots[i];
			e->slot = hole;
			hole = i;
		}
	}
	r->slots[hole] = EMPTY;
}

/* Of a full ring. */
static void
forget_oldest(struct replay *r)
{
	take_out(r, r->ring[r->next].slot);
	r->n--;
}

static void
put(struct replay *r, const struct entry *from)
{
	uint32_t at = r->next, slot = find(r, from->mac);
	r->next = (at + 1) % r->cap;
	r->n++;
	r->ring[at] = *from;
	r->ring[at].slot = slot;
	r->slots[slot] = at;
}

/* Twice as large, with all of a full ring in it.  Without memory for that it stays as it is. */
static void
grow(struct replay *r)
{
	struct replay larger;
	if (make_room(&larger, 2 * r->cap)) {
		for (uint32_t i = 0; i < r->cap; i++) {
			put(&larger, &r->ring[(r->next + i) % r->cap]);
		}
		free(r->ring);
		free(r->slots);
		*r = larger;
	}
}

static void
remember(struct replay *r, const uint8_t mac[MAC_PART], uint64_t now_s)
{
	struct entry new = { .at_s = (uint32_t)now_s };
	memcpy(new.mac, mac, MAC_PART);
	bool is_wanted = r->n == r->cap && new.at_s - r->ring[r->next].at_s <= REPLAY_AGE_S; /* the oldest */
	if (is_wanted && r->cap < REPLAY_MAX) {
		grow(r);
	}
	if (r->n == r->cap) {
		forget_oldest(r);
	}
	put(r, &new);
}

enum replay_state
replay_take(struct replay *r, const uint8_t *mac, size_t len, uint64_t now_s, unsigned *rcode)
{
	uint8_t part[MAC_PART];
	part_of(mac, len, part);
	uint32_t slot = find(r, part);
	if (r->slots[slot] == EMPTY) {
		remember(r, part, now_s);
		return REPLAY_NEW;
	}
	const struct entry *e = &r->ring[r->slots[slot]];
	*rcode = e->rcode;
	return e->is_answered ? REPLAY_ANSWERED : REPLAY_UNDER_WAY;
}

void
replay_answered(struct replay *r, const uint8_t *mac, size_t len, unsigned rcode)
{
	uint8_t part[MAC_PART];
	part_of(mac, len, part);
	uint32_t slot = find(r, part);
	if (r->slots[slot] != EMPTY) {
		struct entry *e = &r->ring[r->slots[slot]];
		e->rcode = (uint16_t)rcode;
		e->is_answered = true;
	}
}
