/* osecondary: an authoritative DNS secondary, which follows primaries by zone transfers. */
#include "bin/osecondary.h"

#include <argp.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/monitor.h"
#include "bin/views.h"
#include "image/image.h"
#include "net/report_follow.h"

const char *argp_program_version = CLI_VERSION("osecondary");

enum {
	/* descriptors besides those of the front */
	FILES = 64 + NOTIFY_OUT_FILES + NET_FOLLOW_FILES + NET_FORWARD_FILES + ZONE_STORE_FILES + MONITOR_FILES,
	FOLLOW_END_MS = 400,     /* how long to wait at the end for the following thread, which may be making a large zone */
	STORE_END_MS = 4000,     /* the same for a slow disk */
};

/* ---- views ---- */

/* Until the follower has asked, nobody knows which names in the keys' domains are ours; and workers answer before it runs.  Nobody reads
 * a view yet. */
static err_t
make_first_view(struct osecondary *s)
{
	for (size_t i = 0; i < s->opts.sources_n; i++) {
		follow_views_show_unknown(&s->views, s->opts.sources[i].domain);
	}
	if (s->opts.catalogs.n != 0) { /* they may list any zone */
		follow_views_show_unknown(&s->views, name_root);
	}
	const struct net_follow_conf conf = secondary_follow_conf(s);
	TRY(net_follow_new(&conf, &s->follow, &s->daemon.diag));
	follow_views_restore(&s->views, net_follow_machine(s->follow));
	return OK;
}

static err_t
views_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	struct follow_views *v = &s->views;
	const struct secondary_conf conf = { .followed = s->opts.catalogs.list, .followed_n = s->opts.catalogs.n,
		                             .octets_max = d->opts->zones_octets_max };
	v->secondary = secondary_new(&conf, s->opts.keys);
	s->opts.keys = NULL; /* the views have them now */
	v->notify = &s->notify;
	v->log = &d->log;
	v->published = secondary_tell;
	v->ctx = s;
	secondary_forward_up(s);
	err_t err = make_first_view(s);
	if (err != OK) {
		net_forward_free(&s->forward);
		secondary_free(&v->secondary);
		return err;
	}
	v->served = views_new(d, secondary_view(v->secondary), secondary_wake);
	s->opts.daemon.server.uses = &s->uses;
	notify_out_init(&s->notify);
	d->env = secondary_env(s);
	return OK;
}

static void
views_down(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	if (!d->is_stuck) {
		(void)net_follow_stop(&s->follow, 0); /* it is here only if it was not started */
		notify_out_fini(&s->notify);
		net_forward_free(&s->forward);
		served_free(&s->views.served);
		secondary_free(&s->views.secondary);
	}
}

/* ---- notifications, and the following thread ---- */

static err_t
notifier_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	struct notify_out *n = &s->notify;
	n->wake = secondary_wake;
	n->ctx = s;
	n->pulse = &s->pulse;
	return notify_up(d, &s->opts.notify, s->views.served, n);
}

static void
notifier_down(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	notify_down(d, &s->notify);
}

static void
set_follow(struct osecondary *s, struct net_follow *follow)
{
	pthread_mutex_lock(&s->lock);
	s->follow = follow;
	pthread_mutex_unlock(&s->lock);
}

static err_t
follow_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	secondary_tell(s);
	return net_follow_start(s->follow, &d->diag);
}

static void
follow_down(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	struct net_follow *follow = s->follow;
	if (d->is_stuck) {
		return; /* the monitor's thread may be about to ask it */
	}
	set_follow(s, NULL);
	d->is_stuck |= !net_follow_stop(&follow, FOLLOW_END_MS);
}

static err_t
writer_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	return zone_store_start(s->views.store, s->views.served);
}

/* After the following thread, which marks what is to be written. */
static void
writer_down(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	d->is_stuck |= !zone_store_stop(s->views.store, STORE_END_MS);
}

static err_t
store_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	struct privs_who user;
	if (s->opts.state_dir == NULL) {
		return OK;
	}
	TRY(daemon_find_user(d, &user));
	const struct zone_store_conf conf = { .path = s->opts.state_dir, .user = &user, .bounds = &s->opts.bounds, .log = &d->log };
	TRY(zone_store_open(&conf, &s->views.store, &d->diag));
	s->opts.daemon.server.kept = zone_store_tell;
	s->opts.daemon.server.kept_ctx = s->views.store;
	return OK;
}

static void
store_down(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	if (!d->is_stuck) {
		zone_store_free(&s->views.store);
	}
}

/* The ports of primaries; and that of secondaries, which only keys name. */
static void
sandbox(struct daemon *d, struct sandbox_conf *c)
{
	const struct osecondary *s = d->ctx;
	for (size_t i = 0; i < s->opts.sources_n; i++) {
		sandbox_add_port(c, s->opts.sources[i].port);
	}
	if (s->opts.notify.whom != NOTIFY_WHOM_NONE) {
		sandbox_add_port(c, NOTIFY_PORT);
	}
	if (s->views.store != NULL) {
		c->role = SANDBOX_STORE;
		sandbox_add_dir(c, zone_store_dir(s->views.store));
	}
}

static err_t
health_up(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	TRY(daemon_health_up(d));
	health_add(&d->health, "notifier", 0, notify_out_pulse(&s->notify), HEALTH_SILENT_MAX_MS, NULL);
	health_add(&d->health, "follower", 0, net_follow_pulse(s->follow), HEALTH_LOADER_MAX_MS, NULL);
	return OK;
}

/* ---- the program ---- */

static void
log_stats(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	daemon_log_stats(d, s->views.served, atomic_load(&s->views.octets));
	notify_out_log_stats(&s->notify);
	struct follower_stats stats;
	net_follow_stats(s->follow, &stats);
	report_follow_stats(&d->log, &stats, net_follow_notices_dropped(s->follow));
	net_forward_log_stats(s->forward);
	zone_store_log_stats(s->views.store);
}

/* The state of each zone, which the following thread knows. */
static void
log_state(struct daemon *d)
{
	struct osecondary *s = d->ctx;
	atomic_store(&s->is_state_wanted, true);
	secondary_wake(s);
}

/* Before any stage that may have something to log. */
static err_t
start_up(struct daemon *d)
{
	const struct osecondary *s = d->ctx;
	log_event(&d->log, LOG_LEVEL_INFO, "starting", "version=%s keys=%zu sources=%zu", ORIGIN_VERSION, keystore_count(s->opts.keys),
	          s->opts.sources_n);
	return OK;
}

static const struct daemon_stage stages[] = {
	DAEMON_STAGE_SYSLOG,
	{ "start", start_up, NULL },
	DAEMON_STAGE_MANAGER,
	DAEMON_STAGE_FILES,
	DAEMON_STAGE_LISTEN,
	DAEMON_STAGE_MONITOR_LISTEN,
	{ "state", store_up, store_down },
	DAEMON_STAGE_PRIVS,
	DAEMON_STAGE_SANDBOX,
	{ "views", views_up, views_down },
	DAEMON_STAGE_GUARD,
	DAEMON_STAGE_LOG,
	DAEMON_STAGE_WORKERS,
	{ "notifier", notifier_up, notifier_down },
	{ "writer", writer_up, writer_down },
	{ "follower", follow_up, follow_down },
	{ "health", health_up, daemon_health_down },
	DAEMON_STAGE_MONITOR,
};

static const struct daemon_program program = {
	.name = "osecondary",
	.stages = stages, .stages_n = ARRAY_LEN(stages), .sandbox = sandbox, .files = FILES, .log_stats = log_stats,
	.log_state = log_state,
	.survey = secondary_survey, .charts = secondary_charts, .charts_n = OSECONDARY_CHARTS,
};

int
main(int argc, char **argv)
{
	/* static because it is large, and because threads use it until the end */
	static struct osecondary s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	if (image_is_here()) {
		image_run("osecondary");
	}
	daemon_begin();
	survey_share_init(&s.share);
	int status = secondary_opts_read(&s.opts, argc, argv);
	if (status == CLI_OK) {
		s.daemon = (struct daemon){ .program = &program, .opts = &s.opts.daemon, .ctx = &s };
		status = daemon_run(&s.daemon);
	}
	secondary_opts_fini(&s.opts);
	survey_share_fini(&s.share);
	return status;
}
