#include "net/follow_views.h"

#include "net/env.h"
#include "net/report_follow.h"

static void
publish(struct follow_views *v, const uint8_t *zone, struct secondary_step *step)
{
	atomic_store(&v->octets, secondary_octets(v->secondary));
	if (v->served == NULL) {
		discard_free(&step->old);
	} else {
		served_publish(v->served, step->view, step->old);
		notify_out_on_changed(v->notify);
		v->published(v->ctx);
	}
	if (v->changed != NULL) {
		v->changed(v->ctx, zone);
	}
}

static err_t
reserve(struct follow_views *v)
{
	return v->served != NULL ? served_reserve(v->served) : OK;
}

static err_t
take(void *ctx, const uint8_t *zone, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	struct follow_views *v = ctx;
	struct secondary_step step;
	bool is_whole = *whole != NULL;
	TRY(reserve(v));
	TRY(secondary_take(v->secondary, zone, whole, changes, net_wall_s(), version, &step));
	publish(v, zone, &step);
	report_follow_flaws(v->log, *version, is_whole);
	return OK;
}

static err_t
show(void *ctx, const uint8_t *zone, enum follow_presence presence)
{
	struct follow_views *v = ctx;
	struct secondary_step step;
	TRY(reserve(v));
	TRY(secondary_show(v->secondary, zone, presence, net_wall_s(), &step));
	publish(v, zone, &step);
	if (presence == FOLLOW_FORGOTTEN) {
		zone_store_forget(v->store, zone);
	}
	return OK;
}

static err_t
restore(void *ctx, const uint8_t *zone, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
        const struct zone **version)
{
	struct follow_views *v = ctx;
	struct secondary_step step;
	TRY(reserve(v));
	TRY(secondary_restore(v->secondary, zone, whole, presence, changed_s, net_wall_s(), version, &step));
	publish(v, zone, &step);
	return OK;
}

static err_t
belongs(void *ctx, const uint8_t *zone, const uint8_t *catalog)
{
	struct follow_views *v = ctx;
	return secondary_belongs(v->secondary, zone, catalog);
}

static void
report(void *ctx, const struct follow_report *r)
{
	struct follow_views *v = ctx;
	report_follow(v->log, r);
	zone_store_on_report(v->store, r);
}

static size_t
octets_max(void *ctx)
{
	const struct follow_views *v = ctx;
	return secondary_room(v->secondary);
}

void
follow_views_serve(struct follow_views *v, struct follower_conf *machine)
{
	machine->octets_max = octets_max;
	machine->io.take = take;
	machine->io.show = show;
	machine->io.restore = restore;
	machine->io.belongs = belongs;
	machine->io.report = report;
	machine->io.ctx = v;
}

void
follow_views_show_unknown(struct follow_views *v, const uint8_t *domain)
{
	err_t err = show(v, domain, FOLLOW_UNKNOWN);
	(void)err;
}

void
follow_views_restore(struct follow_views *v, struct follower *f)
{
	zone_store_restore(v->store, f, octets_max, v);
}
