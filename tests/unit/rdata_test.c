#include "dns/rdata.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/enc.h"
#include "dns/rdata_p.h"
#include "dns/wire.h"
#include "hex.h"
#include "rdata_vectors.h"

static const uint8_t example[] = "\7example";

struct parsed {
	err_t err;
	size_t len;
	struct rdata_error why;
	uint8_t wire[DNS_RDATA_MAX];
};

static void
parse_with(struct parsed *out, uint16_t type, const char *text, size_t len, const uint8_t *origin)
{
	struct lex lx;
	struct buf b = buf_over(out->wire, sizeof out->wire);
	lex_init(&lx, text, len);
	out->err = rdata_parse(&lx, type, origin, &b, &out->why);
	assert_int_equal(b.err, OK);
	out->len = b.len;
}

static void
parse(struct parsed *out, uint16_t type, const char *text)
{
	parse_with(out, type, text, strlen(text), name_root);
}

static uint16_t
type_of(const char *mnemonic)
{
	uint16_t type;
	assert_int_equal(rrtype_parse(mnemonic, strlen(mnemonic), &type), OK);
	return type;
}

static void
vectors_are_read_and_printed(void **state)
{
	(void)state;
	struct parsed p, again;
	for (size_t i = 0; i < ARRAY_LEN(rdata_vectors); i++) {
		const struct rdata_vector *v = &rdata_vectors[i];
		uint16_t type = type_of(v->type);
		uint8_t wire[2048];
		size_t len = unhex(v->wire, wire, sizeof wire);
		struct str text = { 0 };
		parse(&p, type, v->in);
		if (p.err != OK) {
			fail_msg("%s %s: %s", v->type, v->in, p.why.text);
		}
		if (p.len != len || memcmp(p.wire, wire, len) != 0) {
			fail_msg("%s %s: wire form differs", v->type, v->in);
		}
		assert_int_equal(rdata_check(type, wire, len), OK);
		rdata_print(type, wire, len, &text);
		assert_string_equal(str_text(&text), v->out != NULL ? v->out : v->in);
		parse(&again, type, str_text(&text));
		assert_int_equal(again.err, OK);
		assert_int_equal(again.len, len);
		assert_memory_equal(again.wire, wire, len);
		str_fini(&text);
	}
}

static void
every_type_with_text_has_a_vector(void **state)
{
	(void)state;
	const struct rrtype *row;
	for (size_t i = 0; (row = rrtype_row(i)) != NULL; i++) {
		bool is_there = row->fields == NULL;
		for (size_t j = 0; j < ARRAY_LEN(rdata_vectors) && !is_there; j++) {
			is_there = strcmp(rdata_vectors[j].type, row->mnemonic) == 0;
		}
		if (!is_there) {
			fail_msg("%s has no vector", row->mnemonic);
		}
	}
}

/* RFC 3597 5: known types may be written so, and are checked then. */
static void
generic_form_is_read_for_all_types(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(rdata_vectors); i++) {
		const struct rdata_vector *v = &rdata_vectors[i];
		char text[4200];
		uint8_t wire[2048];
		size_t len = unhex(v->wire, wire, sizeof wire);
		(void)snprintf(text, sizeof text, "\\# %zu %.4000s", len, v->wire);
		parse(&p, type_of(v->type), text);
		assert_int_equal(p.err, OK);
		assert_int_equal(p.len, len);
		assert_memory_equal(p.wire, wire, len);
	}
}

/* Cut short, one octet too long, one octet changed: never a crash, and what checks can be printed and
 * read back. */
static void
damaged_wire_form_is_refused_or_survives(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(rdata_vectors); i++) {
		uint16_t type = type_of(rdata_vectors[i].type);
		uint8_t wire[2048];
		size_t len = unhex(rdata_vectors[i].wire, wire, sizeof wire - 1);
		wire[len] = 0;
		for (size_t j = 0; j < 3 * len + 2; j++) {
			size_t cut = j <= len + 1 ? j : len;
			size_t at = j % (len + 1);
			uint8_t before = wire[at];
			wire[at] ^= j <= len + 1 ? 0 : j % 2 != 0 ? 1 : 0xFF;
			struct str text = { 0 };
			rdata_print(type, wire, cut, &text);
			if (rdata_check(type, wire, cut) == OK) {
				parse(&p, type, str_text(&text));
				if (p.err != OK) {
					fail_msg("%s %s: %s", rdata_vectors[i].type, str_text(&text),
					         p.why.text);
				}
				assert_int_equal(p.len, cut);
				assert_memory_equal(p.wire, wire, cut);
			} else {
				assert_int_equal(strncmp(str_text(&text), "\\# ", 3), 0);
			}
			str_fini(&text);
			wire[at] = before;
		}
	}
}

static const struct {
	const char *type, *text;
	err_t err;
	const char *message; /* a part of it */
} bad[] = {
	{ "A", "", E_FORMAT, "missing" },
	{ "A", "1.2.3", E_FORMAT, "IPv4 address" },
	{ "A", "01.2.3.4", E_FORMAT, "IPv4 address" },
	{ "A", "1.2.3.256", E_FORMAT, "IPv4 address" },
	{ "A", "\"1.2.3.4\"", E_FORMAT, "IPv4 address" },
	{ "A", "1.2.3.4 5", E_FORMAT, "the end of the record" },
	{ "A", "\\# 3 010203", E_FORMAT, "not well-formed" },
	{ "A", "\\# 4 010203", E_FORMAT, "3 octets" },
	{ "A", "\\# 4", E_FORMAT, "0 octets" },
	{ "A", "\\# 4 0102030", E_FORMAT, "odd number" },
	{ "A", "\\# 65536 00", E_RANGE, "over 65535" },
	{ "A", "\\#", E_FORMAT, "missing" },
	{ "AAAA", "1::2::3", E_FORMAT, "IPv6 address" },
	{ "NS", "a..b.", E_LABEL, "label" },
	{ "NS", "\"a.\"", E_FORMAT, "domain name" },
	{ "NS", "a\\300.", E_RANGE, "escape" },
	{ "MX", "10", E_FORMAT, "host: missing" },
	{ "MX", "mail 10", E_FORMAT, "preference: expected a number, not \"mail\"" },
	{ "MX", "65536 mail", E_RANGE, "over 65535" },
	{ "SOA", "a. b. 1h 2 3 4 5", E_FORMAT, "serial" },
	{ "SOA", "a. b. 1 2 3 4", E_FORMAT, "minimum: missing" },
	{ "SOA", "a. b. 1 2 3 4 5x", E_FORMAT, "time" },
	{ "TXT", "", E_FORMAT, "missing" },
	{ "TXT", "\"abc", E_FORMAT, "quote" },
	{ "TXT", "a\\256", E_FORMAT, "escape" },
	{ "TXT", "a\\25", E_FORMAT, "escape" },
	{ "HINFO", "a", E_FORMAT, "OS: missing" },
	{ "HINFO", "a b c", E_FORMAT, "end of the record" },
	{ "X25", "123", E_FORMAT, "four digits" },
	{ "NSAP", "47", E_FORMAT, "address" },
	{ "NSAP", "0x4", E_FORMAT, "address" },
	{ "ATMA", "47.", E_FORMAT, "address" },
	{ "ATMA", "+", E_FORMAT, "address" },
	{ "WKS", "1.2.3.4 tcp 65536", E_RANGE, "over 65535" },
	{ "WKS", "1.2.3.4 frob", E_FORMAT, "protocol" },
	{ "LOC", "91 N 0 E 0", E_RANGE, "degrees" },
	{ "LOC", "90 0 1 N 0 E 0", E_RANGE, "beyond 90" },
	{ "LOC", "42 60 N 0 E 0", E_RANGE, "minutes" },
	{ "LOC", "42 1 60 N 0 E 0", E_RANGE, "seconds" },
	{ "LOC", "42 1 2.1234 N 0 E 0", E_FORMAT, "seconds" },
	{ "LOC", "42 N 71 E", E_FORMAT, "altitude" },
	{ "LOC", "42 N 71 E -100000.01m", E_RANGE, "altitude" },
	{ "LOC", "42 N 71 E 1m 95000000m", E_RANGE, "size" },
	{ "LOC", "42 N 71 E 1km", E_FORMAT, "altitude" },
	{ "NXT", "a. TYPE128", E_RANGE, "127" },
	{ "NSEC", "a.", E_FORMAT, "missing" },
	{ "NSEC", "a. FOO", E_FORMAT, "record type" },
	{ "NSEC3", "1 0 0 aab 2t7b4g4vsa5smi47k61mv5bv1a22bojr", E_FORMAT, "odd number" },
	{ "NSEC3", "1 0 0 - 2t7b", E_FORMAT, "base32hex" },
	{ "NSEC3", "1 0 0 - 2t7b4g4v=", E_FORMAT, "base32hex" },
	{ "DS", "1 5 1 aabb", E_FORMAT, "2 octets long" },
	{ "DS", "1 5 2", E_FORMAT, "missing" },
	{ "DS", "1 FOO 2 00", E_FORMAT, "algorithm" },
	{ "SSHFP", "1 2 aabb", E_FORMAT, "2 octets long" },
	{ "ZONEMD", "1 1 240 aabb", E_FORMAT, "the minimum is 12" },
	{ "ZONEMD", "1 241 1 aabb", E_FORMAT, "the minimum is 12" },
	{ "ZONEMD", "1 1 2 e1846540e33a9e4189792d18d5d131f605fc283e", E_FORMAT, "algorithm 2 has 64" },
	{ "DNSKEY", "257 3 8", E_FORMAT, "missing" },
	{ "DNSKEY", "257 3 8 AAA", E_FORMAT, "multiple of four" },
	{ "DNSKEY", "257 3 8 AB==", E_FORMAT, "base64" },
	{ "DNSKEY", "257 3 8 AA==AAAA", E_FORMAT, "base64" },
	{ "DNSKEY", "257 3 8 AAAA =AAA", E_FORMAT, "base64" },
	{ "DNSKEY", "257 3 8 A===", E_FORMAT, "base64" },
	{ "DNSKEY", "ZONE|FOO 3 8 AAAA", E_FORMAT, "flags" },
	{ "KEY", "49152 3 5 AAAA", E_FORMAT, "the end of the record" },
	{ "RRSIG", "A 5 3 1 20250230000000 20250101000000 1 . AAAA", E_RANGE, "no such time" },
	{ "RRSIG", "A 5 3 1 2025 20250101240000 1 . AAAA", E_RANGE, "no such time" },
	{ "RRSIG", "A 5 3 1 18991231235959 20250101000000 1 . AAAA", E_RANGE, "no such time" },
	{ "RRSIG", "A 5 3 1 21070229000000 20250101000000 1 . AAAA", E_RANGE, "no such time" },
	{ "RRSIG", "A 5 3 1 4294967296 20250101000000 1 . AAAA", E_RANGE, "4294967295" },
	{ "RRSIG", "FOO 5 3 1 0 0 1 . AAAA", E_FORMAT, "record type" },
	{ "NID", "1 0:0:0", E_FORMAT, "four groups" },
	{ "NID", "1 ::1", E_FORMAT, "four groups" },
	{ "NID", "1 00000:0:0:0", E_FORMAT, "four groups" },
	{ "EUI48", "00:00:5e:00:53:2a", E_FORMAT, "address" },
	{ "APL", "1:1.2.3.4", E_FORMAT, "prefix" },
	{ "APL", "1:1.2.3.4/33", E_RANGE, "32" },
	{ "APL", "3:1.2.3.4/3", E_FORMAT, "address family" },
	{ "APL", "!!1:1.2.3.4/3", E_FORMAT, "address family" },
	{ "A6", "129 a.", E_RANGE, "128" },
	{ "IPSECKEY", "10 0 2 a. AAAA", E_FORMAT, "\".\"" },
	{ "IPSECKEY", "10 4 2 a. AAAA", E_RANGE, "over 3" },
	{ "IPSECKEY", "10 1 2 1.2.3.4", E_FORMAT, "missing" },
	{ "AMTRELAY", "10 2 0 .", E_RANGE, "over 1" },
	{ "HIP", "2 200 AAAA", E_FORMAT, "odd number" },
	{ "CAA", "0 is-sue x", E_FORMAT, "tag" },
	{ "CAA", "256 issue x", E_RANGE, "over 255" },
	{ "TLSA", "1 1 1", E_FORMAT, "missing" },
	{ "IPN", "1.2.3", E_FORMAT, "node number" },
	{ "IPN", "4294967296.1", E_FORMAT, "2^32" },
	{ "SVCB", "1 . alpn", E_FORMAT, "octets" },
	{ "SVCB", "1 . alpn=", E_FORMAT, "octets" },
	{ "SVCB", "1 . alpn=h2,,h3", E_FORMAT, "octets" },
	{ "SVCB", "1 . alpn=h2,", E_FORMAT, "octets" },
	{ "SVCB", "1 . port=65536", E_RANGE, "over 65535" },
	{ "SVCB", "1 . port", E_FORMAT, "number" },
	{ "SVCB", "1 . ipv4hint=1.2.3.4,", E_FORMAT, "IPv4" },
	{ "SVCB", "1 . ipv6hint=1.2.3.4", E_FORMAT, "IPv6" },
	{ "SVCB", "1 . ech=AAA", E_FORMAT, "multiple of four" },
	{ "SVCB", "1 . no-default-alpn=x alpn=h2", E_FORMAT, "no value" },
	{ "SVCB", "1 . no-default-alpn", E_FORMAT, "not allowed without alpn" },
	{ "SVCB", "1 . mandatory=alpn", E_FORMAT, "mandatory parameter is missing" },
	{ "SVCB", "1 . mandatory=mandatory", E_FORMAT, "itself" },
	{ "SVCB", "1 . mandatory=alpn,key1 alpn=h2", E_EXISTS, "twice" },
	{ "SVCB", "1 . alpn=h2 port=1 alpn=h3", E_EXISTS, "twice" },
	{ "SVCB", "1 . alpn=h2 port=1 key3=ab", E_EXISTS, "twice" },
	{ "SVCB", "1 . key3=abc", E_FORMAT, "the form" },
	{ "SVCB", "1 . key0667=a", E_UNSUPPORTED, "a parameter" },
	{ "SVCB", "1 . key65536=a", E_UNSUPPORTED, "a parameter" },
	{ "SVCB", "1 . ALPN=h2", E_UNSUPPORTED, "a parameter" },
	{ "SVCB", "1 . \"alpn=h2\"", E_FORMAT, "a parameter" },
	{ "SVCB", "1 . alpn=h2\"x\"", E_FORMAT, "a parameter" },
	{ "SVCB", "1 . alpn= \"h2\"", E_FORMAT, "octets" },
	{ "HTTPS", "1 . dohpath=/dns-query", E_FORMAT, "template" },
	{ "HTTPS", "1 . dohpath=x{?dns}", E_FORMAT, "template" },
	{ "HTTPS", "1", E_FORMAT, "missing" },
	{ "NULL", "x", E_UNSUPPORTED, "no text form" },
	{ "TYPE65280", "x", E_UNSUPPORTED, "no text form" },
	{ "TYPE65280", "\\# 0 00", E_FORMAT, "1 octets" },
	{ "ANY", "x", E_UNSUPPORTED, "queries" },
	{ "OPT", "\\# 0", E_UNSUPPORTED, "queries" },
	{ "TYPE200", "\\# 0", E_UNSUPPORTED, "queries" },
};

static void
bad_text_is_explained(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		parse(&p, type_of(bad[i].type), bad[i].text);
		if (p.err != bad[i].err || strstr(p.why.text, bad[i].message) == NULL) {
			fail_msg("%s %s: %d, %s", bad[i].type, bad[i].text, p.err, p.why.text);
		}
		assert_int_equal(p.len, 0);
		assert_int_equal(strncmp(p.why.text, bad[i].type, strlen(bad[i].type)), 0);
	}
	parse(&p, TYPE_MX, "( 10\n 11 foo )");
	assert_int_equal(p.err, E_FORMAT);
	assert_int_equal(p.why.token.line, 2);
	assert_int_equal(p.why.token.len, 3);
	parse(&p, 65280, "x");
	assert_string_equal(p.why.hint, "write it in the form of RFC 3597: TYPE65280 \\# LENGTH HEX");
	parse(&p, TYPE_A, "\x1b[2J");
	assert_null(strchr(p.why.text, '\x1b')); /* nothing that a terminal obeys */
}

static void
names_are_completed(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wire;
	} names[] = {
		{ "a", "\1a\7example" },  { "a.b", "\1a\1b\7example" }, { "@", "\7example" },
		{ "a.", "\1a" },          { "\\@", "\1@\7example" },    { ".", "" },
		{ "a\\.", "\2a.\7example" }, { "a\\\\.", "\2a\\" },
	};
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool is_relative = strstr(names[i].wire, "example") != NULL;
		parse_with(&p, TYPE_NS, names[i].text, strlen(names[i].text), example);
		assert_int_equal(p.err, OK);
		assert_int_equal(p.len, strlen(names[i].wire) + 1);
		assert_memory_equal(p.wire, names[i].wire, p.len);
		parse_with(&p, TYPE_NS, names[i].text, strlen(names[i].text), NULL);
		assert_int_equal(p.err, is_relative ? E_FORMAT : OK);
	}
}

static void
lines_and_comments_are_passed_over(void **state)
{
	(void)state;
	struct parsed p;
	static const char soa[] = " ( a b ; names\r\n\t1 ; serial\r\n 2 3 4 5 )\r\nnext";
	struct lex lx;
	uint8_t wire[100];
	struct buf b = buf_over(wire, sizeof wire);
	struct lex_token t;
	lex_init(&lx, soa, sizeof soa - 1);
	assert_int_equal(rdata_parse(&lx, TYPE_SOA, example, &b, &p.why), OK);
	assert_int_equal(b.len, 42);
	lex_next(&lx, &t);
	assert_int_equal(t.len, 4); /* "next": the end of the line is gone */
}

static void
rdata_ends_at_65535_octets(void **state)
{
	(void)state;
	struct parsed *p = malloc(sizeof *p);
	size_t strings = DNS_RDATA_MAX / 256; /* 255 strings of 256 octets, one of 255 */
	char *text = malloc(DNS_RDATA_MAX * 2), *at = text;
	assert_non_null(p);
	assert_non_null(text);
	for (size_t i = 0; i <= strings; i++) {
		*at++ = ' ';
		memset(at, 'x', 255);
		at += i < strings ? 255 : 254;
	}
	parse_with(p, TYPE_TXT, text, (size_t)(at - text), NULL);
	assert_int_equal(p->err, OK);
	assert_int_equal(p->len, DNS_RDATA_MAX);
	*at++ = 'x';
	parse_with(p, TYPE_TXT, text, (size_t)(at - text), NULL);
	assert_int_equal(p->err, E_FULL);
	assert_non_null(strstr(p->why.text, "65,535"));
	*at++ = 'x';
	parse_with(p, TYPE_TXT, text, (size_t)(at - text), NULL);
	assert_int_equal(p->err, E_RANGE);
	assert_non_null(strstr(p->why.text, "256 octets long"));
	assert_non_null(strstr(p->why.hint, "several strings"));

	/* A larger buffer that already holds something does not move the border. */
	struct lex lx;
	uint8_t *big = malloc(3 * DNS_RDATA_MAX);
	assert_non_null(big);
	struct buf b = buf_over(big, 3 * DNS_RDATA_MAX);
	buf_u32(&b, 1);
	lex_init(&lx, text, (size_t)(at - 1 - text));
	assert_int_equal(rdata_parse(&lx, TYPE_TXT, NULL, &b, &p->why), E_FULL);
	assert_int_equal(b.err, OK);
	assert_int_equal(b.len, 4);
	assert_int_equal(b.cap, 3 * DNS_RDATA_MAX);
	free(big);
	free(text);
	free(p);
}

/* Every prefix of a buffer that is too small gives E_FULL, never a wrong RDATA. */
static void
small_buffers_are_full(void **state)
{
	(void)state;
	struct rdata_error why;
	for (size_t i = 0; i < ARRAY_LEN(rdata_vectors); i++) {
		const struct rdata_vector *v = &rdata_vectors[i];
		size_t len = strlen(v->wire) / 2;
		for (size_t cap = 0; cap < len; cap++) {
			uint8_t *wire = malloc(cap != 0 ? cap : 1);
			assert_non_null(wire);
			struct buf b = buf_over(wire, cap);
			struct lex lx;
			lex_init(&lx, v->in, strlen(v->in));
			err_t err = rdata_parse(&lx, type_of(v->type), name_root, &b, &why);
			free(wire);
			if (err != E_FULL || b.len != 0) {
				fail_msg("%s %s: %s", v->type, v->in, why.text);
			}
		}
	}
}

static void
same_address(int family, const char *text, size_t len)
{
	char copy[64];
	uint8_t ours[16] = { 0 }, theirs[16] = { 0 };
	memcpy(copy, text, len);
	copy[len] = '\0';
	bool is_theirs = inet_pton(family, copy, theirs) == 1;
	bool is_ours = family == AF_INET ? ipv4_is_parsed(text, len, ours)
	                                 : ipv6_is_parsed(text, len, ours);
	if (is_ours != is_theirs || (is_ours && memcmp(ours, theirs, sizeof ours) != 0)) {
		fail_msg("%s", copy);
	}
}

/* A fixed sequence, so that a failure can be repeated. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void
addresses_are_those_of_inet_pton(void **state)
{
	(void)state;
	static const char *const seeds[] = {
		"1.2.3.4", "255.255.255.255", "0.0.0.0", "::", "::1", "1::", "1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
		"2001:db8::A:B", "abcd:ef01:2345:6789:abcd:ef01:2345:6789", "1:2:3:4:5::1.2.3.4",
	};
	static const char alphabet[] = "0123456789abcdefF::..::g%/";
	uint32_t seed = 1;
	for (size_t i = 0; i < 300000; i++) {
		char text[48];
		size_t len = strlen(seeds[i % ARRAY_LEN(seeds)]);
		memcpy(text, seeds[i % ARRAY_LEN(seeds)], len);
		for (uint32_t edits = next_random(&seed) % 4; edits != 0; edits--) {
			size_t at = next_random(&seed) % (len + 1);
			char c = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
			if (next_random(&seed) % 2 == 0 && at < len) {
				text[at] = c;
			} else if (next_random(&seed) % 2 == 0 && at < len) {
				memmove(text + at, text + at + 1, --len - at);
			} else if (len < sizeof text - 1) {
				memmove(text + at + 1, text + at, len++ - at);
				text[at] = c;
			}
		}
		same_address(AF_INET, text, len);
		same_address(AF_INET6, text, len);
	}
}

static void
addresses_are_printed_as_by_inet_ntop(void **state)
{
	(void)state;
	uint32_t seed = 2;
	for (size_t i = 0; i < 100000; i++) {
		uint8_t octets[16];
		char want[INET6_ADDRSTRLEN];
		struct str text = { 0 };
		for (size_t j = 0; j < 16; j += 2) { /* many zeros, as they make the difference */
			uint32_t group = next_random(&seed) % 8;
			uint32_t v = group < 4 ? 0 : group == 4 ? 0xFFFF : next_random(&seed) >> group * 2;
			octets[j] = (uint8_t)(v >> 8);
			octets[j + 1] = (uint8_t)v;
		}
		rdata_print_ipv6(octets, &text);
		assert_string_equal(str_text(&text), inet_ntop(AF_INET6, octets, want, sizeof want));
		str_clear(&text);
		rdata_print_ipv4(octets, &text);
		assert_string_equal(str_text(&text), inet_ntop(AF_INET, octets, want, sizeof want));
		str_fini(&text);
	}
}

/* A message with "example." at 12 and "host." at 21, then the RDATA. */
static err_t
read_at_27(uint16_t type, const char *hex, struct buf *out)
{
	uint8_t msg[300] = { 0 };
	memcpy(msg + 12, "\7example\0\4host\0", 15);
	size_t len = unhex(hex, msg + 27, sizeof msg - 27);
	struct cur c = cur_over(msg, 27 + len);
	c.pos = 27;
	err_t err = rdata_read(&c, type, len, out);
	assert_int_equal(c.err, err);
	assert_int_equal(err != OK || c.pos == c.len, true);
	return err;
}

static void
messages_are_read_without_compression(void **state)
{
	(void)state;
	static const struct {
		const char *type, *hex;
		err_t err;
		const char *wire; /* base16 */
	} rows[] = {
		{ "NS", "C015", OK, "04686F737400" },
		{ "NS", "C00C", OK, "076578616D706C6500" },
		{ "MX", "000AC015", OK, "000A04686F737400" },
		{ "MX", "000A0161C00C", OK, "000A0161076578616D706C6500" },
		/* A pointer to a pointer, in the same RDATA. */
		{ "SOA", "C015C01B0000000100000002000000030000000400000005", OK,
		  "04686F73740004686F7374000000000100000002000000030000000400000005" },
		{ "SOA", "C015C0150000000100000002000000030000000400000005", OK,
		  "04686F73740004686F7374000000000100000002000000030000000400000005" },
		/* Within the RDATA: the second name points to the first. */
		{ "MINFO", "0161C00CC01B", OK, "0161076578616D706C65000161076578616D706C6500" },
		{ "NAPTR", "000100020000" "00C015", OK, "000100020000" "0004686F737400" },
		{ "SRV", "000000000035C015", OK, "00000000003504686F737400" },
		{ "RP", "C015C00C", OK, "04686F737400076578616D706C6500" },
		{ "NXT", "C01540", OK, "04686F73740040" },
		/* RFC 3597 4, RFC 6672 2.5: no others */
		{ "DNAME", "C015", E_PTR, NULL },
		{ "KX", "000AC015", E_PTR, NULL },
		{ "NSEC", "C0150001" "40", E_PTR, NULL },
		{ "SVCB", "0000C015", E_PTR, NULL },
		{ "RRSIG", "00010503000151803E7C9DD73E5510D70A52C01500", E_PTR, NULL },
		{ "NS", "C01B", E_PTR, NULL },     /* to itself */
		{ "NS", "C01500", E_FORMAT, NULL }, /* RDLENGTH is too long */
		{ "NS", "C0", E_SHORT, NULL },
		{ "NS", "0161", E_SHORT, NULL },
		{ "MX", "00", E_SHORT, NULL },
		{ "A", "01020304", OK, "01020304" },
		{ "A", "0102030405", E_FORMAT, NULL },
		{ "TYPE65280", "C015", OK, "C015" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wire[300], want[300];
		struct buf out = buf_over(wire, sizeof wire);
		buf_u8(&out, 0xEE);
		err_t err = read_at_27(type_of(rows[i].type), rows[i].hex, &out);
		if (err != rows[i].err) {
			fail_msg("%s %s: %d", rows[i].type, rows[i].hex, err);
		}
		size_t n = err == OK ? unhex(rows[i].wire, want, sizeof want) : 0;
		assert_int_equal(out.len, 1 + n);
		assert_memory_equal(wire + 1, want, n);
	}
}

static void
canonical_form_has_lower_case_names(void **state)
{
	(void)state;
	static const struct {
		const char *type, *in, *lower;
	} rows[] = {
		{ "NS", "A.EXAMPLE.", "a.example." },
		{ "MX", "1 A.EXAMPLE.", "1 a.example." },
		{ "SOA", "A. B. 1 2 3 4 5", "a. b. 1 2 3 4 5" },
		{ "RP", "A. B.", "a. b." },
		{ "NAPTR", "1 2 \"S\" \"X\" \"\" A.", "1 2 \"S\" \"X\" \"\" a." },
		{ "SRV", "1 2 3 A.", "1 2 3 a." },
		{ "DNAME", "A.", "a." },
		{ "KX", "1 A.", "1 a." },
		{ "A6", "64 ::1 A.", "64 ::1 a." },
		{ "RRSIG", "A 5 3 1 20250101000000 20250101000000 1 EXAMPLE. AAAA",
		  "A 5 3 1 20250101000000 20250101000000 1 example. AAAA" },
		/* RFC 6840 5.1 took NSEC off the list, and later types never were on it. */
		{ "NSEC", "A. A", "A. A" },
		{ "SVCB", "0 A.", "0 A." },
		{ "HINFO", "\"A\" \"B\"", "\"A\" \"B\"" },
		{ "TXT", "\"A\"", "\"A\"" },
		{ "LP", "1 A.", "1 A." },
		{ "TALINK", "A. B.", "A. B." },
	};
	struct parsed p, q;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t type = type_of(rows[i].type);
		struct str text = { 0 };
		parse(&p, type, rows[i].in);
		parse(&q, type, rows[i].lower);
		assert_int_equal(p.err, OK);
		assert_int_equal(rdata_compare(type, p.wire, p.len, q.wire, q.len), 0);
		rdata_canonicalize(type, p.wire, p.len);
		rdata_print(type, p.wire, p.len, &text);
		assert_string_equal(str_text(&text), rows[i].lower);
		str_fini(&text);
	}
}

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

/* The order is that of the canonical forms as octets (RFC 4034 6.3). */
static void
order_is_that_of_canonical_forms(void **state)
{
	(void)state;
	static const struct {
		const char *type, *a, *b;
	} rows[] = {
		{ "A", "1.2.3.4", "1.2.3.5" },
		{ "A", "1.2.3.4", "129.0.0.0" },
		{ "MX", "10 Z.", "20 a." },
		{ "MX", "10 A.", "10 b." },
		{ "MX", "10 b.", "10 aa." }, /* length octets first */
		{ "NS", "B.example.", "b.examplf." },
		{ "TXT", "A", "a" },
		{ "TXT", "a", "a b" },
		{ "NSEC", "A. A", "a. A" },
		{ "SOA", "A. B. 1 2 3 4 5", "a. b. 1 2 3 4 6" },
		{ "SOA", "a. B. 9 2 3 4 5", "A. c. 1 2 3 4 5" },
		{ "TYPE65280", "\\# 1 41", "\\# 1 61" },
	};
	struct parsed p, q;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t type = type_of(rows[i].type);
		parse(&p, type, rows[i].a);
		parse(&q, type, rows[i].b);
		assert_int_equal(p.err, OK);
		assert_int_equal(q.err, OK);
		assert_int_equal(sign(rdata_compare(type, p.wire, p.len, q.wire, q.len)), -1);
		assert_int_equal(sign(rdata_compare(type, q.wire, q.len, p.wire, p.len)), 1);
		assert_int_equal(rdata_compare(type, p.wire, p.len, p.wire, p.len), 0);
	}
	/* Also of what does not check: any octets have a place. */
	assert_int_equal(sign(rdata_compare(TYPE_NS, (const uint8_t *)"\1A", 2,
	                                    (const uint8_t *)"\1a", 2)), -1);
	assert_int_equal(rdata_compare(TYPE_NS, NULL, 0, NULL, 0), 0);
}

static void
names_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *type, *text;
		size_t n, last; /* offset of the last */
	} rows[] = {
		{ "A", "1.2.3.4", 0, 0 },
		{ "NS", "a.", 1, 0 },
		{ "MX", "1 a.", 1, 2 },
		{ "MX", "0 .", 1, 2 },
		{ "SOA", "a. b. 1 2 3 4 5", 2, 3 },
		{ "SRV", "0 0 1 a.", 1, 6 },
		{ "SRV", "0 0 0 .", 1, 6 },
		{ "NAPTR", "1 2 a \"\" \"\" a.", 1, 8 },
		{ "NAPTR", "1 2 s \"\" \"\" a.", 1, 8 },
		{ "CNAME", "a.", 1, 0 },
		{ "SVCB", "1 a. alpn=h2", 1, 2 },
		{ "HTTPS", "1 . alpn=h2", 1, 2 },
		{ "AFSDB", "1 a.", 1, 2 },
		{ "RRSIG", "A 5 3 1 0 0 1 a. AAAA", 1, 18 },
		{ "IPSECKEY", "1 3 2 a. AAAA", 1, 3 },
		{ "IPSECKEY", "1 1 2 1.2.3.4 AAAA", 0, 0 },
		{ "AMTRELAY", "1 1 3 a.", 1, 2 },
		{ "AMTRELAY", "1 1 0 .", 0, 0 },
		{ "A6", "64 ::1 a.", 1, 9 },
		{ "A6", "0 ::1", 0, 0 },
		{ "HIP", "1 00 AAAA a. b.", 2, 11 },
		{ "HIP", "1 00 AAAA a. b. c. d. e. f. g. h. i. j.", RDATA_NAMES_MAX, 29 },
		{ "TYPE65280", "\\# 1 00", 0, 0 },
	};
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t type = type_of(rows[i].type), offsets[RDATA_NAMES_MAX];
		parse(&p, type, rows[i].text);
		assert_int_equal(p.err, OK);
		size_t n = rdata_names(type, p.wire, p.len, offsets);
		assert_int_equal(n, rows[i].n);
		if (n != 0) {
			assert_int_equal(offsets[n - 1], rows[i].last);
		}
	}
}

static void
soa_is_read(void **state)
{
	(void)state;
	struct parsed p;
	struct soa soa;
	parse(&p, TYPE_SOA, "a. b. 1 2 3 4 4294967295");
	assert_int_equal(rdata_read_soa(p.wire, p.len, &soa), OK);
	assert_ptr_equal(soa.mname, p.wire);
	assert_ptr_equal(soa.rname, p.wire + 3);
	assert_int_equal(soa.serial, 1);
	assert_int_equal(soa.refresh_s, 2);
	assert_int_equal(soa.retry_s, 3);
	assert_int_equal(soa.expire_s, 4);
	assert_int_equal(soa.minimum_s, UINT32_MAX);
	assert_int_equal(rdata_read_soa(p.wire, p.len - 1, &soa), E_SHORT);
	assert_int_equal(rdata_read_soa(p.wire, p.len + 1, &soa), E_FORMAT);
	assert_int_equal(rdata_read_soa(p.wire, 0, &soa), E_SHORT);
}

/* Parameters come out sorted, however many; but those out of order have a limit. */
static void
service_parameters_are_sorted(void **state)
{
	(void)state;
	static char text[40000];
	struct parsed p;
	for (int moved = 256; moved <= 257; moved++) {
		size_t n = (size_t)snprintf(text, sizeof text, "1 .");
		for (int key = 1000; key < 1100; key++) {
			n += (size_t)snprintf(text + n, sizeof text - n, " key%d=%d", key + 1000, key);
		}
		for (int key = moved; key > 0; key--) {
			n += (size_t)snprintf(text + n, sizeof text - n, " key%d=v%d", key + 100, key);
		}
		parse(&p, TYPE_SVCB, text);
		assert_int_equal(p.err, moved == 256 ? OK : E_LIMIT);
		assert_int_equal(rdata_check(TYPE_SVCB, p.wire, p.len), moved == 256 ? OK : E_SHORT);
	}
}

/* Groups of 56 digits, so that dumps equal named-compilezone's. */
static void
long_octets_are_printed_in_groups(void **state)
{
	(void)state;
	uint8_t rdata[60] = { 0 };
	struct str text = { 0 };
	rdata_print(65280, rdata, 28, &text);
	assert_int_equal(text.len, 6 + 56);
	str_clear(&text);
	rdata_print(65280, rdata, 57, &text);
	assert_int_equal(text.len, 6 + 56 + 1 + 56 + 1 + 2);
	assert_int_equal(text.s[6 + 56], ' ');
	str_clear(&text);
	rdata_print(61, rdata, 42, &text); /* OPENPGPKEY */
	assert_int_equal(text.len, 56);
	str_clear(&text);
	rdata_print(61, rdata, 43, &text);
	assert_int_equal(text.len, 56 + 1 + 4);
	str_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_read_and_printed),
		cmocka_unit_test(every_type_with_text_has_a_vector),
		cmocka_unit_test(generic_form_is_read_for_all_types),
		cmocka_unit_test(damaged_wire_form_is_refused_or_survives),
		cmocka_unit_test(bad_text_is_explained),
		cmocka_unit_test(names_are_completed),
		cmocka_unit_test(lines_and_comments_are_passed_over),
		cmocka_unit_test(rdata_ends_at_65535_octets),
		cmocka_unit_test(small_buffers_are_full),
		cmocka_unit_test(addresses_are_those_of_inet_pton),
		cmocka_unit_test(addresses_are_printed_as_by_inet_ntop),
		cmocka_unit_test(messages_are_read_without_compression),
		cmocka_unit_test(canonical_form_has_lower_case_names),
		cmocka_unit_test(order_is_that_of_canonical_forms),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(soa_is_read),
		cmocka_unit_test(service_parameters_are_sorted),
		cmocka_unit_test(long_octets_are_printed_in_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
