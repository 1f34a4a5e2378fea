/* Fields with addresses, or similar: A, AAAA, NID, L64, EUI48, EUI64, APL, A6. */
#include <string.h>

#include "base/enc.h"
#include "base/number.h"
#include "dns/rdata_p.h"

enum { IPV4_LEN = 4, IPV6_LEN = 16, AFI_IPV4 = 1, AFI_IPV6 = 2 };

/* Reads four decimal numbers up to 255, without leading zeros. */
bool
ipv4_is_parsed(const char *s, size_t len, uint8_t out[4])
{
	const char *end = s + len;
	for (int part = 0; part < IPV4_LEN; part++) {
		unsigned v = 0, digits = 0;
		for (; s < end && *s >= '0' && *s <= '9'; s++, digits++) {
			if (digits != 0 && v == 0) {
				return false;
			}
			v = v * 10 + (unsigned)(*s - '0');
			if (v > 255) {
				return false;
			}
		}
		if (digits == 0) {
			return false;
		}
		out[part] = (uint8_t)v;
		if (part < IPV4_LEN - 1 && (s == end || *s++ != '.')) {
			return false;
		}
	}
	return s == end;
}

/* Reads an IPv6 address (RFC 4291 2.2).  The groups before "::" are in out[0, at), and those after it follow; at the end they
 * are moved to the end. */
bool
ipv6_is_parsed(const char *s, size_t len, uint8_t out[16])
{
	const char *end = s + len;
	int at = 0, gap = -1;
	if (len >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (s < end) {
		const char *group = s;
		unsigned v = 0;
		int digit;
		for (; s < end && s - group < 5 && (digit = base16_value(*s)) >= 0; s++) {
			v = v << 4 | (unsigned)digit;
		}
		if (s < end && *s == '.') {
			if (at > IPV6_LEN - IPV4_LEN ||
			    !ipv4_is_parsed(group, (size_t)(end - group), out + at)) {
				return false;
			}
			at += IPV4_LEN;
			break;
		}
		if (s == group || s - group > 4 || at == IPV6_LEN) {
			return false;
		}
		out[at++] = (uint8_t)(v >> 8);
		out[at++] = (uint8_t)v;
		if (s == end) {
			break;
		}
		if (*s++ != ':' || s == end) {
			return false;
		}
		if (*s == ':') {
			if (gap >= 0) {
				return false;
			}
			gap = at;
			s++;
		}
	}
	if (gap < 0) {
		return at == IPV6_LEN;
	}
	if (at == IPV6_LEN) {
		return false; /* "::" must replace at least one group */
	}
	memmove(out + IPV6_LEN - (at - gap), out + gap, (size_t)(at - gap));
	memset(out + gap, 0, (size_t)(IPV6_LEN - at));
	return true;
}

void
rdata_print_ipv4(const uint8_t octets[4], struct str *out)
{
	for (int i = 0; i < IPV4_LEN; i++) {
		if (i != 0) {
			str_char(out, '.');
		}
		rdata_print_number(out, octets[i]);
	}
}

static void
print_group(struct str *out, uint16_t group)
{
	static const char digits[] = "0123456789abcdef";
	char text[4];
	size_t n = 0;
	for (int shift = 12; shift >= 0; shift -= 4) {
		if (n != 0 || group >> shift != 0 || shift == 0) {
			text[n++] = digits[group >> shift & 15];
		}
	}
	str_put(out, text, n);
}

/* Finds the longest run of zero groups (the first of equal ones); *n is 0 if none is longer than one group. */
static int
longest_run(const uint16_t groups[8], int *n)
{
	int best = 0, run = 0;
	*n = 0;
	for (int i = 0; i < 8; i++) {
		run = groups[i] == 0 ? run + 1 : 0;
		if (run > *n && run > 1) {
			*n = run;
			best = i + 1 - run;
		}
	}
	return best;
}

/* Writes an IPv6 address (RFC 5952 4).  As in section 5 and inet_ntop(), IPv4-mapped and IPv4-compatible addresses end with a
 * dotted quad. */
void
rdata_print_ipv6(const uint8_t octets[16], struct str *out)
{
	uint16_t groups[8];
	int run_n;
	for (int i = 0; i < 8; i++) {
		groups[i] = u16_at(octets + 2 * i);
	}
	int run = longest_run(groups, &run_n);
	bool has_quad = run == 0 && (run_n == 6 || (run_n == 5 && groups[5] == 0xFFFF));
	for (int i = 0; i < (has_quad ? 6 : 8); i++) {
		if (i >= run && i < run + run_n) {
			str_put(out, "::", i == run ? 2 : 0);
			continue;
		}
		if (i != 0 && i != run + run_n) {
			str_char(out, ':');
		}
		print_group(out, groups[i]);
	}
	if (has_quad) {
		str_put(out, ":", run_n == 5);
		rdata_print_ipv4(octets + 12, out);
	}
}

err_t
ipv4_parse(struct rdata_parser *p)
{
	uint8_t octets[IPV4_LEN];
	if (p->t.kind != LEX_WORD || !ipv4_is_parsed(p->t.s, p->t.len, octets)) {
		return rdata_expected(p, "an IPv4 address, such as 192.0.2.1");
	}
	buf_put(p->out, octets, sizeof octets);
	rdata_next(p);
	return OK;
}

void
ipv4_print(struct cur *c, struct str *out)
{
	const uint8_t *octets = cur_take(c, IPV4_LEN);
	if (octets != NULL) {
		rdata_print_ipv4(octets, out);
	}
}

void
ipv4_check(struct cur *c)
{
	(void)cur_take(c, IPV4_LEN);
}

err_t
ipv6_parse(struct rdata_parser *p)
{
	uint8_t octets[IPV6_LEN];
	if (p->t.kind != LEX_WORD || !ipv6_is_parsed(p->t.s, p->t.len, octets)) {
		return rdata_expected(p, "an IPv6 address, such as 2001:db8::1");
	}
	buf_put(p->out, octets, sizeof octets);
	rdata_next(p);
	return OK;
}

void
ipv6_print(struct cur *c, struct str *out)
{
	const uint8_t *octets = cur_take(c, IPV6_LEN);
	if (octets != NULL) {
		rdata_print_ipv6(octets, out);
	}
}

void
ipv6_check(struct cur *c)
{
	(void)cur_take(c, IPV6_LEN);
}

/* RFC 6742 2.1.2: four groups of up to four hexadecimal digits, without "::". */
err_t
locator_parse(struct rdata_parser *p)
{
	static const char what[] = "four groups of hexadecimal digits, such as 2001:db8:1140:1000";
	const char *s = p->t.s, *end = s + p->t.len;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	for (int group = 0; group < 4; group++) {
		unsigned v = 0, digits = 0;
		int digit;
		for (; s < end && (digit = base16_value(*s)) >= 0; s++, digits++) {
			v = (v << 4 | (unsigned)digit) & 0xFFFF;
		}
		if (digits == 0 || digits > 4 || (group < 3 && (s == end || *s++ != ':'))) {
			return rdata_expected(p, what);
		}
		buf_u16(p->out, (uint16_t)v);
	}
	if (s != end) {
		return rdata_expected(p, what);
	}
	rdata_next(p);
	return OK;
}

/* Without leading zeros, as in BIND. */
void
locator_print(struct cur *c, struct str *out)
{
	unsigned groups[4];
	for (int i = 0; i < 4; i++) {
		groups[i] = cur_u16(c);
	}
	str_printf(out, "%x:%x:%x:%x", groups[0], groups[1], groups[2], groups[3]);
}

void
locator_check(struct cur *c)
{
	(void)cur_take(c, 8);
}

/* RFC 7043 3.2: pairs of digits, with hyphens between them. */
static err_t
parse_eui(struct rdata_parser *p, size_t octets_n, const char *what)
{
	if (p->t.kind != LEX_WORD || p->t.len != octets_n * 3 - 1) {
		return rdata_expected(p, what);
	}
	for (size_t i = 0; i < octets_n; i++) {
		const char *s = p->t.s + i * 3;
		int octet = base16_octet(s);
		if (octet < 0 || (i + 1 < octets_n && s[2] != '-')) {
			return rdata_expected(p, what);
		}
		buf_u8(p->out, (uint8_t)octet);
	}
	rdata_next(p);
	return OK;
}

static void
print_eui(struct cur *c, size_t octets_n, struct str *out)
{
	for (size_t i = 0; i < octets_n; i++) {
		str_printf(out, i == 0 ? "%02x" : "-%02x", cur_u8(c));
	}
}

err_t
eui48_parse(struct rdata_parser *p)
{
	return parse_eui(p, 6, "an address, such as 00-00-5e-00-53-2a");
}

void
eui48_print(struct cur *c, struct str *out)
{
	print_eui(c, 6, out);
}

void
eui48_check(struct cur *c)
{
	(void)cur_take(c, 6);
}

err_t
eui64_parse(struct rdata_parser *p)
{
	return parse_eui(p, 8, "an address, such as 00-00-5e-ef-10-00-00-2a");
}

void
eui64_print(struct cur *c, struct str *out)
{
	print_eui(c, 8, out);
}

void
eui64_check(struct cur *c)
{
	(void)cur_take(c, 8);
}

/* Reads one item of APL: [!]afi:address/prefix (RFC 3123 5).  In wire form, trailing zero octets are left out (RFC 3123 4). */
static err_t
parse_prefix(struct rdata_parser *p)
{
	static const char what[] = "a prefix, such as 1:192.0.2.0/24, 2:2001:db8::/32 or !1:192.0.2.1/32";
	uint8_t octets[IPV6_LEN];
	struct lex_token part = p->t;
	uint64_t afi, prefix;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	const char *end = part.s + part.len;
	bool is_negated = *part.s == '!';
	part.s += is_negated;
	const char *colon = memchr(part.s, ':', (size_t)(end - part.s));
	const char *slash = memchr(part.s, '/', (size_t)(end - part.s));
	if (colon == NULL || slash == NULL || slash < colon) {
		return rdata_expected(p, what);
	}
	part.len = (size_t)(colon - part.s);
	if (lex_number(&part, UINT16_MAX, &afi) != OK || (afi != AFI_IPV4 && afi != AFI_IPV6)) {
		return rdata_fail(p, E_FORMAT, "address family is neither 1 (IPv4) nor 2 (IPv6)");
	}
	size_t n = afi == AFI_IPV4 ? IPV4_LEN : IPV6_LEN, text_len = (size_t)(slash - colon - 1);
	if (!(afi == AFI_IPV4 ? ipv4_is_parsed(colon + 1, text_len, octets)
	                      : ipv6_is_parsed(colon + 1, text_len, octets))) {
		return rdata_expected(p, what);
	}
	part.s = slash + 1;
	part.len = (size_t)(end - part.s);
	if (lex_number(&part, n * 8, &prefix) != OK) {
		return rdata_fail(p, E_RANGE, "prefix length goes from 0 to %zu", n * 8);
	}
	while (n != 0 && octets[n - 1] == 0) {
		n--;
	}
	buf_u16(p->out, (uint16_t)afi);
	buf_u8(p->out, (uint8_t)prefix);
	buf_u8(p->out, (uint8_t)(n | (is_negated ? 0x80 : 0)));
	buf_put(p->out, octets, n);
	rdata_next(p);
	return OK;
}

err_t
prefixes_parse(struct rdata_parser *p)
{
	while (!rdata_at_end(p)) {
		TRY(parse_prefix(p));
	}
	return OK;
}

void
prefixes_print(struct cur *c, struct str *out)
{
	while (cur_left(c) != 0) {
		uint8_t octets[IPV6_LEN] = { 0 };
		uint16_t afi = cur_u16(c);
		uint8_t prefix = cur_u8(c), n = cur_u8(c);
		cur_copy(c, octets, (n & 0x7F) <= IPV6_LEN ? n & 0x7F : 0);
		str_cat(out, (n & 0x80) != 0 ? "!" : "");
		rdata_print_number(out, afi);
		str_char(out, ':');
		if (afi == AFI_IPV4) {
			rdata_print_ipv4(octets, out);
		} else {
			rdata_print_ipv6(octets, out);
		}
		str_char(out, '/');
		rdata_print_number(out, prefix);
		if (cur_left(c) != 0) {
			str_char(out, ' ');
		}
	}
}

static size_t
family_len(uint16_t afi)
{
	return afi == AFI_IPV4 ? IPV4_LEN : afi == AFI_IPV6 ? IPV6_LEN : 0;
}

/* There must be no zero octets at the end (RFC 3123 4).  The form of address families other than IP is not known. */
void
prefixes_check(struct cur *c)
{
	while (cur_left(c) != 0) {
		size_t full = family_len(cur_u16(c));
		uint8_t prefix = cur_u8(c), n = cur_u8(c) & 0x7F;
		const uint8_t *octets = cur_take(c, n);
		bool is_over = full != 0 && (n > full || prefix > full * 8);
		if (is_over || (octets != NULL && n != 0 && octets[n - 1] == 0)) {
			cur_fail(c, E_FORMAT);
		}
	}
}

bool
prefixes_has_text(struct cur c)
{
	bool is_ip = true;
	while (cur_left(&c) != 0) {
		is_ip = family_len(cur_u16(&c)) != 0 && is_ip;
		(void)cur_u8(&c);
		(void)cur_take(&c, cur_u8(&c) & 0x7F);
	}
	return is_ip;
}

/* RFC 2874 3.1: prefix length, the octets of the suffix, and the name of the prefix, unless its length is 0. */
enum { A6_PREFIX_MAX = 128 };

static size_t
a6_suffix_len(unsigned prefix)
{
	return (size_t)IPV6_LEN - prefix / 8;
}

/* Writes the octets of the suffix; bits that belong to the prefix are zero. */
static err_t
parse_a6_suffix(struct rdata_parser *p, unsigned prefix)
{
	uint8_t octets[IPV6_LEN];
	if (p->t.kind != LEX_WORD || !ipv6_is_parsed(p->t.s, p->t.len, octets)) {
		return rdata_expected(p, "an IPv6 address that holds the suffix");
	}
	octets[prefix / 8] &= (uint8_t)(0xFF >> prefix % 8);
	buf_put(p->out, octets + prefix / 8, a6_suffix_len(prefix));
	rdata_next(p);
	return OK;
}

err_t
a6_parse(struct rdata_parser *p)
{
	uint64_t prefix;
	TRY(rdata_parse_number(p, A6_PREFIX_MAX, &prefix));
	buf_u8(p->out, (uint8_t)prefix);
	if (prefix != A6_PREFIX_MAX) {
		TRY(parse_a6_suffix(p, (unsigned)prefix));
	}
	return prefix != 0 ? rdata_parse_name(p) : OK;
}

void
a6_print(struct cur *c, struct str *out)
{
	uint8_t octets[IPV6_LEN] = { 0 };
	uint8_t prefix = cur_u8(c);
	rdata_print_number(out, prefix);
	if (prefix < A6_PREFIX_MAX) {
		cur_copy(c, octets + prefix / 8, a6_suffix_len(prefix));
		str_char(out, ' ');
		rdata_print_ipv6(octets, out);
	}
	if (prefix != 0) {
		str_char(out, ' ');
		rdata_print_name(c, out);
	}
}

void
a6_check(struct cur *c)
{
	uint8_t prefix = cur_u8(c);
	if (prefix > A6_PREFIX_MAX) {
		cur_fail(c, E_RANGE);
		return;
	}
	size_t n = prefix == A6_PREFIX_MAX ? 0 : a6_suffix_len(prefix);
	const uint8_t *suffix = cur_take(c, n);
	if (suffix != NULL && n != 0 && (suffix[0] & ~(0xFF >> prefix % 8)) != 0) {
		cur_fail(c, E_FORMAT);
	}
	if (prefix != 0) {
		rdata_check_name(c);
	}
}

size_t
a6_name_at(struct cur c)
{
	uint8_t prefix = cur_u8(&c);
	return prefix == 0 || prefix > A6_PREFIX_MAX ? SIZE_MAX : c.pos + a6_suffix_len(prefix);
}
