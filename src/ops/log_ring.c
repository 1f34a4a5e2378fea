#include "ops/log_ring.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ops/log.h"
#include "ops/log_syslog.h"
#include "ops/thread.h"

/* Before each line in the ring. */
struct entry {
	struct log_stamp stamp;
	size_t len;
};

struct log_ring {
	struct log direct;        /* the log without a ring, for the thread */
	pthread_t thread;
	pthread_mutex_t lock;     /* for everything below; held while a line is copied, never while one is written */
	pthread_cond_t filled;
	bool is_ending;
	size_t first, len;        /* the octets that wait begin at `first` and may continue at the ring's start */
	uint64_t dropped, said;   /* lines dropped, and how many of them were reported */
	char octets[LOG_RING_OCTETS];
};

/* ---- octets, with the lock held ---- */

static void
put_octets(struct log_ring *r, const void *octets, size_t n)
{
	const char *from = octets;
	size_t at = (r->first + r->len) % sizeof r->octets;
	size_t before_end = sizeof r->octets - at < n ? sizeof r->octets - at : n;
	memcpy(r->octets + at, from, before_end);
	memcpy(r->octets, from + before_end, n - before_end);
	r->len += n;
}

static void
take_octets(struct log_ring *r, void *octets, size_t n)
{
	char *to = octets;
	size_t before_end = sizeof r->octets - r->first < n ? sizeof r->octets - r->first : n;
	memcpy(to, r->octets + r->first, before_end);
	memcpy(to + before_end, r->octets, n - before_end);
	r->first = (r->first + n) % sizeof r->octets;
	r->len -= n;
}

bool
log_ring_put(struct log_ring *r, const struct log_stamp *stamp, const char *line, size_t len)
{
	ASSERT(len <= LOG_LINE_MAX);
	const struct entry e = { *stamp, len };
	pthread_mutex_lock(&r->lock);
	bool has_room = !r->is_ending && sizeof r->octets - r->len >= sizeof e + len;
	if (has_room) {
		put_octets(r, &e, sizeof e);
		put_octets(r, line, len);
		pthread_cond_signal(&r->filled);
	} else {
		r->dropped++;
	}
	pthread_mutex_unlock(&r->lock);
	return has_room;
}

uint64_t
log_ring_dropped(struct log_ring *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t dropped = r->dropped;
	pthread_mutex_unlock(&r->lock);
	return dropped;
}

/* ---- the thread ---- */

/* Takes the next line, and waits for one.  False: the end has come and the ring is empty. */
static bool
take_line(struct log_ring *r, struct entry *e, char line[LOG_LINE_MAX])
{
	pthread_mutex_lock(&r->lock);
	while (r->len == 0 && !r->is_ending) {
		pthread_cond_wait(&r->filled, &r->lock);
	}
	bool is_there = r->len != 0;
	if (is_there) {
		take_octets(r, e, sizeof *e);
		take_octets(r, line, e->len);
	}
	pthread_mutex_unlock(&r->lock);
	return is_there;
}

/* How many dropped lines were not reported yet. */
static uint64_t
take_unsaid(struct log_ring *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t unsaid = r->dropped - r->said;
	r->said = r->dropped;
	pthread_mutex_unlock(&r->lock);
	return unsaid;
}

static void
say_dropped(struct log_ring *r)
{
	uint64_t unsaid = take_unsaid(r);
	if (unsaid != 0) {
		log_event(&r->direct, LOG_LEVEL_WARNING, "log-dropped", "lines=%llu text=%s", (unsigned long long)unsaid,
		          "the log is not read fast enough");
	}
}

static void *
run(void *arg)
{
	struct log_ring *r = arg;
	char line[LOG_LINE_MAX];
	struct entry e;
	sigset_t all;
	sigfillset(&all); /* SIGPIPE included: if the reader has gone, write() also returns EPIPE */
	sigdelset(&all, SIGSYS); /* a forbidden call has an answer (ops/sandbox.h) only where it is not blocked */
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (take_line(r, &e, line)) {
		log_syslog_send(r->direct.syslog, &e.stamp, line, e.len);
		(void)log_write(r->direct.fd, line, e.len); /* if the log cannot be written, there is no place to report that */
		say_dropped(r);
	}
	return NULL;
}

/* ---- beginning and end ---- */

void
log_ring_free(struct log_ring **r)
{
	if (*r != NULL) {
		pthread_cond_destroy(&(*r)->filled);
		pthread_mutex_destroy(&(*r)->lock);
		free(*r);
		*r = NULL;
	}
}

err_t
log_ring_start(const struct log *log, struct log_ring **out)
{
	struct log_ring *r = xalloc(sizeof *r);
	r->direct = *log;
	r->direct.ring = NULL;
	r->direct.limits = NULL;
	ASSERT(pthread_mutex_init(&r->lock, NULL) == 0 && pthread_cond_init(&r->filled, NULL) == 0);
	if (pthread_create(&r->thread, NULL, run, r) != 0) {
		log_ring_free(&r);
		return E_NOMEM;
	}
	*out = r;
	return OK;
}

bool
log_ring_end(struct log_ring *r, unsigned limit_ms)
{
	pthread_mutex_lock(&r->lock);
	r->is_ending = true;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
	return thread_join_within(r->thread, limit_ms);
}
