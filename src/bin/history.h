/* bin/history.h -- some figures of the last hours, minute by minute, for charts.
 *
 * Which figures is a table.  Each is worked out of the values of a metric, once a minute.  Memory has a fixed size.
 *
 * Pure; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops/metrics.h"

enum {
	HISTORY_POINTS = 360,        /* six hours */
	HISTORY_POINT_MS = 60000,
	HISTORY_CHARTS_MAX = 4,
};

/* How a figure comes from the values of a metric. */
enum chart_kind {
	CHART_RATE, /* by how much their sum has grown */
	CHART_SUM,
	CHART_MOST, /* the largest */
};

struct chart {
	const char *title, *unit; /* static */
	unsigned metric;
	enum chart_kind kind;
	double per_s;             /* of CHART_RATE: 1: for each second; 60: for each minute */
};

/* Ready for use, and empty, when zeroed but for the first two. */
struct history {
	const struct chart *charts; /* borrowed */
	size_t charts_n;            /* HISTORY_CHARTS_MAX at most */
	float point[HISTORY_CHARTS_MAX][HISTORY_POINTS];
	unsigned n, next;           /* points that there are; where the next one goes */
	bool has_sums;
	double sum[HISTORY_CHARTS_MAX]; /* at the last point */
	uint64_t noted_ms;              /* when that was */
};

/* It is time for the next point. */
bool history_is_due(const struct history *h, uint64_t now_ms);

/* Notes the next point.  The first call only begins, as a rate needs two. */
void history_note(struct history *h, const struct metrics *m, uint64_t now_ms);

/* The point number `i` of a chart, from the oldest on; i < h->n. */
float history_at(const struct history *h, size_t chart, unsigned i);
