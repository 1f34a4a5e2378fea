#include "zone/changes.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { CHANGES_PART = 16, CHANGES_MIN = 1000 };

size_t
zone_changes_max(const struct zone *old)
{
	size_t part = old->records / CHANGES_PART;
	return part > CHANGES_MIN ? part : CHANGES_MIN;
}

static err_t
note(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct zone_changes *c = ctx;
	c->added += is_added;
	c->removed += !is_added;
	if (c->n == c->limit) {
		return OK;
	}
	if (!try_room(&c->list, sizeof *c->list, c->n, &c->cap)) {
		return E_NOMEM;
	}
	c->list[c->n++] = (struct zone_change){ .is_added = is_added, .rr = *rr };
	return OK;
}

err_t
zone_changes_find(const struct zone *old, const struct zone *new, size_t limit, struct zone_changes *out)
{
	*out = (struct zone_changes){ .limit = limit };
	err_t err = zone_diff(old, new, note, out);
	if (err != OK) {
		zone_changes_fini(out);
	}
	return err;
}

err_t
zone_changes_of(const struct zone_txn *t, struct zone_changes *out)
{
	*out = (struct zone_changes){ .limit = SIZE_MAX };
	err_t err = zone_txn_diff(t, note, out);
	if (err != OK) {
		zone_changes_fini(out);
	}
	return err;
}

void
zone_changes_fini(struct zone_changes *c)
{
	free(c->list);
	*c = (struct zone_changes){ 0 };
}

/* Removals come first: a record whose TTL changed is removed and added. */
static err_t
apply(struct zone_txn *t, const struct zone_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct zone_rr *rr = &c->list[i].rr;
		if (!c->list[i].is_added) {
			TRY(zone_txn_remove(t, rr->owner, rr->type, rr->rdata, rr->rdlen));
		}
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct zone_rr *rr = &c->list[i].rr;
		if (c->list[i].is_added) {
			TRY(zone_txn_add(t, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen));
		}
	}
	return OK;
}

err_t
zone_changes_apply(const struct zone *old, const struct zone_changes *c, struct zone **out, struct garbage *garbage)
{
	[[gnu::cleanup(zone_txn_rollback)]] struct zone_txn *t = NULL;
	ASSERT(zone_changes_are_whole(c));
	TRY(zone_txn_begin(old, &t));
	TRY(apply(t, c));
	return zone_txn_commit(&t, out, garbage);
}
