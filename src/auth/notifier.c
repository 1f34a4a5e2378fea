/* The notifier's inputs, except answers: news, ends of connections, the time. */
#include "auth/notifier.h"

#include <stdlib.h>

#include "auth/notifier_p.h"
#include "base/alloc.h"

void
notifier_exchange_closed(struct notifier *n, const struct now *now, unsigned exchange)
{
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX && n->exchange[exchange] != NULL);
	struct peer *p = n->exchange[exchange];
	peer_drop_exchange(n, p);
	peer_tcp_failed(n, p, !p->has_answered, now);
	notifier_settle(n, now);
}

void
notifier_conn_closed(struct notifier *n, const struct now *now, uint64_t conn)
{
	const struct peer *p = peer_find(n, &(struct notify_target){ .conn = conn });
	if (p != NULL) {
		peer_lose_conn(n, p);
		notifier_settle(n, now);
	}
}

/* Replaces `old` by `x`.  If `old` waits for its first turn, `x` takes its place in the queue: else a zone that changes more often than
 * turns come round would never have a turn. */
static void
replace(struct notifier *n, struct notice *x, struct notice *old)
{
	if (old->state == NOTICE_WAITING && old->attempts == 0) {
		list_append(&old->link, &x->link); /* before `old` */
		x->state = NOTICE_WAITING;
	}
	notice_detach(n, old);
}

/* Adds a key to a notice.  If the other keys have failed in the last attempt, the new key is tried at once: perhaps it replaces
 * them at the secondary. */
static err_t
add_key(struct notifier *n, struct notice *x, const struct tsig_key *key)
{
	TRY(notice_add_key(n, x, key));
	if (x->state == NOTICE_RESTING) {
		x->next_turn = (uint8_t)(x->signers_n - 1);
		notice_detach(n, x);
		notice_wait(n, x);
	}
	return OK;
}

/* One part of `parts`, rounded up. */
static size_t
share(size_t all, size_t parts)
{
	return (all + parts - 1) / parts;
}

/* Is there room for one more notice of the peer?  One that does not answer must leave room for others, and so must peers that come and
 * ask to be told: who may be told at an address, the repository says. */
static bool
has_room(const struct notifier *n, const struct peer *p)
{
	const struct notifier_conf *c = &n->conf;
	bool has_any = n->stats.pending < c->pending_max && n->stats.octets < c->octets_max;
	bool has_its_own = p->notices.now.n < share(c->pending_max, NOTIFIER_TARGET_PART) &&
	                   p->octets < share(c->octets_max, NOTIFIER_TARGET_PART);
	return has_any && has_its_own && (p->at.conn == 0 || n->pending_for_conns < share(c->pending_max, NOTIFIER_CONNS_PART));
}

/* *out: the notice to be sent, idle or waiting; NULL: the key was added to a notice that is already under way.  *was_unreached:
 * `out` replaces an unreached one. */
static err_t
put_in(struct notifier *n, struct peer *p, const struct notify_news *news, const struct tsig_key *key,
       struct notice **out, bool *was_unreached)
{
	struct notice *x = NULL, *old = peer_notice(p, news->zone);
	*out = NULL;
	if (old != NULL && notice_has_room(old, news, key)) {
		return add_key(n, old, key);
	}
	if (old == NULL && !has_room(n, p)) {
		return E_LIMIT;
	}
	TRY(heap_reserve(&n->timers, n->stats.pending + 1));
	TRY(notice_new(n, news, key, &x));
	err_t err = peer_put(p, x, &old);
	if (err != OK) {
		notice_free(n, x);
		return err;
	}
	*was_unreached = old != NULL && notice_has_said(old, NOTIFY_UNREACHED);
	if (old != NULL) {
		replace(n, x, old);
		notice_free(n, old);
		n->stats.replaced++;
	} else {
		n->stats.pending++;
		n->pending_for_conns += p->at.conn != 0;
	}
	*out = x;
	return OK;
}

err_t
notifier_add(struct notifier *n, const struct now *now, const struct notify_news *news,
             const struct notify_target *to)
{
	ASSERT(to->conn != 0 || to->address.family == 4 || to->address.family == 6);
	struct peer *p = peer_get(n, to);
	struct notice *x = NULL;
	bool was_unreached = false;
	if (p == NULL) {
		n->stats.over_limit++;
		return E_NOMEM;
	}
	err_t err = put_in(n, p, news, to->key, &x, &was_unreached);
	if (err == OK && x != NULL) {
		n->stats.added++;
		if (was_unreached) {
			notice_say(n, x, (struct notifier_report){ .outcome = NOTIFY_UNREACHED });
		}
		if (x->state == NOTICE_IDLE) {
			notice_wait(n, x);
		}
	} else if (err != OK) {
		n->stats.over_limit++;
		peer_changed(n, p);
	}
	notifier_settle(n, now);
	return err;
}

/* ---- time ---- */

static void
expire(struct notifier *n, struct notice *x, const struct now *now)
{
	struct peer *p = x->peer;
	if (x->state == NOTICE_RESTING) {
		notice_detach(n, x);
		notice_wait(n, x);
	} else if (x->transport != NOTIFY_OVER_TCP) {
		p->window = NOTIFIER_WINDOW_MIN;
		notice_detach(n, x);
		notice_rest(n, x);
	} else if (p->heard_ns <= x->begun_ns) { /* no answer since this was sent */
		peer_fail_exchange(n, p, true, now);
	} else {
		notice_fall_back(n, x, now);
	}
}

uint64_t
notifier_deadline(const struct notifier *n)
{
	const struct heap_node *timer = heap_first(&n->timers), *stall = heap_first(&n->stalls);
	uint64_t at = timer != NULL ? timer->at : NOW_NEVER;
	return stall != NULL && stall->at < at ? stall->at : at;
}

void
notifier_timer(struct notifier *n, const struct now *now)
{
	struct heap_node *first;
	while ((first = heap_first(&n->stalls)) != NULL && first->at <= now->mono_ns) {
		peer_fail_exchange(n, LIST_ENTRY(first, struct peer, stall), true, now);
	}
	while ((first = heap_first(&n->timers)) != NULL && first->at <= now->mono_ns) {
		expire(n, LIST_ENTRY(first, struct notice, timer), now);
	}
	notifier_settle(n, now);
}

/* ---- making and freeing ---- */

struct notifier *
notifier_new(const struct notifier_conf *conf)
{
	struct notifier *n = xalloc(sizeof *n);
	struct trie none;
	n->conf = *conf;
	n->conf.octets_max = conf->octets_max != 0 ? conf->octets_max : NOTIFIER_OCTETS_MAX;
	n->conf.pending_max = conf->pending_max != 0 ? conf->pending_max : NOTIFIER_PENDING_MAX;
	n->conf.in_flight_max = conf->in_flight_max != 0 ? conf->in_flight_max : NOTIFIER_IN_FLIGHT_MAX;
	n->seed = (uint32_t)conf->io.random_id(conf->io.ctx) << 16 | conf->io.random_id(conf->io.ctx);
	trie_init(&none, SIGNER_NAME_AT);
	trie_begin(&n->signers, &none);
	if (heap_reserve(&n->stalls, NOTIFIER_EXCHANGES_MAX) != OK) {
		abort(); /* as xalloc() does */
	}
	list_init(&n->ready);
	list_init(&n->touched);
	for (unsigned i = 0; i < NOTIFIER_EXCHANGES_MAX; i++) {
		n->free_exchange[i] = (uint16_t)i;
	}
	return n;
}

void
notifier_free(struct notifier **n)
{
	if (*n == NULL) {
		return;
	}
	table_free(*n);
	heap_fini(&(*n)->timers);
	heap_fini(&(*n)->stalls);
	free_ptr(n);
}

const struct notifier_stats *
notifier_stats(const struct notifier *n)
{
	return &n->stats;
}
