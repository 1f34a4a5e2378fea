#include "net/notify_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void
notify_queue_init(struct notify_queue *q)
{
	*q = (struct notify_queue){ .first = NULL };
	q->end = &q->first;
	int err = pthread_mutex_init(&q->lock, NULL);
	ASSERT(err == 0);
}

void
notify_queue_fini(struct notify_queue *q)
{
	struct notify_entry *e;
	while ((e = notify_queue_take(q)) != NULL) {
		notify_entry_free(&e);
	}
	pthread_mutex_destroy(&q->lock);
}

void
notify_entry_free(struct notify_entry **e)
{
	if (*e != NULL) {
		wipe(*e, (*e)->size);
		free_ptr(e);
	}
}

static bool
has_room(const struct notify_queue *q, const struct notify_entry *e)
{
	return e->size <= NOTIFY_QUEUE_OCTETS_MAX - q->octets &&
	       (e->kind != NOTIFY_ENTRY_INPUT || q->inputs < NOTIFY_QUEUE_INPUTS_MAX);
}

/* Owns the entry from here on.  `e` is NULL if it could not be made; `why` is then the error. */
static err_t
put_or(struct notify_queue *q, struct notify_entry *e, err_t why)
{
	pthread_mutex_lock(&q->lock);
	err_t err = e == NULL ? why : has_room(q, e) ? OK : E_LIMIT;
	if (err == OK) {
		*q->end = e;
		q->end = &e->next;
		q->octets += e->size;
		q->inputs += e->kind == NOTIFY_ENTRY_INPUT;
	} else {
		q->over_limit++;
	}
	pthread_mutex_unlock(&q->lock);
	if (err != OK) {
		notify_entry_free(&e);
	}
	return err;
}

static err_t
put(struct notify_queue *q, struct notify_entry *e)
{
	return put_or(q, e, E_NOMEM);
}

struct notify_entry *
notify_queue_take(struct notify_queue *q)
{
	pthread_mutex_lock(&q->lock);
	struct notify_entry *e = q->first;
	if (e != NULL) {
		q->first = e->next;
		q->end = q->first != NULL ? q->end : &q->first;
		q->octets -= e->size;
		q->inputs -= e->kind == NOTIFY_ENTRY_INPUT;
	}
	pthread_mutex_unlock(&q->lock);
	return e;
}

static struct notify_entry *
entry_new(enum notify_entry_kind kind, size_t bytes_n)
{
	struct notify_entry *e = try_alloc(sizeof *e + bytes_n);
	if (e != NULL) {
		e->kind = kind;
		e->size = sizeof *e + bytes_n;
	}
	return e;
}

err_t
notify_queue_news(struct notify_queue *q, const struct notify_news *news, const struct notify_target *to)
{
	const struct tsig_key *key = to->key;
	const size_t zone_len = name_len(news->zone), soa_len = news->soa != NULL ? news->soa_len : 0;
	const size_t key_name_len = key != NULL ? key->name.len : 0, secret_len = key != NULL ? key->secret_len : 0;
	struct notify_entry *e = entry_new(NOTIFY_ENTRY_NEWS, zone_len + soa_len + key_name_len + secret_len);
	if (e == NULL) {
		return put(q, NULL);
	}
	e->target = *to;
	e->target.key = NULL;
	e->soa_ttl = news->soa_ttl;
	e->zone_len = (uint16_t)zone_len;
	e->soa_len = (uint16_t)soa_len;
	e->key_name_len = (uint16_t)key_name_len;
	e->secret_len = (uint16_t)secret_len;
	uint8_t *at = mempcpy(e->bytes, news->zone, zone_len);
	if (news->soa != NULL) {
		at = mempcpy(at, news->soa, soa_len);
	}
	if (key != NULL) {
		e->alg = key->alg;
		at = mempcpy(at, key->name.oct, key_name_len);
		memcpy(at, key->secret, secret_len);
	}
	return put(q, e);
}

void
notify_entry_read(const struct notify_entry *e, struct notify_news *news, struct notify_target *to,
                  struct tsig_key *key)
{
	const uint8_t *soa = e->bytes + e->zone_len, *key_name = soa + e->soa_len;
	*news = (struct notify_news){ .zone = e->bytes, .soa = e->soa_len != 0 ? soa : NULL, .soa_len = e->soa_len,
		                      .soa_ttl = e->soa_ttl };
	*to = e->target;
	if (e->alg != HMAC_NONE) {
		key->alg = e->alg;
		name_set(&key->name, key_name);
		memcpy(key->secret, key_name + e->key_name_len, e->secret_len);
		key->secret_len = e->secret_len;
		to->key = key;
	}
}

err_t
notify_queue_input(struct notify_queue *q, uint64_t conn, const uint8_t *bytes, size_t len)
{
	if (len > NOTIFY_INPUT_MAX) {
		return put_or(q, NULL, E_LIMIT);
	}
	struct notify_entry *e = entry_new(NOTIFY_ENTRY_INPUT, len);
	if (e != NULL) {
		e->target.conn = conn;
		e->message_len = (uint16_t)len;
		memcpy(e->bytes, bytes, len);
	}
	return put(q, e);
}

err_t
notify_queue_closed(struct notify_queue *q, uint64_t conn)
{
	struct notify_entry *e = entry_new(NOTIFY_ENTRY_CLOSED, 0);
	if (e != NULL) {
		e->target.conn = conn;
	}
	return put(q, e);
}

uint64_t
notify_queue_over_limit(struct notify_queue *q)
{
	pthread_mutex_lock(&q->lock);
	uint64_t n = q->over_limit;
	pthread_mutex_unlock(&q->lock);
	return n;
}
