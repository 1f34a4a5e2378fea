/* auth/forward.h -- which UPDATEs a secondary passes on to its primary (RFC 2136 6), and what it answers if it cannot.
 *
 * Passed on is what somebody has signed, for a zone that is followed, also one that cannot be served just now.  The signature is the
 * primary's to verify: a secondary has the keys of transfers, seldom those of updates.  What is not signed is refused here: a primary that
 * takes updates by address would take the secondary's address for the client's.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/request.h"
#include "auth/view.h"

/* Handles a signed UPDATE for server_handle(), before its signature is verified: sets the event EVENT_FORWARD.  False: it is not to be
 * passed on. */
bool forward_handle(struct request *q);

/* True: the message comes from a server that has passed it on: its ID is not the one that was signed (auth/forwarder.h). */
bool forward_is_passed(const uint8_t *bytes, size_t len);

/* Writes the answer SERVFAIL, and returns its length; 0: there is none.  It is signed if the key is in the view, but not for another
 * forwarder. */
size_t forward_refuse(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *bytes,
                      size_t len, const char *why, uint8_t *out, size_t cap);
