/* Adds additional data: addresses of name servers, mail exchangers and services. */
#include "auth/answering.h"
#include "dns/rrtype.h"

/* Where targets are searched: in the whole zone, or, for name servers below a cut, in the names below it. */
struct search {
	const struct node *cut;          /* NULL: not for a referral */
	const struct trie_cell *subtree; /* NULL until it is needed */
	size_t key_len;                  /* length of the cut's key */
	struct nkey key;
};

static bool
put_address_set(struct answering *a, struct place *owner, const struct node *n, const struct rrset *set)
{
	if (!a->q->is_dnssec_ok && owner->pos <= REPLY_POINTER_MAX) {
		return reply_add_plain(a->r, SECTION_ADDITIONAL, owner->pos, set);
	}
	return answering_put(a, &(struct put){ .section = SECTION_ADDITIONAL, .owner = owner, .node = n, .set = set,
	                                       .is_optional = true });
}

/* If required glue does not fit over UDP, TC is set (RFC 9471 3.1), and the client asks again over TCP.  Over TCP, the glue that fits in
 * 64 KiB is enough. */
static void
put_addresses(struct answering *a, struct place *owner, const struct node *n, bool is_required)
{
	const struct rrset *set = node_first(n);
	for (unsigned left = n->rrsets; left != 0 && set->type <= TYPE_AAAA; left--, set = rrset_next(set)) {
		if ((set->type == TYPE_A || set->type == TYPE_AAAA) && !put_address_set(a, owner, n, set) &&
		    is_required && a->q->transport == TRANSPORT_UDP) {
			a->r->is_truncated = true;
		}
	}
}

static bool
is_listed(const struct node *const *list, unsigned n, const struct node *node)
{
	for (unsigned i = 0; i < n; i++) {
		if (list[i] == node) {
			return true;
		}
	}
	return false;
}

/* The node of a name at or below the cut.  The path from the apex to the cut is walked only once for all such names. */
static const struct node *
node_below_cut(const struct answering *a, struct search *s, const struct rr *rr)
{
	const struct node *cut = s->cut;
	if (s->subtree == NULL) {
		s->key_len = nkey_suffix_len(&a->key, name_labels(cut->name));
		s->subtree = trie_subtree(&a->zone->nodes, &a->key, s->key_len);
	}
	size_t n = rr->rdlen - (size_t)cut->name_len;
	nkey_set_below(&s->key, s->key_len, rr->rdata, rr->rdlen, n);
	return trie_get_below(&a->zone->nodes, s->subtree, &s->key, n);
}

/* True when a record's target is in the zone.  The owner is in the zone; so the target is, too, if their common suffix is at
 * least as long as the apex.  The length of that suffix is not known for names that are never compressed. */
static bool
is_target_ours(const struct answering *a, const struct rr *rr, const uint8_t *target)
{
	const struct zone *z = a->zone;
	return rr->shared[0] != 0 ? rr->shared[0] >= z->apex_len : name_is_within(target, z->apex_name);
}

/* The target's node, if it has authoritative data or, for a referral, glue.  NULL: there is no such node. */
static const struct node *
target_node(const struct answering *a, struct search *s, const struct rr *rr, const uint8_t *target)
{
	if (s->cut != NULL && rr->shared[0] >= s->cut->name_len) {
		return node_below_cut(a, s, rr);
	}
	if (!is_target_ours(a, rr, target)) {
		return NULL;
	}
	const struct node *n = zone_node(a->zone, target);
	bool is_authoritative = n != NULL && (n->flags & (NODE_BELOW_CUT | NODE_CUT)) == 0;
	return is_authoritative || s->cut != NULL ? n : NULL;
}

void
answering_add_addresses(struct answering *a, const struct rrset *set, const struct node *cut)
{
	const struct node *done[REPLY_TARGETS_MAX];
	unsigned n_done = 0, targets = a->r->targets;
	const struct rr *rr = rrset_first(set);
	size_t offset = (size_t)target_offset(set->type);
	struct search s;
	s.cut = cut;
	s.subtree = NULL;

	a->r->targets = 0; /* target_at stays valid: address RRsets have no targets */
	for (unsigned i = 0; i < targets && !a->r->is_truncated; i++, rr = rr_next(rr)) {
		const uint8_t *target = rr->rdata + offset;
		const struct node *n = target_node(a, &s, rr, target);
		if (n == NULL || (n->flags & NODE_EMPTY) != 0 || is_listed(done, n_done, n)) {
			continue;
		}
		done[n_done++] = n;
		struct place owner = { .name = n->name, .len = n->name_len, .pos = a->r->target_at[i] };
		put_addresses(a, &owner, n, cut != NULL && rr->shared[0] >= cut->name_len);
	}
}

/* ---- SVCB and HTTPS (RFC 9460) ---- */

/* A target with authoritative data in the zone; each is listed once. */
struct service {
	const struct node *node;
	struct place owner;
	bool is_alias; /* may have an RRset of the type asked for that was not followed yet */
};

struct services {
	const struct put *asked;
	unsigned n;
	struct service list[REPLY_TARGETS_MAX];
};

/* The target ".": in service mode it means the owner, in alias mode no service at all (RFC 9460 2.5). */
static const struct node *
service_node(const struct answering *a, const uint8_t *target, bool is_alias, const struct node *owner)
{
	if (target[0] == 0) {
		return is_alias ? NULL : owner;
	}
	const struct node *n = name_is_within(target, a->zone->apex_name) ? zone_node(a->zone, target) : NULL;
	return n != NULL && (n->flags & (NODE_BELOW_CUT | NODE_CUT | NODE_EMPTY)) == 0 ? n : NULL;
}

static void
note_service(struct services *s, const struct node *n, struct place owner, bool is_alias)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->list[i].node == n) {
			s->list[i].is_alias = s->list[i].is_alias || (is_alias && n != s->asked->node);
			return;
		}
	}
	if (s->n < REPLY_TARGETS_MAX) {
		s->list[s->n++] = (struct service){ n, owner, is_alias && n != s->asked->node };
	}
}

/* Lists the targets of the RRset that was written last. */
static void
note_services(struct answering *a, struct services *s, const struct rrset *set, const struct node *node, const struct place *owner)
{
	const struct rr *rr = rrset_first(set);
	for (unsigned i = 0; i < a->r->targets; i++, rr = rr_next(rr)) {
		const uint8_t *target = rr->rdata + 2;
		bool is_alias = rr->rdata[0] == 0 && rr->rdata[1] == 0;
		const struct node *n = service_node(a, target, is_alias, node);
		if (n != NULL) {
			const struct place at = { .name = target, .len = (uint8_t)name_len(target), .pos = a->r->target_at[i] };
			note_service(s, n, target[0] == 0 ? *owner : at, is_alias);
		}
	}
}

void
answering_add_services(struct answering *a, const struct put *put)
{
	struct services s;
	s.asked = put;
	s.n = 0;
	note_services(a, &s, put->set, put->node, put->owner);
	for (unsigned i = 0; i < s.n; i++) { /* the list grows while it is walked: an alias may lead to another */
		struct service *to = &s.list[i];
		struct put more = { .section = SECTION_ADDITIONAL, .owner = &to->owner, .node = to->node, .is_optional = true };
		more.set = to->is_alias ? node_rrset(to->node, put->set->type) : NULL;
		if (more.set != NULL && answering_put(a, &more)) {
			note_services(a, &s, more.set, to->node, &to->owner);
		}
	}
	a->r->targets = 0;
	for (unsigned i = 0; i < s.n; i++) {
		put_addresses(a, &s.list[i].owner, s.list[i].node, false);
	}
}
