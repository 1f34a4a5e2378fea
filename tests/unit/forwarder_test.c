/* Updates on their way to primaries: the network is a record of what was sent, and the test answers. */
#include "auth/forwarder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/forward.h"
#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "signing.h"

#define KEY "k._update.example:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define S NOW_SECOND_NS

enum { NOW_S = 1700000000, WIRE_MAX = 512, PRIMARIES = 20, ID = 0x1234 };

struct update {
	uint8_t wire[WIRE_MAX];
	size_t len;
	unsigned answers, failures;
	uint8_t answer[WIRE_MAX];
	size_t answer_len;
	bool may_have_arrived;
	char why[100];
	const struct follow_source *from;
};

struct line {
	const struct follow_source *to; /* NULL: not open */
	uint8_t sent[300][2];           /* ids */
	unsigned sent_n;
	uint8_t last[WIRE_MAX];
	size_t last_len;
};

struct world {
	struct forwarder *f;
	struct now now;
	struct follow_source primary[PRIMARIES];
	struct line line[FORWARDER_LINKS_MAX];
	unsigned opened;
	bool is_full;     /* send() takes nothing */
	bool cannot_open;
	uint32_t random;
};

static bool
on_open(void *ctx, unsigned link, const struct follow_source *to)
{
	struct world *w = ctx;
	assert_true(link < FORWARDER_LINKS_MAX && w->line[link].to == NULL);
	if (w->cannot_open) {
		return false;
	}
	w->line[link] = (struct line){ .to = to };
	w->opened++;
	return true;
}

static bool
on_send(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	struct line *l = &w->line[link];
	assert_true(l->to != NULL && l->sent_n < ARRAY_LEN(l->sent));
	if (w->is_full) {
		return false;
	}
	memcpy(l->sent[l->sent_n++], bytes, 2);
	memcpy(l->last, bytes, len);
	l->last_len = len;
	return true;
}

static void
on_close(void *ctx, unsigned link)
{
	struct world *w = ctx;
	assert_non_null(w->line[link].to);
	w->line[link].to = NULL;
}

static void
on_answer(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len)
{
	struct update *u = handle;
	(void)ctx;
	u->answers++;
	u->from = from;
	memcpy(u->answer, bytes, len);
	u->answer_len = len;
}

static void
on_fail(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why)
{
	struct update *u = handle;
	(void)ctx;
	u->failures++;
	u->from = from;
	u->may_have_arrived = may_have_arrived;
	(void)snprintf(u->why, sizeof u->why, "%s", why);
}

static uint32_t
next_random(void *ctx)
{
	struct world *w = ctx;
	return w->random;
}

static void
set_up(struct world *w)
{
	const struct forwarder_io io = { .open = on_open, .send = on_send, .close = on_close, .answer = on_answer, .fail = on_fail,
		                         .random_u32 = next_random, .ctx = w };
	*w = (struct world){ .now = { .mono_ns = S, .wall_s = NOW_S }, .random = 7 };
	for (unsigned i = 0; i < PRIMARIES; i++) {
		w->primary[i] = (struct follow_source){ .address = { 4, { 192, 0, 2, (uint8_t)i } }, .port = 53 };
	}
	w->f = forwarder_new(&io);
}

static void
tear_down(struct world *w)
{
	forwarder_free(&w->f);
}

/* ---- updates and answers ---- */

static struct update
make(uint16_t id)
{
	struct update u = { 0 };
	struct buf b = buf_over(u.wire, WIRE_MAX);
	buf_u16(&b, id);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u32(&b, 0);
	buf_put(&b, "\7example", 9);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	u.len = sign_request(KEY, NOW_S, u.wire, b.len, WIRE_MAX);
	return u;
}

static void
add(struct world *w, struct update *u, unsigned first, unsigned n)
{
	struct forward_update f = { .bytes = u->wire, .len = u->len, .to_n = n, .handle = u };
	for (unsigned i = 0; i < n; i++) {
		f.to[i] = &w->primary[first + i];
	}
	forwarder_add(w->f, &w->now, &f);
}

/* The line that leads to a primary. */
static unsigned
line_to(const struct world *w, unsigned primary)
{
	for (unsigned i = 0; i < FORWARDER_LINKS_MAX; i++) {
		if (w->line[i].to == &w->primary[primary]) {
			return i;
		}
	}
	fail_msg("no line to primary %u", primary);
	return 0;
}

static void
connect_to(struct world *w, unsigned primary)
{
	forwarder_connected(w->f, &w->now, line_to(w, primary));
}

static void
end_of(struct world *w, unsigned primary)
{
	unsigned link = line_to(w, primary);
	w->line[link].to = NULL;
	forwarder_closed(w->f, &w->now, link, "refused");
}

/* Answers the nth update that was sent there. */
static void
answer(struct world *w, unsigned primary, unsigned nth, unsigned rcode, bool is_signed)
{
	uint8_t wire[WIRE_MAX] = { 0 };
	unsigned link = line_to(w, primary);
	struct update like = make(0);
	memcpy(wire, like.wire, like.len);
	memcpy(wire, w->line[link].sent[nth], 2);
	wire[2] |= 0x80;
	wire[3] = (uint8_t)rcode;
	if (!is_signed) {
		wire[11] = 0;
	}
	forwarder_input(w->f, &w->now, link, wire, is_signed ? like.len : 25);
}

static void
pass(struct world *w, uint64_t s)
{
	uint64_t until = w->now.mono_ns + s * S;
	while (forwarder_deadline(w->f) <= until) {
		w->now.mono_ns = forwarder_deadline(w->f);
		forwarder_timer(w->f, &w->now);
	}
	w->now.mono_ns = until;
}

/* The update is on its way to primary 0, the first of `n`. */
static void
begin_with(struct world *w, struct update *u, unsigned n)
{
	set_up(w);
	add(w, u, 0, n);
	connect_to(w, 0);
}

/* ---- tests ---- */

static void
an_update_is_passed_on_and_answered(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(ID);
	set_up(&w);
	add(&w, &u, 0, 2);
	assert_int_equal(w.line[0].sent_n, 0);
	connect_to(&w, 0);
	assert_int_equal(w.line[0].sent_n, 1);
	assert_int_equal(w.line[0].last_len, u.len);
	assert_memory_equal(w.line[0].last + 2, u.wire + 2, u.len - 2);
	assert_memory_not_equal(w.line[0].last, u.wire, 2);
	assert_true(forward_is_passed(w.line[0].last, u.len));
	assert_false(forward_is_passed(u.wire, u.len));
	answer(&w, 0, 0, RCODE_NXRRSET, true);
	assert_int_equal(u.answers, 1);
	assert_int_equal(u.failures, 0);
	assert_memory_equal(u.answer, u.wire, 2);
	assert_int_equal(u.answer[3], RCODE_NXRRSET);
	assert_ptr_equal(u.from, &w.primary[0]);
	answer(&w, 0, 0, RCODE_NXRRSET, true); /* once more */
	assert_int_equal(u.answers, 1);
	assert_int_equal(w.opened, 1);
	pass(&w, FORWARDER_IDLE_S + 1);
	assert_null(w.line[0].to);
	assert_true(forwarder_deadline(w.f) == NOW_NEVER);
	tear_down(&w);
}

/* The next one would be the client's. */
static void
the_original_id_is_never_used(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(ID), passed = make(ID);
	set_up(&w);
	w.random = ID - 1;
	passed.wire[0] ^= 0xFF;
	add(&w, &u, 0, 1);
	add(&w, &passed, 1, 1);
	connect_to(&w, 0);
	connect_to(&w, 1);
	assert_true(forward_is_passed(w.line[0].last, u.len));
	assert_true(forward_is_passed(w.line[1].last, u.len));
	answer(&w, 1, 0, RCODE_NOERROR, true);
	assert_memory_equal(passed.answer, passed.wire, 2); /* to the forwarder, with its own */
	tear_down(&w);
}

static void
answers_come_in_any_order(void **state)
{
	(void)state;
	struct world w;
	struct update u[3] = { make(1), make(1), make(2) };
	set_up(&w);
	add(&w, &u[0], 0, 1);
	connect_to(&w, 0);
	add(&w, &u[1], 0, 1);
	add(&w, &u[2], 0, 1);
	assert_int_equal(w.opened, 1);
	answer(&w, 0, 2, RCODE_REFUSED, true);
	answer(&w, 0, 0, RCODE_NOERROR, true);
	answer(&w, 0, 1, RCODE_NXDOMAIN, true);
	assert_int_equal(u[0].answer[3], RCODE_NOERROR);
	assert_int_equal(u[1].answer[3], RCODE_NXDOMAIN);
	assert_int_equal(u[2].answer[3], RCODE_REFUSED);
	tear_down(&w);
}

static void
a_primary_that_cannot_be_reached_is_passed_over(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(ID);
	set_up(&w);
	add(&w, &u, 0, 3);
	end_of(&w, 0);
	pass(&w, FORWARDER_CONNECT_S); /* the second one is silent */
	connect_to(&w, 2);
	answer(&w, 2, 0, RCODE_NOERROR, true);
	assert_int_equal(u.answers, 1);
	assert_ptr_equal(u.from, &w.primary[2]);

	struct update v = make(ID);
	add(&w, &v, 0, 2);
	end_of(&w, 0);
	end_of(&w, 1);
	assert_int_equal(v.failures, 1);
	assert_false(v.may_have_arrived);
	assert_string_equal(v.why, "refused");

	struct update x = make(ID);
	w.cannot_open = true;
	add(&w, &x, 3, 1);
	assert_int_equal(x.failures, 1);
	add(&w, &x, 0, 0);
	assert_int_equal(x.failures, 2);
	assert_null(x.from);
	tear_down(&w);
}

static void
what_may_have_arrived_is_not_sent_elsewhere(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(ID), v = make(ID), other = make(ID + 1);
	begin_with(&w, &u, 2);
	end_of(&w, 0);
	assert_int_equal(u.failures, 1);
	assert_true(u.may_have_arrived);
	add(&w, &v, 0, 2);
	connect_to(&w, 0);
	add(&w, &other, 0, 2);
	answer(&w, 0, 1, RCODE_NOERROR, true);
	pass(&w, FORWARDER_ANSWER_S);
	assert_int_equal(v.failures, 1);
	assert_true(v.may_have_arrived);
	assert_int_equal(w.opened, 2);
	answer(&w, 0, 0, RCODE_NOERROR, true); /* too late */
	assert_int_equal(v.answers, 0);
	tear_down(&w);
}

/* The host of the primary is gone, and nothing says so: the next update goes over a new link, or to another primary. */
static void
a_link_that_brings_nothing_is_closed(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(ID), v = make(ID + 1);
	begin_with(&w, &u, 2);
	pass(&w, FORWARDER_ANSWER_S - 1);
	add(&w, &v, 0, 2);
	pass(&w, 1);
	assert_int_equal(u.failures, 1);
	assert_int_equal(v.failures, 1);
	struct update later = make(ID + 2);
	add(&w, &later, 0, 2);
	assert_int_equal(w.opened, 2);
	pass(&w, FORWARDER_CONNECT_S);
	connect_to(&w, 1);
	answer(&w, 1, 0, RCODE_NOERROR, true);
	assert_int_equal(later.answers, 1);
	tear_down(&w);
}

/* It may have been closed for want of work, just then. */
static void
a_link_that_was_good_is_made_again(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(1), v = make(2);
	begin_with(&w, &u, 2);
	answer(&w, 0, 0, RCODE_NOERROR, true);
	add(&w, &v, 0, 2);
	end_of(&w, 0);
	assert_int_equal(v.failures, 0);
	connect_to(&w, 0);
	answer(&w, 0, 0, RCODE_NOERROR, true);
	assert_int_equal(v.answers, 1);

	struct update x = make(3);
	add(&w, &x, 0, 2);
	end_of(&w, 0);
	end_of(&w, 0); /* the new one was not made; the update was sent over the first */
	assert_int_equal(x.failures, 1);
	assert_true(x.may_have_arrived);
	tear_down(&w);
}

/* SERVFAIL without a signature: another forwarder could not pass it on.  With one, it is the primary's own answer. */
static void
a_forwarder_that_turns_away_is_passed_over(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(1), v = make(2);
	begin_with(&w, &u, 2);
	answer(&w, 0, 0, RCODE_SERVFAIL, false);
	connect_to(&w, 1);
	answer(&w, 1, 0, RCODE_SERVFAIL, false); /* there is no other */
	assert_int_equal(u.answers, 1);
	assert_int_equal(u.answer[3], RCODE_SERVFAIL);
	add(&w, &v, 0, 2);
	answer(&w, 0, 1, RCODE_SERVFAIL, true);
	assert_int_equal(v.answers, 1);
	assert_ptr_equal(v.from, &w.primary[0]);
	tear_down(&w);
}

static void
a_primary_that_sends_garbage_is_left(void **state)
{
	(void)state;
	struct world w;
	struct update u = make(1), v = make(2);
	begin_with(&w, &u, 1);
	uint8_t query[DNS_HEADER_LEN] = { 0 };
	memcpy(query, w.line[0].sent[0], 2);
	forwarder_input(w.f, &w.now, 0, query, sizeof query); /* no response */
	query[2] = 0x80;
	forwarder_input(w.f, &w.now, 0, query, sizeof query); /* of another opcode */
	assert_int_equal(u.answers, 0);
	query[5] = 9;
	forwarder_input(w.f, &w.now, 0, query, sizeof query);
	assert_null(w.line[0].to);
	assert_int_equal(u.failures, 1);
	w.is_full = true;
	add(&w, &v, 0, 2);
	connect_to(&w, 0);
	connect_to(&w, 1);
	assert_int_equal(v.failures, 1);
	assert_false(v.may_have_arrived);
	tear_down(&w);
}

static void
limits_hold(void **state)
{
	(void)state;
	struct world w;
	static struct update u[FORWARDER_ASKS_MAX + 1];
	set_up(&w);
	for (unsigned i = 0; i <= FORWARDER_ASKS_MAX; i++) {
		u[i] = make((uint16_t)i);
		add(&w, &u[i], 0, 1);
	}
	assert_int_equal(u[FORWARDER_ASKS_MAX].failures, 1);
	assert_int_equal(u[FORWARDER_ASKS_MAX - 1].failures, 0);
	connect_to(&w, 0);
	assert_int_equal(w.line[0].sent_n, FORWARDER_ASKS_MAX);
	pass(&w, FORWARDER_ANSWER_S + FORWARDER_IDLE_S);
	for (unsigned i = 0; i <= FORWARDER_ASKS_MAX; i++) {
		assert_int_equal(u[i].failures, 1);
	}
	assert_null(w.line[0].to);
	for (unsigned i = 0; i <= FORWARDER_LINKS_MAX; i++) { /* all links have work */
		add(&w, &u[i], i, 1);
	}
	assert_int_equal(u[FORWARDER_LINKS_MAX].failures, 2);
	connect_to(&w, 0);
	answer(&w, 0, 0, RCODE_NOERROR, true); /* one has none, and is closed for another */
	add(&w, &u[100], FORWARDER_LINKS_MAX, 1);
	connect_to(&w, FORWARDER_LINKS_MAX);
	answer(&w, FORWARDER_LINKS_MAX, 0, RCODE_NOERROR, true);
	assert_int_equal(u[100].answers, 1);
	tear_down(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_is_passed_on_and_answered),
		cmocka_unit_test(the_original_id_is_never_used),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(a_primary_that_cannot_be_reached_is_passed_over),
		cmocka_unit_test(what_may_have_arrived_is_not_sent_elsewhere),
		cmocka_unit_test(a_link_that_brings_nothing_is_closed),
		cmocka_unit_test(a_link_that_was_good_is_made_again),
		cmocka_unit_test(a_forwarder_that_turns_away_is_passed_over),
		cmocka_unit_test(a_primary_that_sends_garbage_is_left),
		cmocka_unit_test(limits_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
