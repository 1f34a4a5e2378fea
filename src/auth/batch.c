#include "auth/batch.h"

#include <stdlib.h>

#include "auth/batch_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

struct batch *
batch_new(struct primary *p, const struct source_commit *source, uint64_t now_s)
{
	struct batch *b = try_alloc(sizeof *b);
	struct update_task **tasks = b != NULL ? try_alloc(BATCH_TASKS_MAX * sizeof(struct update_task *)) : NULL;
	if (tasks == NULL) {
		free(b);
		return NULL;
	}
	b->p = p;
	b->source = source;
	b->now_s = now_s;
	b->tasks = tasks;
	return b;
}

static void
work_fini(struct batch *b, struct work *w)
{
	zone_changes_fini(&w->changes);
	zone_txn_rollback(&w->txn);
	zone_free(&w->made);
	edit_fini(&w->edit);
	if (w->is_new) {
		file_free(b->p, w->file);
	}
}

void
batch_free(struct batch **bp)
{
	struct batch *b = *bp;
	if (b == NULL) {
		return;
	}
	for (size_t i = 0; i < b->works_n; i++) {
		work_fini(b, &b->works[i]);
	}
	free(b->works);
	free(b->tasks);
	free(b->files);
	str_fini(&b->message);
	free(b);
	*bp = NULL;
}

struct work *
batch_add_work(struct batch *b, struct file *f)
{
	struct work *grown = realloc(b->works, (b->works_n + 1) * sizeof *grown);
	if (grown == NULL) {
		return NULL;
	}
	b->works = grown;
	b->works[b->works_n] = (struct work){ .file = f };
	return &b->works[b->works_n++];
}

/* Finds the zone in the batch, or adds it with a transaction on the served version. */
static err_t
work_of(struct batch *b, struct file *f, struct work **out)
{
	for (size_t i = 0; i < b->works_n; i++) {
		if (b->works[i].file == f) {
			*out = &b->works[i];
			return OK;
		}
	}
	struct zone_txn *txn = NULL;
	TRY(zone_txn_begin(f->zone, &txn));
	*out = batch_add_work(b, f);
	if (*out == NULL) {
		zone_txn_rollback(&txn);
		return E_NOMEM;
	}
	(*out)->txn = txn;
	b->zones_cost += f->zone->records;
	return OK;
}

/* ---- taking updates in ---- */

enum batch_taken
batch_settle(struct update_task *t, unsigned rcode, int ede, const char *why)
{
	update_task_settle(t, rcode, ede, "%s", why);
	return BATCH_SETTLED;
}

enum batch_taken
batch_pend(struct batch *b, struct update_task *t)
{
	b->tasks[b->tasks_n++] = t;
	b->octets += t->update.octets;
	update_task_settle(t, RCODE_NOERROR, EDE_NONE, "%s", "");
	return BATCH_PENDING;
}

bool
batch_is_writable(const struct primary *p, const struct file *f, const char **why)
{
	*why = !p->views.latest->is_ready  ? "nothing is loaded yet"
	       : f != NULL && f->is_broken ? "the zone's file in the repository has errors: mend it first"
	       : f != NULL                 ? hold_reason(f)
	                                   : NULL;
	return *why == NULL;
}

err_t
batch_judge(const struct update_task *t, struct zone_txn *txn, struct update_verdict *v)
{
	*v = (struct update_verdict){ .ede = EDE_NONE, .why = "" };
	TRY(update_ask(&t->update, txn, v));
	if (v->rcode == RCODE_NOERROR) {
		update_prescan(&t->update, v);
	}
	return v->rcode == RCODE_NOERROR ? update_measure(&t->update, v) : OK;
}

static err_t
add_changes_to(struct batch *b, struct update_task *t, struct work *w, enum batch_taken *out)
{
	struct update_verdict v;
	TRY(batch_judge(t, w->txn, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = batch_settle(t, v.rcode, v.ede, v.why);
		return OK;
	}
	TRY(update_apply(&t->update, w->txn));
	*out = batch_pend(b, t);
	return OK;
}

static err_t
add_changes(struct batch *b, struct update_task *t, struct file *f, enum batch_taken *out)
{
	struct work *w;
	TRY(work_of(b, f, &w));
	uint64_t steps = zone_txn_steps(w->txn);
	err_t err = add_changes_to(b, t, w, out);
	b->cost += (zone_txn_steps(w->txn) - steps) / BATCH_STEPS;
	return err;
}

/* ---- one task ---- */

static bool
is_soa_added(const struct update *u)
{
	size_t i = 0;
	while (i < u->changes_n && (u->changes[i].rrclass != CLASS_IN || u->changes[i].type != TYPE_SOA)) {
		i++;
	}
	return i < u->changes_n;
}

/* What a task would do, and to which file. */
enum purpose { PURPOSE_CHANGE, PURPOSE_CREATE, PURPOSE_REMOVE };

struct aim {
	enum purpose purpose;
	const uint8_t *apex;
	struct file *file; /* NULL: no such zone */
};

static struct aim
aim_of(const struct primary *p, const struct update_task *t)
{
	const struct update *u = &t->update;
	struct aim a = { .purpose = PURPOSE_CHANGE, .apex = update_task_zone(t) };
	const uint8_t *created = p->conf.zones_by_update ? update_creates(u, p->views.latest) : NULL;
	const uint8_t *removed = p->conf.zones_by_update ? update_removes(u, p->views.latest) : NULL;
	if (created != NULL) {
		a.purpose = PURPOSE_CREATE;
		a.apex = created;
	} else if (removed != NULL) {
		a.purpose = PURPOSE_REMOVE;
		a.apex = removed;
	}
	a.file = primary_file_of(p, a.apex);
	return a;
}

static bool
is_anything_added(const struct update *u)
{
	size_t i = 0;
	while (i < u->changes_n && u->changes[i].rrclass != CLASS_IN) {
		i++;
	}
	return i < u->changes_n;
}

/* An update that only removes records always has room, since it frees memory. */
static bool
has_room(const struct batch *b, const struct update *u, size_t before)
{
	return !is_anything_added(u) || (before + u->octets) * BATCH_MEMORY_FACTOR <= primary_room(b->p);
}

bool
batch_is_full(const struct batch *b)
{
	return b->is_closed || b->tasks_n == BATCH_TASKS_MAX || b->cost >= BATCH_COST_MAX;
}

uint64_t
batch_cost(const struct batch *b)
{
	return b->cost + b->zones_cost;
}

/* True when the zone is not in the batch yet, and would be one too many. */
static bool
is_zone_too_many(const struct batch *b, const struct file *f)
{
	bool is_allowed = b->works_n == 0 || f == NULL || f->zone == NULL;
	for (size_t i = 0; i < b->works_n && !is_allowed; i++) {
		is_allowed = b->works[i].file == f;
	}
	return !is_allowed && (b->works_n >= BATCH_ZONES_CHANGED_MAX || b->zones_cost + f->zone->records > BATCH_ZONES_RECORDS_MAX);
}

static bool
does_fit(const struct batch *b, const struct update_task *t, const struct aim *a)
{
	return !batch_is_full(b) && t->update.octets <= BATCH_OCTETS_MAX - b->octets && !is_zone_too_many(b, a->file) &&
	       (b->tasks_n == 0 || has_room(b, &t->update, b->octets)) && (a->purpose == PURPOSE_CHANGE || b->works_n == 0);
}

err_t
batch_add(struct batch *b, struct update_task *t, enum batch_taken *out)
{
	const struct aim a = aim_of(b->p, t);
	const char *why;
	if (!does_fit(b, t, &a)) {
		*out = BATCH_FULL;
		return OK;
	}
	if (!has_room(b, &t->update, 0)) {
		*out = batch_settle(t, RCODE_SERVFAIL, EDE_OTHER, "there is no memory for more records (--memory-max)");
		return OK;
	}
	b->cost += 1 + t->update.prerequisites_n + BATCH_CHANGE_COST * t->update.changes_n;
	if (a.purpose != PURPOSE_CHANGE && !batch_is_zone_of_key(b, t, a.apex)) {
		*out = batch_settle(t, RCODE_REFUSED, EDE_PROHIBITED,
		                    "a key for a part of a zone, or for some types, cannot make or remove zones");
		return OK;
	}
	if (a.purpose == PURPOSE_CREATE) {
		return batch_add_creation(b, t, a.apex, out);
	}
	if (!batch_is_writable(b->p, a.file, &why)) {
		*out = batch_settle(t, RCODE_SERVFAIL, EDE_NOT_READY, why);
	} else if (a.file == NULL || a.file->zone == NULL) {
		*out = batch_settle(t, RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE,
		                    b->p->conf.zones_by_update || !is_soa_added(&t->update)
		                            ? "no such zone here"
		                            : "no such zone here, and updates cannot make one without --zones-by-update");
	} else if (a.purpose == PURPOSE_REMOVE) {
		return batch_add_removal(b, t, a.file, out);
	} else if (a.file->zone->is_signed) {
		*out = batch_settle(t, RCODE_REFUSED, EDE_NOT_SUPPORTED,
		                    "the zone is signed elsewhere: its signatures would not fit any more");
	} else {
		return add_changes(b, t, a.file, out);
	}
	return OK;
}

err_t
batch_add_serial(struct batch *b, const uint8_t *apex, uint32_t serial)
{
	struct file *f = primary_file_of(b->p, apex);
	const char *why;
	struct work *w;
	if (f == NULL || f->zone == NULL || f->zone->is_signed || f->zone->serial != serial || b->is_closed ||
	    !batch_is_writable(b->p, f, &why)) {
		return E_NOTFOUND;
	}
	if (is_zone_too_many(b, f)) {
		return E_BUSY;
	}
	TRY(work_of(b, f, &w));
	w->is_forced = true;
	return OK;
}
