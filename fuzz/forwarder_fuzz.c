/* Updates that are passed on, under anything that can happen: the input is a program of updates, answers (right, invented, of another
 * forwarder), ends of links, links that cannot be made, and time.
 *
 * What must hold: each update ends once, by the answer to it or by a failure, within FORWARDER_ANSWER_S; it is sent as it is, but for its
 * ID; and what may have arrived at one primary is sent to no other.  In the end nothing is left: no link, no timer, no memory. */
#include "auth/forwarder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cur.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"
#include "dns/wire.h"

enum {
	STEPS_MAX = 400, UPDATES_MAX = 1200, BURST = 64, PRIMARIES = 20, WIRE_MAX = 256, SENT_MAX = 512, WALL_S = 1700000000,
	ENDINGS_MAX = 2000,
};

#define MS (NOW_SECOND_NS / 1000)

struct update {
	uint8_t wire[WIRE_MAX];
	size_t len;
	uint16_t original_id;
	const struct follow_source *to[FORWARDER_PRIMARIES_MAX];
	uint64_t begun_ns;
	bool is_over;
	const struct follow_source *at; /* where it may have arrived; NULL: nowhere */
	unsigned sent;                  /* times, to that one */
};

/* A message on a link that was not answered. */
struct sent {
	struct update *update;
	uint16_t id;
};

struct line {
	const struct follow_source *to; /* NULL: it is not open */
	bool is_connected;
	struct sent sent[SENT_MAX];
	unsigned sent_n;
};

static struct follow_source primaries[PRIMARIES];
static struct tsig_key key = { .name = { 3, "\1k" }, .alg = HMAC_SHA256, .secret = "one", .secret_len = 16 };

static struct world {
	struct forwarder *f;
	struct now now;
	struct update *updates[UPDATES_MAX]; /* owned */
	unsigned updates_n, pending;
	struct line line[FORWARDER_LINKS_MAX];
	unsigned failing;
	uint32_t random;
	const uint8_t *answer;               /* that is delivered */
	size_t answer_len;
} w;

enum { FAIL_OPEN = 1, FAIL_SEND = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what the forwarder does ---- */

static bool
on_open(void *ctx, unsigned link, const struct follow_source *to)
{
	(void)ctx;
	ASSERT(link < FORWARDER_LINKS_MAX && w.line[link].to == NULL);
	if ((w.failing & FAIL_OPEN) != 0) {
		return false;
	}
	for (unsigned i = 0; i < FORWARDER_LINKS_MAX; i++) {
		ASSERT(w.line[i].to != to); /* one is enough */
	}
	w.line[link].to = to;
	w.line[link].is_connected = false;
	w.line[link].sent_n = 0;
	return true;
}

static void
on_close(void *ctx, unsigned link)
{
	(void)ctx;
	ASSERT(w.line[link].to != NULL);
	w.line[link].to = NULL;
}

/* The update's number is in its question. */
static struct update *
update_in(const uint8_t *bytes, size_t len)
{
	ASSERT(len > DNS_HEADER_LEN + 3);
	unsigned number = (unsigned)(bytes[DNS_HEADER_LEN + 1] << 8 | bytes[DNS_HEADER_LEN + 2]);
	ASSERT(number < w.updates_n);
	return w.updates[number];
}

static bool
is_among(const struct update *u, const struct follow_source *s)
{
	size_t i = 0;
	while (i < FORWARDER_PRIMARIES_MAX && u->to[i] != s) {
		i++;
	}
	return i < FORWARDER_PRIMARIES_MAX;
}

static bool
on_send(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	struct line *l = &w.line[link];
	struct update *u = update_in(bytes, len);
	uint16_t id = (uint16_t)(bytes[0] << 8 | bytes[1]);
	ASSERT(l->to != NULL && l->is_connected && !u->is_over && is_among(u, l->to));
	ASSERT(len == u->len && memcmp(bytes + 2, u->wire + 2, len - 2) == 0 && id != u->original_id);
	for (unsigned i = 0; i < l->sent_n; i++) {
		ASSERT(l->sent[i].id != id);
	}
	if ((w.failing & FAIL_SEND) != 0 || l->sent_n == SENT_MAX) {
		return false;
	}
	ASSERT(u->at == NULL || u->at == l->to);
	u->at = l->to;
	ASSERT(++u->sent <= 2);
	l->sent[l->sent_n++] = (struct sent){ u, id };
	return true;
}

static void
end(struct update *u)
{
	ASSERT(!u->is_over);
	u->is_over = true;
	w.pending--;
}

static void
on_answer(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	struct update *u = handle;
	ASSERT(w.answer != NULL && len == w.answer_len && memcmp(bytes, u->wire, 2) == 0 && memcmp(bytes + 2, w.answer + 2, len - 2) == 0);
	ASSERT(u->at == from);
	end(u);
}

static void
on_fail(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why)
{
	(void)ctx;
	struct update *u = handle;
	ASSERT(why != NULL && why[0] != '\0' && (from == NULL || is_among(u, from)));
	ASSERT(may_have_arrived == (u->at != NULL) && (u->at == NULL || u->at == from));
	end(u);
}

static uint32_t
next_random(void *ctx)
{
	(void)ctx;
	w.random = w.random * 1664525 + 1013904223;
	return w.random >> 8;
}

/* ---- what must hold ---- */

static void
check(void)
{
	unsigned pending = 0;
	for (unsigned i = 0; i < w.updates_n; i++) {
		const struct update *u = w.updates[i];
		pending += !u->is_over;
		ASSERT(u->is_over || w.now.mono_ns - u->begun_ns < FORWARDER_ANSWER_S * NOW_SECOND_NS);
	}
	ASSERT(pending == w.pending && pending <= FORWARDER_ASKS_MAX);
	ASSERT(pending == 0 || forwarder_deadline(w.f) != NOW_NEVER);
}

/* ---- steps ---- */

static void
write_update(struct update *u, unsigned number, uint16_t id, bool is_signed, bool is_passed)
{
	struct buf b = buf_over(u->wire, sizeof u->wire);
	struct tsig t = { .key = &key };
	buf_u16(&b, id);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u32(&b, 0);
	buf_u8(&b, 2);
	buf_u16(&b, (uint16_t)number);
	buf_u8(&b, 0);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	u->len = b.len;
	u->original_id = id;
	if (is_signed) {
		ASSERT(b.err == OK && tsig_sign_request(&t, u->wire, &u->len, sizeof u->wire, WALL_S) == OK);
		u->wire[1] ^= is_passed; /* another forwarder has changed it */
	}
}

static void
add(uint8_t how, uint8_t to, uint16_t id)
{
	struct forward_update f = { .to_n = how % (FORWARDER_PRIMARIES_MAX + 1) };
	if (w.updates_n == UPDATES_MAX) {
		return;
	}
	struct update *u = w.updates[w.updates_n] = xalloc(sizeof *u);
	for (size_t i = 0; i < f.to_n; i++) {
		f.to[i] = u->to[i] = &primaries[(to + i * (1 + how / 64 % 2)) % PRIMARIES];
	}
	u->begun_ns = w.now.mono_ns;
	write_update(u, w.updates_n++, id, (how & 16) != 0, (how & 32) != 0);
	w.pending++;
	f.bytes = u->wire;
	f.len = u->len;
	f.handle = u;
	forwarder_add(w.f, &w.now, &f);
}

static void
connected(struct line *l)
{
	if (l->to != NULL && !l->is_connected) {
		l->is_connected = true;
		forwarder_connected(w.f, &w.now, (unsigned)(l - w.line));
	}
}

static void
closed(struct line *l)
{
	if (l->to != NULL) {
		l->to = NULL;
		forwarder_closed(w.f, &w.now, (unsigned)(l - w.line), "closed");
	}
}

static void
deliver(struct line *l, const uint8_t *bytes, size_t len)
{
	uint8_t *exact = xalloc(len + 1);
	if (len != 0) {
		memcpy(exact, bytes, len);
	}
	w.answer = exact;
	w.answer_len = len;
	forwarder_input(w.f, &w.now, (unsigned)(l - w.line), exact, len);
	w.answer = NULL;
	free(exact);
}

/* An answer to the `i`th message that waits there. */
static void
answer(struct line *l, unsigned i, unsigned rcode, bool is_signed)
{
	uint8_t bytes[WIRE_MAX];
	struct buf b = buf_over(bytes, sizeof bytes);
	struct tsig t = { .key = &key };
	struct sent s = l->sent[i];
	size_t len = DNS_HEADER_LEN;
	buf_u16(&b, s.id);
	buf_u16(&b, (uint16_t)(DNS_QR | OPCODE_UPDATE << 11 | rcode));
	buf_u32(&b, 0);
	buf_u32(&b, 0);
	ASSERT(b.err == OK && (!is_signed || tsig_sign_request(&t, bytes, &len, sizeof bytes, WALL_S) == OK));
	l->sent[i] = l->sent[--l->sent_n];
	bool is_late = s.update->is_over, may_be_passed_over = rcode == RCODE_SERVFAIL && !is_signed;
	const struct follow_source *last = s.update->at;
	if (may_be_passed_over && !is_late) { /* it says that it has not arrived anywhere */
		bool has_next = s.update->to[FORWARDER_PRIMARIES_MAX - 1] != last;
		for (size_t k = 0; k + 1 < FORWARDER_PRIMARIES_MAX && has_next; k++) {
			has_next = s.update->to[k] != last || s.update->to[k + 1] != NULL;
		}
		if (has_next) {
			s.update->at = NULL;
			s.update->sent = 0;
		}
	}
	deliver(l, bytes, len);
	ASSERT(is_late || may_be_passed_over || s.update->is_over);
}

static void
garbage(struct line *l, struct cur *c)
{
	size_t len = cur_u8(c);
	len = len < cur_left(c) ? len : cur_left(c);
	const uint8_t *bytes = cur_take(c, len);
	bool is_answer = len >= DNS_HEADER_LEN && (bytes[2] & 0xF8) == 0xA8; /* it might have the ID of one that waits */
	if (l->to != NULL && l->is_connected && !is_answer) {
		deliver(l, bytes, len);
	}
}

static void
advance(uint64_t ns)
{
	w.now.mono_ns += ns;
	w.now.wall_s = WALL_S + w.now.mono_ns / NOW_SECOND_NS;
	forwarder_timer(w.f, &w.now);
	ASSERT(forwarder_deadline(w.f) > w.now.mono_ns);
}

static void
advance_to_deadline(void)
{
	uint64_t at = forwarder_deadline(w.f);
	if (at != NOW_NEVER) {
		advance(at > w.now.mono_ns ? at - w.now.mono_ns : 0);
	}
}

static void
answer_one(struct line *l, struct cur *c)
{
	uint8_t which = cur_u8(c), how = cur_u8(c);
	if (l->to != NULL && l->is_connected && l->sent_n != 0) {
		answer(l, which % l->sent_n, how % 16, (how & 16) != 0);
	}
}

static void
burst(uint8_t how, uint8_t to)
{
	for (unsigned i = 0; i < BURST; i++) {
		add(how, (uint8_t)(to + i), (uint16_t)i);
	}
}

static void
all_well(void)
{
	for (unsigned i = 0; i < FORWARDER_LINKS_MAX; i++) {
		connected(&w.line[i]);
		while (w.line[i].to != NULL && w.line[i].sent_n != 0) {
			answer(&w.line[i], 0, RCODE_NOERROR, true);
		}
	}
}

static void
step(struct cur *c)
{
	uint8_t what = cur_u8(c), how = cur_u8(c);
	struct line *l = &w.line[how % FORWARDER_LINKS_MAX];
	switch (what % 10) {
	case 0:
	case 1:
		add(how, cur_u8(c), cur_u16(c));
		break;
	case 2:
		burst(how, cur_u8(c));
		break;
	case 3:
		connected(l);
		break;
	case 4:
		closed(l);
		break;
	case 5:
		answer_one(l, c);
		break;
	case 6:
		garbage(l, c);
		break;
	case 7:
		advance_to_deadline();
		break;
	case 8:
		how == UINT8_MAX ? all_well() : advance((uint64_t)how * how * MS);
		break;
	default:
		w.failing = how & 3;
	}
}

/* ---- all ---- */

static void
begin(void)
{
	const struct forwarder_io io = { .open = on_open, .send = on_send, .close = on_close, .answer = on_answer, .fail = on_fail,
		                         .random_u32 = next_random };
	memset(&w, 0, sizeof w);
	w.now = (struct now){ .mono_ns = NOW_SECOND_NS, .wall_s = WALL_S };
	for (unsigned i = 0; i < PRIMARIES; i++) {
		primaries[i] = (struct follow_source){ .address = { 4, { 192, 0, 2, (uint8_t)i } }, .port = 53 };
	}
	w.f = forwarder_new(&io);
}

static void
end_well(void)
{
	w.failing = 0;
	for (unsigned i = 0; forwarder_deadline(w.f) != NOW_NEVER; i++) {
		ASSERT(i < ENDINGS_MAX);
		advance_to_deadline();
		check();
	}
	ASSERT(w.pending == 0);
	for (unsigned i = 0; i < FORWARDER_LINKS_MAX; i++) {
		ASSERT(w.line[i].to == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	begin();
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) != 0; i++) {
		step(&c);
		check();
	}
	if (size % 2 == 0) { /* else it ends as it is */
		end_well();
	}
	forwarder_free(&w.f);
	for (unsigned i = 0; i < w.updates_n; i++) {
		free(w.updates[i]);
	}
	return 0;
}
