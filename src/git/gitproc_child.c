#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "git/gitproc_p.h"
#include "git/shortage.h"
#include "git/worker.h"
#include "ops/memory.h"
#include "ops/priority.h"
#include "ops/sandbox.h"
#include "ops/signals.h"

enum {
	TRIES = 3,         /* workers that try one PULL or PUSH */
	STOPPED_MAX_S = 5, /* a worker that is stopped (SIGSTOP) for so long is replaced */
};

void
child_end(struct git_process *g)
{
	if (g->child.pid != 0) {
		kill(g->child.pid, SIGKILL);
		while (waitpid(g->child.pid, &g->child_status, 0) < 0 && errno == EINTR) {
		}
		close(g->child.sock);
		g->child = (struct child){ .sock = -1 };
		g->idle_ns = 0;
	}
}

const char *
child_say_end(const struct git_process *g, const char *what, char out[CHILD_TEXT_MAX])
{
	int status = g->child_status;
	unsigned long long mib = g->conf->memory_max >> 20;
	if (!WIFSIGNALED(status)) {
		snprintf(out, CHILD_TEXT_MAX, "%s ended before it was done", what);
	} else if (WTERMSIG(status) == SIGKILL) {
		snprintf(out, CHILD_TEXT_MAX,
		         "%s ended before it was done -- it was killed, by somebody or by a system that is out of memory", what);
	} else {
		snprintf(out, CHILD_TEXT_MAX,
		         "%s ended before it was done -- it crashed (signal %d), maybe for lack of memory: --fetch-memory-max is %llu MiB",
		         what, WTERMSIG(status), mib);
	}
	return out;
}

bool
child_is_stopped_for_long(struct git_process *g)
{
	siginfo_t info = { 0 };
	bool is_stopped = g->child.pid != 0 &&
	                  waitid(P_PID, (id_t)g->child.pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
	if (!is_stopped) {
		g->child.stopped_ns = 0;
		return false;
	}
	if (g->child.stopped_ns == 0) {
		g->child.stopped_ns = clock_ns();
	}
	return clock_ns() - g->child.stopped_ns >= STOPPED_MAX_S * 1000000000ull;
}

void
child_end_gently(struct git_process *g)
{
	enum { PATIENCE_MS = 300 };
	if (g->child.pid != 0 && (g->state == STATE_IDLE || g->state == STATE_PUSHING)) {
		struct pollfd p = { .fd = g->child.sock, .events = 0 };
		shutdown(g->child.sock, SHUT_WR);
		poll(&p, 1, PATIENCE_MS); /* until the worker closes its end */
	}
	child_end(g);
}

/* Runs in the child.  A worker dies with the supervisor and does not keep the link open.  Of all signals only SIGKILL
 * ends it. */
[[gnu::noreturn]] static void
child_main(struct git_process *g, int sock, pid_t supervisor)
{
	sigset_t none;
	struct diag diag;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "oprimary-fetch");
	if (getppid() != supervisor) {
		_exit(0);
	}
	sigemptyset(&none);
	signals_ignore(); /* before signals are unblocked: a SIGTERM may be pending */
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(g->sock);
	close(g->signals);
	if (g->base[0] != '\0') {
		priority_give_way(); /* zones are served already, and queries go first */
	}
	memory_bound(g->conf->memory_max);
	if (sandbox_enter_worker(&diag) != OK) {
		_exit(1);
	}
	git_worker_run(g->conf, &g->home, sock);
	_exit(0);
}

static err_t
child_start(struct git_process *g)
{
	int pair[2];
	if (g->child.pid != 0) {
		return OK;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return E_IO;
	}
	pid_t self = getpid();
	pid_t pid = fork();
	int why = errno;
	if (pid == 0) {
		close(pair[0]);
		child_main(g, pair[1], self);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		errno = why;
		return E_IO;
	}
	g->child = (struct child){ .pid = pid, .sock = pair[0], .is_fresh = true };
	return OK;
}

void
child_print_refusal(const char *work, char out[CHILD_TEXT_MAX])
{
	int why = errno;
	const struct shortage *shortage = shortage_of_errno(why);
	const char *hint = why == EAGAIN ? "the system, or our share of it, is out of processes: raise TasksMax= or \"ulimit -u\""
	                 : shortage != NULL ? shortage->hint : "the primary tries again by itself";
	snprintf(out, CHILD_TEXT_MAX, "cannot start a process for %s: %s -- %s", work, strerror(why), hint);
}

err_t
child_send(struct git_process *g, const struct link_frame *f)
{
	for (int tries = 0; tries < 2; tries++) {
		TRY(child_start(g));
		if (link_send(g->child.sock, f) == OK) {
			return OK;
		}
		child_end(g);
	}
	return E_IO;
}

err_t
child_ask(struct git_process *g, const struct link_frame *f)
{
	if (g->child.is_leaving) {
		child_end(g);
	}
	pid_t waiting = g->child.pid;
	g->idle_ns = 0;
	g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	g->limit_ns = from_now(limit_s(g, f->type == LINK_PUSH));
	err_t err = child_send(g, f);
	g->child.is_fresh &= g->child.pid != waiting;
	return err;
}

bool
child_may_fare_better(err_t err)
{
	return err == E_IO || err == E_NOTFOUND || err == E_FORMAT || err == E_NOMEM;
}

bool
child_is_worth_another(struct git_process *g, bool may_pass)
{
	bool was_fresh = g->child.is_fresh;
	child_end(g);
	g->tries++;
	return !was_fresh || (may_pass && g->tries < TRIES);
}

void
child_idle(struct git_process *g)
{
	g->idle_ns = g->child.pid != 0 ? from_now(g->conf->fetch_timeout_s + g->conf->linger_s) : 0;
}
