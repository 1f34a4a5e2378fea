/* dns/rdata_p.h -- inside of the RDATA module: field kinds, and what the files rdata_*.c share.
 *
 * A kind of field is a row of three functions: read text, write text, check wire form.  The wire
 * form is checked before it is printed, so a printer may count on it; the cursor bounds it anyway.
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
	FIELD_NODE_NUMBER,   /* 64 bits, also as two halves with a dot between them (IPN) */
	FIELD_PERIOD,        /* 32 bits of seconds; units are taken ("1h30m") */
	/* Numbers with names */
	FIELD_TYPE,          /* mnemonic of a type */
	FIELD_ALGORITHM,     /* DNSSEC; printed as a number (RFC 4034 A.1) */
	FIELD_CERT_ALGORITHM, /* the same, printed as a mnemonic where there is one (RFC 4398 2.2) */
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
	FIELD_BASE64_DASH,   /* to the end, "-" when empty (DOA) */
	FIELD_KEY,           /* base64; empty only when the flags say that there is no key */
	FIELD_HEX,           /* to the end, at least one octet */
	FIELD_DS_DIGEST,     /* hex, of the length that the octet before it demands */
	FIELD_ZONE_DIGEST,   /* likewise (RFC 8976 2.2.4) */
	FIELD_SALT,          /* hex with a length octet, "-" when empty (RFC 5155 3.3) */
	FIELD_HASH,          /* base32hex with a length octet (RFC 5155 3.3) */
	/* Syntax of their own */
	FIELD_BITMAP,        /* types (RFC 4034 4.1.2), maybe none */
	FIELD_BITMAP_OLD,    /* types below 128 (RFC 2535 5.2) */
	FIELD_LOC,           /* RFC 1876 */
	FIELD_PREFIXES,      /* APL (RFC 3123) */
	FIELD_SERVICES,      /* WKS: protocol and ports (RFC 1035 3.4.2) */
	FIELD_NSAP,          /* RFC 1706 */
	FIELD_ATM,           /* ATMA (ATM Forum AF-DANS-0152) */
	FIELD_A6,            /* RFC 2874 3.1 */
	FIELD_GATEWAY,       /* IPSECKEY: gateway type, algorithm, gateway (RFC 4025 2) */
	FIELD_RELAY,         /* AMTRELAY: discovery bit, type, relay (RFC 8777 4) */
	FIELD_HIT,           /* HIP: algorithm, HIT, public key (RFC 8005 5) */
	FIELD_PARAMS,        /* SVCB: target and parameters (RFC 9460 2) */
	FIELD_KIND_COUNT
};

struct rrfield {
	enum rrfield_kind kind;
	const char *label; /* what messages call it */
};

/* Reading text.  Each reader finds its first token in `t` and leaves the one after its last there. */
struct rdata_parser {
	struct lex *lx;
	struct lex_token t;
	const uint8_t *origin;
	struct buf *out;
	size_t start;               /* where this RDATA begins in out */
	struct rdata_error *why;
	uint16_t type;
	const struct rrfield *field; /* being read; NULL before and after the fields */
};

struct rdata_kind {
	err_t (*parse)(struct rdata_parser *p);
	void (*print)(struct cur *c, struct str *out);
	void (*check)(struct cur *c); /* moves past the field; the cursor ends where the RDATA does */
	bool may_be_absent;           /* prints nothing when nothing is left */
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

/* Fill *why and return `err`; the offending token is p->t.  rdata_expected(): "TYPE label: expected
 * WHAT", or what the lexer found wrong, or that the record ends too early. */
err_t rdata_expected(struct rdata_parser *p, const char *what);
[[gnu::format(printf, 3, 4)]] err_t rdata_fail(struct rdata_parser *p, err_t err,
                                               const char *format, ...);
[[gnu::format(printf, 2, 3)]] void rdata_hint(struct rdata_parser *p, const char *format, ...);

/* Readers of single values, for kinds that are made of several.  All move on to the next token. */
err_t rdata_parse_number(struct rdata_parser *p, uint64_t max, uint64_t *out);
err_t rdata_parse_name(struct rdata_parser *p);
err_t rdata_parse_string(struct rdata_parser *p, size_t max); /* escapes resolved, no length octet */
err_t rdata_parse_ipv4(struct rdata_parser *p);
err_t rdata_parse_ipv6(struct rdata_parser *p);
err_t rdata_parse_base64(struct rdata_parser *p, bool one_token, bool may_be_empty);
err_t rdata_parse_hex(struct rdata_parser *p, bool one_token);
err_t rdata_parse_algorithm(struct rdata_parser *p);

/* Exactly the texts that inet_pton() takes. */
bool ipv4_is_parsed(const char *s, size_t len, uint8_t out[4]);
bool ipv6_is_parsed(const char *s, size_t len, uint8_t out[16]);

void rdata_print_number(struct str *out, uint32_t v);
void rdata_print_name(struct cur *c, struct str *out);
void rdata_print_ipv4(struct cur *c, struct str *out);
void rdata_print_ipv6(struct cur *c, struct str *out);
void rdata_print_quoted(const uint8_t *s, size_t len, struct str *out);
/* Whole, or in groups of 56 digits as BIND prints the long fields at the end. */
void rdata_print_hex(const uint8_t *s, size_t len, bool in_groups, struct str *out);
void rdata_print_base64(const uint8_t *s, size_t len, bool in_groups, struct str *out);

void rdata_check_name(struct cur *c);

/* What is left of the RDATA; sets *len. */
const uint8_t *rdata_rest(struct cur *c, size_t *len);

/* rdata_bitmap.c, rdata_loc.c, rdata_svcb.c, rdata_rare.c */
err_t bitmap_parse(struct rdata_parser *p);
void bitmap_print(struct cur *c, struct str *out);
void bitmap_check(struct cur *c);
err_t bitmap_old_parse(struct rdata_parser *p);
void bitmap_old_print(struct cur *c, struct str *out);
void bitmap_old_check(struct cur *c);
err_t loc_parse(struct rdata_parser *p);
void loc_print(struct cur *c, struct str *out);
void loc_check(struct cur *c);
err_t params_parse(struct rdata_parser *p);
void params_print(struct cur *c, struct str *out);
void params_check(struct cur *c);
err_t prefixes_parse(struct rdata_parser *p);
void prefixes_print(struct cur *c, struct str *out);
void prefixes_check(struct cur *c);
err_t services_parse(struct rdata_parser *p);
void services_print(struct cur *c, struct str *out);
void services_check(struct cur *c);
err_t nsap_parse(struct rdata_parser *p);
void nsap_print(struct cur *c, struct str *out);
void nsap_check(struct cur *c);
err_t atm_parse(struct rdata_parser *p);
void atm_print(struct cur *c, struct str *out);
void atm_check(struct cur *c);
err_t a6_parse(struct rdata_parser *p);
void a6_print(struct cur *c, struct str *out);
void a6_check(struct cur *c);
err_t gateway_parse(struct rdata_parser *p);
void gateway_print(struct cur *c, struct str *out);
void gateway_check(struct cur *c);
err_t relay_parse(struct rdata_parser *p);
void relay_print(struct cur *c, struct str *out);
void relay_check(struct cur *c);
err_t hit_parse(struct rdata_parser *p);
void hit_print(struct cur *c, struct str *out);
void hit_check(struct cur *c);
