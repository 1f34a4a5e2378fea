/* oprimary: an authoritative DNS primary that serves the files of a git repository. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/oprimary_load.h"
#include "bin/oprimary_opts.h"
#include "git/side.h"
#include "net/front.h"
#include "net/notify_out.h"
#include "net/report.h"
#include "ops/clock.h"
#include "ops/health.h"
#include "ops/log_ring.h"
#include "ops/memory.h"
#include "ops/privs.h"
#include "ops/ready.h"
#include "ops/signals.h"

const char *argp_program_version = CLI_VERSION("oprimary");

enum {
	/* Descriptors besides those that the front has: links, files of a commit, notifications. */
	FILES_OTHERS = 64 + NOTIFY_OUT_FILES,
	EXIT_GIT_LOST = 3,       /* the service manager starts us anew */
	WATCHDOG_SHARE = 3,      /* the service manager hears of us so often within its time (sd_watchdog_enabled(3) says twice) */
	LOADER_END_MS = 400,     /* a commit that takes longer is not waited for when we are to end */
	LOG_END_MS = 1000,       /* a reader of the log that takes nothing for so long is not waited for either */
};

struct daemon {
	struct opts opts;
	struct log log;
	struct diag diag;        /* why a stage failed */
	struct front front;
	struct git_side git;
	struct primary *primary;
	struct served *served;
	struct inbox *inbox;
	struct loader loader;
	struct notify_out notify;
	struct net_env env;
	struct log_limits log_limits;
	bool is_settled;         /* the loader's: the first pull has come to its end */
	bool is_ready;           /* the loader's: zones are served */
	bool is_failure_told;    /* the git side has printed why the start came to nothing, or a signal ended it */
	int exit_status;         /* then */
	_Atomic int status;      /* with which to end; CLI_OK: nothing is wrong */
	struct health health;
	atomic_bool is_loader_silent; /* nothing can be pulled or written */
	uint64_t watchdog_told_ms; /* when the service manager last heard that all is well */
	bool is_well;            /* every thread beats */
	const char *git_trouble; /* static; NULL: the git side is alive */
	bool is_stuck, is_log_stuck; /* a thread runs on: what it uses is not freed */
};

/* ---- what workers report ---- */

/* There is no place for one more update: said at once, and signed. */
static size_t
refuse_update(struct daemon *d, const struct net_request *r, unsigned rcode, const char *why, uint8_t *resp, size_t cap)
{
	struct update_task t;
	update_task_init(&t, r->bytes, r->len, &r->from->peer, r->now_s);
	size_t n = 0;
	if (update_task_open_unread(&t, r->view) == OK) {
		update_task_settle(&t, rcode, EDE_OTHER, "%s", why);
		n = update_task_answer(&t, &d->opts.daemon.server, r->now_s, resp, cap);
	}
	update_task_fini(&t);
	return n;
}

/* Returns the length of an answer, or 0: it comes when the update is in git. */
static size_t
take_update(struct daemon *d, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	if (atomic_load_explicit(&d->is_loader_silent, memory_order_relaxed)) {
		return refuse_update(d, r, RCODE_SERVFAIL, "the thread that takes updates hangs", resp, cap);
	}
	switch (inbox_put(d->inbox, r->from, &out->key, out->mac, r->now_s, r->bytes, r->len)) {
	case OK:
		return 0;
	case E_EXISTS: /* the first one is answered */
		return_path_send(r->from, NULL, 0);
		return 0;
	case E_BUSY:
		return refuse_update(d, r, RCODE_REFUSED, "too many updates of this key wait already", resp, cap);
	default:
		return refuse_update(d, r, RCODE_REFUSED, "too many updates wait already", resp, cap);
	}
}

static size_t
on_request_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	struct daemon *d = ctx;
	if (out->event == EVENT_AHEAD) { /* the loader knows what to say of it */
		notify_out_on_ahead(&d->notify, r, out);
		return 0;
	}
	if (out->event == EVENT_NOTIFY_ACCEPTED && !puller_on_notify(&d->loader.puller, out->mac)) {
		return 0;
	}
	report_request(&d->log, &r->from->peer, out);
	if (out->event == EVENT_SUBSCRIBED) {
		notify_out_on_secondary(&d->notify, r, out);
	}
	return out->event == EVENT_UPDATE ? take_update(d, r, out, resp, cap) : 0;
}

static void
on_response(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct daemon *d = ctx;
	notify_out_on_response(&d->notify, conn, bytes, len);
}

static void
on_closed(void *ctx, uint64_t conn)
{
	struct daemon *d = ctx;
	notify_out_on_closed(&d->notify, conn);
}

static void
on_transferred(void *ctx, const struct net_transferred *t)
{
	struct daemon *d = ctx;
	report_transfer(&d->log, t);
}

static void
on_evicted(void *ctx, const struct peer *peer, enum seat_rank rank)
{
	struct daemon *d = ctx;
	report_evicted(&d->log, peer, rank);
}

/* By the loader: the main thread is to end, with that status. */
static void
end_with(struct daemon *d, int status)
{
	atomic_store(&d->status, status);
	kill(getpid(), SIGTERM);
}

/* By the loader.  The service manager is told READY=1 when the first pull has come to its end, whatever it brought: the sockets are open,
 * what is missing is tried again by itself, and others that wait for us would gain nothing by waiting for the remote.  Its
 * STATUS, and our log, do not say so before there are zones. */
static void
on_settled(void *ctx, size_t zones, const char *status)
{
	struct daemon *d = ctx;
	bool is_first = !d->is_settled, is_now_ready = !d->is_ready && zones != 0;
	d->is_settled = true;
	d->is_ready |= zones != 0;
	if (is_first && zones == 0 && d->opts.exit_on_failure) {
		log_event(&d->log, LOG_LEVEL_ERROR, "start-failed", "stage=%s text=%s", "zones", status);
		end_with(d, CLI_FAILED);
		return;
	}
	ready_notify("%sSTATUS=%s", is_first ? "READY=1\n" : "", status);
	if (is_now_ready) {
		log_event(&d->log, LOG_LEVEL_INFO, "ready", "status=%s", status);
	} else if (is_first) {
		log_event(&d->log, LOG_LEVEL_WARNING, "started-without-zones", "status=%s hint=%s", status,
		          "every query is refused or fails until there are some");
	}
}

/* By the loader. */
static void
on_lost(void *ctx)
{
	end_with(ctx, EXIT_GIT_LOST);
}

static bool
is_deaf(const void *ctx)
{
	const struct daemon *d = ctx;
	return !git_side_is_up(&d->git) || atomic_load_explicit(&d->is_loader_silent, memory_order_relaxed);
}

/* By the loader and workers: a version has no reader any more. */
static void
on_unpinned(void *ctx)
{
	struct daemon *d = ctx;
	loader_wake(&d->loader);
}

/* By the loader: transfers are to end, since they keep too much. */
static void
on_revoked(void *ctx)
{
	struct daemon *d = ctx;
	front_end_revoked(&d->front);
}

static void
discard(void *old)
{
	struct discard *d = old;
	discard_free(&d);
}

static size_t
octets_of(const void *old)
{
	return discard_octets(old);
}

/* ---- stages ---- */

static err_t
ready_up(struct daemon *d)
{
	(void)d;
	ready_open();
	return OK;
}

static err_t
files_up(struct daemon *d)
{
	return front_allow_files(&d->front, FILES_OTHERS, &d->diag);
}

static err_t
listen_up(struct daemon *d)
{
	return front_open(&d->front, &d->diag);
}

static void
listen_down(struct daemon *d)
{
	front_close(&d->front);
}

static unsigned long long
mib(uint64_t octets)
{
	return octets >> 20;
}

static void
log_memory(const struct daemon *d)
{
	const struct opts *o = &d->opts;
	log_event(&d->log, LOG_LEVEL_INFO, "memory", "max_mib=%llu from=%s zones_mib=%llu fetch_mib=%llu", mib(o->daemon.memory.octets),
	          o->daemon.memory.from, mib(o->primary.octets_max), mib(o->git.memory_max));
}

static err_t
git_up(struct daemon *d)
{
	const struct keeper_secrets secrets = secrets_for_keeper(&d->opts.secrets);
	err_t err = git_side_start(&d->git, &d->opts.git, &secrets, d->opts.daemon.user, &d->exit_status, &d->diag);
	d->is_failure_told = err == E_REFUSED;
	TRY(err);
	log_event(&d->log, LOG_LEVEL_INFO, "starting", "version=%s remote=%s", ORIGIN_VERSION, d->git.shown);
	log_memory(d);
	return OK;
}

static void
git_down(struct daemon *d)
{
	git_side_stop(&d->git);
}

/* Who answers strangers is nobody who may do anything, also when nobody was named. */
static err_t
privs_up(struct daemon *d)
{
	struct privs_who who = { 0 };
	char user[PRIVS_NAME_MAX];
	bool is_unnamed_root = d->opts.daemon.user == NULL && geteuid() == 0;
	if (d->opts.daemon.user != NULL) {
		TRY(privs_find(d->opts.daemon.user, &who, &d->diag));
	} else if (is_unnamed_root && privs_find_unprivileged(&who) == OK) {
		is_unnamed_root = false;
	}
	TRY(privs_drop(&who, &d->diag));
	privs_print(&who, user);
	log_event(&d->log, is_unnamed_root ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "privileges",
	          "user=%s capabilities=none git_user=%s git_capabilities=%s hint=%s", user, d->git.user,
	          d->git.is_file_root ? "dac_override,fowner" : "none",
	          is_unnamed_root ? "there is neither a user origin nor nobody: make one, or give --user" : "");
	return OK;
}

/* From here on nobody waits for the reader of the log. */
static err_t
log_up(struct daemon *d)
{
	return log_ring_start(&d->log, &d->log.ring);
}

static void
log_down(struct daemon *d)
{
	d->is_log_stuck = !log_ring_end(d->log.ring, LOG_END_MS);
	if (!d->is_log_stuck && !d->is_stuck) { /* which may be about to write a line */
		log_ring_free(&d->log.ring);
	}
}

static err_t
view_up(struct daemon *d)
{
	d->opts.daemon.server.is_deaf = is_deaf;
	d->opts.daemon.server.deaf_ctx = d;
	const struct primary_log log = loader_primary_log(&d->loader);
	d->primary = primary_new(&d->opts.primary, &log);
	d->served = served_new(&(struct served_conf){
		.first = primary_view(d->primary), /* of no zones: answers say "not ready" */
		.octets_max = d->opts.daemon.kept_octets_max, .release = discard, .octets = octets_of,
		.unpinned = on_unpinned, .revoked = on_revoked, .ctx = d,
	});
	notify_out_init(&d->notify);
	d->inbox = inbox_new(d->opts.update_queue, d->opts.updates_per_key, updater_request_octets(), loader_wake, &d->loader);
	d->env = (struct net_env){
		.served = d->served,
		.conf = &d->opts.daemon.server,
		.handle = server_handle,
		.event = on_request_event,
		.transferred = on_transferred,
		.evicted = on_evicted,
		.response = on_response,
		.closed = on_closed,
		.ctx = d,
	};
	return OK;
}

static void
view_down(struct daemon *d)
{
	if (d->is_stuck) {
		return; /* it is still at it; the process ends in a moment */
	}
	inbox_free(&d->inbox);
	notify_out_fini(&d->notify);
	served_free(&d->served);
	primary_free(&d->primary);
}

static err_t
workers_up(struct daemon *d)
{
	return front_start(&d->front, &d->env, &d->diag);
}

static void
workers_down(struct daemon *d)
{
	if (!d->is_stuck) { /* it may be about to answer by way of them */
		front_stop(&d->front);
	}
}

static err_t
loader_up(struct daemon *d)
{
	d->loader.log = &d->log;
	d->loader.git = &d->git;
	d->loader.served = d->served;
	d->loader.primary = d->primary;
	d->loader.conf = &d->opts.daemon.server;
	d->loader.inbox = d->inbox;
	d->loader.serial = d->opts.primary.serial;
	d->loader.settled = on_settled;
	d->loader.lost = on_lost;
	d->loader.notify = &d->notify;
	d->loader.ctx = d;
	return loader_start(&d->loader);
}

static err_t
notify_up(struct daemon *d)
{
	d->notify.log = &d->log;
	d->notify.served = d->served;
	d->notify.workers = d->front.tcp;
	d->notify.wake = loader_wake;
	d->notify.is_put_off = loader_puts_off;
	d->notify.ahead = loader_on_ahead;
	d->notify.ctx = &d->loader;
	d->notify.whom = d->opts.notify;
	d->notify.is_loopback_kept = d->opts.is_notify_default;
	return notify_out_start(&d->notify, d->front.conf.listen, d->front.conf.listen_n, &d->diag);
}

static void
notify_down(struct daemon *d)
{
	if (d->is_stuck) {
		notify_out_silence(&d->notify);
	} else {
		notify_out_stop(&d->notify);
	}
}

static void
loader_down(struct daemon *d)
{
	git_side_close(&d->git);
	d->is_stuck = !loader_join(&d->loader, LOADER_END_MS) || !d->is_well;
}

static err_t
health_up(struct daemon *d)
{
	struct health *h = &d->health;
	h->log = &d->log;
	d->is_well = true;
	front_watch(&d->front, h);
	health_add(h, "notifier", 0, notify_out_pulse(&d->notify), HEALTH_SILENT_MAX_MS, NULL);
	health_add(h, "loader", 0, &d->loader.pulse, HEALTH_LOADER_MAX_MS, &d->is_loader_silent);
	return OK;
}

static void
health_down(struct daemon *d)
{
	health_fini(&d->health);
}

/* Brought up in this order, torn down in reverse.  A stage that fails has cleaned up after itself.
 * Nothing above "privileges" reads bytes that came from the network or from the repository, and nothing
 * above "log" starts a thread: fork and credentials would not go with them. */
static const struct stage {
	const char *name;
	err_t (*up)(struct daemon *);
	void (*down)(struct daemon *); /* NULL: nothing to undo */
} stages[] = {
	{ "git process", git_up, git_down },     /* it alone has secrets, and touches what the remote sends */
	{ "service manager", ready_up, NULL },   /* its socket may be out of reach later */
	{ "open files", files_up, NULL },
	{ "listeners", listen_up, listen_down }, /* port 53 needs privilege */
	{ "privileges", privs_up, NULL },
	{ "views", view_up, view_down },
	{ "log", log_up, log_down },
	{ "workers", workers_up, workers_down },
	{ "notifier", notify_up, notify_down },
	{ "loader", loader_up, loader_down },
	{ "health", health_up, health_down },
};

/* ---- running ---- */

static unsigned long
read_counter(const _Atomic uint64_t *c)
{
	return (unsigned long)atomic_load_explicit(c, memory_order_relaxed);
}

static void
log_stats(const struct daemon *d)
{
	struct net_stats s;
	front_sum(&d->front, &s);
	const struct server_stats *q = &s.server;
	const struct served_kept kept = served_kept(d->served);
	const struct puller *p = &d->loader.puller;
	log_event(&d->log, LOG_LEVEL_INFO, "stats",
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
	          read_counter(&p->notify_repeated), read_counter(&p->pulls), q->events[EVENT_TSIG_FAILED], s.transfers,
	          s.transfers_cut, q->events[EVENT_TRANSFER_DENIED],
	          kept.versions, kept.octets, atomic_load(&d->loader.zones_octets), d->opts.primary.octets_max, s.accepted, s.refused,
	          s.idle_closed, s.evicted, front_connections(&d->front), (unsigned long long)log_ring_dropped(d->log.ring),
	          read_counter(&d->log_limits.suppressed));
}

static void
log_update_stats(const struct daemon *d)
{
	const struct updater_stats *u = updater_stats(d->loader.updates.updater);
	const struct inbox_stats in = inbox_stats(d->inbox);
	unsigned long repeated = read_counter(&u->repeated) + in.repeated;
	log_event(&d->log, LOG_LEVEL_INFO, "update-stats",
	          "accepted=%lu over_limit=%lu over_key_limit=%lu waiting=%u commits=%lu updated=%lu refused=%lu failed=%lu again=%lu "
	          "repeated=%lu unanswered=%lu",
	          in.accepted, in.over_limit, in.over_key_limit, in.waiting, read_counter(&u->commits), read_counter(&u->updates),
	          read_counter(&u->refused), read_counter(&u->failed), read_counter(&u->again), repeated,
	          read_counter(&u->unanswered));
}

static void
pull(struct daemon *d, const char *why)
{
	log_event(&d->log, LOG_LEVEL_INFO, "pull", "why=%s", why);
	puller_want(&d->loader.puller, PULL_FOR_NEWS);
}

static void
on_signal(struct daemon *d, int number)
{
	if (number == SIGHUP) {
		pull(d, "SIGHUP");
	} else if (number == SIGUSR1) {
		log_stats(d);
		log_update_stats(d);
		notify_out_log_stats(&d->notify);
	}
}

static bool
is_git_side_well(struct daemon *d, uint64_t now_ms)
{
	const char *trouble = git_side_look(&d->git, now_ms);
	if (trouble != NULL && trouble != d->git_trouble) {
		log_event(&d->log, LOG_LEVEL_ERROR, "git-side-unwell", "text=%s", trouble);
	}
	d->git_trouble = trouble;
	return trouble == NULL;
}

/* The service manager hears that all is well only when it is. */
static void
look_after(struct daemon *d)
{
	uint64_t now_ms = clock_ms(), watchdog_ms = ready_watchdog_ms();
	d->is_well = health_look(&d->health, now_ms);
	bool are_all_well = is_git_side_well(d, now_ms) && d->is_well;
	if (watchdog_ms != 0 && are_all_well && now_ms - d->watchdog_told_ms >= watchdog_ms / WATCHDOG_SHARE) {
		d->watchdog_told_ms = now_ms;
		ready_notify("WATCHDOG=1");
	}
}

static uint64_t
poll_due(const struct daemon *d)
{
	return d->opts.poll_s != 0 ? clock_ms() + 1000u * d->opts.poll_s : UINT64_MAX;
}

/* Until a signal ends it; returns that. */
static int
run(struct daemon *d)
{
	const sigset_t set = signals_held();
	uint64_t share_ms = ready_watchdog_ms() / WATCHDOG_SHARE, next_poll_ms = poll_due(d);
	uint64_t step_ms = share_ms != 0 && share_ms < PULSE_PERIOD_MS ? share_ms : PULSE_PERIOD_MS;
	const struct timespec step = { .tv_sec = (time_t)(step_ms / 1000), .tv_nsec = (long)(step_ms % 1000 * 1000000) };
	for (;;) {
		look_after(d);
		int n = sigtimedwait(&set, NULL, &step);
		if (n == SIGTERM || n == SIGINT) {
			return n;
		}
		on_signal(d, n);
		if (clock_ms() >= next_poll_ms) {
			log_event(&d->log, LOG_LEVEL_DEBUG, "pull", "why=%s", "poll");
			puller_want(&d->loader.puller, PULL_FOR_NEWS);
			next_poll_ms = poll_due(d);
		}
	}
}

int
main(int argc, char **argv)
{
	static struct daemon d; /* large, and threads refer to it to the end */
	signals_hold(); /* first of all: one that comes early waits until there is somebody to take it */
	cli_init();
	cli_forbid_core();
	memory_begin();
	signals_let_end(); /* complaints about options are not the log's: they wait for their reader */
	int status = opts_read(&d.opts, argc, argv);
	signals_hold();
	if (status != CLI_OK) {
		return status;
	}

	log_init(&d.log, d.opts.daemon.log_level);
	d.log.limits = &d.log_limits;
	front_init(&d.front, &d.opts.daemon.front, &d.log);
	err_t err = OK;
	size_t up = 0;
	while (up < ARRAY_LEN(stages) && (err = stages[up].up(&d)) == OK) {
		up++;
	}
	if (err == OK) {
		int n = run(&d);
		ready_notify("STOPPING=1");
		const char *why = d.status != CLI_OK ? "see the error before" : n == SIGINT ? "SIGINT" : "SIGTERM";
		log_event(&d.log, LOG_LEVEL_INFO, "stopping", "why=%s", why);
		log_stats(&d);
		log_update_stats(&d);
		notify_out_log_stats(&d.notify);
	} else if (!d.is_failure_told) {
		log_event(&d.log, LOG_LEVEL_ERROR, "start-failed", "stage=%s text=%s hint=%s", stages[up].name,
		          d.diag.text[0] != '\0' ? d.diag.text : err_str(err), d.diag.hint);
	}
	while (up-- > 0) {
		if (stages[up].down != NULL) {
			stages[up].down(&d);
		}
	}
	opts_fini(&d.opts);
	if (d.is_stuck || d.is_log_stuck) {
		_exit(d.status); /* no destructors under a thread that still runs */
	}
	return err == OK ? d.status : d.is_failure_told ? d.exit_status : CLI_FAILED;
}
