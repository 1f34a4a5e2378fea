#include "zone/zone_txn_p.h"

#include <stdlib.h>
#include <string.h>

static err_t
append_edit(struct edited *e, const struct edit *new)
{
	if (e->n == e->cap) {
		size_t cap = e->cap != 0 ? e->cap * 2 : 8;
		struct edit *grown = realloc(e->edits, cap * sizeof *grown);
		if (grown == NULL) {
			return E_NOMEM;
		}
		e->edits = grown;
		e->cap = cap;
	}
	e->edits[e->n++] = *new;
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

/* An RRset has the TTL that was given last, even if that record is gone again. */
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
