#include "bin/history.h"

#include "base/err.h"

bool
history_is_due(const struct history *h, uint64_t now_ms)
{
	return !h->has_sums || now_ms >= h->noted_ms + HISTORY_POINT_MS;
}

static double
figure(const struct chart *c, const struct metrics *m, double before, uint64_t elapsed_ms)
{
	switch (c->kind) {
	case CHART_MOST:
		return metrics_most(m, c->metric);
	case CHART_SUM:
		return metrics_sum(m, c->metric);
	default:
		return elapsed_ms != 0 ? (metrics_sum(m, c->metric) - before) * c->per_s * 1000 / (double)elapsed_ms : 0;
	}
}

void
history_note(struct history *h, const struct metrics *m, uint64_t now_ms)
{
	ASSERT(h->charts_n <= HISTORY_CHARTS_MAX);
	for (size_t i = 0; i < h->charts_n; i++) {
		if (h->has_sums) {
			h->point[i][h->next] = (float)figure(&h->charts[i], m, h->sum[i], now_ms - h->noted_ms);
		}
		h->sum[i] = metrics_sum(m, h->charts[i].metric);
	}
	if (h->has_sums) {
		h->next = (h->next + 1) % HISTORY_POINTS;
		h->n += h->n < HISTORY_POINTS;
	}
	h->has_sums = true;
	h->noted_ms = now_ms;
}

float
history_at(const struct history *h, size_t chart, unsigned i)
{
	ASSERT(i < h->n && chart < h->charts_n);
	return h->point[chart][(h->next + HISTORY_POINTS - h->n + i) % HISTORY_POINTS];
}
