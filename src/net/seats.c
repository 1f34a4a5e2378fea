#include "net/seats.h"

#include "base/err.h"

enum seat_rank
seat_rank_of(const struct seat_facts *f)
{
	if ((f->has_unsent || f->has_transfer) && f->unseen_ms >= SEATS_STALL_MS) {
		return SEAT_STALLED;
	}
	if (f->is_kept || f->has_update || (f->has_transfer && f->is_signed)) {
		return SEAT_TRUSTED;
	}
	if (f->has_transfer) {
		return SEAT_SENDING;
	}
	if (f->is_waiting) {
		return SEAT_WAITING;
	}
	if (f->has_unsent) {
		return SEAT_TAKING;
	}
	return f->has_asked || f->unseen_ms < SEATS_NEW_MS ? SEAT_IDLE : SEAT_SILENT;
}

void
seats_init(struct seats *ps)
{
	for (unsigned i = 0; i < SEAT_RANKS; i++) {
		list_init(&ps->of[i]);
	}
	ps->n = 0;
}

void
seats_add(struct seats *ps, struct seat *p, uint64_t now_ms)
{
	p->rank = SEAT_IDLE;
	p->seen_ms = now_ms;
	list_append(&ps->of[SEAT_IDLE], &p->link);
	ps->n++;
}

void
seats_remove(struct seats *ps, struct seat *p)
{
	list_remove(&p->link);
	ps->n--;
}

void
seats_seen(struct seats *ps, struct seat *p, uint64_t now_ms)
{
	p->seen_ms = now_ms;
	list_remove(&p->link);
	list_append(&ps->of[p->rank], &p->link);
}

/* Usually the peer was just seen, so its place is at the end of the list. */
void
seats_set_rank(struct seats *ps, struct seat *p, enum seat_rank rank)
{
	if (p->rank == rank) {
		return;
	}
	list_remove(&p->link);
	p->rank = rank;
	struct list_link *after = ps->of[rank].prev;
	while (after != &ps->of[rank] && LIST_ENTRY(after, struct seat, link)->seen_ms > p->seen_ms) {
		after = after->prev;
	}
	list_append(after->next, &p->link);
}

struct seat *
seats_first(const struct seats *ps, enum seat_rank rank)
{
	const struct list_link *head = &ps->of[rank];
	return list_is_empty(head) ? NULL : LIST_ENTRY(head->next, struct seat, link);
}

struct seat *
seats_victim(const struct seats *ps)
{
	for (enum seat_rank rank = SEAT_SILENT; rank < SEAT_TRUSTED; rank++) {
		struct seat *p = seats_first(ps, rank);
		if (p != NULL) {
			return p;
		}
	}
	return NULL;
}
