/* dns/change.h -- what an UPDATE (RFC 2136) asks for, as people write it and as the message says it.
 *
 *     CHANGE_ADD         NAME [TTL] [IN] TYPE RDATA
 *     the others         NAME [[TTL] [IN] TYPE [RDATA]]
 *
 * as in a master file, so that a line that dig prints can be pasted.  Without RDATA a change is about all records of the type, without
 * TYPE about all records of the name.  Names are absolute, with a final dot or without one, also in RDATA: as in nsupdate.
 *
 * The message is the only record of the changes: change_print() reads them from there.  Pure.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "dns/msg.h"
#include "dns/name.h"

enum change_kind {
	CHANGE_ADD,
	CHANGE_DELETE,
	/* Prerequisites (RFC 2136 2.4).  With RDATA: all such prerequisites for a name and type are together the whole RRset. */
	CHANGE_IF_EXISTS,
	CHANGE_IF_ABSENT,
};

struct change_error {
	char text[256];
	char hint[256]; /* "" when there is none */
};

struct change_context {
	const uint8_t *zone; /* it must have the owners in it */
	uint32_t ttl;        /* of additions that give none */
};

/* Appends one record to the message; its section's count is the caller's.  E_FORMAT, E_FULL: *why is filled, and the message as
 * it was. */
err_t change_put(struct buf *message, enum change_kind kind, const char *text, const struct change_context *in, struct change_error *why);

/* A record out of the update section: "TXT \"x\", TTL 60"; of a deletion "TXT \"x\"", "all TXT", "everything". */
void change_print(const struct msg *m, const struct msg_rr *rr, struct str *out);
