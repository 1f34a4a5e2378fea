/* What osecondary tells by --metrics.  What becomes of each zone is known on the following thread alone, which adds it. */
#include "bin/osecondary.h"
#include "bin/survey.h"

enum { SHARE_MS = 2000 };

const struct chart secondary_charts[OSECONDARY_CHARTS] = {
	{ .title = "Requests", .unit = "a second", .metric = M_QUERIES, .kind = CHART_RATE, .per_s = 1 },
	{ .title = "Questions to primaries", .unit = "a minute", .metric = M_FOLLOW_QUESTIONS, .kind = CHART_RATE, .per_s = 60 },
	{ .title = "Oldest refresh", .unit = "s ago", .metric = M_ZONE_REFRESHED_AGE, .kind = CHART_MOST },
};

static void
put_view(struct survey *s, struct osecondary *o)
{
	struct served_pin *pin;
	const struct view *v = served_pin(o->views.served, &pin);
	survey_zones(s, v, false);
	served_unpin(o->views.served, &pin);
}

/* The follower is there as long as the monitor's thread, which ends first. */
static void
put_follower(struct survey *s, struct osecondary *o)
{
	struct follower_stats stats;
	pthread_mutex_lock(&o->lock);
	struct net_follow *follow = o->follow;
	pthread_mutex_unlock(&o->lock);
	net_follow_stats(follow, &stats);
	survey_follower(s, &stats, net_follow_notices_dropped(follow));
}

bool
secondary_survey(struct daemon *d, struct survey **survey)
{
	struct osecondary *o = d->ctx;
	const struct server_conf *conf = &o->opts.daemon.server;
	struct survey *s = *survey;
	struct notifier_stats n;
	put_view(s, o);
	put_follower(s, o);
	survey_answering(s, d);
	survey_memory(s, d, o->views.served, atomic_load(&o->views.octets));
	net_notify_stats(o->notify.net, &n);
	survey_notifier(s, &n);
	if (conf->kept != NULL) {
		struct kept_state kept = { 0 };
		conf->kept(conf->kept_ctx, &kept);
		survey_kept(s, &kept);
	}
	return survey_share_ask(&o->share, survey, SHARE_MS, secondary_wake, o);
}

static void
add_followed(void *ctx, struct survey *s)
{
	const struct net_follow *follow = ctx;
	const struct now now = net_now();
	survey_followed(s, net_follow_machine(follow), &now);
}

void
secondary_survey_serve(struct osecondary *o, struct net_follow *follow)
{
	survey_share_serve(&o->share, add_followed, follow);
}
