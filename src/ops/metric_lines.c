#include "ops/metric_lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *
metric_print(double v, char out[METRIC_NUMBER_MAX])
{
	bool is_whole = v > -9e15 && v < 9e15 && v == (double)(int64_t)v;
	(void)snprintf(out, METRIC_NUMBER_MAX, is_whole ? "%.0f" : "%.10g", v);
	return out;
}

/* A bound is a float in its canonical form: "1.0", not "1". */
static const char *
print_bound(double v, char out[METRIC_NUMBER_MAX])
{
	(void)snprintf(out, METRIC_NUMBER_MAX - 2, "%.10g", v);
	return strpbrk(out, ".e") != NULL ? out : strcat(out, ".0");
}

const char *
metric_ending(const struct metric *m)
{
	return m->type == METRIC_IS_COUNTER ? "_total" : m->type == METRIC_IS_INFO ? "_info" : "";
}

static void
histogram_lines(const struct metric *m, const struct sample *s, void (*line)(void *ctx, const struct metric_line *l), void *ctx)
{
	const struct histogram_bounds *b = s->bounds;
	char bound[METRIC_NUMBER_MAX];
	uint64_t count = 0;
	for (unsigned i = 0; i < b->n; i++) {
		count += s->histogram->count[i];
		line(ctx, &(struct metric_line){ m, "_bucket", s, print_bound((double)b->at[i] / b->one, bound), (double)count });
	}
	count += s->histogram->count[b->n];
	line(ctx, &(struct metric_line){ m, "_bucket", s, "+Inf", (double)count });
	line(ctx, &(struct metric_line){ m, "_count", s, NULL, (double)count });
	line(ctx, &(struct metric_line){ m, "_sum", s, NULL, (double)s->histogram->sum / b->one });
}

void
metric_lines(const struct metric *m, const struct sample *s, void (*line)(void *ctx, const struct metric_line *l), void *ctx)
{
	if (m->type == METRIC_IS_HISTOGRAM) {
		histogram_lines(m, s, line, ctx);
	} else {
		line(ctx, &(struct metric_line){ m, metric_ending(m), s, NULL, s->value });
	}
}
