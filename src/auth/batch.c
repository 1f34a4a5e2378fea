#include "auth/batch.h"

#include <stdlib.h>
#include <string.h>

#include "auth/batch_p.h"
#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/wire.h"
#include "zone/check.h"
#include "zone/history.h"

struct batch *
batch_new(struct primary *p, const struct source_commit *source, uint64_t now_s)
{
	struct batch *b = xalloc(sizeof *b);
	b->p = p;
	b->source = source;
	b->now_s = now_s;
	b->tasks = xalloc(BATCH_TASKS_MAX * sizeof(struct update_task *));
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

static struct work *
add_work(struct batch *b, struct file *f)
{
	struct work *grown = realloc(b->works, (b->works_n + 1) * sizeof *grown);
	if (grown == NULL) {
		return NULL;
	}
	b->works = grown;
	b->works[b->works_n] = (struct work){ .file = f };
	return &b->works[b->works_n++];
}

/* The zone's place in the batch, with a transaction on the version that is served. */
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
	*out = add_work(b, f);
	if (*out == NULL) {
		zone_txn_rollback(&txn);
		return E_NOMEM;
	}
	(*out)->txn = txn;
	b->zones_cost += f->zone->records;
	return OK;
}

/* ---- taking updates in ---- */

static enum batch_taken
settle(struct update_task *t, unsigned rcode, int ede, const char *why)
{
	update_task_settle(t, rcode, ede, "%s", why);
	return BATCH_SETTLED;
}

static enum batch_taken
pend(struct batch *b, struct update_task *t)
{
	b->tasks[b->tasks_n++] = t;
	b->octets += t->update.octets;
	update_task_settle(t, RCODE_NOERROR, EDE_NONE, "%s", "");
	return BATCH_PENDING;
}

/* Can files be written on top of what is served?  *why otherwise. */
static bool
is_writable(const struct primary *p, const struct file *f, const char **why)
{
	*why = p->views.latest->commit[0] == '\0' ? "nothing is loaded yet"
	       : f != NULL && f->is_broken       ? "the zone's file in the repository has errors: mend it first"
	       : f != NULL                       ? hold_reason(f)
	                                         : NULL;
	return *why == NULL;
}

/* Prerequisites first, as RFC 2136 3 has it.  `txn`: NULL where there is no such zone yet. */
static err_t
judge(const struct update_task *t, struct zone_txn *txn, struct update_verdict *v)
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
	TRY(judge(t, w->txn, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = settle(t, v.rcode, v.ede, v.why);
		return OK;
	}
	TRY(update_apply(&t->update, w->txn));
	*out = pend(b, t);
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

/* ---- serials ---- */

struct soa_copy {
	uint32_t ttl;
	uint16_t rdlen;
	uint8_t rdata[2 * NAME_WIRE_MAX + 20];
};

static err_t
copy_soa(void *ctx, const struct zone_rr *rr)
{
	struct soa_copy *c = ctx;
	ASSERT(rr->rdlen <= sizeof c->rdata);
	c->ttl = rr->ttl;
	c->rdlen = rr->rdlen;
	memcpy(c->rdata, rr->rdata, rr->rdlen);
	return OK;
}

static void
put_serial(struct soa_copy *c, uint32_t serial)
{
	uint8_t *at = c->rdata + c->rdlen - 20; /* five numbers stand at the end, the serial first (RFC 1035 3.3.13) */
	at[0] = (uint8_t)(serial >> 24);
	at[1] = (uint8_t)(serial >> 16);
	at[2] = (uint8_t)(serial >> 8);
	at[3] = (uint8_t)serial;
}

/* The next after all that secondaries may have: one more, or what the clock says. */
static uint32_t
serial_after(const struct batch *b, uint32_t newest)
{
	return b->p->conf.serial == SERIAL_UNIXTIME ? serial_by_time(newest, b->now_s) : serial_next(newest);
}

/* ---- zones that come and go ---- */

/* Of a zone that comes back: what it was served with before must be older. */
static err_t
add_soa(const struct batch *b, struct zone_builder *builder, const struct update_rr *rr, uint32_t ttl)
{
	const struct zone_rr found = { .owner = rr->owner, .type = rr->type, .ttl = ttl, .rdlen = rr->rdlen, .rdata = rr->rdata };
	const struct mark *m = marks_find(&b->p->marks, rr->owner);
	struct soa_copy c;
	struct soa soa;
	TRY(rdata_read_soa(rr->rdata, rr->rdlen, &soa));
	TRY(copy_soa(&c, &found));
	if (m != NULL && !serial_is_newer(soa.serial, m->serial)) {
		put_serial(&c, serial_after(b, m->serial));
	}
	return zone_builder_add(builder, rr->owner, rr->type, ttl, c.rdata, c.rdlen);
}

static err_t
build_zone(const struct batch *b, const struct update *u, const uint8_t *apex, struct findings *f, struct zone **out)
{
	struct zone_builder *builder = NULL;
	TRY(zone_builder_new(apex, f, &builder));
	zone_builder_limit(builder, primary_room(b->p));
	err_t err = OK;
	for (size_t i = 0; i < u->changes_n && err == OK; i++) {
		const struct update_rr *rr = &u->changes[i];
		if (rr->rrclass == CLASS_IN) {
			uint32_t ttl = rr->ttl <= DNS_TTL_MAX ? rr->ttl : 0;
			err = rr->type == TYPE_SOA ? add_soa(b, builder, rr, ttl)
			                           : zone_builder_add(builder, rr->owner, rr->type, ttl, rr->rdata, rr->rdlen);
		}
	}
	if (err == OK) {
		err = zone_builder_finish(builder, out);
	}
	zone_builder_free(&builder);
	if (err == OK) {
		err = zone_check(*out, f);
	}
	return err == OK && f->errors != 0 ? E_FORMAT : err;
}

static const char *
first_error(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].level == DIAG_ERROR) {
			return f->list[i].text;
		}
	}
	return "the result would be no zone";
}

/* Are all changes at or below the name? */
static bool
is_all_within(const struct update *u, const uint8_t *apex)
{
	for (size_t i = 0; i < u->changes_n; i++) {
		if (!name_is_within(u->changes[i].owner, apex)) {
			return false;
		}
	}
	return true;
}

static err_t
create(struct batch *b, struct update_task *t, const uint8_t *apex, enum batch_taken *out)
{
	struct findings f = { 0 };
	struct zone *z = NULL;
	err_t err = build_zone(b, &t->update, apex, &f, &z);
	if (err == E_FORMAT) {
		*out = settle(t, RCODE_REFUSED, EDE_INVALID_DATA, first_error(&f));
		err = OK;
	} else if (err == OK) {
		char path[NAME_TEXT_MAX];
		struct name name;
		source_file_name(apex, path);
		name_set(&name, apex);
		struct file *file = file_new(path, SOURCE_ZONE, &name);
		struct work *w = file != NULL ? add_work(b, file) : NULL;
		if (w != NULL) {
			w->is_new = true;
			w->made = z;
			w->new = z;
			z = NULL;
			*out = pend(b, t);
		} else {
			err = E_NOMEM;
			if (file != NULL) {
				file_free(b->p, file);
			}
		}
	}
	zone_free(&z);
	findings_fini(&f);
	return err;
}

static err_t
add_creation(struct batch *b, struct update_task *t, const uint8_t *apex, enum batch_taken *out)
{
	const struct file *there = primary_file_of(b->p, apex);
	struct update_verdict v;
	const char *why;
	char path[NAME_TEXT_MAX];
	source_file_name(apex, path);
	TRY(judge(t, NULL, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = settle(t, v.rcode, v.ede, v.why);
	} else if (!is_writable(b->p, there, &why)) {
		*out = settle(t, RCODE_SERVFAIL, EDE_NOT_READY, why);
	} else if ((why = batch_zone_trouble(b, t, path)) != NULL) {
		*out = settle(t, RCODE_REFUSED, EDE_PROHIBITED, why);
	} else if (!is_all_within(&t->update, apex)) {
		*out = settle(t, RCODE_NOTZONE, EDE_NONE, "an update that makes a zone has records of that zone alone");
	} else {
		b->is_closed = true;
		return create(b, t, apex, out);
	}
	return OK;
}

/* The valve that holds back zones which a commit removes (auth/primary.h), for one that removes one; with those that are held already,
 * as other primaries count them. */
static bool
is_one_too_many(const struct primary *p)
{
	size_t removed = 1;
	for (size_t i = 0; i < p->files_n; i++) {
		removed += p->files[i]->hold == HOLD_GONE;
	}
	return primary_holds_removals(&p->conf, removed, view_zones_n(p->views.latest));
}

static err_t
add_removal(struct batch *b, struct update_task *t, struct file *f, enum batch_taken *out)
{
	struct update_verdict v;
	[[gnu::cleanup(zone_txn_rollback)]] struct zone_txn *txn = NULL;
	TRY(zone_txn_begin(f->zone, &txn));
	TRY(judge(t, txn, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = settle(t, v.rcode, v.ede, v.why);
		return OK;
	}
	if (is_one_too_many(b->p)) {
		*out = settle(t, RCODE_REFUSED, EDE_PROHIBITED,
		              "would remove too many of the zones (--mass-delete-zones-percent): " HOLD_MEANT);
		return OK;
	}
	if (batch_is_read_by_others(b, f, f->path)) {
		*out = settle(t, RCODE_REFUSED, EDE_PROHIBITED, "another zone includes the zone's file");
		return OK;
	}
	struct work *w = add_work(b, f);
	if (w == NULL) {
		return E_NOMEM;
	}
	b->is_closed = true;
	w->is_removal = true;
	*out = pend(b, t);
	return OK;
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

/* What a task would do to which file. */
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

/* What only removes records leads out of want of memory. */
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

/* Is it one zone too many for what the batch has already? */
static bool
is_zone_too_many(const struct batch *b, const struct file *f)
{
	bool is_known = b->works_n == 0 || f == NULL || f->zone == NULL;
	for (size_t i = 0; i < b->works_n && !is_known; i++) {
		is_known = b->works[i].file == f;
	}
	return !is_known && (b->works_n >= BATCH_ZONES_CHANGED_MAX || b->zones_cost + f->zone->records > BATCH_ZONES_RECORDS_MAX);
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
		*out = settle(t, RCODE_SERVFAIL, EDE_OTHER, "there is no memory for more records (--memory-max)");
		return OK;
	}
	b->cost += 1 + t->update.prerequisites_n + BATCH_CHANGE_COST * t->update.changes_n;
	if (a.purpose == PURPOSE_CREATE) {
		return add_creation(b, t, a.apex, out);
	}
	if (!is_writable(b->p, a.file, &why)) {
		*out = settle(t, RCODE_SERVFAIL, EDE_NOT_READY, why);
	} else if (a.file == NULL || a.file->zone == NULL) {
		*out = settle(t, RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE,
		              b->p->conf.zones_by_update || !is_soa_added(&t->update)
		                      ? "no such zone here"
		                      : "no such zone here, and updates make none (--zones-by-update)");
	} else if (a.purpose == PURPOSE_REMOVE) {
		return add_removal(b, t, a.file, out);
	} else if (a.file->zone->is_signed) {
		*out = settle(t, RCODE_REFUSED, EDE_NOT_SUPPORTED, "the zone is signed elsewhere: its signatures would not fit any more");
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
	    !is_writable(b->p, f, &why)) {
		return E_NOTFOUND;
	}
	if (is_zone_too_many(b, f)) {
		return E_BUSY;
	}
	TRY(work_of(b, f, &w));
	w->is_forced = true;
	return OK;
}

/* ---- the next versions ---- */

/* Unless an update has raised it. */
static err_t
raise_serial(const struct batch *b, struct work *w)
{
	const uint8_t *apex = w->file->apex.oct;
	uint32_t newest = history_newest_serial(w->file->zone);
	struct soa_copy c;
	struct soa soa;
	TRY(zone_txn_each(w->txn, apex, TYPE_SOA, copy_soa, &c));
	TRY(rdata_read_soa(c.rdata, c.rdlen, &soa));
	if (serial_is_newer(soa.serial, newest)) {
		return OK;
	}
	TRY(zone_txn_remove(w->txn, apex, TYPE_SOA, c.rdata, c.rdlen));
	put_serial(&c, serial_after(b, newest));
	return zone_txn_add(w->txn, apex, TYPE_SOA, c.ttl, c.rdata, c.rdlen);
}

/* E_FORMAT: what came of it must not be served; *why says so. */
static err_t
check_version(const struct work *w, struct diag *why)
{
	struct findings f = { 0 };
	err_t err = zone_check(w->new, &f);
	if (err == OK && f.errors != 0) {
		diag_set(why, DIAG_ERROR, "update", "%s", first_error(&f));
		err = E_FORMAT;
	}
	findings_fini(&f);
	return err;
}

static err_t
make_version(const struct batch *b, struct work *w, struct diag *why)
{
	TRY(zone_txn_is_effective(w->txn, &w->is_effective));
	w->is_effective |= w->is_forced;
	if (!w->is_effective) {
		return OK;
	}
	TRY(raise_serial(b, w));
	diag_set(why, DIAG_ERROR, "update", "the result would be no zone");
	err_t err = zone_txn_prepare(w->txn, &w->new);
	if (err == E_LIMIT) {
		diag_set(why, DIAG_ERROR, "update", "a name would have records of more than %u types, or a set more than %u",
		         NODE_RRSETS_MAX, RRSET_RRS_MAX);
	}
	TRY(err);
	TRY(zone_changes_of(w->txn, &w->changes));
	return check_version(w, why);
}

static err_t
prepare_work(struct batch *b, struct work *w, unsigned *rcode, struct diag *why)
{
	*rcode = RCODE_REFUSED;
	if (w->txn != NULL) {
		TRY(make_version(b, w, why));
	} else {
		w->is_effective = true;
	}
	*rcode = RCODE_SERVFAIL;
	TRY(w->is_effective ? batch_edit(b, w, why) : OK);
	if (batch_is_overgrown(&w->edit)) {
		*rcode = RCODE_REFUSED;
		diag_set(why, DIAG_ERROR, "update", "no update makes a file larger than 100 MiB");
		return E_REFUSED;
	}
	return OK;
}

static err_t
list_files(struct batch *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->works_n; i++) {
		n += b->works[i].edit.n;
	}
	b->files = try_alloc(n * sizeof *b->files);
	if (b->files == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < b->works_n; i++) {
		const struct edit *e = &b->works[i].edit;
		for (size_t k = 0; k < e->n; k++) {
			const struct edit_file *f = &e->files[k];
			b->files[b->files_n++] = (struct batch_file){ .path = f->path, .text = f->text, .len = f->len };
		}
	}
	return OK;
}

err_t
batch_prepare(struct batch *b, unsigned *rcode, int *ede, char text[UPDATE_ANSWER_TEXT_MAX])
{
	struct diag why = { .text = "" };
	bool is_effective = false;
	for (size_t i = 0; i < b->works_n; i++) {
		err_t err = prepare_work(b, &b->works[i], rcode, &why);
		if (err == E_FORMAT || err == E_REFUSED || err == E_LIMIT) {
			*ede = *rcode == RCODE_REFUSED ? EDE_INVALID_DATA : EDE_OTHER;
			update_text_put(text, "%s", why.text);
			return E_REFUSED;
		}
		TRY(err);
		is_effective |= b->works[i].is_effective;
	}
	if (!is_effective) {
		return E_NOTFOUND;
	}
	TRY(list_files(b));
	return batch_say(b);
}

const struct batch_file *
batch_files(const struct batch *b, size_t *n)
{
	*n = b->files_n;
	return b->files;
}

const char *
batch_message(const struct batch *b)
{
	return str_text(&b->message);
}

/* ---- accepted ---- */

static void
keep_texts(struct batch *b)
{
	for (size_t i = 0; i < b->files_n; i++) {
		const struct batch_file *f = &b->files[i];
		if (f->text != NULL) {
			texts_put(&b->p->texts, f->path, f->text, f->len);
		} else {
			texts_drop(&b->p->texts, f->path);
		}
	}
	texts_trim(&b->p->texts);
}

err_t
batch_accept(struct batch *b, const char *id, const struct view **out, struct discard **old)
{
	struct accepted *list = try_alloc(b->works_n * sizeof *list);
	size_t n = 0;
	if (list == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < b->works_n; i++) {
		struct work *w = &b->works[i];
		if (w->is_effective) {
			list[n++] = (struct accepted){
				.file = w->file, .is_new = w->is_new, .is_removal = w->is_removal,
				.zone = w->made != NULL ? w->made : (struct zone *)(uintptr_t)w->new,
				.txn = w->txn != NULL ? &w->txn : NULL, .changes = &w->changes,
			};
		}
	}
	err_t err = primary_accept(b->p, list, n, id, b->now_s, out, old);
	free(list);
	if (err != OK) {
		return err;
	}
	keep_texts(b);
	for (size_t i = 0; i < b->works_n; i++) {
		b->works[i].made = NULL; /* the primary has them now */
		b->works[i].is_new = false;
	}
	return OK;
}
