/* Queries that were sent, and are not answered. */
#include <stdlib.h>

#include "auth/follower_p.h"
#include "base/alloc.h"

struct ask *
link_ask(const struct follow_link *l, uint16_t id)
{
	for (struct list_link *i = l->asks.next; i != &l->asks; i = i->next) { /* FOLLOWER_WINDOW_MAX at most */
		if (LIST_ENTRY(i, struct ask, link)->id == id) {
			return LIST_ENTRY(i, struct ask, link);
		}
	}
	return NULL;
}

static uint16_t
unused_id(const struct follower *f, const struct follow_link *l)
{
	uint16_t id = (uint16_t)f->conf.io.random_u32(f->conf.io.ctx);
	while (link_ask(l, id) != NULL) {
		id++;
	}
	return id;
}

static void
count(struct follower *f, struct follow_link *l, enum query query, int by)
{
	bool is_transfer = query != QUERY_SERIAL;
	l->asks_n += (unsigned)by;
	l->transfers_n += is_transfer ? (unsigned)by : 0;
	*(is_transfer ? &f->stats.transferring : &f->stats.asking) += (uint64_t)by;
}

void
ask_free(struct ask *a)
{
	incoming_free(&a->in);
	tsig_fini(&a->tsig);
	free(a->datagram);
	free(a);
}

void
ask_end(struct follower *f, struct ask *a)
{
	list_remove(&a->link);
	if (a->datagram != NULL) {
		udp_end(f, a);
	} else {
		count(f, a->on, a->query, -1);
	}
	if (a->zone == NULL) {
		a->source->is_asked = false;
	}
	room_release(f, a);
	ask_free(a);
	f->is_unsettled = true;
}

err_t
ask_new(struct follower *f, struct follow_link *l, struct want *w, struct ask **out)
{
	struct ask *a = try_alloc(sizeof *a);
	err_t err = OK;
	if (a == NULL) {
		return E_NOMEM;
	}
	if (w->is_domain) {
		a->source = LIST_ENTRY(w, struct source, want);
	} else {
		a->zone = LIST_ENTRY(w, struct follow_zone, want);
		a->source = f->sources[a->zone->source];
		a->query = a->zone->query;
	}
	if (a->query != QUERY_SERIAL) {
		const struct incoming_conf conf = { .apex = a->zone->apex, .octets_max = SIZE_MAX, .records_max = f->conf.records_max,
			                            .from = a->query == QUERY_CHANGES ? a->zone->version : NULL };
		err = incoming_new(&conf, &a->in);
	}
	if (err != OK) {
		free(a);
		return err;
	}
	a->on = l;
	a->id = unused_id(f, l);
	a->tsig.key = &a->source->at.key->tsig;
	*out = a;
	return OK;
}

void
ask_note_sent(struct follower *f, struct ask *a, const struct now *now)
{
	a->begun_ns = now->mono_ns;
	list_append(&a->on->asks, &a->link);
	count(f, a->on, a->query, 1);
	if (a->in != NULL) {
		room_reserve(f, a);
	}
	if (a->zone != NULL) {
		a->zone->phase = ZONE_ASKED;
	} else {
		a->source->is_asked = true;
	}
	*(a->query == QUERY_SERIAL ? &f->stats.questions : &f->stats.transfers) += 1;
}

uint64_t
ask_took_ms(const struct ask *a, const struct now *now)
{
	return (now->mono_ns - a->begun_ns) / 1000000;
}

void
ask_say_failed(struct follower *f, const struct now *now, const struct ask *a, enum follow_event event, const char *why)
{
	f->stats.failed += event == FOLLOW_FAILED;
	follower_say(f, (struct follow_report){
		.event = event, .zone = a->zone != NULL ? a->zone->apex : NULL, .source = &a->source->at,
		.transfer = a->in != NULL ? incoming_report(a->in) : NULL, .took_ms = ask_took_ms(a, now), .why = why });
}
