/* auth/opt.h -- the OPT record of an answer (RFC 6891 6.1), with the options that the client asked for; private to src/auth.
 *
 * Before there is an answer, room for the record is reserved.
 */
#pragma once

#include "auth/request.h"

/* The octets to reserve, if the request has an OPT.  Answers with an extended error have no records, so no room is reserved for it. */
size_t opt_room(const struct request *q);

/* Writes the record at the end of the answer, and leaves `beside` octets of the limit for what follows it.  Options that do not fit are
 * left out: beside a long question and a TSIG there may be little room. */
void opt_put(struct request *q, size_t beside);
