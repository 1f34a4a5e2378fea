/* auth/answering.h -- the state of one query; private to answer.c, additional.c and proof.c. */
#pragma once

#include "auth/answer.h"
#include "zone/zone.h"

enum {
	DENIALS_MAX = 8, /* NSEC or NSEC3 records that one answer can need, and some */
	/* Hashes by NSEC3: one for each label of a name (opt-out), a wildcard for every alias, and a dozen. */
	HASHES_MAX = 160,
	/* All of them together, in blocks of SHA-1 (crypto/sha.h), which take a tenth of a microsecond each.  32 hashes of a zone with
	 * ZONE_NSEC3_ITERATIONS_MAX and a salt as long as is usual, 6 with the longest; NXDOMAIN takes 3. */
	HASH_BLOCKS_MAX = 5000,
};

struct answering {
	const struct view *view;
	const struct question *q;
	struct reply *r;
	struct answer *out;

	/* The name being looked up: the question's, then each alias's target. */
	const struct zone *zone;
	const uint8_t *name;
	struct place *at;        /* where it stands in the message */
	struct nkey key;
	struct zone_hit hit;

	unsigned aliases;                        /* followed so far */
	struct place places[ALIAS_CHAIN_MAX + 1]; /* [0] is the question */
	struct name made[ALIAS_CHAIN_MAX];       /* targets synthesised from DNAMEs */

	/* DNAMEs in the answer: an alias may lead through one again, and each record is there once (RFC 6672 3.2, RFC 2181 5). */
	unsigned dnames;
	struct put_dname {
		const struct node *node;
		struct place target;
	} dname[ALIAS_CHAIN_MAX + 1];

	/* Names that a wildcard answered for.  Their proofs belong into the authority section, which begins when all
	 * aliases have been followed. */
	unsigned expansions;
	struct expansion {
		const struct zone *zone;
		const uint8_t *name;
		struct place *at;
		const struct node *encloser;
	} expansion[ALIAS_CHAIN_MAX + 1];

	unsigned hashes; /* made so far */
	size_t hash_blocks;
	unsigned denials;
	const struct node *denial[DENIALS_MAX];
};

/* Adds an RRset of a node, and its signatures when they are asked for.  Required data that does not
 * fit sets TC.  False: not all of it was added. */
struct put {
	enum section section;
	struct place *owner;
	const struct node *node;
	const struct rrset *set;
	uint8_t wildcard_len;
	bool is_optional;
	bool has_ttl;
	uint32_t ttl;
};
bool answering_put(struct answering *a, const struct put *what);

/* The place of an ancestor of the name being looked up. */
struct place answering_ancestor(struct answering *a, const uint8_t *name, size_t len);

/* additional.c: addresses of the targets of the RRset that was written last.  For a referral, `cut` is its node:
 * then glue below the cut is required (RFC 9471 3.1). */
void answering_add_addresses(struct answering *a, const struct rrset *set, const struct node *cut);

/* The same for SVCB and HTTPS (RFC 9460 4.1): in alias mode the target's RRset of that type comes first. */
void answering_add_services(struct answering *a, const struct put *put);

/* proof.c: for zones that are signed, when DO is set; else they do nothing. */
void proof_no_data(struct answering *a);                /* the name exists, the type does not */
void proof_no_name(struct answering *a);                /* neither name nor wildcard */
void proof_wildcard_later(struct answering *a);         /* positive answer out of a wildcard: to be proved */
void proof_wildcards(struct answering *a);              /* … now: the first thing in the authority section */
void proof_wildcard_no_data(struct answering *a, const struct node *wildcard);
void proof_unsigned_referral(struct answering *a, const struct node *cut);
