#include "auth/answer.h"

#include "auth/access.h"
#include "auth/answering.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/referral.h"

struct place
answering_ancestor(struct answering *a, const uint8_t *name, size_t len)
{
	return (struct place){ .name = name, .len = (uint8_t)len, .shared = (uint8_t)len, .tail = a->at };
}

static bool
wants_dnssec(const struct answering *a)
{
	return a->q->is_dnssec_ok && a->zone->is_signed;
}

bool
answering_put(struct answering *a, const struct put *what)
{
	struct reply_rrset rrset = {
		.section = what->section, .owner = what->owner, .set = what->set,
		.wildcard_len = what->wildcard_len, .has_ttl = what->has_ttl, .ttl = what->ttl,
	};
	if (a->r->is_truncated) {
		return false;
	}
	bool fits = reply_add(a->r, &rrset);
	if (fits && a->q->is_dnssec_ok && (what->node->flags & NODE_SIGNED) != 0) {
		rrset.set = node_rrsigs(what->node, what->set->type);
		if (rrset.set != NULL) {
			/* Names in RRSIGs are not targets: keep the targets of the RRset itself. */
			unsigned targets = a->r->targets;
			uint8_t first_shared = a->r->first_shared;
			fits = reply_add(a->r, &rrset);
			a->r->targets = targets;
			a->r->first_shared = first_shared;
		}
	}
	if (!fits && !what->is_optional) {
		a->r->is_truncated = true;
	}
	return fits;
}

/* Copies the SOA record in the form that was prepared with the zone version.  This is only possible if the apex's name is in the
 * question, in one piece, and no record was written yet. */
static bool
copy_soa(struct answering *a, enum section section, uint32_t ttl)
{
	struct reply *r = a->r;
	const struct zone *z = a->zone;
	const struct ready_soa *ready = &z->ready_soa;
	bool has_rrsig = a->q->is_dnssec_ok && (z->apex->flags & NODE_SIGNED) != 0;
	if (a->aliases != 0 || has_rrsig || ready->len == 0 || ready->len > r->cap - r->len) {
		return false;
	}
	ready_soa_copy(ready, r->wire + r->len, DNS_HEADER_LEN + (size_t)a->at->len - z->apex_len, ttl);
	r->len += ready->len;
	r->count[section] = 1;
	return true;
}

static void
put_soa(struct answering *a)
{
	if (copy_soa(a, SECTION_AUTHORITY, a->zone->negative_ttl)) {
		return;
	}
	proof_wildcards(a);
	struct place apex = answering_ancestor(a, a->zone->apex_name, a->zone->apex_len);
	(void)answering_put(a, &(struct put){ .section = SECTION_AUTHORITY, .owner = &apex, .node = a->zone->apex,
	                                      .set = a->zone->soa, .has_ttl = true, .ttl = a->zone->negative_ttl });
}

/* Copies the referral in the form that was prepared with the zone version.  This is only possible if the cut's name is in the
 * question, in one piece. */
static bool
copy_referral(struct answering *a, const struct node *cut)
{
	struct reply *r = a->r;
	if ((cut->flags & NODE_REFERRAL) == 0 || a->aliases != 0 || wants_dnssec(a)) {
		return false;
	}
	const struct referral *ready = node_referral(cut);
	size_t cut_at = DNS_HEADER_LEN + (size_t)a->at->len - cut->name_len;
	if (ready->len > r->cap - r->len) {
		return false; /* it does not fit as a whole: the records are written one by one, and some are left out */
	}
	referral_copy(ready, r->wire + r->len, cut_at);
	r->len += ready->len;
	r->count[SECTION_AUTHORITY] = ready->ns_n;
	r->count[SECTION_ADDITIONAL] = ready->address_n;
	return true;
}

/* Says what the answer is about.  The first call counts: aliases lead on from there. */
static inline void
note_about(struct answering *a, enum rate_kind kind, const uint8_t *name)
{
	if (a->out->about == NULL) {
		a->out->kind = kind;
		a->out->about = name;
	}
}

static void
refer(struct answering *a, const struct node *cut)
{
	note_about(a, RATE_REFERRAL, cut->name);
	if (copy_referral(a, cut)) {
		return;
	}
	proof_wildcards(a);
	struct place owner = answering_ancestor(a, cut->name, cut->name_len);
	struct put put = { .section = SECTION_AUTHORITY, .owner = &owner, .node = cut, .set = node_rrset(cut, TYPE_NS) };
	if (!answering_put(a, &put)) {
		return;
	}
	if (!wants_dnssec(a)) {
		answering_add_addresses(a, put.set, cut);
		return;
	}
	/* DS, or the proof of its absence, comes before glue (RFC 4035 3.1.4), so the targets are saved first. */
	unsigned targets = a->r->targets;
	uint16_t target_at[REPLY_TARGETS_MAX];
	for (unsigned i = 0; i < targets; i++) {
		target_at[i] = a->r->target_at[i];
	}
	const struct rrset *ns = put.set;
	put.set = node_rrset(cut, TYPE_DS);
	if (put.set != NULL) {
		(void)answering_put(a, &put);
	} else {
		proof_unsigned_referral(a, cut);
	}
	a->r->targets = targets;
	for (unsigned i = 0; i < targets; i++) {
		a->r->target_at[i] = target_at[i];
	}
	answering_add_addresses(a, ns, cut);
}

/* Makes `target` the name to look up.  False: the chain ends here. */
static bool
follow(struct answering *a, const struct place *target)
{
	if (a->r->is_truncated || a->aliases == ALIAS_CHAIN_MAX) {
		return false;
	}
	for (unsigned i = 0; i <= a->aliases; i++) {
		if (name_is_equal(target->name, a->places[i].name)) {
			return false; /* a loop */
		}
	}
	struct place *next = &a->places[++a->aliases];
	*next = *target;
	a->at = next;
	a->name = target->name;
	nkey_set(&a->key, target->name);
	return true;
}

static bool
follow_cname(struct answering *a, const struct put *put)
{
	const struct rr *rr = rrset_first(put->set);
	bool fits = answering_put(a, put);
	if (fits && put->wildcard_len != 0) {
		proof_wildcard_later(a);
	}
	const struct place target = { .name = rr->rdata, .pos = a->r->target_at[0], .len = (uint8_t)rr->rdlen,
		                      .shared = a->r->first_shared, .tail = a->at };
	return fits && follow(a, &target);
}

static const struct put_dname *
find_dname(const struct answering *a, const struct node *node)
{
	for (unsigned i = 0; i < a->dnames; i++) {
		if (a->dname[i].node == node) {
			return &a->dname[i];
		}
	}
	return NULL;
}

/* Returns the place of the DNAME's target in the message; adds the record if it is not there yet.  NULL: it does not fit. */
static const struct place *
put_dname(struct answering *a, const struct put *put)
{
	const struct put_dname *there = find_dname(a, put->node);
	if (there != NULL) {
		return &there->target;
	}
	if (!answering_put(a, put)) {
		return NULL;
	}
	const struct rr *rr = rrset_first(put->set);
	struct put_dname *new = &a->dname[a->dnames++]; /* there is room: a turn adds at most one, and each turn after the first
	                                                 * begins with an alias */
	*new = (struct put_dname){ put->node, { .name = rr->rdata, .pos = a->r->target_at[0], .len = (uint8_t)rr->rdlen } };
	return &new->target;
}

/* RFC 6672 3.2: adds the DNAME and a CNAME made from it, and goes on with the new name. */
static bool
follow_dname(struct answering *a, const struct node *dname)
{
	struct place owner = answering_ancestor(a, dname->name, dname->name_len);
	struct put put = { .section = SECTION_ANSWER, .owner = &owner, .node = dname, .set = node_rrset(dname, TYPE_DNAME) };

	a->out->is_authoritative = true;
	note_about(a, RATE_EXPANSION, dname->name);
	const struct place *tail = put_dname(a, &put);
	if (tail == NULL || a->aliases == ALIAS_CHAIN_MAX) {
		return false;
	}
	struct name *made = &a->made[a->aliases];
	if (name_join(a->name, a->at->len - (size_t)dname->name_len, tail->name, made) != OK) {
		a->out->rcode = RCODE_YXDOMAIN;
		return false;
	}
	struct place target = { .name = made->oct, .len = made->len, .shared = tail->len, .tail = tail };
	if (!reply_add_cname(a->r, a->at, &target, put.set->fixed + 4)) {
		a->r->is_truncated = true;
		return false;
	}
	return a->q->type != TYPE_CNAME && a->q->type != TYPE_ANY && follow(a, &target);
}

/* ANY over UDP gets the smallest RRset, so that it cannot be used for amplification (RFC 8482 4.1). */
static const struct rrset *
smallest(const struct node *n)
{
	const struct rrset *best = node_first(n), *s = best;
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		bool is_proof = s->type == TYPE_RRSIG || s->type == TYPE_NSEC;
		bool best_is_proof = best->type == TYPE_RRSIG || best->type == TYPE_NSEC;
		if (is_proof != best_is_proof ? best_is_proof : s->size < best->size) {
			best = s;
		}
	}
	return best;
}

/* True when the RRset was asked for, and is not in the answer yet.  The signature of a followed DNAME is in the answer already. */
static bool
is_due(const struct answering *a, const struct put *put, const struct rrset *set)
{
	bool is_there = set->covers == TYPE_DNAME && a->q->is_dnssec_ok && put->wildcard_len == 0 && find_dname(a, put->node) != NULL;
	return (a->q->type == TYPE_ANY || set->type == a->q->type) && !is_there;
}

/* Answers ANY, and RRSIG: a node has one RRset of RRSIGs for each type that they cover.  False: there is no such RRset. */
static bool
put_several(struct answering *a, struct put *put)
{
	const struct node *n = put->node;
	bool is_udp = a->q->transport == TRANSPORT_UDP;

	if (n->rrsets == 0) {
		return false; /* an empty non-terminal */
	}
	put->set = a->q->type == TYPE_ANY ? smallest(n) : node_rrset(n, a->q->type);
	if (put->set == NULL) {
		return false;
	}
	if (a->q->type == TYPE_ANY && is_udp) {
		(void)answering_put(a, put);
		return true;
	}
	put->set = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, put->set = rrset_next(put->set)) {
		if (is_due(a, put, put->set)) {
			struct reply_rrset rrset = { .section = SECTION_ANSWER, .owner = put->owner, .set = put->set,
				                     .wildcard_len = put->wildcard_len };
			a->r->is_truncated = !reply_add(a->r, &rrset);
			if (is_udp || a->r->is_truncated) {
				break;
			}
		}
	}
	return true;
}

static void
no_data(struct answering *a, const struct node *wildcard)
{
	put_soa(a);
	if (wildcard != NULL) {
		proof_wildcard_no_data(a, wildcard);
	} else {
		proof_no_data(a);
	}
}

/* Adds the proofs, then additional data, after a positive answer. */
static void
finish_positive(struct answering *a, const struct put *put)
{
	unsigned targets = a->r->targets; /* kept, because writing proofs sets it to 0 */
	if (put->wildcard_len != 0) {
		proof_wildcard_later(a);
	}
	proof_wildcards(a);
	a->r->targets = targets;
	switch (put->set->type) {
	case TYPE_NS:
	case TYPE_MX:
	case TYPE_SRV:
		answering_add_addresses(a, put->set, NULL);
		break;
	case TYPE_SVCB:
	case TYPE_HTTPS:
		answering_add_services(a, put);
		break;
	default:
		break;
	}
}

/* A primary may serve other data beside a CNAME.  Then the CNAME is the answer (RFC 1034 4.3.2, 3a), but for types that may be
 * there.  Not so at the apex: secondaries ask for its SOA record. */
static bool
is_hidden_by_alias(const struct node *n, uint16_t type)
{
	return (n->flags & (NODE_CNAME | NODE_APEX)) == NODE_CNAME && !zone_may_stand_beside_cname(type);
}

/* Answers from the node `n`: that of the name, or a wildcard (then `wildcard` is `n`, too).  True: an alias leads to another name. */
static bool
answer_node(struct answering *a, const struct node *n, const struct node *wildcard)
{
	struct put put = { .section = SECTION_ANSWER, .owner = a->at, .node = n,
		           .wildcard_len = wildcard != NULL ? n->name_len : 0 };

	a->out->is_authoritative = true;
	note_about(a, wildcard != NULL ? RATE_EXPANSION : RATE_DATA, n->name);
	if (a->q->type == TYPE_ANY || a->q->type == TYPE_RRSIG) {
		if (put_several(a, &put)) {
			if (wildcard != NULL) {
				proof_wildcard_later(a);
			}
			return false;
		}
	} else if (!is_hidden_by_alias(n, a->q->type) && (put.set = node_rrset(n, a->q->type)) != NULL) {
		bool is_there = a->q->type == TYPE_DNAME && wildcard == NULL && find_dname(a, n) != NULL;
		bool is_copied = put.set == a->zone->soa && copy_soa(a, SECTION_ANSWER, rrset_ttl(put.set));
		if (is_there || is_copied || answering_put(a, &put)) {
			finish_positive(a, &put);
		}
		return false;
	}
	if ((n->flags & NODE_CNAME) != 0) {
		put.set = node_rrset(n, TYPE_CNAME);
		return follow_cname(a, &put);
	}
	no_data(a, wildcard);
	return false;
}

static const struct node *
wildcard_of(const struct answering *a, const struct node *encloser)
{
	struct name star;
	uint8_t label[2] = { 1, '*' };
	if ((encloser->flags & NODE_WILDCARD) == 0 || name_join(label, sizeof label, encloser->name, &star) != OK) {
		return NULL;
	}
	return zone_node(a->zone, star.oct);
}

/* One turn of RFC 1034 4.3.2 steps 2 to 4.  True: an alias leads to another name. */
static bool
turn(struct answering *a)
{
	zone_find(a->zone, &a->key, &a->hit);
	const struct zone_hit *hit = &a->hit;
	const struct node *cut = hit->cut;

	if (cut != NULL && (hit->dname == NULL || cut->name_len <= hit->dname->name_len) &&
	    !(a->q->type == TYPE_DS && hit->node == cut)) {
		refer(a, cut);
		return false;
	}
	if (hit->dname != NULL) {
		return follow_dname(a, hit->dname);
	}
	if (hit->node != NULL) {
		return answer_node(a, hit->node, NULL);
	}
	const struct node *wildcard = wildcard_of(a, hit->encloser);
	if (wildcard != NULL) {
		return answer_node(a, wildcard, wildcard);
	}
	a->out->is_authoritative = true;
	a->out->rcode = RCODE_NXDOMAIN;
	note_about(a, RATE_DENIAL, a->zone->apex_name);
	put_soa(a);
	proof_no_name(a);
	return false;
}

static bool
is_hidden(const struct answering *a, const struct zone *z)
{
	const struct asker who = { .key = a->q->key, .peer = a->q->peer, .is_axfr_open = a->q->is_axfr_open };
	return view_is_catalog(a->view, z) && access_is_hidden(a->view, &who, z); /* a call for questions about catalogs alone */
}

/* The served zone that answers for the name.  DS records are on the parent's side of a cut (RFC 4035 3.1.4.1): the parent answers for
 * them if we serve both zones. */
static const struct zone *
served_for(const struct answering *a)
{
	struct trie_path path;
	trie_lookup(&a->view->zones, &a->key, &path);
	unsigned n = path.n;
	while (n != 0 && is_hidden(a, path.ancestor[n - 1])) {
		n--;
	}
	if (path.exact != NULL && !(a->q->type == TYPE_DS && n != 0) && !is_hidden(a, path.exact)) {
		return path.exact;
	}
	return n != 0 ? path.ancestor[n - 1] : NULL;
}

/* The shut zone that would answer for the name in place of `served` (NULL: none), if it could: the one that is nearer to the name.  For DS,
 * the name's own zone counts only if there is no other. */
static const struct shut_zone *
shut_for(const struct answering *a, const struct zone *served)
{
	struct trie_path path;
	trie_lookup(&a->view->shut, &a->key, &path);
	const struct shut_zone *above = path.n != 0 ? path.ancestor[path.n - 1] : NULL;
	bool is_ds = a->q->type == TYPE_DS;
	if (path.exact != NULL && !(is_ds && (above != NULL || served != NULL))) {
		return path.exact;
	}
	bool has_rival = served != NULL && !(is_ds && served->apex_len == a->key.name_len);
	return above != NULL && !(has_rival && served->apex_len > above->apex_len) ? above : NULL;
}

/* Sets the zone that answers for the name.  False: there is none. */
static bool
find_zone(struct answering *a)
{
	a->zone = served_for(a);
	a->shut = a->view->shut.n != 0 ? shut_for(a, a->zone) : NULL;
	a->zone = a->shut == NULL ? a->zone : NULL;
	return a->zone != NULL;
}

void
answer_query(const struct view *v, const struct question *q, struct reply *r, struct answer *out)
{
	struct answering a; /* not initialised as a whole: it is large, and most of it is written before it is read */
	a.view = v;
	a.q = q;
	a.r = r;
	a.out = out;
	a.name = q->name;
	a.at = &a.places[0];
	a.places[0] = (struct place){ .name = q->name, .pos = DNS_HEADER_LEN, .len = (uint8_t)name_len(q->name) };
	a.aliases = 0;
	a.hashes = 0;
	a.hash_blocks = 0;
	a.denials = 0;
	a.dnames = 0;
	a.expansions = 0;
	nkey_set(&a.key, q->name);
	*out = (struct answer){ .rcode = RCODE_NOERROR };

	do {
		if (!find_zone(&a)) {
			break; /* an alias leads out of our zones, or into one that we cannot serve: the resolver follows it */
		}
		out->zone = out->zone != NULL ? out->zone : a.zone;
	} while (turn(&a));
	proof_wildcards(&a); /* for aliases that led out of our zones, or in a loop */

	if (out->zone == NULL) {
		out->shut = a.shut;
		out->rcode = a.shut != NULL ? RCODE_SERVFAIL : RCODE_REFUSED;
	}
}
