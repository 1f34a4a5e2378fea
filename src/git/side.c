#include "git/side.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ops/files.h"
#include "ops/inherited.h"

enum {
	STOP_MS = 1000, /* how long the keeper may take to end by itself */
	STOP_STEP_MS = 5,
};

/* ---- beginning ---- */

static err_t
fail(struct diag *diag, const char *what)
{
	diag_set(diag, DIAG_ERROR, "git-process", "%s: %s", what, strerror(errno));
	return E_IO;
}

static void
close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* The keeper could not begin.  It has printed why, or the frame says why. */
static err_t
begin_failed(const struct link_frame *f, int *status, struct diag *diag)
{
	int text_len = (int)strcspn(f->text, "\n");
	*status = (int)f->n;
	if (text_len == 0) {
		return E_REFUSED;
	}
	diag_set(diag, DIAG_ERROR, "git-process", "%.*s", text_len, f->text);
	if (f->text[text_len] == '\n' && f->text[text_len + 1] != '\0') {
		diag_hint(diag, "%s", f->text + text_len + 1);
	}
	return E_IO;
}

/* The remote, and behind a line end what the sandbox lacks. */
static void
take_text(struct git_side *g, const char *text)
{
	int shown = (int)strcspn(text, "\n");
	snprintf(g->shown, sizeof g->shown, "%.*s", shown, text);
	snprintf(g->sandbox.missing, sizeof g->sandbox.missing, "%s", text[shown] == '\n' ? text + shown + 1 : "");
}

/* Waits until the keeper says how it began.  The keeper may wait for a person who has to type a secret, so a signal
 * that ends us ends this wait, too. */
static err_t
await_hello(struct git_side *g, int *status, struct diag *diag)
{
	struct link_frame f;
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	int signals = signalfd(-1, &ends, SFD_CLOEXEC); /* only polled, so the signals stay pending for later */
	struct pollfd p[] = { { .fd = g->control, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR) {
	}
	if (signals >= 0) {
		close(signals);
	}
	if (p[0].revents == 0) {
		*status = 0;
		return E_REFUSED;
	}
	if (link_recv(g->control, &f) != OK) {
		diag_set(diag, DIAG_ERROR, "git-process", "the process that keeps the secrets ended before it was ready");
		return E_IO;
	}
	if (f.type == LINK_FAILED) {
		return begin_failed(&f, status, diag);
	}
	take_text(g, f.text);
	snprintf(g->user, sizeof g->user, "%s", f.id);
	g->unlocked = (int)f.n;
	g->is_file_root = (f.flags & KEEPER_IS_FILE_ROOT) != 0;
	g->role = (f.flags & KEEPER_RUNS_GIT) != 0 ? SANDBOX_GIT_LOCAL : SANDBOX_GIT;
	g->sandbox.has_calls = (f.flags & KEEPER_HAS_CALLS) != 0;
	g->sandbox.landlock = (f.flags & KEEPER_HAS_FILES) != 0;
	g->sandbox.has_ports = (f.flags & KEEPER_HAS_PORTS) != 0;
	return OK;
}

/* Makes the two ends of `control`, the descriptor number of the link, and the memory for the pulses. */
static err_t
make_ready(struct git_side *g, int pair[2], struct diag *diag)
{
	g->pulses = mmap(NULL, sizeof *g->pulses, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->pulses == MAP_FAILED) {
		return fail(diag, "memory");
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		return fail(diag, "socket");
	}
	g->link = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (g->link < 0) {
		close_pair(pair);
		return fail(diag, "/dev/null");
	}
	return OK;
}

err_t
git_side_start(struct git_side *g, struct git_conf *git, const struct keeper_secrets *secrets, const char *user, int *status,
               struct diag *diag)
{
	int pair[2];
	*status = EXIT_FAILURE;
	TRY(make_ready(g, pair, diag));
	const struct keeper_conf conf = { .git = git, .secrets = secrets, .user = user, .pulses = g->pulses,
	                                   .log = g->sandbox_log };
	pid_t parent = getpid();
	g->keeper = fork();
	if (g->keeper == 0) {
		keeper_run(&conf, pair[1], parent);
	}
	if (g->keeper < 0) {
		err_t err = fail(diag, "fork");
		close_pair(pair);
		close(g->link);
		return err;
	}
	secrets->forget(secrets->ctx);
	close(pair[1]);
	g->control = pair[0];
	atomic_init(&g->is_stopping, false);
	atomic_init(&g->is_up, false);
	int keep[INHERITED_MAX + 2];
	size_t keep_n = inherited_open(keep); /* these have the lowest numbers */
	keep[keep_n++] = g->control < g->link ? g->control : g->link;
	keep[keep_n++] = g->control < g->link ? g->link : g->control;
	files_keep(keep, keep_n);
	err_t err = await_hello(g, status, diag);
	if (err != OK) {
		kill(g->keeper, SIGKILL); /* it may be waiting for a person who types */
		git_side_stop(g);
	}
	return err;
}

/* ---- git processes ---- */

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

const char *
git_side_look(struct git_side *g, uint64_t now_ms)
{
	uint64_t silent_ms = pulse_silence_ms(&g->watch, &g->pulses->keeper, now_ms);
	if (silent_ms >= 2 * KEEPER_SILENT_MAX_MS) {
		/* We may be another user, who cannot kill it.  Then git_side_next() ends all the same, since `control` is shut down. */
		kill(g->keeper, SIGKILL);
		(void)shutdown(g->control, SHUT_RDWR);
		return "the keeper shows no life, and is given up";
	}
	if (silent_ms >= KEEPER_SILENT_MAX_MS) {
		kill(g->keeper, SIGCONT); /* somebody may have stopped it; within a session any user may send this signal */
		return "the keeper shows no life, and was told to go on";
	}
	return NULL;
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
	for (int ms = 0; ms < 2 * STOP_MS && waitpid(g->keeper, NULL, WNOHANG) == 0; ms += STOP_STEP_MS) {
		if (ms == STOP_MS) {
			/* A stopped keeper goes on, and then it ends.  Killing it ends its child, too (privs_die_with_parent()), but we may
			 * be another user, who cannot kill it. */
			kill(g->keeper, SIGCONT);
			kill(g->keeper, SIGKILL);
		}
		const struct timespec step = { .tv_nsec = STOP_STEP_MS * 1000000L };
		nanosleep(&step, NULL);
	}
	close(g->control);
	close(g->link);
}
