/* zone/zone_p.h -- what the zone_*.c files share; private to them. */
#pragma once

#include "zone/zone.h"

/* Do records of this kind live in the trie of NSEC3 owners (RFC 5155 7.2.8)? */
static inline bool
zone_is_nsec3(uint16_t type, uint16_t covers)
{
	return type == TYPE_NSEC3 || (type == TYPE_RRSIG && covers == TYPE_NSEC3);
}

/* Flags that a node has by its own records and its place: NODE_APEX, NODE_CUT. */
uint16_t zone_own_flags(const struct zone *z, const struct node *n);

/* Is a name at or below another?  Both with their lengths, root label included. */
static inline bool
zone_is_name_within(const uint8_t *name, size_t len, const uint8_t *above, size_t above_len)
{
	while (len > above_len) {
		len -= 1u + name[0];
		name = name_parent(name);
	}
	return len == above_len && nkey_octets_are_equal(name, above, len);
}

/* Does it hide what is below it? */
static inline bool
zone_is_cover(const struct node *n)
{
	return (n->flags & (NODE_CUT | NODE_DNAME)) != 0;
}

size_t zone_node_records(const struct node *n);

/* Fills all that follows from the apex.  E_FORMAT without exactly one SOA and any NS there. */
err_t zone_settle(struct zone *z);

/* The last NSEC3 of the chain; NULL when there is none, or only far before others. */
const struct node *zone_nsec3_last(const struct zone *z);

/* A struct zone without names. */
err_t zone_new(const uint8_t *apex, struct zone **out);

/* One record of an RRset, as callbacks get it. */
struct zone_rr zone_rr_of(const struct node *n, const struct rrset *s, const struct rr *rr);

/* What two nodes of one name differ in, either of which may be NULL. */
struct zone_differ {
	err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr);
	void *ctx;
	bool ignores_ttl; /* else a record with another TTL is another record */
};
err_t zone_diff_nodes(const struct zone_differ *d, const struct node *old, const struct node *new);
