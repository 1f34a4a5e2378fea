/* dns/request.h -- writes the common parts of all requests: header with question, and EDNS.
 *
 * The caller writes the records between these two, and their counts (buf_patch_u16()).  Pure.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct question {
	const uint8_t *name; /* borrowed */
	uint16_t type, rrclass;
};

/* Writes the header and one question (RFC 1035 4.1).  `bits`: opcode and flags. */
void request_begin(struct buf *b, uint16_t id, uint16_t bits, const struct question *q);

/* Writes an OPT (RFC 6891) as the last and only record of the additional section: then the answer can contain more than an
 * RCODE. */
void request_put_edns(struct buf *b);

/* The same, with edns-tcp-keepalive: for TCP alone (RFC 7828 3.2.1). */
void request_put_keepalive(struct buf *b);
