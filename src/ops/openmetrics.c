#include "ops/openmetrics.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_MAX = 40 };

/* Whole numbers are exact. */
static const char *
print_number(double v, char out[NUMBER_MAX])
{
	bool is_whole = v > -9e15 && v < 9e15 && v == (double)(int64_t)v;
	(void)snprintf(out, NUMBER_MAX, is_whole ? "%.0f" : "%.10g", v);
	return out;
}

static void
put_label_text(struct str *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == '\\' || *p == '"') {
			str_char(out, '\\');
			str_char(out, (char)*p);
		} else if (*p == '\n') {
			str_cat(out, "\\n");
		} else if (*p < ' ' || *p > '~') {
			str_printf(out, "\\\\x%02X", *p);
		} else {
			str_char(out, (char)*p);
		}
	}
}

/* The labels of the sample, and one more, unless `name` is NULL. */
static void
put_labels(struct str *out, const struct metric *m, const struct sample *s, const char *name, const char *value)
{
	const char *before = "{";
	for (unsigned i = 0; i < metric_labels_n(m); i++) {
		str_printf(out, "%s%s=\"", before, m->labels[i]);
		put_label_text(out, s->label[i]);
		str_char(out, '"');
		before = ",";
	}
	if (name != NULL) {
		str_printf(out, "%s%s=\"%s\"", before, name, value);
		before = ",";
	}
	if (*before == ',') {
		str_char(out, '}');
	}
}

static void
put_line(struct str *out, const struct metric *m, const struct sample *s, const char *ending, double value)
{
	char number[NUMBER_MAX];
	str_printf(out, "%s%s", m->name, ending);
	put_labels(out, m, s, NULL, NULL);
	str_printf(out, " %s\n", print_number(value, number));
}

/* A bound is a float in its canonical form: "1.0", not "1". */
static const char *
print_bound(double v, char out[NUMBER_MAX])
{
	(void)snprintf(out, NUMBER_MAX - 2, "%.10g", v);
	return strpbrk(out, ".e") != NULL ? out : strcat(out, ".0");
}

static void
put_bucket(struct str *out, const struct metric *m, const struct sample *s, const char *bound, uint64_t count)
{
	str_printf(out, "%s_bucket", m->name);
	put_labels(out, m, s, "le", bound);
	str_printf(out, " %llu\n", (unsigned long long)count);
}

static void
put_histogram(struct str *out, const struct metric *m, const struct sample *s)
{
	const struct histogram_bounds *b = s->bounds;
	char bound[NUMBER_MAX];
	uint64_t count = 0;
	for (unsigned i = 0; i < b->n; i++) {
		count += s->histogram->count[i];
		put_bucket(out, m, s, print_bound((double)b->at[i] / b->one, bound), count);
	}
	count += s->histogram->count[b->n];
	put_bucket(out, m, s, "+Inf", count);
	put_line(out, m, s, "_count", (double)count);
	put_line(out, m, s, "_sum", (double)s->histogram->sum / b->one);
}

static const char *
ending_of(const struct metric *m)
{
	return m->type == METRIC_IS_COUNTER ? "_total" : m->type == METRIC_IS_INFO ? "_info" : "";
}

static void
put_sample(struct str *out, const struct metric *m, const struct sample *s)
{
	if (m->type == METRIC_IS_HISTOGRAM) {
		put_histogram(out, m, s);
	} else {
		put_line(out, m, s, ending_of(m), s->value);
	}
}

/* In Prometheus' own format the metric has the name of its samples, and there is neither "info" nor a unit. */
static void
put_head(struct str *out, const struct metric *m, enum openmetrics_form form)
{
	static const char *const types[] = {
		[METRIC_IS_GAUGE] = "gauge", [METRIC_IS_COUNTER] = "counter",
		[METRIC_IS_HISTOGRAM] = "histogram", [METRIC_IS_INFO] = "info",
	};
	bool is_standard = form == FORM_OPENMETRICS;
	const char *ending = is_standard ? "" : ending_of(m);
	const char *type = m->type == METRIC_IS_INFO && !is_standard ? "gauge" : types[m->type];
	str_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name, ending, m->help, m->name, ending, type);
	if (is_standard && m->unit[0] != '\0') {
		str_printf(out, "# UNIT %s %s\n", m->name, m->unit);
	}
}

void
openmetrics_write(const struct metrics *m, enum openmetrics_form form, struct str *out)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct sample *s = m->families[i].first;
		if (s != NULL) {
			put_head(out, &m->table[i], form);
		}
		for (; s != NULL; s = s->next) {
			put_sample(out, &m->table[i], s);
		}
	}
	if (form == FORM_OPENMETRICS) {
		str_cat(out, "# EOF\n");
	}
}
