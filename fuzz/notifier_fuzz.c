/* NOTIFY out under anything that can happen: the input is a program of additions, answers (right, spoilt, invented),
 * ends of connections, sends that fail, and time.  After each step the counts agree; in the end, left alone,
 * everything comes to its end. */
#include "auth/notifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cur.h"
#include "dns/msg.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

enum { KEPT = 16, PENDING_MAX = 20, IN_FLIGHT_MAX = 6, STEPS_MAX = 300, ENDINGS_MAX = 100000 };

struct sent {
	enum notify_transport transport;
	unsigned exchange;
	struct notify_target to;
	size_t len;
	uint8_t bytes[NOTIFIER_MESSAGE_MAX];
};

static struct world {
	struct notifier *n;
	struct now now;
	struct sent sent[KEPT]; /* the last ones */
	unsigned sent_n;
	bool is_open[NOTIFIER_EXCHANGES_MAX];
	unsigned open_n;
	uint8_t failing;        /* a bit for each kind of sending */
	uint16_t id;
} world;

static struct tsig_key keys[2] = {
	{ .name = { 13, "\1k\11_transfer" }, .alg = HMAC_SHA256, .secret = "one", .secret_len = 16 },
	{ .name = { 13, "\1k\11_transfer" }, .alg = HMAC_SHA512, .secret = "two", .secret_len = 16 },
};

enum { FAIL_UDP = 1, FAIL_OPEN = 2, FAIL_SEND = 4, FAIL_CONN = 8 };

static bool
keep(enum notify_transport t, unsigned exchange, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct sent *s = &world.sent[world.sent_n++ % KEPT];
	struct msg m;
	ASSERT(len <= sizeof s->bytes && (t != NOTIFY_OVER_UDP || len <= DNS_UDP_PLAIN_MAX));
	*s = (struct sent){ .transport = t, .exchange = exchange, .to = *to, .len = len };
	memcpy(s->bytes, bytes, len);
	ASSERT(msg_parse(s->bytes, len, &m) == OK && msg_opcode(&m) == OPCODE_NOTIFY && m.count[0] == 1);
	return true;
}

static bool
send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	ASSERT(to->conn == 0);
	return (world.failing & FAIL_UDP) == 0 && keep(NOTIFY_OVER_UDP, 0, to, bytes, len);
}

static bool
exchange_send(void *ctx, unsigned exchange, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	ASSERT(world.is_open[exchange]);
	return (world.failing & FAIL_SEND) == 0 &&
	       keep(NOTIFY_OVER_TCP, exchange, &(struct notify_target){ 0 }, bytes, len);
}

static bool
exchange_open(void *ctx, unsigned exchange, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	ASSERT(exchange < NOTIFIER_EXCHANGES_MAX && !world.is_open[exchange] && to->conn == 0);
	if ((world.failing & FAIL_OPEN) != 0) {
		return false;
	}
	world.is_open[exchange] = true;
	world.open_n++;
	return keep(NOTIFY_OVER_TCP, exchange, to, bytes, len);
}

static void
exchange_close(void *ctx, unsigned exchange)
{
	(void)ctx;
	ASSERT(world.is_open[exchange]);
	world.is_open[exchange] = false;
	world.open_n--;
}

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	return (world.failing & FAIL_CONN) == 0 &&
	       keep(NOTIFY_OVER_CONN, 0, &(struct notify_target){ .conn = conn }, bytes, len);
}

static void
on_report(void *ctx, const struct notifier_report *r)
{
	(void)ctx;
	ASSERT(r->attempts <= NOTIFIER_ATTEMPTS_MAX && name_len(r->zone) >= 1 && r->target != NULL);
	ASSERT(r->news.zone == r->zone && (r->news.soa == NULL) == r->is_removal);
	ASSERT(r->outcome != NOTIFY_UNREACHED || (r->target->conn == 0 && r->transport != NOTIFY_OVER_CONN));
}

static uint16_t
next_id(void *ctx)
{
	(void)ctx;
	return world.id;
}

static void
add(struct cur *c)
{
	static const uint8_t soa[] = "\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	uint8_t what = cur_u8(c), whom = cur_u8(c), zone[] = { 1, (uint8_t)('a' + what % 8), 0 };
	struct notify_target to = { .port = NOTIFY_PORT };
	if (whom % 3 == 0) {
		to.conn = 1 + whom % 4;
	} else {
		to.address.family = whom % 2 == 0 ? 4 : 6;
		to.address.octets[3] = whom >> 1 & 3;
	}
	to.key = whom >> 6 < 2 ? &keys[whom >> 6] : NULL;
	struct notify_news news = { .zone = zone, .soa = (what & 8) == 0 ? soa : NULL, .soa_len = sizeof soa - 1 };
	err_t err = notifier_add(world.n, &world.now, &news, &to);
	ASSERT(err == OK || err == E_LIMIT);
}

static void
deliver(const struct sent *s, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = xalloc(len);
	memcpy(exact, bytes, len);
	if (s->transport == NOTIFY_OVER_TCP) {
		notifier_exchange_input(world.n, &world.now, s->exchange, exact, len);
	} else if (s->transport == NOTIFY_OVER_UDP) {
		notifier_datagram(world.n, &world.now, &s->to, exact, len);
	} else {
		notifier_conn_input(world.n, &world.now, s->to.conn, exact, len);
	}
	free(exact);
}

/* An answer to one of the last messages; `spoil`: one octet of it is changed. */
static void
answer(struct cur *c, bool spoil)
{
	uint8_t which = cur_u8(c), rcode = cur_u8(c) & 15, at = spoil ? cur_u8(c) : 0, flip = spoil ? cur_u8(c) : 0;
	const struct sent *s = &world.sent[which % KEPT];
	uint8_t bytes[DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + TSIG_RR_MAX];
	struct msg m;
	struct tsig t;
	if (s->len == 0 || msg_parse(s->bytes, s->len, &m) != OK) {
		return;
	}
	size_t len = m.question_end;
	memcpy(bytes, s->bytes, len);
	bytes[2] |= 0x80;
	bytes[3] = rcode;
	memset(bytes + 6, 0, 6);
	for (size_t k = 0; m.has_tsig && k < ARRAY_LEN(keys); k++) {
		if (tsig_verify_request(&t, &m, &keys[k], world.now.wall_s) == OK) {
			ASSERT(tsig_sign_response(&t, bytes, &len, sizeof bytes, world.now.wall_s) == OK);
			break;
		}
	}
	if (at < len) {
		bytes[at] ^= flip;
	}
	deliver(s, bytes, len);
}

static void
invented(struct cur *c)
{
	uint8_t how = cur_u8(c), len = cur_u8(c);
	const struct sent s = { .transport = how % NOTIFY_TRANSPORTS, .exchange = how / 3u % 8,
		                .to = { .address = { 4, { 0, 0, 0, how & 3 } }, .port = NOTIFY_PORT,
		                        .conn = how % NOTIFY_TRANSPORTS == NOTIFY_OVER_CONN ? 1 + how % 4 : 0 } };
	len = len < cur_left(c) ? len : (uint8_t)cur_left(c);
	const uint8_t *bytes = cur_take(c, len);
	if (bytes != NULL) {
		deliver(&s, bytes, len);
	}
}

static void
close_exchange(unsigned exchange)
{
	if (world.is_open[exchange]) {
		exchange_close(NULL, exchange);
		notifier_exchange_closed(world.n, &world.now, exchange);
	}
}

static void
advance(uint64_t ns)
{
	world.now.mono_ns += ns;
	world.now.wall_s += ns / S;
	notifier_timer(world.n, &world.now);
	ASSERT(notifier_deadline(world.n) > world.now.mono_ns); /* nothing is left that was due */
}

static void
advance_to_deadline(void)
{
	uint64_t at = notifier_deadline(world.n);
	if (at != NOW_NEVER) {
		advance(at > world.now.mono_ns ? at - world.now.mono_ns : 0);
	}
}

static void
check(void)
{
	const struct notifier_stats *s = notifier_stats(world.n);
	uint64_t ended = s->replaced;
	for (unsigned o = NOTIFY_ACKNOWLEDGED; o <= NOTIFY_LOST; o++) {
		ended += s->outcomes[o];
	}
	ASSERT(s->added == ended + s->pending && s->pending <= PENDING_MAX);
	ASSERT(s->in_flight <= s->pending && s->doubted <= s->in_flight && s->in_flight - s->doubted <= IN_FLIGHT_MAX);
	ASSERT(s->exchanges == world.open_n && s->exchanges <= s->in_flight);
	ASSERT((notifier_deadline(world.n) == NOW_NEVER) == (s->pending == 0));
}

static void
step(struct cur *c)
{
	uint8_t what = cur_u8(c);
	switch (what % 10) {
	case 0:
	case 1:
		add(c);
		break;
	case 2:
		answer(c, false);
		break;
	case 3:
		answer(c, true);
		break;
	case 4:
		invented(c);
		break;
	case 5:
		close_exchange(what / 10u % 8);
		break;
	case 6:
		notifier_conn_closed(world.n, &world.now, 1 + what / 10u % 4);
		break;
	case 7:
		advance_to_deadline();
		break;
	case 8:
		advance((uint64_t)cur_u16(c) * cur_u16(c) * MS);
		break;
	default:
		world.failing = cur_u8(c) & cur_u8(c);
		world.id = what;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct notifier_conf conf = {
		.pending_max = PENDING_MAX, .in_flight_max = IN_FLIGHT_MAX,
		.io = { send_udp, exchange_open, exchange_send, exchange_close, send_over, on_report, next_id, NULL },
	};
	struct cur c = cur_over(data, size);
	memset(&world, 0, sizeof world);
	world.now = (struct now){ .mono_ns = 1, .wall_s = 1700000000 };
	world.n = notifier_new(&conf);
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) != 0; i++) {
		step(&c);
		check();
	}
	if (size % 2 == 0) { /* else they are freed as they are */
		for (unsigned i = 0; notifier_stats(world.n)->pending != 0; i++) {
			ASSERT(i < ENDINGS_MAX);
			advance_to_deadline();
			check();
		}
	}
	notifier_free(&world.n);
	return 0;
}
