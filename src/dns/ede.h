/* dns/ede.h -- extended DNS errors (RFC 8914) for people: what a server says beside its RCODE.
 *
 * The text is whatever the sender has written: printable ASCII is shown, all other octets as \DDD, so that it can stand on a
 * terminal.
 *
 * Pure.
 */
#pragma once

#include "dns/msg.h"

enum { EDE_TEXT_MAX = 512 };

/* All extended errors of a message, in its order: "Network Error (the remote does not answer); Stale Answer".  A text over EDE_TEXT_MAX
 * is cut and ends in "...".  Returns `out`; "" when there is none. */
const char *ede_print(const struct edns *e, char out[EDE_TEXT_MAX]);
