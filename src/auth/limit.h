/* auth/limit.h -- holds back answers that a network gets too many of (auth/rate_limit.h); private to src/auth.
 *
 * Only answers over UDP count, and only if nothing shows that the client's address is not forged: neither a signature nor a good cookie.
 * Answers to NOTIFY and UPDATE count if they are errors: what a known primary or secondary sends must get through.
 */
#pragma once

#include "auth/request.h"

/* Where there is a limit: counts the answer, which is complete except for its header and OPT.  True: it is not sent.  Otherwise it may
 * have lost its records: then a client that knows cookies is told its cookie (BADCOOKIE), and any other one that it should come over TCP
 * (TC). */
bool limit_holds_back(struct request *q);
