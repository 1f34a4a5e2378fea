#include "net/notice_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/hash.h"
#include "dns/serial.h"

/* What two notices must have in common to be one: the zone, the length of the key's name, the key's name, the family and the address of
 * the sender; names in lower case. */
enum { IDENTITY_MAX = NAME_WIRE_MAX + 1 + NAME_WIRE_MAX + 1 + 16 };

struct notice_entry {
	struct notice_entry *next, *same_slot;
	uint32_t slot, serial;
	bool has_serial, is_signed;
	uint16_t len;
	uint8_t identity[];
};

void
notice_queue_init(struct notice_queue *q, uint64_t secret)
{
	*q = (struct notice_queue){ .secret = secret };
	q->end = &q->first;
	int err = pthread_mutex_init(&q->lock, NULL);
	ASSERT(err == 0);
}

void
notice_queue_fini(struct notice_queue *q)
{
	struct follow_notice n;
	while (notice_queue_take(q, &n)) {
	}
	pthread_mutex_destroy(&q->lock);
}

/* ---- identities ---- */

static void
put_name(struct buf *b, const struct name *n)
{
	uint8_t *to = buf_take(b, n->len);
	if (to != NULL && n->len != 0) {
		name_lower(to, n->oct);
	}
}

static size_t
address_len(const struct key_address *a)
{
	return a->family == 4 ? 4 : sizeof a->octets;
}

static size_t
identify(const struct follow_notice *n, uint8_t out[IDENTITY_MAX])
{
	struct buf b = buf_over(out, IDENTITY_MAX);
	put_name(&b, &n->zone);
	buf_u8(&b, n->key.len);
	put_name(&b, &n->key);
	buf_u8(&b, n->address.family);
	buf_put(&b, n->address.octets, address_len(&n->address));
	ASSERT(b.err == OK);
	return b.len;
}

static void
read_entry(const struct notice_entry *e, struct follow_notice *out)
{
	const uint8_t *at = e->identity;
	*out = (struct follow_notice){ .has_serial = e->has_serial, .serial = e->serial };
	name_set(&out->zone, at);
	at += out->zone.len;
	if (*at != 0) {
		name_set(&out->key, at + 1);
	}
	at += 1 + *at;
	out->address.family = *at++;
	memcpy(out->address.octets, at, address_len(&out->address));
}

/* The upper half, because in the lower bits of this hash the secret hardly shows. */
static uint32_t
slot_of(const struct notice_queue *q, const uint8_t *identity, size_t len)
{
	return (uint32_t)(hash64(HASH64_START ^ q->secret, identity, len) >> 32) % NOTICE_QUEUE_SLOTS;
}

/* ---- putting ---- */

static struct notice_entry *
find(const struct notice_queue *q, uint32_t slot, const uint8_t *identity, size_t len)
{
	struct notice_entry *e = q->slots[slot];
	while (e != NULL && (e->len != len || memcmp(e->identity, identity, len) != 0)) {
		e = e->same_slot;
	}
	return e;
}

static void
merge(struct notice_entry *e, const struct follow_notice *n)
{
	e->has_serial = e->has_serial && n->has_serial;
	e->serial = e->has_serial ? serial_newest(e->serial, n->serial) : 0;
}

static err_t
add(struct notice_queue *q, uint32_t slot, const struct follow_notice *n, const uint8_t *identity, size_t len)
{
	bool is_signed = n->key.len != 0;
	if (q->n == NOTICE_QUEUE_MAX || (!is_signed && q->unsigned_n == NOTICE_QUEUE_UNSIGNED_MAX)) {
		return E_LIMIT;
	}
	struct notice_entry *e = try_alloc(sizeof *e + len);
	if (e == NULL) {
		return E_NOMEM;
	}
	e->slot = slot;
	e->is_signed = is_signed;
	e->has_serial = n->has_serial;
	e->serial = n->serial;
	e->len = (uint16_t)len;
	memcpy(e->identity, identity, len);
	e->same_slot = q->slots[slot];
	q->slots[slot] = e;
	*q->end = e;
	q->end = &e->next;
	q->n++;
	q->unsigned_n += !is_signed;
	return OK;
}

err_t
notice_queue_put(struct notice_queue *q, const struct follow_notice *n)
{
	uint8_t identity[IDENTITY_MAX];
	size_t len = identify(n, identity);
	uint32_t slot = slot_of(q, identity, len);
	err_t err = OK;
	pthread_mutex_lock(&q->lock);
	struct notice_entry *waiting = find(q, slot, identity, len);
	if (waiting != NULL) {
		merge(waiting, n);
	} else {
		err = add(q, slot, n, identity, len);
		q->dropped += err != OK;
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* ---- taking ---- */

static struct notice_entry *
remove_first(struct notice_queue *q)
{
	struct notice_entry *e = q->first;
	if (e == NULL) {
		return NULL;
	}
	struct notice_entry **place = &q->slots[e->slot];
	while (*place != e) {
		place = &(*place)->same_slot;
	}
	*place = e->same_slot;
	q->first = e->next;
	q->end = q->first != NULL ? q->end : &q->first;
	q->n--;
	q->unsigned_n -= !e->is_signed;
	return e;
}

bool
notice_queue_take(struct notice_queue *q, struct follow_notice *out)
{
	pthread_mutex_lock(&q->lock);
	struct notice_entry *e = remove_first(q);
	pthread_mutex_unlock(&q->lock);
	if (e == NULL) {
		return false;
	}
	read_entry(e, out);
	free(e);
	return true;
}

uint64_t
notice_queue_dropped(struct notice_queue *q)
{
	pthread_mutex_lock(&q->lock);
	uint64_t n = q->dropped;
	pthread_mutex_unlock(&q->lock);
	return n;
}
