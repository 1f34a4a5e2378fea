/* dns/rdata.h -- RDATA of every type: text to wire, wire to text, check, canonical form.
 *
 * Wire form here is always uncompressed.  Driven by the table of rrtype.h; unknown types and the
 * "\# n hex" form follow RFC 3597.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "dns/lex.h"
#include "dns/name.h"

/* What went wrong in a text RDATA, for the caller's diagnostic. */
struct rdata_error {
	struct lex_token token; /* the offending token, or the EOL where one was missing */
	char text[160];         /* "expected an IPv4 address, such as 192.0.2.1" */
	char hint[160];         /* "" when there is none */
};

/* Reads fields from `lx` up to and including the LEX_EOL that ends the record.  Relative names are
 * completed with `origin` (may be NULL: then they are errors).  Appends the wire form to `out`.  On an
 * error *why is filled (NULL: not wanted), `out` is as it was, and the lexer stands somewhere in the
 * record: lex_skip_line() goes on.  E_FULL: over 65,535 octets, or over the room in `out`. */
err_t rdata_parse(struct lex *lx, uint16_t type, const uint8_t *origin, struct buf *out,
                  struct rdata_error *why);

/* Is this a well-formed uncompressed RDATA of the type?  For unknown types anything is. */
err_t rdata_check(uint16_t type, const uint8_t *rdata, size_t len);

/* Reads RDLENGTH octets of a message at `msg`, following compression pointers where the type's names
 * may have them (RFC 3597 4), and appends the uncompressed form.  Checks as rdata_check().  An error is
 * latched in `msg` as well, and `out` is as it was. */
err_t rdata_read(struct cur *msg, uint16_t type, size_t rdlength, struct buf *out);

/* Presentation form, one line, fields separated by single spaces, names absolute, as
 * named-compilezone prints it.  Falls back to RFC 3597's form when the RDATA does not check. */
void rdata_print(uint16_t type, const uint8_t *rdata, size_t len, struct str *out);

/* Lower-cases in place the names that canonical form wants so (RFC 4034 6.2). */
void rdata_canonicalize(uint16_t type, uint8_t *rdata, size_t len);

/* Same record data: names compared without case where canonical form lower-cases them, all else
 * octet by octet.  Order as RFC 4034 6.3: negative, 0, positive. */
int rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* Where the domain names are in an RDATA that checks: offsets, in order; returns how many.  Of HIP, which
 * may have any number, the first RDATA_NAMES_MAX. */
enum { RDATA_NAMES_MAX = 8 };
size_t rdata_names(uint16_t type, const uint8_t *rdata, size_t len,
                   uint16_t offsets[RDATA_NAMES_MAX]);

/* SOA, the fields that the server itself needs (RFC 1035 3.3.13). */
struct soa {
	const uint8_t *mname, *rname; /* in the RDATA */
	uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};
err_t rdata_read_soa(const uint8_t *rdata, size_t len, struct soa *out);
