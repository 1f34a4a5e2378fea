/* Proofs of absence from signed zones: NSEC (RFC 4035 3.1.3) and NSEC3 (RFC 5155 7.2). */
#include "auth/answering.h"
#include "dns/rrtype.h"

static bool
is_wanted(const struct answering *a)
{
	return a->q->is_dnssec_ok && a->zone->is_signed && !a->r->is_truncated;
}

/* Adds the NSEC or NSEC3 record of a node, unless it is there already. */
static void
put_denial(struct answering *a, const struct node *n)
{
	if (n == NULL) {
		return;
	}
	for (unsigned i = 0; i < a->denials; i++) {
		if (a->denial[i] == n) {
			return;
		}
	}
	const struct rrset *set = node_rrset(n, a->zone->has_nsec3 ? TYPE_NSEC3 : TYPE_NSEC);
	if (set == NULL || a->denials == DENIALS_MAX) {
		return;
	}
	a->denial[a->denials++] = n;
	struct place owner = { .name = n->name, .len = n->name_len, .tail = a->at,
		               .shared = (uint8_t)name_shared_suffix(n->name, a->name) };
	(void)answering_put(a, &(struct put){ .section = SECTION_AUTHORITY, .owner = &owner, .node = n, .set = set });
}

static const struct node *
covering_nsec(const struct answering *a, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	return zone_nsec_at_or_before(a->zone, &key);
}

/* Counts one more hash, if the limits allow it.  Hashes are most of the cost of an answer with NSEC3.  A resolver would not believe an
 * answer without its proof, so above the limits there is no answer. */
static bool
may_hash(struct answering *a, const uint8_t *name)
{
	size_t blocks = zone_nsec3_blocks(a->zone, name);
	if (a->out->is_given_up || a->hashes == HASHES_MAX || blocks > HASH_BLOCKS_MAX - a->hash_blocks) {
		a->out->is_given_up = true;
		return false;
	}
	a->hashes++;
	a->hash_blocks += blocks;
	return true;
}

static const struct node *
nsec3_match(struct answering *a, const uint8_t *name)
{
	return may_hash(a, name) ? zone_nsec3_match(a->zone, name) : NULL;
}

static const struct node *
nsec3_cover(struct answering *a, const uint8_t *name)
{
	return may_hash(a, name) ? zone_nsec3_cover(a->zone, name) : NULL;
}

/* Makes the name "*" below a name; false when that would be too long. */
static bool
wildcard_below(const uint8_t *name, struct name *out)
{
	static const uint8_t label[2] = { 1, '*' };
	return name_join(label, sizeof label, name, out) == OK;
}

/* The name one label longer than the encloser (RFC 5155 1.3, "next closer"). */
static const uint8_t *
next_closer(const uint8_t *name, const uint8_t *encloser)
{
	return name_suffix(name, name_labels(encloser) + 1);
}

/* Proves the closest encloser that has an NSEC3 record (RFC 5155 7.2.1): with opt-out an existing name may have none.  Returns the
 * encloser that was proved; resolvers conclude that nothing exists below it. */
static const uint8_t *
prove_closest_encloser(struct answering *a, const uint8_t *name, const uint8_t *encloser)
{
	const struct node *match = nsec3_match(a, encloser);
	while (match == NULL && name_len(encloser) > a->zone->apex_len) {
		encloser = name_parent(encloser);
		match = nsec3_match(a, encloser);
	}
	put_denial(a, match);
	if (match != NULL && name_len(name) > name_len(encloser)) {
		put_denial(a, nsec3_cover(a, next_closer(name, encloser)));
	}
	return encloser;
}

/* Proves NODATA by NSEC3: with the record of the name itself, or, in an opt-out span, of its closest provable encloser. */
static void
prove_exists_nsec3(struct answering *a, const uint8_t *name)
{
	const struct node *match = nsec3_match(a, name);
	if (match != NULL) {
		put_denial(a, match);
	} else if (name_len(name) > a->zone->apex_len) {
		(void)prove_closest_encloser(a, name, name_parent(name));
	}
}

void
proof_no_data(struct answering *a)
{
	if (!is_wanted(a)) {
		return;
	}
	if (a->zone->has_nsec3) {
		prove_exists_nsec3(a, a->name);
	} else {
		put_denial(a, covering_nsec(a, a->name)); /* the NSEC of the name; for an empty non-terminal, the NSEC before it */
	}
}

void
proof_no_name(struct answering *a)
{
	struct name star;
	if (!is_wanted(a)) {
		return;
	}
	const uint8_t *encloser = a->hit.encloser->name;
	if (a->zone->has_nsec3) {
		encloser = prove_closest_encloser(a, a->name, encloser);
		if (wildcard_below(encloser, &star)) {
			put_denial(a, nsec3_cover(a, star.oct));
		}
		return;
	}
	put_denial(a, covering_nsec(a, a->name));
	if (wildcard_below(encloser, &star)) {
		put_denial(a, covering_nsec(a, star.oct));
	}
}

void
proof_wildcard_later(struct answering *a)
{
	if (is_wanted(a)) {
		a->expansion[a->expansions++] = (struct expansion){ .zone = a->zone, .name = a->name, .at = a->at,
			                                            .encloser = a->hit.encloser };
	}
}

/* Proves that no name is closer than the wildcard. */
static void
prove_expansion(struct answering *a, const struct node *encloser)
{
	if (a->zone->has_nsec3) {
		put_denial(a, nsec3_cover(a, next_closer(a->name, encloser->name)));
	} else {
		put_denial(a, covering_nsec(a, a->name));
	}
}

void
proof_wildcards(struct answering *a)
{
	if (a->expansions == 0) {
		return;
	}
	const struct zone *zone = a->zone;
	const uint8_t *name = a->name;
	struct place *at = a->at;
	for (unsigned i = 0; i < a->expansions && !a->r->is_truncated; i++) {
		const struct expansion *e = &a->expansion[i];
		a->zone = e->zone;
		a->name = e->name;
		a->at = e->at;
		prove_expansion(a, e->encloser);
	}
	a->expansions = 0;
	a->zone = zone;
	a->name = name;
	a->at = at;
}

void
proof_wildcard_no_data(struct answering *a, const struct node *wildcard)
{
	if (!is_wanted(a)) {
		return;
	}
	if (a->zone->has_nsec3) {
		(void)prove_closest_encloser(a, a->name, a->hit.encloser->name);
		prove_exists_nsec3(a, wildcard->name);
	} else {
		put_denial(a, covering_nsec(a, a->name));
		put_denial(a, covering_nsec(a, wildcard->name));
	}
}

void
proof_unsigned_referral(struct answering *a, const struct node *cut)
{
	if (!is_wanted(a)) {
		return;
	}
	if (a->zone->has_nsec3) {
		prove_exists_nsec3(a, cut->name);
	} else {
		put_denial(a, covering_nsec(a, cut->name));
	}
}
