/* auth/answering.h -- the state of one query; private to answer.c, additional.c and proof.c. */
#pragma once

#include "auth/answer.h"
#include "zone/zone.h"

enum {
	DENIALS_MAX = 8, /* NSEC or NSEC3 records of one answer: a few more than any answer needs */
	/* NSEC3 hashes: one for each label of a name (opt-out), one wildcard for each alias, and a dozen. */
	HASHES_MAX = 160,
	/* The cost of all hashes together, in blocks of SHA-1 (crypto/sha.h); a block takes a tenth of a microsecond.  Enough for 32 hashes
	 * in a zone with ZONE_NSEC3_ITERATIONS_MAX and a salt of the usual length, or for 6 with the longest salt; NXDOMAIN
	 * takes 3. */
	HASH_BLOCKS_MAX = 5000,
};

struct answering {
	const struct view *view;
	const struct question *q;
	struct reply *r;
	struct answer *out;

	/* The name being looked up: the question's, then each alias's target. */
	const struct zone *zone;
	const struct shut_zone *shut; /* the name is in there, so there is no `zone`; NULL: it is in none */
	const uint8_t *name;
	struct place *at;        /* where the name is in the message */
	struct nkey key;
	struct zone_hit hit;

	unsigned aliases;                        /* followed so far */
	struct place places[ALIAS_CHAIN_MAX + 1]; /* [0] is the question */
	struct name made[ALIAS_CHAIN_MAX];       /* names made from DNAMEs */

	/* DNAMEs in the answer.  Several aliases may lead through the same one, but each record may be there only once (RFC 6672
	 * 3.2, RFC 2181 5). */
	unsigned dnames;
	struct put_dname {
		const struct node *node;
		struct place target;
	} dname[ALIAS_CHAIN_MAX + 1];

	/* Names that were answered from a wildcard.  Their proofs belong in the authority section, which begins when all
	 * aliases were followed. */
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
/* Adds an RRset of a node, and its signatures if they are wanted.  Required data that do not fit set TC.  False: not everything
 * was added. */
bool answering_put(struct answering *a, const struct put *what);

/* The place of an ancestor of the name being looked up. */
struct place answering_ancestor(struct answering *a, const uint8_t *name, size_t len);

/* additional.c: adds addresses for the targets of the RRset that was written last.  For a referral, `cut` is its node: then glue
 * below the cut is required (RFC 9471 3.1). */
void answering_add_addresses(struct answering *a, const struct rrset *set, const struct node *cut);

/* The same for SVCB and HTTPS (RFC 9460 4.1): in alias mode the target's RRset of the same type comes first. */
void answering_add_services(struct answering *a, const struct put *put);

/* proof.c: these add proofs if the zone is signed and DO is set; else they do nothing. */
void proof_no_data(struct answering *a);                /* the name exists, the type does not */
void proof_no_name(struct answering *a);                /* neither name nor wildcard */
void proof_wildcard_later(struct answering *a);         /* notes a positive answer from a wildcard, to be proved later */
void proof_wildcards(struct answering *a);              /* adds these proofs, at the beginning of the authority section */
void proof_wildcard_no_data(struct answering *a, const struct node *wildcard);
void proof_unsigned_referral(struct answering *a, const struct node *cut);
