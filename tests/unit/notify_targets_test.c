/* Who is told, and of what: views out of master files, and what comes out as lines of text. */
#include "auth/notify_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "serve.h"

#define SECRET " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define OTHER_SECRET " DNSKEY 0 3 163 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n"

static const struct notify_policy everybody;

/* ---- text ---- */

static void
put_address(struct str *out, const struct key_address *a)
{
	if (a->family == 4) {
		str_printf(out, "%u.%u.%u.%u", a->octets[0], a->octets[1], a->octets[2], a->octets[3]);
	} else {
		for (int i = 0; i < 16; i += 2) {
			str_printf(out, "%s%x", i != 0 ? ":" : "", a->octets[i] << 8 | a->octets[i + 1]);
		}
	}
}

static void
put_target(struct str *out, const struct notify_target *t)
{
	char key[NAME_TEXT_MAX] = "-";
	assert_int_equal(t->conn, 0);
	assert_int_equal(t->port, 53);
	put_address(out, &t->address);
	if (t->key != NULL) {
		name_print(t->key->name.oct, key);
	}
	str_printf(out, " %s", key);
	if (t->source.family != 0) {
		str_cat(out, " from ");
		put_address(out, &t->source);
	}
	str_cat(out, "\n");
}

static void
on_each(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	char zone[NAME_TEXT_MAX];
	name_print(news->zone, zone);
	if (news->soa != NULL) {
		const uint8_t *serial = news->soa + news->soa_len - 20;
		str_printf(ctx, "%s %u ", zone, (unsigned)serial[2] << 8 | serial[3]);
		assert_int_equal(news->soa_ttl, 60);
	} else {
		str_printf(ctx, "%s gone ", zone);
	}
	put_target(ctx, to);
}

static void
assert_text(struct str *got, const char *want)
{
	assert_string_equal(str_text(got), want);
	str_clear(got);
}

/* ---- the targets of a zone ---- */

static void
assert_targets(const struct view *v, const char *zone, const struct notify_policy *policy, const char *want)
{
	static struct notify_targets t;
	struct notify_index *ix = NULL;
	struct name n;
	struct str got = { 0 };
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n), OK);
	assert_int_equal(notify_index_new(v, &ix), OK);
	notify_targets_of(ix, view_zone(v, n.oct), policy, &t);
	assert_false(t.is_cut);
	for (size_t i = 0; i < t.n; i++) {
		put_target(&got, &t.list[i]);
	}
	assert_text(&got, want);
	str_fini(&got);
	notify_index_free(&ix);
	assert_null(ix);
}

static const char example[] =
        "$TTL 60\n@ SOA Ns1 hostmaster 1 2 3 4 5\n NS ns1\n NS ns2\n NS ns.sub\n NS ns.other.\n NS ns.deep.other.\n NS far.test.\n"
        "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n AAAA 2001:db8::2\nsub NS ns.sub\nns.sub A 192.0.2.3\n";
static const char other[] = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns\n"
			    "ns A 192.0.2.4\n A 192.0.2.2\ndeep NS ns.deep\nns.deep A 192.0.2.99\n";
static const char deep[] = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns\nns A 192.0.2.5\n";

static void
hosts_of_the_zone_but_the_primary(void **state)
{
	(void)state;
	static const char *const files[][2] = { { "example", example }, { "other", other }, { "deep.other", deep } };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	const struct view *v = primary_view(p);
	/* In the order of the NS RRset: glue; the nearest zone; two of one host; the rest of one of which an address was there
	 * already; far.test. is not ours. */
	assert_targets(v, "example.", &everybody,
	               "192.0.2.3 -\n192.0.2.5 -\n192.0.2.2 -\n192.0.2.4 -\n2001:db8:0:0:0:0:0:2 -\n");
	assert_targets(v, "other.", &everybody, "");
	const struct key_address ours[] = { { 4, { 192, 0, 2, 3 } }, { 6, { 0x20, 1, 0xD, 0xB8, [15] = 2 } } };
	const struct notify_policy policy = { .own = ours, .own_n = ARRAY_LEN(ours) };
	assert_targets(v, "example.", &policy, "192.0.2.5 -\n192.0.2.2 -\n192.0.2.4 -\n");
	primary_free(&p);
}

static void
keys_with_a_secondary(void **state)
{
	(void)state;
	static const char keys[] =
	        "192.0.2.1.192.0.2.50._transfer" SECRET "192.0.2.1.192.0.2.2._transfer" SECRET "a.192.0.2.1._transfer" SECRET
	        "192.0.2.1.192.0.2.51._update" SECRET "192.0.2.1.192.0.2.52._notify" SECRET;
	static const char example_keys[] = "192.0.2.1.2001-db8--53._transfer" SECRET "192.0.2.1.192.0.2.50._transfer" SECRET;
	static const char sub_keys[] = "192.0.2.1.192.0.2.53._transfer" SECRET;
	static const char *const files[][2] = { { "example", example }, { "other", other }, { "_keys", keys },
		                                { "example._keys", example_keys }, { "x.example._keys", sub_keys } };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	const struct view *v = primary_view(p);
	/* The nearest domain's key for 192.0.2.50 first, then the other; the signed way to 192.0.2.2. */
	assert_targets(v, "example.", &everybody,
	               "192.0.2.50 192.0.2.1.192.0.2.50._transfer.example.\n"
	               "2001:db8:0:0:0:0:0:53 192.0.2.1.2001-db8--53._transfer.example.\n"
	               "192.0.2.2 192.0.2.1.192.0.2.2._transfer.\n"
	               "192.0.2.50 192.0.2.1.192.0.2.50._transfer.\n"
	               "192.0.2.3 -\n192.0.2.99 -\n192.0.2.4 -\n2001:db8:0:0:0:0:0:2 -\n");
	assert_targets(v, "other.", &everybody,
	               "192.0.2.2 192.0.2.1.192.0.2.2._transfer.\n192.0.2.50 192.0.2.1.192.0.2.50._transfer.\n");
	primary_free(&p);
}

/* The newest is the one that is last in its file, however the names are in order. */
static void
the_newest_key_comes_first(void **state)
{
	(void)state;
	static const char keys[] = "b.192.0.2.1.192.0.2.50._transfer" SECRET "c.192.0.2.1.192.0.2.50._transfer" SECRET
				   "a.192.0.2.1.192.0.2.50._transfer" SECRET;
	static const char example_keys[] = "k2.192.0.2.1.192.0.2.51._transfer" SECRET "k1.192.0.2.1.192.0.2.51._transfer" SECRET;
	static const char *const files[][2] = { { "other", other }, { "_keys", keys }, { "other._keys", example_keys } };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_targets(primary_view(p), "other.", &everybody,
	               "192.0.2.51 k1.192.0.2.1.192.0.2.51._transfer.other.\n"
	               "192.0.2.51 k2.192.0.2.1.192.0.2.51._transfer.other.\n"
	               "192.0.2.50 a.192.0.2.1.192.0.2.50._transfer.\n"
	               "192.0.2.50 c.192.0.2.1.192.0.2.50._transfer.\n"
	               "192.0.2.50 b.192.0.2.1.192.0.2.50._transfer.\n");
	primary_free(&p);
}

/* Under a key from the address that its name calls the primary's: when that is ours, can be somebody's, and is of the same family. */
static void
from_the_address_in_the_keys_name(void **state)
{
	(void)state;
	static const char keys[] = "192.0.2.50.192.0.2.60._transfer" SECRET "192.0.2.51.192.0.2.61._transfer" SECRET
				   "2001-db8--1.192.0.2.62._transfer" SECRET "2001-db8--1.2001-db8--2._transfer" SECRET
				   "fe80--1.2001-db8--3._transfer" SECRET "127.0.0.1.192.0.2.63._transfer" SECRET
				   "127.0.0.1.127.0.0.63._transfer" SECRET;
	static const struct key_address ours[] = {
		{ 4, { 192, 0, 2, 50 } }, { 6, { 0x20, 1, 0xD, 0xB8, [15] = 1 } }, { 6, { 0xFE, 0x80, [15] = 1 } },
		{ 4, { 127, 0, 0, 1 } },
	};
	static const char *const files[][2] = { { "deep.other", deep }, { "_keys", keys } };
	const struct notify_policy policy = { .own = ours, .own_n = ARRAY_LEN(ours) };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_targets(primary_view(p), "deep.other.", &policy,
	               "127.0.0.63 127.0.0.1.127.0.0.63._transfer. from 127.0.0.1\n"
	               "192.0.2.63 127.0.0.1.192.0.2.63._transfer.\n" /* nothing goes there from a loopback address */
	               "2001:db8:0:0:0:0:0:3 fe80--1.2001-db8--3._transfer.\n"
	               "2001:db8:0:0:0:0:0:2 2001-db8--1.2001-db8--2._transfer. from 2001:db8:0:0:0:0:0:1\n"
	               "192.0.2.62 2001-db8--1.192.0.2.62._transfer.\n"
	               "192.0.2.61 192.0.2.51.192.0.2.61._transfer.\n"
	               "192.0.2.60 192.0.2.50.192.0.2.60._transfer. from 192.0.2.50\n");
	primary_free(&p);
}

static void
addresses_that_are_nobodys(void **state)
{
	(void)state;
	static const char zone[] =
	        "$TTL 60\n@ SOA ns0 h 1 2 3 4 5\n NS ns0\n NS a\n NS b\nns0 A 192.0.2.1\n"
	        "a A 0.0.0.0\n A 224.0.0.1\n A 255.255.255.255\n A 127.0.0.1\n A 223.255.255.254\n"
	        "b AAAA ::\n AAAA ::1\n AAAA ff02::1\n AAAA fe80::1\n AAAA ::ffff:192.0.2.1\n AAAA fec0::1\n";
	static const char *const files[][2] = { { "example", zone } };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_targets(primary_view(p), "example.", &everybody,
	               "127.0.0.1 -\n223.255.255.254 -\n0:0:0:0:0:0:0:1 -\nfec0:0:0:0:0:0:0:1 -\n");
	primary_free(&p);
}

static void
assert_loopback(uint8_t family, const char *octets, size_t n, bool want)
{
	struct key_address a = { .family = family };
	memcpy(a.octets, octets, n);
	assert_int_equal(notify_is_loopback(&a), want);
}

static void
loopback_addresses(void **state)
{
	(void)state;
	assert_loopback(4, "\x7F\0\0\1", 4, true);
	assert_loopback(4, "\x7F\xFF\xFF\xFF", 4, true);
	assert_loopback(4, "\x7E\xFF\xFF\xFF", 4, false);
	assert_loopback(4, "\x80\0\0\0", 4, false);
	assert_loopback(4, "\0\0\0\0", 4, false);
	assert_loopback(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, true);
	assert_loopback(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, false); /* the wildcard */
	assert_loopback(6, "\x7F\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, false);
	assert_loopback(6, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x7F\0\0\1", 16, true);
	assert_loopback(6, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\2\1", 16, false);
	assert_loopback(0, "\x7F\0\0\1", 4, false);
}

static void
a_policy_leaves_out(void **state)
{
	(void)state;
	static const char zone[] = "$TTL 60\n@ SOA ns0 h 1 2 3 4 5\n NS ns0\n NS a\nns0 A 192.0.2.1\n"
				   "a A 192.0.2.2\n A 127.0.0.2\n AAAA 2001:db8::2\n AAAA ::1\n";
	static const char keys[] = "192.0.2.1.192.0.2.50._transfer" SECRET "192.0.2.1.127.0.0.50._transfer" SECRET;
	static const char *const files[][2] = { { "example", zone }, { "_keys", keys } };
	static const struct notify_policy keys_alone = { .whom = NOTIFY_WHOM_KEYS }, none = { .whom = NOTIFY_WHOM_NONE },
					  near = { .is_loopback_only = true },
					  near_keys = { .whom = NOTIFY_WHOM_KEYS, .is_loopback_only = true };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	const struct view *v = primary_view(p);
	assert_targets(v, "example.", &keys_alone,
	               "127.0.0.50 192.0.2.1.127.0.0.50._transfer.\n192.0.2.50 192.0.2.1.192.0.2.50._transfer.\n");
	assert_targets(v, "example.", &none, "");
	assert_targets(v, "example.", &near, "127.0.0.50 192.0.2.1.127.0.0.50._transfer.\n127.0.0.2 -\n0:0:0:0:0:0:0:1 -\n");
	assert_targets(v, "example.", &near_keys, "127.0.0.50 192.0.2.1.127.0.0.50._transfer.\n");
	primary_free(&p);
}

static void
targets_are_bounded(void **state)
{
	(void)state;
	struct str zone = { 0 };
	str_cat(&zone, "$TTL 60\n@ SOA ns0 h 1 2 3 4 5\n NS ns0\n NS ns1\nns0 A 192.0.2.1\n");
	for (unsigned i = 0; i <= NOTIFY_TARGETS_MAX; i++) {
		str_printf(&zone, "ns1 A 10.0.%u.%u\n", i >> 8, i & 255);
	}
	const char *const files[][2] = { { "example", str_text(&zone) } };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	struct notify_index *ix = NULL;
	static struct notify_targets t;
	assert_int_equal(notify_index_new(primary_view(p), &ix), OK);
	notify_targets_of(ix, trie_first(&primary_view(p)->zones), &everybody, &t);
	assert_int_equal(t.n, NOTIFY_TARGETS_MAX);
	assert_true(t.is_cut);
	notify_index_free(&ix);
	primary_free(&p);
	str_fini(&zone);
}

static void
assert_unknown(const struct view *v, const struct notify_policy *policy, const char *want)
{
	static struct notify_targets t;
	struct notify_index *ix = NULL;
	struct name n;
	char host[NAME_TEXT_MAX] = "";
	assert_int_equal(name_parse("example.", 8, NULL, &n), OK);
	assert_int_equal(notify_index_new(v, &ix), OK);
	notify_targets_of(ix, view_zone(v, n.oct), policy, &t);
	if (t.unknown != NULL) {
		name_print(t.unknown, host);
	}
	assert_string_equal(host, want);
	notify_index_free(&ix);
}

/* The first is named, unless that is by the operator's will, or keys may name the same secondaries. */
static void
hosts_that_nobody_here_knows(void **state)
{
	(void)state;
	static const char *const files[][2] = { { "example", example }, { "other", other } };
	static const char *const with_key[][2] = {
		{ "example", example }, { "other", other }, { "_keys", "192.0.2.1.192.0.2.77._transfer.example." SECRET },
	};
	static const char *const all_known[][2] = { { "example", "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n" } };
	static const char *const by_mname[][2] = { { "example", "$TTL 60\n@ SOA far.test. h 1 2 3 4 5\n NS far.test.\n" } };
	const struct notify_policy keys = { .whom = NOTIFY_WHOM_KEYS }, none = { .whom = NOTIFY_WHOM_NONE }, near = { .is_loopback_only = true };
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_unknown(primary_view(p), &everybody, "far.test.");
	assert_unknown(primary_view(p), &keys, "");
	assert_unknown(primary_view(p), &none, "");
	assert_unknown(primary_view(p), &near, "");
	primary_free(&p);
	p = serve_files(with_key, ARRAY_LEN(with_key));
	assert_unknown(primary_view(p), &everybody, "");
	primary_free(&p);
	p = serve_files(all_known, ARRAY_LEN(all_known));
	assert_unknown(primary_view(p), &everybody, "");
	primary_free(&p);
	p = serve_files(by_mname, ARRAY_LEN(by_mname));
	assert_unknown(primary_view(p), &everybody, "");
	primary_free(&p);
}

/* ---- between two views ---- */

struct world {
	struct primary *p;
	const struct view *before;
	struct discard *old; /* keeps `before` */
	const struct notify_policy *policy; /* NULL: everybody is told */
	size_t passed_n;     /* zones with targets that were passed over */
	struct str got;
};

/* The next version, of these files and no others; what it differs in is in w->got. */
static void
next(struct world *w, const char *const files[][2], size_t n)
{
	static const struct primary_conf conf = { 100, 100, 100 };
	static const struct primary_log log;
	struct source_change changes[16];
	struct source_commit commit = { .id = "c0ffee", .changes = changes, .n = n, .is_whole = true,
		                        .open = serve_no_file, .close = serve_close };
	enum primary_outcome outcome;
	const struct view *now;
	struct notify_left_out left_out;
	bool is_first = w->p == NULL;
	w->p = is_first ? primary_new(&conf, &log) : w->p;
	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct source_change){ .kind = SOURCE_PUT, .path = files[i][0],
			                             .bytes = (const uint8_t *)files[i][1], .len = strlen(files[i][1]) };
	}
	assert_int_equal(primary_apply(w->p, &commit, &outcome, &now, &w->old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	const struct notify_listener to = { .each = on_each, .ctx = &w->got };
	assert_int_equal(notify_compare(is_first ? NULL : w->before, now, w->policy != NULL ? w->policy : &everybody, &to, &left_out), OK);
	assert_int_equal(left_out.cut_n, 0);
	w->passed_n = left_out.passed_n;
	discard_free(&w->old);
	w->before = now;
}

static void
end(struct world *w)
{
	primary_free(&w->p);
	str_fini(&w->got);
}

#define ZONE(serial, more) "$TTL 60\n@ SOA ns1 h " serial " 2 3 4 5\n NS ns1\n NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n" more

static void
zones_that_come_change_and_go(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("1", "") }, { "c", ZONE("1", "") } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\nc. 1 192.0.2.2 -\n");
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "");
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("2", "x A 192.0.2.3\n") },
		                                 { "d", ZONE("1", "") }, { "A.b", ZONE("7", "") } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "b. 2 192.0.2.2 -\nA.b. 7 192.0.2.2 -\nc. gone 192.0.2.2 -\nd. 1 192.0.2.2 -\n");
	static const char *const stuck[][2] = { { "a", ZONE("1", "x A 192.0.2.4\n") }, { "b", ZONE("2", "x A 192.0.2.3\n") },
		                                { "d", ZONE("1", "") }, { "a.B", ZONE("7", "") } };
	next(&w, stuck, ARRAY_LEN(stuck)); /* the serial did not grow; another spelling of the file, to which the zone as it is moves */
	assert_true(strstr(str_text(&w.got), "a. 1 192.0.2.2 -\n") != NULL);
	str_clear(&w.got);
	next(&w, NULL, 0);
	assert_text(&w.got, "a. gone 192.0.2.2 -\nb. gone 192.0.2.2 -\nA.b. gone 192.0.2.2 -\nd. gone 192.0.2.2 -\n");
	end(&w);
}

#define KEY(address) "192.0.2.1." address "._transfer"

static void
keys_that_come_and_change(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                { "a._keys", KEY("192.0.2.8") SECRET } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\na. 1 192.0.2.2 -\n"
	                    "x.a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\nx.a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\n");
	/* A key more, and another secret: who holds these is told of everything in their domain, nobody else of anything. */
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                 { "a._keys", KEY("192.0.2.8") OTHER_SECRET },
		                                 { "b._keys", KEY("192.0.2.9") SECRET } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "x.a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n");
	/* One for the root, and one within it; a zone that changed in the same commit is told once, and an address that has a
	 * nearer key already with both: it may know the one alone. */
	static const char *const third[][2] = { { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                { "a._keys", KEY("192.0.2.8") OTHER_SECRET },
		                                { "x.a._keys", KEY("192.0.2.7") SECRET },
		                                { "b._keys", KEY("192.0.2.9") SECRET },
		                                { "_keys", KEY("192.0.2.9") SECRET KEY("192.0.2.10") SECRET } };
	next(&w, third, ARRAY_LEN(third));
	assert_text(&w.got, "a. 2 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "a. 2 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "a. 2 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n"
	                    "a. 2 192.0.2.2 -\n"
	                    "x.a. 1 192.0.2.7 192.0.2.1.192.0.2.7._transfer.x.a.\n"
	                    "x.a. 1 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "x.a. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n"
	                    "b. 1 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n");
	/* A zone goes together with its keys: its secondary is told with the key that it has. */
	static const char *const fourth[][2] = { { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") },
		                                 { "a._keys", KEY("192.0.2.8") OTHER_SECRET } };
	next(&w, fourth, ARRAY_LEN(fourth));
	assert_text(&w.got, "b. gone 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n"
	                    "b. gone 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "b. gone 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\nb. gone 192.0.2.2 -\n");
	end(&w);
}

/* At the start, for changes, removals and new keys alike. */
static void
what_is_passed_over_is_told(void **state)
{
	(void)state;
	static const struct notify_policy near = { .is_loopback_only = true };
	struct world w = { .policy = &near };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("1", "") } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "");
	assert_int_equal(w.passed_n, 2);
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "_keys", KEY("192.0.2.8") SECRET KEY("127.0.0.8") OTHER_SECRET } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "a. 1 127.0.0.8 192.0.2.1.127.0.0.8._transfer.\n");
	assert_int_equal(w.passed_n, 2);
	next(&w, second, ARRAY_LEN(second));
	assert_int_equal(w.passed_n, 0);
	end(&w);
}

static void
every_zone_of_a_domain(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const files[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("2", "") }, { "b", ZONE("3", "") },
		                                { "aa", ZONE("4", "") } };
	next(&w, files, ARRAY_LEN(files));
	str_clear(&w.got);
	const struct notify_target to = { .address = { 4, { 192, 0, 2, 9 } }, .port = 53 };
	notify_every_zone(w.before, name_root, &to, on_each, &w.got);
	assert_text(&w.got, "a. 1 192.0.2.9 -\nx.a. 2 192.0.2.9 -\naa. 4 192.0.2.9 -\nb. 3 192.0.2.9 -\n");
	notify_every_zone(w.before, (const uint8_t *)"\1a", &to, on_each, &w.got);
	assert_text(&w.got, "a. 1 192.0.2.9 -\nx.a. 2 192.0.2.9 -\n");
	notify_every_zone(w.before, (const uint8_t *)"\1y\1a", &to, on_each, &w.got);
	notify_every_zone(w.before, (const uint8_t *)"\2zz", &to, on_each, &w.got);
	assert_text(&w.got, "");
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_the_zone_but_the_primary),
		cmocka_unit_test(hosts_that_nobody_here_knows),
		cmocka_unit_test(keys_with_a_secondary),
		cmocka_unit_test(the_newest_key_comes_first),
		cmocka_unit_test(from_the_address_in_the_keys_name),
		cmocka_unit_test(addresses_that_are_nobodys),
		cmocka_unit_test(loopback_addresses),
		cmocka_unit_test(a_policy_leaves_out),
		cmocka_unit_test(targets_are_bounded),
		cmocka_unit_test(zones_that_come_change_and_go),
		cmocka_unit_test(keys_that_come_and_change),
		cmocka_unit_test(what_is_passed_over_is_told),
		cmocka_unit_test(every_zone_of_a_domain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
