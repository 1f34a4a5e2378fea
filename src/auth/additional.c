/* Additional data: addresses of name servers, mail exchangers, services. */
#include "auth/answering.h"
#include "dns/rrtype.h"

static void
put_addresses(struct answering *a, struct place *owner, const struct node *n, bool is_required)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };
	struct put put = { .section = SECTION_ADDITIONAL, .owner = owner, .node = n, .is_optional = !is_required };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		put.set = node_rrset(n, types[i]);
		if (put.set != NULL) {
			(void)answering_put(a, &put);
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

/* What the zone knows about the target: authoritative data, or glue when it is for a referral. */
static const struct node *
target_node(const struct answering *a, const struct rr *rr, const uint8_t *target, const struct node *cut)
{
	/* rr->shared counts what is shared with an owner in this zone. */
	if (rr->shared[0] < a->zone->apex_len && !name_is_within(target, a->zone->apex_name)) {
		return NULL;
	}
	const struct node *n = zone_node(a->zone, target);
	bool is_authoritative = n != NULL && (n->flags & (NODE_BELOW_CUT | NODE_CUT)) == 0;
	return is_authoritative || cut != NULL ? n : NULL;
}

void
answering_add_addresses(struct answering *a, const struct rrset *set, const struct node *cut)
{
	const struct node *done[REPLY_TARGETS_MAX];
	unsigned n_done = 0, targets = a->r->targets;
	uint16_t target_at[REPLY_TARGETS_MAX];
	const struct rr *rr = rrset_first(set);
	size_t offset = (size_t)target_offset(set->type);

	for (unsigned i = 0; i < targets; i++) {
		target_at[i] = a->r->target_at[i]; /* the next RRset written notes its own */
	}
	for (unsigned i = 0; i < targets && !a->r->is_truncated; i++, rr = rr_next(rr)) {
		const uint8_t *target = rr->rdata + offset;
		const struct node *n = target_node(a, rr, target, cut);
		if (n == NULL || (n->flags & NODE_EMPTY) != 0 || is_listed(done, n_done, n)) {
			continue;
		}
		done[n_done++] = n;
		struct place owner = { .name = n->name, .len = n->name_len, .pos = target_at[i] };
		put_addresses(a, &owner, n, cut != NULL && rr->shared[0] >= cut->name_len);
	}
}
