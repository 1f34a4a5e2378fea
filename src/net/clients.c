#include "net/clients.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Open addressing with linear probing, at most half full: at most `max` clients are there at a time. */
struct slot {
	uint64_t prefix; /* IPv6: the /64; IPv4: the address */
	uint32_t family;
	uint32_t n;      /* connections; 0: free */
};

struct clients {
	pthread_mutex_t lock;
	unsigned max, per_client;
	_Atomic unsigned total;
	unsigned kept;
	size_t mask;
	struct slot slots[];
};

struct clients *
clients_new(unsigned max, unsigned per_client)
{
	size_t n = 16;
	while (n < 2 * (size_t)max) {
		n *= 2;
	}
	struct clients *c = xalloc(sizeof *c + n * sizeof c->slots[0]);
	pthread_mutex_init(&c->lock, NULL);
	c->max = max;
	c->per_client = per_client;
	c->mask = n - 1;
	return c;
}

void
clients_free(struct clients **c)
{
	if (*c != NULL) {
		pthread_mutex_destroy(&(*c)->lock);
		free(*c);
		*c = NULL;
	}
}

static struct slot
key_of(const struct peer *peer)
{
	struct slot key = { .family = peer->family };
	memcpy(&key.prefix, peer->address, peer_client_len(peer));
	return key;
}

static size_t
home_of(const struct clients *c, const struct slot *key)
{
	return (size_t)((key->prefix * 0x9E3779B97F4A7C15u) >> 32 ^ key->family) & c->mask;
}

/* The client's slot, or the free one where it would go. */
static size_t
find(const struct clients *c, const struct slot *key)
{
	size_t i = home_of(c, key);
	while (c->slots[i].n != 0 && (c->slots[i].prefix != key->prefix || c->slots[i].family != key->family)) {
		i = (i + 1) & c->mask;
	}
	return i;
}

/* Moves up what stands behind a slot that became free, so that every probe still ends at its client. */
static void
close_gap(struct clients *c, size_t gap)
{
	for (size_t i = (gap + 1) & c->mask; c->slots[i].n != 0; i = (i + 1) & c->mask) {
		size_t home = home_of(c, &c->slots[i]);
		if (((i - home) & c->mask) >= ((i - gap) & c->mask)) {
			c->slots[gap] = c->slots[i];
			c->slots[i].n = 0;
			gap = i;
		}
	}
}

err_t
clients_take(struct clients *c, const struct peer *peer)
{
	struct slot key = key_of(peer);
	err_t err = OK;
	pthread_mutex_lock(&c->lock);
	size_t i = find(c, &key);
	if (c->slots[i].n >= c->per_client) {
		err = E_BUSY;
	} else if (c->total >= c->max) {
		err = E_LIMIT;
	} else {
		key.n = c->slots[i].n + 1;
		c->slots[i] = key;
		c->total++;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

void
clients_give(struct clients *c, const struct peer *peer)
{
	struct slot key = key_of(peer);
	pthread_mutex_lock(&c->lock);
	size_t i = find(c, &key);
	ASSERT(c->slots[i].n != 0);
	c->total--;
	if (--c->slots[i].n == 0) {
		close_gap(c, i);
	}
	pthread_mutex_unlock(&c->lock);
}

bool
clients_keep(struct clients *c)
{
	pthread_mutex_lock(&c->lock);
	bool has_place = c->kept < c->max / CLIENTS_KEPT_PART;
	c->kept += has_place;
	pthread_mutex_unlock(&c->lock);
	return has_place;
}

void
clients_unkeep(struct clients *c)
{
	pthread_mutex_lock(&c->lock);
	ASSERT(c->kept != 0);
	c->kept--;
	pthread_mutex_unlock(&c->lock);
}

unsigned
clients_count(const struct clients *c)
{
	return c->total;
}
