#include "zone/zone_txn_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* ---- numbers of records ---- */

/* Index of the type, or the index where it would be inserted. */
static size_t
type_place(const struct edited *e, uint16_t type)
{
	size_t low = 0, high = e->types_n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (e->types[middle].type < type) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct type_count *
type_of(const struct edited *e, uint16_t type)
{
	size_t at = type_place(e, type);
	return at < e->types_n && e->types[at].type == type ? &e->types[at] : NULL;
}

static err_t
add_type(struct edited *e, uint16_t type)
{
	size_t at = type_place(e, type);
	if (!try_room(&e->types, sizeof *e->types, e->types_n, &e->types_cap)) {
		return E_NOMEM;
	}
	memmove(e->types + at + 1, e->types + at, (e->types_n - at) * sizeof *e->types);
	e->types[at] = (struct type_count){ .type = type };
	e->types_n++;
	return OK;
}

static void
count_one(struct edited *e, uint16_t type, int by)
{
	struct type_count *c = type_of(e, type);
	c->n += (uint32_t)by;
	e->records += (size_t)by;
}

size_t
edited_count(const struct edited *e, uint16_t type)
{
	const struct type_count *c = type != TYPE_ANY ? type_of(e, type) : NULL;
	return type == TYPE_ANY ? e->records : c != NULL ? c->n : 0;
}

/* ---- records in runs ---- */

static err_t
append_edit(struct edited *e, const struct edit *new)
{
	if (type_of(e, new->rr.type) == NULL) {
		TRY(add_type(e, new->rr.type));
	}
	if (!try_room(&e->edits, sizeof *e->edits, e->n, &e->cap)) {
		return E_NOMEM;
	}
	e->edits[e->n++] = *new;
	count_one(e, new->rr.type, 1);
	return OK;
}

static size_t
run_start(const struct edited *e, unsigned run)
{
	return run != 0 ? e->run_end[run - 1] : 0;
}

/* Merges the last two runs. */
static err_t
merge_runs(struct edited *e)
{
	size_t left = run_start(e, e->runs - 2), right = run_start(e, e->runs - 1), right_n = e->n - right;
	struct edit *copy = malloc(right_n * sizeof *copy);
	if (copy == NULL) {
		return E_NOMEM;
	}
	memcpy(copy, e->edits + right, right_n * sizeof *copy);
	for (size_t to = e->n; right_n != 0;) {
		bool is_left = right > left && node_rr_compare(&e->edits[right - 1].rr, &copy[right_n - 1].rr) > 0;
		e->edits[--to] = is_left ? e->edits[--right] : copy[--right_n];
	}
	free(copy);
	e->runs--;
	e->run_end[e->runs - 1] = e->n;
	return OK;
}

err_t
edited_add(struct edited *e, const struct edit *new)
{
	TRY(append_edit(e, new));
	e->run_end[e->runs++] = e->n;
	while (e->runs > 1) {
		size_t start = run_start(e, e->runs - 1);
		if (2 * (e->n - start) <= start - run_start(e, e->runs - 2)) {
			break;
		}
		TRY(merge_runs(e));
	}
	return OK;
}

struct edit *
edited_find(const struct edited *e, const struct node_rr *rr)
{
	for (unsigned run = 0; run < e->runs; run++) {
		size_t low = run_start(e, run), high = e->run_end[run];
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			int order = node_rr_compare(&e->edits[middle].rr, rr);
			if (order == 0) {
				return &e->edits[middle];
			}
			low = order < 0 ? middle + 1 : low;
			high = order > 0 ? middle : high;
		}
	}
	return NULL;
}

void
edited_bring_back(struct edited *e, struct edit *gone, const struct edit *as)
{
	bool was_there = gone->was_there;
	uint32_t old_ttl = gone->old_ttl;
	*gone = *as;
	gone->was_there = was_there;
	gone->old_ttl = old_ttl;
	count_one(e, as->rr.type, 1);
}

void
edited_remove(struct edited *e, struct edit *is)
{
	is->is_gone = true;
	count_one(e, is->rr.type, -1);
}

void
edited_free(struct edited *e)
{
	free(e->edits);
	free(e->types);
	free(e);
}

/* Index of the first record of the type in a run, or of the first record after its place. */
static size_t
first_of_type(const struct edited *e, unsigned run, uint16_t type)
{
	size_t low = run_start(e, run), high = e->run_end[run];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (e->edits[middle].rr.type < type) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

err_t
edited_each(struct edited *e, uint16_t type, err_t (*each)(void *ctx, const struct zone_rr *rr), void *ctx, uint64_t *steps)
{
	for (unsigned run = 0; run < e->runs && edited_count(e, type) != 0; run++) {
		for (size_t i = type != TYPE_ANY ? first_of_type(e, run, type) : run_start(e, run); i < e->run_end[run]; i++) {
			const struct node_rr *rr = &e->edits[i].rr;
			if (type != TYPE_ANY && rr->type != type) {
				break;
			}
			(*steps)++;
			if (!e->edits[i].is_gone) {
				const struct zone_rr out = { .owner = e->name, .type = rr->type, .ttl = rr->ttl, .rdlen = rr->rdlen,
					                     .rdata = rr->rdata };
				TRY(each(ctx, &out));
			}
		}
	}
	return OK;
}

err_t
edited_load(struct edited *e, const struct node *n)
{
	const struct rrset *s = n != NULL ? node_first(n) : NULL;
	for (unsigned left = n != NULL ? n->rrsets : 0; left != 0; left--, s = rrset_next(s)) {
		const struct rr *rr = rrset_first(s);
		for (unsigned i = s->n; i != 0; i--, rr = rr_next(rr)) {
			struct edit is = { .rr = { .type = s->type, .ttl = rrset_ttl(s), .rdlen = rr->rdlen, .rdata = rr->rdata },
				           .was_there = true, .old_ttl = rrset_ttl(s) };
			TRY(append_edit(e, &is));
		}
	}
	if (e->n > run_start(e, e->runs)) {
		e->run_end[e->runs++] = e->n;
	}
	return OK;
}

static err_t
merge_all_runs(struct edited *e)
{
	while (e->runs > 1) {
		TRY(merge_runs(e));
	}
	return OK;
}

/* An RRset has the TTL of the last addition, even if that record was removed again. */
static void
set_ttls(struct edited *e)
{
	for (size_t i = 0, end; i < e->n; i = end) {
		const struct edit *last = &e->edits[i];
		for (end = i; end < e->n && node_rr_is_same_set(&e->edits[i].rr, &e->edits[end].rr); end++) {
			last = e->edits[end].stamp > last->stamp ? &e->edits[end] : last;
		}
		uint32_t ttl = last->rr.ttl;
		for (size_t j = i; j < end; j++) {
			e->edits[j].rr.ttl = ttl;
		}
	}
}

err_t
edited_is_effective(struct edited *e, bool *out)
{
	TRY(merge_all_runs(e));
	set_ttls(e);
	*out = false;
	for (size_t i = 0; i < e->n && !*out; i++) {
		const struct edit *x = &e->edits[i];
		*out = x->was_there == x->is_gone || (x->was_there && x->rr.ttl != x->old_ttl);
	}
	return OK;
}

static void
drop_gone(struct edited *e)
{
	size_t kept = 0;
	for (size_t i = 0; i < e->n; i++) {
		if (!e->edits[i].is_gone) {
			e->edits[kept++] = e->edits[i];
		}
	}
	e->n = kept;
}

err_t
edited_settle(struct edited *e)
{
	TRY(merge_all_runs(e));
	set_ttls(e);
	drop_gone(e);
	return OK;
}
