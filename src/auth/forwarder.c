#include "auth/forwarder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/number.h"
#include "dns/msg.h"
#include "dns/tsig.h"

struct ask {
	struct forward_update u;
	struct list_link all, link; /* in `asks` of the forwarder, and of the link */
	struct forward_link *on;
	size_t next;                /* of u.to, after the one that is asked */
	uint64_t until_ns;
	uint16_t original_id, id;   /* on the wire */
	bool is_sent;               /* over the present link, */
	unsigned answers_before;    /* which had brought so many answers by then */
	bool may_have_arrived;      /* at the present primary */
	bool is_repeated;           /* it was sent to it twice */
};

struct forward_link {
	const struct follow_source *at; /* NULL: it is not in use */
	bool is_connected;
	unsigned answers;           /* since it was opened */
	uint16_t last_id;           /* the next one is one higher: an answer that comes late finds no other update */
	uint64_t until_ns;          /* not connected: it counts as failed then; without asks: it is closed */
	struct list_link asks;
};

struct forwarder {
	struct forwarder_io io;
	struct forward_link links[FORWARDER_LINKS_MAX];
	struct list_link asks;      /* all; as they came, so the first one has the earliest end */
	size_t asks_n;
};

static uint64_t
after(const struct now *now, uint64_t s)
{
	return now->mono_ns + s * NOW_SECOND_NS;
}

static unsigned
number_of(const struct forwarder *f, const struct forward_link *l)
{
	return (unsigned)(l - f->links);
}

struct forwarder *
forwarder_new(const struct forwarder_io *io)
{
	struct forwarder *f = xalloc(sizeof *f);
	f->io = *io;
	list_init(&f->asks);
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		list_init(&f->links[i].asks);
	}
	return f;
}

void
forwarder_free(struct forwarder **forwarder)
{
	struct forwarder *f = *forwarder;
	if (f == NULL) {
		return;
	}
	while (!list_is_empty(&f->asks)) {
		struct ask *a = LIST_ENTRY(f->asks.next, struct ask, all);
		list_remove(&a->all);
		free(a);
	}
	free(f);
	*forwarder = NULL;
}

/* ---- updates ---- */

static void
leave(struct ask *a)
{
	if (a->on != NULL) {
		list_remove(&a->link);
		a->on = NULL;
	}
}

static void
ask_end(struct forwarder *f, const struct now *now, struct ask *a)
{
	struct forward_link *l = a->on;
	leave(a);
	if (l != NULL && l->is_connected && list_is_empty(&l->asks)) {
		l->until_ns = after(now, FORWARDER_IDLE_S);
	}
	list_remove(&a->all);
	f->asks_n--;
	free(a);
}

static void
ask_fail(struct forwarder *f, const struct now *now, struct ask *a, const char *why)
{
	const struct follow_source *from = a->next != 0 ? a->u.to[a->next - 1] : NULL;
	void *handle = a->u.handle;
	bool may_have_arrived = a->may_have_arrived;
	ask_end(f, now, a);
	f->io.fail(f->io.ctx, handle, from, may_have_arrived, why);
}

static uint16_t
next_id(struct forward_link *l, uint16_t original)
{
	l->last_id++;
	if (l->last_id == original) {
		l->last_id++;
	}
	return l->last_id;
}

/* False: the link takes no more. */
static bool
send(struct forwarder *f, struct ask *a)
{
	uint8_t wire[DNS_MSG_MAX];
	a->id = next_id(a->on, a->original_id);
	memcpy(wire, a->u.bytes, a->u.len);
	u16_put(wire, a->id);
	a->is_sent = f->io.send(f->io.ctx, number_of(f, a->on), wire, a->u.len);
	a->may_have_arrived |= a->is_sent;
	a->answers_before = a->on->answers;
	return a->is_sent;
}

/* ---- links ---- */

static bool
is_same_primary(const struct follow_source *a, const struct follow_source *b)
{
	return a->port == b->port && key_address_is_equal(&a->address, &b->address) && key_address_is_equal(&a->source, &b->source);
}

static struct forward_link *
link_of(struct forwarder *f, const struct follow_source *to)
{
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		if (f->links[i].at != NULL && is_same_primary(f->links[i].at, to)) {
			return &f->links[i];
		}
	}
	return NULL;
}

/* A place for one more; one without updates is closed for it.  NULL: all are in use. */
static struct forward_link *
link_place(struct forwarder *f)
{
	struct forward_link *idle = NULL;
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		struct forward_link *l = &f->links[i];
		if (l->at == NULL) {
			return l;
		}
		idle = list_is_empty(&l->asks) ? l : idle;
	}
	if (idle != NULL) {
		f->io.close(f->io.ctx, number_of(f, idle));
		idle->at = NULL;
	}
	return idle;
}

static struct forward_link *
link_open(struct forwarder *f, const struct now *now, const struct follow_source *to)
{
	struct forward_link *l = link_place(f);
	if (l == NULL || !f->io.open(f->io.ctx, number_of(f, l), to)) {
		return NULL;
	}
	l->at = to;
	l->is_connected = false;
	l->answers = 0;
	l->last_id = (uint16_t)f->io.random_u32(f->io.ctx);
	l->until_ns = after(now, FORWARDER_CONNECT_S);
	return l;
}

/* ---- one primary after the other ---- */

/* False: it cannot be asked. */
static bool
try_primary(struct forwarder *f, const struct now *now, struct ask *a, const struct follow_source *to)
{
	struct forward_link *l = link_of(f, to);
	l = l != NULL ? l : link_open(f, now, to);
	if (l == NULL) {
		return false;
	}
	a->on = l;
	list_append(&l->asks, &a->link);
	if (l->is_connected && !send(f, a)) {
		leave(a);
		return false;
	}
	return true;
}

/* Asks the next primary that can be asked; if there is none, the update has failed. */
static void
go_on(struct forwarder *f, const struct now *now, struct ask *a, const char *why)
{
	a->is_sent = a->may_have_arrived = a->is_repeated = false;
	while (a->next < a->u.to_n) {
		if (try_primary(f, now, a, a->u.to[a->next++])) {
			return;
		}
		why = "no primary takes more updates now";
	}
	ask_fail(f, now, a, why);
}

/* RFC 8945 4.2: it is another one than the message's, if that was forwarded. */
static uint16_t
original_id(const struct forward_update *u)
{
	struct msg m;
	struct tsig_claim claim;
	bool is_read = msg_parse(u->bytes, u->len, &m) == OK;
	return is_read && tsig_read_claim(&m, &claim) == OK ? claim.original_id : m.id;
}

void
forwarder_add(struct forwarder *f, const struct now *now, const struct forward_update *u)
{
	ASSERT(u->len >= DNS_HEADER_LEN && u->len <= DNS_MSG_MAX && u->to_n <= FORWARDER_PRIMARIES_MAX);
	struct ask *a = f->asks_n < FORWARDER_ASKS_MAX ? try_alloc(sizeof *a) : NULL;
	if (a == NULL) {
		f->io.fail(f->io.ctx, u->handle, NULL, false, "too many updates are under way");
		return;
	}
	a->u = *u;
	a->original_id = original_id(u);
	a->until_ns = after(now, FORWARDER_ANSWER_S);
	list_append(&f->asks, &a->all);
	f->asks_n++;
	go_on(f, now, a, "no primary is known for this zone");
}

/* ---- what comes in ---- */

/* After the end of a link. */
static void
give_back(struct forwarder *f, const struct now *now, struct ask *a, bool was_good, const char *why)
{
	bool may_repeat = was_good && !a->is_repeated;
	leave(a);
	a->is_sent = false;
	if (!a->may_have_arrived) {
		go_on(f, now, a, why);
		return;
	}
	a->is_repeated = true;
	if (!may_repeat || !try_primary(f, now, a, a->u.to[a->next - 1])) {
		ask_fail(f, now, a, "the primary has closed the connection without an answer");
	}
}

static void
link_ended(struct forwarder *f, const struct now *now, struct forward_link *l, const char *why)
{
	struct list_link all;
	bool was_good = l->answers != 0;
	list_init(&all);
	list_append_all(&all, &l->asks);
	l->at = NULL;
	while (!list_is_empty(&all)) {
		give_back(f, now, LIST_ENTRY(all.next, struct ask, link), was_good, why);
	}
}

void
forwarder_closed(struct forwarder *f, const struct now *now, unsigned link, const char *why)
{
	link_ended(f, now, &f->links[link], why);
}

static void
link_close(struct forwarder *f, const struct now *now, struct forward_link *l, const char *why)
{
	f->io.close(f->io.ctx, number_of(f, l));
	link_ended(f, now, l, why);
}

void
forwarder_connected(struct forwarder *f, const struct now *now, unsigned link)
{
	struct forward_link *l = &f->links[link];
	l->is_connected = true;
	l->until_ns = after(now, FORWARDER_IDLE_S);
	for (struct list_link *i = l->asks.next; i != &l->asks; i = i->next) {
		struct ask *a = LIST_ENTRY(i, struct ask, link);
		if (!a->is_sent && !send(f, a)) {
			link_close(f, now, l, "the primary takes no more updates");
			return;
		}
	}
}

static struct ask *
find_ask(const struct forward_link *l, uint16_t id)
{
	for (struct list_link *i = l->asks.next; i != &l->asks; i = i->next) {
		struct ask *a = LIST_ENTRY(i, struct ask, link);
		if (a->is_sent && a->id == id) {
			return a;
		}
	}
	return NULL;
}

/* The answer of another forwarder that could not pass the update on. */
static bool
is_turned_away(const struct ask *a, const struct msg *m)
{
	return (m->bits & DNS_RCODE) == RCODE_SERVFAIL && !m->has_tsig && a->next < a->u.to_n;
}

static void
ask_answer(struct forwarder *f, const struct now *now, struct ask *a, const uint8_t *bytes, size_t len)
{
	uint8_t wire[DNS_MSG_MAX];
	const struct follow_source *from = a->u.to[a->next - 1];
	void *handle = a->u.handle;
	memcpy(wire, bytes, len);
	memcpy(wire, a->u.bytes, 2);
	ask_end(f, now, a);
	f->io.answer(f->io.ctx, handle, from, wire, len);
}

void
forwarder_input(struct forwarder *f, const struct now *now, unsigned link, const uint8_t *bytes, size_t len)
{
	struct forward_link *l = &f->links[link];
	struct msg m;
	if (msg_parse(bytes, len, &m) != OK) {
		link_close(f, now, l, "the primary sends what is no DNS message");
		return;
	}
	struct ask *a = (m.bits & DNS_QR) != 0 && msg_opcode(&m) == OPCODE_UPDATE ? find_ask(l, m.id) : NULL;
	if (a == NULL) {
		return; /* it may be about an update that has waited for too long */
	}
	l->answers++;
	if (is_turned_away(a, &m)) {
		leave(a);
		l->until_ns = after(now, FORWARDER_IDLE_S);
		go_on(f, now, a, "the primary could not pass the update on");
	} else {
		ask_answer(f, now, a, bytes, len);
	}
}

/* ---- time ---- */

static uint64_t
link_until(const struct forward_link *l)
{
	bool is_timed = l->at != NULL && (!l->is_connected || list_is_empty(&l->asks));
	return is_timed ? l->until_ns : NOW_NEVER;
}

uint64_t
forwarder_deadline(const struct forwarder *f)
{
	uint64_t at = list_is_empty(&f->asks) ? NOW_NEVER : LIST_ENTRY(f->asks.next, struct ask, all)->until_ns;
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		uint64_t until = link_until(&f->links[i]);
		at = until < at ? until : at;
	}
	return at;
}

/* A link that has brought no answer all the time is dead: the next update would be lost in the same way. */
static void
time_out(struct forwarder *f, const struct now *now, struct ask *a)
{
	struct forward_link *l = a->on;
	bool is_dead = l != NULL && a->is_sent && l->answers == a->answers_before;
	ask_fail(f, now, a, "no primary has answered in time");
	if (is_dead) {
		link_close(f, now, l, "the primary does not answer");
	}
}

void
forwarder_timer(struct forwarder *f, const struct now *now)
{
	while (!list_is_empty(&f->asks) && LIST_ENTRY(f->asks.next, struct ask, all)->until_ns <= now->mono_ns) {
		time_out(f, now, LIST_ENTRY(f->asks.next, struct ask, all));
	}
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		if (link_until(&f->links[i]) <= now->mono_ns) {
			link_close(f, now, &f->links[i], "the primary does not take connections");
		}
	}
}
