/* The certifier: nothing is left behind in DNS for ever, and no more is done about it than has to be. */
#include "certifier_world.h"

/* ---- records ---- */

static struct record
remark_of(const struct remark *r, uint8_t rdata[REMARK_RDATA_MAX])
{
	struct buf b = buf_over(rdata, REMARK_RDATA_MAX);
	assert_int_equal(remark_write(r, &b), OK);
	return (struct record){ "_status._letsencrypt._tcp.www.example", TYPE_TXT, rdata, b.len };
}

static struct record
failure_of(const struct world *w, uint8_t rdata[REMARK_RDATA_MAX])
{
	return remark_of(&(struct remark){ .kind = REMARK_FAILED, .at_s = w->now.wall_s, .tries = 1, .next_s = w->now.wall_s + 30,
	                                   .request = "01234567", .reason = "nobody knows" }, rdata);
}

static struct record
proof_of(uint64_t at_s, const char *owner, uint8_t rdata[REMARK_RDATA_MAX])
{
	return remark_of(&(struct remark){ .kind = REMARK_PROOF, .at_s = at_s, .mark = "abcdefgh", .owner = named(owner),
	                                   .value = PROOF }, rdata);
}

/* For the request with the seed "seed". */
static struct record
cert_of(const struct world *w, uint8_t rdata[4096])
{
	size_t len = make_certificate(rdata, (int64_t)w->now.wall_s - HOUR_S, true);
	return (struct record){ "_letsencrypt._tcp.www.example", TYPE_TLSA, rdata, len };
}

/* All UPDATEs that are wanted now. */
static void
update_all(struct world *w)
{
	while (w->is_updating) {
		updated(w, CERTIFIER_UPDATED);
	}
}

/* ---- tests ---- */

/* Whichever of the two a person takes back: there is nothing to wait for any more. */
static void
one_request_of_two_is_taken_back(void **state)
{
	(void)state;
	uint8_t a[4096], b[4096];
	const struct record both[] = { request_of("seed", a), request_of("other seed", b) };
	for (unsigned i = 0; i < 2; i++) {
		struct world w = { 0 };
		begin_empty(&w);
		serve_records(&w, "example", both, 2);
		assert_int_equal(w.last, CERTIFIER_REFUSED);
		update_all(&w);
		wait(&w); /* refused once more, and the pause is longer now */
		assert_int_equal(orders_n, 0);
		serve_records(&w, "example", &both[i], 1);
		assert_int_equal(orders_n, 1);
		end(&w);
	}
}

/* The one that is there already comes with another one. */
static void
a_second_request_ends_the_order(void **state)
{
	(void)state;
	uint8_t a[4096], b[4096];
	const struct record both[] = { request_of("seed", a), request_of("other seed", b) };
	for (unsigned i = 0; i < 2; i++) {
		struct world w = { 0 };
		begin_empty(&w);
		serve_records(&w, "example", &both[i], 1);
		assert_int_equal(orders_n, 1);
		serve_records(&w, "example", both, 2);
		assert_null(ordered);
		end(&w);
	}
}

static void
a_remark_goes_with_the_request(void **state)
{
	(void)state;
	uint8_t a[4096], b[4096], text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = { failure_of(&w, text), request_of("seed", a), request_of("other seed", b) };
	serve_records(&w, "example", &records[1], 2);
	update_all(&w);
	serve_records(&w, "example", records, 3);
	assert_false(w.is_updating);
	serve_records(&w, "example", records, 1);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 1);
	end(&w);
}

static void
a_remark_goes_where_a_certificate_is(void **state)
{
	(void)state;
	uint8_t request[4096], cert[4096], text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = { request_of("seed", request), cert_of(&w, cert), failure_of(&w, text) };
	serve_records(&w, "example", records, 3);
	assert_false(w.is_updating); /* the CA may want another certificate */
	ca_answers(w.c, &w.now, E_UNSUPPORTED);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 1);
	assert_int_equal(w.conditions, 0);
	end(&w);
}

/* Its remark stays until it can be removed. */
static void
a_proof_is_left_in_a_zone_that_comes_later(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	static const uint8_t txt[] = "\53" PROOF;
	struct world w = { 0 };
	begin_empty(&w);
	const struct record remark = proof_of(START_S - 1, "www.proofs.test", text), proof = { "www.proofs.test", TYPE_TXT, txt, sizeof txt - 1 };
	serve_records(&w, "example", &remark, 1);
	assert_false(w.is_updating);
	serve_records(&w, "proofs.test", &proof, 1);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 1); /* the proof */
	updated(&w, CERTIFIER_UPDATED);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 1); /* the remark */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_CLEANED);
	end(&w);
}

/* A zone above it is there, and delegates it. */
static void
a_proof_is_left_in_a_zone_below(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = {
		proof_of(START_S - 1, "_acme-challenge.www.example", text),
		{ "_acme-challenge.www.example", TYPE_NS, (const uint8_t *)"\2ns\7example", 12 },
	};
	serve_records(&w, "example", records, 2);
	assert_false(w.is_updating);
	end(&w);
}

/* Also for somebody who takes the request back each time, and brings it again. */
static void
an_hour_has_five_orders(void **state)
{
	(void)state;
	uint8_t rdata[4096];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record request = request_of("seed", rdata);
	for (unsigned i = 0; i < 2 * CERTIFIER_HOUR_MAX; i++) {
		serve_records(&w, "example", &request, 1);
		if (ordered != NULL) {
			ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		}
		update_all(&w);
		serve_records(&w, "example", NULL, 0);
		update_all(&w);
	}
	assert_int_equal(orders_n, CERTIFIER_HOUR_MAX);
	w.now.mono_ns += HOUR_S * NOW_SECOND_NS;
	w.now.wall_s += HOUR_S;
	serve_records(&w, "example", &request, 1);
	assert_int_equal(orders_n, CERTIFIER_HOUR_MAX + 1);
	end(&w);
}

static bool
is_stuck(const struct world *w)
{
	return w->last == CERTIFIER_STUCK || (w->last == CERTIFIER_BEGUN && ordered != NULL); /* the next order was due */
}

/* The request comes before the remark, in the order of names, and is due at first. */
static void
a_failure_of_an_earlier_run_holds_up_the_order(void **state)
{
	(void)state;
	uint8_t request[4096], text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = { failure_of(&w, text), request_of("seed", request) };
	serve_records(&w, "example", records, 2);
	assert_int_equal(orders_n, 0);
	w.now.mono_ns += 30 * NOW_SECOND_NS;
	w.now.wall_s += 30;
	certifier_timer(w.c, &w.now);
	assert_int_equal(orders_n, 1);
	end(&w);
}

/* Somebody may write remarks, and not change what they name. */
static void
a_remark_on_what_is_no_proof_is_none(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct remark r = { .kind = REMARK_PROOF, .at_s = START_S - 1, .mark = "abcdefgh", .owner = named("_dmarc.example"),
		                  .value = "v=DMARC1; p=reject" };
	const struct record remark = remark_of(&r, text);
	serve_records(&w, "example", &remark, 1);
	assert_false(w.is_updating);
	end(&w);
}

/* The primary is away until nobody tries any more. */
static void
lose_until_stuck(struct world *w)
{
	w->last = CERTIFIER_EVENTS;
	for (unsigned i = 0; !is_stuck(w); i++) {
		assert_true(i < 100);
		updated(w, CERTIFIER_LOST);
		if (!is_stuck(w)) {
			wait(w);
		}
	}
}

static void
take_tries(void *ctx, const struct certifier_state *s)
{
	*(unsigned *)ctx = s->tries;
}

/* It holds up the next order as one failure does, however often it cannot be removed. */
static void
what_is_left_counts_once(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX], request[4096];
	struct world w = { 0 };
	unsigned tries = 0;
	begin_empty(&w);
	const struct record records[] = { proof_of(START_S - 1, "_acme-challenge.www.example", text), request_of("seed", request) };
	serve_records(&w, "example", records, 2);
	for (unsigned cleanings = 0; cleanings < 5;) {
		if (w.is_updating) {
			lose_until_stuck(&w);
		} else if (ordered != NULL) {
			ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		} else {
			wait(&w);
			cleanings += w.is_updating;
		}
	}
	certifier_each(w.c, &w.now, take_tries, &tries);
	assert_int_equal(tries, 1 + orders_n);
	end(&w);
}

static void
what_is_left_is_removed_when_that_is_possible(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record remark = proof_of(START_S - 1, "_acme-challenge.www.example", text);
	serve_records(&w, "example", &remark, 1);
	lose_until_stuck(&w);
	wait(&w);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 2);
	end(&w);
}

/* By an UPDATE whose answer was lost, for instance. */
static void
a_certificate_that_is_there_is_not_replaced(void **state)
{
	(void)state;
	uint8_t request[4096], cert[4096];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = {
		{ "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 }, request_of("seed", request), cert_of(&w, cert),
	};
	serve_records(&w, "example", records, 2);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	answer(&w, "the-value-of-the-proof-0123456789-012345678");
	ca_says(w.c, &w.now, ACME_ORDER_ISSUED);
	assert_int_equal(w.conditions, 1);
	updated(&w, CERTIFIER_UNMET);
	serve_records(&w, "example", records, 3);
	wait(&w);
	assert_int_equal(w.conditions, 0);
	assert_int_equal(w.changes, 2); /* proof and remark */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_DONE);
	end(&w);
}

/* A proof of this account comes when no order is under way: of another oacme, or by an UPDATE that took long. */
static void
a_proof_that_comes_late(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	serve_records(&w, "example", NULL, 0);
	const struct record remark = proof_of(START_S + 1, "_acme-challenge.www.example", text);
	serve_records(&w, "example", &remark, 1);
	assert_false(w.is_updating);
	wait(&w);
	assert_true(w.now.wall_s >= START_S + 2 * HOUR_S && w.now.wall_s < START_S + 3 * HOUR_S);
	assert_true(w.is_updating);
	assert_int_equal(w.changes, 2);
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_CLEANED);
	serve_records(&w, "example", NULL, 0);
	assert_int_equal(certifier_stats(w.c)->hosts, 0);
	end(&w);
}

/* An UPDATE without an answer may be carried out late: so a proof in another zone is not removed before that. */
static void
a_proof_that_may_return(void **state)
{
	(void)state;
	static const uint8_t alias[] = "\3www\6proofs\4test";
	uint8_t request[4096];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = {
		{ "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 }, { "_acme-challenge.www.example", TYPE_CNAME, alias, sizeof alias },
		request_of("seed", request),
	};
	serve_records(&w, "proofs.test", NULL, 0);
	serve_records(&w, "example", records, 3);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED); /* the remark */
	updated(&w, CERTIFIER_LOST);
	const uint64_t lost_s = w.now.wall_s;
	wait(&w);
	updated(&w, CERTIFIER_UPDATED);
	ca_says(w.c, &w.now, ACME_ORDER_FAILED);
	assert_false(w.is_updating);
	wait(&w);
	assert_true(w.now.wall_s >= lost_s + 120);
	assert_int_equal(w.changes, 1); /* the proof */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.changes, 2); /* the remark goes, the reason comes */
	updated(&w, CERTIFIER_UPDATED);
	assert_false(w.is_updating);
	end(&w);
}

/* In the zone of its remark, with a key of its own. */
static void
a_proof_with_another_key_may_return(void **state)
{
	(void)state;
	uint8_t request[4096];
	struct world w = { 0 };
	are_keys_narrow = true;
	begin_empty(&w);
	are_keys_narrow = false;
	const struct record records[] = { { "ns.example", TYPE_A, (const uint8_t *)"\x7F\0\0\1", 4 }, request_of("seed", request) };
	serve_records(&w, "example", records, 2);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED); /* the remark */
	assert_int_equal(w.changes, 1);
	updated(&w, CERTIFIER_LOST);
	const uint64_t lost_s = w.now.wall_s;
	wait(&w);
	updated(&w, CERTIFIER_UPDATED);
	ca_says(w.c, &w.now, ACME_ORDER_FAILED);
	assert_false(w.is_updating);
	wait(&w);
	assert_true(w.now.wall_s >= lost_s + 120);
	update_all(&w);
	end(&w);
}

/* Its time would come in a year. */
static void
a_proof_from_the_future(void **state)
{
	(void)state;
	uint8_t text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	serve_records(&w, "example", NULL, 0);
	const struct record remark = proof_of(START_S + YEAR_S, "_acme-challenge.www.example", text);
	serve_records(&w, "example", &remark, 1);
	assert_true(w.is_updating);
	end(&w);
}

/* Only the UPDATE that would say why it failed: so proofs that come are those of another oacme. */
static void
an_order_without_proofs_leaves_none(void **state)
{
	(void)state;
	uint8_t request[4096], text[REMARK_RDATA_MAX];
	struct world w = { 0 };
	begin_empty(&w);
	const struct record records[] = { request_of("seed", request), proof_of(START_S + 1, "_acme-challenge.www.example", text) };
	serve_records(&w, "example", records, 1);
	ca_says(w.c, &w.now, ACME_ORDER_FAILED);
	while (orders_n == 1) {
		updated(&w, CERTIFIER_LOST);
		if (orders_n == 1) {
			wait(&w);
		}
	}
	ca_says(w.c, &w.now, ACME_ORDER_FAILED); /* that was told in this hour */
	serve_records(&w, "example", records, 2);
	assert_false(w.is_updating);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_of_two_is_taken_back),
		cmocka_unit_test(a_second_request_ends_the_order),
		cmocka_unit_test(a_remark_goes_with_the_request),
		cmocka_unit_test(a_remark_goes_where_a_certificate_is),
		cmocka_unit_test(a_proof_is_left_in_a_zone_that_comes_later),
		cmocka_unit_test(a_proof_is_left_in_a_zone_below),
		cmocka_unit_test(an_hour_has_five_orders),
		cmocka_unit_test(a_failure_of_an_earlier_run_holds_up_the_order),
		cmocka_unit_test(a_remark_on_what_is_no_proof_is_none),
		cmocka_unit_test(what_is_left_counts_once),
		cmocka_unit_test(what_is_left_is_removed_when_that_is_possible),
		cmocka_unit_test(a_certificate_that_is_there_is_not_replaced),
		cmocka_unit_test(a_proof_that_comes_late),
		cmocka_unit_test(a_proof_that_may_return),
		cmocka_unit_test(a_proof_with_another_key_may_return),
		cmocka_unit_test(a_proof_from_the_future),
		cmocka_unit_test(an_order_without_proofs_leaves_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
