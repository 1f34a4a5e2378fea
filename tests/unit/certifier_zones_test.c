/* The certifier: zones that are not here yet, and new versions while a job is under way. */
#include "certifier_world.h"

static const uint8_t alias[] = "\3www\6proofs\4test", server[] = "\2ns\7example";
static const char PIN[] = "_443._tcp.www.example";

/* A zone that is not served, or is none of ours any more. */
static void
show(struct world *w, const char *apex, enum follow_presence presence)
{
	const struct name n = named(apex);
	struct secondary_step step;
	assert_int_equal(secondary_show(w->base.zones, n.oct, presence, w->now.wall_s, &step), OK);
	discard_free(&step.old);
	certifier_zone_changed(w->c, &w->now, n.oct);
}

/* The proof of the host is to be in another zone. */
static void
serve_alias(struct world *w)
{
	uint8_t request[4096];
	const struct record records[] = {
		{ "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 }, { "_acme-challenge.www.example", TYPE_CNAME, alias, sizeof alias },
		request_of("seed", request),
	};
	serve_records(w, "example", records, ARRAY_LEN(records));
}

static void
wait_for_order(struct world *w)
{
	while (orders_n == 0) {
		assert_false(w->is_updating);
		wait(w);
	}
}

static uint64_t
passed_s(const struct world *w)
{
	return w->now.wall_s - START_S;
}

static void
wait_without_order(struct world *w, uint64_t until_s)
{
	while (passed_s(w) < until_s) {
		wait(w);
		assert_false(w->is_updating);
		assert_int_equal(orders_n, 0);
	}
}

/* The order goes well: the proof is added in its zone. */
static void
assert_proven(struct world *w)
{
	ca_says(w->c, &w->now, ACME_ORDER_PROVE);
	assert_int_equal(w->last, CERTIFIER_BEGUN);
	updated(w, CERTIFIER_UPDATED); /* the remark */
	updated(w, CERTIFIER_UPDATED);
	assert_int_equal(w->last, CERTIFIER_PROVING);
}

static void
assert_not_proven(struct world *w)
{
	ca_says(w->c, &w->now, ACME_ORDER_PROVE);
	assert_int_equal(w->last, CERTIFIER_FAILED);
}

static void
take_action(void *ctx, const struct certifier_state *s)
{
	*(const char **)ctx = s->action;
}

static bool
is_waiting(const struct world *w)
{
	const char *action = "";
	certifier_each(w->c, &w->now, take_action, &action);
	return strstr(action, "zones") != NULL;
}

/* ---- tests ---- */

/* It is transferred after four minutes, as there are so many others. */
static void
an_order_waits_for_a_zone(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_empty(&w);
	show(&w, "proofs.test", FOLLOW_NEW);
	serve_alias(&w);
	assert_true(is_waiting(&w));
	wait_without_order(&w, 240);
	serve_records(&w, "proofs.test", NULL, 0);
	wait_for_order(&w);
	assert_true(passed_s(&w) < 250);
	assert_false(is_waiting(&w));
	assert_proven(&w);
	end(&w);
}

/* Its key names a domain, and nobody has said yet which zones there are in it. */
static void
an_order_waits_for_a_domain(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_empty(&w);
	show(&w, "test", FOLLOW_UNKNOWN);
	serve_alias(&w);
	wait_without_order(&w, 100);
	serve_records(&w, "proofs.test", NULL, 0);
	wait_for_order(&w);
	assert_proven(&w);
	end(&w);
}

/* The primary has no such zone, or it has expired: there is nothing to wait for but those that are found. */
static void
an_order_waits_for_no_zone_that_was_refused(void **state)
{
	static const enum follow_presence ends[] = { FOLLOW_FORGOTTEN, FOLLOW_EXPIRED };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct world w = { 0 };
		begin_empty(&w);
		show(&w, "proofs.test", FOLLOW_NEW);
		serve_alias(&w);
		wait_without_order(&w, 100);
		show(&w, "proofs.test", ends[i]);
		wait_for_order(&w);
		assert_true(passed_s(&w) < 110);
		assert_not_proven(&w);
		end(&w);
	}
}

static void
no_order_waits_for_ever(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_empty(&w);
	show(&w, "proofs.test", FOLLOW_NEW);
	serve_alias(&w);
	wait_for_order(&w);
	assert_in_range(passed_s(&w), CERTIFIER_ZONES_MAX_S, CERTIFIER_ZONES_MAX_S + 5);
	assert_not_proven(&w);
	updated(&w, CERTIFIER_UPDATED); /* the reason */
	const uint64_t failed_s = passed_s(&w);
	orders_n = 0;
	wait_for_order(&w); /* as it waited before, it does not again */
	assert_true(passed_s(&w) < failed_s + 2 * CERTIFIER_BACKOFF_FIRST_S);
	end(&w);
}

/* Zones that nobody knows of yet are found within a minute.  Later on none comes. */
static void
an_order_waits_for_zones_to_be_found(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_empty(&w);
	serve_alias(&w);
	wait_for_order(&w);
	assert_in_range(passed_s(&w), CERTIFIER_FIND_S, CERTIFIER_FIND_S + 5);
	assert_not_proven(&w);
	end(&w);
	begin_empty(&w); /* the primary is out of reach at first */
	show(&w, "example", FOLLOW_UNKNOWN);
	pass_time(&w.now, w.now.mono_ns + HOUR_S * NOW_SECOND_NS);
	serve_alias(&w);
	assert_int_equal(orders_n, 0);
	wait_for_order(&w);
	assert_in_range(passed_s(&w), HOUR_S + CERTIFIER_FIND_S, HOUR_S + CERTIFIER_FIND_S + 5);
	end(&w);
	begin_empty(&w);
	serve_records(&w, "example", NULL, 0);
	w.now.mono_ns += CERTIFIER_FIND_S * NOW_SECOND_NS;
	serve_alias(&w);
	assert_int_equal(orders_n, 1);
	end(&w);
}

/* It could not be changed. */
static void
no_order_waits_for_a_zone_without_a_key(void **state)
{
	(void)state;
	struct world w = { 0 };
	are_keys_narrow = true;
	begin_empty(&w);
	are_keys_narrow = false;
	show(&w, "proofs.test", FOLLOW_NEW);
	serve_alias(&w);
	assert_int_equal(orders_n, 1);
	end(&w);
}

/* TLSA records are not left out because their zone comes last. */
static void
records_for_clients_wait_for_their_zone(void **state)
{
	(void)state;
	uint8_t request[4096];
	struct world w = { 0 };
	assert_int_equal(dane_ports_add(&dane, "443"), OK);
	begin_empty(&w);
	dane = (struct dane_ports){ .n = 0 };
	show(&w, PIN, FOLLOW_NEW);
	const struct record records[] = {
		{ "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 }, { PIN, TYPE_NS, server, sizeof server }, request_of("seed", request),
	};
	serve_records(&w, "example", records, ARRAY_LEN(records));
	wait_without_order(&w, 240);
	serve_records(&w, PIN, NULL, 0);
	while (!w.is_updating) {
		wait(&w);
	}
	assert_int_equal(w.changes, 1); /* the remark; the record is in the other zone */
	updated(&w, CERTIFIER_UPDATED);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_TLSA_ADDED);
	end(&w);
}

/* Of the proof, by the follower: as the primary has it, and as it was before. */
static void
serve_proof(struct world *w, bool has_proof)
{
	static const uint8_t proof[] = "\53the-value-of-the-proof-0123456789-012345678", other[] = "\5other";
	static uint8_t request[4096];
	static struct record same; /* another one would have another signature */
	same = same.len == 0 ? request_of("seed", request) : same;
	const struct record records[] = {
		{ "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 },
		same,
		{ "_acme-challenge.www.example", TYPE_TXT, other, sizeof other - 1 },
		{ "_acme-challenge.www.example", TYPE_TXT, proof, sizeof proof - 1 },
	};
	serve_records(w, "example", records, has_proof ? 4 : 3);
}

/* It was added; the follower has not got it yet. */
static void
begin_proof(struct world *w)
{
	begin_empty(w);
	serve_proof(w, false);
	ca_says(w->c, &w->now, ACME_ORDER_PROVE);
	updated(w, CERTIFIER_UPDATED);
}

/* Nobody waits for name servers to show it. */
static void
a_proof_is_taken_away(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_proof(&w);
	serve_proof(&w, false); /* a version from before the UPDATE */
	assert_int_equal(w.last, CERTIFIER_PROVING);
	serve_proof(&w, true);
	serve_proof(&w, true);
	assert_int_equal(w.last, CERTIFIER_PROVING);
	serve_proof(&w, false);
	assert_int_equal(w.last, CERTIFIER_FAILED);
	assert_int_equal(w.changes, 3); /* proof and remark out, the reason in */
	updated(&w, CERTIFIER_UPDATED);
	orders_n = 0;
	wait_for_order(&w);
	assert_true(passed_s(&w) < 2 * CERTIFIER_BACKOFF_FIRST_S);
	end(&w);
}

/* The CA looks for itself. */
static void
a_proof_that_was_shown_may_go(void **state)
{
	(void)state;
	struct world w = { 0 };
	begin_proof(&w);
	serve_proof(&w, true);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	serve_proof(&w, false);
	assert_int_equal(w.last, CERTIFIER_SEEN);
	ca_says(w.c, &w.now, ACME_ORDER_ISSUED);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_DONE);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_waits_for_a_zone),
		cmocka_unit_test(an_order_waits_for_a_domain),
		cmocka_unit_test(an_order_waits_for_no_zone_that_was_refused),
		cmocka_unit_test(no_order_waits_for_ever),
		cmocka_unit_test(an_order_waits_for_zones_to_be_found),
		cmocka_unit_test(no_order_waits_for_a_zone_without_a_key),
		cmocka_unit_test(records_for_clients_wait_for_their_zone),
		cmocka_unit_test(a_proof_is_taken_away),
		cmocka_unit_test(a_proof_that_was_shown_may_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
