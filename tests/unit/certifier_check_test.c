/* The certifier: name servers are asked for the proofs. */
#include "certifier_world.h"

/* A primary may serve such a zone, and nobody can be asked for the proof. */
static void
a_zone_without_name_servers(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_with(&w, false);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	assert_false(w.base.is_asking);
	assert_int_equal(w.changes, 3); /* proof and remark out, the reason in */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_FAILED);
	end(&w);
}

static void
begin_to_ask(struct world *w)
{
	begin(w);
	ca_says(w->c, &w->now, ACME_ORDER_PROVE);
	updated(w, CERTIFIER_UPDATED);
	assert_true(w->base.is_asking && !w->is_tcp);
}

/* What comes over TCP counts, also when it does not have the proof yet; then UDP is tried first again. */
static void
a_set_too_large_for_udp(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_to_ask(&w);
	answer_with(&w, DNS_TC, NULL, 0);
	assert_true(w.base.is_asking && w.is_tcp);
	answer(&w, "another value");
	assert_false(w.base.is_asking);
	wait(&w);
	assert_true(w.base.is_asking && !w.is_tcp);
	answer_with(&w, DNS_TC, NULL, 0);
	assert_int_equal(proven_n, 0);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	assert_int_equal(proven_n, 1);
	end(&w);
}

/* A server that cuts its answers and does not answer over TCP, whatever it does there, is asked once more, and a while later. */
static void
a_set_that_does_not_come_over_tcp(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_to_ask(&w);
	for (unsigned i = 0; i < 5; i++) {
		const uint64_t asked_ns = w.now.mono_ns;
		const unsigned questions = w.questions;
		answer_with(&w, DNS_TC, NULL, 0);
		assert_true(w.is_tcp);
		switch (i) {
		case 0: certifier_unreachable(w.c, &w.now, 0); break;
		case 1: wait(&w); break;
		case 2: answer_with(&w, DNS_TC, NULL, 0); break;
		case 3: answer_with(&w, RCODE_SERVFAIL, NULL, 0); break;
		default: certifier_answered(w.c, &w.now, 0, (const uint8_t *)"garbage garbage", 15); break;
		}
		assert_false(w.base.is_asking);
		assert_int_equal(w.questions, questions + 1);
		wait(&w);
		assert_true(w.base.is_asking && !w.is_tcp);
		assert_true(w.now.mono_ns - asked_ns <= (CERTIFIER_TCP_S + 5) * NOW_SECOND_NS);
	}
	while (w.base.is_asking) { /* five minutes later it is given up */
		answer_with(&w, DNS_TC, NULL, 0);
		certifier_unreachable(w.c, &w.now, 0);
		if (w.last != CERTIFIER_FAILED) {
			wait(&w);
		}
	}
	assert_int_equal(w.last, CERTIFIER_FAILED);
	assert_int_equal(proven_n, 0);
	end(&w);
}

/* Two proofs at one name: one answer with both of them suffices, and one with one of them does not. */
static void
proofs_at_one_name(void **state)
{
	(void)state;
	static const char *const values[] = { "somebody else's", "its-second-value-0123456789-0123456789-0123", "the-value-of-the-proof-0123456789-012345678" };
	struct world w = { 0 };
	begin(&w);
	proofs_n = 2;
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	answer_with(&w, 0, values, 2);
	wait(&w);
	assert_int_equal(proven_n, 0);
	answer_with(&w, 0, values, 3);
	assert_int_equal(proven_n, 2);
	assert_int_equal(w.questions, 2);
	end(&w);
}

/* Over UDP, what is no answer may be forged: the question stays open, and is sent again. */
static void
what_is_no_answer(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_to_ask(&w);
	answer_with(&w, RCODE_REFUSED, NULL, 0);
	assert_true(w.base.is_asking);
	w.id++;
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	w.id--;
	certifier_answered(w.c, &w.now, 0, (const uint8_t *)"garbage garbage", 15);
	assert_int_equal(proven_n, 0);
	wait(&w);
	assert_int_equal(w.questions, 2);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	assert_int_equal(proven_n, 1);
	end(&w);
}

/* One of two that is silent is passed over after half a minute.  It is asked once for each proof after this one, and not three times. */
static void
a_silent_server_of_two(void **state)
{
	(void)state;
	struct world w = { 0 };
	given_n = ARRAY_LEN(given);
	is_second_elsewhere = true;
	begin(&w);
	given_n = 0;
	proofs_n = 2;
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	const uint64_t begun_ns = w.now.mono_ns;
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	while (w.last != CERTIFIER_DEAD) {
		assert_memory_equal(&w.asked, &given[1], sizeof given[1]);
		wait(&w);
	}
	assert_in_range(w.now.mono_ns - begun_ns, CERTIFIER_DEAD_S * NOW_SECOND_NS, (CERTIFIER_DEAD_S + 15) * NOW_SECOND_NS);
	assert_memory_equal(&w.asked, &given[0], sizeof given[0]); /* for the second proof */
	w.questions = 0;
	answer(&w, "its-second-value-0123456789-0123456789-0123");
	assert_int_equal(w.questions, 1);
	assert_int_equal(proven_n, 0);
	wait(&w);
	assert_int_equal(w.questions, 1);
	assert_int_equal(proven_n, 2);
	end(&w);
	is_second_elsewhere = false;
}

/* It is as good as silent, and holds nothing up for ever. */
static void
a_server_that_cannot_be_looked_up(void **state)
{
	(void)state;
	struct world w = { .base.has_no_lookups = true };
	begin_to_ask(&w);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	while (proven_n == 0) {
		wait(&w);
	}
	assert_in_range(w.now.wall_s, START_S, START_S + CERTIFIER_DEAD_S + 15);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_without_name_servers),
		cmocka_unit_test(a_set_too_large_for_udp),
		cmocka_unit_test(a_set_that_does_not_come_over_tcp),
		cmocka_unit_test(proofs_at_one_name),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(a_silent_server_of_two),
		cmocka_unit_test(a_server_that_cannot_be_looked_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
