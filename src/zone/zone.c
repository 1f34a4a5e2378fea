#include "zone/zone_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdata.h"

static void
free_value(void *ctx, void *value)
{
	(void)ctx;
	free(value);
}

void
zone_free(struct zone **z)
{
	if (*z == NULL) {
		return;
	}
	trie_fini(&(*z)->nodes, free_value, NULL);
	trie_fini(&(*z)->nsec3, free_value, NULL);
	free(*z);
	*z = NULL;
}

size_t
zone_octets(const struct zone *z)
{
	return z == NULL ? 0 : alloc_octets(sizeof *z) + z->node_octets + z->nodes.octets + z->nsec3.octets + z->history.octets;
}

err_t
zone_new(const uint8_t *apex, struct zone **out)
{
	struct zone *z = try_alloc(sizeof *z);
	if (z == NULL) {
		return E_NOMEM;
	}
	trie_init(&z->nodes, NODE_NAME_AT);
	trie_init(&z->nsec3, NODE_NAME_AT);
	z->apex_len = (uint8_t)name_len(apex);
	memcpy(z->apex_name, apex, z->apex_len);
	*out = z;
	return OK;
}

uint16_t
zone_own_flags(const struct zone *z, const struct node *n)
{
	if (n->name_len == z->apex_len) { /* this is the apex, since all names are within it */
		return NODE_APEX;
	}
	return node_rrset(n, TYPE_NS) != NULL ? NODE_CUT : 0;
}

bool
zone_may_stand_beside_cname(uint16_t type)
{
	return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_KEY;
}

static bool
rrset_is_sound(const struct node *n, const struct rrset *s)
{
	bool is_too_many = s->n > 1 && (rrtype_flags(s->type) & RRTYPE_SINGLETON) != 0;
	bool is_beside_cname = (n->flags & NODE_CNAME) != 0 && !zone_may_stand_beside_cname(s->type);
	return !is_too_many && !is_beside_cname && (s->type != TYPE_SOA || (n->flags & NODE_APEX) != 0);
}

bool
zone_node_is_sound(const struct node *n)
{
	bool is_sound = true, has_ns = false;
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		is_sound = is_sound && rrset_is_sound(n, s);
		has_ns |= s->type == TYPE_NS;
	}
	return is_sound && (has_ns || (n->flags & NODE_APEX) == 0);
}

size_t
zone_node_records(const struct node *n)
{
	size_t records = 0;
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		records += s->n;
	}
	return records;
}

/* Takes an NSEC3PARAM (RFC 5155 4.2): algorithm, flags, iterations, salt.  A record with flags must not be used (4.1.2). */
static bool
take_nsec3_param(struct zone *z, const struct rr *rr)
{
	struct cur c = cur_over(rr->rdata, rr->rdlen);
	uint8_t algorithm = cur_u8(&c), flags = cur_u8(&c);
	uint16_t iterations = cur_u16(&c);
	uint8_t salt_len = cur_u8(&c);
	const uint8_t *salt = cur_take(&c, salt_len);
	if (c.err != OK || algorithm != 1 || flags != 0) {
		return false;
	}
	z->nsec3_param.iterations = iterations;
	z->nsec3_param.salt_len = salt_len;
	memcpy(z->nsec3_param.salt, salt, salt_len);
	return true;
}

/* Chooses the chain for answers: if possible, one with few iterations. */
static bool
find_nsec3_param(struct zone *z, const struct rrset *params)
{
	bool is_found = false;
	const struct rr *rr = rrset_first(params);
	for (unsigned left = params->n; left != 0; left--, rr = rr_next(rr)) {
		is_found = take_nsec3_param(z, rr) || is_found;
		if (is_found && z->nsec3_param.iterations <= ZONE_NSEC3_ITERATIONS_MAX) {
			return true;
		}
	}
	return is_found;
}

static void
settle_nsec3(struct zone *z, const struct rrset *params)
{
	z->has_nsec3 = params != NULL && z->nsec3.n != 0 && find_nsec3_param(z, params);
	z->nsec3_excessive = NULL;
	if (z->has_nsec3 && z->nsec3_param.iterations > ZONE_NSEC3_ITERATIONS_MAX) {
		z->nsec3_excessive = zone_nsec3_last(z);
		z->has_nsec3 = z->nsec3_excessive != NULL;
	}
}

err_t
zone_settle(struct zone *z)
{
	const struct node *apex = zone_node(z, z->apex_name);
	const struct rrset *soa = apex != NULL ? node_rrset(apex, TYPE_SOA) : NULL;
	if (soa == NULL || soa->n != 1) {
		return E_FORMAT;
	}
	struct soa fields;
	const struct rr *rr = rrset_first(soa);
	TRY(rdata_read_soa(rr->rdata, rr->rdlen, &fields));
	uint32_t ttl = rrset_ttl(soa);
	z->apex = apex;
	z->soa = soa;
	z->ns = node_rrset(apex, TYPE_NS);
	z->serial = fields.serial;
	z->history.served = fields.serial;
	z->negative_ttl = ttl < fields.minimum_s ? ttl : fields.minimum_s;
	ready_soa_make(apex, soa, &z->ready_soa);
	const struct rrset *params = node_rrset(apex, TYPE_NSEC3PARAM);
	bool has_chain = params != NULL || node_rrset(apex, TYPE_NSEC) != NULL;
	z->is_signed = has_chain && node_rrsigs(apex, TYPE_SOA) != NULL;
	settle_nsec3(z, params);
	return OK;
}

/* ---- walking ---- */

void
zone_cursor_first(struct zone_cursor *c, const struct zone *z)
{
	c->next_node = c->next_nsec3 = NULL;
	if (z != NULL) {
		trie_iter_first(&c->nodes, &z->nodes);
		trie_iter_first(&c->nsec3, &z->nsec3);
		c->next_node = trie_iter_next(&c->nodes);
		c->next_nsec3 = trie_iter_next(&c->nsec3);
	}
}

const struct node *
zone_cursor_next(struct zone_cursor *c, bool *is_nsec3)
{
	const struct node *a = c->next_node, *b = c->next_nsec3;
	*is_nsec3 = b != NULL && (a == NULL || name_compare(b->name, a->name) < 0);
	if (*is_nsec3) {
		c->next_nsec3 = trie_iter_next(&c->nsec3);
		return b;
	}
	if (a != NULL) {
		c->next_node = trie_iter_next(&c->nodes);
	}
	return a;
}

struct zone_rr
zone_rr_of(const struct node *n, const struct rrset *s, const struct rr *rr)
{
	return (struct zone_rr){
		.owner = n->name, .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata,
	};
}

static err_t
walk_rrset(const struct node *n, const struct rrset *s, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx)
{
	const struct rr *rr = rrset_first(s);
	for (unsigned left = s->n; left != 0; left--, rr = rr_next(rr)) {
		struct zone_rr out = zone_rr_of(n, s, rr);
		TRY(each(ctx, &out));
	}
	return OK;
}

err_t
zone_walk(const struct zone *z, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx)
{
	struct zone_cursor c;
	const struct node *n;
	bool is_nsec3;
	zone_cursor_first(&c, z);
	while ((n = zone_cursor_next(&c, &is_nsec3)) != NULL) {
		const struct rrset *s = node_first(n);
		for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
			TRY(walk_rrset(n, s, each, ctx));
		}
	}
	return OK;
}
