#include "zone/zone_builder_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Records usually come owner by owner, or a few owners in turns, as a delegation and its glue.  So the records of the
 * owners seen last are gathered (the runs), and become a node when they have not been added to for a
 * while; nothing is kept twice.  Where an owner comes back after that, where it is a delegation (whose node needs what
 * is below it), or where there is something to report of its records, a stub takes the node's place in
 * the trie, and the records wait in a list until the end: each record is looked at a bounded number of
 * times, in whatever order they come. */

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
	b->run = b->runs;
	trie_begin(&b->nodes, &b->zone->nodes);
	trie_begin(&b->nsec3, &b->zone->nsec3);
	*out = b;
	return OK;
}

static void
free_value(void *ctx, void *value)
{
	(void)ctx;
	struct node *n = value;
	if ((n->flags & STUB) == 0) {
		free(n);
	}
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

/* A stub for an owner; `existing`, its node so far, may be NULL. */
static err_t
stub_new(struct zone_builder *b, struct trie_txn *in, const struct name *owner, struct node *existing,
         struct stub **out)
{
	struct stub *stub = arena_alloc(&b->arena, sizeof *stub + owner->len);
	if (stub == NULL) {
		return E_NOMEM;
	}
	*stub = (struct stub){ .node = { .flags = STUB, .name_len = owner->len } };
	memcpy(stub->node.name, existing != NULL ? existing->name : owner->oct, owner->len);
	void *old;
	TRY(trie_put(in, &stub->node, &old));
	ASSERT(old == existing);
	stub->built = existing;
	stub->next = b->stubs;
	b->stubs = stub;
	*out = stub;
	return OK;
}

static err_t
append_waiting(struct zone_builder *b, struct stub *stub, const struct node_rr *rrs, size_t n)
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
		if (stub->first == NULL) {
			stub->first = w;
		} else {
			*stub->end = w;
		}
		stub->end = &w->next;
		stub->n++;
	}
	return OK;
}

/* Records of a run that wait, behind those that their owner has already. */
static err_t
store_waiting(struct zone_builder *b, struct trie_txn *in, const struct run *run, const struct node_rr *rrs, size_t n)
{
	struct nkey key;
	nkey_set(&key, run->owner.oct);
	struct node *existing = trie_get(&in->now, &key);
	struct stub *stub;
	if (existing != NULL && (existing->flags & STUB) != 0) {
		stub = stub_of(existing);
	} else {
		TRY(stub_new(b, in, &run->owner, existing, &stub));
	}
	if (run->has_ns && run->owner.len != b->zone->apex_len) {
		stub->node.flags |= NODE_CUT;
	}
	return append_waiting(b, stub, rrs, n);
}

/* ---- runs ---- */

/* Makes a node of a run's records, rrs[0, n), all for one trie. */
static err_t
store(struct zone_builder *b, struct trie_txn *in, const struct run *run, struct node_rr *rrs, size_t n)
{
	struct node *node;
	size_t duplicates, ttl_differs;
	err_t err = node_make(run->owner.oct, 0, rrs, n, &duplicates, &ttl_differs, &node);
	if (err == E_LIMIT) {
		builder_report_too_large(b, run->owner.oct);
		return OK;
	}
	TRY(err);
	if (duplicates + ttl_differs == 0) {
		err = trie_add(in, node);
		if (err == OK) {
			return OK;
		}
	}
	free(node);
	return err == OK || err == E_EXISTS ? store_waiting(b, in, run, rrs, n) : err;
}

static bool
is_nsec3_rr(const struct node_rr *rr)
{
	return zone_is_nsec3(rr->type, node_rr_covers(rr));
}

/* Moves the records for the other trie to the end; returns how many stay before them. */
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
	run->n = run->octets_n = 0;
	if (plain != 0) {
		TRY(is_cut ? store_waiting(b, &b->nodes, run, run->rrs, plain) : store(b, &b->nodes, run, run->rrs, plain));
	}
	run->has_ns = false; /* of what is left, none is a delegation's */
	return plain != n ? store(b, &b->nsec3, run, run->rrs + plain, n - plain) : OK;
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

/* The run of an owner: one that is open, or a new one in the place of that which was used longest ago. */
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
reserve_rr(struct run *run)
{
	if (run->n < run->cap) {
		return OK;
	}
	size_t cap = run->cap != 0 ? run->cap * 2 : 64;
	struct node_rr *grown = realloc(run->rrs, cap * sizeof *grown);
	if (grown == NULL) {
		return E_NOMEM;
	}
	run->rrs = grown;
	run->cap = cap;
	return OK;
}

static err_t
reserve_octets(struct run *run, size_t n)
{
	if (n <= run->octets_cap - run->octets_n) {
		return OK;
	}
	if (run->octets_n + n > NODE_SIZE_MAX) {
		return E_LIMIT;
	}
	size_t cap = 2 * (run->octets_n + n);
	uint8_t *grown = malloc(cap);
	if (grown == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, at = 0; i < run->n; at += run->rrs[i++].rdlen) {
		memcpy(grown + at, run->rrs[i].rdata, run->rrs[i].rdlen);
		run->rrs[i].rdata = grown + at;
	}
	free(run->octets);
	run->octets = grown;
	run->octets_cap = cap;
	return OK;
}

static err_t
append(struct run *run, struct node_rr rr)
{
	TRY(reserve_rr(run));
	TRY(reserve_octets(run, rr.rdlen));
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
	return append(run, rr);
}

/* ---- the end ---- */

err_t
zone_builder_finish(struct zone_builder *b, struct zone **out)
{
	for (size_t i = 0; i < OPEN_RUNS; i++) {
		TRY(end_run(b, &b->runs[i]));
	}
	TRY(builder_link(b));
	if (!b->is_linked) {
		return E_FORMAT;
	}
	b->stubs = NULL; /* every stub has given way to its node */
	arena_fini(&b->arena);

	struct zone *z = b->zone;
	struct garbage none = { 0 };
	z->nodes = trie_commit(&b->nodes, &none);
	z->nsec3 = trie_commit(&b->nsec3, &none);
	ASSERT(none.n == 0); /* nobody else had any of it */
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
