#include "bin/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/key_memory.h"
#include "crypto/hmac.h"
#include "ops/clock.h"
#include "ops/inherited.h"
#include "ops/log_ring.h"
#include "ops/log_syslog.h"
#include "ops/memory.h"
#include "ops/privs.h"
#include "ops/ready.h"
#include "ops/signals.h"

enum {
	WATCHDOG_SHARE = 3, /* WATCHDOG=1 is sent three times within the service manager's limit (sd_watchdog_enabled(3) says twice) */
	LOG_END_MS = 1000,  /* how long to wait at the end for a reader of the log that takes nothing */
};

/* ---- stages ---- */

err_t
daemon_manager_up(struct daemon *d)
{
	(void)d;
	ready_open();
	return OK;
}

err_t
daemon_syslog_up(struct daemon *d)
{
	const struct monitor_opts *o = &d->opts->monitor;
	const char *why;
	if (o->syslog.len == 0) {
		return OK;
	}
	TRY(log_syslog_open(&o->syslog, d->program->name, &d->log.syslog, &why, &d->diag));
	log_event(&d->log, why == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "syslog", "to=%s text=%s hint=%s", o->syslog_text, why,
	          why == NULL ? "" : "it is tried again with the lines that follow");
	return OK;
}

void
daemon_syslog_down(struct daemon *d)
{
	if (!d->is_stuck && !d->is_log_stuck) { /* else the ring's thread may be about to use it */
		log_syslog_close(&d->log.syslog);
	}
}

err_t
daemon_files_up(struct daemon *d)
{
	return front_allow_files(&d->front, d->program->files, &d->diag);
}

err_t
daemon_listen_up(struct daemon *d)
{
	return front_open(&d->front, &d->diag);
}

void
daemon_listen_down(struct daemon *d)
{
	if (!d->is_stuck) { /* the workers were not stopped then: they may wait at the front's gate */
		front_close(&d->front);
	}
}

/* A process that answers strangers must not be root, even if --user is not given. */
err_t
daemon_find_user(struct daemon *d, struct privs_who *out)
{
	*out = (struct privs_who){ .is_other = false };
	if (d->opts->user != NULL) {
		return privs_find(d->opts->user, out, &d->diag);
	}
	if (geteuid() == 0) {
		err_t err = privs_find_unprivileged(out);
		(void)err; /* there is none: the log says so */
	}
	return OK;
}

err_t
daemon_become(struct daemon *d, struct daemon_user *out)
{
	struct privs_who who;
	TRY(daemon_find_user(d, &who));
	bool is_unnamed_root = d->opts->user == NULL && geteuid() == 0 && !who.is_other;
	TRY(privs_drop(&who, &d->diag));
	privs_print(&who, out->name);
	out->level = is_unnamed_root ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	out->hint = is_unnamed_root ? "there is no user named origin and none named nobody: create one, or give --user" : "";
	return OK;
}

err_t
daemon_privs_up(struct daemon *d)
{
	struct daemon_user user;
	TRY(daemon_become(d, &user));
	log_event(&d->log, user.level, "privileges", "user=%s capabilities=none hint=%s", user.name, user.hint);
	return OK;
}

/* OpenSSL reads its configuration when it is first used. */
static void
begin_crypto(void)
{
	[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
	err_t err = hmac_begin(HMAC_SHA256, (const uint8_t *)"", 0, &h);
	(void)err; /* the first key that is used finds out, too */
}

err_t
daemon_sandbox_up(struct daemon *d)
{
	struct sandbox_conf c = { .role = SANDBOX_SERVER, .log = &d->log };
	struct sandbox_state s;
	if (d->opts->has_no_sandbox) {
		log_event(&d->log, LOG_LEVEL_WARNING, "no-sandbox", "text=%s",
		          "system calls, files and ports are not limited: --no-sandbox is given");
		return OK;
	}
	begin_crypto();
	if (d->program->sandbox != NULL) {
		d->program->sandbox(d, &c);
	}
	if (d->opts->monitor.to.len != 0) {
		sandbox_add_port(&c, listen_port(&d->opts->monitor.to));
	}
	TRY(sandbox_enter(&c, &s, &d->diag));
	sandbox_say(&d->log, c.role, &s);
	return OK;
}

err_t
daemon_log_up(struct daemon *d)
{
	return log_ring_start(&d->log, &d->log.ring);
}

void
daemon_log_down(struct daemon *d)
{
	d->is_log_stuck = !log_ring_end(d->log.ring, LOG_END_MS);
	if (!d->is_log_stuck && !d->is_stuck) { /* a stuck thread may be about to write a line */
		log_ring_free(&d->log.ring);
	}
}

err_t
daemon_workers_up(struct daemon *d)
{
	return front_start(&d->front, &d->env, &d->diag);
}

void
daemon_workers_down(struct daemon *d)
{
	if (!d->is_stuck) { /* a stuck thread may be about to send an answer through them */
		front_stop(&d->front);
	}
}

err_t
daemon_health_up(struct daemon *d)
{
	d->health.log = &d->log;
	d->is_well = true;
	front_watch(&d->front, &d->health);
	return OK;
}

void
daemon_health_down(struct daemon *d)
{
	d->is_stuck |= !d->is_well;
	health_fini(&d->health);
}

/* ---- running ---- */

void
daemon_end(struct daemon *d, int status)
{
	atomic_store(&d->status, status);
	kill(getpid(), SIGTERM);
}

void
daemon_tell_served(struct daemon *d, size_t zones, const char *status)
{
	bool is_first = !d->is_settled, is_now_ready = !d->is_ready && zones != 0;
	d->is_settled = true;
	d->is_ready |= zones != 0;
	if (zones != 0) { /* else they may come in a moment */
		front_answer(&d->front);
	}
	if (is_first && zones == 0 && d->exits_without_zones) {
		log_event(&d->log, LOG_LEVEL_ERROR, "start-failed", "stage=%s text=%s", "zones", status);
		daemon_end(d, CLI_FAILED);
		return;
	}
	ready_notify("%sSTATUS=%s", is_first ? "READY=1\n" : "", status);
	if (is_now_ready) {
		log_event(&d->log, LOG_LEVEL_INFO, "ready", "status=%s", status);
	} else if (is_first) {
		log_event(&d->log, LOG_LEVEL_WARNING, "started-without-zones", "status=%s hint=%s", status,
		          "every query is refused or fails until zones are loaded");
	}
}

void
daemon_tell_transferred(struct daemon *d, size_t zones)
{
	char text[64] = "no zone has been transferred yet";
	if (d->is_settled && zones == d->told_zones) {
		return;
	}
	d->told_zones = zones;
	if (zones != 0) {
		(void)snprintf(text, sizeof text, "%zu %s", zones, zones == 1 ? "zone" : "zones");
	}
	daemon_tell_served(d, zones, text);
}

/* Looks at all threads, and sends WATCHDOG=1 only if all is well. */
static void
look_after(struct daemon *d)
{
	const struct daemon_program *p = d->program;
	uint64_t now_ms = clock_ms(), watchdog_ms = ready_watchdog_ms();
	d->is_well = health_look(&d->health, now_ms);
	front_look(&d->front, now_ms);
	bool is_rest_well = p->look == NULL || p->look(d, now_ms);
	if (watchdog_ms != 0 && is_rest_well && d->is_well && now_ms - d->watchdog_told_ms >= watchdog_ms / WATCHDOG_SHARE) {
		d->watchdog_told_ms = now_ms;
		ready_notify("WATCHDOG=1");
	}
}

void
daemon_say_unlocked(const struct daemon *d, const char *of, int why)
{
	if (why != 0) {
		log_event(&d->log, LOG_LEVEL_WARNING, "secrets-not-locked", "of=%s text=%s hint=%s", of, strerror(why),
		          "they may be written to swap: raise LimitMEMLOCK= or ulimit -l");
	}
}

/* Keys may come at any time, with a commit. */
static void
look_at_secrets(struct daemon *d)
{
	if (!d->is_unlocked_told) {
		int why = key_memory_refused();
		d->is_unlocked_told = why != 0;
		daemon_say_unlocked(d, "keys", why);
	}
}

static void
call(struct daemon *d, void (*function)(struct daemon *d))
{
	if (function != NULL) {
		function(d);
	}
}

static void
on_signal(struct daemon *d, int number)
{
	if (number == SIGHUP) {
		call(d, d->program->reload);
	} else if (number == SIGUSR1) {
		call(d, d->program->log_stats);
		call(d, d->program->log_state);
	}
}

static uint64_t
poll_due(const struct daemon *d)
{
	return d->poll_s != 0 ? clock_ms() + 1000u * d->poll_s : UINT64_MAX;
}

/* How long to wait for a signal before the next look. */
static struct timespec
step(void)
{
	uint64_t share_ms = ready_watchdog_ms() / WATCHDOG_SHARE;
	uint64_t ms = share_ms != 0 && share_ms < PULSE_PERIOD_MS ? share_ms : PULSE_PERIOD_MS;
	return (struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000) };
}

/* Runs until SIGTERM or SIGINT; returns which. */
static int
loop(struct daemon *d)
{
	const sigset_t set = signals_held();
	const struct timespec wait = step();
	uint64_t next_poll_ms = poll_due(d);
	for (;;) {
		look_after(d);
		look_at_secrets(d);
		int n = sigtimedwait(&set, NULL, &wait);
		if (n == SIGTERM || n == SIGINT) {
			return n;
		}
		on_signal(d, n);
		if (clock_ms() >= next_poll_ms) {
			call(d, d->program->poll);
			next_poll_ms = poll_due(d);
		}
	}
}

static void
run(struct daemon *d)
{
	int n = loop(d);
	ready_notify("STOPPING=1");
	const char *why = d->status != CLI_OK ? "see the error before" : n == SIGINT ? "SIGINT" : "SIGTERM";
	log_event(&d->log, LOG_LEVEL_INFO, "stopping", "why=%s", why);
	call(d, d->program->log_stats);
}

/* Brings the stages up in order; then *n of them are up. */
static err_t
bring_up(struct daemon *d, size_t *n)
{
	const struct daemon_program *p = d->program;
	err_t err = OK;
	for (*n = 0; *n < p->stages_n; ++*n) {
		err = p->stages[*n].up(d);
		if (err != OK) {
			break;
		}
	}
	if (err != OK && !d->is_failure_told) {
		log_event(&d->log, LOG_LEVEL_ERROR, "start-failed", "stage=%s text=%s hint=%s", p->stages[*n].name,
		          d->diag.text[0] != '\0' ? d->diag.text : err_str(err), d->diag.hint);
	}
	return err;
}

static void
bring_down(struct daemon *d, size_t n)
{
	while (n-- > 0) {
		call(d, d->program->stages[n].down);
	}
}

void
daemon_begin(void)
{
	signals_hold(); /* first of all: an early signal must wait until somebody takes it */
	inherited_find();
	cli_init();
	privs_hide_memory();
	memory_begin();
	signals_let_end(); /* messages about options are not written by the log, and wait for their reader */
}

int
daemon_run(struct daemon *d)
{
	size_t up;
	signals_hold();
	d->started_s = clock_wall_s();
	log_init(&d->log, d->opts->log_level);
	d->log.limits = &d->log_limits;
	front_init(&d->front, &d->opts->front, &d->log);
	err_t err = bring_up(d, &up);
	if (err == OK) {
		run(d);
	}
	bring_down(d, up);
	if (d->is_stuck || d->is_log_stuck) {
		_exit(d->status); /* no destructors while a thread still runs */
	}
	return err == OK ? d->status : d->is_failure_told ? d->failure_status : CLI_FAILED;
}
