/* zone/check_p.h -- the private header of check*.c.
 *
 * check.c walks over the zone and checks names and delegations, check_rrset.c checks single RRsets, check_target.c the names in
 * their RDATA.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/findings.h"
#include "zone/zone.h"

enum {
	CHECK_NEEDS_MAX = 64, /* glue names of one delegation that the walk will meet; more are looked up one by one */
	CHECK_CHAIN_MAX = 8,  /* aliases in a row; resolvers stop at some larger number (RFC 1034 5.2.2) */
	CHECK_ODD_MAX = 20,   /* findings about characters, so that one repeated mistake does not hide others */
};

/* Nodes that the walk gathers. */
struct check_nodes {
	const struct node **list; /* owned */
	size_t n, cap;
};

/* A name server below its own delegation: the walk should meet its address later. */
struct check_need {
	const struct rr *rr;
	bool is_met;
};

struct check {
	const struct zone *z;
	struct findings *out;
	const struct node *under; /* delegation or DNAME that the walk is below, or NULL */
	const struct node *star;  /* the latest node "*", or NULL */
	struct check_need need[CHECK_NEEDS_MAX];
	unsigned needs;
	struct check_nodes loose; /* addresses below a delegation that its own NS records do not name */
	struct check_nodes asked; /* nodes below delegations that NS records elsewhere name */
	unsigned odd;             /* findings about characters so far */
	bool is_reverse;          /* the zone is in in-addr.arpa or ip6.arpa */
	err_t err;                /* the first error (E_NOMEM) */
};

struct check_text { /* a name for a message */
	char s[NAME_TEXT_MAX];
};
const char *check_print(const uint8_t *name, struct check_text *out);

void check_nodes_add(struct check *c, struct check_nodes *to, const struct node *n);

/* True when the node has an A or AAAA record. */
bool check_has_address(const struct node *n);

/* True when the zone's own name is in the name twice ("www.example.com.example.com."). */
bool check_is_doubled(const struct zone *z, const uint8_t *name);

/* Writes a hint for a name whose final dot was probably forgotten: "write X with a final dot". */
void check_dot_hint(const struct zone *z, const uint8_t *name, char out[DIAG_HINT_MAX]);

/* check_rrset() checks an RRset of a node that is neither a delegation nor below one; check_star() one of a wildcard. */
void check_rrset(struct check *c, const struct node *n, const struct rrset *s);
void check_star(struct check *c, const struct node *n, const struct rrset *s);

/* Checks the names in the RDATA of an RRset.  `n` is the apex, a delegation, or a node that is not below one. */
void check_targets(struct check *c, const struct node *n, const struct rrset *s);
