#include "zone/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "zone/load.h"

#define SOA "@ SOA ns1 hostmaster 1 7200 900 1209600 300\n"
#define HEAD "$TTL 3600\n" SOA "@ NS ns1\nns1 A 192.0.2.1\n"

/* Codes in the order in which they came, errors with a "!", what is unwise with a "?". */
static void
note_code(void *ctx, const struct diag *d)
{
	struct str *codes = ctx;
	str_printf(codes, "%s%s%s", codes->len != 0 ? " " : "", d->level == DIAG_ERROR ? "!" : d->level == DIAG_UNWISE ? "?" : "", d->code);
}

static struct zone *
loaded(const char *apex, const char *text, struct str *codes)
{
	struct name name;
	struct zone *z = NULL;
	struct load_result result;
	const struct diag_sink sink = { .report = note_code, .ctx = codes };
	assert_int_equal(name_parse(apex, strlen(apex), NULL, &name), OK);
	const struct master_reader reader = { .apex = name.oct, .file = "zone", .sink = &sink };
	err_t err = zone_load(&reader, text, strlen(text), SIZE_MAX, &z, &result);
	assert_int_equal(err, result.errors != 0 ? E_FORMAT : OK);
	assert_true((z != NULL) == (err == OK));
	return z;
}

/* HEAD and these lines in a zone give these codes and no others. */
struct row {
	const char *lines, *codes;
};

static void
run_rows(const char *apex, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str codes = { 0 }, text = { 0 };
		str_printf(&text, HEAD "%s", rows[i].lines);
		struct zone *z = loaded(apex, str_text(&text), &codes);
		if (strcmp(str_text(&codes), rows[i].codes) != 0) {
			print_error("%s\n", rows[i].lines);
		}
		assert_string_equal(str_text(&codes), rows[i].codes);
		zone_free(&z);
		str_fini(&codes);
		str_fini(&text);
	}
}

static void
glue_is_demanded_where_it_is_needed(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "sub NS ns.sub\n", "?missing-glue" },
		{ "sub NS ns.sub\nns.sub A 192.0.2.2\n", "" },
		{ "sub NS NS.sub\nns.SUB AAAA 2001:db8::1\n", "" },
		{ "sub NS a.b.c.sub\na.b.c.sub A 192.0.2.2\n", "" },
		{ "sub NS sub\nsub A 192.0.2.2\n", "" },
		{ "sub NS sub\n", "?missing-glue" },
		{ "sub NS ns1\n", "" },
		{ "sub NS ns.example.org.\n", "" },
		{ "sub NS ns.sub\nns.sub TXT x\n", "?missing-glue below-cut" },
		{ "sub NS ns.sub\n*.sub A 192.0.2.2\n", "?missing-glue unused-glue" },
		{ "a NS ns.b\nb NS ns.a\nns.a A 192.0.2.2\nns.b A 192.0.2.3\n", "" },
		{ "a NS ns.b\nb NS ns1\n", "missing-sibling-glue" },
		{ "a NS ns.b\nb NS ns1\nns.b A 192.0.2.3\n", "" },
		{ "@ NS ns.b\nb NS ns1\nns.b A 192.0.2.3\n", "" },
		{ "b NS ns1\nx.b A 192.0.2.3\nb A 192.0.2.4\n", "unused-glue unused-glue" },
		{ "sub NS ns.sub\nns.sub A 192.0.2.2\nsub TXT x\nsub MX 0 .\n", "below-cut below-cut" },
		{ "sub NS ns1\nsub DS 1 13 2 00\n", "!bad-rdata" },
		{ "sub NS ns1\nd.e.sub NS ns1\n", "below-cut" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
iterations_that_nobody_follows(void **state)
{
	(void)state;
#define CHAIN(n) "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 " n " - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NS SOA\n"
	static const struct row rows[] = {
		{ "@ NSEC3PARAM 1 0 0 -\n" CHAIN("0"), "" },
		{ "@ NSEC3PARAM 1 0 150 -\n" CHAIN("150"), "" },
		{ "@ NSEC3PARAM 1 0 151 -\n" CHAIN("151"), "?many-iterations" },
		{ "@ NSEC3PARAM 1 0 65535 -\n@ NSEC3PARAM 1 0 1 -\n" CHAIN("65535") CHAIN("1"), "" },
		{ "@ NSEC3PARAM 1 0 151 -\n", "" }, /* there is no chain */
	};
#undef CHAIN
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
much_glue_is_demanded_too(void **state)
{
	(void)state;
	struct str text = { 0 }, codes = { 0 };
	str_cat(&text, HEAD);
	for (int i = 0; i < 200; i++) {
		str_printf(&text, "sub NS n%d.sub\n", i);
	}
	for (int i = 1; i < 200; i++) {
		str_printf(&text, "n%d.sub A 192.0.2.1\n", i);
	}
	struct zone *z = loaded("example.com.", str_text(&text), &codes);
	assert_string_equal(str_text(&codes), "?missing-glue");
	zone_free(&z);
	str_fini(&text);
	str_fini(&codes);
}

static void
targets_have_addresses(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "@ NS ns2\n", "?ns-no-address" },
		{ "@ NS ns2\nns2 TXT x\n", "?ns-no-address" },
		{ "@ NS ns2\nns2 CNAME ns1\n", "?ns-alias" },
		{ "@ NS .\n", "?ns-no-address" },
		{ "@ NS ns.w\n*.w A 192.0.2.1\n", "" },
		{ "@ NS ns.w\n*.w CNAME ns1\n", "?ns-alias" },
		{ "@ NS ns.w\n*.w TXT x\n", "?ns-no-address" },
		{ "@ NS ns.d\nd DNAME example.org.\n", "?ns-alias" },
		{ "sub NS none\n", "?ns-no-address" },
		{ "@ MX 10 mx\n", "mx-no-address" },
		{ "@ MX 10 mx\nmx CNAME ns1\n", "mx-alias" },
		{ "@ MX 10 ns1\n", "" },
		{ "@ MX 0 .\n", "" },
		{ "@ MX 0 .\n@ MX 10 ns1\n", "null-mx" },
		{ "h A 192.0.2.1\nh MX 10 h\ni MX 10 i\n", "mx-no-address" },
		{ "@ MX 10 mx.sub\nsub NS ns1\n", "" },
		{ "_s._tcp SRV 0 0 1 none\n_t._tcp SRV 0 0 0 .\n", "srv-no-address" },
		{ "_s._tcp SRV 0 0 1 al\nal CNAME ns1\n", "srv-alias" },
		{ "w CNAME none\n", "target-missing" },
		{ "w CNAME @\nv CNAME example.org.\nu CNAME www.sub\nsub NS ns1\n", "" },
		{ "w HTTPS 0 none\nv HTTPS 1 . alpn=h2\n", "target-missing" },
		{ "a CNAME b\nb CNAME c\nc CNAME a\n", "cname-loop cname-loop cname-loop" },
		{ "a CNAME a\n", "cname-loop" },
		{ "a CNAME b\nb CNAME c\nc CNAME b\n", "cname-chain cname-loop cname-loop" },
		{ "d DNAME e.d\n", "dname-loop" },
		{ "d DNAME e\n", "" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
slips_of_the_pen_are_seen(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "example.com A 192.0.2.1\n", "forgotten-dot" },
		{ "www.example.com A 192.0.2.1\nwwwexample.com A 192.0.2.1\n", "forgotten-dot" },
		{ "@ NS ns1.example.com\n", "forgotten-dot ?ns-no-address" },
		{ "@ MX 10 mail.Example.com\n", "forgotten-dot" },
		{ "@ MX 10 192.0.2.1\n@ MX 20 192.0.2.2.\nw CNAME 1.2.3.400.\n", "address-as-name address-as-name" },
		{ "@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf10\"\n", "" },
		{ "@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf1\"\n", "spf-twice" },
		{ "x SPF \"v=spf1 -all\"\n", "obsolete-type" },
		{ "a\\,b A 192.0.2.1\na@b A 192.0.2.1\na_b A 192.0.2.1\n", "odd-name odd-name" },
		{ "w DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n", "ds-place" },
		{ "w CSYNC 1 0 A\n@ CSYNC 1 0 A\n", "apex-only" },
		/* RFC 9615 4.1 */
		{ "_dsboot.example.org._signal.ns1 CDS 0 0 0 00\n_DSBOOT.a.b._Signal.ns1 CDNSKEY 0 3 0 AA==\n", "" },
		{ "_dsboot.ns1 CDS 0 0 0 00\nx._dsboot.y._signal CDS 0 0 0 00\n", "apex-only apex-only" },
		{ "_dsboot.example.org._signal.ns1 CSYNC 1 0 A\n", "apex-only" },
		{ "w RRSIG TXT 13 3 60 20300101000000 20200101000000 1 @ AAAA\n", "rrsig-alone" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
one_label_zones_may_repeat_it(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "test A 192.0.2.1\n", "" },
		{ "test NS ns.test\nns.test A 192.0.2.1\n", "" },
		{ "www.test A 192.0.2.1\n", "forgotten-dot" },
	};
	run_rows("test.", rows, ARRAY_LEN(rows));
	static const struct row root[] = { { "ns1.x A 192.0.2.1\nx NS ns1.x\n", "" } };
	run_rows(".", root, ARRAY_LEN(root));
}

static void
reverse_zones_point_out(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "1 PTR host.example.com.\n", "" },
		{ "1 PTR host.example.com\n", "forgotten-dot" },
		{ "1 CNAME 1.0-25\n1.0-25 PTR host.example.com.\n", "" },
	};
	run_rows("2.0.192.in-addr.arpa.", rows, ARRAY_LEN(rows));
}

static void
wildcards_stand_where_they_belong(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "* A 192.0.2.1\n*.a TXT x\n", "" },
		{ "* NS ns1\n", "wildcard-type" },
		{ "*.x DNAME example.org.\n", "wildcard-type" },
		{ "a.*.b A 192.0.2.1\n*.*.c A 192.0.2.1\n", "inner-wildcard inner-wildcard" },
		{ "*a A 192.0.2.1\n", "partial-wildcard" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
nothing_is_below_a_dname(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "d DNAME example.org.\nd TXT x\n", "" },
		{ "d DNAME example.org.\nx.d TXT x\ny.x.d A 192.0.2.1\n", "!below-dname !below-dname" },
		{ "d DNAME example.org.\nd NS ns1\n", "!dname-at-cut" },
		{ "d DNAME example.org.\ne A 192.0.2.1\n", "" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
the_soa_is_plausible(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "@ SOA ns1 hostmaster 1 7200 900 1209600 300\n", "" },
		{ "@ SOA ns1 a@b 1 7200 900 1209600 300\n", "soa-rname" },
		{ "@ SOA ns1 a.example.com 1 7200 900 1209600 300\n", "forgotten-dot" },
		{ "@ SOA ns1 hostmaster 1 900 900 1209600 300\n", "soa-times" },
		{ "@ SOA ns1 hostmaster 1 7200 900 8100 300\n", "soa-times" },
		{ "@ SOA ns1 hostmaster 1 4294967295 4294967294 4294967295 300\n", "soa-times" },
		{ "@ SOA ns1 hostmaster 1 7200 900 1209600 86401\n", "soa-times" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str codes = { 0 }, text = { 0 };
		str_printf(&text, "$TTL 60\n%s@ NS ns1\nns1 A 192.0.2.1\n", rows[i].lines);
		struct zone *z = loaded("example.com.", str_text(&text), &codes);
		assert_non_null(z);
		assert_string_equal(str_text(&codes), rows[i].codes);
		zone_free(&z);
		str_fini(&codes);
		str_fini(&text);
	}
}

static void
errors_of_syntax_hide_no_others(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "x A 192.0.2\nd DNAME example.org.\ny.d TXT x\n", "!bad-rdata !below-dname" },
		{ "x A 192.0.2\n@ NS x\n@ MX 1 x\nw CNAME x\n", "!bad-rdata" }, /* what is missing may be what is bad */
		{ "x A 192.0.2\nwww.example.com A 192.0.2.1\n", "!bad-rdata forgotten-dot" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
}

static void
errors_of_the_builder_hide_no_others(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "c CNAME ns1\nc A 192.0.2.1\nsub NS ns.sub\n", "!cname-and-other ?missing-glue" },
		{ "x.example.org. A 192.0.2.1\n@ MX 10 none\n", "!out-of-zone mx-no-address" },
		{ "s SOA ns1 h 1 2 3 4 5\nd DNAME example.org.\nx.d A 192.0.2.1\n", "!soa-not-at-apex !below-dname" },
	};
	run_rows("example.com.", rows, ARRAY_LEN(rows));
	struct str codes = { 0 };
	assert_null(loaded("example.com.", "$TTL 60\nsub NS ns.sub\n", &codes));
	assert_non_null(strstr(str_text(&codes), "!no-soa"));
	assert_non_null(strstr(str_text(&codes), "?missing-glue"));
	str_fini(&codes);
}

/* The zone of a server that is lost is served, as BIND (below the apex), Knot and NSD do; that of which all are lost is not, as BIND
 * does: but for those below a delegation, and the root, which BIND passes. */
static void
a_zone_without_any_server_is_an_error(void **state)
{
	(void)state;
	static const char none[] = "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n";
	static const struct row rows[] = {
		{ "@ NS ns9\n", "!ns-no-address" },
		{ "@ NS ns1\nns1 TXT x\n", "!ns-no-address" },
		{ "@ NS @\n", "!ns-no-address" },
		{ "@ NS a\n@ NS b\na CNAME h\nh A 192.0.2.1\n", "!ns-alias !ns-no-address" },
		{ "@ NS ns.d\nd DNAME example.org.\n", "!ns-alias" },
		{ "@ NS ns.w\n*.w TXT x\n", "!ns-no-address" },
		{ "@ NS ns.w\n*.w A 192.0.2.1\n", "" },
		{ "@ NS ns9\n@ NS ns.example.org.\n", "?ns-no-address" },
		{ "@ NS a\n@ NS b\na CNAME b\nb A 192.0.2.1\n", "?ns-alias" },
		{ "@ NS .\n", "?ns-no-address" },
		{ "@ NS ns.s\ns NS ns.example.org.\n", "missing-sibling-glue" },
		{ "@ NS s\ns NS s\n", "missing-sibling-glue ?missing-glue" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str codes = { 0 }, text = { 0 };
		str_printf(&text, "%s%s", none, rows[i].lines);
		struct zone *z = loaded("example.com.", str_text(&text), &codes);
		assert_string_equal(str_text(&codes), rows[i].codes);
		zone_free(&z);
		str_fini(&codes);
		str_fini(&text);
	}
}

static void
what_weighs_more_is_seen_behind_a_thousand_warnings(void **state)
{
	(void)state;
	struct str text = { 0 }, codes = { 0 };
	str_cat(&text, HEAD);
	for (int i = 0; i < FINDINGS_MAX + 500; i++) {
		str_printf(&text, "a MX %d none\n", i);
	}
	str_cat(&text, "b NS ns.b\nc NS ns.c\n");
	struct zone *z = loaded("example.com.", str_text(&text), &codes);
	assert_non_null(z);
	zone_free(&z);
	assert_non_null(strstr(str_text(&codes), "mx-no-address ?missing-glue ?missing-glue"));
	str_fini(&text);
	str_fini(&codes);
}

static struct zone *
with_serial(uint32_t serial, const char *lines)
{
	struct str codes = { 0 }, text = { 0 };
	str_printf(&text, "$TTL 60\n@ SOA ns1 hostmaster %u 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n%s", serial,
	           lines);
	struct zone *z = loaded("example.com.", str_text(&text), &codes);
	assert_non_null(z);
	str_fini(&codes);
	str_fini(&text);
	return z;
}

static void
a_change_wants_a_newer_serial(void **state)
{
	(void)state;
	static const struct {
		uint32_t old_serial, new_serial;
		const char *old_lines, *new_lines;
		const char *hint; /* NULL: it is fine */
	} rows[] = {
		{ 1, 1, "", "", NULL },
		{ 1, 2, "", "", NULL },
		{ 1, 2, "", "a A 192.0.2.1\n", NULL },
		{ 1, 1, "", "a A 192.0.2.1\n", "write 2" },
		{ 1, 1, "a A 192.0.2.1\n", "", "write 2" },
		{ 1, 1, "a 5 A 192.0.2.1\n", "a 6 A 192.0.2.1\n", "write 2" },
		{ 7, 5, "", "a A 192.0.2.1\n", "write 8" },
		{ 7, 5, "", "", "write 8" },
		{ 4294967295, 0, "", "a A 192.0.2.1\n", NULL },
		{ 4294967295, 4294967295, "", "a A 192.0.2.1\n", "write 0" },
		{ 0, 2147483647, "", "a A 192.0.2.1\n", NULL },
		{ 0, 2147483648, "", "a A 192.0.2.1\n", "write 1" },
		{ 2026010101, 2026010101, "", "a A 192.0.2.1\n", "write 2026010102" },
		{ 2026112801, 2025112801, "", "a A 192.0.2.1\n", "write 2026112802" },
		{ 4294967294, 2147483646, "", "a A 192.0.2.1\n", "write 4294967295" },
		{ 1, 2147483649, "", "", "write 2" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct findings f = { 0 };
		struct zone *old = with_serial(rows[i].old_serial, rows[i].old_lines);
		struct zone *new = with_serial(rows[i].new_serial, rows[i].new_lines);
		bool is_back = rows[i].old_serial != rows[i].new_serial;
		assert_int_equal(zone_check_serial(old, new, false, &f), OK);
		assert_int_equal(f.errors, rows[i].hint != NULL ? 1 : 0);
		if (rows[i].hint != NULL) {
			assert_string_equal(f.list[0].code, is_back ? "serial-back" : "serial-not-newer");
			assert_memory_equal(f.list[0].hint, rows[i].hint, strlen(rows[i].hint));
		}
		findings_fini(&f);
		f = (struct findings){ 0 }; /* where the primary writes serials, going back is worth a word all the same */
		assert_int_equal(zone_check_serial(old, new, true, &f), OK);
		assert_int_equal(f.errors, 0);
		assert_int_equal(f.n, rows[i].hint != NULL && is_back ? 1 : 0);
		findings_fini(&f);
		zone_free(&old);
		zone_free(&new);
	}
}

static void
other_fields_of_the_soa_count(void **state)
{
	(void)state;
	struct str codes = { 0 };
	struct findings f = { 0 };
	struct zone *a = loaded("example.com.", HEAD, &codes);
	struct zone *b = loaded("example.com.",
	                        "$TTL 3600\n@ SOA ns1 hostmaster 1 7200 901 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n",
	                        &codes);
	assert_int_equal(zone_check_serial(a, b, false, &f), OK);
	assert_int_equal(f.errors, 1);
	findings_fini(&f);
	zone_free(&a);
	zone_free(&b);
	str_fini(&codes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(glue_is_demanded_where_it_is_needed),
		cmocka_unit_test(iterations_that_nobody_follows),
		cmocka_unit_test(much_glue_is_demanded_too),
		cmocka_unit_test(targets_have_addresses),
		cmocka_unit_test(slips_of_the_pen_are_seen),
		cmocka_unit_test(one_label_zones_may_repeat_it),
		cmocka_unit_test(reverse_zones_point_out),
		cmocka_unit_test(wildcards_stand_where_they_belong),
		cmocka_unit_test(nothing_is_below_a_dname),
		cmocka_unit_test(the_soa_is_plausible),
		cmocka_unit_test(errors_of_syntax_hide_no_others),
		cmocka_unit_test(errors_of_the_builder_hide_no_others),
		cmocka_unit_test(a_zone_without_any_server_is_an_error),
		cmocka_unit_test(what_weighs_more_is_seen_behind_a_thousand_warnings),
		cmocka_unit_test(a_change_wants_a_newer_serial),
		cmocka_unit_test(other_fields_of_the_soa_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
