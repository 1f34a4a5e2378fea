#include "ops/openmetrics.h"

#include "ops/metric_lines.h"

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

static void
put_labels(struct str *out, const struct metric_line *l)
{
	const char *before = "{";
	for (unsigned i = 0; i < metric_labels_n(l->metric); i++) {
		str_printf(out, "%s%s=\"", before, l->metric->labels[i]);
		put_label_text(out, l->sample->label[i]);
		str_char(out, '"');
		before = ",";
	}
	if (l->bound != NULL) {
		str_printf(out, "%sle=\"%s\"", before, l->bound);
		before = ",";
	}
	if (*before == ',') {
		str_char(out, '}');
	}
}

static void
put_line(void *ctx, const struct metric_line *l)
{
	struct str *out = ctx;
	char number[METRIC_NUMBER_MAX];
	str_printf(out, "%s%s", l->metric->name, l->ending);
	put_labels(out, l);
	str_printf(out, " %s\n", metric_print(l->value, number));
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
	const char *ending = is_standard ? "" : metric_ending(m);
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
			metric_lines(&m->table[i], s, put_line, out);
		}
	}
	if (form == FORM_OPENMETRICS) {
		str_cat(out, "# EOF\n");
	}
}
