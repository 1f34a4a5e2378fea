#include "net/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ops/clock.h"

enum {
	SLOTS = 1024, /* for keys that have at least one item in here */
	MAC_SLOTS = 4096,
};

struct per_key {
	struct per_key *next; /* in its slot */
	struct name name;
	unsigned n;
	size_t octets;
};

struct inbox {
	unsigned max, per_key;
	size_t cost, octets_max, octets_per_key;
	void (*wake)(void *ctx);
	void *ctx;
	pthread_mutex_t lock; /* for everything below */
	struct inbox_item *first, **end;
	struct per_key *slots[SLOTS];
	struct inbox_item *by_mac[MAC_SLOTS]; /* every item that is not given back */
	struct inbox_stats stats;
};

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

struct inbox *
inbox_new(unsigned max, unsigned per_key, size_t cost, void (*wake)(void *ctx), void *ctx)
{
	struct inbox *in = xalloc(sizeof *in);
	in->max = max;
	in->per_key = per_key;
	in->cost = sizeof(struct inbox_item) + cost;
	in->octets_max = larger(INBOX_OCTETS_MAX, (size_t)max * INBOX_OCTETS_OF_EACH);
	in->octets_per_key = larger(in->octets_max / INBOX_KEY_PART, (size_t)per_key * INBOX_OCTETS_OF_EACH);
	in->wake = wake;
	in->ctx = ctx;
	in->end = &in->first;
	pthread_mutex_init(&in->lock, NULL);
	return in;
}

void
inbox_free(struct inbox **inp)
{
	struct inbox *in = *inp;
	if (in == NULL) {
		return;
	}
	for (struct inbox_item *item = inbox_take_all(in), *next; item != NULL; item = next) {
		next = item->next;
		inbox_give_back(in, item);
	}
	ASSERT(in->stats.waiting == 0);
	pthread_mutex_destroy(&in->lock);
	free(in);
	*inp = NULL;
}

/* ---- keys ---- */

/* The pointer to the key's entry, or the NULL pointer where a new entry would be linked. */
static struct per_key **
find_key(struct inbox *in, const struct name *key)
{
	struct per_key **at = &in->slots[name_hash(key->oct) % SLOTS];
	while (*at != NULL && !name_is_equal((*at)->name.oct, key->oct)) {
		at = &(*at)->next;
	}
	return at;
}

static err_t
count_key(struct inbox *in, const struct name *key, size_t octets)
{
	struct per_key **at = find_key(in, key);
	if (*at == NULL) {
		*at = try_alloc(sizeof **at);
		if (*at == NULL) {
			return E_NOMEM;
		}
		(*at)->name = *key;
	}
	(*at)->n++;
	(*at)->octets += octets;
	return OK;
}

static void
uncount_key(struct inbox *in, const struct name *key, size_t octets)
{
	struct per_key **at = find_key(in, key), *k = *at;
	k->octets -= octets;
	if (--k->n == 0) {
		*at = k->next;
		free(k);
	}
}

/* ---- signatures ---- */

/* A MAC is as good as random, so its first octets serve as the hash. */
static struct inbox_item **
mac_slot(struct inbox *in, const uint8_t mac[TSIG_MAC_PART])
{
	return &in->by_mac[(mac[0] | mac[1] << 8) % MAC_SLOTS];
}

static bool
is_in(struct inbox *in, const struct inbox_item *same)
{
	const struct inbox_item *item = *mac_slot(in, same->mac);
	while (item != NULL && (memcmp(item->mac, same->mac, sizeof item->mac) != 0 || !name_is_equal(item->key.oct, same->key.oct))) {
		item = item->same_slot;
	}
	return item != NULL;
}

static void
drop_mac(struct inbox *in, const struct inbox_item *item)
{
	struct inbox_item **at = mac_slot(in, item->mac);
	while (*at != item) {
		at = &(*at)->same_slot;
	}
	*at = item->same_slot;
}

/* ---- in and out ---- */

static err_t
check_limits(struct inbox *in, const struct name *key, size_t octets)
{
	const struct per_key *k = *find_key(in, key);
	if (in->stats.waiting >= in->max || in->stats.octets + octets > in->octets_max) {
		in->stats.over_limit++;
		return E_LIMIT;
	}
	if (k != NULL && (k->n >= in->per_key || k->octets + octets > in->octets_per_key)) {
		in->stats.over_key_limit++;
		return E_BUSY;
	}
	return OK;
}

static struct inbox_item *
item_new(const struct return_path *from, const struct name *key, const uint8_t *mac, uint64_t now_s, const uint8_t *bytes, size_t len)
{
	struct inbox_item *item = try_alloc(sizeof *item + len);
	if (item != NULL) {
		item->from = *from;
		item->key = *key;
		memcpy(item->mac, mac, sizeof item->mac);
		item->arrived_s = now_s;
		item->arrived_ns = clock_ns();
		item->len = len;
		memcpy(item->bytes, bytes, len);
	}
	return item;
}

static err_t
put_locked(struct inbox *in, struct inbox_item *item, bool *is_first)
{
	size_t octets = in->cost + item->len;
	if (is_in(in, item)) {
		in->stats.repeated++;
		return E_EXISTS;
	}
	TRY(check_limits(in, &item->key, octets));
	TRY(count_key(in, &item->key, octets));
	*is_first = in->first == NULL;
	*in->end = item;
	in->end = &item->next;
	struct inbox_item **slot = mac_slot(in, item->mac);
	item->same_slot = *slot;
	*slot = item;
	in->stats.octets += octets;
	in->stats.waiting++;
	in->stats.accepted++;
	return OK;
}

err_t
inbox_put(struct inbox *in, const struct return_path *from, const struct name *key, const uint8_t mac[TSIG_MAC_PART],
          uint64_t now_s, const uint8_t *bytes, size_t len)
{
	bool is_first = false;
	struct inbox_item *item = item_new(from, key, mac, now_s, bytes, len);
	if (item == NULL) {
		return E_NOMEM;
	}
	pthread_mutex_lock(&in->lock);
	err_t err = put_locked(in, item, &is_first);
	pthread_mutex_unlock(&in->lock);
	if (err != OK) {
		free(item);
	} else if (is_first && in->wake != NULL) {
		in->wake(in->ctx);
	}
	return err;
}

struct inbox_item *
inbox_take_all(struct inbox *in)
{
	pthread_mutex_lock(&in->lock);
	struct inbox_item *first = in->first;
	in->first = NULL;
	in->end = &in->first;
	pthread_mutex_unlock(&in->lock);
	return first;
}

void
inbox_give_back(struct inbox *in, struct inbox_item *item)
{
	size_t octets = in->cost + item->len;
	pthread_mutex_lock(&in->lock);
	uncount_key(in, &item->key, octets);
	drop_mac(in, item);
	in->stats.octets -= octets;
	in->stats.waiting--;
	pthread_mutex_unlock(&in->lock);
	free(item);
}

struct inbox_stats
inbox_stats(struct inbox *in)
{
	pthread_mutex_lock(&in->lock);
	struct inbox_stats s = in->stats;
	pthread_mutex_unlock(&in->lock);
	return s;
}
