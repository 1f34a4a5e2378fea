#include "net/push.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/clock.h"
#include "ops/poller.h"
#include "ops/thread.h"

enum state { WAITING, CONNECTING, CONNECTED };

struct push {
	struct push_conf conf;
	struct poller poller;
	_Atomic uint64_t sent, skipped;
	/* the thread's */
	enum state state;
	int fd;                   /* -1: WAITING */
	unsigned pause_ms;        /* after the next failure */
	uint64_t try_ms;          /* WAITING: when to connect */
	uint64_t since_ms;        /* CONNECTING: since when; CONNECTED: when the server last took something, or a report began */
	uint64_t connected_ms;    /* CONNECTED: since when */
	uint64_t due_ms;          /* the next report */
	bool is_lost_told;
	struct str report;        /* what is being sent; empty: nothing */
	size_t done;              /* octets of it that were sent */
};

/* ---- the connection ---- */

static void
lose(struct push *p, const char *why, uint64_t now_ms)
{
	if (p->fd >= 0) {
		close(p->fd);
		p->fd = -1;
	}
	if (p->report.len != 0) {
		atomic_fetch_add(&p->skipped, 1);
		str_clear(&p->report);
	}
	p->state = WAITING;
	p->try_ms = now_ms + p->pause_ms;
	p->pause_ms = 2 * p->pause_ms < PUSH_PAUSE_MAX_MS ? 2 * p->pause_ms : PUSH_PAUSE_MAX_MS;
	if (!p->is_lost_told) {
		p->is_lost_told = true;
		p->conf.told(p->conf.ctx, why);
	}
}

static void
connected(struct push *p, uint64_t now_ms)
{
	p->state = CONNECTED;
	p->since_ms = p->connected_ms = p->due_ms = now_ms;
	p->is_lost_told = false;
	p->conf.told(p->conf.ctx, NULL);
}

static void
begin_connect(struct push *p, uint64_t now_ms)
{
	const struct listen_address *to = &p->conf.to;
	p->fd = socket(to->sa.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->state = CONNECTING;
	p->since_ms = now_ms;
	if (p->fd < 0 || (connect(p->fd, &to->sa.any, to->len) != 0 && errno != EINPROGRESS)) {
		lose(p, strerror(errno), now_ms);
	}
}

static void
look_at_connect(struct push *p, short events, uint64_t now_ms)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (events == 0) {
		if (now_ms - p->since_ms >= PUSH_CONNECT_MS) {
			lose(p, strerror(ETIMEDOUT), now_ms);
		}
		return;
	}
	(void)getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		lose(p, strerror(error), now_ms);
	} else {
		connected(p, now_ms);
	}
}

/* False: the connection has ended. */
static bool
read_away(struct push *p, uint64_t now_ms)
{
	char octets[4096];
	ssize_t n = recv(p->fd, octets, sizeof octets, MSG_DONTWAIT);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
		return true;
	}
	lose(p, n == 0 ? "the server has closed the connection" : strerror(errno), now_ms);
	return false;
}

/* ---- reports ---- */

static void
make_report(struct push *p)
{
	p->done = 0;
	if (p->conf.make(p->conf.ctx, &p->report) != OK || p->report.err != OK) {
		atomic_fetch_add(&p->skipped, 1);
		str_clear(&p->report);
	}
}

static void
send_report(struct push *p, uint64_t now_ms)
{
	ssize_t n = send(p->fd, p->report.s + p->done, p->report.len - p->done, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0) {
		p->since_ms = now_ms;
		p->done += (size_t)n;
		if (p->done == p->report.len) {
			atomic_fetch_add(&p->sent, 1);
			str_clear(&p->report);
			/* Before, the server may be one that takes a report and goes, again and again. */
			if (now_ms - p->connected_ms >= p->conf.interval_ms) {
				p->pause_ms = PUSH_PAUSE_MIN_MS;
			}
		}
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(p, strerror(errno), now_ms);
	} else if (now_ms - p->since_ms >= PUSH_STALL_MS) {
		lose(p, "the server takes nothing", now_ms);
	}
}

/* ---- the thread ---- */

static void
report(struct push *p, uint64_t now_ms)
{
	bool is_due = now_ms >= p->due_ms;
	if (is_due) {
		p->due_ms = now_ms + p->conf.interval_ms;
	}
	if (is_due && (p->state != CONNECTED || p->report.len != 0)) {
		atomic_fetch_add(&p->skipped, 1);
	} else if (is_due) {
		make_report(p);
		p->since_ms = now_ms;
	}
	if (p->state == CONNECTED && p->report.len != 0) {
		send_report(p, now_ms);
	}
}

static void
turn(struct push *p, short events)
{
	uint64_t now_ms = clock_ms();
	if (p->state == WAITING && now_ms >= p->try_ms) {
		begin_connect(p, now_ms);
	} else if (p->state == CONNECTING) {
		look_at_connect(p, events, now_ms);
	} else if (p->state == CONNECTED && (events & ~POLLOUT) != 0 && !read_away(p, now_ms)) {
		return;
	}
	report(p, now_ms);
}

static int
wait_ms(const struct push *p)
{
	uint64_t now_ms = clock_ms(), next_ms = p->state == WAITING && p->try_ms < p->due_ms ? p->try_ms : p->due_ms;
	uint64_t left_ms = next_ms > now_ms ? next_ms - now_ms : 0;
	return (int)(left_ms < PULSE_PERIOD_MS ? left_ms : PULSE_PERIOD_MS);
}

static short
wanted_events(const struct push *p)
{
	return p->state == CONNECTING || p->report.len != 0 ? POLLIN | POLLOUT : POLLIN;
}

static void *
run(void *arg)
{
	struct push *p = arg;
	short events;
	thread_name("monitor");
	p->conf.begin(p->conf.ctx);
	while (poller_wait(&p->poller, p->fd, wanted_events(p), wait_ms(p), &events)) {
		turn(p, events);
	}
	p->conf.end(p->conf.ctx);
	return NULL;
}

static void
push_free(struct push *p)
{
	if (p->fd >= 0) {
		close(p->fd);
	}
	str_fini(&p->report);
	free(p);
}

err_t
push_start(const struct push_conf *conf, struct push **out, struct diag *diag)
{
	struct push *p = xalloc(sizeof *p);
	*p = (struct push){ .conf = *conf, .fd = -1, .pause_ms = PUSH_PAUSE_MIN_MS };
	if (poller_begin(&p->poller, run, p) != OK) {
		diag_set(diag, DIAG_ERROR, "monitor", "cannot start the thread that sends metrics");
		push_free(p);
		return E_IO;
	}
	*out = p;
	return OK;
}

bool
push_stop(struct push **p, unsigned limit_ms)
{
	if (*p == NULL) {
		return true;
	}
	if (!poller_end(&(*p)->poller, limit_ms)) {
		return false;
	}
	push_free(*p);
	*p = NULL;
	return true;
}

const struct pulse *
push_pulse(const struct push *p)
{
	return &p->poller.pulse;
}

uint64_t
push_sent(const struct push *p)
{
	return atomic_load(&p->sent);
}

uint64_t
push_skipped(const struct push *p)
{
	return atomic_load(&p->skipped);
}
