/* The catalog zone follows the zones that there are, and shows itself to secondaries alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/answer.h"
#include "auth/catalog.h"
#include "auth/primary.h"
#include "base/str.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "octets.h"
#include "serve.h"
#include "zone/dump.h"

static const char ZONE[] = "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
static const char ZONE_2[] = "$TTL 60\n@ SOA ns host 2 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.2\n";

enum { T0 = 1000000 };

static struct primary *
begin(void)
{
	struct primary_conf conf = { .delete_zones_percent = 100, .delete_records_percent = 100 };
	static const struct primary_log log;
	assert_int_equal(name_parse("catalog.example.org", 19, NULL, &conf.catalog), OK);
	return primary_new(&conf, &log);
}

/* One change, as a commit at that time; text NULL removes the file. */
static void
commit(struct primary *p, const char *path, const char *text, uint64_t now_s)
{
	struct source_change change = { .kind = text != NULL ? SOURCE_PUT : SOURCE_REMOVE, .path = path,
		                        .bytes = (const uint8_t *)text, .len = text != NULL ? strlen(text) : 0 };
	struct source_commit c = { .id = "c0ffee", .changes = &change, .n = 1, .open = serve_no_file, .close = serve_close, .now_s = now_s };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	assert_int_equal(primary_apply(p, &c, &outcome, &view, &old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	discard_free(&old);
	assert_octets_are_counted(p);
}

static err_t
append(void *ctx, const char *text, size_t len)
{
	str_put(ctx, text, len);
	return OK;
}

static const struct zone *
catalog_of(const struct primary *p)
{
	return primary_view(p)->catalog;
}

/* Without its first record, the SOA. */
static char *
members(const struct primary *p)
{
	struct str s = { 0 };
	assert_int_equal(dump_zone(catalog_of(p), append, &s), OK);
	char *rest = strdup(strchr(s.s, '\n') + 1);
	str_fini(&s);
	return rest;
}

static void
assert_members(const struct primary *p, const char *want)
{
	char *got = members(p);
	assert_string_equal(got, want);
	free(got);
}

#define FRAME "catalog.example.org.\t0\tIN\tNS\tinvalid.\n"
#define VERSION "version.catalog.example.org.\t0\tIN\tTXT\t\"2\"\n"
#define EXAMPLE "1db8efa7dcb348bda7893fca1d8badfdb6996b01.zones.catalog.example.org.\t0\tIN\tPTR\texample.\n"
#define OTHER "c4d5da599026fa1d35a5a5656a859d5a1987542e.zones.catalog.example.org.\t0\tIN\tPTR\tother.\n"

static void
it_follows_the_zones(void **state)
{
	(void)state;
	struct primary *p = begin();
	commit(p, "README", "no zone\n", T0);
	assert_members(p, FRAME VERSION);
	assert_int_equal(catalog_of(p)->serial, T0);
	assert_int_equal(view_zones_n(primary_view(p)), 0);
	commit(p, "example", ZONE, T0);
	assert_members(p, FRAME VERSION EXAMPLE);
	assert_int_equal(catalog_of(p)->serial, T0 + 1); /* not twice the same */
	commit(p, "other", ZONE, T0 + 500);
	assert_members(p, FRAME VERSION EXAMPLE OTHER);
	assert_int_equal(catalog_of(p)->serial, T0 + 500);
	const struct zone *before = catalog_of(p);
	commit(p, "example", ZONE_2, T0 + 600);
	assert_ptr_equal(catalog_of(p), before); /* what is in a zone does not concern it */
	commit(p, "example", NULL, T0); /* a clock that was set back */
	assert_members(p, FRAME VERSION OTHER);
	assert_int_equal(catalog_of(p)->serial, T0 + 501);
	assert_int_equal(catalog_of(p)->history.n, 3);
	assert_int_equal(view_zones_n(primary_view(p)), 1);
	primary_free(&p);
}

static void
random_changes_end_where_a_new_one_begins(void **state)
{
	(void)state;
	enum { NAMES = 40, STEPS = 500 };
	bool is_there[NAMES] = { false };
	char path[NAMES][16];
	struct primary *p = begin(), *fresh = begin();
	srand(1);
	for (unsigned i = 0; i < NAMES; i++) {
		(void)snprintf(path[i], sizeof path[i], "z%u.%s", i, i % 3 == 0 ? "example" : "net");
	}
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)rand() % NAMES;
		is_there[i] = !is_there[i];
		commit(p, path[i], is_there[i] ? ZONE : NULL, T0 + step / 2);
	}
	commit(fresh, "README", "", T0);
	for (unsigned i = 0; i < NAMES; i++) {
		if (is_there[i]) {
			commit(fresh, path[i], ZONE, T0);
		}
	}
	char *want = members(fresh);
	assert_members(p, want);
	assert_int_equal(catalog_of(p)->records, catalog_of(fresh)->records);
	free(want);
	primary_free(&p);
	primary_free(&fresh);
}

static void
a_file_cannot_have_its_name(void **state)
{
	(void)state;
	struct primary *p = begin();
	commit(p, "catalog.example.org", ZONE, T0);
	assert_members(p, FRAME VERSION);
	commit(p, "Catalog.Example.Org", ZONE, T0);
	assert_members(p, FRAME VERSION);
	primary_free(&p);
}

static unsigned
rcode_from(const struct primary *p, const struct peer *peer, const char *key_name, bool is_axfr_open)
{
	uint8_t wire[512] = { 0 };
	struct name name, key;
	struct answer answer;
	struct reply r = { .wire = wire, .cap = sizeof wire };
	assert_int_equal(name_parse("version.catalog.example.org", 27, NULL, &name), OK);
	r.len = (size_t)DNS_HEADER_LEN + name.len + 4;
	memcpy(wire + DNS_HEADER_LEN, name.oct, name.len);
	struct question q = { .name = name.oct, .type = TYPE_TXT, .is_axfr_open = is_axfr_open, .peer = peer };
	if (key_name != NULL) {
		assert_int_equal(name_parse(key_name, strlen(key_name), NULL, &key), OK);
		q.key = keystore_find(primary_view(p)->keys, key.oct);
		assert_non_null(q.key);
	}
	answer_query(primary_view(p), &q, &r, &answer);
	return answer.rcode;
}

static unsigned
rcode_of(const struct primary *p, const char *key_name, bool is_axfr_open)
{
	return rcode_from(p, NULL, key_name, is_axfr_open);
}

static void
only_secondaries_see_it(void **state)
{
	(void)state;
	struct primary *p = begin();
	commit(p, "example", ZONE, T0);
	commit(p, "_keys",
	       "a._transfer. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	       "b._notify. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	       "c._update.catalog.example.org. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	       "d._transfer.example. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	       T0);
	assert_int_equal(rcode_of(p, NULL, false), RCODE_REFUSED);
	assert_int_equal(rcode_of(p, "b._notify.", false), RCODE_REFUSED);
	assert_int_equal(rcode_of(p, "d._transfer.example.", false), RCODE_REFUSED);
	assert_int_equal(rcode_of(p, "a._transfer.", false), RCODE_NOERROR);
	assert_int_equal(rcode_of(p, "c._update.catalog.example.org.", false), RCODE_NOERROR);
	assert_int_equal(rcode_of(p, NULL, true), RCODE_NOERROR);
	/* By a file of secondaries: an address, also over UDP by which they ask for the SOA, and a key of another name. */
	struct peer listed = { .family = 4, .address = { 192, 0, 2, 53 } }, other = { .family = 4, .address = { 192, 0, 2, 54 } };
	assert_int_equal(rcode_from(p, &listed, NULL, false), RCODE_REFUSED);
	commit(p, "example._secondaries", "_transfer APL 1:192.0.2.53/32\n", T0);
	assert_int_equal(rcode_from(p, &listed, NULL, false), RCODE_REFUSED);
	commit(p, "_secondaries", "_transfer APL 1:192.0.2.53/32\n_transfer.catalog.example.org PTR d._transfer.example.\n", T0);
	assert_int_equal(rcode_from(p, &listed, NULL, false), RCODE_NOERROR);
	assert_int_equal(rcode_from(p, &other, NULL, false), RCODE_REFUSED);
	assert_int_equal(rcode_from(p, &other, "d._transfer.example.", false), RCODE_NOERROR);
	primary_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_follows_the_zones),
		cmocka_unit_test(random_changes_end_where_a_new_one_begins),
		cmocka_unit_test(a_file_cannot_have_its_name),
		cmocka_unit_test(only_secondaries_see_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
