/* Takes in updates that make or remove a zone: each is a batch of its own. */
#include "auth/batch_p.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/check.h"

/* ---- making a zone ---- */

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
			err = rr->type == TYPE_SOA ? batch_put_soa(b, builder, rr, ttl)
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

/* True when all changes are at or below the apex. */
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
		*out = batch_settle(t, RCODE_REFUSED, EDE_INVALID_DATA, batch_first_error(&f));
		err = OK;
	} else if (err == OK) {
		char path[NAME_TEXT_MAX];
		struct name name;
		source_file_name(apex, path);
		name_set(&name, apex);
		struct file *file = file_new(path, SOURCE_ZONE, &name);
		struct work *w = file != NULL ? batch_add_work(b, file) : NULL;
		if (w != NULL) {
			w->is_new = true;
			w->made = z;
			w->new = z;
			z = NULL;
			*out = batch_pend(b, t);
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

err_t
batch_add_creation(struct batch *b, struct update_task *t, const uint8_t *apex, enum batch_taken *out)
{
	const struct file *there = primary_file_of(b->p, apex);
	struct update_verdict v;
	const char *why;
	char path[NAME_TEXT_MAX];
	source_file_name(apex, path);
	TRY(batch_judge(t, NULL, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = batch_settle(t, v.rcode, v.ede, v.why);
	} else if (!batch_is_writable(b->p, there, &why)) {
		*out = batch_settle(t, RCODE_SERVFAIL, EDE_NOT_READY, why);
	} else if ((why = batch_zone_trouble(b, t, apex, path)) != NULL) {
		*out = batch_settle(t, RCODE_REFUSED, EDE_PROHIBITED, why);
	} else if (!is_all_within(&t->update, apex)) {
		*out = batch_settle(t, RCODE_NOTZONE, EDE_NONE, "an update that makes a zone can have records of that zone only");
	} else {
		b->is_closed = true;
		return create(b, t, apex, out);
	}
	return OK;
}

/* ---- removing a zone ---- */

/* True when removing one more zone would pass the limit for removed zones in a commit (auth/primary.h).  Zones whose removal is
 * already held back are counted, because other primaries count them, too. */
static bool
is_one_too_many(const struct primary *p)
{
	size_t removed = 1;
	for (size_t i = 0; i < p->files_n; i++) {
		removed += p->files[i]->hold == HOLD_GONE;
	}
	return primary_holds_removals(&p->conf, removed, view_zones_n(p->views.latest));
}

err_t
batch_add_removal(struct batch *b, struct update_task *t, struct file *f, enum batch_taken *out)
{
	struct update_verdict v;
	[[gnu::cleanup(zone_txn_rollback)]] struct zone_txn *txn = NULL;
	TRY(zone_txn_begin(f->zone, &txn));
	TRY(batch_judge(t, txn, &v));
	if (v.rcode != RCODE_NOERROR) {
		*out = batch_settle(t, v.rcode, v.ede, v.why);
		return OK;
	}
	if (is_one_too_many(b->p)) {
		*out = batch_settle(t, RCODE_REFUSED, EDE_PROHIBITED,
		                    "would remove too many of the zones (--mass-delete-zones-percent): " HOLD_MEANT);
		return OK;
	}
	if (batch_is_read_by_others(b, f, f->path)) {
		*out = batch_settle(t, RCODE_REFUSED, EDE_PROHIBITED, "another zone includes the zone's file");
		return OK;
	}
	struct work *w = batch_add_work(b, f);
	if (w == NULL) {
		return E_NOMEM;
	}
	b->is_closed = true;
	w->is_removal = true;
	*out = batch_pend(b, t);
	return OK;
}
