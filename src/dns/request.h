/* dns/request.h -- the head of a request, and its EDNS: what every message that asks has in common.
 *
 * The caller writes the records between the two, and their counts (buf_patch_u16()).  Pure.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct question {
	const uint8_t *name; /* borrowed */
	uint16_t type, rrclass;
};

/* Header and one question (RFC 1035 4.1).  `bits`: opcode and flags. */
void request_begin(struct buf *b, uint16_t id, uint16_t bits, const struct question *q);

/* Ends the records of a request that has no other in its additional section with an OPT (RFC 6891): with it an answer can
 * say more than an RCODE. */
void request_put_edns(struct buf *b);
