/* Draws the charts: each an area over time, with the newest value beside the title, and the scale at its sides. */
#include <stdio.h>

#include "bin/page_p.h"

enum { HEIGHT = 96, NUMBER_MAX = 32 };

/* How much time the charts show: no more than it takes to have all points. */
static const struct span {
	unsigned minutes, grid; /* in all; between two lines */
	const char *begin, *middle;
} spans[] = {
	{ 60, 10, "&minus;1 h", "&minus;30 min" },
	{ 180, 30, "&minus;3 h", "&minus;90 min" },
	{ HISTORY_POINTS, 60, "&minus;6 h", "&minus;3 h" },
};

static const struct span *
span_of(const struct history *h)
{
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(spans) && h->n > spans[i].minutes) {
		i++;
	}
	return &spans[i];
}

static const char *
print_figure(double v, char out[NUMBER_MAX])
{
	static const char *const endings[] = { "", " k", " M", " G" };
	size_t i = 0;
	for (; v >= 10000 && i + 1 < ARRAY_LEN(endings); i++) {
		v /= 1000;
	}
	bool is_short = v >= 100 || v == (double)(long)v;
	(void)snprintf(out, NUMBER_MAX, is_short ? "%.0f%s" : v >= 1 ? "%.1f%s" : "%.2f%s", v, endings[i]);
	return out;
}

/* The end of the scale: 1, 2 or 5 times a power of ten. */
static double
scale_of(double most)
{
	static const double steps[] = { 1, 2, 5, 10 };
	double power = 1e-3;
	while (power * 10 < most) {
		power *= 10;
	}
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(steps) && steps[i] * power < most) {
		i++;
	}
	return most > 1e-3 ? steps[i] * power : 1;
}

static double
most_of(const struct history *h, size_t chart)
{
	double most = 0;
	for (unsigned i = 0; i < h->n; i++) {
		double v = (double)history_at(h, chart, i);
		most = v > most ? v : most;
	}
	return most;
}

/* The newest point is at the right side. */
static void
put_points(const struct history *h, size_t chart, double scale, unsigned width, struct str *out)
{
	for (unsigned i = 0; i < h->n; i++) {
		double v = (double)history_at(h, chart, i) / scale;
		str_printf(out, "%s%u,%.1f", i != 0 ? " " : "", width - h->n + i, HEIGHT - (HEIGHT - 2) * (v < 0 ? 0 : v));
	}
}

static void
put_drawing(const struct history *h, size_t chart, double scale, struct str *out)
{
	const struct span *span = span_of(h);
	unsigned width = span->minutes;
	str_printf(out, "<svg viewBox=\"0 0 %u %d\" preserveAspectRatio=\"none\" role=\"img\" aria-hidden=\"true\">", width - 1, HEIGHT);
	for (unsigned at = span->grid; at < width; at += span->grid) {
		str_printf(out, "<path class=\"grid\" d=\"M%u 0V%d\"/>", at, HEIGHT);
	}
	str_printf(out, "<path class=\"grid\" d=\"M0 %dH%u\"/>", HEIGHT / 2, width);
	if (h->n != 0) {
		str_printf(out, "<polygon class=\"area\" points=\"%u,%d ", width - h->n, HEIGHT);
		put_points(h, chart, scale, width, out);
		str_printf(out, " %u,%d\"/><polyline class=\"line\" points=\"", width - 1, HEIGHT);
		put_points(h, chart, scale, width, out);
		str_cat(out, "\"/>");
	}
	str_cat(out, "</svg>");
}

static void
put_chart(const struct history *h, size_t chart, struct str *out)
{
	const struct chart *c = &h->charts[chart];
	double scale = scale_of(most_of(h, chart));
	char now[NUMBER_MAX] = "&ndash;", top[NUMBER_MAX];
	if (h->n != 0) {
		(void)print_figure((double)history_at(h, chart, h->n - 1), now);
	}
	str_printf(out, "<figure><figcaption><span>%s</span><b>%s <small>%s</small></b></figcaption><div class=\"plot\">", c->title, now,
	           c->unit);
	put_drawing(h, chart, scale, out);
	str_printf(out, "<span class=\"top\">%s</span></div><div class=\"axis\"><span>%s</span><span>%s</span><span>now</span></div>"
	                "</figure>\n",
	           print_figure(scale, top), span_of(h)->begin, span_of(h)->middle);
}

void
page_put_charts(const struct history *h, struct str *out)
{
	str_cat(out, "<section class=\"charts\">\n");
	for (size_t i = 0; i < h->charts_n; i++) {
		put_chart(h, i, out);
	}
	str_cat(out, "</section>\n");
	if (h->n == 0) {
		str_cat(out, "<p class=\"hint\">The charts begin in a minute.</p>\n");
	}
}
