/* net/certify.h -- runs the certifier (acme/certifier.h), and the client of its CA (acme/client.h), on the loop of the follower's thread
 * (net/follow.h).
 *
 * UPDATEs go to the primaries that the follower has for the zone, over one connection for each of them (net/forward_lines.h); questions
 * to name servers over UDP, and over TCP where answers are large (net/tcp_questions.h); requests to the CA by net/https.h.
 *
 * Threads: net_certify_stats() may be called from any; all else is for the follower's thread, or for while there is none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/certifier.h"
#include "net/follow_guest.h"

enum { NET_CERTIFY_FILES = 128 }; /* descriptors that it may need */

struct net_certify_conf {
	/* report, view and io.ctx are the caller's; the rest of io is set here */
	struct certifier_conf machine;
	const char *ca_file;      /* as in net/https.h; borrowed */
};

struct net_certify;

struct net_certify *net_certify_new(const struct net_certify_conf *conf);
void net_certify_free(struct net_certify **nc); /* NULL-safe; after the follower's thread */

/* For the follower's thread. */
struct follow_guest net_certify_guest(struct net_certify *nc);

/* The view has changed. */
void net_certify_zone_changed(struct net_certify *nc, const uint8_t *apex);

const struct certifier *net_certify_machine(const struct net_certify *nc);
