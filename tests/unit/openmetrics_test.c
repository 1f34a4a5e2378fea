/* Values as text in both formats: escapes, endings, histograms, and bounds. */
#include "ops/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "few_metrics.h"

static const struct histogram_bounds bounds = { .n = 3, .at = { 500, 1000, 2000 }, .one = 1000 };

static void
assert_text(const struct metrics *m, enum openmetrics_form form, const char *expected)
{
	struct str out = { 0 };
	openmetrics_write(m, form, &out);
	assert_string_equal(str_text(&out), expected);
	str_fini(&out);
}

static void
both_formats(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	struct histogram h = { .sum = 0 };
	histogram_note(&h, &bounds, 500);
	histogram_note(&h, &bounds, 501);
	histogram_note(&h, &bounds, 9000);
	metrics_put_histogram(m, TOOK, &h, &bounds);
	metrics_put_2(m, COUNT, "a", "here", 2251799814000000.5);
	metrics_put_1(m, ABOUT, "1.0", 1);
	metrics_put_2(m, COUNT, "b", "there", 0);
	metrics_put(m, AGE, -0.25);
	assert_text(m, FORM_OPENMETRICS,
	            "# HELP things Things that were seen.\n# TYPE things counter\n"
	            "things_total{kind=\"a\",where=\"here\"} 2.251799814e+15\nthings_total{kind=\"b\",where=\"there\"} 0\n"
	            "# HELP age_seconds Since then.\n# TYPE age_seconds gauge\n# UNIT age_seconds seconds\nage_seconds -0.25\n"
	            "# HELP about What it is.\n# TYPE about info\nabout_info{version=\"1.0\"} 1\n"
	            "# HELP took_seconds How long it took.\n# TYPE took_seconds histogram\n# UNIT took_seconds seconds\n"
	            "took_seconds_bucket{le=\"0.5\"} 1\ntook_seconds_bucket{le=\"1.0\"} 2\ntook_seconds_bucket{le=\"2.0\"} 2\n"
	            "took_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_count 3\ntook_seconds_sum 10.001\n# EOF\n");
	assert_text(m, FORM_PROMETHEUS,
	            "# HELP things_total Things that were seen.\n# TYPE things_total counter\n"
	            "things_total{kind=\"a\",where=\"here\"} 2.251799814e+15\nthings_total{kind=\"b\",where=\"there\"} 0\n"
	            "# HELP age_seconds Since then.\n# TYPE age_seconds gauge\nage_seconds -0.25\n"
	            "# HELP about_info What it is.\n# TYPE about_info gauge\nabout_info{version=\"1.0\"} 1\n"
	            "# HELP took_seconds How long it took.\n# TYPE took_seconds histogram\n"
	            "took_seconds_bucket{le=\"0.5\"} 1\ntook_seconds_bucket{le=\"1.0\"} 2\ntook_seconds_bucket{le=\"2.0\"} 2\n"
	            "took_seconds_bucket{le=\"+Inf\"} 3\ntook_seconds_count 3\ntook_seconds_sum 10.001\n");
	metrics_free(&m);
}

static void
whole_numbers_are_exact(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	metrics_put(m, AGE, 4294967295.0);
	metrics_put(m, AGE, 8999999999999999.0);
	metrics_put(m, AGE, 1e-9);
	assert_text(m, FORM_PROMETHEUS, "# HELP age_seconds Since then.\n# TYPE age_seconds gauge\n"
	                                "age_seconds 4294967295\nage_seconds 8999999999999999\nage_seconds 1e-09\n");
	metrics_free(&m);
}

/* Nothing that a name holds ends a line, a label, or the list of labels. */
static void
labels_are_escaped(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	metrics_put_1(m, ABOUT, "a\"} 1\nb\\c\r\x1b\xff\x7f", 1);
	assert_text(m, FORM_OPENMETRICS, "# HELP about What it is.\n# TYPE about info\n"
	                                 "about_info{version=\"a\\\"} 1\\nb\\\\c\\\\x0D\\\\x1B\\\\xFF\\\\x7F\"} 1\n# EOF\n");
	metrics_free(&m);
}

static void
sums(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	assert_true(metrics_sum(m, COUNT) == 0 && metrics_most(m, COUNT) == 0);
	metrics_put_2(m, COUNT, "a", "", 3);
	metrics_put_2(m, COUNT, "b", "", 4);
	metrics_put(m, AGE, -5);
	metrics_put(m, AGE, -7);
	assert_true(metrics_sum(m, COUNT) == 7 && metrics_most(m, COUNT) == 4 && metrics_most(m, AGE) == -5);
	metrics_free(&m);
}

static void
no_more_than_there_may_be(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	for (unsigned i = 0; i < METRICS_SAMPLES_MAX + 10; i++) {
		metrics_put(m, AGE, i);
	}
	assert_int_equal(m->samples_n, METRICS_SAMPLES_MAX);
	assert_int_equal(m->left_out, 10);
	metrics_free(&m);

	static char label[1 << 20];
	memset(label, 'a', sizeof label - 1);
	m = metrics_new(table, N);
	for (unsigned i = 0; i < 40; i++) {
		metrics_put_1(m, ABOUT, label, 1);
	}
	assert_true(m->left_out > 10 && m->arena.used < (size_t)METRICS_OCTETS_MAX + (3 << 20));
	metrics_free(&m);
}

static void
histograms_add_up(void **state)
{
	(void)state;
	struct histogram a = { .sum = 0 }, b = { .sum = 0 };
	histogram_note(&a, &bounds, 0);
	histogram_note(&b, &bounds, 2000);
	histogram_note(&b, &bounds, 2001);
	histogram_add(&a, &b);
	assert_int_equal(a.count[0], 1);
	assert_int_equal(a.count[2], 1);
	assert_int_equal(a.count[3], 1);
	assert_int_equal(a.sum, 4001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_formats),
		cmocka_unit_test(whole_numbers_are_exact),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(sums),
		cmocka_unit_test(no_more_than_there_may_be),
		cmocka_unit_test(histograms_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
