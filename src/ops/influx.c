#include "ops/influx.h"

#include <math.h>
#include <string.h>

#include "ops/metric_lines.h"

struct report {
	const char *job, *instance;
	uint64_t at_s;
	struct str *out;
};

static void
put_tag_text(struct str *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~' || *p == '\\') {
			str_printf(out, "\\x%02X", *p);
		} else {
			if (strchr(" ,=", *p) != NULL) {
				str_char(out, '\\');
			}
			str_char(out, (char)*p);
		}
	}
}

/* The format has no empty value; a tag that is missing is the same to whoever asks. */
static void
put_tag(struct str *out, const char *name, const char *value)
{
	if (value[0] != '\0') {
		str_printf(out, ",%s=", name);
		put_tag_text(out, value);
	}
}

static void
put_line(void *ctx, const struct metric_line *l)
{
	const struct report *r = ctx;
	char number[METRIC_NUMBER_MAX];
	if (!isfinite(l->value)) {
		return;
	}
	str_printf(r->out, "%s%s", l->metric->name, l->ending);
	put_tag(r->out, "job", r->job);
	put_tag(r->out, "instance", r->instance);
	for (unsigned i = 0; i < metric_labels_n(l->metric); i++) {
		put_tag(r->out, l->metric->labels[i], l->sample->label[i]);
	}
	if (l->bound != NULL) {
		put_tag(r->out, "le", l->bound);
	}
	str_printf(r->out, " value=%s %llu000000000\n", metric_print(l->value, number), (unsigned long long)r->at_s);
}

void
influx_write(const struct metrics *m, const char *job, const char *instance, uint64_t at_s, struct str *out)
{
	struct report r = { .job = job, .instance = instance, .at_s = at_s, .out = out };
	for (size_t i = 0; i < m->n; i++) {
		for (const struct sample *s = m->families[i].first; s != NULL; s = s->next) {
			metric_lines(&m->table[i], s, put_line, &r);
		}
	}
}
