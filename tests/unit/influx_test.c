/* Values as Influx lines: escapes, what is left out, histograms. */
#include "ops/influx.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "few_metrics.h"

static const struct histogram_bounds bounds = { .n = 2, .at = { 500, 1000 }, .one = 1000 };

static void
assert_lines(struct metrics *m, const char *expected)
{
	struct str out = { 0 };
	influx_write(m, "oprimary", "ns 1", 1800000000, &out);
	assert_string_equal(str_text(&out), expected);
	str_fini(&out);
	metrics_free(&m);
}

static void
each_kind_of_metric(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	struct histogram h = { .sum = 0 };
	histogram_note(&h, &bounds, 500);
	histogram_note(&h, &bounds, 501);
	histogram_note(&h, &bounds, 9000);
	metrics_put_histogram(m, TOOK, &h, &bounds);
	metrics_put_2(m, COUNT, "a", "here", 4294967295.0);
	metrics_put_2(m, COUNT, "b", "there", 0);
	metrics_put(m, AGE, -0.25);
	metrics_put_1(m, ABOUT, "1.0", 1);
	assert_lines(m, "things_total,job=oprimary,instance=ns\\ 1,kind=a,where=here value=4294967295 1800000000000000000\n"
	                "things_total,job=oprimary,instance=ns\\ 1,kind=b,where=there value=0 1800000000000000000\n"
	                "age_seconds,job=oprimary,instance=ns\\ 1 value=-0.25 1800000000000000000\n"
	                "about_info,job=oprimary,instance=ns\\ 1,version=1.0 value=1 1800000000000000000\n"
	                "took_seconds_bucket,job=oprimary,instance=ns\\ 1,le=0.5 value=1 1800000000000000000\n"
	                "took_seconds_bucket,job=oprimary,instance=ns\\ 1,le=1.0 value=2 1800000000000000000\n"
	                "took_seconds_bucket,job=oprimary,instance=ns\\ 1,le=+Inf value=3 1800000000000000000\n"
	                "took_seconds_count,job=oprimary,instance=ns\\ 1 value=3 1800000000000000000\n"
	                "took_seconds_sum,job=oprimary,instance=ns\\ 1 value=10.001 1800000000000000000\n");
}

/* Nothing that a name holds ends a tag or a line, and the format has no empty tag. */
static void
tags_are_escaped(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	metrics_put_2(m, COUNT, "a,b=c d\"e\\", "\n\x7f\xff\\\\", 1);
	metrics_put_2(m, COUNT, "", "x", 2);
	assert_lines(m, "things_total,job=oprimary,instance=ns\\ 1,kind=a\\,b\\=c\\ d\"e\\x5C,where=\\x0A\\x7F\\xFF\\x5C\\x5C value=1 "
	                "1800000000000000000\n"
	                "things_total,job=oprimary,instance=ns\\ 1,where=x value=2 1800000000000000000\n");
}

static void
what_is_no_number_is_left_out(void **state)
{
	(void)state;
	struct metrics *m = metrics_new(table, N);
	metrics_put(m, AGE, NAN);
	metrics_put(m, AGE, INFINITY);
	metrics_put(m, AGE, -INFINITY);
	metrics_put(m, AGE, 1e300);
	assert_lines(m, "age_seconds,job=oprimary,instance=ns\\ 1 value=1e+300 1800000000000000000\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_metric),
		cmocka_unit_test(tags_are_escaped),
		cmocka_unit_test(what_is_no_number_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
