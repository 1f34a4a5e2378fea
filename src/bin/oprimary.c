/* oprimary: an authoritative DNS primary that serves the files of a git repository. */
#include "bin/oprimary.h"

#include <argp.h>

#include "auth/primary.h"
#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/monitor.h"
#include "bin/views.h"
#include "image/image.h"

const char *argp_program_version = CLI_VERSION("oprimary");

enum {
	/* descriptors besides those of the front: for links, files of a commit, notifications, metrics */
	FILES = 64 + NOTIFY_OUT_FILES + MONITOR_FILES,
	EXIT_GIT_LOST = 3,             /* the service manager restarts us */
	LOADER_END_MS = 400,           /* how long to wait at the end for the loader, which may be reading a long commit */
};

/* ---- the git side ---- */

static unsigned long long
mib(uint64_t octets)
{
	return octets >> 20;
}

static void
log_start(const struct oprimary *p)
{
	const struct opts *o = &p->opts;
	log_event(&p->daemon.log, LOG_LEVEL_INFO, "starting", "version=%s remote=%s", ORIGIN_VERSION, p->git.shown);
	log_event(&p->daemon.log, LOG_LEVEL_INFO, "memory", "max_mib=%llu from=%s zones_mib=%llu fetch_mib=%llu",
	          mib(o->daemon.memory.octets), o->daemon.memory.from, mib(o->primary.octets_max), mib(o->git.memory_max));
}

static err_t
git_up(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	const struct keeper_secrets secrets = secrets_for_keeper(&p->opts.secrets);
	p->git.sandbox_log = d->opts->has_no_sandbox ? NULL : &d->log;
	err_t err = git_side_start(&p->git, &p->opts.git, &secrets, d->opts->user, &d->failure_status, &d->diag);
	d->is_failure_told = err == E_REFUSED;
	return err;
}

static err_t
start_up(struct daemon *d)
{
	const struct oprimary *p = d->ctx;
	log_start(p);
	if (p->git.sandbox_log != NULL) {
		sandbox_say(&d->log, p->git.role, &p->git.sandbox);
	}
	daemon_say_unlocked(d, "remote", p->git.unlocked);
	return OK;
}

static void
git_down(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	git_side_stop(&p->git);
}

static err_t
privs_up(struct daemon *d)
{
	const struct oprimary *p = d->ctx;
	struct daemon_user user;
	TRY(daemon_become(d, &user));
	log_event(&d->log, user.level, "privileges", "user=%s capabilities=none git_user=%s git_capabilities=%s hint=%s", user.name,
	          p->git.user, p->git.is_file_root ? "dac_override,fowner" : "none", user.hint);
	return OK;
}

static bool
look_at_git_side(struct daemon *d, uint64_t now_ms)
{
	struct oprimary *p = d->ctx;
	const char *trouble = git_side_look(&p->git, now_ms);
	if (trouble != NULL && trouble != p->git_trouble) {
		log_event(&d->log, LOG_LEVEL_ERROR, "git-side-unwell", "text=%s", trouble);
	}
	p->git_trouble = trouble;
	return trouble == NULL;
}

/* A SRV record in a `_secondaries` file may name any port to notify. */
static void
sandbox(struct daemon *d, struct sandbox_conf *c)
{
	const struct oprimary *p = d->ctx;
	c->child = p->git.keeper;
	c->is_any_port = p->opts.notify.whom != NOTIFY_WHOM_NONE;
}

/* ---- views ---- */

/* Called by the loader and by workers: a version has no reader any more. */
static void
on_unpinned(void *ctx)
{
	struct oprimary *p = ctx;
	loader_wake(&p->loader);
}

static err_t
view_up(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	oprimary_fill_server(p);
	primary_state_init(&p->state, p->git.shown);
	const struct primary_log log = loader_primary_log(&p->loader);
	p->primary = primary_new(&p->opts.primary, &log);
	/* a view without zones; answers then say "not ready" */
	p->served = views_new(d, primary_view(p->primary), on_unpinned);
	notify_out_init(&p->notify);
	p->inbox = inbox_new(p->opts.update_queue, p->opts.updates_per_key, updater_request_octets(), loader_wake, &p->loader);
	d->env = oprimary_env(p);
	return OK;
}

static void
view_down(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	if (d->is_stuck) {
		return; /* a thread may still use these; the process ends in a moment */
	}
	inbox_free(&p->inbox);
	notify_out_fini(&p->notify);
	served_free(&p->served);
	primary_free(&p->primary);
	primary_state_fini(&p->state);
}

/* ---- notifications and the loader ---- */

static err_t
notifier_up(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	struct notify_out *n = &p->notify;
	n->wake = loader_wake;
	n->is_put_off = loader_puts_off;
	n->ahead = loader_on_ahead;
	n->reported = loader_on_notified;
	n->ctx = &p->loader;
	n->pulse = &p->loader.pulse;
	return notify_up(d, &p->opts.notify, p->served, n);
}

static void
notifier_down(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	notify_down(d, &p->notify);
}

/* The loader calls these. */

static void
on_settled(void *ctx, size_t zones, const char *status)
{
	struct oprimary *p = ctx;
	daemon_tell_served(&p->daemon, zones, status);
}

static void
on_lost(void *ctx)
{
	struct oprimary *p = ctx;
	daemon_end(&p->daemon, EXIT_GIT_LOST);
}

static err_t
loader_up(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	struct loader *l = &p->loader;
	l->log = &d->log;
	l->git = &p->git;
	l->served = p->served;
	l->primary = p->primary;
	l->conf = &d->opts->server;
	l->inbox = p->inbox;
	l->state = &p->state;
	l->serial = p->opts.primary.serial;
	l->settled = on_settled;
	l->lost = on_lost;
	l->notify = &p->notify;
	l->ctx = p;
	return loader_start(l);
}

static void
loader_down(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	git_side_close(&p->git);
	d->is_stuck |= !loader_join(&p->loader, LOADER_END_MS);
}

static err_t
health_up(struct daemon *d)
{
	struct oprimary *p = d->ctx;
	TRY(daemon_health_up(d));
	health_add(&d->health, "notifier", 0, notify_out_pulse(&p->notify), HEALTH_SILENT_MAX_MS, NULL);
	health_add(&d->health, "loader", 0, &p->loader.pulse, HEALTH_LOADER_MAX_MS, &p->is_loader_silent);
	return OK;
}

/* ---- the program ---- */

static void
pull(struct daemon *d, enum log_level level, const char *why)
{
	struct oprimary *p = d->ctx;
	log_event(&d->log, level, "pull", "why=%s", why);
	puller_want(&p->loader.puller, PULL_FOR_NEWS);
}

static void
on_reload(struct daemon *d)
{
	pull(d, LOG_LEVEL_INFO, "SIGHUP");
}

static void
on_poll(struct daemon *d)
{
	pull(d, LOG_LEVEL_DEBUG, "poll");
}

/* The git process is started first: no sockets exist yet that it would inherit.  Only the git side has secrets, and reads what the remote
 * sends. */
static const struct daemon_stage stages[] = {
	{ "git process", git_up, git_down },
	DAEMON_STAGE_SYSLOG,
	{ "start", start_up, NULL },
	DAEMON_STAGE_MANAGER,
	DAEMON_STAGE_FILES,
	DAEMON_STAGE_LISTEN,
	DAEMON_STAGE_MONITOR_LISTEN,
	{ "privileges", privs_up, NULL },
	DAEMON_STAGE_SANDBOX,
	{ "views", view_up, view_down },
	DAEMON_STAGE_GUARD,
	DAEMON_STAGE_LOG,
	DAEMON_STAGE_WORKERS,
	{ "notifier", notifier_up, notifier_down },
	{ "loader", loader_up, loader_down },
	{ "health", health_up, daemon_health_down },
	DAEMON_STAGE_MONITOR,
};

static const struct daemon_program program = {
	.name = "oprimary",
	.stages = stages,
	.stages_n = ARRAY_LEN(stages),
	.sandbox = sandbox,
	.files = FILES,
	.reload = on_reload,
	.poll = on_poll,
	.log_stats = oprimary_log_stats,
	.look = look_at_git_side,
	.survey = oprimary_survey,
	.charts = oprimary_charts,
	.charts_n = OPRIMARY_CHARTS,
};

int
main(int argc, char **argv)
{
	static struct oprimary p; /* static because it is large, and because threads use it until the end */
	if (image_is_here()) {
		image_run("oprimary");
	}
	daemon_begin();
	int status = opts_read(&p.opts, argc, argv);
	if (status != CLI_OK) {
		return status;
	}
	p.daemon = (struct daemon){
		.program = &program,
		.opts = &p.opts.daemon,
		.ctx = &p,
		.poll_s = p.opts.poll_s,
		.exits_without_zones = p.opts.exit_on_failure,
	};
	status = daemon_run(&p.daemon);
	opts_fini(&p.opts);
	return status;
}
