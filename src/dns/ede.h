/* dns/ede.h -- writes extended DNS errors (RFC 8914) for people: additional information of a server besides the RCODE.
 *
 * The sender can put any octets into the text: printable ASCII is shown as it is, all other octets as \DDD, so that the text is
 * safe for a terminal.
 *
 * Pure.
 */
#pragma once

#include "dns/msg.h"

enum { EDE_TEXT_MAX = 512 };

/* Writes all extended errors of a message in order: "Network Error (the remote does not answer); Stale Answer".  A text over
 * EDE_TEXT_MAX is cut, and ends in "...".  Returns `out`; "": there are none. */
const char *ede_print(const struct edns *e, char out[EDE_TEXT_MAX]);
