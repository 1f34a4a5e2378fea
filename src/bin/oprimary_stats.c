/* Logs the counters. */
#include "bin/oprimary.h"

static unsigned long
read_counter(const _Atomic uint64_t *c)
{
	return (unsigned long)atomic_load_explicit(c, memory_order_relaxed);
}

static void
log_pull_stats(const struct oprimary *p)
{
	const struct puller *puller = &p->loader.puller;
	log_event(&p->daemon.log, LOG_LEVEL_INFO, "pull-stats", "pulls=%lu notify_repeated=%lu", read_counter(&puller->pulls),
	          read_counter(&puller->notify_repeated));
}

static void
log_update_stats(const struct oprimary *p)
{
	const struct updater_stats *u = updater_stats(p->loader.updates.updater);
	const struct inbox_stats in = inbox_stats(p->inbox);
	unsigned long repeated = read_counter(&u->repeated) + in.repeated;
	log_event(&p->daemon.log, LOG_LEVEL_INFO, "update-stats",
	          "accepted=%lu over_limit=%lu over_key_limit=%lu waiting=%u commits=%lu updated=%lu refused=%lu failed=%lu again=%lu "
	          "repeated=%lu unanswered=%lu",
	          in.accepted, in.over_limit, in.over_key_limit, in.waiting, read_counter(&u->commits), read_counter(&u->updates),
	          read_counter(&u->refused), read_counter(&u->failed), read_counter(&u->again), repeated,
	          read_counter(&u->unanswered));
}

void
oprimary_log_stats(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	daemon_log_stats(d, p->served, atomic_load(&p->loader.zones_octets));
	log_pull_stats(p);
	log_update_stats(p);
	notify_out_log_stats(&p->notify);
}
