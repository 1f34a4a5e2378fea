/* Files of secondaries: what each record says, what none can say, and which of several counts. */
#include "auth/load_secondaries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/keys.h"
#include "base/str.h"
#include "named.h"

/* "192.0.2.1", or eight groups of hexadecimal digits, or "" for one of no family. */
static struct key_address
address(const char *text)
{
	struct key_address a = { .family = 0 };
	unsigned o[8];
	if (sscanf(text, "%u.%u.%u.%u", &o[0], &o[1], &o[2], &o[3]) == 4) {
		a.family = 4;
		for (int i = 0; i < 4; i++) {
			a.octets[i] = (uint8_t)o[i];
		}
	} else if (sscanf(text, "%x:%x:%x:%x:%x:%x:%x:%x", &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7]) == 8) {
		a.family = 6;
		for (int i = 0; i < 8; i++) {
			a.octets[2 * i] = (uint8_t)(o[i] >> 8);
			a.octets[2 * i + 1] = (uint8_t)o[i];
		}
	}
	return a;
}

/* ---- files ---- */

static void
on_diag(void *ctx, const struct diag *d)
{
	str_printf(ctx, "%u:%s ", d->line, d->code);
}

static err_t
no_file(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx, (void)path, (void)out;
	return E_NOTFOUND;
}

static void
close_no_file(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

static err_t
load(const char *within, const char *text, struct secondaries **out, struct load_result *result, struct str *found)
{
	const struct name apex = named(within);
	const struct diag_sink sink = { .report = on_diag, .ctx = found };
	const struct master_reader reader = { .apex = apex.oct, .file = "f", .open = no_file, .close = close_no_file, .sink = &sink };
	return secondaries_load(&reader, text, strlen(text), NULL, SIZE_MAX, out, result);
}

/* Files in this order as one store: pairs of domain and text, NULL at the end. */
static struct secondaries *
merged(const char *const *files)
{
	struct secondaries *all = secondaries_new();
	for (; files[0] != NULL; files += 2) {
		struct secondaries *one = NULL;
		struct load_result result;
		struct str found = { 0 };
		assert_int_equal(load(files[0], files[1], &one, &result, &found), OK);
		assert_string_equal(str_text(&found), "");
		assert_int_equal(secondaries_merge(all, one), OK);
		secondaries_free(&one);
		str_fini(&found);
	}
	secondaries_seal(all);
	return all;
}

#define STORE(...) merged((const char *const[]){ __VA_ARGS__, NULL })

/* ---- each record ---- */

static const struct {
	const char *within, *text, *found;
	size_t count;
} records[] = {
	{ "example.", "_transfer APL 1:192.0.2.53/32 !2:2001:db8::/32\n", "", 2 },
	{ "example.", "_TRANSFER.sub 1h IN APL 1:192.0.2.53/32\n", "", 1 },
	{ "example.", "_transfer APL\n", "", 0 },
	{ ".", "_transfer APL 1:0.0.0.0/0\n_transfer.example APL 1:192.0.2.0/24\n", "", 2 },
	{ "example.", "_transfer PTR hoster-key.\n", "", 1 },
	{ "example.", "_notify SRV 7 7 5353 ns2\n_notify.sub SRV 0 0 53 ns.other.net.\n", "", 2 },
	{ "example.", "ns2 A 192.0.2.53\nns2 AAAA 2001:db8::53\nns2 PTR hoster-key.\n", "", 3 },
	{ "example.", "ns.other.net. A 192.0.2.53\n@ A 192.0.2.1\n", "", 2 },
	{ "example.", "", "", 0 },
	{ "example.", "; nothing\n", "", 0 },
	/* other types, other owners */
	{ "example.", "ns2 A 192.0.2.53\nns2 TXT x\n", "2:not-a-secondary ", 1 },
	{ "example.", "ns2 A 192.0.2.53\nk DNSKEY 0 3 163 AAAA\n", "2:not-a-secondary ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_notify SRV 0 0 53 ns2\nns2 APL 1:192.0.2.1/32\n", "3:secondary-owner ", 2 },
	{ "example.", "ns2 A 192.0.2.53\n_notify APL 1:192.0.2.1/32\n", "2:secondary-owner ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_transfer A 192.0.2.1\n", "2:secondary-owner ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_notify.sub AAAA ::1\n", "2:secondary-owner ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_notify PTR hoster-key.\n", "2:secondary-owner ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_transfer SRV 0 0 53 ns2\n", "2:secondary-owner ", 1 },
	{ "example.", "ns2 A 192.0.2.53\nns2 SRV 0 0 53 ns2\n", "2:secondary-owner ", 1 },
	/* another domain's */
	{ "example.", "ns2 A 192.0.2.53\n_transfer.other. APL 1:192.0.2.1/32\n", "2:secondary-domain ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_transfer. APL 1:192.0.2.1/32\n", "2:secondary-domain ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_transfer.other. PTR hoster-key.\n", "2:secondary-domain ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_notify.xexample. SRV 0 0 53 ns2\n", "2:secondary-domain ", 1 },
	/* what is nobody's */
	{ "example.", "ns2 A 192.0.2.53\n_notify SRV 0 0 0 ns2\n", "2:secondary-port ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_notify SRV 0 0 53 .\n", "2:secondary-host ", 1 },
	{ ".", "ns2 A 192.0.2.53\n@ A 192.0.2.53\n@ PTR k.\n", "2:secondary-host 3:secondary-host ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n_transfer PTR .\nns2 PTR .\n", "2:secondary-key 3:secondary-key ", 1 },
	{ "example.", "ns2 A 192.0.2.53\nns2 A 0.0.0.0\nns2 A 224.0.0.1\nns2 A 255.255.255.255\nns2 AAAA ::\nns2 AAAA ff02::1\n"
	  "ns2 AAAA fe80::1\nns2 AAAA ::ffff:192.0.2.1\nns2 A 240.0.0.1\n",
	  "2:secondary-address 3:secondary-address 4:secondary-address 5:secondary-address 6:secondary-address "
	  "7:secondary-address 8:secondary-address 9:secondary-address ", 1 },
	{ "example.", "ns2 A 127.0.0.1\nns2 AAAA ::1\n", "", 2 }, /* a laptop's */
	{ "example.", "ns2 A 192.0.2.53\n_transfer APL \\# 9 0001200101 00030800\n", "2:secondary-family ", 1 }, /* all of the record */
	/* more than counts: that is said, and holds */
	{ "example.", "_transfer APL 1:192.0.2.0/24 1:192.0.2.53/24\n", "1:secondary-prefix ", 2 },
	{ "example.", "_transfer APL 1:192.0.2.53/0\n_transfer APL 2:2001:db8::1/64\n", "1:secondary-prefix 2:secondary-prefix ", 2 },
	/* what the reader says; one line costs nothing but itself */
	{ "example.", "ns2 A 192.0.2.53\n_transfer APL 1:192.0.2.53/33\n_transfer APL 1:192.0.2.53/32\n", "2:bad-rdata ", 1 }, /* nor the good APL */
	{ "example.", "ns2 A 192.0.2.53\n_transfer APL ( 1:192.0.2.53/32\n", "2:bad-syntax ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n$INCLUDE _keys\n$INCLUDE example._secondaries\n$INCLUDE part\n",
	  "2:include-refused 3:include-refused 4:include-not-found ", 1 },
	{ "example.", "ns2 A 192.0.2.53\n$GENERATE 1-2 h$ A 192.0.2.$\nns3 A 192.0.2.54\n", "2:generate-refused ", 2 },
};

static void
each_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct secondaries *s = NULL;
		struct load_result result;
		struct str found = { 0 };
		err_t err = load(records[i].within, records[i].text, &s, &result, &found);
		if (err != OK || strcmp(str_text(&found), records[i].found) != 0 || secondaries_count(s) != records[i].count) {
			fail_msg("%s: %s, %zu", records[i].text, str_text(&found), secondaries_count(s));
		}
		assert_int_equal(result.errors + result.warnings != 0, records[i].found[0] != '\0');
		secondaries_free(&s);
		str_fini(&found);
	}
}

/* Where nothing is good there is no store, and what was there goes on. */
static void
nothing_is_good(void **state)
{
	(void)state;
	static const char *const texts[] = { "_notify SRV 0 0 0 ns2\n", "x\n", ")\n", "k._update DNSKEY 0 3 163 AAAA\n" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct secondaries *s = NULL;
		struct load_result result;
		struct str found = { 0 };
		assert_int_equal(load("example.", texts[i], &s, &result, &found), E_FORMAT);
		assert_null(s);
		assert_int_equal(result.errors, 1);
		str_fini(&found);
	}
}

/* ---- a bad line beside addresses ---- */

static void
assert_may_transfer(const struct secondaries *s, const char *zone, const char *from, bool may)
{
	const struct key_address a = address(from);
	if (secondaries_may_transfer(s, named(zone).oct, &a) != may) {
		fail_msg("%s from %s", zone, from);
	}
}

static struct secondaries *
loaded(const char *within, const char *text, const struct secondaries *last)
{
	struct secondaries *s = NULL;
	struct load_result result;
	const struct name apex = named(within);
	const struct master_reader reader = { .apex = apex.oct, .file = "f", .open = no_file, .close = close_no_file };
	assert_int_equal(secondaries_load(&reader, text, strlen(text), last, SIZE_MAX, &s, &result), OK);
	return s;
}

/* Whatever the line is: it may have been an exception. */
static const char *const bad_lines[] = {
	"_transfer.lab APL !1:192.0.2.53/33\n",
	"_transfer.lab APL !1:192.0.2.53/32 !1:192.0.2.54/33\n",
	"x._Transfer.lab APL !1:192.0.2.53/32\n",
	"_transfr.lab APL !1:192.0.2.53/32\n",
	"_transfer.lab AL !1:192.0.2.53/32\n",
	"_transfer.lab APL \\# 8 0001 20 84 C0000235 0\n",
	"_transfer.lab APL \\# 9 0003 20 01 20 0003 08 00\n",
	"_transfer.lab.other. APL !1:192.0.2.53/32\n",
	"$INCLUDE part\n",
	"$ORIGIN lab..\n",
	"_transfer.lab APL ( !1:192.0.2.53/32\n",
};

static void
no_right_grows(void **state)
{
	(void)state;
	static const char good[] = "_transfer APL 1:192.0.2.0/24\n", host[] = "_notify SRV 0 0 53 ns2\nns2 A 192.0.2.9\n_transfer PTR k.\n";
	struct secondaries *last = loaded("example.", "_transfer APL 1:192.0.2.0/24\n_transfer.lab APL !1:192.0.2.53/32\n", NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad_lines); i++) {
		struct str text = { 0 };
		str_printf(&text, "%s%s%s", good, host, bad_lines[i]);
		struct secondaries *later = loaded("example.", str_text(&text), last), *fresh = loaded("example.", str_text(&text), NULL);
		assert_may_transfer(later, "example.", "192.0.2.53", true);
		assert_may_transfer(later, "lab.example.", "192.0.2.53", false);
		assert_may_transfer(later, "lab.example.", "192.0.2.54", true);
		assert_false(secondaries_is_shut(later, named("example.").oct));
		assert_may_transfer(fresh, "example.", "192.0.2.53", false);
		assert_true(secondaries_is_shut(fresh, named("lab.example.").oct));
		/* What the good lines say of others holds in either case. */
		assert_int_equal(secondaries_grants_n(later), 1);
		assert_int_equal(secondaries_grants_n(fresh), 1);
		assert_int_equal(secondaries_count(later), 3 + 2);
		assert_int_equal(secondaries_count(fresh), 3);
		struct secondaries *still = loaded("example.", str_text(&text), later);
		assert_may_transfer(still, "lab.example.", "192.0.2.53", false);
		assert_may_transfer(still, "lab.example.", "192.0.2.54", true);
		secondaries_free(&still);
		still = loaded("example.", str_text(&text), fresh);
		assert_true(secondaries_is_shut(still, named("example.").oct));
		secondaries_free(&still);
		secondaries_free(&later);
		secondaries_free(&fresh);
		str_fini(&text);
	}
	secondaries_free(&last);
}

static err_t
load_within(const char *text, const struct secondaries *last, size_t octets_max, struct load_result *result)
{
	struct secondaries *s = NULL;
	const struct master_reader reader = { .apex = name_root, .file = "f", .open = no_file, .close = close_no_file };
	err_t err = secondaries_load(&reader, text, strlen(text), last, octets_max, &s, result);
	assert_int_equal(s != NULL, err == OK);
	secondaries_free(&s);
	return err;
}

/* What the last version says of addresses, and what a later one says of hosts, take memory together. */
static void
the_last_addresses_are_within_the_limit(void **state)
{
	(void)state;
	enum { N = 1000 };
	struct str many = { 0 }, hosts = { 0 }, bad = { 0 };
	struct load_result result;
	for (unsigned i = 0; i < N; i++) {
		str_printf(&many, "_transfer APL 1:10.%u.%u.0/24\n", i >> 8, i & 255);
		str_printf(&hosts, "h A 192.0.2.%u\n", i & 127);
	}
	struct secondaries *last = loaded(".", str_text(&many), NULL);
	const size_t octets_max = secondaries_octets(last);
	str_printf(&bad, "%sx\n", str_text(&hosts));
	assert_int_equal(load_within(str_text(&hosts), last, octets_max, &result), OK);
	const size_t of_hosts = result.octets;
	assert_int_equal(load_within(str_text(&bad), last, octets_max, &result), E_LIMIT);
	assert_true(result.is_over_limit);
	assert_in_range(result.octets, of_hosts + N * sizeof(struct key_address), of_hosts + octets_max);
	assert_int_equal(load_within(str_text(&bad), last, result.octets, &result), OK);
	assert_int_equal(load_within("_transfer APL 1:192.0.2.1/32\nx\n", last, octets_max, &result), OK); /* that version alone fits */
	assert_int_equal(result.octets, octets_max);
	secondaries_free(&last);
	str_fini(&many);
	str_fini(&hosts);
	str_fini(&bad);
}

/* What is shut is shut for what any file says, in any order, and for nobody else's zones. */
static void
what_is_shut(void **state)
{
	(void)state;
	struct secondaries *shut = loaded("a.example.", "ns2 A 192.0.2.9\nx\n", NULL);
	struct secondaries *good = STORE(".", "_transfer APL 1:0.0.0.0/0\n_transfer.a.example APL 1:192.0.2.1/32\n", "b.a.example.",
	                                 "_transfer APL 1:192.0.2.1/32\n");
	for (int order = 0; order < 2; order++) {
		struct secondaries *all = secondaries_new();
		assert_int_equal(secondaries_merge(all, order == 0 ? shut : good), OK);
		assert_int_equal(secondaries_merge(all, order == 0 ? good : shut), OK);
		secondaries_seal(all);
		assert_may_transfer(all, "a.example.", "192.0.2.1", false);
		assert_may_transfer(all, "c.b.A.example.", "192.0.2.1", false);
		assert_may_transfer(all, "example.", "192.0.2.1", true);
		assert_may_transfer(all, "xa.example.", "192.0.2.1", true);
		assert_int_equal(secondaries_count(all), 4);
		secondaries_free(&all);
	}
	assert_false(secondaries_is_shut(NULL, name_root));
	secondaries_free(&shut);
	secondaries_free(&good);
}

/* ---- who may transfer ---- */

static const char *const listed[] = {
	".", "_transfer APL 1:192.0.2.1/32 1:10.0.0.0/8\n"
	     "_transfer.a.example APL !1:10.1.0.0/16\n", /* behind the nearer file's for this domain */
	"example.", "_transfer APL !1:10.9.0.0/16 1:198.51.100.128/25 2:2001:db8::/47\n"
	            "_transfer.sub APL 1:10.9.1.0/24 !1:192.0.2.1/32\n"
	            "_transfer.a APL 1:10.1.1.0/24\n",
	"all.", "_transfer APL !1:203.0.113.7/32 1:0.0.0.0/0 2:::/0\n",
	NULL,
};

static const struct {
	const char *zone, *from;
	bool may;
} transfers[] = {
	{ "other.", "192.0.2.1", true },           { "other.", "192.0.2.2", false },         { ".", "10.255.255.255", true },
	{ "other.", "11.0.0.0", false },           { "example.", "192.0.2.1", true },        { "example.", "10.8.0.1", true },
	{ "example.", "10.9.0.1", false },         { "x.Example.", "10.9.0.1", false },      { "example.", "198.51.100.127", false },
	{ "example.", "198.51.100.128", true },    { "sub.example.", "198.51.100.255", true }, { "sub.example.", "10.9.1.255", true },
	{ "b.sub.example.", "10.9.1.255", true },  { "sub.example.", "10.9.2.1", false },    { "sub.example.", "192.0.2.1", false },
	{ "xsub.example.", "192.0.2.1", true },    { "a.example.", "10.1.1.1", true },       { "a.example.", "10.1.2.1", false },
	{ "b.example.", "10.1.2.1", true },        { "all.", "203.0.113.7", false },         { "all.", "203.0.113.8", true },
	{ "all.", "2001:db8:0:0:0:0:0:1", true },  { "example.", "2001:db8:0:ffff:0:0:0:1", true },
	{ "example.", "2001:db8:1:ffff:0:0:0:1", true }, { "example.", "2001:db8:2:0:0:0:0:1", false },
	{ "example.", "", false },
};

static void
who_may_transfer(void **state)
{
	(void)state;
	struct secondaries *s = merged(listed);
	for (size_t i = 0; i < ARRAY_LEN(transfers); i++) {
		assert_may_transfer(s, transfers[i].zone, transfers[i].from, transfers[i].may);
		assert_may_transfer(NULL, transfers[i].zone, transfers[i].from, false);
	}
	secondaries_free(&s);
}

/* Prefixes of both families that hold each other in every way, with `!` or without, in three files: what the store finds is what one
 * finds who looks at them one by one, as the manual has it. */
enum { RULES_MAX = 60, LABELS = 3 };

static const char *const rule_domains[LABELS] = { ".", "example.", "a.example." };

struct rule {
	unsigned file, domain; /* of rule_domains */
	unsigned char octets[16], family, len;
	bool is_not;
};

static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static struct rule
draw_rule(unsigned *seed)
{
	struct rule r = { .file = draw(seed, LABELS), .family = draw(seed, 2) != 0 ? 4 : 6, .is_not = draw(seed, 2) != 0 };
	r.domain = r.file + draw(seed, LABELS - r.file);
	unsigned bits = r.family == 4 ? 32 : 128;
	r.len = (unsigned char)(draw(seed, 4) != 0 ? bits - draw(seed, 4) : draw(seed, bits + 1));
	r.octets[0] = 10;
	r.octets[bits / 8 - 1] = (unsigned char)draw(seed, 8);
	return r;
}

static bool
has_rule(const struct rule *r, const struct key_address *a)
{
	bool is_in = r->family == a->family;
	for (unsigned i = 0; is_in && i < r->len; i++) {
		is_in = ((r->octets[i / 8] ^ a->octets[i / 8]) >> (7 - i % 8) & 1) == 0;
	}
	return is_in;
}

static bool
may_by_rules(const struct rule *rules, unsigned n, unsigned zone, const struct key_address *a)
{
	for (unsigned domain = zone + 1; domain-- != 0;) {
		for (unsigned file = domain + 1; file-- != 0;) {
			for (unsigned i = 0; i < n; i++) {
				if (rules[i].domain == domain && rules[i].file == file && has_rule(&rules[i], a)) {
					return !rules[i].is_not;
				}
			}
		}
	}
	return false;
}

static void
put_rule(struct str *text, const struct rule *r)
{
	const unsigned char *o = r->octets;
	const char *domain = rule_domains[r->domain];
	str_printf(text, "_transfer.%s APL %s", domain[0] != '.' ? domain : "", r->is_not ? "!" : "");
	if (r->family == 4) {
		str_printf(text, "1:%u.%u.%u.%u/%u\n", o[0], o[1], o[2], o[3], r->len);
	} else {
		str_printf(text, "2:%02x00::%x/%u\n", o[0], o[15], r->len);
	}
}

static struct secondaries *
store_of_rules(const struct rule *rules, unsigned n)
{
	struct secondaries *all = secondaries_new();
	for (unsigned file = 0; file < LABELS; file++) {
		struct secondaries *one = NULL;
		struct load_result result;
		struct str text = { 0 }, found = { 0 };
		str_cat(&text, "");
		for (unsigned i = 0; i < n; i++) {
			if (rules[i].file == file) {
				put_rule(&text, &rules[i]);
			}
		}
		assert_int_equal(load(rule_domains[file], str_text(&text), &one, &result, &found), OK);
		assert_int_equal(result.errors, 0);
		assert_int_equal(secondaries_merge(all, one), OK);
		secondaries_free(&one);
		str_fini(&text);
		str_fini(&found);
	}
	secondaries_seal(all);
	return all;
}

static void
as_one_by_one(void **state)
{
	(void)state;
	unsigned seed = 7, allowed = 0;
	for (unsigned round = 0; round < 400; round++) {
		struct rule rules[RULES_MAX];
		unsigned n = 1 + draw(&seed, RULES_MAX);
		for (unsigned i = 0; i < n; i++) {
			rules[i] = draw_rule(&seed);
		}
		struct secondaries *s = store_of_rules(rules, n);
		for (unsigned i = 0; i < LABELS * 2 * 10; i++) {
			struct key_address a = { .family = i % 2 != 0 ? 4 : 6, .octets = { i / 2 % 10 == 9 ? 11 : 10 } };
			a.octets[a.family == 4 ? 3 : 15] = (uint8_t)(i / 2 % 10);
			unsigned zone = i / 20;
			bool may = secondaries_may_transfer(s, named(rule_domains[zone]).oct, &a);
			assert_int_equal(may, may_by_rules(rules, n, zone, &a));
			allowed += may;
		}
		secondaries_free(&s);
	}
	assert_true(allowed > 1000); /* of 24,000 */
}

/* ---- who is told ---- */

static bool
put_notified(void *ctx, const uint8_t *host, uint16_t port)
{
	struct str *out = ctx;
	char name[NAME_TEXT_MAX];
	(void)name_show(host, name);
	str_printf(out, "%s@%u ", name, port);
	return out->len < 55;
}

static void
assert_notified(const struct secondaries *s, const char *zone, const char *want)
{
	struct str got = { 0 };
	secondaries_notified(s, named(zone).oct, put_notified, &got);
	assert_string_equal(str_text(&got), want);
	str_fini(&got);
}

static void
who_is_told(void **state)
{
	(void)state;
	struct secondaries *s = STORE(".", "_notify SRV 0 0 53 root.net.\n_notify.example SRV 0 0 54 far.net.\n", "example.",
	                              "_notify.sub SRV 0 0 5353 ns3\n_notify SRV 9 9 53 ns2\n_notify SRV 0 0 54 ns2\n");
	assert_notified(s, "other.", "root.net@53 ");
	assert_notified(s, "example.", "ns2.example@53 ns2.example@54 far.net@54 root.net@53 ");
	assert_notified(s, "a.sub.example.", "ns3.example@5353 ns2.example@53 ns2.example@54 far.net@54 ");
	assert_notified(NULL, "example.", "");
	secondaries_free(&s);
}

/* "192.0.2.1 ... | key ...": what is said of a host for a zone. */
static void
assert_host(const struct secondaries *s, const char *zone, const char *host, const char *want)
{
	struct key_address addresses[4];
	const uint8_t *keys[4];
	struct str got = { 0 };
	const struct name z = named(zone), h = named(host);
	size_t n = secondaries_addresses(s, z.oct, h.oct, addresses, ARRAY_LEN(addresses));
	for (size_t i = 0; i < n; i++) {
		str_printf(&got, "%u.%u ", addresses[i].family, addresses[i].octets[addresses[i].family == 4 ? 3 : 15]);
	}
	assert_int_equal(secondaries_addresses(s, z.oct, h.oct, NULL, 0), n);
	str_cat(&got, "|");
	n = secondaries_keys(s, z.oct, h.oct, keys, ARRAY_LEN(keys));
	for (size_t i = 0; i < n; i++) {
		char name[NAME_TEXT_MAX];
		(void)name_show(keys[i], name);
		str_printf(&got, " %s", name);
	}
	assert_int_equal(secondaries_keys(s, z.oct, h.oct, NULL, 0), n);
	assert_string_equal(str_text(&got), want);
	str_fini(&got);
}

static void
what_is_said_of_a_host(void **state)
{
	(void)state;
	struct secondaries *s = STORE(".", "ns.net. A 192.0.2.1\nns.net. PTR all-key.\nns2.net. A 192.0.2.9\n", "example.",
	                              "ns.net. AAAA 2001:db8::2\nns.net. A 192.0.2.3\nns.net. PTR old-key.\nns.net. PTR new-key.\n"
	                              "ns3 A 192.0.2.4\n",
	                              "sub.example.", "NS.Net. A 192.0.2.5\n", "alone.", "ns4.net. PTR k.\n");
	assert_host(s, "other.", "ns.net.", "4.1 | all-key");
	assert_host(s, "example.", "ns.net.", "6.2 4.3 | old-key new-key");
	assert_host(s, "x.Example.", "ns.net.", "6.2 4.3 | old-key new-key");
	assert_host(s, "sub.example.", "ns.net.", "4.5 |"); /* the nearest file alone: unsigned there */
	assert_host(s, "sub.example.", "ns2.net.", "4.9 |");
	assert_host(s, "example.", "ns3.example.", "4.4 |");
	assert_host(s, "other.", "ns3.example.", "|"); /* of another domain's file */
	assert_host(s, "alone.", "ns4.net.", "| k");
	assert_host(s, "example.", "nobody.net.", "|");
	assert_host(NULL, "example.", "ns.net.", "|");
	secondaries_free(&s);
}

/* ---- what is new ---- */

static void
put_domain(void *ctx, const uint8_t *domain)
{
	char name[NAME_TEXT_MAX];
	(void)name_show(domain, name);
	str_printf(ctx, "%s ", name);
}

static void
put_signer(void *ctx, const uint8_t *key, const uint8_t *domain)
{
	put_domain(ctx, key);
	put_domain(ctx, domain);
}

static void
assert_changed(const struct secondaries *before, const struct secondaries *now, const char *want)
{
	struct str got = { 0 };
	secondaries_changed(before, now, put_domain, &got);
	assert_string_equal(str_text(&got), want);
	str_clear(&got);
	secondaries_changed(now, before, put_domain, &got);
	assert_string_equal(str_text(&got), want);
	str_clear(&got);
	secondaries_changed(now, now, put_domain, &got);
	assert_string_equal(str_text(&got), "");
	str_fini(&got);
}

static void
what_is_new(void **state)
{
	(void)state;
	static const char root[] = "_notify.a SRV 0 0 53 ns\n_notify.b SRV 0 0 53 ns\nns A 192.0.2.1\n_transfer APL 1:192.0.2.1/32\n";
	static const char example[] = "_notify SRV 0 0 53 ns\nns. PTR k.\nns. PTR l.\n";
	struct secondaries *was = STORE(".", root, "example.", example);
	struct secondaries *other[] = {
		STORE(".", root, "example.", example),
		STORE(".", "_notify.b SRV 9 9 53 ns\nns A 192.0.2.1\n_transfer APL 1:192.0.2.9/32\n", "example.", example),
		STORE(".", "_notify.a SRV 0 0 54 ns\n_notify.b SRV 0 0 53 ns2\nns A 192.0.2.1\n", "example.", example),
		STORE(".", root, "example.", "_notify SRV 0 0 53 ns\nns. PTR k.\n"),
		STORE(".", root, "example.", "_notify SRV 0 0 53 ns\n_notify SRV 0 0 53 ns2\nns. PTR k.\nns. PTR m.\n"),
		STORE(".", "_notify.a SRV 0 0 53 ns\n_notify.b SRV 0 0 53 ns\nns A 192.0.2.2\n", "example.", example),
	};
	static const char *const want[] = { "", "a ", "a b ", "example ", "example example ", ". " };
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		assert_changed(was, other[i], want[i]);
		secondaries_free(&other[i]);
	}
	assert_changed(NULL, was, "a b example example . ");
	struct str got = { 0 };
	secondaries_signers(was, put_signer, &got);
	assert_string_equal(str_text(&got), "k example l example ");
	str_fini(&got);
	secondaries_free(&was);
}

/* ---- keys ---- */

static void
put_key(struct keystore *keys, const char *name)
{
	static const uint8_t rdata[4 + 16] = { 0, 0, 3, 163, 1 };
	struct findings f = { 0 };
	assert_int_equal(keystore_add(keys, named(name).oct, name_root, rdata, sizeof rdata, &f), OK);
	assert_int_equal(f.n, 0);
}

static void
keys_are_granted_rights(void **state)
{
	(void)state;
	struct secondaries *s = STORE("example.", "_transfer PTR b-key.\n_transfer.sub PTR A-key.\n_transfer PTR x._status.\nns2 PTR host-key.\n",
	                              "other.", "_transfer PTR a-key.\n_transfer PTR nowhere-key.\n_transfer PTR A-Key.\n");
	static const char *const names[] = { "a-key.", "b-key.", "x._status.", "host-key.", "idle-key." };
	struct keystore *keys = keystore_new(NULL);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put_key(keys, names[i]);
	}
	assert_int_equal(secondaries_grants_n(s), 5);
	assert_int_equal(secondaries_grants_n(NULL), 0);
	for (size_t i = 1; i < 5; i++) {
		assert_true(name_compare(secondaries_grant(s, i - 1)->key, secondaries_grant(s, i)->key) <= 0);
	}
	keystore_grant(keys, NULL);
	assert_false(key_has_right(keystore_find(keys, named("a-key.").oct), RIGHT_TRANSFER, named("other.").oct));
	keystore_grant(keys, s);
	keystore_seal(keys);
	static const struct {
		const char *key, *zone, *may; /* u pdate, t ransfer, n otify, s tatus */
	} rows[] = {
		{ "a-key.", "other.", "t" },        { "a-key.", "b.other.", "t" },    { "a-key.", "sub.example.", "t" },
		{ "a-key.", "example.", "" },       { "a-key.", ".", "" },            { "b-key.", "example.", "t" },
		{ "b-key.", "c.sub.example.", "t" }, { "b-key.", "other.", "" },      { "x._status.", "other.", "s" },
		{ "x._status.", "a.example.", "ts" }, { "host-key.", "example.", "" }, { "idle-key.", "example.", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct key *k = keystore_find(keys, named(rows[i].key).oct);
		const struct name zone = named(rows[i].zone);
		char may[5] = "";
		strcat(may, key_has_right(k, RIGHT_UPDATE, zone.oct) || key_may_update(k, zone.oct) ? "u" : "");
		strcat(may, key_has_right(k, RIGHT_TRANSFER, zone.oct) ? "t" : "");
		strcat(may, key_has_right(k, RIGHT_NOTIFY, zone.oct) ? "n" : "");
		strcat(may, key_has_right(k, RIGHT_STATUS, zone.oct) ? "s" : "");
		assert_false(key_has_right(k, RIGHT_NONE, zone.oct));
		if (strcmp(may, rows[i].may) != 0) {
			fail_msg("%s in %s: %s, not %s", rows[i].key, rows[i].zone, may, rows[i].may);
		}
	}
	/* A name without an operation is idle unless a file names it; what a file names may be nowhere. */
	struct findings f = { 0 };
	keystore_find_idle(keys, s, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].code, "key-operation");
	assert_null(strstr(f.list[0].text, "idle-key"));
	keystore_find_idle(keys, NULL, &f);
	assert_int_equal(f.n, 1 + 4);
	findings_fini(&f);
	secondaries_find_unknown(s, keys, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].code, "secondary-key-unknown");
	assert_non_null(strstr(f.list[0].text, "nowhere-key"));
	assert_true(name_is_equal(f.list[0].owner, named("_transfer.other.").oct));
	secondaries_find_unknown(s, NULL, &f);
	assert_int_equal(f.n, 1 + 6);
	findings_fini(&f);
	keystore_free(&keys);
	secondaries_free(&s);
}

static void
put_hosts(struct str *text, unsigned n)
{
	for (unsigned i = 1; i <= n; i++) {
		str_printf(text, "h%u A 192.0.2.1\n", i);
	}
}

/* As many as there may be, and one more; in several files, too. */
static void
how_many(void **state)
{
	(void)state;
	struct secondaries *half = NULL, *all = secondaries_new();
	struct load_result result;
	struct str found = { 0 }, text = { 0 };
	put_hosts(&text, SECONDARIES_MAX / 2);
	assert_int_equal(load("example.", str_text(&text), &half, &result, &found), OK);
	assert_int_equal(secondaries_merge(all, half), OK);
	assert_int_equal(secondaries_merge(all, half), OK);
	assert_int_equal(secondaries_count(all), SECONDARIES_MAX);
	assert_int_equal(secondaries_merge(all, half), E_LIMIT); /* all of it or nothing */
	assert_int_equal(secondaries_count(all), SECONDARIES_MAX);
	secondaries_seal(all);
	assert_host(all, "example.", "h77777.example.", "4.1 4.1 |");
	secondaries_free(&half);
	put_hosts(&text, SECONDARIES_MAX / 2 + 1);
	assert_int_equal(load("example.", str_text(&text), &half, &result, &found), E_LIMIT);
	secondaries_free(&all);
	secondaries_free(&half);
	str_fini(&text);
	str_fini(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record),
		cmocka_unit_test(nothing_is_good),
		cmocka_unit_test(no_right_grows),
		cmocka_unit_test(the_last_addresses_are_within_the_limit),
		cmocka_unit_test(what_is_shut),
		cmocka_unit_test(who_may_transfer),
		cmocka_unit_test(as_one_by_one),
		cmocka_unit_test(who_is_told),
		cmocka_unit_test(what_is_said_of_a_host),
		cmocka_unit_test(what_is_new),
		cmocka_unit_test(keys_are_granted_rights),
		cmocka_unit_test(how_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
