/* zone/referral.h -- a delegation's referral, prepared for copying into a response.
 *
 * The contents of a referral are known when the zone is made: the NS RRset, and the addresses of the name servers at or below
 * the cut (RFC 9471).  So it is written once, as a piece of a message in which compression pointers are relative to the cut's
 * name.  The question ends with this name, before its type and class; so an answer is the piece with one number added to its
 * pointers, read from one block of memory instead of one for each name server.
 *
 * It is kept at the end of the cut's node (NODE_REFERRAL), after the RRsets.  A cut has none if one of its addresses may change
 * together with names elsewhere in the zone, or if it is unusually large: then the answer is made from the RRsets.  So leaving
 * it out is always right, while keeping an old one is always wrong.
 *
 * Measured on a zone like the root's (four name servers, eight addresses): a query takes 3,530 instructions without it, 1,700
 * with it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/node.h"

enum {
	REFERRAL_MAX = 1024,      /* octets */
	REFERRAL_POINTERS_MAX = 96,
};

struct referral {
	uint16_t len;             /* octets of the piece */
	uint16_t ns_n, address_n; /* number of records for the authority and the additional section */
	uint16_t pointers_n;
	uint16_t at[];            /* offsets of the pointers in the piece, which follows */
};

/* A referral while it is made. */
struct referral_draft {
	uint16_t ns_n, address_n, pointers_n;
	uint16_t len;
	uint16_t at[REFERRAL_POINTERS_MAX];
	uint8_t piece[REFERRAL_MAX];
};

/* The node of a name at or below the cut, or NULL. */
typedef const struct node *referral_find(void *ctx, const uint8_t *name, size_t len);

/* Makes the referral of a cut.  False: this cut gets none.  `apex_len`: octets of the zone's name. */
bool referral_draft(const struct node *cut, size_t apex_len, referral_find *find, void *ctx, struct referral_draft *out);

/* Makes a copy of the node (malloc) that ends with the referral, without the referral that the node had before. */
err_t referral_attach(const struct node *cut, const struct referral_draft *draft, struct node **out);

/* True when the node already has this referral. */
bool referral_is_same(const struct node *cut, const struct referral_draft *draft);

/* The referral of a node that has NODE_REFERRAL. */
const struct referral *node_referral(const struct node *cut);

/* Copies it to `to`, directly after the question, in which the cut's name is at `cut_at`.  The caller has checked that there is
 * room. */
void referral_copy(const struct referral *r, uint8_t *to, size_t cut_at);
