/* NOTIFY out: what is sent, and what counts as its answer. */
#include "notifier_world.h"

/* ---- messages ---- */

static void
the_message_is_as_in_rfc_1996(void **state)
{
	(void)state;
	static const uint8_t want[] = "\xFD\xEA\x24\x00\0\1\0\1\0\0\0\0"
				      "\7example\3org\0\0\6\0\1"
				      "\xC0\x0C\0\6\0\1\0\0\x0E\x10\0\x27"
				      "\3ns1\xC0\x0C\12hostmaster\xC0\x14"
				      "\x77\x35\x94\1\0\0\x1C\x20\0\0\x0E\x10\0\x12\x75\0\0\0\1\x2C";
	struct world w;
	begin(&w);
	struct name zone = parsed("example.org.");
	struct soa soa = soa_of("ns1.example.org.", "hostmaster.org.", 2000000001);
	const struct notify_news news = { .zone = zone.oct, .soa = soa.bytes, .soa_len = soa.len, .soa_ttl = 3600 };
	const struct notify_target to = target(1);
	assert_int_equal(notifier_add(w.n, &w.now, &news, &to), OK);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_TCP);
	assert_int_equal(last(&w)->len, sizeof want - 1);
	assert_memory_equal(last(&w)->bytes, want, sizeof want - 1);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.outcome, NOTIFY_ACKNOWLEDGED);
	assert_int_equal(w.last.serial, 2000000001);
	assert_int_equal(w.last.attempts, 1);
	assert_int_equal(w.last.transport, NOTIFY_OVER_TCP);
	assert_false(w.last.is_removal);
	assert_string_equal(w.last_zone, "example.org.");
	assert_int_equal(w.closed, 1);
	assert_int_equal(notifier_deadline(w.n), NOW_NEVER);
	end(&w);
}

static void
a_removed_zone_has_no_soa(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	struct name zone = parsed("gone.example.");
	const struct notify_target to = target(1);
	assert_int_equal(notifier_add(w.n, &w.now, &(struct notify_news){ .zone = zone.oct }, &to), OK);
	struct msg m = message(last(&w));
	assert_int_equal(m.bits, OPCODE_NOTIFY << 11 | DNS_AA);
	assert_int_equal(m.count[0], 1);
	assert_int_equal(m.count[1], 0);
	assert_int_equal(m.len, m.question_end);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_true(w.last.is_removal);
	end(&w);
}

static void
the_root_is_a_zone_too(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, ".", 5, 1);
	struct msg m = message(last(&w));
	assert_int_equal(m.count[1], 1);
	assert_int_equal(m.qname.len, 1);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	end(&w);
}

static void
signed_messages_and_answers(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("192.0.2.9.192.0.2.1._transfer.example.", 'k');
	struct notify_target to = target(1);
	to.key = &key;
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	assert_int_equal(add_to(&w, "b.example.", 1, &to), OK);
	for (size_t i = 0; i < 2; i++) {
		struct answer a = signed_answer(&w.sent[i], RCODE_NOERROR, &key, w.now.wall_s);
		deliver(&w, &w.sent[i], &a);
		assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], i + 1);
	}
	assert_int_equal(notifier_stats(w.n)->unverified, 0);
	end(&w);
}

/* The same key's name, another secret: what is pending keeps the old one. */
static void
a_key_may_be_changed(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key old = key_of("k._transfer.", 'o'), new = key_of("k._transfer.", 'n');
	struct notify_target to = target(1);
	to.key = &old;
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	to.key = &new;
	assert_int_equal(add_to(&w, "b.example.", 1, &to), OK);
	to.key = &old;
	assert_int_equal(add_to(&w, "c.example.", 1, &to), OK);
	const struct tsig_key *keys[] = { &old, &new, &old };
	for (size_t i = 0; i < 3; i++) {
		struct answer a = signed_answer(&w.sent[i], RCODE_NOERROR, keys[i], w.now.wall_s);
		deliver(&w, &w.sent[i], &a);
	}
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 3);
	end(&w);
}

/* RFC 1035 4.2.1: 512 octets; the hint is what can be left out. */
static void
what_is_too_long_for_udp_goes_without_soa(void **state)
{
	(void)state;
	struct world w;
	char label[64], mname[256], rname[256];
	begin(&w);
	memset(label, 'm', 63);
	label[63] = '\0';
	snprintf(mname, sizeof mname, "%s.%s.%s.", label, label, label);
	label[0] = 'r';
	snprintf(rname, sizeof rname, "%s.%s.%s.a.", label, label, label);
	struct name zone = parsed("example.");
	struct soa soa = soa_of(mname, rname, 1);
	const struct tsig_key key = key_of("k._transfer.", 'k');
	struct notify_target to = target(1);
	to.key = &key;
	const struct notify_news news = { .zone = zone.oct, .soa = soa.bytes, .soa_len = soa.len, .soa_ttl = 3600 };
	assert_int_equal(notifier_add(w.n, &w.now, &news, &to), OK);
	assert_int_equal(message(last(&w)).count[1], 1);
	assert_true(last(&w)->len > 512);
	refuse_tcp(&w, last(&w)->exchange);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	assert_int_equal(message(last(&w)).count[1], 0);
	assert_true(last(&w)->len <= 512);
	struct answer a = signed_answer(last(&w), RCODE_NOERROR, &key, w.now.wall_s);
	deliver(&w, last(&w), &a);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	end(&w);
}

/* ---- what is no answer ---- */

static void
forged_answers_are_ignored(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	add(&w, "a.example.", 1, 1);
	refuse_tcp(&w, last(&w)->exchange);
	const struct sent s = *last(&w);
	const struct answer good = plain_answer(&s, RCODE_NOERROR);
	static const struct {
		size_t at;
		uint8_t flip;
	} wrong[] = { { 0, 1 }, { 1, 0x80 }, { 2, 0x80 }, { 2, 0x40 }, { 2, 0x08 }, { 5, 3 }, { 13, 'a' ^ 'b' }, { 24, 1 },
		      { 26, 2 } };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct answer a = good;
		a.bytes[wrong[i].at] ^= wrong[i].flip;
		deliver(&w, &s, &a);
		assert_int_equal(notifier_stats(w.n)->unexpected + notifier_stats(w.n)->malformed, i + 1);
	}
	struct answer headless = { .len = DNS_HEADER_LEN }; /* only who cannot read it may leave the question out */
	memcpy(headless.bytes, good.bytes, DNS_HEADER_LEN);
	headless.bytes[5] = 0;
	deliver(&w, &s, &headless);
	struct sent elsewhere = s;
	elsewhere.to = target(2);
	deliver(&w, &elsewhere, &good);
	elsewhere = s;
	elsewhere.to.port++;
	deliver(&w, &elsewhere, &good);
	elsewhere = s;
	elsewhere.transport = NOTIFY_OVER_CONN;
	elsewhere.to.conn = 5;
	deliver(&w, &elsewhere, &good);
	for (size_t len = 0; len < good.len; len++) {
		struct answer cut = good;
		cut.len = len;
		deliver(&w, &s, &cut);
	}
	assert_int_equal(notifier_stats(w.n)->pending, 1);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 0);
	struct answer other_case = good;
	other_case.bytes[13] ^= 0x20;
	deliver(&w, &s, &other_case);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	deliver(&w, &s, &good); /* a second one */
	end(&w);
}

static void
answers_wrongly_signed_are_ignored(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("k._transfer.", 'k'), same_name = key_of("k._transfer.", 'x'),
			      other = key_of("other._transfer.", 'k');
	struct notify_target to = target(1);
	to.key = &key;
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	const struct sent s = *last(&w);
	answer(&w, &s, RCODE_NOERROR); /* not signed at all */
	assert_int_equal(w.reports[NOTIFY_UNVERIFIED], 1);
	assert_int_equal(w.last.tsig_error, 0);
	answer(&w, &s, RCODE_REFUSED);

	struct msg m = message(&s);
	struct tsig t;
	assert_int_equal(tsig_verify_request(&t, &m, &key, w.now.wall_s), OK);
	const struct tsig_key *keys[] = { &same_name, &other };
	for (size_t i = 0; i < 2; i++) {
		struct tsig forged = t;
		struct answer a = plain_answer(&s, RCODE_NOERROR);
		forged.key = keys[i];
		forged.key_name = keys[i]->name;
		assert_int_equal(tsig_sign_response(&forged, a.bytes, &a.len, sizeof a.bytes, w.now.wall_s), OK);
		deliver(&w, &s, &a);
	}
	struct tsig late = t;
	struct answer old = plain_answer(&s, RCODE_NOERROR);
	assert_int_equal(tsig_sign_response(&late, old.bytes, &old.len, sizeof old.bytes, w.now.wall_s - 1000), OK);
	deliver(&w, &s, &old);
	assert_int_equal(notifier_stats(w.n)->unverified, 5);
	assert_int_equal(w.reports[NOTIFY_UNVERIFIED], 1); /* said once */
	assert_int_equal(notifier_stats(w.n)->pending, 1);
	/* None of them has spoilt it for the right one. */
	struct answer a = signed_answer(&s, RCODE_NOERROR, &key, w.now.wall_s);
	deliver(&w, &s, &a);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	end(&w);
}

/* The peer does not take our signature.  Unsigned (BADKEY) anybody may have said it; with its own (BADTIME) it was
 * the peer, and this message need not be waited for. */
static void
peers_that_do_not_take_our_signature(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("k._transfer.", 'k');
	struct notify_target to = target(1);
	to.key = &key;
	assert_int_equal(add_to(&w, "a.example.", 1, &to), OK);
	const struct sent s = *last(&w);
	struct msg m = message(&s);
	struct tsig t;
	assert_int_equal(tsig_verify_request(&t, &m, NULL, w.now.wall_s), E_AUTH);
	struct answer a = plain_answer(&s, RCODE_NOTAUTH);
	assert_int_equal(tsig_sign_error(&t, a.bytes, &a.len, sizeof a.bytes, w.now.wall_s), OK);
	deliver(&w, &s, &a);
	assert_int_equal(w.last.outcome, NOTIFY_UNVERIFIED);
	assert_int_equal(w.last.tsig_error, RCODE_BADKEY);
	assert_true(w.last.is_peer_error);
	assert_int_equal(notifier_stats(w.n)->in_flight, 1);

	assert_int_equal(add_to(&w, "b.example.", 1, &to), OK);
	const struct sent second = *last(&w);
	m = message(&second);
	assert_int_equal(tsig_verify_request(&t, &m, &key, w.now.wall_s + 1000), E_AUTH);
	a = plain_answer(&second, RCODE_NOTAUTH);
	assert_int_equal(tsig_sign_error(&t, a.bytes, &a.len, sizeof a.bytes, w.now.wall_s + 1000), OK);
	deliver(&w, &second, &a);
	assert_int_equal(w.last.tsig_error, RCODE_BADTIME);
	assert_int_equal(w.reports[NOTIFY_UNVERIFIED], 2);
	assert_int_equal(notifier_stats(w.n)->in_flight, 1);
	assert_int_equal(notifier_stats(w.n)->pending, 2);
	advance(&w, S);
	assert_true(is_for(last(&w), "b.example.") || is_for(last(&w), "a.example."));
	end(&w);
}

/* A secondary that knows none of a thousand new zones, and says so unsigned: what is new for a zone that it knows does not wait until
 * each of them has been waited for. */
static void
doubtful_answers_hold_up_nothing(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	const struct tsig_key key = key_of("k._transfer.", 'k');
	struct notify_target to = target(1);
	char zone[32];
	to.key = &key;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(zone, sizeof zone, "z%u.example.", i);
		assert_int_equal(add_to(&w, zone, 1, &to), OK);
	}
	assert_int_equal(add_to(&w, "known.example.", 1, &to), OK);
	uint64_t begun_ns = w.now.mono_ns;
	size_t answered = 0;
	for (bool is_sent = false; !is_sent;) {
		for (; answered < w.sent_n && !is_sent; answered++) {
			const struct sent s = w.sent[answered];
			is_sent = is_for(&s, "known.example.");
			answer(&w, &s, RCODE_NOTAUTH); /* not signed */
		}
		assert_true(is_sent || step(&w, begun_ns + S));
		assert_true(notifier_stats(w.n)->in_flight <= NOTIFIER_WINDOW_MAX + NOTIFIER_DOUBTED_MAX);
	}
	assert_int_equal(w.now.mono_ns, begun_ns); /* as fast as the secondary answers */
	assert_int_equal(w.opened, 1);
	end(&w);
}

/* What a secondary says to a key: it does not know it, the same without the question (as NSD does), it knows another secret of that name,
 * NOTAUTH and no signature, it does not take the key (rightly signed), or nothing at all. */
enum refusal { SAYS_BADKEY, SAYS_BARE_BADKEY, SAYS_BADSIG, SAYS_NOTAUTH, SAYS_REFUSED, SAYS_NOTHING, REFUSALS };

static void
refuse(struct world *w, enum refusal how, const struct tsig_key *key)
{
	const struct sent s = *last(w);
	struct tsig_key wrong = *key;
	struct msg m = message(&s);
	struct tsig t;
	struct answer a = plain_answer(&s, RCODE_NOTAUTH);
	wrong.secret[0] ^= 1;
	if (how == SAYS_REFUSED) {
		a = signed_answer(&s, RCODE_REFUSED, key, w->now.wall_s);
	} else if (how == SAYS_BADKEY || how == SAYS_BARE_BADKEY || how == SAYS_BADSIG) {
		if (how == SAYS_BARE_BADKEY) {
			a.bytes[5] = 0;
			a.len = DNS_HEADER_LEN;
		}
		assert_int_equal(tsig_verify_request(&t, &m, how == SAYS_BADSIG ? &wrong : NULL, w->now.wall_s), E_AUTH);
		assert_int_equal(tsig_sign_error(&t, a.bytes, &a.len, sizeof a.bytes, w->now.wall_s), OK);
	}
	if (how != SAYS_NOTHING) {
		deliver(w, &s, &a);
	}
}

static void
acknowledge(struct world *w, const struct tsig_key *key)
{
	const struct sent s = *last(w);
	struct answer a = signed_answer(&s, RCODE_NOERROR, key, w->now.wall_s);
	deliver(w, &s, &a);
}

static bool
is_signed_with(const struct world *w, const struct tsig_key *key)
{
	struct msg m = message(last(w));
	struct tsig t;
	return tsig_verify_request(&t, &m, key, w->now.wall_s) == OK;
}

static void
add_with(struct world *w, const struct tsig_key *keys, size_t n, uint64_t conn)
{
	struct notify_target to = target(1);
	to.conn = conn;
	for (size_t i = 0; i < n; i++) {
		to.key = &keys[i];
		assert_int_equal(add_to(w, "a.example.", 1, &to), OK);
	}
	assert_int_equal(notifier_stats(w->n)->pending, 1);
}

static void
a_secondary_with_two_keys(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	for (unsigned how = 0; how < REFUSALS; how++) {
		struct world w;
		begin(&w);
		add_with(&w, keys, 2, 0);
		assert_int_equal(w.sent_n, 1);
		assert_true(is_signed_with(&w, &keys[0])); /* that was added first */
		refuse(&w, how, &keys[0]);
		assert_int_equal(notifier_stats(w.n)->pending, 1);
		if (how == SAYS_NOTHING) {
			assert_int_equal(w.sent_n, 1);
			advance(&w, 600 * MS);
			advance(&w, 400 * MS);
		}
		assert_true(is_signed_with(&w, &keys[1])); /* at once, where it was told */
		assert_int_equal(last(&w)->transport, NOTIFY_OVER_TCP);
		acknowledge(&w, &keys[1]);
		assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
		assert_int_equal(w.last.attempts, how == SAYS_NOTHING ? 2 : 1);
		assert_int_equal(w.reports[NOTIFY_UNVERIFIED] + w.reports[NOTIFY_REFUSED], 0);
		assert_int_equal(notifier_stats(w.n)->pending, 0);
		end(&w);
	}
}

static void
the_newest_key_is_enough(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	struct world w;
	begin(&w);
	add_with(&w, keys, 2, 0);
	acknowledge(&w, &keys[0]);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	assert_int_equal(w.sent_n, 1);
	end(&w);
}

/* The way stays: UDP, where TCP is not served, and the peer's own connection. */
static void
the_other_key_goes_the_same_way(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	struct world w;
	begin(&w);
	w.no_tcp = true;
	add_with(&w, keys, 2, 0);
	refuse(&w, SAYS_BADKEY, &keys[0]);
	assert_int_equal(w.sent_n, 2);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_UDP);
	acknowledge(&w, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	add_with(&w, keys, 2, 7);
	refuse(&w, SAYS_BADKEY, &keys[0]);
	assert_int_equal(last(&w)->transport, NOTIFY_OVER_CONN);
	assert_true(is_signed_with(&w, &keys[1]));
	acknowledge(&w, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 2);
	add_with(&w, keys, 2, 7);
	w.no_conn = true; /* it is gone when the other key's turn comes */
	refuse(&w, SAYS_REFUSED, &keys[0]);
	assert_int_equal(w.reports[NOTIFY_LOST], 1);
	assert_int_equal(notifier_stats(w.n)->pending, 0);
	end(&w);
}

/* Each key has one turn in an attempt, and the next attempt begins anew. */
static void
neither_key_is_taken(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	struct notify_target to = target(1);
	struct world w;
	begin(&w);
	add_with(&w, keys, 2, 0);
	refuse(&w, SAYS_BADKEY, &keys[0]);
	assert_int_equal(w.reports[NOTIFY_UNVERIFIED], 0);
	refuse(&w, SAYS_BADKEY, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_UNVERIFIED], 1);
	assert_int_equal(w.sent_n, 2);
	assert_int_equal(notifier_stats(w.n)->pending, 1); /* told again */
	advance(&w, 600 * MS); /* the answer may have been somebody else's, but the right one has not come: UDP would bring no other */
	assert_int_equal(w.sent_n, 2);
	advance(&w, 400 * MS);
	assert_int_equal(w.sent_n, 3);
	assert_true(is_signed_with(&w, &keys[0]));
	to.key = &keys[1];
	assert_int_equal(add_to(&w, "a.example.", 2, &to), OK); /* newer: it takes the place of the other, with this key alone */
	refuse(&w, SAYS_REFUSED, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_REFUSED], 1);
	assert_int_equal(notifier_stats(w.n)->pending, 0);
	end(&w);
}

/* An answer that says nothing of the key has given the place in the window to another notification: the other key waits for the next
 * attempt. */
static void
a_doubted_one_does_not_jump_the_queue(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	struct world w;
	begin(&w);
	add_with(&w, keys, 2, 0);
	answer(&w, last(&w), RCODE_NOERROR); /* not signed */
	refuse(&w, SAYS_BADKEY, &keys[0]);
	assert_int_equal(w.sent_n, 1);
	advance(&w, 600 * MS);
	advance(&w, 400 * MS);
	assert_true(is_signed_with(&w, &keys[1]));
	acknowledge(&w, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	end(&w);
}

/* The secondary was given the new key before we were: its notification waits for the next attempt, which is minutes away. */
static void
a_key_that_comes_late_is_tried_at_once(void **state)
{
	(void)state;
	const struct tsig_key keys[] = { key_of("k._transfer.", 'k'), key_of("l._transfer.", 'l') };
	struct world w;
	begin(&w);
	add_with(&w, keys, 1, 0);
	refuse(&w, SAYS_BADKEY, &keys[0]);
	while (step(&w, w.now.mono_ns + 200 * S)) {
	}
	size_t sent_n = w.sent_n;
	assert_true(notifier_deadline(w.n) > w.now.mono_ns + 100 * S);
	add_with(&w, keys + 1, 1, 0);
	assert_int_equal(w.sent_n, sent_n + 1);
	assert_true(is_signed_with(&w, &keys[1]));
	acknowledge(&w, &keys[1]);
	assert_int_equal(w.reports[NOTIFY_ACKNOWLEDGED], 1);
	end(&w);
}

static void
what_the_peer_says(void **state)
{
	(void)state;
	static const unsigned over[] = { RCODE_FORMERR, RCODE_NXDOMAIN, RCODE_NOTIMP, RCODE_REFUSED, RCODE_NOTAUTH,
		                         RCODE_NOTZONE, 15 };
	struct world w;
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(over); i++) {
		add(&w, "a.example.", 1, 1);
		answer(&w, last(&w), over[i]);
		assert_int_equal(w.last.outcome, NOTIFY_REFUSED);
		assert_int_equal(w.last.rcode, over[i]);
		assert_int_equal(notifier_stats(w.n)->pending, 0);
	}
	add(&w, "a.example.", 1, 1);
	struct answer headless = plain_answer(last(&w), RCODE_NOTIMP);
	headless.len = DNS_HEADER_LEN;
	headless.bytes[5] = 0;
	deliver(&w, last(&w), &headless);
	assert_int_equal(w.last.outcome, NOTIFY_REFUSED);

	add(&w, "b.example.", 1, 1);
	size_t before = w.sent_n;
	answer(&w, last(&w), RCODE_SERVFAIL);
	assert_int_equal(w.last.outcome, NOTIFY_PUT_OFF);
	assert_int_equal(notifier_stats(w.n)->in_flight, 0);
	advance(&w, S);
	assert_int_equal(w.sent_n, before + 1);
	answer(&w, last(&w), RCODE_SERVFAIL);
	assert_int_equal(w.reports[NOTIFY_PUT_OFF], 1);
	advance(&w, S);
	answer(&w, last(&w), RCODE_NOERROR);
	assert_int_equal(w.last.attempts, 3);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_is_as_in_rfc_1996),
		cmocka_unit_test(a_removed_zone_has_no_soa),
		cmocka_unit_test(the_root_is_a_zone_too),
		cmocka_unit_test(signed_messages_and_answers),
		cmocka_unit_test(a_key_may_be_changed),
		cmocka_unit_test(what_is_too_long_for_udp_goes_without_soa),
		cmocka_unit_test(forged_answers_are_ignored),
		cmocka_unit_test(answers_wrongly_signed_are_ignored),
		cmocka_unit_test(peers_that_do_not_take_our_signature),
		cmocka_unit_test(doubtful_answers_hold_up_nothing),
		cmocka_unit_test(a_secondary_with_two_keys),
		cmocka_unit_test(the_newest_key_is_enough),
		cmocka_unit_test(the_other_key_goes_the_same_way),
		cmocka_unit_test(a_key_that_comes_late_is_tried_at_once),
		cmocka_unit_test(a_doubted_one_does_not_jump_the_queue),
		cmocka_unit_test(neither_key_is_taken),
		cmocka_unit_test(what_the_peer_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
