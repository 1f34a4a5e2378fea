/* The page for people: escapes, what comes first, bounds; the charts' points; and a survey that another thread adds to. */
#include "bin/page.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bin/survey_share.h"

static const char *const columns[] = { "Zone", "State", NULL };
static const struct chart charts[] = {
	{ .title = "Requests", .unit = "a second", .metric = M_QUERIES, .kind = CHART_RATE, .per_s = 1 },
	{ .title = "Lag", .unit = "s", .metric = M_SECONDARIES_LAG, .kind = CHART_MOST },
	{ .title = "Jobs", .unit = "", .metric = M_CERTIFICATE_JOBS, .kind = CHART_SUM },
};

static char *
page_of(const struct survey *s, const struct history *h, struct str *out)
{
	page_write(&(struct page){ .program = "oprimary", .survey = s, .history = h }, out);
	assert_int_equal(out->err, OK);
	return out->s;
}

/* ---- the page ---- */

static void
texts_are_escaped(void **state)
{
	(void)state;
	struct survey *s = survey_new(1800000000);
	struct history h = { .charts = charts, .charts_n = ARRAY_LEN(charts) };
	struct str out = { 0 };
	struct survey_table *t = survey_table(s, "Zones", columns);
	survey_row(s, t, SURVEY_BAD, (const char *const[]){ "<script>alert('1')</script>", "\"x\" & y" }, "<img src=x>\x1b\xc3");
	survey_fact(s, SURVEY_GOOD, "Branch", "</dd><b>");
	survey_set_trouble(s, "<i>");
	const char *html = page_of(s, &h, &out);
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "<img"));
	assert_null(strstr(html, "<i>"));
	assert_non_null(strstr(html, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
	assert_non_null(strstr(html, "&quot;x&quot; &amp; y"));
	assert_non_null(strstr(html, "&lt;img src=x&gt;\\x1B\\xC3"));
	assert_non_null(strstr(html, "&lt;/dd&gt;&lt;b&gt;"));
	str_fini(&out);
	survey_free(&s);
}

static void
what_is_wrong_comes_first(void **state)
{
	(void)state;
	struct survey *s = survey_new(1800000000);
	struct history h = { .charts = charts, .charts_n = ARRAY_LEN(charts) };
	struct str out = { 0 };
	struct survey_table *t = survey_table(s, "Zones", columns);
	survey_row(s, t, SURVEY_GOOD, (const char *const[]){ "fine.example", "served" }, "");
	const char *html = page_of(s, &h, &out);
	assert_non_null(strstr(html, "All is well"));
	str_clear(&out);
	survey_row(s, t, SURVEY_DOUBTFUL, (const char *const[]){ "so-so.example", "new" }, "");
	survey_row(s, t, SURVEY_BAD, (const char *const[]){ "broken.example", "rejected" }, "why");
	html = page_of(s, &h, &out);
	assert_non_null(strstr(html, "Something is wrong"));
	assert_true(strstr(html, "broken.example") < strstr(html, "so-so.example"));
	assert_true(strstr(html, "so-so.example") < strstr(html, "fine.example"));
	str_fini(&out);
	survey_free(&s);
}

static void
the_page_is_bounded(void **state)
{
	(void)state;
	static char text[100000];
	struct survey *s = survey_new(1800000000);
	struct history h = { .charts = charts, .charts_n = ARRAY_LEN(charts) };
	struct str out = { 0 };
	struct survey_table *t = survey_table(s, "Zones", columns);
	memset(text, '<', sizeof text - 1);
	for (unsigned i = 0; i < 3000; i++) {
		survey_row(s, t, SURVEY_GOOD, (const char *const[]){ text, text }, text);
	}
	assert_int_equal(t->rows_n, SURVEY_ROWS_MAX);
	assert_int_equal(t->left_out, 3000 - SURVEY_ROWS_MAX);
	assert_non_null(strstr(page_of(s, &h, &out), "2500 more are not shown"));
	assert_true(out.len < 8 << 20);
	str_fini(&out);
	survey_free(&s);
}

static void
ages(void **state)
{
	(void)state;
	char out[SURVEY_AGE_MAX];
	assert_string_equal(survey_age(0, out), "0 s");
	assert_string_equal(survey_age(59, out), "59 s");
	assert_string_equal(survey_age(61, out), "1 min 1 s");
	assert_string_equal(survey_age(3600, out), "1 h");
	assert_string_equal(survey_age(93784, out), "1 d 2 h");
	(void)survey_age(UINT64_MAX, out);
	assert_string_equal(survey_ago(100, 40, out), "1 min ago");
	assert_string_equal(survey_ago(100, 200, out), "0 s ago");
	assert_string_equal(survey_ago(100, 0, out), "never");
	assert_string_equal(survey_octets(1023, out), "1023 B");
	assert_string_equal(survey_octets(1536, out), "1.5 KiB");
	(void)survey_octets(UINT64_MAX, out);
}

static void
the_policy_allows_the_style(void **state)
{
	(void)state;
	char policy[PAGE_POLICY_MAX];
	assert_int_equal(page_policy(policy), OK);
	assert_non_null(strstr(policy, "default-src 'none'; style-src 'sha256-"));
	assert_null(strstr(policy, "unsafe"));
	assert_non_null(strstr(policy, "frame-ancestors 'none'"));
}

/* ---- charts ---- */

static void
note(struct history *h, double queries, double lag, uint64_t now_ms)
{
	struct metrics *m = metrics_new(metric_table, METRICS_N);
	metrics_put_1(m, M_QUERIES, "udp", queries);
	metrics_put_1(m, M_QUERIES, "tcp", queries);
	metrics_put(m, M_SECONDARIES_LAG, lag);
	metrics_put(m, M_CERTIFICATE_JOBS, 2);
	history_note(h, m, now_ms);
	metrics_free(&m);
}

static void
minutes_are_kept(void **state)
{
	(void)state;
	struct history h = { .charts = charts, .charts_n = ARRAY_LEN(charts) };
	assert_true(history_is_due(&h, 5));
	note(&h, 100, 1, 5000);
	assert_int_equal(h.n, 0);
	assert_true(!history_is_due(&h, 4999 + HISTORY_POINT_MS) && history_is_due(&h, 5000 + HISTORY_POINT_MS));
	note(&h, 400, 7, 65000);
	assert_int_equal(h.n, 1);
	assert_true(history_at(&h, 0, 0) > 9.99f && history_at(&h, 0, 0) < 10.01f); /* 600 in a minute */
	assert_true(history_at(&h, 1, 0) > 6.9f && history_at(&h, 2, 0) > 1.9f);
	for (unsigned i = 1; i <= 2 * HISTORY_POINTS; i++) {
		note(&h, 400, i, 65000 + (uint64_t)i * HISTORY_POINT_MS);
	}
	assert_int_equal(h.n, HISTORY_POINTS);
	assert_true((unsigned)history_at(&h, 1, 0) == HISTORY_POINTS + 1);
	assert_true((unsigned)history_at(&h, 1, HISTORY_POINTS - 1) == 2 * HISTORY_POINTS);
}

static void
all_figures_can_be_drawn(void **state)
{
	(void)state;
	static const double figures[] = { 0, 1e-9, 0.001, 1, 999, 12345, 1e9, 1e18, -5 };
	struct history h = { .charts = charts, .charts_n = ARRAY_LEN(charts) };
	struct survey *s = survey_new(1800000000);
	struct str out = { 0 };
	for (unsigned i = 0; i < ARRAY_LEN(figures); i++) {
		note(&h, 400, figures[i], (uint64_t)i * HISTORY_POINT_MS);
		str_clear(&out);
		const char *html = page_of(s, &h, &out);
		assert_null(strstr(html, "nan"));
		assert_null(strstr(html, "inf"));
	}
	str_fini(&out);
	survey_free(&s);
}

/* ---- a survey that another thread adds to ---- */

struct other {
	struct survey_share share;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_held, has_begun, is_there;
};

static void
add(void *ctx, struct survey *s)
{
	struct other *o = ctx;
	pthread_mutex_lock(&o->lock);
	o->has_begun = true;
	pthread_cond_broadcast(&o->changed);
	while (o->is_held) {
		pthread_cond_wait(&o->changed, &o->lock);
	}
	pthread_mutex_unlock(&o->lock);
	metrics_put(s->metrics, M_CERTIFICATE_JOBS, 7);
}

static void *
serve(void *arg)
{
	struct other *o = arg;
	survey_share_serve(&o->share, add, o);
	return NULL;
}

static void
wake(void *ctx)
{
	struct other *o = ctx;
	o->is_there = pthread_create(&o->thread, NULL, serve, o) == 0;
}

static void
wake_nobody(void *ctx)
{
	(void)ctx;
}

static void
other_init(struct other *o)
{
	*o = (struct other){ .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	survey_share_init(&o->share);
}

static void
let_go(struct other *o)
{
	pthread_mutex_lock(&o->lock);
	o->is_held = false;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
}

static void
another_thread_adds(void **state)
{
	(void)state;
	struct other o;
	other_init(&o);
	struct survey *s = survey_new(0);
	assert_true(survey_share_ask(&o.share, &s, 60000, wake, &o));
	assert_true(o.is_there && metrics_sum(s->metrics, M_CERTIFICATE_JOBS) == 7);
	pthread_join(o.thread, NULL);
	survey_free(&s);
	survey_share_fini(&o.share);
}

static void
a_thread_that_does_not_come(void **state)
{
	(void)state;
	struct other o;
	other_init(&o);
	struct survey *s = survey_new(0);
	assert_false(survey_share_ask(&o.share, &s, 1, wake_nobody, &o));
	assert_non_null(s);
	survey_share_serve(&o.share, add, &o); /* now nobody asks any more */
	assert_false(o.has_begun);
	assert_true(survey_share_ask(&o.share, &s, 60000, wake, &o));
	pthread_join(o.thread, NULL);
	survey_free(&s);
	survey_share_fini(&o.share);
}

static void
a_thread_that_is_slow_keeps_the_survey(void **state)
{
	(void)state;
	struct other o;
	other_init(&o);
	struct survey *s = survey_new(0), *next = survey_new(0);
	o.is_held = true;
	assert_false(survey_share_ask(&o.share, &s, 1, wake, &o));
	pthread_mutex_lock(&o.lock);
	while (!o.has_begun && s == NULL) {
		pthread_cond_wait(&o.changed, &o.lock);
	}
	pthread_mutex_unlock(&o.lock);
	if (s == NULL) { /* it had begun in that millisecond */
		assert_false(survey_share_ask(&o.share, &next, 1, wake_nobody, &o));
		assert_non_null(next);
	}
	let_go(&o);
	survey_free(&s);
	assert_true(survey_share_ask(&o.share, &next, 60000, wake, &o));
	pthread_join(o.thread, NULL);
	survey_free(&next);
	survey_share_fini(&o.share);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(what_is_wrong_comes_first),
		cmocka_unit_test(the_page_is_bounded),
		cmocka_unit_test(ages),
		cmocka_unit_test(the_policy_allows_the_style),
		cmocka_unit_test(minutes_are_kept),
		cmocka_unit_test(all_figures_can_be_drawn),
		cmocka_unit_test(another_thread_adds),
		cmocka_unit_test(a_thread_that_does_not_come),
		cmocka_unit_test(a_thread_that_is_slow_keeps_the_survey),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
