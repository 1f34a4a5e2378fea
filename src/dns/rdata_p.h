/* dns/rdata_p.h -- the private header of rdata*.c: kinds of fields, and shared functions.
 *
 * A kind of field is a row of three functions: read text, write text, check wire form.  Wire form is checked before it is
 * printed, so a printer may rely on it; the cursor has bounds in any case.
 */
#pragma once

#include "dns/rdata.h"
#include "dns/rrtype.h"

enum rrfield_kind {
	FIELD_END = 0,
	/* Numbers, in decimal */
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_NODE_NUMBER,   /* 64 bits, also written as two halves with a dot between them (IPN) */
	FIELD_PERIOD,        /* 32 bits of seconds; units are accepted ("1h30m") */
	/* Numbers with names */
	FIELD_TYPE,          /* mnemonic of a type */
	FIELD_ALGORITHM,     /* DNSSEC; printed as a number (RFC 4034 A.1) */
	FIELD_CERT_ALGORITHM, /* the same, printed as a mnemonic if there is one (RFC 4398 2.2) */
	FIELD_CERT_TYPE,     /* RFC 4398 2.1 */
	FIELD_DIGEST_TYPE,   /* DS */
	FIELD_KEY_PROTOCOL,  /* RFC 2535 3.1.3 */
	FIELD_KEY_FLAGS,     /* RFC 2535 7.1 */
	FIELD_SCHEME,        /* DSYNC (RFC 9859 2) */
	FIELD_TIME,          /* YYYYMMDDHHmmSS or seconds (RFC 4034 3.2) */
	/* Names and addresses */
	FIELD_NAME,
	FIELD_NAMES,         /* to the end, maybe none */
	FIELD_IPV4,
	FIELD_IPV6,
	FIELD_LOCATOR,       /* 64 bits in four groups (RFC 6742 2) */
	FIELD_EUI48,         /* RFC 7043 */
	FIELD_EUI64,
	/* Text */
	FIELD_STRING,        /* character-string */
	FIELD_STRING_OPT,    /* at the end, may be missing (ISDN) */
	FIELD_STRINGS,       /* to the end, at least one */
	FIELD_DIGITS,        /* character-string of at least four digits (X25) */
	FIELD_TAG,           /* letters and digits with a length octet, not quoted (CAA) */
	FIELD_TEXT,          /* to the end, no length octet, quoted (URI, CAA) */
	/* Octets */
	FIELD_BASE64,        /* to the end, at least one octet */
	FIELD_BASE64_OPT,    /* to the end, maybe none (SINK) */
	FIELD_BASE64_DASH,   /* to the end, "-" when empty (DOA) */
	FIELD_KEY,           /* base64; nothing if the flags mean that there is no key */
	FIELD_HEX,           /* to the end, at least one octet */
	FIELD_DS_DIGEST,     /* hex; the length depends on the octet before it */
	FIELD_ZONE_DIGEST,   /* the same (RFC 8976 2.2.4) */
	FIELD_FINGERPRINT,   /* the same (SSHFP) */
	FIELD_SALT,          /* hex with a length octet, "-" when empty (RFC 5155 3.3) */
	FIELD_HASH,          /* base32hex with a length octet (RFC 5155 3.3) */
	/* With their own syntax */
	FIELD_BITMAP,        /* types (RFC 4034 4.1.2), at least one */
	FIELD_BITMAP_OPT,    /* the same, maybe none (RFC 5155 3.2.1, RFC 7477 2.1.1.2.1) */
	FIELD_BITMAP_OLD,    /* types below 128 (RFC 2535 5.2) */
	FIELD_LOC,           /* RFC 1876 */
	FIELD_PREFIXES,      /* APL (RFC 3123) */
	FIELD_SERVICES,      /* WKS: protocol and ports (RFC 1035 3.4.2) */
	FIELD_NSAP,          /* RFC 1706 */
	FIELD_ATM,           /* ATMA (ATM Forum AF-DANS-0152) */
	FIELD_A6,            /* RFC 2874 3.1 */
	FIELD_GATEWAY,       /* IPSECKEY: gateway type, algorithm, gateway, public key (RFC 4025 2) */
	FIELD_RELAY,         /* AMTRELAY: discovery bit, type, relay (RFC 8777 4) */
	FIELD_HIT,           /* HIP: algorithm, HIT, public key (RFC 8005 5) */
	FIELD_PARAMS,        /* SVCB: target and parameters (RFC 9460 2) */
	FIELD_KIND_COUNT
};

struct rrfield {
	enum rrfield_kind kind;
	const char *label; /* name of the field in messages */
};

/* State while text is read.  Each reader finds its first token in `t`, and leaves the token after its last one there. */
struct rdata_parser {
	struct lex *lx;
	struct lex_token t;
	const uint8_t *origin;
	struct buf *out;
	size_t start;                /* where this RDATA begins in out */
	struct rdata_error *why;
	uint16_t type;
	const struct rrfield *field; /* the present field; NULL before and after the fields */
};

struct rdata_kind {
	err_t (*parse)(struct rdata_parser *p);
	void (*print)(struct cur *c, struct str *out);
	/* Checks the field, and moves past it.  The cursor spans the RDATA. */
	void (*check)(struct cur *c);
	bool (*has_text)(struct cur c); /* for well-formed fields: true when there is a text form; NULL: always */
	bool may_be_absent;             /* prints nothing when the RDATA is at its end */
};
extern const struct rdata_kind rdata_kinds[FIELD_KIND_COUNT];

static inline void
rdata_next(struct rdata_parser *p)
{
	lex_next(p->lx, &p->t);
}

static inline bool
rdata_at_end(const struct rdata_parser *p)
{
	return p->t.kind == LEX_EOL || p->t.kind == LEX_EOF;
}

/* The first two fill *why and return an error; p->t is the wrong token.  rdata_expected() writes "TYPE label: expected WHAT", or the
 * lexer's error, or that the record ends too early. */
err_t rdata_expected(struct rdata_parser *p, const char *what);
[[gnu::format(printf, 3, 4)]] err_t rdata_fail(struct rdata_parser *p, err_t err,
                                               const char *format, ...);
[[gnu::format(printf, 2, 3)]] void rdata_hint(struct rdata_parser *p, const char *format, ...);

/* rdata_basic.c: single values.  Each function appends to p->out, and moves to the next token. */
err_t rdata_parse_number(struct rdata_parser *p, uint64_t max, uint64_t *out); /* appends nothing */
err_t rdata_parse_name(struct rdata_parser *p);
err_t rdata_parse_string(struct rdata_parser *p); /* with its length octet */
err_t rdata_parse_text(struct rdata_parser *p);   /* without a length octet, of any length */

/* rdata_octets.c: base64, hex.  To the end of the record, or one token. */
enum rdata_extent { RDATA_ONE_TOKEN, RDATA_TO_END };
err_t rdata_parse_base64(struct rdata_parser *p, enum rdata_extent extent);
err_t rdata_parse_hex(struct rdata_parser *p, enum rdata_extent extent);
/* In one piece, or in groups of 56 digits, as BIND prints long fields at the end. */
void rdata_print_base64(const uint8_t *s, size_t len, bool in_groups, struct str *out);
void rdata_print_hex(const uint8_t *s, size_t len, bool in_groups, struct str *out);

/* rdata_addr.c.  The first two accept exactly the texts that inet_pton() accepts. */
bool ipv4_is_parsed(const char *s, size_t len, uint8_t out[4]);
bool ipv6_is_parsed(const char *s, size_t len, uint8_t out[16]);
void rdata_print_ipv4(const uint8_t octets[4], struct str *out);
void rdata_print_ipv6(const uint8_t octets[16], struct str *out);

void rdata_print_number(struct str *out, uint32_t v);
void rdata_print_name(struct cur *c, struct str *out);
void rdata_print_quoted(const uint8_t *s, size_t len, struct str *out);
/* One octet within quotes, escaped if necessary. */
void rdata_print_octet(uint8_t octet, struct str *out);

void rdata_check_name(struct cur *c);
/* The rest of the RDATA; NULL and 0 after an error. */
const uint8_t *rdata_rest(struct cur *c, size_t *len);

/* The kinds: rows of rdata_kinds. */
#define RDATA_KIND(name)                                                                           \
	err_t name##_parse(struct rdata_parser *p);                                                \
	void name##_print(struct cur *c, struct str *out);                                         \
	void name##_check(struct cur *c)
/* rdata_basic.c */
RDATA_KIND(u8);
RDATA_KIND(u16);
RDATA_KIND(u32);
RDATA_KIND(node_number);
err_t name_parse_field(struct rdata_parser *p);
void name_print_field(struct cur *c, struct str *out);
void name_check_field(struct cur *c);
RDATA_KIND(names);
RDATA_KIND(string);
RDATA_KIND(strings);
RDATA_KIND(digits);
RDATA_KIND(tag);
RDATA_KIND(text);
err_t period_parse(struct rdata_parser *p);
err_t string_opt_parse(struct rdata_parser *p);
void string_opt_check(struct cur *c);
/* rdata_named.c: numbers with names, times */
RDATA_KIND(covered);
RDATA_KIND(algorithm);
RDATA_KIND(cert_type);
RDATA_KIND(scheme);
RDATA_KIND(time);
void cert_algorithm_print(struct cur *c, struct str *out);
err_t digest_type_parse(struct rdata_parser *p);
err_t key_protocol_parse(struct rdata_parser *p);
err_t key_flags_parse(struct rdata_parser *p);
/* rdata_octets.c */
RDATA_KIND(base64);
RDATA_KIND(base64_dash);
RDATA_KIND(hex);
RDATA_KIND(salt);
RDATA_KIND(hash);
err_t base64_opt_parse(struct rdata_parser *p);
void base64_opt_check(struct cur *c);
err_t key_parse(struct rdata_parser *p);
void key_check(struct cur *c);
err_t ds_digest_parse(struct rdata_parser *p);
void ds_digest_check(struct cur *c);
err_t zone_digest_parse(struct rdata_parser *p);
void zone_digest_check(struct cur *c);
err_t fingerprint_parse(struct rdata_parser *p);
void fingerprint_check(struct cur *c);
/* rdata_addr.c */
RDATA_KIND(ipv4);
RDATA_KIND(ipv6);
RDATA_KIND(locator);
RDATA_KIND(eui48);
RDATA_KIND(eui64);
RDATA_KIND(prefixes);
bool prefixes_has_text(struct cur c);
RDATA_KIND(a6);
size_t a6_name_at(struct cur c); /* offset of its name in the RDATA; SIZE_MAX: there is none */
/* rdata_bitmap.c */
RDATA_KIND(bitmap);
RDATA_KIND(bitmap_old);
err_t bitmap_opt_parse(struct rdata_parser *p);
void bitmap_opt_check(struct cur *c);
/* rdata_loc.c */
RDATA_KIND(loc);
bool loc_has_text(struct cur c);
/* rdata_svcb.c */
RDATA_KIND(params);
/* rdata_rare.c */
RDATA_KIND(services);
RDATA_KIND(nsap);
RDATA_KIND(atm);
bool atm_has_text(struct cur c);
/* rdata_gateway.c */
RDATA_KIND(gateway);
size_t gateway_name_at(struct cur c);
RDATA_KIND(relay);
size_t relay_name_at(struct cur c);
bool relay_has_text(struct cur c);
RDATA_KIND(hit);
