/* auth/notify.h -- NOTIFY in (RFC 1996), which here means: something was pushed, pull. */
#pragma once

#include "auth/request.h"

/* Fills rcode and the event.  Signed and within the key's rights: the caller pulls.  Unsigned: acknowledged
 * and otherwise ignored, as anyone can send one.  SERVFAIL when conf->is_deaf() says so: who has sent it tries again (RFC 1996 3.6). */
void notify_handle(struct request *q);
