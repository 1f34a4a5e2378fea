#include "zone/load.h"

#include "zone/check.h"
#include "zone/locate.h"

/* The reader's callback, which fills the builder, has only one context: this also keeps the context for opening files. */
struct loading {
	const struct master_reader *source;
	struct zone_builder *builder;
	struct generated {
		const char *text; /* the directive begins at octet `begin` of this text, which may be closed by now */
		size_t begin;
		size_t records;   /* that it has made */
		size_t before;    /* memory of the builder's names before the first of them */
	} generated;              /* by the last $GENERATE */
};

static void
note_generated(struct loading *l, const struct master_rr *rr)
{
	struct generated *g = &l->generated;
	if (g->records == 0 || rr->text != g->text || rr->begin != g->begin) {
		*g = (struct generated){ .text = rr->text, .begin = rr->begin, .before = zone_builder_name_octets(l->builder) };
	}
	g->records++;
}

/* The memory of the builder if the last $GENERATE had made `rest` more records, each with a name as large as those before.  Records of
 * one name are not counted, as the memory for these doubles now and then. */
static size_t
expected_octets(const struct loading *l, size_t rest)
{
	const struct generated *g = &l->generated;
	size_t octets = zone_builder_octets(l->builder), names = zone_builder_name_octets(l->builder);
	return rest == 0 || g->records == 0 ? octets : octets + (names - g->before) / g->records * rest;
}

static err_t
add_record(void *ctx, const struct master_rr *rr)
{
	struct loading *l = ctx;
	if ((rr->flags & MASTER_GENERATED) != 0) {
		note_generated(l, rr);
	}
	return zone_builder_add(l->builder, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct loading *l = ctx;
	return l->source->open(l->source->ctx, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	struct loading *l = ctx;
	if (l->source->close != NULL) {
		l->source->close(l->source->ctx, text);
	}
}

static struct master_reader
reader_for(struct loading *l)
{
	struct master_reader r = *l->source;
	r.ctx = l;
	r.record = add_record;
	r.open = l->source->open != NULL ? open_include : NULL;
	r.close = close_include;
	return r;
}

/* Builds and checks the zone; findings are added to `f`. */
static err_t
build(struct loading *l, struct findings *f, struct zone **out)
{
	struct zone *z = NULL;
	err_t err = zone_builder_finish(l->builder, &z);
	const struct zone *seen = err == OK ? z : err == E_FORMAT ? zone_builder_rest(l->builder) : NULL;
	if (seen != NULL) {
		err_t checked = zone_check(seen, f);
		err = err == OK ? checked : err;
	}
	if (err == OK && f->errors != 0) {
		err = E_FORMAT;
	}
	if (err != OK) {
		zone_free(&z);
		return err;
	}
	*out = z;
	return OK;
}

/* A text with errors does not become a zone, but all further findings about it are reported at once. */
static err_t
look_further(struct loading *l, struct findings *f)
{
	struct zone *z = NULL;
	err_t err = build(l, f, &z);
	zone_free(&z);
	zone_check_forget_missing(f);
	return err == OK || err == E_LIMIT ? E_FORMAT : err;
}

err_t
zone_load(const struct master_reader *source, const char *text, size_t len, size_t octets_max, struct zone **out,
          struct load_result *result)
{
	struct loading l = { .source = source };
	struct findings f = { 0 };
	struct master_counts counts = { 0 };
	struct zone *z = NULL;

	TRY(zone_builder_new(source->apex, &f, &l.builder));
	zone_builder_limit(l.builder, octets_max);
	struct master_reader reader = reader_for(&l);
	err_t err = master_read(&reader, text, len, &counts);
	if (err == OK) {
		err = build(&l, &f, &z);
	} else if (err == E_FORMAT) {
		err = look_further(&l, &f);
	}
	size_t octets = zone_builder_octets(l.builder), expected = expected_octets(&l, counts.generate_rest);
	bool is_over_limit = zone_builder_is_over_limit(l.builder);
	zone_builder_free(&l.builder);
	if (f.n != 0) {
		struct master_reader again = *source;
		err_t located = findings_locate(&f, &again, text, len);
		err = err == OK && located != OK ? located : err;
	}
	*result = (struct load_result){ .records = counts.records, .errors = counts.errors + f.errors,
		                        .warnings = counts.warnings + f.warnings, .octets = octets, .is_over_limit = is_over_limit,
		                        .octets_expected = expected };
	findings_fini(&f);
	if (err != OK) {
		zone_free(&z);
		return err;
	}
	*out = z;
	return OK;
}
