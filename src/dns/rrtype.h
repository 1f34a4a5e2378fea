/* dns/rrtype.h -- the table of record types: one row each drives all that depends on a type.
 *
 * A row tells mnemonic, code and the fields of the RDATA in order; the reader and the printer of
 * text, the check of wire form, compression and canonical form all walk these
 * fields.  To add a type, add a row; where its syntax is one of a kind, add a field kind with it.
 * IANA "Resource Record (RR) TYPEs".  tools/check-rrtypes compares the table with IANA's list.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Types that the code has to name; the table holds many more. */
enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_KEY = 25,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_NAPTR = 35,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_APL = 42,
	TYPE_DS = 43,
	TYPE_SSHFP = 44,
	TYPE_RRSIG = 46,
	TYPE_NSEC = 47,
	TYPE_DNSKEY = 48,
	TYPE_NSEC3 = 50,
	TYPE_NSEC3PARAM = 51,
	TYPE_TLSA = 52,
	TYPE_RKEY = 57,
	TYPE_CDS = 59,
	TYPE_CDNSKEY = 60,
	TYPE_SVCB = 64,
	TYPE_HTTPS = 65,
	TYPE_TKEY = 249,
	TYPE_TSIG = 250,
	TYPE_IXFR = 251,
	TYPE_AXFR = 252,
	TYPE_MAILB = 253,
	TYPE_MAILA = 254,
	TYPE_ANY = 255,
	TYPE_CAA = 257,
};

enum rrtype_flags {
	RRTYPE_META = 1 << 0,       /* query or meta type: never in a zone (RFC 6895 3.1) */
	RRTYPE_COMPRESS = 1 << 1,   /* names in it may be compressed: RFC 1035's types (RFC 3597 4) */
	RRTYPE_LOWERCASE = 1 << 2,  /* names in it are lower-cased in canonical form (RFC 4034 6.2, 6840 5.1) */
	RRTYPE_SINGLETON = 1 << 3,  /* at most one record a name: CNAME, DNAME, SOA */
	RRTYPE_PARENT = 1 << 4,     /* at a cut it belongs to the parent: DS, NSEC (RFC 4035 2) */
	RRTYPE_DECOMPRESS = 1 << 5, /* names in it may arrive compressed, but are not sent so (RFC 3597 4) */
};

/* One field of an RDATA.  Kinds and their text and wire forms: rdata_p.h. */
struct rrfield;

struct rrtype {
	uint16_t code;
	uint16_t flags;              /* of enum rrtype_flags */
	const char *mnemonic;        /* upper case, as IANA lists it */
	const char *rfc;             /* where its RDATA is defined */
	const struct rrfield *fields; /* ended by a field of kind 0; NULL: text form is RFC 3597's only */
};

/* NULL when the type is not in the table: then RFC 3597 applies. */
const struct rrtype *rrtype_by_code(uint16_t code);

/* Flags of any type.  Of those not in the table, 128 to 255 are META (RFC 6895 3.1), all others have
 * none. */
uint16_t rrtype_flags(uint16_t code);

/* "MX", "TYPE65280" (RFC 3597 5), any case.  E_UNSUPPORTED when it is neither. */
err_t rrtype_parse(const char *text, size_t len, uint16_t *out);

enum { RRTYPE_TEXT_MAX = 16 };
const char *rrtype_print(uint16_t code, char out[RRTYPE_TEXT_MAX]); /* returns out */

/* "IN", "CH", "HS", "CLASS32", any case.  E_UNSUPPORTED when it is none of these. */
err_t rrclass_parse(const char *text, size_t len, uint16_t *out);

/* "NOERROR", "BADVERS", "RCODE24". `rcode` with its extended bits; is_tsig: 16 is BADSIG. */
const char *rcode_print(unsigned rcode, bool is_tsig, char out[RRTYPE_TEXT_MAX]);

/* For tests and tools: row i of the table, NULL past the end. */
const struct rrtype *rrtype_row(size_t i);
