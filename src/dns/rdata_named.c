/* Fields that are numbers in wire form, and words in text: types, algorithms, times. */
#include <string.h>

#include "base/calendar.h"
#include "dns/rdata_p.h"

struct named {
	uint16_t value;
	const char *name;
};

/* IANA "DNS Security Algorithm Numbers".  The first name of a number is the one that BIND prints in CERT; names after `printed`
 * are only read. */
static const struct named algorithms[] = {
	{ 1, "RSAMD5" },
	{ 2, "DH" },
	{ 3, "DSA" },
	{ 5, "RSASHA1" },
	{ 6, "NSEC3DSA" },
	{ 7, "NSEC3RSASHA1" },
	{ 8, "RSASHA256" },
	{ 10, "RSASHA512" },
	{ 12, "ECCGOST" },
	{ 13, "ECDSAP256SHA256" },
	{ 14, "ECDSAP384SHA384" },
	{ 15, "ED25519" },
	{ 16, "ED448" },
	{ 252, "INDIRECT" },
	{ 253, "PRIVATEDNS" },
	{ 254, "PRIVATEOID" },
	{ 6, "DSA-NSEC3-SHA1" },
	{ 7, "RSASHA1-NSEC3-SHA1" },
	{ 12, "ECC-GOST" },
	{ 0, NULL },
};

/* RFC 4398 2.1. */
static const struct named cert_types[] = {
	{ 1, "PKIX" },  { 2, "SPKI" },   { 3, "PGP" },     { 4, "IPKIX" }, { 5, "ISPKI" },
	{ 6, "IPGP" },  { 7, "ACPKIX" }, { 8, "IACPKIX" }, { 253, "URI" }, { 254, "OID" },
	{ 0, NULL },
};

/* IANA "Digest Algorithms" of DS. */
static const struct named digest_types[] = {
	{ 1, "SHA-1" },   { 1, "SHA1" },   { 2, "SHA-256" }, { 2, "SHA256" },
	{ 3, "GOST" },    { 4, "SHA-384" }, { 4, "SHA384" }, { 0, NULL },
};

/* RFC 2535 3.1.3. */
static const struct named key_protocols[] = {
	{ 0, "NONE" },  { 1, "TLS" }, { 2, "EMAIL" }, { 3, "DNSSEC" }, { 4, "IPSEC" },
	{ 255, "ALL" }, { 0, NULL },
};

/* RFC 2535 3.1.2 and 7.1; KSK is from RFC 3757. */
static const struct named key_flags[] = {
	{ 0x4000, "NOCONF" }, { 0x8000, "NOAUTH" }, { 0xC000, "NOKEY" },  { 0x1000, "EXTEND" },
	{ 0x0000, "USER" },   { 0x0100, "ZONE" },   { 0x0200, "HOST" },   { 0x0300, "NTYP3" },
	{ 0x0001, "KSK" },    { 0, "SIG0" },        { 1, "SIG1" },        { 2, "SIG2" },
	{ 3, "SIG3" },        { 4, "SIG4" },        { 5, "SIG5" },        { 6, "SIG6" },
	{ 7, "SIG7" },        { 8, "SIG8" },        { 9, "SIG9" },        { 10, "SIG10" },
	{ 11, "SIG11" },      { 12, "SIG12" },      { 13, "SIG13" },      { 14, "SIG14" },
	{ 15, "SIG15" },      { 0, NULL },
};

/* IANA "DSYNC: Location of Synchronization Endpoints" (RFC 9859 6.2). */
static const struct named schemes[] = { { 1, "NOTIFY" }, { 0, NULL } };

static const struct named *
find_name(const struct named *table, const char *s, size_t len)
{
	for (; table->name != NULL; table++) {
		if (strlen(table->name) != len) {
			continue;
		}
		size_t i = 0;
		while (i < len && octet_lower((uint8_t)s[i]) == octet_lower((uint8_t)table->name[i])) {
			i++;
		}
		if (i == len) {
			return table;
		}
	}
	return NULL;
}

/* Reads a number up to `max`, or a name of the table. */
static err_t
parse_named(struct rdata_parser *p, const struct named *table, uint16_t max, const char *what,
            uint16_t *out)
{
	uint64_t v = 0;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	if (p->t.s[0] >= '0' && p->t.s[0] <= '9') {
		TRY(rdata_parse_number(p, max, &v));
		*out = (uint16_t)v;
		return OK;
	}
	const struct named *found = find_name(table, p->t.s, p->t.len);
	if (found == NULL) {
		return rdata_expected(p, what);
	}
	*out = found->value;
	rdata_next(p);
	return OK;
}

static void
print_named(const struct named *table, uint16_t value, struct str *out)
{
	for (; table->name != NULL; table++) {
		if (table->value == value) {
			str_cat(out, table->name);
			return;
		}
	}
	rdata_print_number(out, value);
}

static err_t
parse_named_u8(struct rdata_parser *p, const struct named *table, const char *what)
{
	uint16_t v = 0;
	TRY(parse_named(p, table, UINT8_MAX, what, &v));
	buf_u8(p->out, (uint8_t)v);
	return OK;
}

err_t
algorithm_parse(struct rdata_parser *p)
{
	return parse_named_u8(p, algorithms, "an algorithm, such as 13 or ECDSAP256SHA256");
}

void
algorithm_print(struct cur *c, struct str *out)
{
	u8_print(c, out);
}

void
cert_algorithm_print(struct cur *c, struct str *out)
{
	print_named(algorithms, cur_u8(c), out);
}

void
algorithm_check(struct cur *c)
{
	u8_check(c);
}

err_t
digest_type_parse(struct rdata_parser *p)
{
	return parse_named_u8(p, digest_types, "a digest type, such as 2 or SHA-256");
}

err_t
key_protocol_parse(struct rdata_parser *p)
{
	return parse_named_u8(p, key_protocols, "a protocol number, usually 3");
}

err_t
scheme_parse(struct rdata_parser *p)
{
	return parse_named_u8(p, schemes, "a scheme: NOTIFY, or a number");
}

void
scheme_print(struct cur *c, struct str *out)
{
	print_named(schemes, cur_u8(c), out);
}

void
scheme_check(struct cur *c)
{
	u8_check(c);
}

err_t
cert_type_parse(struct rdata_parser *p)
{
	uint16_t v = 0;
	TRY(parse_named(p, cert_types, UINT16_MAX, "a certificate type, such as 1 or PKIX", &v));
	buf_u16(p->out, v);
	return OK;
}

void
cert_type_print(struct cur *c, struct str *out)
{
	print_named(cert_types, cur_u16(c), out);
}

void
cert_type_check(struct cur *c)
{
	u16_check(c);
}

/* Reads a number, or names with "|" between them. */
err_t
key_flags_parse(struct rdata_parser *p)
{
	static const char what[] = "flags, such as 257";
	uint16_t flags = 0;
	uint64_t v = 0;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	if (p->t.s[0] >= '0' && p->t.s[0] <= '9') {
		TRY(rdata_parse_number(p, UINT16_MAX, &v));
		buf_u16(p->out, (uint16_t)v);
		return OK;
	}
	const char *s = p->t.s, *end = s + p->t.len;
	while (s <= end) {
		const char *bar = memchr(s, '|', (size_t)(end - s));
		bar = bar != NULL ? bar : end;
		const struct named *found = find_name(key_flags, s, (size_t)(bar - s));
		if (found == NULL) {
			return rdata_expected(p, what);
		}
		flags |= found->value;
		s = bar + 1;
	}
	buf_u16(p->out, flags);
	rdata_next(p);
	return OK;
}

/* Plain numbers were allowed like mnemonics in RFC 2535, and BIND still accepts them. */
err_t
covered_parse(struct rdata_parser *p)
{
	uint16_t type;
	uint64_t v = 0;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, "a record type");
	}
	if (rrtype_parse(p->t.s, p->t.len, &type) == OK) {
		buf_u16(p->out, type);
		rdata_next(p);
		return OK;
	}
	if (lex_number(&p->t, UINT16_MAX, &v) != OK) {
		return rdata_expected(p, "a record type");
	}
	return u16_parse(p);
}

void
covered_print(struct cur *c, struct str *out)
{
	char text[RRTYPE_TEXT_MAX];
	str_cat(out, rrtype_print(cur_u16(c), text));
}

void
covered_check(struct cur *c)
{
	u16_check(c);
}

enum { DAY_S = 24 * 3600, TIME_DIGITS = 14 };

static unsigned
digits_at(const char *s, size_t n)
{
	unsigned v = 0;
	for (size_t i = 0; i < n; i++) {
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	return v;
}

/* Reads 14 digits, from 2^31 seconds before 1970 (as some programs print times near 2^32) to the year 9999.  Times beyond 32
 * bits wrap around, since the times of signatures are serial numbers (RFC 4034 3.1.5): a validator after 2106 will take the low
 * 32 bits for that date. */
static err_t
parse_date(const char *s, uint32_t *out)
{
	unsigned year = digits_at(s, 4), month = digits_at(s + 4, 2), day = digits_at(s + 6, 2);
	unsigned hour = digits_at(s + 8, 2), minute = digits_at(s + 10, 2);
	unsigned second = digits_at(s + 12, 2);
	if (year < 1900 || month < 1 || month > 12 || day < 1 || day > calendar_days_of_month(year, month) ||
	    hour > 23 || minute > 59 || second > 60) { /* 60: a leap second */
		return E_RANGE;
	}
	int64_t t = calendar_days(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
	if (t < INT32_MIN) {
		return E_RANGE;
	}
	*out = (uint32_t)(uint64_t)t;
	return OK;
}

err_t
time_parse(struct rdata_parser *p)
{
	static const char what[] = "a time as YYYYMMDDHHMMSS";
	uint64_t v = 0;
	uint32_t t;
	if (p->t.kind != LEX_WORD || lex_number(&p->t, UINT64_MAX, &v) != OK) {
		return rdata_expected(p, what);
	}
	if (p->t.len != TIME_DIGITS) { /* RFC 4034 3.2: seconds since 1970 have at most 10 digits */
		return u32_parse(p);
	}
	err_t err = parse_date(p->t.s, &t);
	if (err != OK) {
		return rdata_fail(p, err, "there is no such time");
	}
	buf_u32(p->out, t);
	rdata_next(p);
	return OK;
}

void
time_print(struct cur *c, struct str *out)
{
	uint32_t t = cur_u32(c), s = t % DAY_S;
	struct calendar_date d = calendar_date_of(t / DAY_S);
	str_printf(out, "%04u%02u%02u%02u%02u%02u", d.year, d.month, d.day, s / 3600, s / 60 % 60, s % 60);
}

void
time_check(struct cur *c)
{
	u32_check(c);
}
