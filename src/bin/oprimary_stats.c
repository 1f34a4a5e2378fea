/* Logs the counters. */
#include "bin/oprimary.h"

#include "ops/log_ring.h"

static unsigned long
read_counter(const _Atomic uint64_t *c)
{
	return (unsigned long)atomic_load_explicit(c, memory_order_relaxed);
}

static void
log_stats(const struct oprimary *p)
{
	struct net_stats s;
	front_sum(&p->daemon.front, &s);
	const struct server_stats *q = &s.server;
	const struct served_kept kept = served_kept(p->served);
	const struct puller *puller = &p->loader.puller;
	log_event(&p->daemon.log, LOG_LEVEL_INFO, "stats",
	          "udp_queries=%lu tcp_queries=%lu noerror=%lu formerr=%lu servfail=%lu nxdomain=%lu notimp=%lu refused=%lu "
	          "notauth=%lu truncated=%lu dropped=%lu oversized=%lu send_failed=%lu notify_accepted=%lu "
	          "notify_unsigned=%lu notify_denied=%lu notify_repeated=%lu pulls=%lu tsig_failed=%lu transfers=%lu "
	          "transfers_cut=%lu transfer_denied=%lu "
	          "versions_kept=%zu octets_kept=%zu zones_octets=%zu zones_octets_max=%zu tcp_accepted=%lu tcp_refused=%lu "
	          "tcp_idle_closed=%lu tcp_evicted=%lu tcp_open=%u log_dropped=%llu log_suppressed=%lu",
	          q->queries[TRANSPORT_UDP], q->queries[TRANSPORT_TCP], q->rcode[RCODE_NOERROR], q->rcode[RCODE_FORMERR],
	          q->rcode[RCODE_SERVFAIL], q->rcode[RCODE_NXDOMAIN], q->rcode[RCODE_NOTIMP], q->rcode[RCODE_REFUSED],
	          q->rcode[RCODE_NOTAUTH], q->truncated, q->dropped, s.oversized, s.send_failed,
	          q->events[EVENT_NOTIFY_ACCEPTED], q->events[EVENT_NOTIFY_UNSIGNED], q->events[EVENT_NOTIFY_DENIED],
	          read_counter(&puller->notify_repeated), read_counter(&puller->pulls), q->events[EVENT_TSIG_FAILED], s.transfers,
	          s.transfers_cut, q->events[EVENT_TRANSFER_DENIED],
	          kept.versions, kept.octets, atomic_load(&p->loader.zones_octets), p->opts.primary.octets_max, s.accepted, s.refused,
	          s.idle_closed, s.evicted, front_connections(&p->daemon.front), (unsigned long long)log_ring_dropped(p->daemon.log.ring),
	          read_counter(&p->daemon.log_limits.suppressed));
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
	log_stats(p);
	log_update_stats(p);
	notify_out_log_stats(&p->notify);
}
