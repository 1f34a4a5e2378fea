#include "net/clients.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A hash table with linear probing.  It is at most half full: at most `max` clients are in it at a time, and as many sites. */
struct slot {
	uint64_t prefix; /* IPv6: the /64, or the /48 of a site; IPv4: the address */
	uint32_t family; /* 4, 6, or SITE */
	uint32_t n;      /* connections; 0: free */
};

enum { SITE = 48, SITE_LEN = SITE / 8 };

struct clients {
	pthread_mutex_t lock;
	unsigned max, per_client, per_site;
	_Atomic unsigned total;
	unsigned kept, trusted;
	_Atomic unsigned of_rank[SEAT_RANKS];
	size_t mask;
	struct slot slots[];
};

struct clients *
clients_new(unsigned max, unsigned per_client)
{
	size_t n = 16;
	while (n < 4 * ((size_t)max + CLIENTS_BEYOND_MAX)) {
		n *= 2;
	}
	struct clients *c = xalloc(sizeof *c + n * sizeof c->slots[0]);
	pthread_mutex_init(&c->lock, NULL);
	c->max = max;
	c->per_client = per_client;
	c->per_site = max / CLIENTS_SITE_PART > per_client ? max / CLIENTS_SITE_PART : per_client;
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

/* `peer` has an IPv6 address. */
static struct slot
site_of(const struct peer *peer)
{
	struct slot key = { .family = SITE };
	memcpy(&key.prefix, peer->address, SITE_LEN);
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

/* Moves later entries into a slot that became free, so that every probe still ends at its client. */
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

static void
add(struct clients *c, struct slot key)
{
	size_t i = find(c, &key);
	key.n = c->slots[i].n + 1;
	c->slots[i] = key;
}

static void
subtract(struct clients *c, struct slot key)
{
	size_t i = find(c, &key);
	ASSERT(c->slots[i].n != 0);
	if (--c->slots[i].n == 0) {
		close_gap(c, i);
	}
}

static bool
has_its_share(const struct clients *c, const struct peer *peer)
{
	struct slot client = key_of(peer), site = site_of(peer);
	return c->slots[find(c, &client)].n >= c->per_client ||
	       (peer->family != 4 && c->slots[find(c, &site)].n >= c->per_site);
}

static err_t
take(struct clients *c, const struct peer *peer, unsigned max)
{
	err_t err = OK;
	pthread_mutex_lock(&c->lock);
	if (has_its_share(c, peer)) {
		err = E_BUSY;
	} else if (c->total >= max) {
		err = E_LIMIT;
	} else {
		add(c, key_of(peer));
		if (peer->family != 4) {
			add(c, site_of(peer));
		}
		c->total++;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

err_t
clients_take(struct clients *c, const struct peer *peer)
{
	return take(c, peer, c->max);
}

err_t
clients_take_beyond(struct clients *c, const struct peer *peer)
{
	return take(c, peer, c->max + CLIENTS_BEYOND_MAX);
}

void
clients_give(struct clients *c, const struct peer *peer)
{
	pthread_mutex_lock(&c->lock);
	subtract(c, key_of(peer));
	if (peer->family != 4) {
		subtract(c, site_of(peer));
	}
	c->total--;
	pthread_mutex_unlock(&c->lock);
}

/* Raises `n` by one if it is below `max`. */
static bool
count_in(struct clients *c, unsigned *n, unsigned max)
{
	pthread_mutex_lock(&c->lock);
	bool has_place = *n < max;
	*n += has_place;
	pthread_mutex_unlock(&c->lock);
	return has_place;
}

static void
count_out(struct clients *c, unsigned *n)
{
	pthread_mutex_lock(&c->lock);
	ASSERT(*n != 0);
	--*n;
	pthread_mutex_unlock(&c->lock);
}

bool
clients_keep(struct clients *c)
{
	return count_in(c, &c->kept, c->max / CLIENTS_KEPT_PART);
}

bool
clients_may_keep(struct clients *c)
{
	pthread_mutex_lock(&c->lock);
	bool has_place = c->kept < c->max / CLIENTS_KEPT_PART;
	pthread_mutex_unlock(&c->lock);
	return has_place;
}

void
clients_unkeep(struct clients *c)
{
	count_out(c, &c->kept);
}

bool
clients_trust(struct clients *c)
{
	return count_in(c, &c->trusted, c->max - c->max / CLIENTS_UNTRUSTED_PART);
}

void
clients_distrust(struct clients *c)
{
	count_out(c, &c->trusted);
}

void
clients_join_rank(struct clients *c, enum seat_rank rank)
{
	atomic_fetch_add_explicit(&c->of_rank[rank], 1, memory_order_relaxed);
}

void
clients_leave_rank(struct clients *c, enum seat_rank rank)
{
	unsigned before = atomic_fetch_sub_explicit(&c->of_rank[rank], 1, memory_order_relaxed);
	ASSERT(before != 0);
}

bool
clients_has_below(const struct clients *c, enum seat_rank rank)
{
	for (enum seat_rank lower = 0; lower < rank; lower++) {
		if (atomic_load_explicit(&c->of_rank[lower], memory_order_relaxed) != 0) {
			return true;
		}
	}
	return false;
}

unsigned
clients_count(const struct clients *c)
{
	return c->total;
}
