/* zone/check_p.h -- what the files of the zone checks share.
 *
 * check.c walks and judges names and delegations, check_rrset.c the RRsets, check_target.c where the names in
 * their RDATA lead.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/findings.h"
#include "zone/zone.h"

enum {
	CHECK_NEEDS_MAX = 64, /* glue that one delegation waits for; more are looked up one by one */
	CHECK_CHAIN_MAX = 8,  /* aliases in a row; resolvers give up somewhere above (RFC 1034 5.2.2) */
	CHECK_ODD_MAX = 20,   /* findings about characters, so that one bad habit hides nothing else */
};

/* Nodes, gathered on the walk. */
struct check_nodes {
	const struct node **list; /* owned */
	size_t n, cap;
};

/* A name server below its own delegation: its address has to come up later on the walk. */
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
	struct check_nodes asked; /* such nodes that NS records elsewhere name */
	unsigned odd;             /* findings about characters so far */
	bool is_reverse;          /* the zone is in in-addr.arpa or ip6.arpa */
	err_t err;                /* latched: memory */
};

struct check_text { /* a name for a message */
	char s[NAME_TEXT_MAX];
};
const char *check_print(const uint8_t *name, struct check_text *out);

void check_nodes_add(struct check *c, struct check_nodes *to, const struct node *n);

/* Has the node A or AAAA? */
bool check_has_address(const struct node *n);

/* Is the zone's own name in it twice ("www.example.com.example.com.")? */
bool check_is_doubled(const struct zone *z, const uint8_t *name);

/* An in-zone name as it was probably meant, its last part taken for an absolute name: "write X with a final dot". */
void check_dot_hint(const struct zone *z, const uint8_t *name, char out[DIAG_HINT_MAX]);

/* An RRset of a node that is neither a delegation nor below one; of a node "*". */
void check_rrset(struct check *c, const struct node *n, const struct rrset *s);
void check_star(struct check *c, const struct node *n, const struct rrset *s);

/* All that an RRset says about other names; `n` is the apex, a delegation or above any. */
void check_targets(struct check *c, const struct node *n, const struct rrset *s);
