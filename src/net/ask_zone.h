/* net/ask_zone.h -- finds out which zone of a server contains a name.
 *
 * It sends a signed query for the name's SOA record, as clients of RFC 2136 (4.3) do.  The zone's apex is the owner of the SOA record
 * in the answer section or in the authority section (RFC 2308 2).  The call blocks, as those of net/client.h do.
 */
#pragma once

#include "dns/name.h"
#include "net/signed.h"

/* In: `s` has the key alone.  Out: `s` has the outcome of the query; its `wire` and `answer` are NULL.  E_NOTFOUND: the server names no
 * zone, or its answer cannot be believed.  Other errors are those of signed_ask(). */
err_t ask_zone(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience, const uint8_t *name,
               struct name *out);
