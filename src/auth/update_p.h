/* auth/update_p.h -- what the update*.c files share; private to them.
 *
 * update.c takes a message in and reads it, update_ask.c asks its prerequisites, update_apply.c looks its changes over and makes them.
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

/* Records of a type (TYPE_ANY: all) that the name has by now. */
err_t update_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out);
