/* zone/zone_builder_p.h -- the private header of zone_builder*.c.
 *
 * zone_builder.c takes records in, zone_builder_check.c reports what is wrong with them, zone_builder_link.c makes one zone of
 * all names.
 */
#pragma once

#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "dns/name.h"
#include "zone/zone_p.h"

/* A run: the records of one owner, gathered until none was added for a while. */
struct run {
	struct name owner;
	bool is_within; /* the owner is within the zone */
	bool has_nsec3, has_ns;
	uint64_t used;  /* number of its last record */
	struct node_rr *rrs;
	size_t n, cap;
	uint8_t *octets; /* RDATA of all records; rrs[i].rdata points here */
	size_t octets_n, octets_cap;
};

enum { OPEN_RUNS = 4 };

struct waiting { /* a record that waits, in the arena */
	struct waiting *next;
	uint16_t type, rdlen;
	uint32_t ttl;
	uint8_t rdata[];
};

/* Takes the place of a node in a trie until the end, when the node is made.  Stubs are in the arena. */
struct stub {
	struct stub *next;     /* next of all stubs */
	struct node *built;    /* owned: a node of the owner's first records; NULL: none */
	struct waiting *first, **end;
	size_t n;
	struct node node;      /* flags and name; this is the value in the trie */
};

enum { STUB = 1 << 15 }; /* in a node's flags: it belongs to a stub */

static inline struct stub *
stub_of(struct node *n)
{
	return (struct stub *)(void *)((uint8_t *)n - offsetof(struct stub, node));
}

/* Nodes (also of stubs) that are to be put into a trie.  Several are put at once: see trie_warm(). */
struct queue {
	struct trie_txn in;
	struct node *nodes[TRIE_WARM_MAX];
	size_t n;
};

struct zone_builder {
	struct zone *zone;
	struct findings *findings; /* borrowed */
	size_t errors;             /* errors among the builder's own findings */
	bool is_linked;            /* all nodes are made, and have the flags that depend on names above them */
	struct queue nodes, nsec3;
	struct run runs[OPEN_RUNS], *run; /* run: that of the last record */
	uint64_t records;                 /* records so far */
	struct arena arena;
	struct stub *stubs;
	size_t node_octets;               /* memory of all nodes, including those in stubs */
	size_t run_octets, list_octets;   /* memory of runs, and of lists in builder_link() */
	size_t octets_max;
	bool is_over_limit;
};

/* ---- memory ---- */

/* These are called for each name or record of a zone, so they are inline: calls would be 2 % of the time for loading it. */

static inline size_t
builder_name_octets(const struct zone_builder *b)
{
	return b->node_octets + b->nodes.in.now.octets + b->nsec3.in.now.octets + b->arena.used;
}

static inline size_t
builder_octets(const struct zone_builder *b)
{
	return sizeof *b + sizeof *b->zone + builder_name_octets(b) + b->run_octets + b->list_octets;
}

/* Call this before taking `more` octets: E_LIMIT when these are too many. */
static inline err_t
builder_afford(struct zone_builder *b, size_t more)
{
	size_t octets = builder_octets(b);
	b->is_over_limit |= octets > b->octets_max || more > b->octets_max - octets;
	return b->is_over_limit ? E_LIMIT : OK;
}

/* The same for a node of `n` records with `rdata` octets of RDATA. */
static inline err_t
builder_afford_node(struct zone_builder *b, size_t n, size_t rdata)
{
	size_t each = sizeof(struct rrset) + sizeof(struct rr) + 2 * sizeof(struct rr_link) + 4;
	return builder_afford(b, NODE_NAME_AT + NAME_WIRE_MAX + rdata + n * each);
}

/* Nodes are only made and freed with these two functions, so that they are counted. */
static inline err_t
builder_make_node(struct zone_builder *b, const uint8_t *name, uint16_t flags, struct node_rr *rrs, size_t n, size_t *duplicates,
                  size_t *ttl_differs, struct node **out)
{
	TRY(node_make(name, flags, rrs, n, duplicates, ttl_differs, out));
	b->node_octets += alloc_octets((*out)->size);
	return OK;
}

static inline void
builder_free_node(struct zone_builder *b, struct node *n) /* NULL-safe */
{
	b->node_octets -= n != NULL ? alloc_octets(n->size) : 0;
	free(n);
}

/* ---- zone_builder_check.c ---- */

void builder_report_out_of_zone(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rr);
void builder_report_secret(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rr);
void builder_report_too_large(struct zone_builder *b, const uint8_t *owner);
void builder_report_too_many_empties(struct zone_builder *b, const uint8_t *owner);

/* Reports duplicates and different TTLs, after node_make() has sorted and marked the records. */
void builder_report_records(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rrs, size_t n);

/* Checks everything that does not depend on other names; counts the records, too. */
void builder_check_node(struct zone_builder *b, const struct node *n);
void builder_check_apex(struct zone_builder *b);

/* ---- zone_builder_link.c ---- */

/* Makes the nodes of stubs, and the empty non-terminals ("empties") between names, and sets the flags that depend on other names.
 * Sets is_linked, unless it gives up with a finding. */
err_t builder_link(struct zone_builder *b);
