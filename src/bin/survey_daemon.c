/* What a survey says of the process, of answering, and of those that notify and follow: out of counters that are there anyway. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "auth/follower.h"
#include "auth/notifier.h"
#include "bin/daemon.h"
#include "bin/survey.h"
#include "dns/rrtype.h"
#include "net/served.h"
#include "ops/log_ring.h"
#include "ops/log_syslog.h"

/* ---- the process ---- */

static double
cpu_seconds(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* The second number of the file, in octets (proc(5)).  0: not to be had. */
static uint64_t
resident_octets(int fd)
{
	char text[128];
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : -1;
	unsigned long all, resident;
	if (n <= 0) {
		return 0;
	}
	text[n] = '\0';
	return sscanf(text, "%lu %lu", &all, &resident) == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void
put_log(struct survey *s, const struct daemon *d)
{
	metrics_put_1(s->metrics, M_LOG_LOST, "reader", (double)log_ring_dropped(d->log.ring));
	metrics_put_1(s->metrics, M_LOG_LOST, "syslog", (double)log_syslog_lost(d->log.syslog));
	metrics_put_1(s->metrics, M_LOG_LOST, "limit", (double)atomic_load_explicit(&d->log_limits.suppressed, memory_order_relaxed));
}

void
survey_process(struct survey *s, const struct daemon *d, int fd)
{
	char age[SURVEY_AGE_MAX], octets[SURVEY_AGE_MAX];
	const char *stuck = health_stuck(&d->health);
	uint64_t resident = resident_octets(fd);
	metrics_put_2(s->metrics, M_BUILD, d->program->name, ORIGIN_VERSION, 1);
	metrics_put(s->metrics, M_START_TIME, (double)d->started_s);
	metrics_put(s->metrics, M_CPU, cpu_seconds());
	if (resident != 0) {
		metrics_put(s->metrics, M_MEMORY, (double)resident);
	}
	put_log(s, d);
	survey_factf(s, SURVEY_GOOD, "Running", "%s, %s", survey_age(s->taken_s - d->started_s, age), survey_octets(resident, octets));
	if (stuck != NULL) {
		char text[96];
		(void)snprintf(text, sizeof text, "The %s thread hangs: see thread-stuck in the log", stuck);
		survey_set_trouble(s, text);
	}
}

/* ---- answering ---- */

static const char *const transports[] = { [TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp" };

static void
put_types(struct survey *s, const char *transport, const struct server_stats *q)
{
	char text[RRTYPE_TEXT_MAX];
	for (unsigned i = 0; i < SERVER_TYPES_N; i++) {
		const char *type = i == SERVER_TYPES_OTHER ? "other" : rrtype_print(server_type_of_slot(i), text);
		if (q->types[i] != 0) {
			metrics_put_2(s->metrics, M_TYPES, transport, type, (double)q->types[i]);
		}
	}
}

/* The usual ones are there from the beginning, since a rate needs two values. */
static void
put_rcodes(struct survey *s, const char *transport, const struct server_stats *q)
{
	char text[RRTYPE_TEXT_MAX];
	for (unsigned i = 0; i < ARRAY_LEN(q->rcode); i++) {
		if (q->rcode[i] != 0 || i <= RCODE_REFUSED) {
			metrics_put_2(s->metrics, M_RESPONSES, transport, rcode_print(i, false, text), (double)q->rcode[i]);
		}
	}
}

static void
put_transport(struct survey *s, const struct daemon *d, enum transport t)
{
	struct net_stats n;
	front_sum_of(&d->front, t, &n);
	metrics_put_1(s->metrics, M_QUERIES, transports[t], (double)n.server.queries[t]);
	put_types(s, transports[t], &n.server);
	put_rcodes(s, transports[t], &n.server);
	metrics_put_1(s->metrics, M_TRUNCATED, transports[t], (double)n.server.truncated);
}

static void
put_tsig(struct survey *s, const struct server_stats *q)
{
	static const char *const errors[TSIG_FAILURES] = {
		[TSIG_FAILURE_MALFORMED] = "malformed", [TSIG_FAILURE_KEY] = "BADKEY", [TSIG_FAILURE_SIGNATURE] = "BADSIG",
		[TSIG_FAILURE_TIME] = "BADTIME", [TSIG_FAILURE_TRUNCATED] = "BADTRUNC",
	};
	for (unsigned i = 0; i < TSIG_FAILURES; i++) {
		metrics_put_1(s->metrics, M_TSIG_FAILURES, errors[i], (double)q->tsig_failures[i]);
	}
}

static void
put_limited(struct survey *s, const struct server_stats *q)
{
	static const char *const kinds[RATE_KINDS] = {
		[RATE_DATA] = "data", [RATE_REFERRAL] = "referral", [RATE_DENIAL] = "denial", [RATE_EXPANSION] = "expansion",
		[RATE_ERROR] = "error",
	};
	for (unsigned i = 0; i < RATE_KINDS; i++) {
		metrics_put_1(s->metrics, M_LIMITED, kinds[i], (double)q->limited[i]);
	}
	metrics_put(s->metrics, M_LIMITED_SLIPPED, (double)q->slipped);
}

static void
put_requests(struct survey *s, const struct net_stats *n)
{
	struct metrics *m = s->metrics;
	const uint64_t *events = n->server.events;
	put_tsig(s, &n->server);
	put_limited(s, &n->server);
	metrics_put_1(m, M_COOKIES, "good", (double)n->server.cookies[COOKIE_GOOD]);
	metrics_put_1(m, M_COOKIES, "bad", (double)n->server.cookies[COOKIE_BAD]);
	metrics_put_1(m, M_COOKIES, "new", (double)n->server.cookies[COOKIE_NEW]);
	metrics_put_1(m, M_DROPPED, "malformed", (double)n->server.dropped);
	metrics_put_1(m, M_DROPPED, "oversized", (double)n->oversized);
	metrics_put_1(m, M_DROPPED, "not-sent", (double)n->send_failed);
	metrics_put_1(m, M_DENIED, "transfer", (double)events[EVENT_TRANSFER_DENIED]);
	metrics_put_1(m, M_DENIED, "update", (double)events[EVENT_UPDATE_DENIED]);
	metrics_put_1(m, M_NOTIFIES, "accepted", (double)events[EVENT_NOTIFY_ACCEPTED]);
	metrics_put_1(m, M_NOTIFIES, "unsigned", (double)events[EVENT_NOTIFY_UNSIGNED]);
	metrics_put_1(m, M_NOTIFIES, "denied", (double)events[EVENT_NOTIFY_DENIED]);
	metrics_put(m, M_TRANSFERS_OUT, (double)n->transfers);
	metrics_put(m, M_TRANSFERS_OUT_CUT, (double)n->transfers_cut);
	metrics_put_histogram(m, M_ANSWER_TIME, &n->answering, &net_answering_bounds);
}

static void
put_connections(struct survey *s, const struct daemon *d, const struct net_stats *n)
{
	struct metrics *m = s->metrics;
	metrics_put(m, M_TCP_CONNECTIONS, front_connections(&d->front));
	metrics_put(m, M_TCP_CONNECTIONS_LIMIT, d->front.conf.tcp_max);
	metrics_put(m, M_TCP_ACCEPTED, (double)n->accepted);
	metrics_put_1(m, M_TCP_CLOSED, "refused", (double)n->refused);
	metrics_put_1(m, M_TCP_CLOSED, "idle", (double)n->idle_closed);
	metrics_put_1(m, M_TCP_CLOSED, "evicted", (double)n->evicted);
}

void
survey_answering(struct survey *s, const struct daemon *d)
{
	struct net_stats n;
	put_transport(s, d, TRANSPORT_UDP);
	put_transport(s, d, TRANSPORT_TCP);
	front_sum(&d->front, &n);
	net_stats_add(&n, &d->beside);
	put_requests(s, &n);
	put_connections(s, d, &n);
	survey_factf(s, SURVEY_GOOD, "Requests", "%lu by UDP, %lu by TCP; connections: %u", n.server.queries[TRANSPORT_UDP],
	             n.server.queries[TRANSPORT_TCP], front_connections(&d->front));
}

void
survey_memory(struct survey *s, const struct daemon *d, struct served *served, size_t zones_octets)
{
	struct metrics *m = s->metrics;
	metrics_put(m, M_ZONES_MEMORY, (double)zones_octets);
	metrics_put(m, M_ZONES_MEMORY_LIMIT, (double)d->opts->zones_octets_max);
	if (served != NULL) {
		const struct served_kept kept = served_kept(served);
		metrics_put(m, M_KEPT_VERSIONS, (double)kept.versions);
		metrics_put(m, M_KEPT_MEMORY, (double)kept.octets);
	}
}

/* ---- others ---- */

void
survey_notifier(struct survey *s, const struct notifier_stats *n)
{
	static const char *const ways[NOTIFY_TRANSPORTS] = {
		[NOTIFY_OVER_TCP] = "tcp", [NOTIFY_OVER_UDP] = "udp", [NOTIFY_OVER_CONN] = "connection",
	};
	static const char *const outcomes[NOTIFY_OUTCOMES] = {
		[NOTIFY_ACKNOWLEDGED] = "acknowledged", [NOTIFY_REFUSED] = "refused", [NOTIFY_GAVE_UP] = "gave-up",
		[NOTIFY_LOST] = "lost", [NOTIFY_PUT_OFF] = "put-off", [NOTIFY_UNVERIFIED] = "unverified",
		[NOTIFY_UNANSWERED] = "unanswered", [NOTIFY_UNREACHED] = "unreached",
	};
	metrics_put(s->metrics, M_NOTIFY_PENDING, (double)n->pending);
	for (unsigned i = 0; i < NOTIFY_TRANSPORTS; i++) {
		metrics_put_1(s->metrics, M_NOTIFY_SENT, ways[i], (double)n->sent[i]);
	}
	for (unsigned i = 0; i < NOTIFY_OUTCOMES; i++) {
		metrics_put_1(s->metrics, M_NOTIFY_OUTCOMES, outcomes[i], (double)n->outcomes[i]);
	}
	survey_factf(s, SURVEY_GOOD, "Notifications pending", "%lu", n->pending);
}

void
survey_follower(struct survey *s, const struct follower_stats *f, uint64_t notices_dropped)
{
	struct metrics *m = s->metrics;
	metrics_put_1(m, M_TRANSFERS_IN, "begun", (double)f->transfers);
	metrics_put_1(m, M_TRANSFERS_IN, "whole", (double)f->whole_again);
	metrics_put_1(m, M_TRANSFERS_IN, "failed", (double)f->failed);
	metrics_put_1(m, M_FOLLOWED, "waiting", (double)f->waiting);
	metrics_put_1(m, M_FOLLOWED, "asking", (double)f->asking);
	metrics_put_1(m, M_FOLLOWED, "transferring", (double)f->transferring);
	metrics_put_1(m, M_FOLLOWED, "resting", (double)(f->zones - f->waiting - f->asking - f->transferring));
	metrics_put_1(m, M_FOLLOW_QUESTIONS, "udp", (double)f->datagrams);
	metrics_put_1(m, M_FOLLOW_QUESTIONS, "tcp", (double)(f->questions - f->datagrams));
	metrics_put(m, M_FOLLOW_LINKS, (double)f->links);
	metrics_put(m, M_FOLLOW_LINKS_FAILED, (double)f->links_failed);
	metrics_put_1(m, M_FOLLOW_NOTIFIES, "taken", (double)f->notices);
	metrics_put_1(m, M_FOLLOW_NOTIFIES, "ignored", (double)f->notices_ignored);
	metrics_put_1(m, M_FOLLOW_NOTIFIES, "dropped", (double)notices_dropped);
	survey_factf(s, SURVEY_GOOD, "Primaries", "connections: %lu; zones followed: %lu", f->links, f->zones);
}
