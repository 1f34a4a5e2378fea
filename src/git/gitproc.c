#include "git/gitproc.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "git/gitproc_p.h"
#include "ops/signals.h"

void
tell(struct git_process *g, const struct link_frame *f)
{
	(void)!link_send(g->sock, f);
}

/* The worker has ended, or has to be ended, before it was done: tells the DNS side so. */
static void
child_lost(struct git_process *g, err_t err, const char *why)
{
	child_end(g);
	if (g->state == STATE_PULLING) {
		pull_failed(g, err, 0, why);
	} else if (g->state == STATE_PUSHING) {
		push_failed(g, err, why);
	} else {
		get_lost(g, err, why);
	}
}

/* ---- frames from the worker ---- */

static void
on_worker_frame(struct git_process *g, const struct link_frame *f)
{
	if (g->deadline_ns != 0) {
		g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	}
	if (g->idle_ns != 0) {
		child_idle(g);
	}
	g->child.is_leaving |= f->type == LINK_DONE;
	if (f->type == LINK_NOTE) {
		tell(g, f);
	} else if (g->state == STATE_PULLING) {
		pull_on_frame(g, f);
	} else if (g->state == STATE_PUSHING) {
		push_on_frame(g, f);
	} else if (g->state == STATE_IDLE && f->type == LINK_FAILED) {
		g->is_unkept = true; /* the commit was told, but is not in the clone: the next pull fetches it again */
		pull_failed(g, (err_t)f->status, 0, f->text);
	} else if (f->type == LINK_FILE && g->gets > 0) {
		get_on_file(g, f);
	}
}

static void
on_worker_gone(struct git_process *g)
{
	char why[CHILD_TEXT_MAX];
	enum state state = g->state;
	const char *what = state == STATE_PULLING ? "the process that fetches"
	                   : state == STATE_PUSHING ? "the process that pushes" : "the process that reads the repository";
	bool is_over = (state == STATE_PULLING && pull_again(g, true)) ||
	               (state == STATE_PUSHING && g->risked[0] == '\0' && push_again(g, true));
	if (!is_over) {
		child_end(g); /* gives child_say_end() the status */
		child_lost(g, E_IO, child_say_end(g, what, why));
	}
}

static void
from_worker(struct git_process *g)
{
	struct link_frame f;
	if (link_recv(g->child.sock, &f) != OK) {
		on_worker_gone(g);
		return;
	}
	on_worker_frame(g, &f);
	if (f.fd >= 0) {
		close(f.fd);
	}
}

/* ---- frames from the DNS side ---- */

/* False: the link is gone. */
static bool
from_link(struct git_process *g)
{
	struct link_frame f;
	err_t err = link_recv(g->sock, &f);
	if (err == E_FORMAT || err == E_BUSY) {
		return true;
	}
	if (err != OK) {
		return false;
	}
	if (f.type == LINK_PULL) {
		g->is_wanted = true;
		g->asked = f.pull;
		g->is_whole_wanted |= (f.flags & LINK_WHOLE) != 0;
	} else if (f.type == LINK_GET) {
		get_on_get(g, &f);
	} else if (f.type == LINK_DONE && g->state == STATE_DELIVERED) {
		pull_on_done(g, (err_t)f.status);
	} else if (f.type == LINK_PUSH) {
		push_on_push(g, &f);
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
	return true;
}

/* ---- time ---- */

/* True when a PULL or a PUSH may begin.  All GETs must be answered before, so that their files are of one commit. */
static bool
is_free(const struct git_process *g)
{
	return g->state == STATE_IDLE && g->gets == 0;
}

static bool
is_remote_asked(const struct git_process *g)
{
	return g->state == STATE_PULLING || g->state == STATE_PUSHING;
}

_Static_assert(PUSH_TIMEOUTS_MAX == 10, "the message says \"ten times\"");

static void
on_time(struct git_process *g)
{
	uint64_t now = clock_ns();
	const char *work = g->state == STATE_PULLING ? "the fetch" : g->state == STATE_PUSHING ? "the push" : "reading the repository";
	char text[192];
	if (g->patience_ns != 0 && now >= g->patience_ns) {
		/* The remote is slow or away, and zones wait to be served: the commit in the cache is told now, and a pull follows. */
		child_end(g);
		pull_begin(g, true);
		g->is_wanted = true;
	} else if (g->deadline_ns != 0 && now >= g->deadline_ns) {
		snprintf(text, sizeof text,
		         "%s made no progress for %u s -- the remote hangs, or is very slow; --fetch-timeout is the limit",
		         work, g->conf->fetch_timeout_s);
		child_lost(g, E_TIMEOUT, text);
	} else if (is_remote_asked(g) && now >= g->limit_ns) {
		bool is_push = g->state == STATE_PUSHING;
		snprintf(text, sizeof text, "%s takes far too long, though there is progress -- the limit is %u s, %s", work,
		         limit_s(g, is_push), is_push ? "ten times --fetch-timeout" : "--fetch-time-max");
		child_lost(g, E_TIMEOUT, text);
	} else if (child_is_stopped_for_long(g)) {
		on_worker_gone(g); /* nobody can tell when it will go on */
	} else if (g->idle_ns != 0 && now >= g->idle_ns) {
		child_end(g);
	} else if (is_free(g) && g->push.fd >= 0) {
		push_begin(g);
	} else if (is_free(g) && (g->is_wanted || (g->retry_ns != 0 && now >= g->retry_ns))) {
		pull_begin(g, false);
	}
}

static int
wait_ms(const struct git_process *g)
{
	const uint64_t times[] = {
		g->patience_ns, g->deadline_ns, is_remote_asked(g) ? g->limit_ns : 0, g->idle_ns, is_free(g) ? g->retry_ns : 0,
	};
	uint64_t now = clock_ns(), first = UINT64_MAX;
	if (is_free(g) && (g->push.fd >= 0 || g->is_wanted)) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		first = times[i] != 0 && times[i] < first ? times[i] : first;
	}
	uint64_t ms = first > now ? (first - now) / 1000000u + 1 : 0;
	return ms > PULSE_PERIOD_MS ? PULSE_PERIOD_MS : (int)ms;
}

static bool
is_orphan(const struct git_process *g)
{
	struct signalfd_siginfo info;
	while (read(g->signals, &info, sizeof info) > 0) {
	}
	return getppid() != g->parent;
}

static void
loop(struct git_process *g)
{
	bool is_on = true;
	while (is_on) {
		pulse_beat(g->pulse);
		on_time(g);
		struct pollfd p[] = {
			{ .fd = g->sock, .events = POLLIN },
			{ .fd = g->signals, .events = POLLIN },
			{ .fd = g->child.pid != 0 ? g->child.sock : -1, .events = POLLIN },
		};
		if (poll(p, ARRAY_LEN(p), wait_ms(g)) < 0) {
			continue;
		}
		pid_t child = g->child.pid;
		is_on = (p[1].revents == 0 || !is_orphan(g)) && (p[0].revents == 0 || from_link(g));
		if (is_on && p[2].revents != 0 && child == g->child.pid) {
			from_worker(g);
		}
	}
}

/* Signals are for the main process, so they are ignored here.  SIGTERM alone is read from a descriptor: the system
 * sends it when our parent is gone. */
static err_t
take_signals(struct git_process *g)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	signals_ignore();
	signal(SIGTERM, SIG_DFL); /* it is blocked below; if it were ignored, the descriptor would not get it either */
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
		return E_IO;
	}
	g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return g->signals < 0 ? E_IO : OK;
}

/* Listening sockets and the like are the parent's: a fetch that hangs must not hold them. */
static void
close_others(int sock)
{
	ASSERT(sock > STDERR_FILENO);
	if (sock > STDERR_FILENO + 1) {
		close_range(STDERR_FILENO + 1, (unsigned)sock - 1, 0);
	}
	close_range((unsigned)sock + 1, ~0u, 0);
}

static void
fill_defaults(struct git_conf *c)
{
	c->fetch_timeout_s = c->fetch_timeout_s != 0 ? c->fetch_timeout_s : GIT_FETCH_TIMEOUT_S;
	c->fetch_max_s = c->fetch_max_s != 0 ? c->fetch_max_s : GIT_FETCH_MAX_S;
	c->linger_s = c->linger_s != 0 ? c->linger_s : GIT_LINGER_S;
	c->cache_patience_s = c->cache_patience_s != 0 ? c->cache_patience_s : GIT_CACHE_PATIENCE_S;
	c->file_max = c->file_max != 0 ? c->file_max : GIT_FILE_MAX;
	c->files_max = c->files_max != 0 ? c->files_max : GIT_FILES_MAX;
	c->total_max = c->total_max != 0 ? c->total_max : GIT_TOTAL_MAX;
	c->text_max = c->text_max != 0 ? c->text_max : GIT_TOTAL_MAX;
	c->memory_max = c->memory_max != 0 ? c->memory_max : GIT_MEMORY_MAX;
	c->file_max = c->file_max < c->text_max ? c->file_max : (size_t)c->text_max;
}

err_t
git_process_run(struct git_conf *conf, int sock, struct pulse *pulse)
{
	struct git_process g = { .conf = conf, .sock = sock, .pulse = pulse, .signals = -1, .child = { .sock = -1 }, .push = { .fd = -1 } };
	g.parent = getppid();
	struct diag diag = { 0 };
	fill_defaults(conf);
	prctl(PR_SET_NAME, "oprimary-git");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	close_others(sock);
	err_t err = take_signals(&g);
	if (err == OK) {
		err = git_home_open(conf, &g.home, &diag);
	}
	if (err == OK) {
		g.is_cache_due = git_home_has_commit(&g.home);
		loop(&g);
		child_end_gently(&g);
		git_home_close(&g.home);
	} else {
		struct link_frame f = { .type = LINK_FAILED, .status = (uint16_t)err, .fd = -1 };
		snprintf(f.text, sizeof f.text, "%s -- %s", diag.text, diag.hint);
		tell(&g, &f);
	}
	if (g.signals >= 0) {
		close(g.signals);
	}
	if (g.push.fd >= 0) {
		close(g.push.fd);
	}
	close(sock);
	return err;
}
