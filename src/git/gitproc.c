#include "git/gitproc.h"

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
#include <unistd.h>

#include "base/alloc.h"
#include "git/home.h"
#include "git/link.h"
#include "git/worker.h"
#include "ops/clock.h"
#include "ops/priority.h"
#include "ops/signals.h"

/* What the other side waits for. */
enum state {
	STATE_IDLE,      /* nothing: a PULL may begin */
	STATE_PULLING,   /* the outcome of a PULL */
	STATE_DELIVERED, /* it has a COMMIT, and DONE is still to come */
	STATE_PUSHING,   /* the outcome of a PUSH */
};

enum {
	RETRY_MAX_S = 300, GET_TRIES = 2,
	TRIES = 3, /* of a PULL or a PUSH, each by a worker of its own */
	/* A remote may go on saying something for ever: so many times --fetch-timeout is enough. */
	PULL_TIMEOUTS_MAX = 60, PUSH_TIMEOUTS_MAX = 10,
};

struct child {
	pid_t pid; /* 0: none */
	int sock;
	bool is_leaving; /* cleans up and goes; a PULL or PUSH is for another one */
	bool is_fresh; /* was started for this PULL or PUSH: when it fails, that is no leftover of an old state */
};

struct git_process {
	struct git_conf *conf;
	struct git_home home;
	int sock, signals;
	pid_t parent;
	struct child child;
	enum state state;
	bool is_wanted;            /* a PULL waits */
	bool is_whole_wanted;
	bool is_cache_due;         /* nothing was told yet, and there is a commit in the cache */
	bool is_from_cache;        /* what this PULL tells */
	uint64_t deadline_ns;      /* PULLING, PUSHING, or a GET under way: the worker must have shown life by then; 0: none */
	uint64_t limit_ns;         /* PULLING, PUSHING: it must have ended by then, life or not */
	uint64_t patience_ns;      /* PULLING with is_cache_due: by then the cache is told; 0: none */
	uint64_t idle_ns;          /* IDLE: a worker that is still there and has said nothing by then hangs; 0: none */
	uint64_t retry_ns;         /* the next try by itself; 0: none */
	unsigned failures;         /* in a row */
	bool is_unkept;            /* the last of them: what was told could not be written to the clone */
	char base[65];             /* last COMMIT that was DONE with OK */
	char told[65];             /* DELIVERED: this one */
	unsigned gets;             /* not answered yet; DELIVERED or IDLE */
	unsigned get_tries;
	char get_path[LINK_TEXT_MAX];
	char branch[LINK_TEXT_MAX]; /* of the last pull; "": it came out of the cache */
	unsigned tries;            /* PULLING, PUSHING: that came to nothing */
	struct link_frame push;    /* waits for IDLE, or is under way; fd -1: there is none */
	char risked[65];           /* PUSHING: the commit that the remote may have by now; "": it cannot */
	char lost[65];             /* a commit of which it is not known whether the remote has it; "": none */
};

static uint64_t
from_now(unsigned seconds)
{
	return clock_ns() + (uint64_t)seconds * 1000000000u;
}

/* ---- the worker ---- */

static void
child_end(struct git_process *g)
{
	if (g->child.pid != 0) {
		kill(g->child.pid, SIGKILL);
		while (waitpid(g->child.pid, NULL, 0) < 0 && errno == EINTR) {
		}
		close(g->child.sock);
		g->child = (struct child){ .sock = -1 };
		g->idle_ns = 0;
	}
}

/* At the end of it all: a worker may be about to write what it fetched, or to hear what became of a push. */
static void
child_end_gently(struct git_process *g)
{
	enum { PATIENCE_MS = 300 };
	if (g->child.pid != 0 && (g->state == STATE_IDLE || g->state == STATE_PUSHING)) {
		struct pollfd p = { .fd = g->child.sock, .events = 0 };
		shutdown(g->child.sock, SHUT_WR);
		poll(&p, 1, PATIENCE_MS); /* until it hangs up */
	}
	child_end(g);
}

/* In the child.  It dies with the supervisor, holds nothing of the link, and is ended by nothing else but SIGKILL. */
[[gnu::noreturn]] static void
child_main(struct git_process *g, int sock, pid_t supervisor)
{
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "oprimary-fetch");
	if (getppid() != supervisor) {
		_exit(0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(g->sock);
	close(g->signals);
	signals_ignore();
	if (g->base[0] != '\0') {
		priority_give_way(); /* something is served already */
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
	if (pid == 0) {
		close(pair[0]);
		child_main(g, pair[1], self);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return E_IO;
	}
	g->child = (struct child){ .pid = pid, .sock = pair[0], .is_fresh = true };
	return OK;
}

/* A frame for the worker; one that is just going is replaced. */
static err_t
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

/* A PULL or a PUSH for the worker. */
static err_t
child_ask(struct git_process *g, const struct link_frame *f)
{
	if (g->child.is_leaving) {
		child_end(g);
	}
	pid_t waiting = g->child.pid;
	g->idle_ns = 0;
	g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	g->limit_ns = from_now(g->conf->fetch_timeout_s * (f->type == LINK_PUSH ? PUSH_TIMEOUTS_MAX : PULL_TIMEOUTS_MAX));
	err_t err = child_send(g, f);
	g->child.is_fresh &= g->child.pid != waiting;
	return err;
}

/* ---- what the other side is told ---- */

/* A link that is gone ends the loop at its next turn, not here. */
static void
tell(struct git_process *g, const struct link_frame *f)
{
	(void)!link_send(g->sock, f);
}

static unsigned
backoff_s(unsigned failures)
{
	unsigned s = failures > 9 ? RETRY_MAX_S : 1u << (failures - 1);
	return s < RETRY_MAX_S ? s : RETRY_MAX_S;
}

/* The remote was reached, and what it has was dealt with.  When the clone could not be written the last time, it cannot be
 * known yet whether this time it can: the next failure is not the first then, and trouble that lasts is met less often. */
static void
pull_succeeded(struct git_process *g)
{
	g->failures = g->is_unkept ? g->failures : 0;
	g->is_unkept = false;
}

static void pull_begin(struct git_process *g, bool is_from_cache);

/* The outcome of a PULL that came to nothing.  What the cache has is told once the remote is known to be away. */
static void
pull_failed(struct git_process *g, err_t err, uint8_t flags, const char *text)
{
	struct link_frame f = { .type = LINK_FAILED, .status = (uint16_t)err, .flags = flags, .fd = -1 };
	g->state = STATE_IDLE;
	g->deadline_ns = g->gets > 0 ? g->deadline_ns : 0;
	g->patience_ns = 0;
	g->failures++;
	f.retry_s = backoff_s(g->failures);
	f.flags |= g->is_cache_due ? LINK_CACHE_NEXT : 0;
	g->retry_ns = from_now(f.retry_s);
	snprintf(f.text, sizeof f.text, "%s", text);
	if ((flags & LINK_NO_BRANCH) != 0) {
		g->lost[0] = '\0';
	}
	tell(g, &f);
	if (g->is_cache_due) {
		pull_begin(g, true);
	}
}

static void
pull_ask(struct git_process *g, bool is_from_cache)
{
	struct link_frame f = { .type = LINK_PULL, .fd = -1 };
	g->is_from_cache = is_from_cache;
	g->is_cache_due &= !is_from_cache;
	g->state = STATE_PULLING;
	g->patience_ns = g->is_cache_due ? from_now(g->conf->cache_patience_s) : 0;
	if (!is_from_cache) {
		g->is_wanted = false;
		g->retry_ns = 0;
	}
	f.flags = (uint8_t)((g->is_whole_wanted ? WORKER_WHOLE : 0) | (is_from_cache ? WORKER_FROM_CACHE : 0));
	memcpy(f.id, g->base, sizeof f.id);
	memcpy(f.text, g->lost, sizeof g->lost);
	if (child_ask(g, &f) != OK) {
		pull_failed(g, E_IO, 0, "cannot start a process for the fetch -- the system is out of processes, memory or descriptors");
	}
}

static void
pull_begin(struct git_process *g, bool is_from_cache)
{
	g->tries = 0;
	pull_ask(g, is_from_cache);
}

/* Can it be that a new worker fares better? */
static bool
is_worth_another(err_t err)
{
	return err == E_IO || err == E_NOTFOUND || err == E_FORMAT || err == E_NOMEM;
}

/* Is another worker worth a try, at once?  One that had waited for work may have met what only a new one can cope with (a
 * repository that was repacked or replaced under it), or may have been gone before it was asked.  `may_pass`: a new one, too, may have
 * met what is over by now. */
static bool
is_worth_a_try(struct git_process *g, bool may_pass)
{
	bool was_fresh = g->child.is_fresh;
	child_end(g);
	g->tries++;
	return !was_fresh || (may_pass && g->tries < TRIES);
}

static bool
pull_again(struct git_process *g, bool may_pass)
{
	bool is_useful = is_worth_a_try(g, may_pass);
	if (is_useful) {
		pull_ask(g, g->is_from_cache);
	}
	return is_useful;
}

/* The worker keeps what it fetched or pushed, waits a little, and goes. */
static void
idle_begin(struct git_process *g)
{
	g->idle_ns = g->child.pid != 0 ? from_now(g->conf->fetch_timeout_s + g->conf->linger_s) : 0;
}

static void
push_end(struct git_process *g, const struct link_frame *f)
{
	close(g->push.fd);
	g->push.fd = -1;
	g->state = STATE_IDLE;
	g->deadline_ns = 0;
	g->risked[0] = '\0';
	idle_begin(g);
	tell(g, f);
}

/* When the remote may have the commit, nobody knows whether it failed. */
static void
push_failed(struct git_process *g, err_t err, const char *text)
{
	struct link_frame f = { .type = LINK_PUSH_FAILED, .status = (uint16_t)err, .fd = -1 };
	snprintf(f.text, sizeof f.text, "%s", text);
	if (g->risked[0] != '\0') {
		f.status = E_UNKNOWN;
		memcpy(f.id, g->risked, sizeof f.id);
		memcpy(g->lost, g->risked, sizeof g->lost);
	}
	push_end(g, &f);
}

static void
push_ask(struct git_process *g)
{
	g->state = STATE_PUSHING;
	g->risked[0] = '\0';
	if ((g->push.flags & LINK_AGAIN) != 0) {
		memcpy(g->risked, g->push.text, sizeof g->risked - 1);
	}
	memcpy(g->push.text, g->branch, sizeof g->push.text);
	if (g->lost[0] != '\0') {
		push_failed(g, E_STALE, "what became of the push before is not known yet -- pull first");
	} else if (strcmp(g->push.id, g->base) != 0) {
		push_failed(g, E_STALE, "the push builds on another commit than the last that was taken over -- pull first");
	} else if (child_ask(g, &g->push) != OK) {
		push_failed(g, E_IO, "cannot start a process for the push -- the system is out of processes, memory or descriptors");
	}
}

static void
push_begin(struct git_process *g)
{
	g->tries = 0;
	push_ask(g);
}

/* As pull_again(), when it is known that the remote has not got it. */
static bool
push_again(struct git_process *g, bool may_pass)
{
	bool is_useful = is_worth_a_try(g, may_pass);
	if (is_useful) {
		push_ask(g);
	}
	return is_useful;
}

static void
get_answer(struct git_process *g, err_t err, const char *text)
{
	struct link_frame f = { .type = LINK_FILE, .status = (uint16_t)err, .fd = -1 };
	snprintf(f.text, sizeof f.text, "%s", text);
	for (; g->gets > 0; g->gets--) {
		tell(g, &f);
	}
	g->deadline_ns = 0;
}

static void
get_begin(struct git_process *g)
{
	struct link_frame f = { .type = LINK_GET, .fd = -1 };
	memcpy(f.id, g->state == STATE_DELIVERED ? g->told : g->base, sizeof f.id);
	memcpy(f.text, g->get_path, sizeof f.text);
	g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	if (g->child.is_leaving) {
		child_end(g);
	}
	if (child_send(g, &f) != OK) {
		get_answer(g, E_IO, "cannot start a process to read the file");
	}
}

/* The worker is gone, or was killed, in the middle of something. */
static void
child_lost(struct git_process *g, err_t err, const char *why)
{
	child_end(g);
	if (g->state == STATE_PULLING) {
		pull_failed(g, err, 0, why);
	} else if (g->state == STATE_PUSHING) {
		push_failed(g, err, why);
	} else if (g->gets == 1 && ++g->get_tries < GET_TRIES) {
		get_begin(g);
	} else {
		get_answer(g, err, why);
	}
}

/* ---- frames of the worker ---- */

static void
on_commit(struct git_process *g, const struct link_frame *f)
{
	memcpy(g->told, f->id, sizeof g->told);
	g->state = STATE_DELIVERED;
	g->is_cache_due = g->is_whole_wanted = false;
	g->deadline_ns = g->patience_ns = 0;
	tell(g, f);
}

static void
on_failed(struct git_process *g, const struct link_frame *f)
{
	bool may_pass = g->conf->scheme == GIT_REMOTE_LOCAL && is_worth_another((err_t)f->status) && (f->flags & LINK_NO_BRANCH) == 0;
	if (!pull_again(g, may_pass)) {
		pull_failed(g, (err_t)f->status, f->flags, f->text);
	}
}

static void
on_uptodate(struct git_process *g, const struct link_frame *f)
{
	g->state = STATE_IDLE;
	g->deadline_ns = g->patience_ns = 0;
	pull_succeeded(g);
	idle_begin(g);
	tell(g, f);
}

static void
on_pull_frame(struct git_process *g, const struct link_frame *f)
{
	if (f->type == LINK_FAILED) {
		on_failed(g, f);
	} else if (f->type == LINK_DONE) {
		(void)pull_again(g, false); /* it had made up its mind to go when the PULL came */
	} else if (f->type == LINK_COMMIT || f->type == LINK_UPTODATE) {
		g->child.is_fresh = false;
		memcpy(g->branch, f->text, sizeof g->branch);
		if (!g->is_from_cache) {
			g->lost[0] = '\0'; /* its flags tell */
		}
		if (f->type == LINK_COMMIT) {
			on_commit(g, f);
		} else {
			on_uptodate(g, f);
		}
	}
}

/* The commit is what was told last, and what the other side has: it made it. */
static void
on_pushed(struct git_process *g, const struct link_frame *f)
{
	memcpy(g->base, f->id, sizeof g->base);
	g->child.is_fresh = false;
	push_end(g, f);
}

/* The worker knows that the remote has not got it, whatever was at risk.  What it met on this machine may pass: others move files
 * there, with `git gc` and the like; so may what a remote met that had taken all of it. */
static void
on_push_failed(struct git_process *g, const struct link_frame *f)
{
	bool may_pass = g->conf->scheme == GIT_REMOTE_LOCAL || g->risked[0] != '\0';
	if (!is_worth_another((err_t)f->status) || !push_again(g, may_pass)) {
		memcpy(g->lost, f->id, sizeof g->lost); /* E_UNKNOWN has one, and nothing else has */
		push_end(g, f);
	}
}

static void
on_push_frame(struct git_process *g, const struct link_frame *f)
{
	if (f->type == LINK_PROGRESS && f->id[0] != '\0') {
		memcpy(g->risked, f->id, sizeof g->risked);
	} else if (f->type == LINK_PUSHED) {
		on_pushed(g, f);
	} else if (f->type == LINK_DONE) {
		if (g->risked[0] == '\0') {
			(void)push_again(g, false);
		}
	} else if (f->type == LINK_PUSH_FAILED && (g->push.flags & LINK_AGAIN) != 0) {
		push_failed(g, (err_t)f->status, f->text);
	} else if (f->type == LINK_PUSH_FAILED) {
		on_push_failed(g, f);
	}
}

static void
on_file(struct git_process *g, const struct link_frame *f)
{
	g->gets--;
	g->get_tries = 0;
	g->deadline_ns = g->gets > 0 ? g->deadline_ns : 0;
	if (g->state == STATE_IDLE) {
		idle_begin(g);
	}
	tell(g, f);
}

static void
on_worker_frame(struct git_process *g, const struct link_frame *f)
{
	if (g->deadline_ns != 0) {
		g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	}
	if (g->idle_ns != 0) {
		idle_begin(g);
	}
	g->child.is_leaving |= f->type == LINK_DONE;
	if (f->type == LINK_NOTE) {
		tell(g, f);
	} else if (g->state == STATE_PULLING) {
		on_pull_frame(g, f);
	} else if (g->state == STATE_PUSHING) {
		on_push_frame(g, f);
	} else if (g->state == STATE_IDLE && f->type == LINK_FAILED) {
		g->is_unkept = true; /* but told; the next try fetches it again */
		pull_failed(g, (err_t)f->status, 0, f->text);
	} else if (f->type == LINK_FILE && g->gets > 0) {
		on_file(g, f);
	}
}

static void
on_worker_gone(struct git_process *g)
{
	if (g->state == STATE_PULLING) {
		if (!pull_again(g, true)) {
			child_lost(g, E_IO, "the process that fetches ended before it was done -- it crashed, or was killed");
		}
	} else if (g->state == STATE_PUSHING) {
		if (g->risked[0] != '\0' || !push_again(g, true)) {
			child_lost(g, E_IO, "the process that pushes ended before it was done -- it crashed, or was killed");
		}
	} else {
		child_lost(g, E_IO, "the process that reads the repository ended before it was done");
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

/* ---- frames of the other side ---- */

static void
on_done(struct git_process *g, err_t status)
{
	struct link_frame f = { .type = LINK_DONE, .fd = -1 };
	g->state = STATE_IDLE;
	g->gets = 0;
	g->deadline_ns = 0;
	if (status == OK) {
		memcpy(g->base, g->told, sizeof g->base);
		if (!g->is_from_cache) {
			pull_succeeded(g);
		}
	} else {
		g->failures++; /* it could not be dealt with: told again */
		g->retry_ns = from_now(backoff_s(g->failures));
	}
	if (g->child.pid != 0) {
		(void)!link_send(g->child.sock, &f);
	}
	idle_begin(g);
	if (g->is_from_cache && g->retry_ns == 0) {
		g->is_wanted = true;
	}
}

static void
on_get(struct git_process *g, const struct link_frame *f)
{
	struct link_frame no = { .type = LINK_FILE, .status = E_BUSY, .fd = -1, .text = "another commit may be on its way" };
	bool is_of_base = g->state == STATE_IDLE && g->base[0] != '\0' && !g->is_wanted && g->push.fd < 0;
	if (g->state != STATE_DELIVERED && !is_of_base) {
		tell(g, &no);
		return;
	}
	g->gets++;
	g->get_tries = 0;
	memcpy(g->get_path, f->text, sizeof g->get_path);
	get_begin(g);
}

/* Takes f->fd, for as long as the PUSH lasts. */
static void
on_push(struct git_process *g, struct link_frame *f)
{
	struct link_frame busy = { .type = LINK_PUSH_FAILED, .status = E_BUSY, .fd = -1, .text = "another push is under way" };
	struct link_frame empty = { .type = LINK_PUSH_FAILED, .status = E_FORMAT, .fd = -1, .text = "the push has no content" };
	if (f->fd < 0 || g->push.fd >= 0) {
		tell(g, f->fd < 0 ? &empty : &busy);
		return;
	}
	g->push = *f;
	f->fd = -1;
}

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
		g->is_whole_wanted |= (f.flags & LINK_WHOLE) != 0;
	} else if (f.type == LINK_GET) {
		on_get(g, &f);
	} else if (f.type == LINK_DONE && g->state == STATE_DELIVERED) {
		on_done(g, (err_t)f.status);
	} else if (f.type == LINK_PUSH) {
		on_push(g, &f);
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
	return true;
}

/* ---- time ---- */

/* For a PULL or a PUSH: files are read out of one commit, from the first to the last that were asked for. */
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

static void
on_time(struct git_process *g)
{
	uint64_t now = clock_ns();
	const char *work = g->state == STATE_PULLING ? "the fetch" : g->state == STATE_PUSHING ? "the push" : "reading the repository";
	char text[160];
	if (g->patience_ns != 0 && now >= g->patience_ns) {
		/* The remote is slow or away, and zones wait to be served: the cache now, the remote right after. */
		child_end(g);
		pull_begin(g, true);
		g->is_wanted = true;
	} else if (g->deadline_ns != 0 && now >= g->deadline_ns) {
		snprintf(text, sizeof text,
		         "%s made no progress for %u s -- the remote hangs, or is very slow; --fetch-timeout is the limit",
		         work, g->conf->fetch_timeout_s);
		child_lost(g, E_TIMEOUT, text);
	} else if (is_remote_asked(g) && now >= g->limit_ns) {
		snprintf(text, sizeof text, "%s takes far too long, though there is progress -- the limit is %d times --fetch-timeout",
		         work, g->state == STATE_PUSHING ? PUSH_TIMEOUTS_MAX : PULL_TIMEOUTS_MAX);
		child_lost(g, E_TIMEOUT, text);
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
	if (first == UINT64_MAX) {
		return -1;
	}
	uint64_t ms = first > now ? (first - now) / 1000000u + 1 : 0;
	return ms > 60000 ? 60000 : (int)ms;
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

/* All of them are for the main process.  SIGTERM is what the system sends when our parent is gone. */
static err_t
take_signals(struct git_process *g)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	signals_ignore();
	signal(SIGTERM, SIG_DFL); /* blocked; one that is ignored would not come */
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
	c->linger_s = c->linger_s != 0 ? c->linger_s : GIT_LINGER_S;
	c->cache_patience_s = c->cache_patience_s != 0 ? c->cache_patience_s : GIT_CACHE_PATIENCE_S;
	c->file_max = c->file_max != 0 ? c->file_max : GIT_FILE_MAX;
	c->files_max = c->files_max != 0 ? c->files_max : GIT_FILES_MAX;
	c->total_max = c->total_max != 0 ? c->total_max : GIT_TOTAL_MAX;
}

err_t
git_process_run(struct git_conf *conf, int sock)
{
	struct git_process g = { .conf = conf, .sock = sock, .signals = -1, .child = { .sock = -1 }, .push = { .fd = -1 } };
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
