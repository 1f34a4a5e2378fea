/* dns/rdata.h -- RDATA of every type: from text to wire form and back, checks, canonical form.
 *
 * Wire form here is always uncompressed.  All functions are driven by the table in rrtype.h; unknown types and the "\# n hex"
 * form follow RFC 3597.  Pure.
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
	struct lex_token token; /* the wrong token, or the EOL in the place of a missing one */
	char text[160];         /* "expected an IPv4 address, such as 192.0.2.1" */
	char hint[160];         /* "": no hint */
};

/* Reads fields from `lx` up to and including the LEX_EOL that ends the record.  Relative names are completed with `origin`
 * (NULL: they are errors).  Appends the wire form to `out`.  After an error *why is filled (NULL: not wanted), `out` is as it
 * was, and the lexer is somewhere in the record: go on with lex_skip_line().  E_FULL: over 65,535 octets, or no room in `out`. */
err_t rdata_parse(struct lex *lx, uint16_t type, const uint8_t *origin, struct buf *out,
                  struct rdata_error *why);

/* Checks that this is well-formed uncompressed RDATA of the type.  Any RDATA of an unknown type is. */
err_t rdata_check(uint16_t type, const uint8_t *rdata, size_t len);

/* Reads `rdlength` octets of a message at `msg`, following compression pointers if names of this type may have them (RFC 3597
 * 4), and appends the uncompressed form.  Checks it like rdata_check().  An error is also latched in `msg`, and `out` is as it
 * was. */
err_t rdata_read(struct cur *msg, uint16_t type, size_t rdlength, struct buf *out);

/* Writes presentation form: one line, fields separated by single spaces, absolute names, like named-compilezone.  RDATA that is
 * not well-formed is written in the form of RFC 3597. */
void rdata_print(uint16_t type, const uint8_t *rdata, size_t len, struct str *out);

/* Makes names lower case in place, where canonical form requires it (RFC 4034 6.2). */
void rdata_canonicalize(uint16_t type, uint8_t *rdata, size_t len);

/* Compares RDATA in the order of RFC 4034 6.3: negative, 0, positive.  Names that are lower case in canonical form are compared
 * without case, everything else octet by octet. */
int rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* Finds the domain names in well-formed RDATA: sets their offsets in order, and returns their number.  HIP may have any number of
 * names: only the first RDATA_NAMES_MAX are found. */
enum { RDATA_NAMES_MAX = 8 };
size_t rdata_names(uint16_t type, const uint8_t *rdata, size_t len,
                   uint16_t offsets[RDATA_NAMES_MAX]);

/* The fields of an SOA (RFC 1035 3.3.13). */
struct soa {
	const uint8_t *mname, *rname; /* in the RDATA */
	uint32_t serial, refresh_s, retry_s, expire_s, minimum_s;
};
err_t rdata_read_soa(const uint8_t *rdata, size_t len, struct soa *out);
