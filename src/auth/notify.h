/* auth/notify.h -- NOTIFY in (RFC 1996), which here means: something was pushed, pull. */
#pragma once

#include "auth/request.h"

/* Fills rcode and the event.  Signed and within the key's rights: the caller pulls, whether or not there is
 * such a zone yet.  Unsigned: acknowledged if the zone is ours, and otherwise ignored, as anyone can send one; else NOTAUTH, as BIND and
 * Knot have it.  SERVFAIL when conf->is_deaf() says so: who has sent it tries again (RFC 1996 3.6). */
void notify_handle(struct request *q);
