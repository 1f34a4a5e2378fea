#include "zone/zone_p.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "zone/referral.h"
#include "dns/rdata.h"

/* Records usually come owner by owner.  So the records of one owner are gathered (the run) and become a
 * node as soon as another owner follows; nothing is kept twice.  Where an owner comes back, or where there is
 * something to report of its records, a stub takes the node's place in the trie, and the owner's
 * records wait in a list until the end: each record is looked at a bounded number of times, in whatever
 * order they come. */

struct waiting { /* one record, in the arena */
	struct waiting *next;
	uint16_t type, rdlen;
	uint32_t ttl;
	uint8_t rdata[];
};

struct revisited {
	struct trie_txn *in;
	struct node *built; /* made of the owner's first run; owned; NULL: none */
	struct waiting *first, **end;
	size_t n;
};

enum {
	STUB = 1 << 15, /* in a node's flags: `size` says which of the revisited it stands for */
	EMPTIES_FREE = 1000,
};

struct zone_builder {
	struct zone *zone;
	struct findings *findings; /* borrowed */
	size_t errors;             /* of the builder's own findings */
	bool is_linked;            /* every node knows what is above it */
	struct trie_txn nodes, nsec3;

	/* The run. */
	struct name owner;
	bool is_within, has_nsec3;
	struct node_rr *rrs;
	size_t n, cap;
	uint8_t *octets; /* their RDATA; rrs[i].rdata points here */
	size_t octets_n, octets_cap;

	struct arena arena;
	struct revisited *again;
	size_t again_n, again_cap;
};

err_t
zone_builder_new(const uint8_t *apex, struct findings *findings, struct zone_builder **out)
{
	struct zone_builder *b = try_alloc(sizeof *b);
	if (b == NULL) {
		return E_NOMEM;
	}
	err_t err = zone_new(apex, &b->zone);
	if (err != OK) {
		free(b);
		return err;
	}
	b->findings = findings;
	trie_begin(&b->nodes, &b->zone->nodes);
	trie_begin(&b->nsec3, &b->zone->nsec3);
	*out = b;
	return OK;
}

static void
free_value(void *ctx, void *value)
{
	(void)ctx;
	free(value);
}

void
zone_builder_free(struct zone_builder **builder)
{
	struct zone_builder *b = *builder;
	if (b == NULL) {
		return;
	}
	trie_fini(&b->nodes.now, free_value, NULL);
	trie_fini(&b->nsec3.now, free_value, NULL);
	for (size_t i = 0; i < b->again_n; i++) {
		free(b->again[i].built);
	}
	free(b->again);
	arena_fini(&b->arena);
	free(b->octets);
	free(b->rrs);
	zone_free(&b->zone);
	free(b);
	*builder = NULL;
}

/* ---- findings ---- */

static void
report(struct zone_builder *b, const struct finding *what, const char *text)
{
	b->errors += what->level == DIAG_ERROR;
	findings_add_nth(b->findings, what, "%s", text);
}

static void
report_type(struct zone_builder *b, const char *code, const uint8_t *owner, uint16_t type, const char *text,
            const char *hint)
{
	report(b, &(struct finding){ .level = DIAG_ERROR, .code = code, .owner = owner, .type = type, .hint = hint }, text);
}

static void
report_out_of_zone(struct zone_builder *b, const struct node_rr *rr)
{
	char owner[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
	name_print(b->owner.oct, owner);
	name_print(b->zone->apex_name, apex);
	b->errors++;
	findings_add_nth(b->findings,
	                 &(struct finding){ .level = DIAG_ERROR, .code = "out-of-zone", .owner = b->owner.oct,
	                                    .type = rr->type, .rdata = rr->rdata, .rdlen = rr->rdlen,
	                                    .hint = "a record belongs into the zone that its name is in" },
	                 "%s is not in the zone %s", owner, apex);
}

/* How many records before rrs[i], which is sorted, equal it. */
static unsigned
nth_of_equals(const struct node_rr *rrs, size_t i)
{
	unsigned nth = 0;
	for (; rrs[i].is_duplicate; i--) {
		nth++;
	}
	return nth;
}

static void
report_record(struct zone_builder *b, const char *code, const uint8_t *owner, const struct node_rr *rrs, size_t i,
              const char *text, const char *hint)
{
	report(b,
	       &(struct finding){ .level = DIAG_WARNING, .code = code, .owner = owner, .type = rrs[i].type,
	                          .rdata = rrs[i].rdata, .rdlen = rrs[i].rdlen, .nth = nth_of_equals(rrs, i), .hint = hint },
	       text);
}

static void
report_ttl(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rrs, size_t first, size_t end)
{
	size_t least = first, other = first;
	for (size_t i = first; i < end; i++) {
		least = rrs[i].ttl < rrs[least].ttl ? i : least;
		other = rrs[i].ttl > rrs[other].ttl ? i : other;
	}
	if (rrs[least].ttl != rrs[other].ttl) {
		char text[128];
		snprintf(text, sizeof text, "TTL %u, but another record of the set has %u; the lower one is used for all",
		         (unsigned)rrs[other].ttl, (unsigned)rrs[least].ttl);
		report_record(b, "ttl-differs", owner, rrs, other, text,
		              "give all records of one name and type the same TTL (RFC 2181 5.2)");
	}
}

/* Duplicates and TTLs that differ, after node_make() has sorted and marked. */
static void
report_records(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rrs, size_t n)
{
	size_t first = 0;
	for (size_t i = 0; i < n; i++) {
		if (rrs[i].is_duplicate) {
			report_record(b, "duplicate-record", owner, rrs, i, "this record is there more than once",
			              "keep one of them");
		}
		bool is_last = i + 1 == n || rrs[i + 1].type != rrs[i].type ||
		               node_rr_covers(&rrs[i + 1]) != node_rr_covers(&rrs[i]);
		if (is_last) {
			report_ttl(b, owner, rrs, first, i + 1);
			first = i + 1;
		}
	}
}

static void
report_too_large(struct zone_builder *b, const uint8_t *owner)
{
	report_type(b, "rrset-too-large", owner, 0, "the records of this name are too many or too large",
	            "a set holds at most 65535 records; spread them over several names");
}

/* ---- owners that come again ---- */

/* A stub for an owner; `existing`, its node so far, may be NULL. */
static err_t
revisited_new(struct zone_builder *b, struct trie_txn *in, struct node *existing, struct revisited **out)
{
	if (b->again_n == b->again_cap) {
		size_t cap = b->again_cap != 0 ? b->again_cap * 2 : 64;
		struct revisited *grown = realloc(b->again, cap * sizeof *grown);
		if (grown == NULL) {
			return E_NOMEM;
		}
		b->again = grown;
		b->again_cap = cap;
	}
	struct node *stub;
	TRY(node_make(existing != NULL ? existing->name : b->owner.oct, STUB, NULL, 0, NULL, NULL, &stub));
	void *old;
	err_t err = trie_put(in, stub, &old);
	if (err != OK) {
		free(stub);
		return err;
	}
	ASSERT(old == existing && b->again_n < UINT32_MAX);
	stub->size = (uint32_t)b->again_n;
	struct revisited *r = &b->again[b->again_n++];
	*r = (struct revisited){ .in = in, .built = existing };
	*out = r;
	return OK;
}

static err_t
append_waiting(struct zone_builder *b, struct revisited *r, const struct node_rr *rrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct waiting *w = arena_alloc(&b->arena, sizeof *w + rrs[i].rdlen);
		if (w == NULL) {
			return E_NOMEM;
		}
		w->next = NULL;
		w->type = rrs[i].type;
		w->ttl = rrs[i].ttl;
		w->rdlen = rrs[i].rdlen;
		memcpy(w->rdata, rrs[i].rdata, rrs[i].rdlen);
		if (r->first == NULL) {
			r->first = w;
		} else {
			*r->end = w;
		}
		r->end = &w->next;
		r->n++;
	}
	return OK;
}

/* The run's records wait, behind those that the owner has already. */
static err_t
store_waiting(struct zone_builder *b, struct trie_txn *in, const struct node_rr *rrs, size_t n)
{
	struct nkey key;
	nkey_set(&key, b->owner.oct);
	struct node *existing = trie_get(&in->now, &key);
	struct revisited *r;
	if (existing != NULL && (existing->flags & STUB) != 0) {
		r = &b->again[existing->size];
	} else {
		TRY(revisited_new(b, in, existing, &r));
	}
	return append_waiting(b, r, rrs, n);
}

/* Makes the node of one owner's records, rrs[0, n), all for one trie. */
static err_t
store(struct zone_builder *b, struct trie_txn *in, struct node_rr *rrs, size_t n)
{
	if (n == 0) {
		return OK;
	}
	struct node *node;
	size_t duplicates, ttl_differs;
	err_t err = node_make(b->owner.oct, 0, rrs, n, &duplicates, &ttl_differs, &node);
	if (err == E_LIMIT) {
		report_too_large(b, b->owner.oct);
		return OK;
	}
	TRY(err);
	if (duplicates + ttl_differs != 0) {
		free(node);
		return store_waiting(b, in, rrs, n);
	}
	void *old = NULL;
	err = trie_put(in, node, &old);
	if (err != OK) {
		free(node);
		return err;
	}
	if (old == NULL) {
		return OK;
	}
	err = trie_put(in, old, &old); /* back, in place: no memory is needed */
	ASSERT(err == OK && old == node);
	free(node);
	return store_waiting(b, in, rrs, n);
}

/* ---- the run ---- */

static bool
is_nsec3_rr(const struct node_rr *rr)
{
	return zone_is_nsec3(rr->type, node_rr_covers(rr));
}

static err_t
end_run(struct zone_builder *b)
{
	size_t n = b->n, plain = n;
	if (n == 0) {
		return OK;
	}
	b->n = b->octets_n = 0;
	if (b->has_nsec3) { /* those for the other trie go to the end */
		plain = 0;
		for (size_t i = 0; i < n; i++) {
			if (!is_nsec3_rr(&b->rrs[i])) {
				struct node_rr rr = b->rrs[plain];
				b->rrs[plain++] = b->rrs[i];
				b->rrs[i] = rr;
			}
		}
	}
	TRY(store(b, &b->nodes, b->rrs, plain));
	return store(b, &b->nsec3, b->rrs + plain, n - plain);
}

static void
begin_run(struct zone_builder *b, const uint8_t *owner, size_t len)
{
	b->owner.len = (uint8_t)len;
	memcpy(b->owner.oct, owner, len);
	b->is_within = name_is_within(owner, b->zone->apex_name);
	b->has_nsec3 = false;
}

static err_t
reserve(struct zone_builder *b, size_t octets)
{
	if (b->n == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 64;
		struct node_rr *grown = realloc(b->rrs, cap * sizeof *grown);
		if (grown == NULL) {
			return E_NOMEM;
		}
		b->rrs = grown;
		b->cap = cap;
	}
	if (octets <= b->octets_cap - b->octets_n) {
		return OK;
	}
	if (b->octets_n + octets > NODE_SIZE_MAX) {
		return E_LIMIT;
	}
	size_t cap = 2 * (b->octets_n + octets);
	uint8_t *grown = malloc(cap);
	if (grown == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, at = 0; i < b->n; at += b->rrs[i++].rdlen) {
		memcpy(grown + at, b->rrs[i].rdata, b->rrs[i].rdlen);
		b->rrs[i].rdata = grown + at;
	}
	free(b->octets);
	b->octets = grown;
	b->octets_cap = cap;
	return OK;
}

static bool
is_owner(const struct zone_builder *b, const uint8_t *owner, size_t len)
{
	return len == b->owner.len && nkey_octets_are_equal(owner, b->owner.oct, len);
}

err_t
zone_builder_add(struct zone_builder *b, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
                 uint16_t rdlen)
{
	size_t len = name_len(owner);
	if (!is_owner(b, owner, len)) {
		TRY(end_run(b));
		begin_run(b, owner, len);
	}
	struct node_rr rr = { .type = type, .ttl = ttl, .rdlen = rdlen, .rdata = rdata };
	if (!b->is_within) {
		report_out_of_zone(b, &rr);
		return OK;
	}
	TRY(reserve(b, rdlen));
	if (rdlen != 0) {
		memcpy(b->octets + b->octets_n, rdata, rdlen);
	}
	rr.rdata = b->octets + b->octets_n;
	b->octets_n += rdlen;
	b->has_nsec3 |= is_nsec3_rr(&rr);
	b->rrs[b->n++] = rr;
	return OK;
}

/* ---- the end ---- */

static size_t
gather(const struct revisited *r, struct node_rr *rrs)
{
	size_t n = 0;
	const struct rrset *s = r->built != NULL ? node_first(r->built) : NULL;
	for (unsigned left = s != NULL ? r->built->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		const struct rr *rr = rrset_first(s);
		for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
			rrs[n++] = (struct node_rr){
				.type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata,
			};
		}
	}
	for (const struct waiting *w = r->first; w != NULL; w = w->next) {
		rrs[n++] = (struct node_rr){ .type = w->type, .ttl = w->ttl, .rdlen = w->rdlen, .rdata = w->rdata };
	}
	return n;
}

/* Puts the node of a revisited owner where its stub is. */
static err_t
replace_stub(struct revisited *r, struct node *node)
{
	void *stub;
	err_t err = trie_put(r->in, node, &stub);
	if (err != OK) {
		free(node);
		return err;
	}
	free(stub);
	free(r->built);
	r->built = NULL;
	return OK;
}

static err_t
settle_revisited(struct zone_builder *b, struct revisited *r, const uint8_t *owner)
{
	size_t n = r->n + (r->built != NULL ? zone_node_records(r->built) : 0);
	[[gnu::cleanup(free_ptr)]] struct node_rr *rrs = calloc(n, sizeof *rrs);
	if (rrs == NULL) {
		return E_NOMEM;
	}
	struct node *node;
	size_t duplicates, ttl_differs;
	gather(r, rrs);
	err_t err = node_make(owner, 0, rrs, n, &duplicates, &ttl_differs, &node);
	if (err == E_LIMIT) {
		report_too_large(b, owner);
		err = node_make(owner, 0, NULL, 0, NULL, NULL, &node);
	} else if (err == OK && duplicates + ttl_differs != 0) {
		report_records(b, owner, rrs, n);
	}
	TRY(err);
	return replace_stub(r, node);
}

/* In canonical order, so that findings come out in it. */
static err_t
settle_all_revisited(struct zone_builder *b, struct trie_txn *in)
{
	struct trie_iter it;
	const struct node *n;
	trie_iter_first(&it, &in->now);
	while (b->again_n != 0 && (n = trie_iter_next(&it)) != NULL) {
		if ((n->flags & STUB) != 0) { /* replaced in its place: the iterator does not mind */
			struct name owner;
			name_set(&owner, n->name);
			TRY(settle_revisited(b, &b->again[n->size], owner.oct));
		}
	}
	return OK;
}

/* ---- checks of one name ---- */

static void
check_singleton(struct zone_builder *b, const struct node *n, const struct rrset *s)
{
	static const struct {
		uint16_t type;
		const char *code, *text;
	} known[] = {
		{ TYPE_SOA, "several-soa", "there is more than one SOA record" },
		{ TYPE_CNAME, "several-cname", "a name can have one CNAME record only (RFC 2181 10.1)" },
		{ TYPE_DNAME, "several-dname", "a name can have one DNAME record only (RFC 6672 2.4)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].type == s->type) {
			report_type(b, known[i].code, n->name, s->type, known[i].text, "keep one of them");
			return;
		}
	}
	char type[RRTYPE_TEXT_MAX], text[64];
	snprintf(text, sizeof text, "a name can have one %s record only", rrtype_print(s->type, type));
	report_type(b, "several-records", n->name, s->type, text, "keep one of them");
}

static void
check_beside_cname(struct zone_builder *b, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (!zone_may_stand_beside_cname(s->type)) {
			char type[RRTYPE_TEXT_MAX], text[64];
			snprintf(text, sizeof text, "there is a CNAME and also %s at this name", rrtype_print(s->type, type));
			report_type(b, "cname-and-other", n->name, s->type, text,
			            "a CNAME stands alone (RFC 2181 10.1): give the name its records, or the alias");
		}
	}
}

static void
check_rrset(struct zone_builder *b, const struct node *n, const struct rrset *s)
{
	if (s->n > 1 && (rrtype_flags(s->type) & RRTYPE_SINGLETON) != 0) {
		check_singleton(b, n, s);
	}
	if (s->type == TYPE_SOA && (n->flags & NODE_APEX) == 0) {
		report_type(b, "soa-not-at-apex", n->name, TYPE_SOA, "a SOA record below the zone's apex",
		            "a zone of its own is a file of its own");
	}
}

static void
check_node(struct zone_builder *b, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		check_rrset(b, n, s);
		b->zone->records += s->n;
	}
	if ((n->flags & NODE_CNAME) != 0) {
		check_beside_cname(b, n);
	}
}

static void
check_apex(struct zone_builder *b)
{
	const uint8_t *apex = b->zone->apex_name;
	const struct node *n = zone_node(b->zone, apex);
	if (n == NULL || node_rrset(n, TYPE_SOA) == NULL) {
		report_type(b, "no-soa", apex, 0, "the zone has no SOA record at its apex",
		            "every zone begins with one: @ SOA ns1 hostmaster 1 3600 900 1209600 300");
	}
	if (n == NULL || node_rrset(n, TYPE_NS) == NULL) {
		report_type(b, "no-apex-ns", apex, 0, "the zone has no NS record at its apex",
		            "name the zone's own servers: @ NS ns1");
	}
}

/* ---- linking names with those above them ---- */

enum { BELOW_MAX = 32 };

struct linking {
	struct trie_cell *cut;         /* the delegation that the walk is below; NULL: none */
	struct node *below[BELOW_MAX]; /* itself, and nodes below it; when full there may be more */
	unsigned below_n;
	struct node *above[NAME_LABELS_MAX + 1]; /* the name visited last and its ancestors, apex first */
	unsigned n;
	struct node **empties; /* made on the way; to be put when the walk is over */
	size_t empties_n, empties_cap;
};

/* What a node has from the one above it, and the other way round. */
static void
link_to_parent(struct linking *l, struct node *n)
{
	struct node *parent = l->above[l->n - 1];
	if (zone_is_cover(parent) || (parent->flags & NODE_BELOW_CUT) != 0) {
		n->flags |= NODE_BELOW_CUT;
	}
	if (name_is_wildcard(n->name)) {
		parent->flags |= NODE_WILDCARD;
	}
}

static err_t
keep_empty(struct linking *l, struct node *n)
{
	if (l->empties_n == l->empties_cap) {
		size_t cap = l->empties_cap != 0 ? l->empties_cap * 2 : 64;
		struct node **grown = realloc(l->empties, cap * sizeof(struct node *));
		if (grown == NULL) {
			return E_NOMEM;
		}
		l->empties = grown;
		l->empties_cap = cap;
	}
	l->empties[l->empties_n++] = n;
	return OK;
}

/* Makes the names between the last of `above` and a node below it. */
static err_t
link_empties(struct linking *l, const struct node *n)
{
	for (;;) {
		size_t parent_len = l->above[l->n - 1]->name_len, len = n->name_len;
		const uint8_t *name = n->name; /* to become the one label more than the parent */
		while (len - 1 - name[0] != parent_len) {
			len -= 1u + name[0];
			name = name_parent(name);
		}
		if (name == n->name) {
			return OK;
		}
		struct node *empty;
		TRY(node_make(name, 0, NULL, 0, NULL, NULL, &empty));
		err_t err = keep_empty(l, empty);
		if (err != OK) {
			free(empty);
			return err;
		}
		link_to_parent(l, empty);
		l->above[l->n++] = empty;
	}
}

/* ---- referrals ---- */

static const struct node *
find_below_cut(void *ctx, const uint8_t *name, size_t len)
{
	const struct linking *l = ctx;
	for (unsigned i = 0; i < l->below_n; i++) {
		if (l->below[i]->name_len == len && nkey_octets_are_equal(l->below[i]->name, name, len)) {
			return l->below[i];
		}
	}
	return NULL;
}

static const struct node *
find_anywhere(void *ctx, const uint8_t *name, size_t len)
{
	struct nkey key;
	(void)len;
	nkey_set(&key, name);
	return trie_get(ctx, &key);
}

/* The walk has come past all that is below the cut: its referral can be written. */
static err_t
finish_cut(struct zone_builder *b, struct linking *l)
{
	struct referral_draft draft;
	struct trie_cell *at = l->cut;
	bool is_few = l->below_n < BELOW_MAX;
	l->cut = NULL;
	if (at == NULL || !referral_draft(at->ptr, b->zone->apex_len, is_few ? find_below_cut : find_anywhere,
	                                  is_few ? (void *)l : (void *)&b->nodes.now, &draft)) {
		return OK;
	}
	struct node *old = at->ptr, *new;
	TRY(referral_attach(old, &draft, &new));
	at->ptr = new;
	for (unsigned i = 0; i < l->n; i++) {
		l->above[i] = l->above[i] == old ? new : l->above[i];
	}
	free(old);
	return OK;
}

/* Gathers what is below the delegation that the walk is in, or came to. */
static err_t
follow_cut(struct zone_builder *b, struct linking *l, struct node *n, struct trie_cell *at)
{
	bool is_below = (n->flags & NODE_BELOW_CUT) != 0;
	if (!is_below) {
		TRY(finish_cut(b, l));
	}
	if (!is_below && (n->flags & NODE_CUT) != 0) {
		l->cut = at;
		l->below[0] = n; /* a cut may be its own name server */
		l->below_n = 1;
	} else if (is_below && l->cut != NULL && l->below_n < BELOW_MAX) {
		l->below[l->below_n++] = n;
	}
	return OK;
}

/* Is `ancestor`, which comes before n in canonical order, above it? */
static bool
is_below(const struct node *n, const struct node *ancestor)
{
	const uint8_t *name = n->name;
	size_t len = n->name_len;
	while (len > ancestor->name_len) {
		len -= 1u + name[0];
		name = name_parent(name);
	}
	return len == ancestor->name_len && nkey_octets_are_equal(name, ancestor->name, len);
}

static err_t
link_node(struct zone_builder *b, struct linking *l, struct node *n)
{
	n->flags |= zone_own_flags(b->zone, n);
	if (l->n != 0) {
		while (!is_below(n, l->above[l->n - 1])) {
			l->n--; /* ends at the apex at the latest: every name is within it */
		}
		TRY(link_empties(l, n));
		link_to_parent(l, n);
	}
	l->above[l->n++] = n;
	return OK;
}

static err_t
put_empties(struct zone_builder *b, struct linking *l)
{
	while (l->empties_n != 0) {
		void *old;
		TRY(trie_put(&b->nodes, l->empties[l->empties_n - 1], &old));
		ASSERT(old == NULL);
		l->empties_n--;
	}
	return OK;
}

static err_t
link_and_check(struct zone_builder *b, struct linking *l)
{
	struct trie_iter it;
	struct node *n;
	trie_iter_first(&it, &b->nodes.now);
	for (size_t names = 1; (n = trie_iter_next(&it)) != NULL; names++) {
		TRY(link_node(b, l, n));
		TRY(follow_cut(b, l, n, trie_iter_cell(&it)));
		check_node(b, n);
		if (l->empties_n > EMPTIES_FREE + names * ZONE_EMPTIES_PER_RECORD_MAX) {
			report_type(b, "too-many-empty-names", n->name, 0, "too many names without records lie between the others",
			            "names of this many labels are costly; are they meant?");
			return OK;
		}
	}
	TRY(finish_cut(b, l));
	trie_iter_first(&it, &b->nsec3.now);
	while ((n = trie_iter_next(&it)) != NULL) {
		check_node(b, n);
	}
	TRY(put_empties(b, l));
	b->is_linked = true;
	return OK;
}

/* The apex itself is always there, so that all names have something to hang from. */
static err_t
make_apex(struct zone_builder *b)
{
	struct nkey key;
	nkey_set(&key, b->zone->apex_name);
	if (trie_get(&b->nodes.now, &key) != NULL) {
		return OK;
	}
	struct node *n;
	void *old;
	TRY(node_make(b->zone->apex_name, 0, NULL, 0, NULL, NULL, &n));
	err_t err = trie_put(&b->nodes, n, &old);
	if (err != OK) {
		free(n);
	}
	return err;
}

static err_t
link_all(struct zone_builder *b)
{
	struct linking l = { .n = 0 };
	TRY(make_apex(b));
	err_t err = link_and_check(b, &l);
	while (l.empties_n != 0) {
		free(l.empties[--l.empties_n]);
	}
	free(l.empties);
	return err;
}

err_t
zone_builder_finish(struct zone_builder *b, struct zone **out)
{
	TRY(end_run(b));
	TRY(settle_all_revisited(b, &b->nodes));
	TRY(settle_all_revisited(b, &b->nsec3));
	arena_fini(&b->arena);
	TRY(link_all(b));

	struct zone *z = b->zone;
	struct garbage none = { 0 };
	z->nodes = trie_commit(&b->nodes, &none);
	z->nsec3 = trie_commit(&b->nsec3, &none);
	ASSERT(none.n == 0); /* nobody else had any of it */
	check_apex(b);
	TRY(b->errors != 0 ? E_FORMAT : zone_settle(z));
	b->zone = NULL;
	*out = z;
	return OK;
}

const struct zone *
zone_builder_rest(const struct zone_builder *b)
{
	return b->is_linked ? b->zone : NULL;
}
