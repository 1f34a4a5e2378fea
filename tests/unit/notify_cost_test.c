/* What it costs to find out who is told of a zone, counted: keys, `_secondaries` files and NS records of any number must not make every
 * zone dear.  notify_cost_test ZONES HOSTS [ADDRESSES] says how long it takes to compare a view with nothing, as at a start; so many of the
 * hosts have an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "auth/notify_compare.h"
#include "auth/notify_places.h"
#include "base/str.h"
#include "count.h"
#include "serve.h"

#define SECRET " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

enum {
	ZONES = 20,
	MANY = 5000,
	LOOKUPS_OF_HOST = 3, /* in the zone, for the zone around the host, and there */
};

static struct cost {
	size_t lookups, judged, looked; /* names, addresses with the policy, zones */
} cost;

COUNTED(lookups, void *, trie_get, (const struct trie *t, const struct nkey *key), (t, key))
COUNTED_VOID(lookups, trie_lookup, (const struct trie *t, const struct nkey *key, struct trie_path *out), (t, key, out))
COUNTED(judged, bool, notify_is_allowed,
        (const struct notify_policy *policy, const struct key_address *a, uint16_t port, bool is_named), (policy, a, port, is_named))

static void
on_looked(void *ctx)
{
	(void)ctx;
	cost.looked++;
}

/* ---- views ---- */

/* Each with a number of two parts between these texts, as an address may end. */
static void
put_lines(struct str *out, unsigned n, const char *before, const char *after)
{
	for (unsigned i = 0; i < n; i++) {
		str_printf(out, "%s%u.%u%s", before, i >> 8, i & 255, after);
	}
}

/* So many zones, all with the same text; NULL: no such file. */
static struct primary *
serve(size_t zones_n, const char *zone, const char *secondaries, const char *keys)
{
	static const struct primary_conf conf = { .delete_zones_percent = 100, .delete_records_percent = 100, .delete_records_min = 100 };
	static const struct primary_log log;
	struct source_change *changes = xalloc((zones_n + 2) * sizeof *changes);
	char (*paths)[32] = xalloc(zones_n * sizeof *paths);
	struct source_commit commit = { .id = "c0ffee", .changes = changes, .is_whole = true, .open = serve_no_file, .close = serve_close };
	const char *const others[][2] = { { "_secondaries", secondaries }, { "_keys", keys } };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (size_t i = 0; i < zones_n; i++) {
		snprintf(paths[i], sizeof paths[i], "z%zu.test", i);
		changes[commit.n++] = (struct source_change){ .kind = SOURCE_PUT, .path = paths[i], .bytes = (const uint8_t *)zone, .len = strlen(zone) };
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (others[i][1] != NULL) {
			changes[commit.n++] = (struct source_change){ .kind = SOURCE_PUT, .path = others[i][0],
				                                      .bytes = (const uint8_t *)others[i][1], .len = strlen(others[i][1]) };
		}
	}
	struct primary *p = primary_new(&conf, &log);
	assert_int_equal(primary_apply(p, &commit, &outcome, &view, &old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	discard_free(&old);
	free(changes);
	free(paths);
	return p;
}

/* What it costs to tell all of it; how many zones have more targets than are told. */
static size_t
compare(const struct primary *p)
{
	static const struct notify_policy everybody;
	const struct notify_listener to = { .looked = on_looked };
	struct notify_left_out left_out;
	cost = (struct cost){ 0 };
	assert_int_equal(notify_compare(NULL, primary_view(p), &everybody, &to, &left_out), OK);
	return left_out.cut_n;
}

static const char plain[] = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\nns1 A 192.0.2.1\n";

static void
assert_cost(const char *zone, const char *secondaries, const char *keys, size_t hosts_n)
{
	struct primary *p = serve(ZONES, zone, secondaries, keys);
	assert_int_equal(compare(p), ZONES);
	assert_int_equal(cost.looked, ZONES);
	assert_in_range(cost.lookups, 1, ZONES * (LOOKUPS_OF_HOST * hosts_n + 1)); /* and one for the keys around the zone */
	assert_in_range(cost.judged, 0, ZONES * NOTIFY_LOOKED_MAX);
	primary_free(&p);
}

static void
hosts_of_srv_records_without_addresses(void **state)
{
	(void)state;
	struct str s = { 0 };
	put_lines(&s, MANY, "_notify SRV 0 0 53 h", ".nowhere.\n");
	assert_cost(plain, str_text(&s), NULL, NOTIFY_PLACES_MAX);
	str_fini(&s);
}

static void
hosts_of_srv_records_with_one_address(void **state)
{
	(void)state;
	struct str s = { 0 };
	put_lines(&s, MANY, "_notify SRV 0 0 53 h", ".nowhere.\n");
	put_lines(&s, MANY, "h", ".nowhere. A 192.0.2.9\n");
	assert_cost(plain, str_text(&s), NULL, NOTIFY_PLACES_MAX);
	str_fini(&s);
}

static void
name_servers_without_addresses(void **state)
{
	(void)state;
	struct str s = { 0 };
	str_cat(&s, plain);
	put_lines(&s, 1000, "@ NS n", ".nowhere.\n");
	assert_cost(str_text(&s), NULL, NULL, NOTIFY_PLACES_MAX);
	str_fini(&s);
}

static void
keys_with_addresses(void **state)
{
	(void)state;
	struct str s = { 0 };
	put_lines(&s, MANY, "192.0.2.1.10.0.", "._transfer" SECRET);
	assert_cost(plain, NULL, str_text(&s), 1);
	str_clear(&s);
	put_lines(&s, MANY, "k", ".192.0.2.1.192.0.2.9._transfer" SECRET); /* all of one secondary */
	assert_cost(plain, NULL, str_text(&s), 1);
	str_fini(&s);
}

/* A host with more addresses and keys than are ever told: they are found without going through all. */
static void
a_host_with_very_many_addresses(void **state)
{
	(void)state;
	struct str s = { 0 };
	str_cat(&s, "_notify SRV 0 0 53 h.nowhere.\n");
	put_lines(&s, MANY, "h.nowhere. A 10.0.", "\n");
	put_lines(&s, MANY, "h.nowhere. PTR k", ".\n");
	assert_cost(plain, str_text(&s), NULL, 2);
	str_fini(&s);
}

/* ---- by hand ---- */

static double
ms_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int
measure(size_t zones_n, unsigned hosts_n, unsigned addresses_n)
{
	struct str s = { 0 };
	put_lines(&s, hosts_n, "_notify SRV 0 0 53 h", ".nowhere.\n");
	for (unsigned i = 0; i < addresses_n; i++) {
		str_printf(&s, "h%u.%u.nowhere. A 10.0.%u.%u\n", i >> 8, i & 255, i >> 8, i & 255);
	}
	struct primary *p = serve(zones_n, plain, str_text(&s), NULL);
	double begin = ms_now();
	size_t cut_n = compare(p);
	printf("%zu zones, %u hosts, %u with addresses: %.0f ms, %zu lookups; %zu zones with more than are told\n", zones_n, hosts_n,
	       addresses_n, ms_now() - begin, cost.lookups, cut_n);
	primary_free(&p);
	str_fini(&s);
	return 0;
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_srv_records_without_addresses),
		cmocka_unit_test(hosts_of_srv_records_with_one_address),
		cmocka_unit_test(name_servers_without_addresses),
		cmocka_unit_test(keys_with_addresses),
		cmocka_unit_test(a_host_with_very_many_addresses),
	};
	return argc >= 3 ? measure(number(argv[1]), number(argv[2]), argc > 3 ? number(argv[3]) : 0) : cmocka_run_group_tests(tests, NULL, NULL);
}
