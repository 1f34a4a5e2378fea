/* auth/updater_jobs.h -- updates in a queue; private to the updater. */
#pragma once

#include <stddef.h>

#include "auth/lines.h"
#include "auth/replay.h"
#include "auth/update_task.h"
#include "auth/updater.h"
#include "base/list.h"

struct job {
	struct job *next;
	struct lines_item turn;    /* its place in the line of its key */
	struct updater_request request;
	struct update_task task;
	unsigned tries;            /* attempts that failed because the head had moved */
	struct replay_entry *seen; /* its entry in the memory of signatures; NULL: not looked up yet */
};

struct jobs {
	struct job *first, *last;
	size_t n;
};

static inline struct job *
job_of_item(struct lines_item *turn)
{
	return LIST_ENTRY(turn, struct job, turn);
}

static inline void
jobs_append(struct jobs *q, struct job *j)
{
	j->next = NULL;
	*(q->last != NULL ? &q->last->next : &q->first) = j;
	q->last = j;
	q->n++;
}

static inline void
jobs_put_first(struct jobs *q, struct job *j)
{
	j->next = q->first;
	q->first = j;
	q->last = q->last != NULL ? q->last : j;
	q->n++;
}

static inline struct job *
jobs_take(struct jobs *q) /* NULL: it is empty */
{
	struct job *j = q->first;
	if (j != NULL) {
		q->first = j->next;
		q->last = q->first != NULL ? q->last : NULL;
		q->n--;
	}
	return j;
}

/* Puts all of `from` in front of `q`. */
static inline void
jobs_put_before(struct jobs *q, struct jobs *from)
{
	if (from->first == NULL) {
		return;
	}
	from->last->next = q->first;
	q->last = q->last != NULL ? q->last : from->last;
	q->first = from->first;
	q->n += from->n;
	*from = (struct jobs){ 0 };
}
