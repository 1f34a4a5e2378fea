#include "auth/load_records.h"

#include "zone/locate.h"

/* The reader's callbacks have one context: the opener's is in `source`. */

static err_t
add_record(void *ctx, const struct master_rr *rr)
{
	struct load_records *l = ctx;
	TRY(l->add(l->ctx, rr, &l->findings));
	l->is_over_limit = l->octets(l->ctx) > l->octets_max;
	return l->is_over_limit ? E_LIMIT : OK;
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	const struct load_records *l = ctx;
	return l->source->open(l->source->ctx, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	const struct load_records *l = ctx;
	l->source->close(l->source->ctx, text);
}

err_t
load_records_read(struct load_records *l, const char *text, size_t len)
{
	struct master_reader reader = *l->source;
	reader.ctx = l;
	reader.record = add_record;
	reader.open = l->source->open != NULL ? open_include : NULL;
	reader.close = close_include;
	reader.is_of_keys = l->is_of_keys;
	reader.refuses_generate = true;
	reader.has_default_ttl = true; /* the records are not served, so they need no TTL */
	reader.sink = l->read;
	return master_read(&reader, text, len, &l->counts);
}

static err_t
locate(struct load_records *l, const char *text, size_t len)
{
	struct master_reader again = *l->source;
	again.has_default_ttl = true;
	again.is_of_keys = l->is_of_keys;
	again.refuses_generate = true;
	again.sink = l->found;
	return findings_locate(&l->findings, &again, text, len);
}

err_t
load_records_end(struct load_records *l, err_t read, const char *text, size_t len, bool is_any_good, struct load_result *result)
{
	err_t located = l->findings.n != 0 ? locate(l, text, len) : OK, err = read == OK ? located : read;
	*result = (struct load_result){
		.records = l->counts.records,
		.errors = l->counts.errors + l->findings.errors,
		.warnings = l->counts.warnings + l->findings.warnings,
		.octets = l->octets(l->ctx),
		.is_over_limit = l->is_over_limit,
	};
	findings_fini(&l->findings);
	bool is_cut = l->counts.errors > MASTER_ERRORS_MAX; /* the rest of the file was not read */
	bool is_bad = (err == OK && result->errors != 0) || err == E_FORMAT;
	return !is_bad ? err : is_any_good && !is_cut ? OK : E_FORMAT;
}
