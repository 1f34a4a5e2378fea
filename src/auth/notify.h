/* auth/notify.h -- receives NOTIFY (RFC 1996), which here means: something was pushed to the repository, pull. */
#pragma once

#include "auth/request.h"

/* Fills rcode and the event.  A signed NOTIFY within the key's rights makes the caller pull, whether or not such a zone exists
 * yet.  An unsigned one is acknowledged if the zone is ours, but has no effect, since anybody can send one; for other zones, and for
 * our own catalog if it is hidden from the sender (auth/access.h), the answer is NOTAUTH, as in BIND and Knot.  SERVFAIL when
 * conf->is_deaf() is true: then the sender tries again (RFC 1996 3.6). */
void notify_handle(struct request *q);
