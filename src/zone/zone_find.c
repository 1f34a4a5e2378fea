#include "zone/zone_p.h"

#include <string.h>

#include "base/enc.h"
#include "crypto/hmac.h"
#include "crypto/sha.h"
#include "dns/rdata.h"

/* Most steps back from a name to one with the NSEC or NSEC3 wanted.  In a correctly signed zone there are few: empty
 * non-terminals on the way up, or records of another chain (RFC 5155 7.3).  In any other zone, the limit avoids a walk through
 * the whole zone. */
enum { STEPS_BACK_MAX = 256 };

/* Finds the topmost node that hides the names below it, on the path to a name. */
static void
find_hiding(const struct trie_path *path, struct zone_hit *out)
{
	const struct node *hiding = path->exact;
	for (unsigned i = path->n; i != 0; i--) {
		const struct node *n = path->ancestor[i - 1];
		hiding = zone_hides_below(n) ? n : hiding;
	}
	if (hiding == NULL) {
		return;
	}
	if ((hiding->flags & NODE_CUT) != 0) {
		out->cut = hiding;
	} else if (hiding != path->exact && (hiding->flags & NODE_DNAME) != 0) {
		out->dname = hiding;
	}
}

void
zone_find(const struct zone *z, const struct nkey *key, struct zone_hit *out)
{
	struct trie_path path;
	trie_lookup(&z->nodes, key, &path);
	const struct node *exact = path.exact;
	const struct node *deepest = exact != NULL ? exact : path.n != 0 ? path.ancestor[path.n - 1] : z->apex;
	*out = (struct zone_hit){ .node = exact, .encloser = deepest };
	if ((deepest->flags & (NODE_CUT | NODE_DNAME | NODE_BELOW_CUT)) != 0) {
		find_hiding(&path, out);
	}
}

const struct node *
zone_node(const struct zone *z, const uint8_t *name)
{
	struct nkey key;
	nkey_set(&key, name);
	return trie_get(&z->nodes, &key);
}

/* The topmost delegation or DNAME above a node; if there is none, the node itself. */
static const struct node *
hiding_above(const struct zone *z, const struct node *n)
{
	struct nkey key;
	struct trie_path path;
	nkey_set(&key, n->name);
	trie_lookup(&z->nodes, &key, &path);
	for (unsigned i = 0; i < path.n; i++) {
		if (zone_hides_below(path.ancestor[i])) {
			return path.ancestor[i];
		}
	}
	return n;
}

static const struct node *
node_before(const struct trie *t, const struct node *n)
{
	struct nkey key;
	nkey_set(&key, n->name);
	return trie_before(t, &key);
}

const struct node *
zone_nsec_at_or_before(const struct zone *z, const struct nkey *key)
{
	const struct node *n = trie_at_or_before(&z->nodes, key);
	for (unsigned steps = 0; n != NULL && steps < STEPS_BACK_MAX; steps++) {
		if ((n->flags & NODE_BELOW_CUT) != 0) { /* skips glue, which may be much, and has no NSEC */
			n = hiding_above(z, n);
		}
		if (node_rrset(n, TYPE_NSEC) != NULL) {
			return n;
		}
		n = node_before(&z->nodes, n);
	}
	return NULL;
}

/* True when the node has an NSEC3 of the chain that the zone's NSEC3PARAM names.  RFC 5155 3.2: algorithm, flags, iterations,
 * salt length, salt. */
static bool
is_in_chain(const struct zone *z, const struct node *n)
{
	const struct rrset *s = node_rrset(n, TYPE_NSEC3);
	if (s == NULL) {
		return false;
	}
	const struct rr *rr = rrset_first(s);
	for (unsigned left = s->n; left != 0; left--, rr = rr_next(rr)) {
		struct cur c = cur_over(rr->rdata, rr->rdlen);
		uint8_t algorithm = cur_u8(&c);
		(void)cur_u8(&c);
		uint16_t iterations = cur_u16(&c);
		uint8_t salt_len = cur_u8(&c);
		const uint8_t *salt = cur_take(&c, salt_len);
		if (c.err == OK && algorithm == 1 && iterations == z->nsec3_param.iterations &&
		    salt_len == z->nsec3_param.salt_len && memcmp(salt, z->nsec3_param.salt, salt_len) == 0) {
			return true;
		}
	}
	return false;
}

/* The owner of a name's NSEC3 (RFC 5155 5). */
static err_t
nsec3_owner(const struct zone *z, const uint8_t *name, struct name *out)
{
	uint8_t lower[NAME_WIRE_MAX], hash[SHA1_LEN], label[1 + ENC_BASE32HEX_LEN(SHA1_LEN)];
	name_lower(lower, name);
	TRY(nsec3_hash(lower, name_len(name), z->nsec3_param.salt, z->nsec3_param.salt_len,
	               z->nsec3_param.iterations, hash));
	label[0] = (uint8_t)base32hex_encode(hash, sizeof hash, (char *)label + 1);
	return name_join(label, sizeof label, z->apex_name, out);
}

/* Goes back from a node to one in the chain, around the end if necessary. */
static const struct node *
last_in_chain(const struct zone *z, const struct node *n)
{
	for (unsigned steps = 0; steps < STEPS_BACK_MAX; steps++) {
		n = n != NULL ? n : trie_last(&z->nsec3); /* the last one covers names before the first */
		if (is_in_chain(z, n)) {
			return n;
		}
		n = node_before(&z->nsec3, n);
	}
	return NULL;
}

const struct node *
zone_nsec3_last(const struct zone *z)
{
	return last_in_chain(z, NULL);
}

const struct node *
zone_nsec3_match(const struct zone *z, const uint8_t *name)
{
	struct name owner;
	struct nkey key;
	if (z->nsec3_excessive != NULL) {
		return z->nsec3_excessive;
	}
	if (!z->has_nsec3 || nsec3_owner(z, name, &owner) != OK) {
		return NULL;
	}
	nkey_set(&key, owner.oct);
	const struct node *n = trie_get(&z->nsec3, &key);
	return n != NULL && is_in_chain(z, n) ? n : NULL;
}

const struct node *
zone_nsec3_cover(const struct zone *z, const uint8_t *name)
{
	struct name owner;
	struct nkey key;
	if (z->nsec3_excessive != NULL) {
		return z->nsec3_excessive;
	}
	if (!z->has_nsec3 || nsec3_owner(z, name, &owner) != OK) {
		return NULL;
	}
	nkey_set(&key, owner.oct);
	const struct node *n = last_in_chain(z, trie_at_or_before(&z->nsec3, &key));
	return n != NULL && !nkey_is_name(&key, n->name, n->name_len) ? n : NULL;
}

size_t
zone_nsec3_blocks(const struct zone *z, const uint8_t *name)
{
	const bool is_hashed = z->has_nsec3 && z->nsec3_excessive == NULL;
	return is_hashed ? nsec3_hash_blocks(name_len(name), z->nsec3_param.salt_len, z->nsec3_param.iterations) : 0;
}
