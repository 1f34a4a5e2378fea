#include "zone/dump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrtype.h"
#include "zone/master.h"

static const uint8_t apex[] = "\7example";

static err_t
add(void *ctx, const struct master_rr *rr)
{
	return zone_builder_add(ctx, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
}

static struct zone *
zone_of(const char *text)
{
	struct findings f = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	struct master_counts counts;
	assert_int_equal(zone_builder_new(apex, &f, &b), OK);
	const struct master_reader r = { .apex = apex, .file = "z", .ctx = b, .record = add };
	assert_int_equal(master_read(&r, text, strlen(text), &counts), OK);
	assert_int_equal(zone_builder_finish(b, &z), OK);
	zone_builder_free(&b);
	findings_fini(&f);
	return z;
}

struct sink {
	struct str text;
	size_t writes;
	size_t fail_at; /* which write fails, from 1; 0: none */
};

static err_t
take(void *ctx, const char *text, size_t len)
{
	struct sink *s = ctx;
	str_put(&s->text, text, len);
	return ++s->writes == s->fail_at ? E_IO : OK;
}

static void
one_record(void **state)
{
	(void)state;
	struct str out = { 0 };
	const struct zone_rr rr = { (const uint8_t *)"\3a.b\7example", TYPE_MX, 300, 5, (const uint8_t *)"\0\12\1m" };
	assert_int_equal(dump_rr(&rr, &out), OK);
	assert_string_equal(out.s, "a\\.b.example.\t300\tIN\tMX\t10 m.\n");
	str_fini(&out);
}

static void
soa_first_then_canonical_order(void **state)
{
	(void)state;
	struct zone *z = zone_of("$TTL 60\n"
	                         "z A 192.0.2.3\n"
	                         "*.a A 192.0.2.1\n"
	                         "ns.a A 192.0.2.2\n"
	                         "a TXT \"x y\" z\n"
	                         "@ A 192.0.2.9\n"
	                         "@ NS ns.a\n"
	                         "@ SOA ns.a h.o 1 2 3 4 5\n"
	                         "B.a.empty AAAA ::1\n");
	struct sink s = { .fail_at = 0 };
	assert_int_equal(dump_zone(z, take, &s), OK);
	assert_string_equal(s.text.s, "example.\t60\tIN\tSOA\tns.a.example. h.o.example. 1 2 3 4 5\n"
	                              "example.\t60\tIN\tA\t192.0.2.9\n"
	                              "example.\t60\tIN\tNS\tns.a.example.\n"
	                              "a.example.\t60\tIN\tTXT\t\"x y\" \"z\"\n"
	                              "*.a.example.\t60\tIN\tA\t192.0.2.1\n"
	                              "ns.a.example.\t60\tIN\tA\t192.0.2.2\n"
	                              "B.a.empty.example.\t60\tIN\tAAAA\t::1\n"
	                              "z.example.\t60\tIN\tA\t192.0.2.3\n");
	str_fini(&s.text);
	zone_free(&z);
}

/* What was dumped, read again and dumped again, is the same text; long zones come in pieces. */
static void
dump_and_read_are_inverse(void **state)
{
	(void)state;
	struct str text = { 0 };
	str_cat(&text, "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
	               "$GENERATE 1-3000 h${0,5,d} TXT \"\\\"a $\\\" \\\\x$\"\n"
	               "\\000\\.\\@ TYPE65280 \\# 3 abcdef\nx CAA 0 issue \"ca.example; a=b\"\n");
	struct zone *z = zone_of(text.s);
	struct sink first = { .fail_at = 0 }, again = { .fail_at = 0 };
	assert_int_equal(dump_zone(z, take, &first), OK);
	assert_true(first.writes > 1);
	zone_free(&z);
	z = zone_of(first.text.s);
	assert_int_equal(dump_zone(z, take, &again), OK);
	assert_string_equal(first.text.s, again.text.s);

	struct sink failing = { .fail_at = 2 };
	assert_int_equal(dump_zone(z, take, &failing), E_IO);
	assert_int_equal(failing.writes, 2);
	zone_free(&z);
	str_fini(&failing.text);
	str_fini(&first.text);
	str_fini(&again.text);
	str_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_record),
		cmocka_unit_test(soa_first_then_canonical_order),
		cmocka_unit_test(dump_and_read_are_inverse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
