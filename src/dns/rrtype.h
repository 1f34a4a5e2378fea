/* dns/rrtype.h -- the table of record types: everything that depends on a type is driven by its row.
 *
 * A row has the mnemonic, the code and the fields of the RDATA in order.  Reading and printing text, checking wire form,
 * compression and canonical form all follow these fields.  To add a type, add a row; if its syntax is unique, add a kind of
 * field, too.  IANA "Resource Record (RR) TYPEs". tools/check-rrtypes compares the table with IANA's list.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Types that the code refers to; the table has many more. */
enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_RP = 17,
	TYPE_AFSDB = 18,
	TYPE_KEY = 25,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_NAPTR = 35,
	TYPE_KX = 36,
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
	RRTYPE_COMPRESS = 1 << 1,   /* its names may be compressed: types of RFC 1035 (RFC 3597 4) */
	RRTYPE_LOWERCASE = 1 << 2,  /* its names are lower case in canonical form (RFC 4034 6.2, 6840 5.1) */
	RRTYPE_SINGLETON = 1 << 3,  /* at most one record for each name: CNAME, DNAME, SOA */
	RRTYPE_PARENT = 1 << 4,     /* at a cut it belongs to the parent zone: DS, NSEC (RFC 4035 2) */
	RRTYPE_DECOMPRESS = 1 << 5, /* its names may be compressed in messages that we receive, but we do not compress them (RFC
	                             * 3597 4) */
};

/* One field of an RDATA.  Kinds and their text and wire forms: rdata_p.h. */
struct rrfield;

struct rrtype {
	uint16_t code;
	uint16_t flags;              /* of enum rrtype_flags */
	const char *mnemonic;        /* upper case, as IANA lists it */
	const char *rfc;             /* the definition of its RDATA */
	const struct rrfield *fields; /* ended by a field of kind 0; NULL: the only text form is that of RFC 3597 */
};

/* NULL: the type is not in the table, so RFC 3597 applies. */
const struct rrtype *rrtype_by_code(uint16_t code);

/* Flags of any type.  Of types that are not in the table, 128 to 255 are META (RFC 6895 3.1), all others have no flags. */
uint16_t rrtype_flags(uint16_t code);

/* Reads "MX" or "TYPE65280" (RFC 3597 5), in any case.  E_UNSUPPORTED: it is neither. */
err_t rrtype_parse(const char *text, size_t len, uint16_t *out);

enum { RRTYPE_TEXT_MAX = 16 };
const char *rrtype_print(uint16_t code, char out[RRTYPE_TEXT_MAX]); /* returns out */

/* Reads "IN", "CH", "HS" or "CLASS32", in any case.  E_UNSUPPORTED: it is none of these. */
err_t rrclass_parse(const char *text, size_t len, uint16_t *out);

/* Writes "NOERROR", "BADVERS" or "RCODE24".  `rcode` includes the extended bits; is_tsig: 16 is BADSIG. */
const char *rcode_print(unsigned rcode, bool is_tsig, char out[RRTYPE_TEXT_MAX]);

/* For tests and tools: row i of the table, NULL past the end. */
const struct rrtype *rrtype_row(size_t i);
