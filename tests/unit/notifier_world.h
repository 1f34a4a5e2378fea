/* tests/unit/notifier_world.h -- NOTIFY out with a clock and a network of the test's own: what is sent is kept, and
 * answered as the test likes. */
#pragma once

#include "auth/notifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

enum { SENT_MAX = 40000, WALL_S = 1700000000 };

struct sent {
	enum notify_transport transport;
	struct notify_target to;
	unsigned exchange;
	uint64_t at_ns;
	uint16_t len;
	uint8_t bytes[NOTIFIER_MESSAGE_MAX];
};

/* What the network does when the machine turns to it. */
struct world {
	struct notifier *n;
	struct now now;
	struct sent *sent; /* all that was ever sent */
	size_t sent_n;
	bool is_open[NOTIFIER_EXCHANGES_MAX];
	unsigned opened, closed;
	bool no_tcp, no_send, no_udp, no_conn;  /* the callback says that it cannot go */
	struct notifier_report last;            /* what it borrows is gone */
	char last_zone[NAME_TEXT_MAX];
	unsigned reports[NOTIFY_OUTCOMES];
	uint16_t next_id;
};

static inline void
keep(struct world *w, enum notify_transport t, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	assert_true(w->sent_n < SENT_MAX && len <= NOTIFIER_MESSAGE_MAX);
	struct sent *s = &w->sent[w->sent_n++];
	*s = (struct sent){ .transport = t, .to = *to, .at_ns = w->now.mono_ns, .len = (uint16_t)len };
	memcpy(s->bytes, bytes, len);
}

static inline bool
send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	if (!w->no_udp) {
		keep(w, NOTIFY_OVER_UDP, to, bytes, len);
	}
	return !w->no_udp;
}

static struct notify_target exchange_to[NOTIFIER_EXCHANGES_MAX];

static inline bool
exchange_send(void *ctx, unsigned exchange, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	assert_true(exchange < NOTIFIER_EXCHANGES_MAX && w->is_open[exchange]);
	if (w->no_send) {
		return false;
	}
	keep(w, NOTIFY_OVER_TCP, &exchange_to[exchange], bytes, len);
	w->sent[w->sent_n - 1].exchange = exchange;
	return true;
}

static inline bool
exchange_open(void *ctx, unsigned exchange, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	assert_true(exchange < NOTIFIER_EXCHANGES_MAX && !w->is_open[exchange]);
	if (w->no_tcp) {
		return false;
	}
	w->is_open[exchange] = true;
	w->opened++;
	exchange_to[exchange] = *to;
	return exchange_send(ctx, exchange, bytes, len);
}

static inline void
exchange_close(void *ctx, unsigned exchange)
{
	struct world *w = ctx;
	assert_true(exchange < NOTIFIER_EXCHANGES_MAX && w->is_open[exchange]);
	w->is_open[exchange] = false;
	w->closed++;
}

static inline bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	if (!w->no_conn) {
		keep(w, NOTIFY_OVER_CONN, &(struct notify_target){ .conn = conn }, bytes, len);
	}
	return !w->no_conn;
}

static inline void
on_report(void *ctx, const struct notifier_report *r)
{
	struct world *w = ctx;
	w->reports[r->outcome]++;
	w->last = *r;
	assert_ptr_equal(r->news.zone, r->zone);
	assert_int_equal(r->news.soa == NULL, r->is_removal);
	assert_true(r->outcome != NOTIFY_UNREACHED || r->target->conn == 0);
	name_print(r->zone, w->last_zone);
}

static inline uint16_t
next_id(void *ctx)
{
	struct world *w = ctx;
	return w->next_id++;
}

static inline void
begin_bounded(struct world *w, size_t pending_max, size_t octets_max, size_t in_flight_max)
{
	*w = (struct world){ .now = { .mono_ns = 1000 * S, .wall_s = WALL_S }, .next_id = 65000 };
	w->sent = calloc(SENT_MAX, sizeof *w->sent);
	const struct notifier_conf conf = {
		.pending_max = pending_max, .octets_max = octets_max, .in_flight_max = in_flight_max,
		.io = { send_udp, exchange_open, exchange_send, exchange_close, send_over, on_report, next_id, w },
	};
	w->n = notifier_new(&conf);
	assert_int_equal(notifier_deadline(w->n), NOW_NEVER);
}

static inline void
begin_with(struct world *w, size_t pending_max, size_t in_flight_max)
{
	begin_bounded(w, pending_max, 0, in_flight_max);
}

static inline void
begin(struct world *w)
{
	begin_with(w, 0, 0);
}

/* Whatever was added has come to some end or is still there. */
static inline void
assert_balance(const struct world *w)
{
	const struct notifier_stats *s = notifier_stats(w->n);
	uint64_t ended = s->replaced;
	for (unsigned o = NOTIFY_ACKNOWLEDGED; o <= NOTIFY_LOST; o++) {
		ended += s->outcomes[o];
	}
	assert_int_equal(s->added, ended + s->pending);
	assert_int_equal(s->exchanges, w->opened - w->closed);
	assert_true(s->in_flight <= s->pending);
}

static inline void
end(struct world *w)
{
	assert_balance(w);
	notifier_free(&w->n);
	assert_null(w->n);
	free(w->sent);
}

static inline void
advance(struct world *w, uint64_t ns)
{
	w->now.mono_ns += ns;
	w->now.wall_s = WALL_S + (w->now.mono_ns - 1000 * S) / S;
	notifier_timer(w->n, &w->now);
	assert_balance(w);
}

/* To the next deadline, at most until then. */
static inline bool
step(struct world *w, uint64_t until_ns)
{
	uint64_t at = notifier_deadline(w->n);
	if (at > until_ns) {
		return false;
	}
	advance(w, at > w->now.mono_ns ? at - w->now.mono_ns : 0);
	return true;
}

static inline struct name
parsed(const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	return n;
}

static inline struct notify_target
target(uint8_t last_octet)
{
	return (struct notify_target){ .address = { .family = 4, .octets = { 192, 0, 2, last_octet } }, .port = NOTIFY_PORT };
}

static inline struct tsig_key
key_of(const char *name, char fill)
{
	struct tsig_key k = { .alg = HMAC_SHA256, .secret_len = 32 };
	k.name = parsed(name);
	memset(k.secret, fill, k.secret_len);
	return k;
}

struct soa {
	uint8_t bytes[2 * NAME_WIRE_MAX + 20];
	uint16_t len;
};

static inline struct soa
soa_of(const char *mname, const char *rname, uint32_t serial)
{
	struct soa s;
	struct name m = parsed(mname), r = parsed(rname);
	struct buf b = buf_over(s.bytes, sizeof s.bytes);
	buf_put(&b, m.oct, m.len);
	buf_put(&b, r.oct, r.len);
	const uint32_t numbers[] = { serial, 7200, 3600, 1209600, 300 };
	for (size_t i = 0; i < 5; i++) {
		buf_u32(&b, numbers[i]);
	}
	s.len = (uint16_t)b.len;
	return s;
}

static inline err_t
add_to(struct world *w, const char *zone, uint32_t serial, const struct notify_target *to)
{
	struct name z = parsed(zone);
	struct soa soa = soa_of("ns1.example.", "hostmaster.example.", serial);
	const struct notify_news news = { .zone = z.oct, .soa = soa.bytes, .soa_len = soa.len, .soa_ttl = 3600 };
	return notifier_add(w->n, &w->now, &news, to);
}

static inline void
add(struct world *w, const char *zone, uint32_t serial, uint8_t last_octet)
{
	const struct notify_target to = target(last_octet);
	assert_int_equal(add_to(w, zone, serial, &to), OK);
	assert_balance(w);
}

static inline void
add_many(struct world *w, unsigned zones, uint8_t last_octet)
{
	char zone[32];
	for (unsigned i = 0; i < zones; i++) {
		snprintf(zone, sizeof zone, "z%05u.example.", i);
		add(w, zone, 1, last_octet);
	}
}

static inline const struct sent *
last(const struct world *w)
{
	assert_true(w->sent_n != 0);
	return &w->sent[w->sent_n - 1];
}

static inline struct msg
message(const struct sent *s)
{
	struct msg m;
	assert_int_equal(msg_parse(s->bytes, s->len, &m), OK);
	return m;
}

static inline bool
is_for(const struct sent *s, const char *zone)
{
	struct msg m = message(s);
	return name_is_equal(m.qname.oct, parsed(zone).oct);
}

/* ---- answers ---- */

struct answer {
	size_t len;
	uint8_t bytes[2048];
};

/* Header and question of the request, as an answer. */
static inline struct answer
plain_answer(const struct sent *s, unsigned rcode)
{
	struct msg m = message(s);
	struct answer a = { .len = m.question_end };
	memcpy(a.bytes, s->bytes, a.len);
	a.bytes[2] |= 0x80;
	a.bytes[3] = (uint8_t)rcode;
	memset(a.bytes + 6, 0, 6);
	return a;
}

static inline struct answer
signed_answer(const struct sent *s, unsigned rcode, const struct tsig_key *key, uint64_t now_s)
{
	struct msg m = message(s);
	struct tsig t;
	assert_int_equal(tsig_verify_request(&t, &m, key, now_s), OK);
	struct answer a = plain_answer(s, rcode);
	assert_int_equal(tsig_sign_response(&t, a.bytes, &a.len, sizeof a.bytes, now_s), OK);
	return a;
}

/* From where the request went. */
static inline void
deliver(struct world *w, const struct sent *s, const struct answer *a)
{
	uint8_t *exact = xalloc(a->len);
	memcpy(exact, a->bytes, a->len);
	switch (s->transport) {
	case NOTIFY_OVER_TCP:
		notifier_exchange_input(w->n, &w->now, s->exchange, exact, a->len);
		break;
	case NOTIFY_OVER_UDP:
		notifier_datagram(w->n, &w->now, &s->to, exact, a->len);
		break;
	default:
		notifier_conn_input(w->n, &w->now, s->to.conn, exact, a->len);
	}
	free(exact);
	assert_balance(w);
}

static inline void
answer(struct world *w, const struct sent *s, unsigned rcode)
{
	struct answer a = plain_answer(s, rcode);
	deliver(w, s, &a);
}

/* Nobody listens. */
static inline void
refuse_tcp(struct world *w, unsigned exchange)
{
	assert_true(w->is_open[exchange]);
	w->is_open[exchange] = false;
	w->closed++;
	notifier_exchange_closed(w->n, &w->now, exchange);
	assert_balance(w);
}
