/* net/peer.h -- who is at the other end (struct peer), from what the system says and as the log shows it.
 */
#pragma once

#include <sys/socket.h>

#include "auth/keys.h"
#include "auth/server.h"

/* False: it is of no family that we know, and *out is as it was. */
bool peer_from_sockaddr(const struct sockaddr *sa, enum transport t, struct peer *out);

enum { PEER_TEXT_MAX = 64 };
void peer_print(const struct peer *p, char out[PEER_TEXT_MAX]); /* "192.0.2.1@4242" */
