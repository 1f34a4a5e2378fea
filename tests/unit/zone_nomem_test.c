/* Every allocation of a build and of a transaction fails once, and with it all after it: the answer is E_NOMEM, nothing
 * is lost and nothing is freed twice (which the sanitizers see).  Linked with --wrap, see meson.build. */
#include "nomem.h"
#include "zone_text.h"

/* Every kind of thing that a builder does: owners that come back, duplicates, delegations, NSEC3, empty names. */
#define HASH "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
static const char *const records[] = {
	"@ 3600 SOA ns1 hostmaster 7 7200 3600 1209600 300", "@ 3600 NS ns1", "ns1 3600 A 192.0.2.1",
	"a.b.c 300 A 192.0.2.1", "sub 300 NS ns.sub", "ns.sub 300 A 192.0.2.1", "x 300 A 192.0.2.1",
	"y 300 A 192.0.2.1", "z 300 A 192.0.2.1", "w 300 A 192.0.2.1", "x 300 A 192.0.2.2", "x 300 A 192.0.2.2",
	"sub 60 NS ns1.sub", HASH " 300 NSEC3 1 1 12 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
	HASH " 300 RRSIG NSEC3 13 2 300 20300101000000 20200101000000 1 example. AAAA", "q1 1 TXT q", "q2 1 TXT q",
	"q3 1 TXT q", "q4 1 TXT q", "q5 1 TXT q", "q6 1 TXT q", "q7 1 TXT q", "q8 1 TXT q", "*.q8 1 TXT q",
	"y 300 TXT late",
};

static err_t
build(const struct text_rr *rrs, struct findings *f, struct zone **out)
{
	struct zone_builder *b = NULL;
	err_t err = zone_builder_new(example, f, &b);
	for (size_t i = 0; i < ARRAY_LEN(records) && err == OK; i++) {
		err = zone_builder_add(b, rrs[i].owner.oct, rrs[i].type, rrs[i].ttl, rrs[i].rdata, rrs[i].rdlen);
	}
	if (err == OK) {
		err = zone_builder_finish(b, out);
	}
	zone_builder_free(&b);
	return err;
}

static struct text_rr *
read_records(void)
{
	static struct text_rr rrs[ARRAY_LEN(records)];
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		rrs[i] = text_rr(records[i], example);
	}
	return rrs;
}

static void
builds_without_memory(void **state)
{
	(void)state;
	const struct text_rr *rrs = read_records();
	size_t n = 0;
	do {
		struct findings f = { 0 };
		struct zone *z = NULL;
		fail_after(n++);
		err_t err = build(rrs, &f, &z);
		is_failing = false;
		/* A finding that could not be kept is counted; that alone is no reason to fail. */
		assert_true(err == (z != NULL ? OK : E_NOMEM));
		assert_true(has_failed || err == OK);
		zone_free(&z);
		findings_fini(&f);
	} while (has_failed);
	assert_true(n > 30);
}

static const char *const changes[] = {
	"-sub 0 NS ns.sub", "-sub 0 NS ns1.sub", "+a.b 1 A 192.0.2.7", "-a.b.c 0 A 192.0.2.1", "+x 1 A 192.0.2.7",
	"+*.x.y.zz 1 A 192.0.2.7", "-w 0 A 192.0.2.1", "+new 1 NS ns.new", "+ns.new 1 A 192.0.2.7",
	"-" HASH " 300 NSEC3 1 1 12 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
};

static err_t
change(struct zone_txn *t, const struct text_rr *rrs)
{
	err_t err = OK;
	for (size_t i = 0; i < ARRAY_LEN(changes) && err == OK; i++) {
		const struct text_rr *rr = &rrs[i];
		err = changes[i][0] == '+' ? zone_txn_add(t, rr->owner.oct, rr->type, rr->ttl, rr->rdata, rr->rdlen)
		                           : zone_txn_remove(t, rr->owner.oct, rr->type, rr->rdata, rr->rdlen);
	}
	return err;
}

static void
transactions_without_memory(void **state)
{
	(void)state;
	static struct text_rr rrs[ARRAY_LEN(changes)];
	struct findings f = { 0 };
	struct zone *z = NULL, *next = NULL;
	struct garbage garbage = { 0 };
	assert_int_equal(build(read_records(), &f, &z), OK);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		rrs[i] = text_rr(changes[i] + 1, example);
	}
	size_t n = 0;
	do {
		struct zone_txn *t = NULL;
		fail_after(n++);
		err_t err = zone_txn_begin(z, &t);
		err = err == OK ? change(t, rrs) : err;
		const struct zone *prepared;
		err = err == OK ? zone_txn_prepare(t, &prepared) : err;
		if (err == OK) { /* from here on it cannot fail */
			assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
		}
		is_failing = false;
		assert_int_equal(err, has_failed ? E_NOMEM : OK);
		zone_txn_rollback(&t);
	} while (has_failed);
	assert_true(n > 30);
	garbage_free(&garbage);
	zone_free(&next);
	findings_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_without_memory),
		cmocka_unit_test(transactions_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
