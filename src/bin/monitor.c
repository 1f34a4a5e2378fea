#include "bin/monitor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/page.h"
#include "bin/survey.h"
#include "net/served.h"
#include "net/web.h"
#include "ops/clock.h"
#include "ops/openmetrics.h"

enum {
	END_MS = 4000, /* a survey may wait for another thread */
	PAGE_PEOPLE = 0, PAGE_STANDARD, PAGE_PROMETHEUS, PAGES_N,
};

struct monitor {
	struct daemon *daemon;
	int fd, statm; /* -1: handed over; not to be had */
	struct web *web;
	struct web_page pages[PAGES_N];
	char policy[PAGE_POLICY_MAX];
	/* the thread's */
	struct history history;
	struct survey *survey;    /* the last one; NULL: none yet */
	uint64_t surveyed_ms;
};

/* ---- surveys ---- */

static void
collect(struct monitor *m, uint64_t now_ms)
{
	struct daemon *d = m->daemon;
	struct survey *s = survey_new(clock_wall_s());
	uint64_t begun_us = clock_us();
	survey_process(s, d, m->statm);
	bool is_whole = d->program->survey(d, &s);
	if (s == NULL) { /* another thread has it still: the last one has to do */
		m->surveyed_ms = now_ms;
		return;
	}
	metrics_put(s->metrics, M_WELL, s->trouble == NULL);
	metrics_put(s->metrics, M_SURVEY_LATE, !is_whole);
	metrics_put(s->metrics, M_SURVEY_TIME, (double)(clock_us() - begun_us) / 1e6);
	metrics_put(s->metrics, M_SAMPLES_LEFT_OUT, (double)s->metrics->left_out);
	survey_free(&m->survey);
	m->survey = s;
	m->surveyed_ms = now_ms;
}

static err_t
make(void *ctx, size_t page, struct str *out)
{
	struct monitor *m = ctx;
	uint64_t now_ms = clock_ms();
	if (m->surveyed_ms == 0 || now_ms - m->surveyed_ms >= WEB_FRESH_MS) {
		collect(m, now_ms);
	}
	if (m->survey == NULL) {
		return E_BUSY;
	}
	if (page == PAGE_PEOPLE) {
		page_write(&(struct page){ .program = m->daemon->program->name, .survey = m->survey, .history = &m->history }, out);
	} else {
		openmetrics_write(m->survey->metrics, page == PAGE_STANDARD ? FORM_OPENMETRICS : FORM_PROMETHEUS, out);
	}
	return OK;
}

static void
turn(void *ctx)
{
	struct monitor *m = ctx;
	uint64_t now_ms = clock_ms();
	if (history_wait_ms(&m->history, now_ms) == 0) {
		collect(m, now_ms);
		if (m->survey != NULL) {
			history_note(&m->history, m->survey->metrics, now_ms);
		}
	}
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
	free(*m);
	*m = NULL;
}

err_t
monitor_listen_up(struct daemon *d)
{
	const struct listen_address *a = &d->opts->monitor.http;
	int fd;
	if (a->len == 0) {
		return OK;
	}
	TRY(listen_probe(a, TRANSPORT_TCP, &d->diag));
	TRY(listen_open(a, TRANSPORT_TCP, &fd, &d->diag));
	struct monitor *m = xalloc(sizeof *m);
	*m = (struct monitor){ .daemon = d, .fd = fd, .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC) };
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

err_t
monitor_up(struct daemon *d)
{
	struct monitor *m = d->monitor;
	if (m == NULL) {
		return OK;
	}
	TRY(set_pages(m));
	m->history = (struct history){ .charts = d->program->charts, .charts_n = d->program->charts_n };
	const struct web_conf conf = {
		.pages = m->pages, .pages_n = PAGES_N, .make = make, .turn = turn, .begin = begin, .end = end, .ctx = m,
	};
	int fd = m->fd;
	m->fd = -1;
	TRY(web_start(&conf, fd, &m->web, &d->diag));
	health_add(&d->health, "metrics", 0, web_pulse(m->web), HEALTH_SILENT_MAX_MS, NULL);
	log_listening(d);
	return OK;
}

void
monitor_down(struct daemon *d)
{
	if (d->monitor != NULL) {
		d->is_stuck |= !web_stop(&d->monitor->web, END_MS);
	}
}
