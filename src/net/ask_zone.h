/* net/ask_zone.h -- in which of a server's zones a name is.
 *
 * By a signed query for the name's SOA record, as clients of RFC 2136 (4.3) do: the owner of the SOA record in the answer, or in the
 * authority section (RFC 2308 2), is the zone's apex.  Blocking, as net/client.h is.
 */
#pragma once

#include "dns/name.h"
#include "net/signed.h"

/* `s`: in, the key alone; out, what became of the query, with nothing in its `wire` and `answer`.  E_NOTFOUND: the server does not say, or
 * what it says cannot be believed.  Others as of signed_ask(). */
err_t ask_zone(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience, const uint8_t *name,
               struct name *out);
