/* zone/referral.h -- a delegation's referral, ready to be copied into a response.
 *
 * What a referral holds is known when the zone is made: the NS RRset, and the addresses of those name servers that are
 * at or below the cut (RFC 9471).  So it is written once, as a piece of a message whose compression pointers are
 * still relative to the cut's own name, with which the question ends before its type and class.  Answering copies the piece
 * and adds one number to its pointers, and reads one block of memory instead of one for each name server.
 *
 * It is kept at the end of the cut's node (NODE_REFERRAL), behind the RRsets.  A cut has none when an address that
 * belongs to it may change with names elsewhere in the zone, or when it is unusually large: then the
 * answer is put together from the RRsets.  So leaving it out is always right, and keeping an old one never is.
 *
 * Measured on a zone like the root's (four name servers, eight addresses): 3,530 instructions a query without, 1,700 with it.
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
	uint16_t ns_n, address_n; /* records for the authority and the additional section */
	uint16_t pointers_n;
	uint16_t at[];            /* where the pointers are in the piece, which follows */
};

/* One in the making. */
struct referral_draft {
	uint16_t ns_n, address_n, pointers_n;
	uint16_t len;
	uint16_t at[REFERRAL_POINTERS_MAX];
	uint8_t piece[REFERRAL_MAX];
};

/* The node of a name at or below the cut, or NULL. */
typedef const struct node *referral_find(void *ctx, const uint8_t *name, size_t len);

/* False: this cut gets none.  `apex_len`: octets of the zone's name. */
bool referral_draft(const struct node *cut, size_t apex_len, referral_find *find, void *ctx, struct referral_draft *out);

/* A copy of the node (malloc) that ends with the referral; one that it had before is left out. */
err_t referral_attach(const struct node *cut, const struct referral_draft *draft, struct node **out);

/* Is it the one that the node has already? */
bool referral_is_same(const struct node *cut, const struct referral_draft *draft);

/* The referral of a node that has NODE_REFERRAL. */
const struct referral *node_referral(const struct node *cut);

/* Copies it to `to`, directly behind the question; the cut's name is at `cut_at` in that.  The caller has made sure of the room. */
void referral_copy(const struct referral *r, uint8_t *to, size_t cut_at);
