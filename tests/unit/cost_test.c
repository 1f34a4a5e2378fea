/* What one query costs at most, counted: allocations, lookups, hashes, RRsets written, HMACs.  The bounds are those of auth/server.h; of requests of
 * other kinds see request_cost_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/answering.h"
#include "base/buf.h"
#include "base/str.h"
#include "counted.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

enum { NOW_S = 1700000000 };

/* ---- zones that make work ---- */

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const char keys_file[] = "k._transfer.example. DNSKEY 0 3 163 " SECRET "\n";

#define SOA "$TTL 60\n@ SOA ns1 h 7 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
#define SIG(type) "RRSIG " type " 13 2 300 20300101000000 20200101000000 1 @ AAAA\n"

static void
many(struct str *s, const char *format, int n)
{
	for (int i = 0; i < n; i++) {
		char line[300];
		assert_true(snprintf(line, sizeof line, format, i, i + 1, i) < (int)sizeof line);
		str_cat(s, line);
	}
}

#define LABELS_MAX 124 /* of one octet, before "d.h.": 127 are all that there can be */

/* A zone with NSEC3: the parameters are "ITERATIONS SALT". */
static void
hashed_zone(struct str *s, const char *parameters)
{
	str_printf(s, SOA "@ NSEC3PARAM 1 0 %s\n@ DNSKEY 256 3 13 AAAA\n@ " SIG("SOA") "@ " SIG("NSEC3PARAM"), parameters);
	str_printf(s, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 %s 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n", parameters);
	many(s, "*.w%d CNAME x.w%d\n", 40);
	for (int i = 0; i < LABELS_MAX - 4; i++) {
		str_cat(s, "l.");
	}
	str_cat(s, "d A 192.0.2.5\n");
}

static void
salted(char out[520], const char *iterations)
{
	size_t at = (size_t)snprintf(out, 520, "%s ", iterations);
	memset(out + at, 'a', 510);
	out[at + 510] = '\0';
}

static int
start(void **state)
{
	struct str plain = { 0 }, hashed = { 0 }, cheap = { 0 }, salt = { 0 }, excess = { 0 };
	char parameters[520];
	(void)state;
	str_cat(&plain, SOA "www A 192.0.2.2\nloop CNAME loop\nd DNAME d.d\n* TXT \"w\"\n");
	many(&plain, "c%d CNAME c%d\n", 40);
	many(&plain, "mx MX %d t%d\n", 60);
	many(&plain, "t%d A 192.0.2.3\n", 61);
	many(&plain, "cut NS t%d.cut\n", 60);
	many(&plain, "s%d HTTPS 0 s%d\ns%d A 192.0.2.4\n", 60);
	for (int i = 1; i < 60; i++) {
		char format[60];
		snprintf(format, sizeof format, "t%d.cut AAAA 2001:db8::%%x\n", i);
		many(&plain, format, 200);
	}
	hashed_zone(&hashed, "150 -");
	hashed_zone(&cheap, "0 -");
	salted(parameters, "150");
	hashed_zone(&salt, parameters);
	salted(parameters, "65535");
	hashed_zone(&excess, parameters);
	const char *const files[][2] = {
		{ "example", str_text(&plain) }, { "h", str_text(&hashed) }, { "c", str_text(&cheap) },
		{ "s", str_text(&salt) }, { "e", str_text(&excess) }, { "_keys", keys_file },
	};
	int failed = primary_up(files, ARRAY_LEN(files));
	str_fini(&plain);
	str_fini(&hashed);
	str_fini(&cheap);
	str_fini(&salt);
	str_fini(&excess);
	return failed;
}

/* ---- queries ---- */

struct ask {
	const char *name, *type;
	bool is_dnssec_ok, is_tcp, is_signed;
	unsigned rcode;
};

static size_t
query(const struct ask *a, uint8_t *wire, size_t cap)
{
	struct buf b = buf_over(wire, cap);
	struct name n;
	uint16_t type;
	assert_int_equal(name_parse(a->name, strlen(a->name), NULL, &n), OK);
	assert_int_equal(rrtype_parse(a->type, strlen(a->type), &type), OK);
	buf_put(&b, "\x12\x34\x00\x00\0\1\0\0", 8);
	buf_u16(&b, type == TYPE_IXFR);
	buf_u16(&b, 1);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, type);
	buf_u16(&b, CLASS_IN);
	if (type == TYPE_IXFR) { /* RFC 1995 3 */
		buf_put(&b, n.oct, n.len);
		buf_put(&b, "\0\6\0\1\0\0\0\0\0\x16\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 32);
	}
	buf_put(&b, "\0\0\x29\x10\0", 5);
	buf_u32(&b, a->is_dnssec_ok ? EDNS_DO : 0);
	buf_u16(&b, 0);
	assert_int_equal(b.err, OK);
	return !a->is_signed ? b.len : sign_request("k._transfer.example:SHA256:" SECRET, NOW_S, wire, b.len, cap);
}

enum {
	TURNS = ALIAS_CHAIN_MAX + 1,
	/* A turn: the zone, the name, a wildcard.  Then targets; then proofs: two, and one for each wildcard; hashes are looked up, too. */
	LOOKUPS_MAX = 3 * TURNS + REPLY_TARGETS_MAX + 2 + TURNS + HASHES_MAX,
	/* An alias: DNAME and signature, or CNAME and signature; each target: two types; denials; SOA. */
	WRITTEN_MAX = 2 * TURNS + 4 * REPLY_TARGETS_MAX + 2 * DENIALS_MAX + 4,
};

#define L10 "l.l.l.l.l.l.l.l.l.l."
#define DEEP L10 L10 L10 L10 L10 L10 L10 L10 L10 L10 L10 L10 /* LABELS_MAX less four */

static const struct ask cases[] = {
	{ "www.example.", "A", false, false, false, 0 },
	{ "www.example.", "A", false, false, true, 0 },
	{ "www.example.", "ANY", false, true, false, 0 },
	{ "x.example.", "A", true, false, false, 0 },
	{ "c0.example.", "A", true, false, false, 0 },
	{ "loop.example.", "A", false, false, false, 0 },
	{ "x.d.example.", "A", false, false, false, 0 },
	{ "mx.example.", "MX", true, false, false, 0 },
	{ "mx.example.", "MX", true, true, false, 0 },
	{ "s0.example.", "HTTPS", true, true, false, 0 },
	{ "x.cut.example.", "A", false, false, false, 0 },
	{ "x.cut.example.", "A", true, true, false, 0 },
	{ "www.example.", "RRSIG", true, true, false, RCODE_NOERROR },
	{ "example.", "IXFR", false, false, true, 0 },
	{ "x.h.", "A", true, false, false, RCODE_NXDOMAIN },
	{ "x.s.", "A", true, false, false, RCODE_NXDOMAIN },
	{ "x.e.", "A", true, false, false, RCODE_NXDOMAIN },
	{ "x.w0.h.", "A", true, true, false, 0 },
	{ "x.w0.c.", "A", true, true, false, 0 },
	{ "x.w0.s.", "A", true, true, false, RCODE_SERVFAIL },
	{ "x.w0.e.", "A", true, true, false, 0 },
	{ "x." DEEP "d.h.", "A", true, false, false, RCODE_SERVFAIL },
	{ "x." DEEP "d.c.", "A", true, false, false, RCODE_NXDOMAIN },
	{ "x." DEEP "d.s.", "A", true, false, false, RCODE_SERVFAIL },
	{ "x." DEEP "d.e.", "A", true, false, false, RCODE_NXDOMAIN },
	{ "www.example.net.", "A", true, false, false, RCODE_REFUSED },
};

static void
no_query_costs_more_than_is_written_down(void **state)
{
	(void)state;
	static uint8_t resp[DNS_MSG_MAX];
	static const struct server_conf conf = { .udp_max = 4096 };
	struct server_stats stats = { 0 };
	struct server_out out;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct ask *a = &cases[i];
		uint8_t req[1024];
		const struct peer peer = { .family = 4, .transport = a->is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP };
		size_t len = query(a, req, sizeof req);
		cost = (struct cost){ 0 };
		len = server_handle(primary_view(primary), &conf, &peer, NOW_S, req, len, resp, sizeof resp, &stats, &out);
		const struct cost c = cost;
		print_message("%s %s: %u allocations, %u lookups, %u hashes of %zu blocks, %u RRsets, %u HMACs\n", a->name, a->type,
		              c.allocations, c.lookups, c.hashes, c.hash_blocks, c.written, c.hmacs);
		assert_true(len >= DNS_HEADER_LEN);
		assert_int_equal(resp[3] & DNS_RCODE, a->rcode);
		assert_int_equal(c.hmacs, a->is_signed ? 2 : 0);
		assert_true(a->is_signed || c.allocations == 0);
		assert_true(c.lookups != 0 && c.lookups <= LOOKUPS_MAX);
		assert_true(c.hashes <= HASHES_MAX);
		assert_true(c.hash_blocks <= HASH_BLOCKS_MAX);
		assert_true(c.written <= WRITTEN_MAX);
		assert_int_equal(c.worked_out, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_query_costs_more_than_is_written_down) };
	return cmocka_run_group_tests(tests, start, primary_down);
}
