/* ops/metrics.h -- the values of metrics at one moment, for all outputs that tell them.
 *
 * What there is to measure is a table of struct metric.  Whoever knows values puts them in, in any order; an output takes them out, one
 * metric after the other.  So each metric has its name, unit and meaning in one place, whatever it is written as.
 *
 * Bounds: METRICS_SAMPLES_MAX values, and METRICS_OCTETS_MAX for them and their labels.  What does not fit is left out, and counted.
 *
 * Pure; one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "ops/histogram.h"

enum {
	METRIC_LABELS_MAX = 4,
	METRICS_SAMPLES_MAX = 50000,
	METRICS_OCTETS_MAX = 16 << 20,
};

enum metric_type {
	METRIC_IS_GAUGE,
	METRIC_IS_COUNTER,   /* only grows; its samples have "_total" behind the name */
	METRIC_IS_HISTOGRAM,
	METRIC_IS_INFO,      /* always 1, and what matters is the labels; its samples have "_info" behind the name */
};

/* All texts are static. */
struct metric {
	const char *name;    /* ends in "_UNIT", if there is one */
	enum metric_type type;
	const char *unit;    /* "": it counts things */
	const char *help;
	const char *labels[METRIC_LABELS_MAX]; /* names; NULL behind the last one */
};

struct sample {
	const struct sample *next;
	const char *label[METRIC_LABELS_MAX]; /* values, as many as the metric has names; any octets but NUL */
	double value;
	const struct histogram *histogram;    /* of METRIC_IS_HISTOGRAM, in place of the value, */
	const struct histogram_bounds *bounds; /* with these */
};

struct metrics_family {
	const struct sample *first;
	struct sample *last;
};

struct metrics {
	const struct metric *table; /* borrowed */
	size_t n;
	struct metrics_family *families; /* owned: by the number of the metric in the table */
	struct arena arena;         /* of samples and labels */
	size_t samples_n, left_out;
};

struct metrics *metrics_new(const struct metric *table, size_t n);
void metrics_free(struct metrics **m); /* NULL-safe */

/* Adds a value of a metric without labels; with labels, which are copied, in the order of the metric's names. */
void metrics_put(struct metrics *m, unsigned metric, double value);
void metrics_put_at(struct metrics *m, unsigned metric, const char *const *labels, double value);

/* The same of a histogram, which is copied; `b` is borrowed. */
void metrics_put_histogram(struct metrics *m, unsigned metric, const struct histogram *h, const struct histogram_bounds *b);

/* A metric with one label, or two. */
static inline void
metrics_put_1(struct metrics *m, unsigned metric, const char *label, double value)
{
	metrics_put_at(m, metric, (const char *const[METRIC_LABELS_MAX]){ label }, value);
}

static inline void
metrics_put_2(struct metrics *m, unsigned metric, const char *a, const char *b, double value)
{
	metrics_put_at(m, metric, (const char *const[METRIC_LABELS_MAX]){ a, b }, value);
}

unsigned metric_labels_n(const struct metric *m);

/* The sum of all values of a metric, and the largest one; 0: there is none. */
double metrics_sum(const struct metrics *m, unsigned metric);
double metrics_most(const struct metrics *m, unsigned metric);
