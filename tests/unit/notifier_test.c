/* NOTIFY out: when, over what, to whom first, and how many at a time. */
#include "notifier_world.h"

/* ---- the schedule ---- */

static const uint64_t attempts_at_s[NOTIFIER_ATTEMPTS_MAX] = { 0, 1, 2, 3, 7, 20, 40, 60, 180, 600, 1500, 3600, 86400 };

static void
the_schedule_to_the_second(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	uint64_t begun_ns = w.now.mono_ns;
	add(&w, "a.example.", 1, 1);
	size_t attempt = 0;
	for (size_t seen = 0; notifier_stats(w.n)->pending != 0;) {
		for (; seen < w.sent_n; seen++) {
			const struct sent *s = &w.sent[seen];
			uint64_t want_ns = begun_ns + attempts_at_s[attempt] * S;
			if (s->transport == NOTIFY_OVER_TCP) {
				assert_true(attempt < NOTIFIER_ATTEMPTS_MAX);
				assert_int_equal(s->at_ns, want_ns);
			} else { /* of the same attempt, within the second */
				assert_int_equal(s->at_ns, want_ns + (attempt < 3 ? 600 * MS : attempt == 3 ? 2400 * MS : 3000 * MS));
				attempt++;
			}
		}
		if (attempt == 8 && w.now.mono_ns > begun_ns + 65 * S) {
			assert_int_equal(w.reports[NOTIFY_UNANSWERED], 1);
		}
		assert_true(step(&w, begun_ns + 90000 * S));
	}
	assert_int_equal(attempt, NOTIFIER_ATTEMPTS_MAX);
	assert_int_equal(w.now.mono_ns, begun_ns + 86405 * S);
	assert_int_equal(w.reports[NOTIFY_GAVE_UP], 1);
	assert_int_equal(w.reports[NOTIFY_UNANSWERED], 1);
	assert_int_equal(w.last.attempts, NOTIFIER_ATTEMPTS_MAX);
	assert_int_equal(notifier_deadline(w.n), NOW_NEVER);
	end(&w);
}

/* What cannot even be sent waits for its next turn just as well. */
static void
without_a_network_the_schedule_is_the_same(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	uint64_t begun_ns = w.now.mono_ns;
	w.no_tcp = w.no_udp = true;
	add(&w, "a.example.", 1, 1);
	for (size_t i = 1; i < NOTIFIER_ATTEMPTS_MAX; i++) {
		assert_int_equal(notifier_deadline(w.n), begun_ns + attempts_at_s[i] * S);
		assert_true(step(&w, UINT64_MAX - 1));
	}
	assert_int_equal(w.reports[NOTIFY_GAVE_UP], 1);
	assert_int_equal(w.sent_n, 0);
	assert_int_equal(notifier_stats(w.n)->not_sent, 2 * NOTIFIER_ATTEMPTS_MAX);
	end(&w);
}

/* The machine was suspended: each wait that is over leads to one attempt, not to a burst. */
static void
late_timers_do_not_burst(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	advance(&w, 5000 * S);
	assert_int_equal(w.sent_n, 2);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	advance(&w, 300 * MS);
	assert_int_equal(w.sent_n, 2); /* its answer is still waited for */
	advance(&w, 100 * MS);
	assert_int_equal(w.sent_n, 3);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_TCP);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.attempts, 2);
	end(&w);
}

static void
a_newer_version_begins_anew(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	while (step(&w, w.now.mono_ns + 100 * S)) {
	}
	assert_true(w.sent_n >= 16);
	size_t before = w.sent_n;
	add(&w, "A.Example.", 2, 1);
	assert_int_equal(notifier_stats(w.n)->pending, 1);
	assert_int_equal(notifier_stats(w.n)->replaced, 1);
	assert_int_equal(w.sent_n, before + 1);
	assert_int_equal(last(&w)->at_ns, w.now.mono_ns);
	advance(&w, 600 * MS);
	advance(&w, 400 * MS);
	assert_int_equal(w.sent_n, before + 3); /* after a second, not after two minutes */
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.serial, 2);
	assert_int_equal(w.last.attempts, 2);
	end(&w);
}

/* After three attempts it is said, once, that its address does not lead to it; of a newer version at once. */
static void
unreached_is_said(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 7, 1);
	advance(&w, 600 * MS);
	while (w.now.mono_ns < 1003 * S) {
		assert_int_equal(w.reports[NOTIFY_UNREACHED], 0);
		assert_true(step(&w, 1010 * S));
	}
	assert_int_equal(w.now.mono_ns, 1003 * S);
	assert_int_equal(w.reports[NOTIFY_UNREACHED], 1);
	while (step(&w, 1100 * S)) {
	}
	assert_int_equal(w.reports[NOTIFY_UNREACHED], 1);
	add(&w, "a.example.", 8, 1);
	assert_int_equal(w.reports[NOTIFY_UNREACHED], 2);
	assert_int_equal(w.last.serial, 8);
	add(&w, "b.example.", 8, 1); /* nothing is known of this one yet */
	assert_int_equal(w.reports[NOTIFY_UNREACHED], 2);
	answer(&w, last(&w), RCODE_NOERROR);
	end(&w);
}

/* One that cannot just now is reached; one with a connection of its own has no address. */
static void
some_are_never_unreached(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	answer(&w, last(&w), RCODE_SERVFAIL);
	const struct notify_target conn = { .conn = 5 };
	const struct name zone = parsed("c.example.");
	const struct notify_news gone = { .zone = zone.oct };
	assert_int_equal(notifier_add(w.n, &w.now, &gone, &conn), OK);
	while (step(&w, 100000 * S)) {
	}
	assert_int_equal(w.reports[NOTIFY_UNREACHED], 0);
	assert_int_equal(w.reports[NOTIFY_GAVE_UP], 2);
	end(&w);
}

static void
the_answer_to_an_older_version_is_none(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	add(&w, "a.example.", 2, 1);
	assert_int_equal(w.sent_n, 2);
	assert_int_equal(w.opened, 1); /* the connection is used on */
	answer(&w, &w.sent[0], RCODE_NOERROR);
	assert_int_equal(notifier_stats(w.n)->unexpected, 1);
	assert_int_equal(notifier_stats(w.n)->pending, 1);
	answer(&w, &w.sent[1], RCODE_NOERROR);
	assert_int_equal(w.last.serial, 2);
	end(&w);
}

/* ---- transports ---- */

static void
udp_follows_tcp_at_once(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	refuse_tcp(&w, last(&w)->exchange);
	assert_int_equal(w.sent_n, 2);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	assert_int_equal(last(&w)->to.port, NOTIFY_PORT);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.transport, NOTIFY_OVER_UDP);
	assert_int_equal(w.last.attempts, 1);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);

	w.no_tcp = true; /* no descriptor, no route */
	add(&w, "b.example.", 1, 1);
	assert_int_equal(w.sent_n, 3);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	answer(&w, last(&w), RCODE_NOERROR);

	w.no_tcp = false; /* connected, and silent */
	add(&w, "c.example.", 1, 1);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_TCP);
	unsigned closed = w.closed;
	advance(&w, 600 * MS);
	assert_int_equal(w.closed, closed + 1);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 3);
	end(&w);
}

static void
one_connection_for_all_that_is_due(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add_many(&w, 1000, 1);
	assert_int_equal(w.sent_n, NOTIFIER_WINDOW_MIN);
	assert_int_equal(w.opened, 1);
	unsigned most = 0;
	for (size_t i = 0; i < w.sent_n; i++) { /* each answer lets more go */
		answer(&w, &w.sent[i], RCODE_NOERROR);
		unsigned in_flight = (unsigned)notifier_stats(w.n)->in_flight;
		most = in_flight > most ? in_flight : most;
	}
	assert_int_equal(w.sent_n, 1000);
	assert_int_equal(most, NOTIFIER_WINDOW_MAX);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1000);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.closed, 1);
	for (size_t i = 1; i < 1000; i++) { /* in the order in which they were added */
		assert_true(name_compare(message(&w.sent[i - 1]).qname.oct, message(&w.sent[i]).qname.oct) < 0);
	}
	end(&w);
}

/* The peer answers for none of the other zones, over TCP or `udp` alone; once each was new, it hears of this one within
 * seconds, and of the others, too. */
static void
hears_of_a_zone_that_never_rests(bool udp)
{
	enum { OTHERS = 10 * NOTIFIER_WINDOW_MIN, SECONDS = 180, NEW_S = 60, WITHIN_S = 6 };
	struct world w;
	begin(&w);
	w.no_tcp = udp;
	add_many(&w, OTHERS, 1);
	const struct name busy = parsed("busy.example.");
	const uint64_t begun_ns = w.now.mono_ns;
	uint64_t heard_ns = begun_ns;
	size_t seen = 0, others = 0;
	for (uint32_t serial = 1; serial < 10 * SECONDS; serial++) {
		add(&w, "busy.example.", serial, 1);
		advance(&w, 100 * MS);
		for (; seen < w.sent_n; seen++) {
			if (name_compare(message(&w.sent[seen]).qname.oct, busy.oct) == 0) {
				heard_ns = w.now.mono_ns;
				answer(&w, &w.sent[seen], RCODE_NOERROR);
			} else {
				others++;
			}
		}
		assert_true(w.now.mono_ns <= begun_ns + NEW_S * S || w.now.mono_ns <= heard_ns + WITHIN_S * S);
	}
	assert_true(others > 2 * OTHERS);
	end(&w);
}

static void
a_zone_that_never_rests_has_its_turn(void **state)
{
	(void)state;
	hears_of_a_zone_that_never_rests(false);
	hears_of_a_zone_that_never_rests(true);
}

static void
answers_come_in_any_order(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add_many(&w, NOTIFIER_WINDOW_MIN, 1);
	for (size_t i = NOTIFIER_WINDOW_MIN; i != 0; i--) {
		answer(&w, &w.sent[i - 1], RCODE_NOERROR);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], NOTIFIER_WINDOW_MIN);
	end(&w);
}

/* One connection that is refused speaks for all that waited for it. */
static void
a_refused_connection_is_not_tried_for_each(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add_many(&w, 100, 1);
	refuse_tcp(&w, last(&w)->exchange);
	assert_int_equal(w.opened, 1);
	for (size_t i = 0; i < w.sent_n; i++) {
		if (w.sent[i].transport == NOTIFY_OVER_UDP) {
			answer(&w, &w.sent[i], RCODE_NOERROR);
		}
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 100);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.sent_n, 100 + NOTIFIER_WINDOW_MIN);
	end(&w);
}

/* A server that closes after each answer: what was on its way goes by UDP, the rest by a new connection. */
static void
a_connection_that_ends_after_answers_is_opened_again(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add_many(&w, 100, 1);
	size_t seen = 0;
	while (notifier_stats(w.n)->pending != 0) {
		size_t now_n = w.sent_n;
		bool has_answered = false;
		for (; seen < now_n; seen++) {
			const struct sent *s = &w.sent[seen];
			if (s->transport == NOTIFY_OVER_UDP || (!has_answered && w.is_open[s->exchange])) {
				answer(&w, s, RCODE_NOERROR);
				has_answered = s->transport == NOTIFY_OVER_TCP || has_answered;
			}
		}
		if (w.opened != w.closed) {
			refuse_tcp(&w, 0);
		}
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 100);
	assert_true(w.opened > 1);
	assert_int_equal(notifier_stats(w.n)->failed, 0);
	end(&w);
}

/* The connection lives, one answer is missing: that one alone goes by UDP. */
static void
one_answer_missing(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	add(&w, "b.example.", 1, 1);
	advance(&w, 300 * MS);
	answer(&w, &w.sent[1], RCODE_NOERROR);
	add(&w, "c.example.", 1, 1);
	advance(&w, 300 * MS);
	assert_int_equal(w.closed, 0);
	assert_int_equal(w.sent_n, 4);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	assert_true(is_for(last(&w), "a.example."));
	answer(&w, &w.sent[2], RCODE_NOERROR);
	assert_int_equal(w.closed, 1);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 3);
	end(&w);
}

/* A zone that changes faster than anyone waits: a connection without answers is given up all the same. */
static void
changes_do_not_keep_a_dead_connection(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	uint32_t serial = 0;
	for (int i = 0; i < 31; i++) {
		add(&w, "a.example.", ++serial, 1);
		if (last(&w)->transport == NOTIFY_OVER_UDP) {
			fail_msg("too early, at %d", i);
		}
		advance(&w, 100 * MS);
		if (last(&w)->transport == NOTIFY_OVER_UDP) {
			break;
		}
	}
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	assert_int_equal(last(&w)->at_ns, 1003 * S);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.serial, serial);
	end(&w);
}

static void
a_full_connection_is_left(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	w.no_send = true;
	add(&w, "b.example.", 1, 1);
	assert_int_equal(w.closed, 1);
	assert_int_equal(w.sent_n, 3);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(w.sent[i].transport, NOTIFY_OVER_UDP);
		answer(&w, &w.sent[i], RCODE_NOERROR);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 2);
	end(&w);
}

static struct notify_target
own_conn(uint64_t conn)
{
	struct notify_target to = target(1);
	to.conn = conn;
	return to;
}

static void
over_the_peers_own_connection(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("k._transfer.", 'k');
	struct notify_target a = own_conn(7), b = own_conn(8);
	a.key = b.key = &key;
	assert_int_equal(add_to(&w, "a.example.", 1, &a), OK);
	assert_int_equal(add_to(&w, "a.example.", 1, &b), OK);
	assert_int_equal(add_to(&w, "b.example.", 1, &a), OK);
	assert_int_equal(notifier_stats(w.n)->pending, 3); /* two connections from one address are two targets */
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w.sent[i].transport, NOTIFY_OVER_CONN);
		assert_int_equal(w.sent[i].to.conn, i == 1 ? 8 : 7);
	}
	struct answer yes = signed_answer(&w.sent[2], RCODE_NOERROR, &key, w.now.wall_s);
	deliver(&w, &w.sent[1], &yes); /* over the wrong one */
	assert_int_equal(notifier_stats(w.n)->unexpected, 1);
	deliver(&w, &w.sent[2], &yes);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	advance(&w, S); /* no answer in time: once more, over the same */
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_CONN);
	advance(&w, S);
	assert_int_equal(w.sent_n, 7);
	notifier_conn_closed(w.n, &w.now, 7);
	assert_int_equal(w.reports[NOTIFY_LOST], 1);
	assert_int_equal(notifier_stats(w.n)->pending, 1);
	notifier_conn_closed(w.n, &w.now, 7);
	w.no_conn = true; /* gone before anybody said so */
	assert_int_equal(add_to(&w, "c.example.", 1, &b), OK);
	assert_int_equal(w.reports[NOTIFY_LOST], 3);
	assert_int_equal(notifier_stats(w.n)->pending, 0);
	assert_int_equal(w.opened, 0);
	end(&w);
}

/* ---- bounds ---- */

/* Who is told from two of our addresses is two targets: an answer to one of them is none to the other. */
static void
two_sources_are_two_targets(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	struct notify_target a = target(1), b = target(1);
	a.source = (struct key_address){ 4, { 192, 0, 2, 100 } };
	w.no_tcp = true;
	assert_int_equal(add_to(&w, "a.example.", 1, &a), OK);
	assert_int_equal(add_to(&w, "a.example.", 1, &b), OK);
	assert_int_equal(notifier_stats(w.n)->pending, 2);
	assert_int_equal(w.sent_n, 2);
	assert_true(key_address_is_equal(&w.sent[0].to.source, &a.source));
	assert_int_equal(w.sent[1].to.source.family, 0);
	struct sent elsewhere = w.sent[0];
	elsewhere.to.source = (struct key_address){ 4, { 192, 0, 2, 101 } };
	answer(&w, &elsewhere, RCODE_NOERROR);
	assert_int_equal(notifier_stats(w.n)->unexpected, 1);
	answer(&w, &w.sent[0], RCODE_NOERROR);
	answer(&w, &w.sent[1], RCODE_NOERROR);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 2);
	end(&w);
}

static void
pending_is_bounded(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, 3, 0);
	const struct notify_target to = target(1), other = target(2);
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	assert_int_equal(add_to(&w, "b.example.", 1, &to), OK);
	assert_int_equal(add_to(&w, "b.example.", 1, &other), OK);
	assert_int_equal(add_to(&w, "c.example.", 1, &to), E_LIMIT);
	assert_int_equal(add_to(&w, "c.example.", 1, &(struct notify_target){ .conn = 9 }), E_LIMIT);
	assert_int_equal(add_to(&w, "b.example.", 2, &to), OK); /* takes another's place */
	assert_int_equal(notifier_stats(w.n)->over_limit, 2);
	assert_int_equal(notifier_stats(w.n)->pending, 3);
	answer(&w, &w.sent[0], RCODE_NOERROR);
	assert_int_equal(add_to(&w, "c.example.", 1, &to), OK);
	end(&w);
}

/* A target has half at most, and all connections together a fourth: others find room. */
static void
a_target_and_connections_have_shares(void **state)
{
	(void)state;
	struct world w;
	char name[16];
	begin_with(&w, 16, 0);
	const struct notify_target to = target(1), other = target(2);
	const struct notify_target conns[] = { { .conn = 7 }, { .conn = 8 }, { .conn = 9 } };
	for (unsigned i = 0; i < 9; i++) {
		snprintf(name, sizeof name, "z%u.", i);
		assert_int_equal(add_to(&w, name, 1, &to), i < 8 ? OK : E_LIMIT);
	}
	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "z%u.", i);
		assert_int_equal(add_to(&w, name, 1, &conns[i % 3]), i < 4 ? OK : E_LIMIT);
	}
	assert_int_equal(add_to(&w, "z0.", 2, &conns[0]), OK); /* takes another's place */
	assert_int_equal(add_to(&w, "z0.", 1, &other), OK);
	assert_int_equal(notifier_stats(w.n)->pending, 13);
	notifier_conn_closed(w.n, &w.now, 7);
	assert_int_equal(add_to(&w, "z8.", 1, &conns[1]), OK);
	answer(&w, &w.sent[0], RCODE_NOERROR);
	assert_int_equal(add_to(&w, "z8.", 1, &to), OK);
	end(&w);
}

static void
octets_of_a_target_are_bounded(void **state)
{
	(void)state;
	struct world w;
	char name[256];
	begin_bounded(&w, 0, 10000, 0);
	const struct notify_target to = target(1), other = target(2);
	unsigned n = 0;
	do {
		snprintf(name, sizeof name, "%060u.%060u.%060u.%060u.", n++, 0u, 0u, 0u);
	} while (add_to(&w, name, 1, &to) == OK);
	assert_in_range(notifier_stats(w.n)->octets, 5000, 6000);
	assert_int_equal(add_to(&w, name, 1, &other), OK);
	end(&w);
}

/* Long names and SOA records count for what they are. */
static void
octets_are_bounded(void **state)
{
	(void)state;
	struct world w;
	char name[256];
	begin_bounded(&w, 0, 10000, 0);
	unsigned n = 0;
	err_t err = OK;
	while (err == OK) {
		snprintf(name, sizeof name, "%060u.%060u.%060u.%060u.", n, 0u, 0u, 0u);
		const struct notify_target to = target((uint8_t)(n % 50));
		err = add_to(&w, name, 1, &to);
		n += err == OK;
	}
	assert_int_equal(err, E_LIMIT);
	assert_in_range(n, 10, 10000 / 250 + 1);
	assert_in_range(notifier_stats(w.n)->octets, 10000, 11000);
	const struct notify_target again = target((uint8_t)((n - 1) % 50));
	snprintf(name, sizeof name, "%060u.%060u.%060u.%060u.", n - 1, 0u, 0u, 0u);
	assert_int_equal(add_to(&w, name, 2, &again), OK); /* takes another's place */
	end(&w);
}

static void
in_flight_is_bounded_and_targets_take_turns(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, 0, 10);
	add_many(&w, 20, 1);
	add_many(&w, 20, 2);
	add_many(&w, 20, 3);
	assert_int_equal(w.sent_n, 10); /* eight to the first, two to the second */
	for (size_t i = 0; i < w.sent_n; i++) {
		assert_true(notifier_stats(w.n)->in_flight <= 10);
		answer(&w, &w.sent[i], RCODE_NOERROR);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 60);
	unsigned third = 0;
	for (size_t i = 0; i < 40; i++) { /* it did not have to wait for the others' ends */
		third += w.sent[i].to.address.octets[3] == 3;
	}
	assert_true(third >= 8);
	end(&w);
}

static void
exchanges_are_bounded(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	for (unsigned i = 0; i < NOTIFIER_EXCHANGES_MAX + 10; i++) {
		struct notify_target to = target(1);
		to.port = (uint16_t)(1000 + i);
		assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	}
	assert_int_equal(w.opened, NOTIFIER_EXCHANGES_MAX);
	assert_int_equal(notifier_stats(w.n)->sent[NOTIFY_OVER_UDP], 10);
	for (size_t i = 0, n = w.sent_n; i < n; i++) {
		answer(&w, &w.sent[i], RCODE_NOERROR);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], NOTIFIER_EXCHANGES_MAX + 10);
	assert_int_equal(w.closed, NOTIFIER_EXCHANGES_MAX);
	end(&w);
}

/* Many zones for a target that is dead: one that lives is told all the same, at once. */
static void
dead_targets_do_not_hold_up_others(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add_many(&w, 500, 1);
	add(&w, "a.example.", 1, 2);
	assert_int_equal(last(&w)->to.address.octets[3], 2);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	uint64_t until_ns = w.now.mono_ns + 30 * S;
	while (step(&w, until_ns)) {
		assert_true(notifier_stats(w.n)->in_flight <= NOTIFIER_WINDOW_MIN);
	}
	assert_int_equal(notifier_stats(w.n)->pending, 500);
	end(&w);
}

/* 10,000 zones with three targets each, as after a start; one of them answers by UDP only, one in a hundred not at all at first. */
static void
ten_thousand_zones(void **state)
{
	(void)state;
	enum { ZONES = 10000 };
	struct world w;
	begin(&w);
	char zone[32];
	for (unsigned i = 0; i < ZONES; i++) {
		snprintf(zone, sizeof zone, "z%05u.example.", i);
		for (uint8_t t = 1; t <= 3; t++) {
			const struct notify_target to = target(t);
			assert_int_equal(add_to(&w, zone, i, &to), OK);
		}
	}
	assert_int_equal(notifier_stats(w.n)->pending, 3 * ZONES);
	size_t seen = 0;
	for (unsigned step_n = 0; notifier_stats(w.n)->pending != 0; step_n++) {
		assert_true(step_n < 100000);
		for (; seen < w.sent_n; seen++) {
			const struct sent s = w.sent[seen];
			if (s.transport == NOTIFY_OVER_TCP && s.to.address.octets[3] == 3) {
				if (w.is_open[s.exchange]) {
					refuse_tcp(&w, s.exchange);
				}
			} else if (seen % 100 != 0) {
				answer(&w, &s, RCODE_NOERROR);
			}
		}
		(void)step(&w, UINT64_MAX - 1);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 3 * ZONES);
	assert_int_equal(w.reports[NOTIFY_GAVE_UP], 0);
	end(&w);
}

static void
what_is_pending_at_the_end_is_freed(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("k._transfer.", 'k');
	struct notify_target to = target(1);
	to.key = &key;
	add_many(&w, 50, 2);
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	assert_int_equal(add_to(&w, "b.example.", 1, &to), OK);
	w.no_tcp = w.no_udp = true;
	assert_int_equal(add_to(&w, "c.example.", 1, &(struct notify_target){ .address = { 6, { 1 } }, .port = 53 }), OK);
	end(&w);
	struct notifier *none = NULL;
	notifier_free(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schedule_to_the_second),
		cmocka_unit_test(without_a_network_the_schedule_is_the_same),
		cmocka_unit_test(late_timers_do_not_burst),
		cmocka_unit_test(a_newer_version_begins_anew),
		cmocka_unit_test(the_answer_to_an_older_version_is_none),
		cmocka_unit_test(udp_follows_tcp_at_once),
		cmocka_unit_test(one_connection_for_all_that_is_due),
		cmocka_unit_test(a_zone_that_never_rests_has_its_turn),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(a_refused_connection_is_not_tried_for_each),
		cmocka_unit_test(a_connection_that_ends_after_answers_is_opened_again),
		cmocka_unit_test(one_answer_missing),
		cmocka_unit_test(changes_do_not_keep_a_dead_connection),
		cmocka_unit_test(a_full_connection_is_left),
		cmocka_unit_test(over_the_peers_own_connection),
		cmocka_unit_test(two_sources_are_two_targets),
		cmocka_unit_test(pending_is_bounded),
		cmocka_unit_test(a_target_and_connections_have_shares),
		cmocka_unit_test(octets_of_a_target_are_bounded),
		cmocka_unit_test(octets_are_bounded),
		cmocka_unit_test(in_flight_is_bounded_and_targets_take_turns),
		cmocka_unit_test(exchanges_are_bounded),
		cmocka_unit_test(dead_targets_do_not_hold_up_others),
		cmocka_unit_test(ten_thousand_zones),
		cmocka_unit_test(unreached_is_said),
		cmocka_unit_test(some_are_never_unreached),
		cmocka_unit_test(what_is_pending_at_the_end_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
