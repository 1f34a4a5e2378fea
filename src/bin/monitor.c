#include "bin/monitor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/page.h"
#include "bin/survey.h"
#include "net/push.h"
#include "net/served.h"
#include "net/web.h"
#include "ops/clock.h"
#include "ops/host.h"
#include "ops/influx.h"
#include "ops/openmetrics.h"

enum {
	END_MS = 4000, /* a survey may wait for another thread */
	PAGE_PEOPLE = 0, PAGE_STANDARD, PAGE_PROMETHEUS, PAGES_N,
};

struct monitor {
	struct daemon *daemon;
	int fd, statm; /* -1: handed over, or not wanted; not to be had */
	struct web *web;   /* NULL: without --metrics */
	struct push *push; /* NULL: without --monitor */
	char host[HOST_NAME_LEN_MAX + 1];
	struct web_page pages[PAGES_N];
	char policy[PAGE_POLICY_MAX];
	struct history history;   /* the web's thread's */
	pthread_mutex_t lock;     /* of the threads, for the rest; held while values are collected and written */
	struct survey *survey;    /* the last one; NULL: none yet */
	uint64_t surveyed_ms;     /* when it was complete; 0: never tried */
};

/* ---- surveys ---- */

/* NULL: another thread has it still. */
static struct survey *
collect(const struct monitor *m)
{
	struct daemon *d = m->daemon;
	struct survey *s = survey_new(clock_wall_s());
	uint64_t begun_us = clock_us();
	survey_process(s, d, m->statm);
	bool is_whole = d->program->survey(d, &s);
	if (s == NULL) {
		return NULL;
	}
	if (m->push != NULL) {
		metrics_put_1(s->metrics, M_REPORTS, "sent", (double)push_sent(m->push));
		metrics_put_1(s->metrics, M_REPORTS, "skipped", (double)push_skipped(m->push));
	}
	metrics_put(s->metrics, M_WELL, s->trouble == NULL);
	metrics_put(s->metrics, M_SURVEY_LATE, !is_whole);
	metrics_put(s->metrics, M_SURVEY_TIME, (double)(clock_us() - begun_us) / 1e6);
	metrics_put(s->metrics, M_SAMPLES_LEFT_OUT, (double)s->metrics->left_out);
	return s;
}

/* With the lock held.  If there is no new one to be had, the last one has to do.  Its age counts from its end: else, when it takes
 * seconds, each one who waits for the lock would begin another one, and the thread would show no life meanwhile (ops/health.h).
 * E_BUSY: there are no values yet. */
static err_t
freshen(struct monitor *m)
{
	if (m->surveyed_ms == 0 || clock_ms() - m->surveyed_ms >= WEB_FRESH_MS) {
		struct survey *s = collect(m);
		if (s != NULL) {
			survey_free(&m->survey);
			m->survey = s;
		}
		m->surveyed_ms = clock_ms();
	}
	return m->survey != NULL ? OK : E_BUSY;
}

static void
write_page(struct monitor *m, size_t page, struct str *out)
{
	if (page == PAGE_PEOPLE) {
		page_write(&(struct page){ .program = m->daemon->program->name, .survey = m->survey, .history = &m->history }, out);
	} else {
		openmetrics_write(m->survey->metrics, page == PAGE_STANDARD ? FORM_OPENMETRICS : FORM_PROMETHEUS, out);
	}
}

static err_t
make_page(void *ctx, size_t page, struct str *out)
{
	struct monitor *m = ctx;
	pthread_mutex_lock(&m->lock);
	err_t err = freshen(m);
	if (err == OK) {
		write_page(m, page, out);
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

static err_t
make_report(void *ctx, struct str *out)
{
	struct monitor *m = ctx;
	pthread_mutex_lock(&m->lock);
	err_t err = freshen(m);
	if (err == OK) {
		influx_write(m->survey->metrics, m->daemon->program->name, m->host, m->survey->taken_s, out);
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

static void
told(void *ctx, const char *why)
{
	struct monitor *m = ctx;
	const char *to = m->daemon->opts->monitor.to_text;
	if (why == NULL) {
		log_event(&m->daemon->log, LOG_LEVEL_INFO, "monitor-connected", "to=%s", to);
	} else {
		log_event(&m->daemon->log, LOG_LEVEL_WARNING, "monitor-lost", "to=%s text=%s hint=%s", to, why,
		          "metrics are not sent meanwhile; it is tried again and again");
	}
}

static void
turn(void *ctx)
{
	struct monitor *m = ctx;
	if (!history_is_due(&m->history, clock_ms())) {
		return;
	}
	pthread_mutex_lock(&m->lock);
	if (freshen(m) == OK) {
		history_note(&m->history, m->survey->metrics, m->surveyed_ms);
	}
	pthread_mutex_unlock(&m->lock);
}

static void
begin(void *ctx)
{
	(void)ctx;
	served_thread_begin();
}

static void
end(void *ctx)
{
	(void)ctx;
	served_thread_end();
}

/* ---- stages ---- */

static void
monitor_free(struct monitor **m)
{
	if (*m == NULL) {
		return;
	}
	if ((*m)->fd >= 0) {
		close((*m)->fd);
	}
	if ((*m)->statm >= 0) {
		close((*m)->statm);
	}
	survey_free(&(*m)->survey);
	pthread_mutex_destroy(&(*m)->lock);
	free(*m);
	*m = NULL;
}

err_t
monitor_listen_up(struct daemon *d)
{
	const struct listen_address *a = &d->opts->monitor.http;
	int fd = -1;
	if (a->len == 0 && d->opts->monitor.to.len == 0) {
		return OK;
	}
	if (a->len != 0) {
		TRY(listen_probe(a, TRANSPORT_TCP, &d->diag));
		TRY(listen_open(a, TRANSPORT_TCP, &fd, &d->diag));
	}
	struct monitor *m = xalloc(sizeof *m);
	*m = (struct monitor){ .daemon = d, .fd = fd, .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC) };
	ASSERT(pthread_mutex_init(&m->lock, NULL) == 0);
	host_name(m->host);
	d->monitor = m;
	return OK;
}

void
monitor_listen_down(struct daemon *d)
{
	if (!d->is_stuck) {
		monitor_free(&d->monitor);
	}
}

static err_t
set_pages(struct monitor *m)
{
	const struct web_header fresh = { "Cache-Control", "no-store" }, plain = { "X-Content-Type-Options", "nosniff" };
	TRY(page_policy(m->policy));
	m->pages[PAGE_PEOPLE] = (struct web_page){
		.path = "/",
		.headers = { { "Content-Type", "text/html; charset=utf-8" }, fresh, plain, { "Content-Security-Policy", m->policy },
		             { "Referrer-Policy", "no-referrer" } },
	};
	m->pages[PAGE_STANDARD] = (struct web_page){
		.path = "/metrics", .accept = "application/openmetrics-text",
		.headers = { { "Content-Type", OPENMETRICS_TYPE }, fresh, plain },
	};
	m->pages[PAGE_PROMETHEUS] = (struct web_page){
		.path = "/metrics", .headers = { { "Content-Type", PROMETHEUS_TYPE }, fresh, plain },
	};
	return OK;
}

static void
log_listening(const struct daemon *d)
{
	char text[LISTEN_TEXT_MAX];
	listen_print(&d->opts->monitor.http, text);
	log_event(&d->log, LOG_LEVEL_INFO, "metrics", "address=%s", text);
}

static err_t
web_up(struct monitor *m)
{
	struct daemon *d = m->daemon;
	TRY(set_pages(m));
	m->history = (struct history){ .charts = d->program->charts, .charts_n = d->program->charts_n };
	const struct web_conf conf = {
		.pages = m->pages, .pages_n = PAGES_N, .make = make_page, .turn = turn, .begin = begin, .end = end, .ctx = m,
	};
	int fd = m->fd;
	m->fd = -1;
	TRY(web_start(&conf, fd, &m->web, &d->diag));
	health_add(&d->health, "metrics", 0, web_pulse(m->web), HEALTH_SILENT_MAX_MS, NULL);
	log_listening(d);
	return OK;
}

static err_t
push_up(struct monitor *m)
{
	struct daemon *d = m->daemon;
	const struct monitor_opts *o = &d->opts->monitor;
	const struct push_conf conf = {
		.to = o->to, .interval_ms = 1000 * o->interval_s, .make = make_report, .told = told, .begin = begin, .end = end, .ctx = m,
	};
	pthread_mutex_lock(&m->lock); /* the thread looks at m->push */
	err_t err = push_start(&conf, &m->push, &d->diag);
	pthread_mutex_unlock(&m->lock);
	TRY(err);
	health_add(&d->health, "monitor", 0, push_pulse(m->push), HEALTH_SILENT_MAX_MS, NULL);
	return OK;
}

err_t
monitor_up(struct daemon *d)
{
	struct monitor *m = d->monitor;
	if (m != NULL && d->opts->monitor.to.len != 0) {
		TRY(push_up(m));
	}
	if (m != NULL && m->fd >= 0) {
		err_t err = web_up(m);
		if (err != OK) {
			monitor_down(d);
			return err;
		}
	}
	return OK;
}

void
monitor_down(struct daemon *d)
{
	struct monitor *m = d->monitor;
	if (m == NULL) {
		return;
	}
	d->is_stuck |= !web_stop(&m->web, END_MS);
	if (m->web == NULL) { /* else its thread may be about to look at the other one */
		d->is_stuck |= !push_stop(&m->push, END_MS);
	}
}
