#include "dns/rrtype.h"

#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rdata_p.h"
#include "dns/wire.h"

/* Codes below this are indices of the table.  Higher codes have a list of their own: the registry is empty from here to 32768. */
enum { LOW_CODES = 300 };

#define FIELDS(...) (const struct rrfield[]){ __VA_ARGS__, { FIELD_END, NULL } }

/* Fields that several types share. */
static const struct rrfield one_name[] = { { FIELD_NAME, "name" }, { FIELD_END, NULL } };
static const struct rrfield two_names[] = {
	{ FIELD_NAME, "first name" }, { FIELD_NAME, "second name" }, { FIELD_END, NULL }
};
static const struct rrfield preferred_name[] = {
	{ FIELD_U16, "preference" }, { FIELD_NAME, "host" }, { FIELD_END, NULL }
};
static const struct rrfield strings[] = { { FIELD_STRINGS, "text" }, { FIELD_END, NULL } };
static const struct rrfield base64[] = { { FIELD_BASE64, "data" }, { FIELD_END, NULL } };
static const struct rrfield hex[] = { { FIELD_HEX, "data" }, { FIELD_END, NULL } };
static const struct rrfield digest_of_key[] = {
	{ FIELD_U16, "key tag" },
	{ FIELD_ALGORITHM, "algorithm" },
	{ FIELD_DIGEST_TYPE, "digest type" },
	{ FIELD_DS_DIGEST, "digest" },
	{ FIELD_END, NULL },
};
static const struct rrfield public_key[] = {
	{ FIELD_KEY_FLAGS, "flags" },
	{ FIELD_KEY_PROTOCOL, "protocol" },
	{ FIELD_ALGORITHM, "algorithm" },
	{ FIELD_BASE64, "key" },
	{ FIELD_END, NULL },
};
static const struct rrfield signature[] = {
	{ FIELD_TYPE, "type covered" },
	{ FIELD_ALGORITHM, "algorithm" },
	{ FIELD_U8, "labels" },
	{ FIELD_U32, "original TTL" },
	{ FIELD_TIME, "expiration" },
	{ FIELD_TIME, "inception" },
	{ FIELD_U16, "key tag" },
	{ FIELD_NAME, "signer" },
	{ FIELD_BASE64, "signature" },
	{ FIELD_END, NULL },
};
static const struct rrfield certificate_association[] = {
	{ FIELD_U8, "usage" },
	{ FIELD_U8, "selector" },
	{ FIELD_U8, "matching type" },
	{ FIELD_HEX, "data" },
	{ FIELD_END, NULL },
};
static const struct rrfield service_binding[] = {
	{ FIELD_U16, "priority" }, { FIELD_PARAMS, "target" }, { FIELD_END, NULL }
};

/* Short names for the columns of the table. */
enum {
	META = RRTYPE_META,
	OLD = RRTYPE_COMPRESS | RRTYPE_LOWERCASE, /* types of RFC 1035 */
	LATER = RRTYPE_DECOMPRESS | RRTYPE_LOWERCASE,
	LOWER = RRTYPE_LOWERCASE,
	ONE = RRTYPE_SINGLETON,
	UPPER_SIDE = RRTYPE_PARENT,
};
#define ROW(code, flags, mnemonic, rfc, fields)                                                    \
	[code] = { code, flags, mnemonic, rfc, fields }

static const struct rrtype low[LOW_CODES] = {
	ROW(1, 0, "A", "RFC 1035 3.4.1", FIELDS({ FIELD_IPV4, "address" })),
	ROW(2, OLD, "NS", "RFC 1035 3.3.11", one_name),
	ROW(3, OLD, "MD", "RFC 1035 3.3.4", one_name),
	ROW(4, OLD, "MF", "RFC 1035 3.3.5", one_name),
	ROW(5, OLD | ONE, "CNAME", "RFC 1035 3.3.1", one_name),
	ROW(6, OLD | ONE, "SOA", "RFC 1035 3.3.13",
	    FIELDS({ FIELD_NAME, "primary server" }, { FIELD_NAME, "mailbox" }, { FIELD_U32, "serial" },
	           { FIELD_PERIOD, "refresh" }, { FIELD_PERIOD, "retry" }, { FIELD_PERIOD, "expire" },
	           { FIELD_PERIOD, "minimum" })),
	ROW(7, OLD, "MB", "RFC 1035 3.3.3", one_name),
	ROW(8, OLD, "MG", "RFC 1035 3.3.6", one_name),
	ROW(9, OLD, "MR", "RFC 1035 3.3.8", one_name),
	ROW(10, 0, "NULL", "RFC 1035 3.3.10", NULL),
	ROW(11, 0, "WKS", "RFC 1035 3.4.2",
	    FIELDS({ FIELD_IPV4, "address" }, { FIELD_SERVICES, "services" })),
	ROW(12, OLD, "PTR", "RFC 1035 3.3.12", one_name),
	ROW(13, 0, "HINFO", "RFC 1035 3.3.2", FIELDS({ FIELD_STRING, "CPU" }, { FIELD_STRING, "OS" })),
	ROW(14, OLD, "MINFO", "RFC 1035 3.3.7", two_names),
	ROW(15, OLD, "MX", "RFC 1035 3.3.9", preferred_name),
	ROW(16, 0, "TXT", "RFC 1035 3.3.14", strings),
	ROW(17, LATER, "RP", "RFC 1183 2.2", two_names),
	ROW(18, LATER, "AFSDB", "RFC 1183 1", preferred_name),
	ROW(19, 0, "X25", "RFC 1183 3.1", FIELDS({ FIELD_DIGITS, "PSDN address" })),
	ROW(20, 0, "ISDN", "RFC 1183 3.2",
	    FIELDS({ FIELD_STRING, "address" }, { FIELD_STRING_OPT, "subaddress" })),
	ROW(21, LATER, "RT", "RFC 1183 3.3", preferred_name),
	ROW(22, 0, "NSAP", "RFC 1706", FIELDS({ FIELD_NSAP, "address" })),
	ROW(23, LOWER, "NSAP-PTR", "RFC 1348", one_name),
	ROW(24, LATER, "SIG", "RFC 2535 4", signature),
	ROW(25, 0, "KEY", "RFC 2535 3",
	    FIELDS({ FIELD_KEY_FLAGS, "flags" }, { FIELD_KEY_PROTOCOL, "protocol" },
	           { FIELD_ALGORITHM, "algorithm" }, { FIELD_KEY, "key" })),
	ROW(26, LATER, "PX", "RFC 2163 4",
	    FIELDS({ FIELD_U16, "preference" }, { FIELD_NAME, "RFC 822 domain" },
	           { FIELD_NAME, "X.400 domain" })),
	ROW(27, 0, "GPOS", "RFC 1712 3",
	    FIELDS({ FIELD_STRING, "longitude" }, { FIELD_STRING, "latitude" },
	           { FIELD_STRING, "altitude" })),
	ROW(28, 0, "AAAA", "RFC 3596 2", FIELDS({ FIELD_IPV6, "address" })),
	ROW(29, 0, "LOC", "RFC 1876", FIELDS({ FIELD_LOC, "location" })),
	ROW(30, LATER, "NXT", "RFC 2535 5",
	    FIELDS({ FIELD_NAME, "next name" }, { FIELD_BITMAP_OLD, "types" })),
	ROW(31, 0, "EID", "draft-ietf-nimrod-dns", hex),
	ROW(32, 0, "NIMLOC", "draft-ietf-nimrod-dns", hex),
	ROW(33, LATER, "SRV", "RFC 2782",
	    FIELDS({ FIELD_U16, "priority" }, { FIELD_U16, "weight" }, { FIELD_U16, "port" },
	           { FIELD_NAME, "target" })),
	ROW(34, 0, "ATMA", "AF-DANS-0152", FIELDS({ FIELD_ATM, "address" })),
	ROW(35, LATER, "NAPTR", "RFC 3403 4",
	    FIELDS({ FIELD_U16, "order" }, { FIELD_U16, "preference" }, { FIELD_STRING, "flags" },
	           { FIELD_STRING, "services" }, { FIELD_STRING, "regular expression" },
	           { FIELD_NAME, "replacement" })),
	ROW(36, LOWER, "KX", "RFC 2230 3", preferred_name),
	ROW(37, 0, "CERT", "RFC 4398 2",
	    FIELDS({ FIELD_CERT_TYPE, "certificate type" }, { FIELD_U16, "key tag" },
	           { FIELD_CERT_ALGORITHM, "algorithm" }, { FIELD_BASE64, "certificate" })),
	ROW(38, LOWER, "A6", "RFC 2874 3.1", FIELDS({ FIELD_A6, "prefix length" })),
	ROW(39, LOWER | ONE, "DNAME", "RFC 6672 2.1", one_name),
	ROW(40, 0, "SINK", "draft-eastlake-kitchen-sink",
	    FIELDS({ FIELD_U8, "meaning" }, { FIELD_U8, "coding" }, { FIELD_U8, "subcoding" },
	           { FIELD_BASE64_OPT, "data" })),
	ROW(41, META, "OPT", "RFC 6891 6", NULL),
	ROW(42, 0, "APL", "RFC 3123", FIELDS({ FIELD_PREFIXES, "prefix" })),
	ROW(43, UPPER_SIDE, "DS", "RFC 4034 5", digest_of_key),
	ROW(44, 0, "SSHFP", "RFC 4255 3",
	    FIELDS({ FIELD_U8, "algorithm" }, { FIELD_U8, "fingerprint type" },
	           { FIELD_FINGERPRINT, "fingerprint" })),
	ROW(45, 0, "IPSECKEY", "RFC 4025 2",
	    FIELDS({ FIELD_U8, "precedence" }, { FIELD_GATEWAY, "gateway type" })),
	ROW(46, LOWER, "RRSIG", "RFC 4034 3", signature),
	ROW(47, UPPER_SIDE, "NSEC", "RFC 4034 4",
	    FIELDS({ FIELD_NAME, "next name" }, { FIELD_BITMAP, "types" })),
	ROW(48, 0, "DNSKEY", "RFC 4034 2", public_key),
	ROW(49, 0, "DHCID", "RFC 4701 3", base64),
	ROW(50, 0, "NSEC3", "RFC 5155 3",
	    FIELDS({ FIELD_U8, "hash algorithm" }, { FIELD_U8, "flags" }, { FIELD_U16, "iterations" },
	           { FIELD_SALT, "salt" }, { FIELD_HASH, "next hashed owner" },
	           { FIELD_BITMAP_OPT, "types" })),
	ROW(51, 0, "NSEC3PARAM", "RFC 5155 4",
	    FIELDS({ FIELD_U8, "hash algorithm" }, { FIELD_U8, "flags" }, { FIELD_U16, "iterations" },
	           { FIELD_SALT, "salt" })),
	ROW(52, 0, "TLSA", "RFC 6698 2", certificate_association),
	ROW(53, 0, "SMIMEA", "RFC 8162 2", certificate_association),
	ROW(55, 0, "HIP", "RFC 8005 5",
	    FIELDS({ FIELD_HIT, "algorithm" }, { FIELD_NAMES, "rendezvous server" })),
	ROW(56, 0, "NINFO", "draft-reid-dnsext-zs", strings),
	ROW(57, 0, "RKEY", "draft-reid-dnsext-rkey", public_key),
	ROW(58, 0, "TALINK", "draft-wijngaards-dnsop-trust-history", two_names),
	ROW(59, 0, "CDS", "RFC 7344 3.1", digest_of_key),
	ROW(60, 0, "CDNSKEY", "RFC 7344 3.2", public_key),
	ROW(61, 0, "OPENPGPKEY", "RFC 7929 2", base64),
	ROW(62, 0, "CSYNC", "RFC 7477 2",
	    FIELDS({ FIELD_U32, "SOA serial" }, { FIELD_U16, "flags" },
	           { FIELD_BITMAP_OPT, "types" })),
	ROW(63, 0, "ZONEMD", "RFC 8976 2",
	    FIELDS({ FIELD_U32, "serial" }, { FIELD_U8, "scheme" }, { FIELD_U8, "hash algorithm" },
	           { FIELD_ZONE_DIGEST, "digest" })),
	ROW(64, 0, "SVCB", "RFC 9460 2", service_binding),
	ROW(65, 0, "HTTPS", "RFC 9460 9", service_binding),
	ROW(66, 0, "DSYNC", "RFC 9859 2",
	    FIELDS({ FIELD_TYPE, "type" }, { FIELD_SCHEME, "scheme" }, { FIELD_U16, "port" },
	           { FIELD_NAME, "target" })),
	ROW(67, 0, "HHIT", "RFC 9886 5.1", base64),
	ROW(68, 0, "BRID", "RFC 9886 5.2", base64),
	ROW(99, 0, "SPF", "RFC 7208 3.1", strings),
	ROW(100, 0, "UINFO", "IANA reserved", NULL),
	ROW(101, 0, "UID", "IANA reserved", NULL),
	ROW(102, 0, "GID", "IANA reserved", NULL),
	ROW(103, 0, "UNSPEC", "IANA reserved", NULL),
	ROW(104, 0, "NID", "RFC 6742 2.1",
	    FIELDS({ FIELD_U16, "preference" }, { FIELD_LOCATOR, "node identifier" })),
	ROW(105, 0, "L32", "RFC 6742 2.2",
	    FIELDS({ FIELD_U16, "preference" }, { FIELD_IPV4, "locator" })),
	ROW(106, 0, "L64", "RFC 6742 2.3",
	    FIELDS({ FIELD_U16, "preference" }, { FIELD_LOCATOR, "locator" })),
	ROW(107, 0, "LP", "RFC 6742 2.4", preferred_name),
	ROW(108, 0, "EUI48", "RFC 7043 3", FIELDS({ FIELD_EUI48, "address" })),
	ROW(109, 0, "EUI64", "RFC 7043 4", FIELDS({ FIELD_EUI64, "address" })),
	ROW(128, META, "NXNAME", "RFC 9824 5", NULL),
	ROW(249, META, "TKEY", "RFC 2930 2", NULL),
	ROW(250, META, "TSIG", "RFC 8945 4", NULL),
	ROW(251, META, "IXFR", "RFC 1995 3", NULL),
	ROW(252, META, "AXFR", "RFC 5936 2.1", NULL),
	ROW(253, META, "MAILB", "RFC 1035 3.2.3", NULL),
	ROW(254, META, "MAILA", "RFC 1035 3.2.3", NULL),
	ROW(255, META, "ANY", "RFC 1035 3.2.3", NULL),
	ROW(256, 0, "URI", "RFC 7553 4",
	    FIELDS({ FIELD_U16, "priority" }, { FIELD_U16, "weight" }, { FIELD_TEXT, "target" })),
	ROW(257, 0, "CAA", "RFC 8659 4",
	    FIELDS({ FIELD_U8, "flags" }, { FIELD_TAG, "tag" }, { FIELD_TEXT, "value" })),
	ROW(258, 0, "AVC", "IANA AVC template", strings),
	ROW(259, 0, "DOA", "draft-durand-doa-over-dns",
	    FIELDS({ FIELD_U32, "enterprise" }, { FIELD_U32, "type" }, { FIELD_U8, "location" },
	           { FIELD_STRING, "media type" }, { FIELD_BASE64_DASH, "data" })),
	ROW(260, 0, "AMTRELAY", "RFC 8777 4",
	    FIELDS({ FIELD_U8, "precedence" }, { FIELD_RELAY, "discovery bit" })),
	ROW(261, 0, "RESINFO", "RFC 9606 3", strings),
	ROW(262, 0, "WALLET", "IANA WALLET template", strings),
	ROW(263, 0, "CLA", "draft-johnson-dns-ipn-cla 3.2", strings),
	ROW(264, 0, "IPN", "draft-johnson-dns-ipn-cla 3.1", FIELDS({ FIELD_NODE_NUMBER, "node number" })),
};

static const struct rrtype high[] = {
	{ 32768, 0, "TA", "IANA TA template", digest_of_key },
	{ 32769, 0, "DLV", "RFC 4431 2", digest_of_key },
};

/* Every row by its mnemonic, shorter ones first and then in ASCII order, for a binary search.  The
 * unit test finds a row that is missing here. */
static const uint16_t by_mnemonic[] = {
	/* 1 */ 1,
	/* 2 */ 38, 43, 36, 107, 7, 3, 4, 8, 9, 15, 2, 26, 17, 21, 32768,
	/* 3 */ 255, 42, 258, 257, 59, 263, 32769, 259, 31, 102, 55, 264, 25, 105, 106, 29, 104, 30,
	41, 12, 24, 6, 99, 33, 16, 101, 256, 11, 19,
	/* 4 */ 28, 34, 252, 68, 37, 27, 67, 20, 251, 22, 47, 10, 57, 40, 64, 249, 52, 250,
	/* 5 */ 18, 5, 62, 49, 39, 66, 108, 109, 13, 65, 254, 253, 14, 35, 56, 50, 46, 44, 100,
	/* 6 */ 48, 32, 128, 53, 58, 103, 262, 63,
	/* 7 */ 60, 261,
	/* 8 */ 260, 45, 23,
	/* 10 */ 51, 61,
};

const struct rrtype *
rrtype_by_code(uint16_t code)
{
	if (code < LOW_CODES) {
		return low[code].mnemonic != NULL ? &low[code] : NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(high); i++) {
		if (high[i].code == code) {
			return &high[i];
		}
	}
	return NULL;
}

uint16_t
rrtype_flags(uint16_t code)
{
	const struct rrtype *t = rrtype_by_code(code);
	if (t != NULL) {
		return t->flags;
	}
	return code >= 128 && code <= 255 ? RRTYPE_META : 0;
}

const struct rrtype *
rrtype_row(size_t i)
{
	for (size_t code = 0; code < LOW_CODES; code++) {
		if (low[code].mnemonic != NULL && i-- == 0) {
			return &low[code];
		}
	}
	return i < ARRAY_LEN(high) ? &high[i] : NULL;
}

/* Mnemonics of up to eight octets as a number, so that a switch can find the frequent ones. */
#define KEY1(a) ((uint64_t)(a))
#define KEY2(a, b) (KEY1(a) << 8 | (b))
#define KEY3(a, b, c) (KEY2(a, b) << 8 | (c))
#define KEY4(a, b, c, d) (KEY3(a, b, c) << 8 | (d))
#define KEY5(a, b, c, d, e) (KEY4(a, b, c, d) << 8 | (e))
#define KEY6(a, b, c, d, e, f) (KEY5(a, b, c, d, e) << 8 | (f))

/* Frequent types; 0: it is none of them. */
static uint16_t
frequent_type(uint64_t key)
{
	switch (key) {
	case KEY1('A'): return TYPE_A;
	case KEY2('N', 'S'): return TYPE_NS;
	case KEY2('D', 'S'): return TYPE_DS;
	case KEY2('M', 'X'): return TYPE_MX;
	case KEY3('T', 'X', 'T'): return TYPE_TXT;
	case KEY3('C', 'A', 'A'): return TYPE_CAA;
	case KEY3('C', 'D', 'S'): return TYPE_CDS;
	case KEY3('P', 'T', 'R'): return TYPE_PTR;
	case KEY3('S', 'R', 'V'): return TYPE_SRV;
	case KEY3('S', 'O', 'A'): return TYPE_SOA;
	case KEY4('A', 'A', 'A', 'A'): return TYPE_AAAA;
	case KEY4('N', 'S', 'E', 'C'): return TYPE_NSEC;
	case KEY4('T', 'L', 'S', 'A'): return TYPE_TLSA;
	case KEY4('S', 'V', 'C', 'B'): return TYPE_SVCB;
	case KEY5('C', 'N', 'A', 'M', 'E'): return TYPE_CNAME;
	case KEY5('R', 'R', 'S', 'I', 'G'): return TYPE_RRSIG;
	case KEY5('N', 'S', 'E', 'C', '3'): return TYPE_NSEC3;
	case KEY5('H', 'T', 'T', 'P', 'S'): return TYPE_HTTPS;
	case KEY5('D', 'N', 'A', 'M', 'E'): return TYPE_DNAME;
	case KEY5('N', 'A', 'P', 'T', 'R'): return TYPE_NAPTR;
	case KEY5('S', 'S', 'H', 'F', 'P'): return TYPE_SSHFP;
	case KEY6('D', 'N', 'S', 'K', 'E', 'Y'): return TYPE_DNSKEY;
	default: return 0;
	}
}

static uint8_t
octet_upper(char c)
{
	return (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

enum { MNEMONIC_MAX = 10 };

/* Compares in the order of by_mnemonic: negative, 0, positive.  `text` is in upper case. */
static int
mnemonic_compare(const char *text, size_t len, const char *mnemonic)
{
	size_t mnemonic_len = strlen(mnemonic);
	if (len != mnemonic_len) {
		return len < mnemonic_len ? -1 : 1;
	}
	return memcmp(text, mnemonic, len);
}

static err_t
rare_type(const char *text, size_t len, uint16_t *out)
{
	size_t from = 0, to = ARRAY_LEN(by_mnemonic);
	while (from < to) {
		size_t mid = (from + to) / 2;
		int d = mnemonic_compare(text, len, rrtype_by_code(by_mnemonic[mid])->mnemonic);
		if (d == 0) {
			*out = by_mnemonic[mid];
			return OK;
		}
		if (d < 0) {
			to = mid;
		} else {
			from = mid + 1;
		}
	}
	return E_UNSUPPORTED;
}

/* Reads "TYPE123" or "CLASS123" (RFC 3597 5). */
static err_t
parse_numbered(const char *word, const char *text, size_t len, uint16_t *out)
{
	size_t word_len = strlen(word);
	unsigned v = 0;
	if (len <= word_len || len > word_len + 5) {
		return E_UNSUPPORTED;
	}
	for (size_t i = 0; i < len; i++) {
		if (i < word_len) {
			if (octet_upper(text[i]) != (uint8_t)word[i]) {
				return E_UNSUPPORTED;
			}
			continue;
		}
		if (text[i] < '0' || text[i] > '9') {
			return E_UNSUPPORTED;
		}
		v = v * 10 + (unsigned)(text[i] - '0');
	}
	if (v > UINT16_MAX) {
		return E_UNSUPPORTED;
	}
	*out = (uint16_t)v;
	return OK;
}

err_t
rrtype_parse(const char *text, size_t len, uint16_t *out)
{
	char upper[MNEMONIC_MAX];
	uint64_t key = 0;
	if (len == 0 || len > sizeof upper) {
		return E_UNSUPPORTED; /* even "TYPE65535" is shorter */
	}
	for (size_t i = 0; i < len; i++) {
		uint8_t c = octet_upper(text[i]);
		upper[i] = (char)c;
		key = key << 8 | c;
	}
	if (len <= 6) {
		uint16_t type = frequent_type(key);
		if (type != 0) {
			*out = type;
			return OK;
		}
	}
	if (rare_type(upper, len, out) == OK) {
		return OK;
	}
	return parse_numbered("TYPE", text, len, out);
}

/* Copies a name of the table, which is short enough. */
static void
set_name(char out[RRTYPE_TEXT_MAX], const char *name)
{
	memcpy(out, name, strlen(name) + 1);
}

const char *
rrtype_print(uint16_t code, char out[RRTYPE_TEXT_MAX])
{
	const struct rrtype *t = rrtype_by_code(code);
	if (t != NULL) {
		set_name(out, t->mnemonic);
	} else {
		(void)snprintf(out, RRTYPE_TEXT_MAX, "TYPE%u", code);
	}
	return out;
}

/* The first name of a class is the one that is printed. */
static const struct {
	uint16_t code;
	const char *name;
} classes[] = {
	{ CLASS_IN, "IN" },       { CLASS_CH, "CH" },       { CLASS_HS, "HS" },   { CLASS_CH, "CHAOS" },
	{ CLASS_HS, "HESIOD" },   { CLASS_NONE, "NONE" },   { CLASS_ANY, "ANY" },
};

err_t
rrclass_parse(const char *text, size_t len, uint16_t *out)
{
	char upper[10];
	if (len == 0 || len > sizeof upper) {
		return E_UNSUPPORTED;
	}
	for (size_t i = 0; i < len; i++) {
		upper[i] = (char)octet_upper(text[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (mnemonic_compare(upper, len, classes[i].name) == 0) {
			*out = classes[i].code;
			return OK;
		}
	}
	return parse_numbered("CLASS", text, len, out);
}

const char *
rcode_print(unsigned rcode, bool is_tsig, char out[RRTYPE_TEXT_MAX])
{
	/* IANA "DNS RCODEs". */
	static const char *const names[] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
		"NXRRSET", "NOTAUTH", "NOTZONE",  "DSOTYPENI", NULL,     NULL,      NULL,       NULL,
		"BADVERS", "BADKEY",  "BADTIME",  "BADMODE",  "BADNAME", "BADALG",  "BADTRUNC", "BADCOOKIE",
	};
	const char *name = rcode < ARRAY_LEN(names) ? names[rcode] : NULL;
	if (is_tsig && rcode == RCODE_BADSIG) {
		name = "BADSIG";
	}
	if (name != NULL) {
		set_name(out, name);
	} else {
		(void)snprintf(out, RRTYPE_TEXT_MAX, "RCODE%u", rcode);
	}
	return out;
}
