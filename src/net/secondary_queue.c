#include "net/secondary_queue.h"

#include <stdlib.h>

#include "base/alloc.h"

void
secondary_queue_init(struct secondary_queue *q)
{
	*q = (struct secondary_queue){ .end = &q->first };
	int err = pthread_mutex_init(&q->lock, NULL);
	ASSERT(err == 0);
}

void
secondary_queue_fini(struct secondary_queue *q)
{
	for (struct secondary_event *e = secondary_queue_take(q), *next; e != NULL; e = next) {
		next = e->next;
		secondary_event_free(&e);
	}
	pthread_mutex_destroy(&q->lock);
}

void
secondary_event_free(struct secondary_event **e)
{
	if (*e != NULL && (*e)->key != NULL) {
		wipe((*e)->key, sizeof *(*e)->key);
		free((*e)->key);
	}
	free(*e);
	*e = NULL;
}

static struct secondary_event *
copy_of(const struct secondary_event *e)
{
	struct secondary_event *made = try_alloc(sizeof *made);
	if (made == NULL) {
		return NULL;
	}
	*made = *e;
	made->next = NULL;
	if (e->key != NULL) {
		made->key = try_alloc(sizeof *made->key);
		if (made->key == NULL) {
			secondary_event_free(&made);
			return NULL;
		}
		*made->key = *e->key;
	}
	made->target.key = made->key;
	return made;
}

err_t
secondary_queue_put(struct secondary_queue *q, const struct secondary_event *e)
{
	struct secondary_event *made = copy_of(e);
	if (made == NULL) {
		return E_NOMEM;
	}
	pthread_mutex_lock(&q->lock);
	bool has_room = q->n < SECONDARY_QUEUE_MAX;
	if (has_room) {
		*q->end = made;
		q->end = &made->next;
		q->n++;
	}
	pthread_mutex_unlock(&q->lock);
	if (!has_room) {
		secondary_event_free(&made);
	}
	return has_room ? OK : E_LIMIT;
}

struct secondary_event *
secondary_queue_take(struct secondary_queue *q)
{
	pthread_mutex_lock(&q->lock);
	struct secondary_event *first = q->first;
	q->first = NULL;
	q->end = &q->first;
	q->n = 0;
	pthread_mutex_unlock(&q->lock);
	return first;
}
