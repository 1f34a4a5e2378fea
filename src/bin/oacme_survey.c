#include "bin/oacme_survey.h"

#include <inttypes.h>
#include <stdio.h>

#include "net/env.h"

enum { SOON_S = 7 * 86400 };

const struct chart oacme_charts[OACME_CHARTS] = {
	{ .title = "Jobs under way", .unit = "", .metric = M_CERTIFICATE_JOBS, .kind = CHART_SUM },
	{ .title = "Tries failed in a row", .unit = "", .metric = M_CERTIFICATE_FAILURES, .kind = CHART_SUM },
	{ .title = "Oldest refresh", .unit = "s ago", .metric = M_ZONE_REFRESHED_AGE, .kind = CHART_MOST },
};

void
oacme_survey_any(struct survey *s, struct net_follow *follow)
{
	struct follower_stats stats;
	net_follow_stats(follow, &stats);
	survey_follower(s, &stats, net_follow_notices_dropped(follow));
}

/* ---- certificates ---- */

static int64_t
left_s(const struct survey *s, const struct certifier_state *c)
{
	return (int64_t)c->not_after_s - (int64_t)s->taken_s;
}

static enum survey_level
level_of(const struct survey *s, const struct certifier_state *c)
{
	bool is_ending = c->has_cert && left_s(s, c) < SOON_S && c->tries != 0;
	return is_ending || (c->has_cert && left_s(s, c) < 0) ? SURVEY_BAD
	       : !c->has_cert || c->trouble[0] != '\0' ? SURVEY_DOUBTFUL : SURVEY_GOOD;
}

static void
put_row(struct survey_list *l, const char *host, const struct certifier_state *c)
{
	char left[SURVEY_AGE_MAX] = "no certificate", next[SURVEY_AGE_MAX] = "", tries[16] = "";
	if (c->has_cert) {
		int64_t seconds = left_s(l->s, c);
		(void)survey_age(seconds > 0 ? (uint64_t)seconds : 0, left);
	}
	if (c->next_s != 0) {
		(void)survey_age(c->next_s, next);
	}
	if (c->tries != 0) {
		(void)snprintf(tries, sizeof tries, "%u", c->tries);
	}
	const char *const cells[] = { host, left, c->action, next, tries };
	survey_row(l->s, l->table, level_of(l->s, c), cells, c->trouble);
}

static void
look_at(void *ctx, const struct certifier_state *c)
{
	struct survey_list *l = ctx;
	char host[NAME_TEXT_MAX];
	if (!survey_list_takes(l, level_of(l->s, c))) {
		return;
	}
	(void)name_show(c->host, host);
	if (c->has_cert) {
		metrics_put_1(l->s->metrics, M_CERTIFICATE_LEFT, host, (double)left_s(l->s, c));
	}
	metrics_put_1(l->s->metrics, M_CERTIFICATE_FAILURES, host, c->tries);
	put_row(l, host, c);
}

static void
put_certificates(struct survey *s, const struct certifier *certifier, const struct now *now)
{
	struct metrics *m = s->metrics;
	const struct certifier_stats *n = certifier_stats(certifier);
	struct survey_list l = { .s = s, .most = SURVEY_HOSTS_MAX, .is_trouble_wanted = true };
	l.table = survey_table(s, "Certificates", (const char *const[]){ "Host", "Time left", "Next", "In", "Failed tries", NULL });
	certifier_each(certifier, now, look_at, &l);
	l.is_trouble_wanted = false;
	certifier_each(certifier, now, look_at, &l);
	metrics_put(m, M_CERTIFICATE_HOSTS, (double)n->hosts);
	metrics_put(m, M_CERTIFICATE_JOBS, (double)n->jobs);
	metrics_put_1(m, M_CERTIFICATE_ORDERS, "begun", (double)n->begun);
	metrics_put_1(m, M_CERTIFICATE_ORDERS, "issued", (double)n->issued);
	metrics_put_1(m, M_CERTIFICATE_ORDERS, "failed", (double)n->failed);
	metrics_put(m, M_CERTIFICATES_LEFT_OUT, (double)(n->hosts - l.listed));
	survey_factf(s, SURVEY_GOOD, "Certificates", "names: %" PRIu64 "; jobs under way: %" PRIu64, n->hosts, n->jobs);
	survey_factf(s, SURVEY_GOOD, "Orders", "%" PRIu64 " begun, %" PRIu64 " issued, %" PRIu64 " failed", n->begun, n->issued, n->failed);
}

void
oacme_survey_own(struct survey *s, const struct certifier *certifier, const struct net_follow *follow, const struct view *view)
{
	const struct now now = net_now();
	put_certificates(s, certifier, &now);
	survey_zones(s, view, false);
	survey_followed(s, net_follow_machine(follow), &now);
}
