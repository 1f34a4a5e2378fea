/* Fields of rarely used types: WKS, NSAP, ATMA. */
#include <string.h>

#include "base/enc.h"
#include "dns/rdata_p.h"

enum { PORTS = 65536, SERVICE_NAME_MAX = 16 };

struct numbered {
	uint16_t number;
	const char *name;
};

/* Names from the time when WKS was used (RFC 1010); all others have only numbers. */
static const struct numbered protocols[] = {
	{ 1, "icmp" }, { 2, "igmp" }, { 3, "ggp" },  { 6, "tcp" }, { 8, "egp" },
	{ 17, "udp" }, { 20, "hmp" }, { 27, "rdp" }, { 0, NULL },
};
static const struct numbered services[] = {
	{ 7, "echo" },        { 9, "discard" },    { 11, "systat" },      { 13, "daytime" },
	{ 15, "netstat" },    { 17, "qotd" },      { 19, "chargen" },     { 20, "ftp-data" },
	{ 21, "ftp" },        { 22, "ssh" },       { 23, "telnet" },      { 25, "smtp" },
	{ 37, "time" },       { 42, "nameserver" }, { 43, "whois" },      { 53, "domain" },
	{ 67, "bootps" },     { 68, "bootpc" },    { 69, "tftp" },        { 70, "gopher" },
	{ 79, "finger" },     { 80, "http" },      { 88, "kerberos" },    { 101, "hostname" },
	{ 109, "pop2" },      { 110, "pop3" },     { 111, "sunrpc" },     { 113, "auth" },
	{ 117, "uucp-path" }, { 119, "nntp" },     { 123, "ntp" },        { 137, "netbios-ns" },
	{ 138, "netbios-dgm" }, { 139, "netbios-ssn" }, { 143, "imap2" }, { 161, "snmp" },
	{ 162, "snmp-trap" }, { 179, "bgp" },      { 194, "irc" },        { 389, "ldap" },
	{ 443, "https" },     { 512, "exec" },     { 513, "login" },      { 514, "shell" },
	{ 515, "printer" },   { 520, "route" },    { 540, "uucp" },       { 993, "imaps" },
	{ 995, "pop3s" },     { 0, NULL },
};

/* Reads a number up to `max`, or a name in any case. */
static err_t
parse_numbered(struct rdata_parser *p, const struct numbered *table, uint64_t max, const char *what,
               uint64_t *out)
{
	char lower[SERVICE_NAME_MAX];
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	if (p->t.s[0] >= '0' && p->t.s[0] <= '9') {
		return rdata_parse_number(p, max, out);
	}
	for (size_t i = 0; i < p->t.len && i < sizeof lower; i++) {
		lower[i] = (char)octet_lower((uint8_t)p->t.s[i]);
	}
	for (; table->name != NULL; table++) {
		size_t len = strlen(table->name);
		if (len == p->t.len && memcmp(table->name, lower, len) == 0) {
			*out = table->number;
			rdata_next(p);
			return OK;
		}
	}
	return rdata_expected(p, what);
}

/* Writes a bit for each port up to the highest one. */
err_t
services_parse(struct rdata_parser *p)
{
	uint8_t bits[PORTS / 8];
	uint64_t protocol, port;
	size_t len = 0;
	TRY(parse_numbered(p, protocols, UINT8_MAX, "a protocol: tcp, udp, or a number", &protocol));
	buf_u8(p->out, (uint8_t)protocol);
	while (!rdata_at_end(p)) {
		TRY(parse_numbered(p, services, PORTS - 1, "a port: a number, or a name such as smtp",
		                   &port));
		if (port / 8 >= len) {
			memset(bits + len, 0, port / 8 + 1 - len);
			len = port / 8 + 1;
		}
		bits[port / 8] |= (uint8_t)(0x80 >> port % 8);
	}
	buf_put(p->out, bits, len);
	return OK;
}

void
services_print(struct cur *c, struct str *out)
{
	size_t len;
	rdata_print_number(out, cur_u8(c));
	const uint8_t *bits = rdata_rest(c, &len);
	for (uint32_t i = 0; i < len * 8; i++) {
		if ((bits[i / 8] >> (7 - i % 8) & 1) != 0) {
			str_char(out, ' ');
			rdata_print_number(out, i);
		}
	}
}

/* A zero octet at the end is an error: it has no meaning, and the text could not show it. */
void
services_check(struct cur *c)
{
	size_t len;
	(void)cur_u8(c);
	const uint8_t *bits = rdata_rest(c, &len);
	if (len > PORTS / 8 || (len != 0 && bits[len - 1] == 0)) {
		cur_fail(c, E_FORMAT);
	}
}

/* Reads pairs of digits; dots may be anywhere among them, for people. */
static err_t
parse_dotted_hex(struct rdata_parser *p, const char *s, size_t len, const char *what)
{
	int high = -1;
	size_t octets = 0;
	for (size_t i = 0; i < len; i++) {
		int v = base16_value(s[i]);
		if (s[i] == '.') {
			continue;
		}
		if (v < 0) {
			return rdata_expected(p, what);
		}
		if (high < 0) {
			high = v;
			continue;
		}
		buf_u8(p->out, (uint8_t)(high << 4 | v));
		high = -1;
		octets++;
	}
	if (high >= 0 || octets == 0) {
		return rdata_expected(p, what);
	}
	rdata_next(p);
	return OK;
}

static void
print_lower_hex(const uint8_t *s, size_t len, struct str *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		char text[2] = { digits[s[i] >> 4], digits[s[i] & 15] };
		str_put(out, text, sizeof text);
	}
}

/* RFC 1706 6: "0x47.0005.80…". */
err_t
nsap_parse(struct rdata_parser *p)
{
	static const char what[] = "an address, such as 0x47.0005.80";
	if (p->t.kind != LEX_WORD || p->t.len < 2 || p->t.s[0] != '0' || (p->t.s[1] | 0x20) != 'x') {
		return rdata_expected(p, what);
	}
	return parse_dotted_hex(p, p->t.s + 2, p->t.len - 2, what);
}

void
nsap_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *s = rdata_rest(c, &len);
	str_put(out, "0x", 2);
	print_lower_hex(s, len, out);
}

void
nsap_check(struct cur *c)
{
	base64_check(c);
}

/* AF-DANS-0152: "+" and the digits of an E.164 number, or hexadecimal digits of an end system address.  In wire form, the first
 * octet tells which. */
enum { ATM_AESA = 0, ATM_E164 = 1 };

err_t
atm_parse(struct rdata_parser *p)
{
	static const char what[] = "an address, such as +358.400 or 39.246f.00";
	size_t digits = 0;
	if (p->t.kind != LEX_WORD || p->t.s[0] == '.' || p->t.s[p->t.len - 1] == '.') {
		return rdata_expected(p, what);
	}
	if (p->t.s[0] != '+') {
		buf_u8(p->out, ATM_AESA);
		return parse_dotted_hex(p, p->t.s, p->t.len, what);
	}
	buf_u8(p->out, ATM_E164);
	for (size_t i = 1; i < p->t.len; i++) {
		char digit = p->t.s[i];
		if (digit == '.') {
			continue;
		}
		if (digit < '0' || digit > '9') {
			return rdata_expected(p, what);
		}
		buf_u8(p->out, (uint8_t)digit);
		digits++;
	}
	if (digits == 0) {
		return rdata_expected(p, what);
	}
	rdata_next(p);
	return OK;
}

void
atm_print(struct cur *c, struct str *out)
{
	size_t len;
	uint8_t format = cur_u8(c);
	const uint8_t *s = rdata_rest(c, &len);
	if (format == ATM_E164) {
		str_char(out, '+');
		str_put(out, s, len);
	} else {
		print_lower_hex(s, len, out);
	}
}

void
atm_check(struct cur *c)
{
	size_t len;
	uint8_t format = cur_u8(c);
	const uint8_t *s = rdata_rest(c, &len);
	if (len == 0) {
		cur_fail(c, E_SHORT);
	}
	for (size_t i = 0; format == ATM_E164 && i < len; i++) {
		if (s[i] < '0' || s[i] > '9') {
			cur_fail(c, E_FORMAT);
		}
	}
}

bool
atm_has_text(struct cur c)
{
	return cur_u8(&c) <= ATM_E164;
}
