#include "zone/zone_builder_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/secret.h"

/* Records usually come owner by owner, or with a few owners in turns, like a delegation and its glue.  So the records of the
 * last owners are gathered (the runs), and become a node when no record was added for a while; nothing is kept twice.  In three
 * cases a stub takes the node's place in the trie, and the records wait in a list until the end: when an owner comes back later,
 * when it is a delegation (whose node depends on the names below it), and when there is something to report about its records.
 * So each record is looked at a bounded number of times, in any order. */

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
	b->octets_max = SIZE_MAX;
	b->run = b->runs;
	trie_begin(&b->nodes.in, &b->zone->nodes);
	trie_begin(&b->nsec3.in, &b->zone->nsec3);
	*out = b;
	return OK;
}

void
zone_builder_take_flaws(struct zone_builder *b)
{
	b->zone->takes_flaws = true;
}

/* ---- memory ---- */

void
zone_builder_limit(struct zone_builder *b, size_t octets)
{
	b->octets_max = octets;
}

size_t
zone_builder_octets(const struct zone_builder *b)
{
	return builder_octets(b);
}

size_t
zone_builder_name_octets(const struct zone_builder *b)
{
	return builder_name_octets(b);
}

bool
zone_builder_is_over_limit(const struct zone_builder *b)
{
	return b->is_over_limit;
}

static void *
wait_alloc(struct zone_builder *b, size_t n, err_t *err)
{
	*err = builder_afford(b, n);
	void *p = *err == OK ? arena_alloc(&b->arena, n) : NULL;
	*err = *err == OK && p == NULL ? E_NOMEM : *err;
	return p;
}

static void
free_value(void *ctx, void *value)
{
	struct node *n = value;
	if ((n->flags & STUB) == 0) {
		builder_free_node(ctx, n);
	}
}

static void
free_queue(struct zone_builder *b, struct queue *q)
{
	trie_fini(&q->in.now, free_value, b);
	while (q->n != 0) {
		free_value(b, q->nodes[--q->n]);
	}
}

void
zone_builder_free(struct zone_builder **builder)
{
	struct zone_builder *b = *builder;
	if (b == NULL) {
		return;
	}
	free_queue(b, &b->nodes);
	free_queue(b, &b->nsec3);
	for (struct stub *s = b->stubs; s != NULL; s = s->next) {
		free(s->built);
	}
	for (size_t i = 0; i < OPEN_RUNS; i++) {
		free(b->runs[i].octets);
		free(b->runs[i].rrs);
	}
	arena_fini(&b->arena);
	zone_free(&b->zone);
	free(b);
	*builder = NULL;
}

/* ---- records that wait ---- */

/* Makes a stub, which is not yet in a trie. */
static err_t
stub_new(struct zone_builder *b, const uint8_t *owner, size_t len, uint16_t flags, struct stub **out)
{
	err_t err;
	struct stub *stub = wait_alloc(b, sizeof *stub + len, &err);
	TRY(err);
	*stub = (struct stub){ .next = b->stubs, .node = { .flags = flags | STUB, .name_len = (uint8_t)len } };
	memcpy(stub->node.name, owner, len);
	stub->end = &stub->first;
	b->stubs = stub;
	*out = stub;
	return OK;
}

static err_t
append_waiting(struct zone_builder *b, struct stub *stub, const struct node_rr *rr)
{
	err_t err;
	struct waiting *w = wait_alloc(b, sizeof *w + rr->rdlen, &err);
	TRY(err);
	*w = (struct waiting){ .type = rr->type, .ttl = rr->ttl, .rdlen = rr->rdlen };
	if (rr->rdlen != 0) {
		memcpy(w->rdata, rr->rdata, rr->rdlen);
	}
	*stub->end = w;
	stub->end = &w->next;
	stub->n++;
	return OK;
}

static err_t
append_node(struct zone_builder *b, struct stub *stub, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		const struct rr *rr = rrset_first(s);
		for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
			struct node_rr copy = { .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata };
			TRY(append_waiting(b, stub, &copy));
		}
	}
	return OK;
}

/* Moves the records that wait in `from` to the end of those in `to`. */
static void
append_stub(struct stub *to, struct stub *from)
{
	if (from->n != 0) {
		*to->end = from->first;
		to->end = from->end;
		to->n += from->n;
	}
	to->node.flags |= from->node.flags;
	from->first = NULL;
	from->end = &from->first;
	from->n = 0;
}

/* Adds the records of `more`, a node or the node of a stub, to an owner that is in the trie already.  `more` is not needed
 * afterwards. */
static err_t
put_more(struct zone_builder *b, struct trie_txn *in, const struct nkey *key, struct node *more)
{
	struct node *there = trie_get(&in->now, key);
	struct stub *stub;
	if ((there->flags & STUB) != 0) {
		stub = stub_of(there);
	} else {
		void *old;
		TRY(stub_new(b, there->name, there->name_len, 0, &stub));
		TRY(trie_put(in, &stub->node, &old));
		stub->built = there;
	}
	if ((more->flags & STUB) != 0) {
		append_stub(stub, stub_of(more));
		return OK;
	}
	return append_node(b, stub, more);
}

/* ---- putting nodes into the tries ---- */

static err_t
put_queue(struct zone_builder *b, struct queue *q)
{
	struct nkey keys[TRIE_WARM_MAX];
	for (size_t i = 0; i < q->n; i++) {
		nkey_set(&keys[i], q->nodes[i]->name);
	}
	trie_warm(&q->in.now, keys, q->n);
	err_t err = OK;
	for (size_t i = 0; i < q->n; i++) {
		err_t added = err == OK ? trie_add(&q->in, &keys[i], q->nodes[i]) : err;
		if (added == E_EXISTS) {
			added = put_more(b, &q->in, &keys[i], q->nodes[i]);
			free_value(b, q->nodes[i]);
		} else if (added != OK) {
			free_value(b, q->nodes[i]);
		}
		err = added;
	}
	q->n = 0;
	return err;
}

static err_t
put(struct zone_builder *b, struct queue *q, struct node *n)
{
	q->nodes[q->n++] = n;
	return q->n == TRIE_WARM_MAX ? put_queue(b, q) : OK;
}

/* ---- runs ---- */

static err_t
store_waiting(struct zone_builder *b, struct queue *q, const struct run *run, const struct node_rr *rrs, size_t n)
{
	struct stub *stub;
	bool is_cut = run->has_ns && q == &b->nodes && run->owner.len != b->zone->apex_len;
	TRY(stub_new(b, run->owner.oct, run->owner.len, is_cut ? NODE_CUT : 0, &stub));
	for (size_t i = 0; i < n; i++) {
		TRY(append_waiting(b, stub, &rrs[i]));
	}
	return put(b, q, &stub->node);
}

/* Stores records of a run, rrs[0, n), all for one trie: as a node, or, if there is something to report, as a stub. */
static err_t
store(struct zone_builder *b, struct queue *q, const struct run *run, struct node_rr *rrs, size_t n)
{
	struct node *node;
	size_t duplicates, ttl_differs;
	TRY(builder_afford_node(b, n, run->octets_n));
	err_t err = builder_make_node(b, run->owner.oct, 0, rrs, n, &duplicates, &ttl_differs, &node);
	if (err == E_LIMIT) {
		builder_report_too_large(b, run->owner.oct);
		return OK;
	}
	TRY(err);
	if (duplicates + ttl_differs == 0) {
		return put(b, q, node);
	}
	builder_free_node(b, node);
	return store_waiting(b, q, run, rrs, n);
}

static bool
is_nsec3_rr(const struct node_rr *rr)
{
	return zone_is_nsec3(rr->type, node_rr_covers(rr));
}

/* Moves the records for the other trie to the end; returns the number of those before them. */
static size_t
part_nsec3(struct run *run)
{
	size_t plain = 0;
	for (size_t i = 0; i < run->n; i++) {
		if (!is_nsec3_rr(&run->rrs[i])) {
			struct node_rr rr = run->rrs[plain];
			run->rrs[plain++] = run->rrs[i];
			run->rrs[i] = rr;
		}
	}
	return plain;
}

static err_t
end_run(struct zone_builder *b, struct run *run)
{
	size_t n = run->n, plain = run->has_nsec3 ? part_nsec3(run) : n;
	bool is_cut = run->has_ns && run->owner.len != b->zone->apex_len;
	run->n = 0;
	if (plain != 0) {
		TRY(is_cut ? store_waiting(b, &b->nodes, run, run->rrs, plain) : store(b, &b->nodes, run, run->rrs, plain));
	}
	if (plain != n) {
		TRY(store(b, &b->nsec3, run, run->rrs + plain, n - plain));
	}
	run->octets_n = 0;
	return OK;
}

static void
begin_run(const struct zone_builder *b, struct run *run, const uint8_t *owner, size_t len)
{
	run->owner.len = (uint8_t)len;
	memcpy(run->owner.oct, owner, len);
	run->is_within = zone_is_name_within(owner, len, b->zone->apex_name, b->zone->apex_len);
	run->has_nsec3 = run->has_ns = false;
}

static bool
is_owner(const struct run *run, const uint8_t *owner, size_t len)
{
	return len == run->owner.len && nkey_octets_are_equal(owner, run->owner.oct, len);
}

/* Finds the run of an owner, or ends the one that was unused longest, and begins a new one in its place. */
static err_t
find_run(struct zone_builder *b, const uint8_t *owner, size_t len)
{
	struct run *oldest = &b->runs[0];
	for (struct run *r = b->runs; r < b->runs + OPEN_RUNS; r++) {
		if (is_owner(r, owner, len)) {
			b->run = r;
			return OK;
		}
		oldest = r->used < oldest->used ? r : oldest;
	}
	TRY(end_run(b, oldest));
	begin_run(b, oldest, owner, len);
	b->run = oldest;
	return OK;
}

static err_t
reserve_rr(struct zone_builder *b, struct run *run)
{
	if (run->n < run->cap) {
		return OK;
	}
	size_t cap = run->cap != 0 ? run->cap * 2 : 64;
	size_t more = (cap - run->cap) * sizeof *run->rrs;
	TRY(builder_afford(b, more));
	struct node_rr *grown = realloc(run->rrs, cap * sizeof *grown);
	if (grown == NULL) {
		return E_NOMEM;
	}
	b->run_octets += more;
	run->rrs = grown;
	run->cap = cap;
	return OK;
}

static err_t
reserve_octets(struct zone_builder *b, struct run *run, size_t n)
{
	if (n <= run->octets_cap - run->octets_n) {
		return OK;
	}
	if (run->octets_n + n > NODE_SIZE_MAX) {
		return E_LIMIT;
	}
	size_t cap = 2 * (run->octets_n + n);
	TRY(builder_afford(b, cap));
	uint8_t *grown = malloc(cap);
	if (grown == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, at = 0; i < run->n; at += run->rrs[i++].rdlen) {
		memcpy(grown + at, run->rrs[i].rdata, run->rrs[i].rdlen);
		run->rrs[i].rdata = grown + at;
	}
	free(run->octets);
	b->run_octets += cap - run->octets_cap;
	run->octets = grown;
	run->octets_cap = cap;
	return OK;
}

static err_t
append(struct zone_builder *b, struct run *run, struct node_rr rr)
{
	TRY(reserve_rr(b, run));
	TRY(reserve_octets(b, run, rr.rdlen));
	if (rr.rdlen != 0) {
		rr.rdata = memcpy(run->octets + run->octets_n, rr.rdata, rr.rdlen);
		run->octets_n += rr.rdlen;
	}
	run->has_nsec3 |= is_nsec3_rr(&rr);
	run->has_ns |= rr.type == TYPE_NS;
	run->rrs[run->n++] = rr;
	return OK;
}

err_t
zone_builder_add(struct zone_builder *b, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
                 uint16_t rdlen)
{
	size_t len = name_len(owner);
	if (!is_owner(b->run, owner, len)) {
		TRY(find_run(b, owner, len));
	}
	struct run *run = b->run;
	struct node_rr rr = { .type = type, .ttl = ttl, .rdlen = rdlen, .rdata = rdata };
	run->used = ++b->records;
	if (!run->is_within) {
		builder_report_out_of_zone(b, owner, &rr);
		return OK;
	}
	if (secret_is_record(type, rdata, rdlen)) {
		builder_report_secret(b, owner, &rr);
		return OK;
	}
	return append(b, run, rr);
}

/* ---- the end ---- */

err_t
zone_builder_finish(struct zone_builder *b, struct zone **out)
{
	for (size_t i = 0; i < OPEN_RUNS; i++) {
		TRY(end_run(b, &b->runs[i]));
	}
	TRY(put_queue(b, &b->nodes));
	TRY(put_queue(b, &b->nsec3));
	TRY(builder_link(b));
	if (!b->is_linked) {
		return E_FORMAT;
	}
	b->stubs = NULL; /* every stub was replaced by its node */
	arena_fini(&b->arena);

	struct zone *z = b->zone;
	struct garbage none = { 0 };
	z->nodes = trie_commit(&b->nodes.in, &none);
	z->nsec3 = trie_commit(&b->nsec3.in, &none);
	ASSERT(none.n == 0); /* no older version shares anything */
	garbage_forget(&none);
	z->node_octets = b->node_octets;
	builder_check_apex(b);
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
