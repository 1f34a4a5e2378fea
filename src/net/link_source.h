/* net/link_source.h -- from which of our addresses a primary is asked, and updates go there: the same one, as the primary, or a firewall
 * before it, may know us by it.
 */
#pragma once

#include "auth/follower.h"
#include "net/listen.h"

/* For primaries whose source says nothing; with any port; len 0: the system chooses. */
struct link_source {
	struct listen_address v4, v6;
};

/* The source that `to` says, which a key's name has; else the address above.  From a loopback address nothing but loopback addresses can be
 * reached: such a one is left out for a primary elsewhere. */
struct listen_address link_source_for(const struct link_source *s, const struct follow_source *to);
