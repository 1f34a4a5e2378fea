#include "image/timekeeper.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "image/sntp.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "ops/privs.h"

enum {
	ANSWER_MS = 2000,    /* how long to wait for an answer */
	PAUSE_MIN_S = 15,    /* the shortest that RFC 4330 10 allows */
	PAUSE_MAX_S = 1024,
	ADDRESSES_MAX = 4,   /* of one server's name */
};

static int64_t
wall_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- one question ---- */

struct measure {
	int64_t offset_ns, then_ns;
};

/* Takes datagrams until one is the answer.  Others can be forged. */
static err_t
hear(int fd, uint64_t nonce, int64_t asked_ns, struct measure *out, const char **why)
{
	uint64_t end_ms = clock_ms() + ANSWER_MS, now_ms;
	while ((now_ms = clock_ms()) < end_ms) {
		uint8_t octets[512];
		struct sntp_answer a;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, (int)(end_ms - now_ms)) <= 0) {
			continue;
		}
		ssize_t n = recv(fd, octets, sizeof octets, 0);
		int64_t heard_ns = wall_ns();
		if (n < 0) {
			*why = strerror(errno);
			return E_IO;
		}
		err_t err = sntp_read(octets, (size_t)n, nonce, &a, why);
		if (err == OK) {
			out->offset_ns = sntp_offset_ns(&a, asked_ns, heard_ns);
			out->then_ns = heard_ns + out->offset_ns;
		}
		if (err != E_FORMAT) {
			return err;
		}
	}
	*why = "no answer";
	return E_TIMEOUT;
}

static err_t
ask_address(const struct addrinfo *to, struct measure *out, const char **why)
{
	uint8_t question[SNTP_LEN];
	uint64_t nonce;
	[[gnu::cleanup(file_close)]] int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0 || getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) {
		*why = strerror(errno);
		return E_IO;
	}
	sntp_ask(nonce, question);
	int64_t asked_ns = wall_ns();
	if (send(fd, question, sizeof question, 0) != sizeof question) {
		*why = strerror(errno);
		return E_IO;
	}
	return hear(fd, nonce, asked_ns, out, why);
}

static err_t
ask_server(const char *name, struct measure *out, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *all;
	char port[8];
	(void)snprintf(port, sizeof port, "%d", SNTP_PORT);
	int n = getaddrinfo(name, port, &hints, &all);
	if (n != 0) {
		*why = gai_strerror(n);
		return E_NOTFOUND;
	}
	err_t err = E_NOTFOUND;
	unsigned left = ADDRESSES_MAX;
	for (const struct addrinfo *a = all; a != NULL && err != OK && left > 0; a = a->ai_next, left--) {
		err = ask_address(a, out, why);
	}
	freeaddrinfo(all);
	return err;
}

/* ---- the clock ---- */

static err_t
step(int64_t then_ns)
{
	const struct timespec t = { .tv_sec = (time_t)(then_ns / 1000000000), .tv_nsec = (long)(then_ns % 1000000000) };
	return clock_settime(CLOCK_REALTIME, &t) == 0 ? OK : E_IO;
}

static err_t
slew(int64_t offset_ns)
{
	const struct timeval by = { .tv_sec = 0, .tv_usec = (suseconds_t)(offset_ns / 1000) };
	return adjtime(&by, NULL) == 0 ? OK : E_IO;
}

/* Once the clock is right, a small correction is no news. */
static err_t
correct(const struct timekeeper *t, struct sntp_judge *judge, const char *server, const struct measure *m)
{
	bool is_first = !judge->was_right;
	enum sntp_verdict verdict = sntp_decide(judge, m->offset_ns, m->then_ns, t->floor_ns);
	long long ms = m->offset_ns / 1000000;
	if (verdict == SNTP_DOUBT) {
		log_event(t->log, LOG_LEVEL_WARNING, "clock-doubt", "server=%s offset_ms=%lld text=%s", server, ms,
		          m->then_ns < t->floor_ns ? "that would be before the image was made"
		                                   : "a large jump, which more answers must confirm");
		return E_RANGE;
	}
	err_t err = verdict == SNTP_STEP ? step(m->then_ns) : slew(m->offset_ns);
	if (err != OK) {
		log_event(t->log, LOG_LEVEL_ERROR, "clock-failed", "server=%s text=%s", server, strerror(errno));
		return err;
	}
	bool is_news = is_first || verdict == SNTP_STEP;
	log_event(t->log, is_news ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "clock", "server=%s offset_ms=%lld", server, ms);
	return OK;
}

/* ---- the process ---- */

/* Asks one server after the other, until one has answered. */
static err_t
round_of(const struct timekeeper *t, struct sntp_judge *judge)
{
	const struct settings *s = t->settings;
	for (size_t i = 0; i < s->time_servers_n; i++) {
		struct measure m;
		const char *why = "";
		if (ask_server(s->time_servers[i], &m, &why) == OK) {
			return correct(t, judge, s->time_servers[i], &m);
		}
		log_event(t->log, LOG_LEVEL_WARNING, "clock-failed", "server=%s text=%s", s->time_servers[i], why);
	}
	return E_TIMEOUT;
}

static void
tell(struct timekeeper *t)
{
	if (t->told >= 0) {
		err_t err = file_write(t->told, "", 1);
		(void)err; /* nobody waits any more */
		file_close(&t->told);
	}
}

static err_t
become_nobody(const struct timekeeper *t)
{
	struct diag diag;
	struct privs_who who;
	err_t err = privs_find("nobody", &who, &diag);
	if (err == OK) {
		who.keeps_clock = true;
		err = privs_drop(&who, &diag);
	}
	if (err != OK) {
		log_event(t->log, LOG_LEVEL_ERROR, "clock-failed", "text=%s hint=%s", diag.text, diag.hint);
	}
	return err;
}

void
timekeeper_run(struct timekeeper *t)
{
	struct sntp_judge judge = { .was_right = false };
	unsigned pause_s = PAUSE_MIN_S;
	if (become_nobody(t) != OK) {
		return;
	}
	for (;;) {
		err_t err = round_of(t, &judge);
		if (err == OK) {
			tell(t);
		}
		/* A doubt is settled soon; otherwise a server that is away must not be asked more and more (RFC 4330 10). */
		sleep(pause_s);
		pause_s = err == E_RANGE ? PAUSE_MIN_S : pause_s * 2 < PAUSE_MAX_S ? pause_s * 2 : PAUSE_MAX_S;
	}
}
