#include "zone/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "dns/lex.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/secret.h"
#include "zone/discreet.h"

enum {
	SOURCE_LINE_MAX = 4096, /* most octets of a line that are shown */
	SLOTS = 2048,           /* a power of two, above FINDINGS_MAX */
};

struct place {
	const struct finding *finding;
	struct place *next;      /* in the same slot */
	const char *file;        /* in the arena; the zone's own file if the record was not found */
	uint32_t line, col, width;
	const char *source;      /* in the arena */
	size_t source_len;
	unsigned seen;           /* matching records so far */
	bool is_found;
	bool is_included;        /* in a file other than the zone's own */
	bool is_hidden;          /* the file looks like a keys file */
};

struct locator {
	const struct master_reader *source;
	struct place *places;    /* one for each finding */
	size_t n, missing;
	bool has_keys;           /* a file that was read looks like a keys file */
	struct place *slots[SLOTS];
	struct arena arena;
};

/* At most FINDINGS_MAX owners are in the table. */
static size_t
slot_of(const uint8_t *name)
{
	uint32_t h = name_hash(name);
	return (h ^ h >> 16) % SLOTS;
}

static bool
is_match(const struct finding *f, const struct master_rr *rr)
{
	return (f->type == 0 || f->type == rr->type) &&
	       (f->rdata == NULL ||
	        (f->type == rr->type &&
	         rdata_compare(f->type, f->rdata, f->rdlen, rr->rdata, rr->rdlen) == 0)) &&
	       name_is_equal(f->owner, rr->owner);
}

/* The width from the record's first token to its last on the same line. */
static uint32_t
record_width(const char *line, size_t len, uint32_t col)
{
	struct lex lx;
	struct lex_token t;
	size_t end = col;
	if (col > len) {
		return 0;
	}
	lex_init(&lx, line, len);
	for (lex_next(&lx, &t); t.kind == LEX_WORD || t.kind == LEX_QUOTED || t.kind == LEX_BLANK;
	     lex_next(&lx, &t)) {
		if (t.kind != LEX_BLANK) {
			end = (size_t)(t.s - line) + t.len + (t.kind == LEX_QUOTED);
		}
	}
	return (uint32_t)(end >= col ? end - (col - 1) : 1);
}

/* The physical line that a record begins on. */
static void
first_line(const struct master_rr *rr, const char **line, size_t *len)
{
	const char *s = rr->text + rr->begin;
	size_t n = (size_t)(lex_line_end(s, rr->text + rr->end) - s);
	n -= n != 0 && s[n - 1] == '\r';
	*line = s;
	*len = n < SOURCE_LINE_MAX ? n : SOURCE_LINE_MAX;
}

static err_t
set_place(struct locator *l, struct place *p, const struct master_rr *rr)
{
	const char *line;
	size_t len;
	first_line(rr, &line, &len);
	p->source = arena_copy(&l->arena, line, len);
	p->file = arena_copy(&l->arena, rr->file, strlen(rr->file) + 1);
	if (p->source == NULL || p->file == NULL) {
		return E_NOMEM;
	}
	p->source_len = len;
	p->line = rr->line;
	p->col = rr->col;
	p->width = record_width(line, len, rr->col);
	p->is_included = l->source->file == NULL || strcmp(rr->file, l->source->file) != 0;
	p->is_hidden = (rr->flags & MASTER_AMONG_KEYS) != 0;
	p->is_found = true;
	l->missing--;
	return OK;
}

static err_t
look_at(void *ctx, const struct master_rr *rr)
{
	struct locator *l = ctx;
	l->has_keys |= (rr->flags & MASTER_AMONG_KEYS) != 0;
	for (struct place *p = l->slots[slot_of(rr->owner)]; p != NULL; p = p->next) {
		if (!p->is_found && is_match(p->finding, rr) && p->seen++ == p->finding->nth) {
			TRY(set_place(l, p, rr));
		}
	}
	return l->missing != 0 ? OK : E_STOPPED;
}

static err_t
open_for_source(void *ctx, const char *path, struct master_text *out)
{
	const struct locator *l = ctx;
	return l->source->open(l->source->ctx, path, out);
}

static void
close_for_source(void *ctx, struct master_text *text)
{
	const struct locator *l = ctx;
	l->source->close(l->source->ctx, text);
}

static err_t
read_again(struct locator *l, const char *text, size_t len)
{
	struct master_reader r = *l->source;
	struct master_counts counts;
	r.ctx = l;
	r.record = look_at;
	r.open = l->source->open != NULL ? open_for_source : NULL;
	r.close = l->source->close != NULL ? close_for_source : NULL;
	r.sink = NULL;
	r.marks_keys = !r.is_of_keys;
	bool is_cut = r.allowance != NULL && r.allowance->is_spent; /* the source exceeded the limits, and is not read again */
	r.allowance = NULL;
	l->has_keys = is_cut && r.marks_keys && secret_is_text(r.file != NULL ? r.file : "", text, len);
	err_t err = l->missing != 0 && !is_cut ? master_read(&r, text, len, &counts) : OK;
	/* Errors in the source were reported when it was first read. */
	return err == E_NOMEM ? err : OK;
}

static int
place_compare(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->is_included != b->is_included) {
		return a->is_included ? 1 : -1;
	}
	int d = strcmp(a->file, b->file);
	if (d != 0) {
		return d;
	}
	if (a->line != b->line) {
		return a->line < b->line ? -1 : 1;
	}
	return a->finding < b->finding ? -1 : a->finding > b->finding;
}

static void
report_all(struct locator *l)
{
	qsort(l->places, l->n, sizeof *l->places, place_compare);
	for (size_t i = 0; i < l->n; i++) {
		const struct place *p = &l->places[i];
		struct diag d;
		diag_set(&d, p->finding->level, p->finding->code, "%s", p->finding->text);
		diag_hint(&d, "%s", p->finding->hint);
		d.file = p->file;
		d.line = p->line;
		d.col = p->col;
		d.width = p->width;
		d.source = p->source;
		d.source_len = p->source_len;
		if ((p->is_found ? p->is_hidden : l->has_keys) || discreet_is_needed(&d)) {
			discreet_hide(&d);
		}
		diag_report(l->source->sink, &d);
	}
}

static void
add_findings(struct locator *l, const struct findings *f)
{
	for (size_t i = f->n; i-- != 0;) { /* backwards, so that each slot is in the order of `f` */
		struct place *p = &l->places[i];
		p->finding = &f->list[i];
		p->file = l->source->file != NULL ? l->source->file : "";
		if (p->finding->owner != NULL) {
			struct place **slot = &l->slots[slot_of(p->finding->owner)];
			p->next = *slot;
			*slot = p;
			l->missing++;
		}
	}
}

err_t
findings_locate(const struct findings *f, const struct master_reader *source, const char *text, size_t len)
{
	if (f->n == 0) {
		return OK;
	}
	struct locator *l = try_alloc(sizeof *l);
	if (l == NULL) {
		return E_NOMEM;
	}
	l->source = source;
	l->n = f->n;
	l->places = try_alloc(f->n * sizeof *l->places);
	err_t err = E_NOMEM;
	if (l->places != NULL) {
		add_findings(l, f);
		err = read_again(l, text, len);
	}
	if (err == OK) {
		report_all(l);
	}
	arena_fini(&l->arena);
	free(l->places);
	free(l);
	return err;
}
