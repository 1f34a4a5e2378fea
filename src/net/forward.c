#include "net/forward.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "auth/forward.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "net/forward_lines.h"
#include "net/inbox.h"
#include "net/loop_timer.h"
#include "net/peer.h"
#include "ops/clock.h"

_Static_assert(NET_FORWARD_FILES >= FORWARDER_LINKS_MAX + 8, "a dial that is being closed may still have its descriptor");

struct net_forward {
	struct net_forward_conf conf;
	struct inbox *inbox;              /* any thread */
	pthread_mutex_t lock;             /* for `is_begun`; held while `wake` is used by another thread */
	bool is_begun;
	uv_async_t wake;
	struct loop_timer timer;
	uv_prepare_t prepare;
	const struct follower *primaries;
	struct forward_lines lines;       /* with the machine */
	struct inbox_item *taken;         /* not given back, by `next` */
	_Atomic uint64_t answered, failed, circles;
	uint8_t answer[DNS_MSG_MAX];
};

/* ---- the log ---- */

static void
print_primary(const struct follow_source *s, char out[PEER_TEXT_MAX])
{
	out[0] = '\0';
	if (s != NULL) {
		peer_print_address(&s->address, s->port, out);
	}
}

static void
print_zone(const struct inbox_item *item, char out[NAME_TEXT_MAX])
{
	struct msg m;
	err_t err = msg_parse(item->bytes, item->len, &m);
	ASSERT(err == OK); /* the worker has read it */
	name_print(m.qname.oct, out);
}

/* Anybody can cause these lines: nobody here knows whether the signature is good. */
static void
say(const struct net_forward *nf, const struct inbox_item *item, const struct follow_source *to, const char *rcode, const char *why)
{
	char from[PEER_TEXT_MAX], primary[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	enum log_level level = why[0] == '\0' ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	if (!log_peer_is_due(nf->conf.log, LOG_BY_STRANGER, level, why[0] == '\0' ? "update-forwarded" : "update-not-forwarded")) {
		return;
	}
	peer_print(&item->from.peer, from);
	print_primary(to, primary);
	print_zone(item, zone);
	name_print(item->key.oct, key);
	if (why[0] == '\0') {
		log_peer_event(nf->conf.log, LOG_BY_STRANGER, level, "update-forwarded",
		               "from=%s zone=%s key=%s to=%s rcode=%s took_ms=%" PRIu64, from, zone, key, primary, rcode,
		               (clock_ns() - item->arrived_ns) / 1000000);
	} else {
		log_peer_event(nf->conf.log, LOG_BY_STRANGER, level, "update-not-forwarded", "from=%s zone=%s key=%s to=%s why=%s", from,
		               zone, key, primary, why);
	}
}

/* ---- answers ---- */

static void
give_back(struct net_forward *nf, struct inbox_item *item)
{
	struct inbox_item **at = &nf->taken;
	while (*at != item) {
		at = &(*at)->next;
	}
	*at = item->next;
	inbox_give_back(nf->inbox, item);
}

static void
on_answer(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len)
{
	struct net_forward *nf = ctx;
	struct inbox_item *item = handle;
	char rcode[RRTYPE_TEXT_MAX];
	atomic_fetch_add(&nf->answered, 1);
	say(nf, item, from, rcode_print(bytes[3] & DNS_RCODE, false, rcode), "");
	return_path_send(&item->from, bytes, len);
	give_back(nf, item);
}

/* Another forwarder would try its next primary, so it is told nothing if this one may have carried out the update. */
static void
on_fail(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why)
{
	struct net_forward *nf = ctx;
	struct inbox_item *item = handle;
	bool is_told = !may_have_arrived || !forward_is_passed(item->bytes, item->len);
	atomic_fetch_add(&nf->failed, 1);
	say(nf, item, from, "", why);
	size_t n = !is_told ? 0
	                    : forward_refuse(nf->conf.view(nf->conf.ctx), nf->conf.server, &item->from.peer, net_wall_s(), item->bytes,
	                                     item->len, why, nf->answer, sizeof nf->answer);
	return_path_send(&item->from, nf->answer, n);
	give_back(nf, item);
}

/* ---- from the workers ---- */

static void
on_put(void *ctx)
{
	struct net_forward *nf = ctx;
	pthread_mutex_lock(&nf->lock);
	if (nf->is_begun) {
		(void)uv_async_send(&nf->wake);
	}
	pthread_mutex_unlock(&nf->lock);
}

static size_t
turn_away(const struct net_forward *nf, const struct net_request *r, const char *why, uint8_t *resp, size_t cap)
{
	return forward_refuse(r->view, nf->conf.server, &r->from->peer, r->now_s, r->bytes, r->len, why, resp, cap);
}

size_t
net_forward_take(struct net_forward *nf, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	switch (inbox_put(nf->inbox, r->from, &out->key, out->mac, r->now_s, r->bytes, r->len)) {
	case OK:
		return 0;
	case E_EXISTS:
		if (forward_is_passed(r->bytes, r->len)) { /* it has been here before */
			atomic_fetch_add(&nf->circles, 1);
			return turn_away(nf, r, "secondaries follow each other in a circle", resp, cap);
		}
		return_path_send(r->from, NULL, 0);
		return 0;
	case E_BUSY:
		return turn_away(nf, r, "too many updates of this key are under way", resp, cap);
	default:
		return turn_away(nf, r, "too many updates are under way", resp, cap);
	}
}

/* ---- on the loop ---- */

static void
take(struct net_forward *nf, struct inbox_item *item, const struct now *t)
{
	struct msg m;
	struct forward_update u = { .bytes = item->bytes, .len = item->len, .handle = item };
	err_t err = msg_parse(item->bytes, item->len, &m);
	ASSERT(err == OK); /* the worker has read it */
	u.to_n = follower_sources(nf->primaries, m.qname.oct, u.to, FORWARDER_PRIMARIES_MAX);
	item->next = nf->taken;
	nf->taken = item;
	forwarder_add(nf->lines.machine, t, &u);
}

static void
on_wake(uv_async_t *wake)
{
	struct net_forward *nf = wake->data;
	for (struct inbox_item *item = inbox_take_all(nf->inbox), *next; item != NULL; item = next) {
		const struct now t = net_now();
		next = item->next;
		take(nf, item, &t);
	}
}

static void
on_timer(uv_timer_t *timer)
{
	struct net_forward *nf = timer->data;
	const struct now t = net_now();
	forwarder_timer(nf->lines.machine, &t);
}

/* Before each wait: sets the timer to the machine's next deadline. */
static void
on_prepare(uv_prepare_t *prepare)
{
	struct net_forward *nf = prepare->data;
	loop_timer_set(&nf->timer, on_timer, forwarder_deadline(nf->lines.machine));
}

/* ---- beginning and end ---- */

struct net_forward *
net_forward_new(const struct net_forward_conf *conf)
{
	struct net_forward *nf = xalloc(sizeof *nf);
	nf->conf = *conf;
	nf->inbox = inbox_new(FORWARDER_ASKS_MAX, NET_FORWARD_PER_KEY, 0, on_put, nf);
	int err = pthread_mutex_init(&nf->lock, NULL);
	ASSERT(err == 0);
	return nf;
}

void
net_forward_free(struct net_forward **nf)
{
	if (*nf != NULL) {
		inbox_free(&(*nf)->inbox);
		pthread_mutex_destroy(&(*nf)->lock);
		free_ptr(nf);
		*nf = NULL;
	}
}

static err_t
begin(void *ctx, uv_loop_t *loop, const struct follower *machine, const struct link_source *from)
{
	struct net_forward *nf = ctx;
	if (uv_async_init(loop, &nf->wake, on_wake) != 0 || uv_timer_init(loop, &nf->timer.handle) != 0 ||
	    uv_prepare_init(loop, &nf->prepare) != 0 || uv_prepare_start(&nf->prepare, on_prepare) != 0) {
		return E_NOMEM; /* the loop's owner closes what there is */
	}
	nf->wake.data = nf->timer.handle.data = nf->prepare.data = nf;
	nf->primaries = machine;
	nf->lines = (struct forward_lines){ .answer = on_answer, .fail = on_fail, .ctx = nf };
	forward_lines_begin(&nf->lines, loop, from);
	pthread_mutex_lock(&nf->lock);
	nf->is_begun = true;
	pthread_mutex_unlock(&nf->lock);
	(void)uv_async_send(&nf->wake);
	return OK;
}

static void
end(void *ctx)
{
	struct net_forward *nf = ctx;
	if (!nf->is_begun) {
		return;
	}
	pthread_mutex_lock(&nf->lock);
	nf->is_begun = false;
	pthread_mutex_unlock(&nf->lock);
	forward_lines_end(&nf->lines);
	uv_close((uv_handle_t *)&nf->wake, NULL);
	uv_close((uv_handle_t *)&nf->timer.handle, NULL);
	uv_close((uv_handle_t *)&nf->prepare, NULL);
	while (nf->taken != NULL) {
		give_back(nf, nf->taken);
	}
}

struct follow_guest
net_forward_guest(struct net_forward *nf)
{
	return nf != NULL ? (struct follow_guest){ .begin = begin, .end = end, .ctx = nf } : (struct follow_guest){ .begin = NULL };
}

void
net_forward_log_stats(struct net_forward *nf)
{
	if (nf == NULL) {
		return;
	}
	const struct inbox_stats s = inbox_stats(nf->inbox);
	log_event(nf->conf.log, LOG_LEVEL_INFO, "forward-stats",
	          "taken=%" PRIu64 " repeated=%" PRIu64 " over_limit=%" PRIu64 " over_key_limit=%" PRIu64 " answered=%" PRIu64
	          " failed=%" PRIu64 " circles=%" PRIu64 " under_way=%u",
	          s.accepted, s.repeated, s.over_limit, s.over_key_limit, atomic_load(&nf->answered), atomic_load(&nf->failed),
	          atomic_load(&nf->circles), s.waiting);
}
