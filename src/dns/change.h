/* dns/change.h -- changes of an UPDATE (RFC 2136): from the form that people write into the message, and back.
 *
 *     CHANGE_ADD         NAME [TTL] [IN] TYPE RDATA
 *     the others         NAME [[TTL] [IN] TYPE [RDATA]]
 *
 * as in a master file, so that a line printed by dig can be pasted.  A change without RDATA concerns all records of the type,
 * one without TYPE all records of the name.  Names are absolute, with or without a final dot, also in RDATA, as in nsupdate.
 *
 * The message is the only place where the changes are kept: change_print() reads them from there.  Pure.
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
	/* Prerequisites (RFC 2136 2.4).  Those with RDATA for the same name and type together describe the whole RRset. */
	CHANGE_IF_EXISTS,
	CHANGE_IF_ABSENT,
};

struct change_error {
	char text[256];
	char hint[256]; /* "": no hint */
};

struct change_context {
	const uint8_t *zone; /* all owners must be within this zone */
	uint32_t ttl;        /* for additions without a TTL */
};

/* Appends one record to the message; the caller counts it in the header.  E_FORMAT, E_FULL: *why is filled, and the message is
 * unchanged. */
err_t change_put(struct buf *message, enum change_kind kind, const char *text, const struct change_context *in, struct change_error *why);

/* Writes a record of the update section for people: "TXT \"x\", TTL 60"; for a deletion "TXT \"x\"", "all TXT", or "everything". */
void change_print(const struct msg *m, const struct msg_rr *rr, struct str *out);
