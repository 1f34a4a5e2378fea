#include "ops/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"

struct metrics *
metrics_new(const struct metric *table, size_t n)
{
	struct metrics *m = xalloc(sizeof *m);
	*m = (struct metrics){ .table = table, .n = n, .arena = { .limit = METRICS_OCTETS_MAX } };
	m->families = xalloc(n * sizeof *m->families);
	return m;
}

void
metrics_free(struct metrics **m)
{
	if (*m != NULL) {
		arena_fini(&(*m)->arena);
		free((*m)->families);
		free(*m);
		*m = NULL;
	}
}

unsigned
metric_labels_n(const struct metric *m)
{
	unsigned n = 0;
	while (n < METRIC_LABELS_MAX && m->labels[n] != NULL) {
		n++;
	}
	return n;
}

/* NULL: there is no room. */
static struct sample *
copy(struct metrics *m, const struct metric *what, const char *const *labels)
{
	struct sample *s = arena_alloc(&m->arena, sizeof *s);
	if (s == NULL) {
		return NULL;
	}
	*s = (struct sample){ .value = 0 };
	for (unsigned i = 0; i < metric_labels_n(what); i++) {
		s->label[i] = arena_copy(&m->arena, labels[i], strlen(labels[i]) + 1);
		if (s->label[i] == NULL) {
			return NULL;
		}
	}
	return s;
}

static void
append(struct metrics_family *f, struct sample *s)
{
	if (f->last != NULL) {
		f->last->next = s;
	} else {
		f->first = s;
	}
	f->last = s;
}

/* NULL: there is no room, and it is counted. */
static struct sample *
add(struct metrics *m, unsigned metric, const char *const *labels)
{
	ASSERT(metric < m->n);
	struct sample *s = m->samples_n < METRICS_SAMPLES_MAX ? copy(m, &m->table[metric], labels) : NULL;
	if (s == NULL) {
		m->left_out++;
		return NULL;
	}
	m->samples_n++;
	append(&m->families[metric], s);
	return s;
}

void
metrics_put_at(struct metrics *m, unsigned metric, const char *const *labels, double value)
{
	struct sample *s = add(m, metric, labels);
	if (s != NULL) {
		s->value = value;
	}
}

void
metrics_put(struct metrics *m, unsigned metric, double value)
{
	ASSERT(metric_labels_n(&m->table[metric]) == 0);
	metrics_put_at(m, metric, NULL, value);
}

void
metrics_put_histogram(struct metrics *m, unsigned metric, const struct histogram *h, const struct histogram_bounds *b)
{
	struct histogram *own = arena_alloc(&m->arena, sizeof *own);
	struct sample *s = own != NULL ? add(m, metric, NULL) : NULL;
	if (s != NULL) {
		*own = (struct histogram){ .sum = 0 };
		histogram_add(own, h);
		s->histogram = own;
		s->bounds = b;
	}
}

double
metrics_sum(const struct metrics *m, unsigned metric)
{
	double sum = 0;
	for (const struct sample *s = m->families[metric].first; s != NULL; s = s->next) {
		sum += s->value;
	}
	return sum;
}

double
metrics_most(const struct metrics *m, unsigned metric)
{
	const struct sample *s = m->families[metric].first;
	double most = s != NULL ? s->value : 0;
	for (; s != NULL; s = s->next) {
		most = s->value > most ? s->value : most;
	}
	return most;
}
