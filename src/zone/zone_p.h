/* zone/zone_p.h -- the private header of zone*.c. */
#pragma once

#include "zone/zone.h"

/* True when records of this kind are in the trie of NSEC3 owners (RFC 5155 7.2.8). */
static inline bool
zone_is_nsec3(uint16_t type, uint16_t covers)
{
	return type == TYPE_NSEC3 || (type == TYPE_RRSIG && covers == TYPE_NSEC3);
}

/* Flags that a node has because of its own records and its place: NODE_APEX, NODE_CUT. */
uint16_t zone_own_flags(const struct zone *z, const struct node *n);

/* True when a name is at or below another.  Both lengths include the root label. */
static inline bool
zone_is_name_within(const uint8_t *name, size_t len, const uint8_t *above, size_t above_len)
{
	while (len > above_len) {
		len -= 1u + name[0];
		name = name_parent(name);
	}
	return len == above_len && nkey_octets_are_equal(name, above, len);
}

/* True for a delegation or a DNAME, which hides the names below it. */
static inline bool
zone_hides_below(const struct node *n)
{
	return (n->flags & (NODE_CUT | NODE_DNAME)) != 0;
}

size_t zone_node_records(const struct node *n);

/* True when a name breaks no rule by itself; zone_check_name() says which one. */
bool zone_node_is_sound(const struct node *n);

/* Sets all fields that depend on the apex.  E_FORMAT: there is not exactly one SOA. */
err_t zone_settle(struct zone *z);

/* The last NSEC3 of the chain; NULL: there is none, or too many records of other chains are after it. */
const struct node *zone_nsec3_last(const struct zone *z);

/* Makes a struct zone without names. */
err_t zone_new(const uint8_t *apex, struct zone **out);

/* One record of an RRset, as callbacks get it. */
struct zone_rr zone_rr_of(const struct node *n, const struct rrset *s, const struct rr *rr);

/* Calls `each` for the differences between two nodes of one name, either of which may be NULL. */
struct zone_differ {
	err_t (*each)(void *ctx, bool is_added, const struct zone_rr *rr);
	void *ctx;
	bool ignores_ttl; /* else records with different TTLs are different */
};
err_t zone_diff_nodes(const struct zone_differ *d, const struct node *old, const struct node *new);
