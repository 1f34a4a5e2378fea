/* Logs the counters that all daemons have. */
#include "bin/daemon.h"
#include "net/served.h"
#include "ops/log_ring.h"
#include "ops/log_syslog.h"

void
daemon_log_stats(const struct daemon *d, struct served *served, size_t zones_octets)
{
	struct net_stats s;
	front_sum(&d->front, &s);
	net_stats_add(&s, &d->beside);
	const struct server_stats *q = &s.server;
	const struct served_kept kept = served_kept(served);
	unsigned long suppressed = (unsigned long)atomic_load_explicit(&d->log_limits.suppressed, memory_order_relaxed);
	log_event(&d->log, LOG_LEVEL_INFO, "stats",
	          "udp_queries=%lu tcp_queries=%lu noerror=%lu formerr=%lu servfail=%lu nxdomain=%lu notimp=%lu refused=%lu "
	          "notauth=%lu badcookie=%lu cookie_good=%lu cookie_bad=%lu cookie_new=%lu limited_data=%lu "
	          "limited_referral=%lu limited_denial=%lu limited_expansion=%lu limited_error=%lu slipped=%lu truncated=%lu dropped=%lu "
	          "oversized=%lu send_failed=%lu notify_accepted=%lu "
	          "notify_unsigned=%lu notify_denied=%lu tsig_failed=%lu transfers=%lu transfers_cut=%lu transfer_denied=%lu "
	          "versions_kept=%zu octets_kept=%zu zones_octets=%zu zones_octets_max=%zu tcp_accepted=%lu tcp_refused=%lu "
	          "tcp_idle_closed=%lu tcp_evicted=%lu tcp_open=%u log_dropped=%llu log_suppressed=%lu syslog_lost=%llu",
	          q->queries[TRANSPORT_UDP], q->queries[TRANSPORT_TCP], q->rcode[RCODE_NOERROR], q->rcode[RCODE_FORMERR],
	          q->rcode[RCODE_SERVFAIL], q->rcode[RCODE_NXDOMAIN], q->rcode[RCODE_NOTIMP], q->rcode[RCODE_REFUSED],
	          q->rcode[RCODE_NOTAUTH], q->rcode[RCODE_BADCOOKIE], q->cookies[COOKIE_GOOD], q->cookies[COOKIE_BAD],
	          q->cookies[COOKIE_NEW], q->limited[RATE_DATA], q->limited[RATE_REFERRAL], q->limited[RATE_DENIAL],
	          q->limited[RATE_EXPANSION], q->limited[RATE_ERROR], q->slipped, q->truncated, q->dropped, s.oversized, s.send_failed,
	          q->events[EVENT_NOTIFY_ACCEPTED], q->events[EVENT_NOTIFY_UNSIGNED], q->events[EVENT_NOTIFY_DENIED],
	          q->events[EVENT_TSIG_FAILED], s.transfers, s.transfers_cut, q->events[EVENT_TRANSFER_DENIED],
	          kept.versions, kept.octets, zones_octets, d->opts->zones_octets_max, s.accepted, s.refused,
	          s.idle_closed, s.evicted, front_connections(&d->front), (unsigned long long)log_ring_dropped(d->log.ring), suppressed,
	          (unsigned long long)log_syslog_lost(d->log.syslog));
}
