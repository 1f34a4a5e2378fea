#include "bin/oprimary_git.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "git/gitproc.h"
#include "ops/clock.h"
#include "ops/privs.h"
#include "ops/restarts.h"
#include "ops/signals.h"

enum {
	STOP_MS = 500,     /* for the keeper */
	CHILD_MS = 400,    /* for its child, within that */
	STOP_STEP_MS = 5,
};

/* ---- the keeper ---- */

struct keeper {
	struct git_conf *conf;
	int control;
	int ends;   /* a signalfd: a child has ended */
	pid_t self;
};

/* Runs in the child; never returns. */
[[gnu::noreturn]] static void
git_life(const struct keeper *k, int link)
{
	close(k->control);
	close(k->ends);
	err_t err = privs_die_with_parent(k->self);
	if (err == OK) {
		err = git_process_run(k->conf, link);
	}
	_exit(err == OK ? 0 : 1);
}

/* Starts the git process and passes its link over.  E_STOPPED: the other side is gone; E_IO, with `why`: it cannot be started now. */
static err_t
keeper_start(const struct keeper *k, const char *died, pid_t *out, char why[128])
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		snprintf(why, 128, "it cannot be started: socket: %s", strerror(errno));
		return E_IO;
	}
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		git_life(k, pair[1]);
	}
	if (child < 0) {
		snprintf(why, 128, "it cannot be started: fork: %s", strerror(errno));
	}
	close(pair[1]);
	struct link_frame f = { .type = LINK_PROGRESS, .fd = pair[0] };
	snprintf(f.text, sizeof f.text, "%s", died);
	err_t err = child < 0 ? E_IO : link_send(k->control, &f) == OK ? OK : E_STOPPED;
	close(pair[0]); /* where it was not passed on, the child ends by that */
	*out = child;
	return err;
}

static void
tell_status(int status, char *out, size_t cap)
{
	if (WIFSIGNALED(status)) {
		snprintf(out, cap, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else {
		snprintf(out, cap, "ended with status %d", WEXITSTATUS(status));
	}
}

/* Waits; false when the other side has closed the control socket. */
static bool
keeper_pause(const struct keeper *k, unsigned ms)
{
	struct pollfd p = { .fd = k->control, .events = POLLIN };
	return poll(&p, 1, (int)ms) == 0;
}

/* Until the child ends.  False: the other side has closed the control socket. */
static bool
keeper_follow(const struct keeper *k, pid_t child, int *status)
{
	struct pollfd p[] = { { .fd = k->control, .events = POLLIN }, { .fd = k->ends, .events = POLLIN } };
	while (waitpid(child, status, WNOHANG) == 0) {
		struct signalfd_siginfo info;
		if (poll(p, ARRAY_LEN(p), -1) > 0 && p[0].revents != 0) {
			return false;
		}
		(void)!read(k->ends, &info, sizeof info);
	}
	return true;
}

/* It has seen its link close, and goes; or does not. */
[[gnu::noreturn]] static void
keeper_end(pid_t child)
{
	const struct timespec step = { .tv_nsec = STOP_STEP_MS * 1000000L };
	for (int ms = 0; child > 0 && waitpid(child, NULL, WNOHANG) == 0; ms += STOP_STEP_MS) {
		if (ms == CHILD_MS) {
			kill(child, SIGKILL);
		}
		nanosleep(&step, NULL);
	}
	_exit(0);
}

/* It is said why, and the other side learns by our end that there will be none. */
[[gnu::noreturn]] static void
keeper_give_up(const struct keeper *k, const char *why)
{
	struct link_frame f = { .type = LINK_PROGRESS, .fd = -1 };
	snprintf(f.text, sizeof f.text, "%d times in a row: %s", RESTARTS_MAX, why);
	(void)!link_send(k->control, &f);
	_exit(1);
}

/* One life of the git process: how it ended. */
static void
keeper_live(const struct keeper *k, char died[128])
{
	pid_t child = 0;
	int status = 0;
	err_t err = keeper_start(k, died, &child, died);
	if (err == E_STOPPED || (err == OK && !keeper_follow(k, child, &status))) {
		keeper_end(child);
	}
	if (err == OK) {
		tell_status(status, died, 128);
	}
}

[[gnu::noreturn]] static void
keeper_run(const struct keeper *k)
{
	struct restarts restarts = { 0 };
	char died[128] = "";
	unsigned pause_ms = 0;
	do {
		uint64_t begin_ms = clock_ms();
		keeper_live(k, died);
		if (!restarts_next(&restarts, clock_ms() - begin_ms, &pause_ms)) {
			keeper_give_up(k, died);
		}
	} while (keeper_pause(k, pause_ms));
	_exit(0);
}

static err_t
keeper_take_signals(struct keeper *k)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	signals_ignore();
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
		return E_IO;
	}
	k->ends = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->ends >= 0 ? OK : E_IO;
}

/* What the keeper is before it starts anything: nobody's debugger, no listener, gone when its parent is. */
[[gnu::noreturn]] static void
keeper_begin(struct keeper *k, pid_t parent, const char *user, const int *theirs, size_t theirs_n)
{
	struct diag diag;
	for (size_t i = 0; i < theirs_n; i++) {
		close(theirs[i]);
	}
	prctl(PR_SET_NAME, "oprimary-keeper");
	if (keeper_take_signals(k) != OK || privs_drop(user, &diag) != OK || privs_die_with_parent(parent) != OK) {
		_exit(1); /* the parent drops its own in the same way, and says what is wrong */
	}
	k->self = getpid();
	keeper_run(k);
}

/* ---- the DNS side ---- */

err_t
git_side_start(struct git_side *g, struct git_conf *conf, const char *user, const int *theirs, size_t theirs_n,
               struct diag *diag)
{
	int pair[2];
	int placeholder = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (placeholder < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		diag_set(diag, DIAG_ERROR, "git-process", "socket: %s", strerror(errno));
		return E_IO;
	}
	pid_t parent = getpid();
	pid_t keeper = fork();
	if (keeper < 0) {
		diag_set(diag, DIAG_ERROR, "git-process", "fork: %s", strerror(errno));
		close(placeholder);
		close(pair[0]);
		close(pair[1]);
		return E_IO;
	}
	if (keeper == 0) {
		close(pair[0]);
		close(placeholder);
		struct keeper k = { .conf = conf, .control = pair[1] };
		keeper_begin(&k, parent, user, theirs, theirs_n);
	}
	close(pair[1]);
	g->keeper = keeper;
	g->control = pair[0];
	g->link = placeholder;
	atomic_init(&g->is_stopping, false);
	atomic_init(&g->is_up, false);
	return OK;
}

err_t
git_side_next(struct git_side *g, char died[LINK_TEXT_MAX])
{
	struct link_frame f;
	err_t err = link_recv(g->control, &f);
	snprintf(died, LINK_TEXT_MAX, "%s", err == OK ? f.text : "its keeper was killed");
	if (err != OK || f.fd < 0) {
		return E_STOPPED;
	}
	bool is_ok = dup2(f.fd, g->link) == g->link;
	close(f.fd);
	if (!is_ok || atomic_load(&g->is_stopping)) {
		return E_STOPPED;
	}
	atomic_store(&g->is_up, true);
	return OK;
}

void
git_side_died(struct git_side *g)
{
	atomic_store(&g->is_up, false);
}

bool
git_side_is_up(const struct git_side *g)
{
	return atomic_load(&g->is_up);
}

void
git_side_close(struct git_side *g)
{
	atomic_store(&g->is_stopping, true);
	(void)shutdown(g->control, SHUT_RDWR);
	(void)shutdown(g->link, SHUT_RDWR);
}

void
git_side_stop(struct git_side *g)
{
	git_side_close(g);
	for (int ms = 0; waitpid(g->keeper, NULL, WNOHANG) == 0; ms += STOP_STEP_MS) {
		if (ms == STOP_MS) {
			kill(g->keeper, SIGKILL); /* and with it, its child (privs_die_with_parent) */
		}
		const struct timespec step = { .tv_nsec = STOP_STEP_MS * 1000000L };
		nanosleep(&step, NULL);
	}
	close(g->control);
	close(g->link);
}
