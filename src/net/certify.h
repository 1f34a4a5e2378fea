/* net/certify.h -- the certifier (acme/certifier.h), and the client of its CA (acme/client.h), on the loop of the follower's thread
 * (net/follow.h).  What happens goes into the log (net/report_certify.h).
 *
 * UPDATEs go to the primaries that the follower has for the zone, over one connection for each of them (net/forward_lines.h); questions
 * to name servers over UDP, and over TCP where answers are large (net/tcp_questions.h); requests to the CA by net/https.h.
 *
 * Threads: all is for the follower's thread, or for while there is none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/certifier.h"
#include "net/follow_guest.h"
#include "net/follow_views.h"

enum { NET_CERTIFY_FILES = 128 }; /* descriptors that it may need */

struct net_certify_conf {
	struct acme_client_conf client;
	struct certifier_conf machine; /* all but ca, mark and io, which are set here */
	const char *ca_file;           /* as in net/https.h; borrowed */
	const struct follow_views *views; /* the zones; has the log; borrowed */
};

struct net_certify;

err_t net_certify_new(const struct net_certify_conf *conf, struct net_certify **out); /* as acme_client_new(), acme_thumbprint() */
void net_certify_free(struct net_certify **nc); /* NULL-safe; after the follower's thread */

/* For the follower's thread. */
struct follow_guest net_certify_guest(struct net_certify *nc);

/* The view has changed. */
void net_certify_zone_changed(struct net_certify *nc, const uint8_t *apex);

const struct certifier *net_certify_machine(const struct net_certify *nc);
struct acme_client *net_certify_client(struct net_certify *nc);
