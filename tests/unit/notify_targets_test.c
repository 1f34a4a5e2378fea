/* Who is told about a zone: views out of master files, and their targets as lines of text. */
#include "auth/notify_targets.h"

#include "notify_text.h"

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
	const struct notify_own ours[] = { { { 4, { 192, 0, 2, 3 } }, 53 }, { { 6, { 0x20, 1, 0xD, 0xB8, [15] = 2 } }, 5300 } };
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
	static const struct notify_own ours[] = {
		{ { 4, { 192, 0, 2, 50 } }, 53 }, { { 6, { 0x20, 1, 0xD, 0xB8, [15] = 1 } }, 53 }, { { 6, { 0xFE, 0x80, [15] = 1 } }, 53 },
		{ { 4, { 127, 0, 0, 1 } }, 53 },
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

/* The first zone has more targets than are told. */
static void
assert_cut(const char *const files[][2], size_t n)
{
	struct primary *p = serve_files(files, n);
	struct notify_index *ix = NULL;
	static struct notify_targets t;
	assert_int_equal(notify_index_new(primary_view(p), &ix), OK);
	notify_targets_of(ix, trie_first(&primary_view(p)->zones), &everybody, &t);
	assert_int_equal(t.n, NOTIFY_TARGETS_MAX);
	assert_true(t.is_cut);
	notify_index_free(&ix);
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
	assert_cut(files, ARRAY_LEN(files));
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

/* ---- what `_secondaries` files say ---- */

/* Of these name servers far.test. comes first, and ns1 is the primary. */
#define ZONE                                                                                                                              \
	"$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n NS ns2\n NS far.test.\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n AAAA 2001:db8::2\n"          \
	"x A 192.0.2.9\n"

#define NO_KEYS NULL

/* The targets of example., of which the other zone is a neighbour, with these files. */
static void
assert_with(const char *keys, const char *secondaries, const struct notify_policy *policy, const char *want)
{
	const char *const files[][2] = { { "example", ZONE }, { "other", ZONE }, { "example._secondaries", secondaries }, { "_keys", keys } };
	struct primary *p = serve_files(files, ARRAY_LEN(files) - (keys == NO_KEYS));
	assert_non_null(p);
	assert_targets(primary_view(p), "example.", policy, want);
	assert_targets(primary_view(p), "other.", &everybody, "192.0.2.2 -\n2001:db8:0:0:0:0:0:2 -\n");
	primary_free(&p);
}

#define NS2 "192.0.2.2 -\n2001:db8:0:0:0:0:0:2 -\n"

static void
hosts_of_srv_records(void **state)
{
	(void)state;
	/* Where the file has no address, the zone's counts.  In the file's order. */
	assert_with(NO_KEYS, "_notify SRV 0 0 5353 hidden\n_notify SRV 9 9 5354 x\nhidden A 192.0.2.53\nhidden AAAA 2001:db8::53\n", &everybody,
	            "192.0.2.53@5353 -\n2001:db8:0:0:0:0:0:53@5353 -\n192.0.2.9@5354 -\n" NS2);
	assert_with(NO_KEYS, "_notify SRV 0 0 53 x\nx A 192.0.2.53\n", &everybody, "192.0.2.53 -\n" NS2); /* the file's, not the zone's */
	assert_with(NO_KEYS, "_notify.sub SRV 0 0 5353 x\n", &everybody, NS2);                        /* about others */
	assert_with(NO_KEYS, "_notify SRV 0 0 53 ns1\n", &everybody, "192.0.2.1 -\n" NS2);            /* though SOA calls it the primary */
	assert_with(NO_KEYS, "ns1 A 192.0.2.53\n", &everybody, NS2);                                  /* that alone is not enough */
}

static void
name_servers_that_a_file_lists(void **state)
{
	(void)state;
	assert_with(NO_KEYS, "far.test. A 192.0.2.77\n", &everybody, "192.0.2.77 -\n" NS2);
	assert_with(NO_KEYS, "ns2 A 192.0.2.78\n", &everybody, "192.0.2.78 -\n"); /* goes before what the zone says */
	assert_with("hoster-key." SECRET, "ns2 PTR hoster-key.\n", &everybody, "192.0.2.2 hoster-key.\n2001:db8:0:0:0:0:0:2 hoster-key.\n");
	assert_with("hoster-key." SECRET, "far.test. A 192.0.2.77\nfar.test. PTR hoster-key.\n", &everybody,
	            "192.0.2.77 hoster-key.\n" NS2);
}

static void
keys_of_hosts(void **state)
{
	(void)state;
	static const char host[] = "_notify SRV 0 0 5353 x\nx PTR one.\nx PTR nowhere.\nx PTR two.\n";
	assert_with("two." SECRET "one." SECRET, host, &everybody, "192.0.2.9@5353 one.\n192.0.2.9@5353 two.\n" NS2);
	assert_with(NO_KEYS, host, &everybody, "192.0.2.9@5353 -\n" NS2); /* no keys file has any of them */
	/* Its name calls our address the primary's; that of the other key does not. */
	static const struct notify_own ours[] = { { { 4, { 192, 0, 2, 50 } }, 53 } };
	const struct notify_policy policy = { .own = ours, .own_n = 1 };
	assert_with("192.0.2.50.192.0.2.9._transfer.sub.example." SECRET "one." SECRET,
	            "_notify SRV 0 0 53 x\nx PTR 192.0.2.50.192.0.2.9._transfer.sub\nx PTR one.\n", &policy,
	            "192.0.2.9 192.0.2.50.192.0.2.9._transfer.sub.example. from 192.0.2.50\n192.0.2.9 one.\n" NS2);
}

static void
a_port_is_an_addresss(void **state)
{
	(void)state;
	static const char keys[] = "192.0.2.1.192.0.2.53._transfer.example." SECRET "192.0.2.1.192.0.2.54._transfer.example." SECRET;
	/* The secondary of a key, at each port and not at 53; the other at 53. */
	assert_with(keys, "_notify SRV 0 0 5353 hidden\n_notify SRV 0 0 5354 hidden\nhidden A 192.0.2.53\n", &everybody,
	            "192.0.2.54 192.0.2.1.192.0.2.54._transfer.example.\n192.0.2.53@5353 192.0.2.1.192.0.2.53._transfer.example.\n"
	            "192.0.2.53@5354 192.0.2.1.192.0.2.53._transfer.example.\n" NS2);
	/* A name server, by its name and by that of another host. */
	assert_with(NO_KEYS, "_notify SRV 0 0 5353 ns2\n", &everybody, "192.0.2.2@5353 -\n2001:db8:0:0:0:0:0:2@5353 -\n");
	assert_with(NO_KEYS, "_notify SRV 0 0 5353 hidden\nhidden A 192.0.2.2\n", &everybody,
	            "192.0.2.2@5353 -\n2001:db8:0:0:0:0:0:2 -\n");
	assert_with(NO_KEYS, "_notify SRV 0 0 5353 hidden\n_notify SRV 0 0 53 ns2\nhidden A 192.0.2.2\n", &everybody,
	            "192.0.2.2@5353 -\n192.0.2.2 -\n2001:db8:0:0:0:0:0:2 -\n");
}

static void
signed_or_unsigned(void **state)
{
	(void)state;
	static const char key[] = "192.0.2.1.192.0.2.53._transfer.example." SECRET "one." SECRET;
	/* With the key in whose name the address is, and not unsigned as well; with those that the file lists, too; each once. */
	assert_with(key, "_notify SRV 0 0 5353 hidden\nhidden A 192.0.2.53\n", &everybody,
	            "192.0.2.53@5353 192.0.2.1.192.0.2.53._transfer.example.\n" NS2);
	assert_with(key, "_notify SRV 0 0 5353 hidden\nhidden A 192.0.2.53\nhidden PTR one.\nhidden PTR 192.0.2.1.192.0.2.53._transfer\n",
	            &everybody, "192.0.2.53@5353 192.0.2.1.192.0.2.53._transfer.example.\n192.0.2.53@5353 one.\n" NS2);
	/* What comes first unsigned, and then signed, by the name of a name server. */
	assert_with("one." SECRET, "_notify SRV 0 0 53 hidden\nhidden A 192.0.2.60\nfar.test. A 192.0.2.60\nfar.test. PTR one.\n", &everybody,
	            "192.0.2.60 one.\n" NS2);
	assert_with("one." SECRET, "_notify SRV 0 0 5353 hidden\nhidden A 192.0.2.60\n_notify SRV 0 0 5354 x\nx A 192.0.2.60\nx PTR one.\n",
	            &everybody, "192.0.2.60@5353 -\n192.0.2.60@5354 one.\n" NS2); /* another port is another secondary */
}

static void
the_nearest_domain_comes_first(void **state)
{
	(void)state;
	static const char *const files[][2] = {
		{ "example", ZONE }, { "other", ZONE },
		{ "_secondaries", "_notify SRV 0 0 1 a\na A 192.0.2.61\nfar.test. A 192.0.2.71\n" },
		{ "example._secondaries", "_notify SRV 0 0 2 b\nb A 192.0.2.62\nfar.test. A 192.0.2.72\n" },
	};
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_targets(primary_view(p), "example.", &everybody, "192.0.2.62@2 -\n192.0.2.61@1 -\n192.0.2.72 -\n" NS2);
	assert_targets(primary_view(p), "other.", &everybody, "192.0.2.61@1 -\n192.0.2.71 -\n" NS2);
	primary_free(&p);
}

static void
a_policy_and_files(void **state)
{
	(void)state;
	static const struct notify_policy keys_alone = { .whom = NOTIFY_WHOM_KEYS }, none = { .whom = NOTIFY_WHOM_NONE },
					  near = { .is_loopback_only = true };
	static const char files[] = "_notify SRV 0 0 5353 x\n_notify SRV 0 0 5354 near\nnear A 127.0.0.2\nfar.test. A 192.0.2.77\n";
	assert_with(NO_KEYS, files, &keys_alone, "192.0.2.9@5353 -\n127.0.0.2@5354 -\n192.0.2.77 -\n");
	assert_with("one." SECRET, "ns2 PTR one.\n", &keys_alone, "192.0.2.2 one.\n2001:db8:0:0:0:0:0:2 one.\n");
	assert_with(NO_KEYS, files, &none, "");
	assert_with(NO_KEYS, files, &near, "127.0.0.2@5354 -\n");
}

/* Another server at our address: at a port that is given and is not ours. */
static void
an_address_of_ours_with_a_port(void **state)
{
	(void)state;
	static const struct notify_own ours[] = { { { 4, { 192, 0, 2, 9 } }, 5300 }, { { 4, { 192, 0, 2, 8 } }, 53 } };
	const struct notify_policy policy = { .own = ours, .own_n = ARRAY_LEN(ours) };
	assert_with(NO_KEYS, "_notify SRV 0 0 53 x\n", &policy, "192.0.2.9 -\n" NS2);
	assert_with(NO_KEYS, "_notify SRV 0 0 5300 x\n", &policy, NS2);
	assert_with(NO_KEYS, "far.test. A 192.0.2.9\n", &policy, NS2); /* no port is given */
}

static void
places_are_bounded(void **state)
{
	(void)state;
	struct str file = { 0 };
	str_cat(&file, "_notify SRV 0 0 5353 many\n");
	for (unsigned i = 0; i <= NOTIFY_TARGETS_MAX; i++) {
		str_printf(&file, "many A 10.0.%u.%u\n", i >> 8, i & 255);
	}
	const char *const files[][2] = { { "example", ZONE }, { "_secondaries", str_text(&file) } };
	assert_cut(files, ARRAY_LEN(files));
	str_fini(&file);
}

static void
hosts_of_files_that_nobody_knows(void **state)
{
	(void)state;
	static const char key[] = "192.0.2.1.192.0.2.77._transfer.example." SECRET;
	static const char *const listed[][2] = { { "example", ZONE }, { "_secondaries", "far.test. A 192.0.2.77\n" } };
	static const char *const neighbour[][2] = { { "example", ZONE }, { "_secondaries", "near.test. A 192.0.2.77\n" } };
	static const char *const named[][2] = { { "example", ZONE }, { "_secondaries", "_notify SRV 0 0 53 x.example.\n" } };
	static const char *const nowhere[][2] = { { "example", ZONE }, { "_keys", key }, { "_secondaries", "_notify SRV 0 0 53 y.example.\n" } };
	const struct notify_policy keys = { .whom = NOTIFY_WHOM_KEYS }, none = { .whom = NOTIFY_WHOM_NONE };
	struct primary *p = serve_files(listed, ARRAY_LEN(listed));
	assert_unknown(primary_view(p), &everybody, "");
	primary_free(&p);
	p = serve_files(neighbour, ARRAY_LEN(neighbour));
	assert_unknown(primary_view(p), &everybody, "far.test.");
	primary_free(&p);
	p = serve_files(named, ARRAY_LEN(named)); /* far.test. may be the one that is named */
	assert_unknown(primary_view(p), &everybody, "");
	primary_free(&p);
	p = serve_files(nowhere, ARRAY_LEN(nowhere));
	assert_unknown(primary_view(p), &everybody, "y.example.");
	assert_unknown(primary_view(p), &keys, "y.example.");
	assert_unknown(primary_view(p), &none, "");
	primary_free(&p);
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
		cmocka_unit_test(hosts_of_srv_records),
		cmocka_unit_test(name_servers_that_a_file_lists),
		cmocka_unit_test(keys_of_hosts),
		cmocka_unit_test(a_port_is_an_addresss),
		cmocka_unit_test(signed_or_unsigned),
		cmocka_unit_test(the_nearest_domain_comes_first),
		cmocka_unit_test(a_policy_and_files),
		cmocka_unit_test(an_address_of_ours_with_a_port),
		cmocka_unit_test(places_are_bounded),
		cmocka_unit_test(hosts_of_files_that_nobody_knows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
