/* auth/update_p.h -- the private header of update*.c.
 *
 * update.c accepts and reads a message, update_ask.c checks its prerequisites, update_apply.c checks its changes and makes them.
 */
#pragma once

#include "auth/update.h"
#include "dns/wire.h"

static inline void
update_deny(struct update_verdict *v, unsigned rcode, const char *why)
{
	*v = (struct update_verdict){ .rcode = rcode, .ede = EDE_NONE, .why = why };
}

static inline bool
update_is_denied(const struct update_verdict *v)
{
	return v->rcode != RCODE_NOERROR;
}

/* Counts the records of a type (TYPE_ANY: of all types) that the name has now. */
err_t update_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out);
