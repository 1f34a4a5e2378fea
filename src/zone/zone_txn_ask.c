/* Questions about a name in the middle of a transaction. */
#include "zone/zone_txn_p.h"

/* The present state of a name.  A name without changes is not copied just because it is asked for. */
struct place {
	struct edited *edited; /* NULL: it has no changes */
	const struct node *node[2]; /* then these nodes have its records; NULL: none */
};

static err_t
find_place(const struct zone_txn *t, const uint8_t *owner, struct place *out)
{
	struct nkey key;
	if (!name_is_within(owner, t->from->apex_name)) {
		return E_RANGE;
	}
	nkey_set(&key, owner);
	*out = (struct place){ .edited = trie_get(&t->names.now, &key) };
	if (out->edited == NULL) {
		out->node[0] = trie_get(&t->from->nodes, &key);
		out->node[1] = trie_get(&t->from->nsec3, &key);
	}
	return OK;
}

static err_t
each_of_rrset(const uint8_t *owner, const struct rrset *s, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx,
              uint64_t *steps)
{
	const struct rr *rr = rrset_first(s);
	for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
		const struct zone_rr out = { .owner = owner, .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata };
		(*steps)++;
		TRY(each(ctx, &out));
	}
	return OK;
}

static err_t
each_of_node(const uint8_t *owner, const struct node *n, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx,
             uint64_t *steps)
{
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		(*steps)++;
		if (type == TYPE_ANY || s->type == type) {
			TRY(each_of_rrset(owner, s, each, ctx, steps));
		}
	}
	return OK;
}

err_t
zone_txn_each(struct zone_txn *t, const uint8_t *owner, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr),
              void *ctx)
{
	struct place p;
	TRY(find_place(t, owner, &p));
	if (p.edited != NULL) {
		return edited_each(p.edited, type, each, ctx, &t->steps);
	}
	TRY(each_of_node(owner, p.node[0], type, each, ctx, &t->steps));
	return each_of_node(owner, p.node[1], type, each, ctx, &t->steps);
}

static size_t
count_in_node(const struct node *n, uint16_t type, uint64_t *steps)
{
	size_t records = 0;
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		(*steps)++;
		records += type == TYPE_ANY || s->type == type ? s->n : 0;
	}
	return records;
}

err_t
zone_txn_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out)
{
	struct place p;
	TRY(find_place(t, owner, &p));
	*out = p.edited != NULL ? edited_count(p.edited, type)
	                        : count_in_node(p.node[0], type, &t->steps) + count_in_node(p.node[1], type, &t->steps);
	return OK;
}

uint64_t
zone_txn_steps(const struct zone_txn *t)
{
	return t->steps;
}
