#include "auth/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum {
	MAC_PART = 16,              /* octets of a MAC that are compared: nobody finds another one that has these */
	SLOTS = 4 * REPLAY_MAX,     /* a power of two; at most a fourth in use */
	EMPTY = UINT32_MAX,
};

struct entry {
	uint8_t mac[MAC_PART];
	uint32_t slot;
	uint16_t rcode;
	bool is_answered;
};

/* A ring of entries, the oldest first to go, and a hash table of their numbers: open addressing, with entries taken out by
 * moving those behind them back. */
struct replay {
	struct entry ring[REPLAY_MAX];
	uint32_t n, next;
	uint32_t slots[SLOTS];
};

struct replay *
replay_new(void)
{
	struct replay *r = xalloc(sizeof *r);
	for (size_t i = 0; i < SLOTS; i++) {
		r->slots[i] = EMPTY;
	}
	return r;
}

void
replay_free(struct replay **r)
{
	free_ptr(r);
	*r = NULL;
}

/* A MAC is as good as random: its first octets are the hash. */
static uint32_t
home_of(const uint8_t mac[MAC_PART])
{
	uint32_t h;
	memcpy(&h, mac, sizeof h);
	return h % SLOTS;
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
	uint32_t i = home_of(mac);
	while (r->slots[i] != EMPTY && memcmp(r->ring[r->slots[i]].mac, mac, MAC_PART) != 0) {
		i = (i + 1) % SLOTS;
	}
	return i;
}

static void
take_out(struct replay *r, uint32_t slot)
{
	uint32_t hole = slot;
	for (uint32_t i = (slot + 1) % SLOTS; r->slots[i] != EMPTY; i = (i + 1) % SLOTS) {
		struct entry *e = &r->ring[r->slots[i]];
		uint32_t home = home_of(e->mac);
		if ((i - home) % SLOTS >= (i - hole) % SLOTS) { /* its way leads over the hole */
			r->slots[hole] = r->slots[i];
			e->slot = hole;
			hole = i;
		}
	}
	r->slots[hole] = EMPTY;
}

static void
remember(struct replay *r, const uint8_t mac[MAC_PART])
{
	uint32_t at = r->next;
	struct entry *e = &r->ring[at];
	if (r->n == REPLAY_MAX) {
		take_out(r, e->slot);
	} else {
		r->n++;
	}
	r->next = (at + 1) % REPLAY_MAX;
	uint32_t slot = find(r, mac);
	*e = (struct entry){ .slot = slot };
	memcpy(e->mac, mac, MAC_PART);
	r->slots[slot] = at;
}

enum replay_state
replay_take(struct replay *r, const uint8_t *mac, size_t len, unsigned *rcode)
{
	uint8_t part[MAC_PART];
	part_of(mac, len, part);
	uint32_t slot = find(r, part);
	if (r->slots[slot] == EMPTY) {
		remember(r, part);
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
