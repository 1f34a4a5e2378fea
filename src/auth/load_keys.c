#include "auth/load_keys.h"

#include <string.h>

#include "dns/rrtype.h"
#include "zone/locate.h"

/* The reader's callbacks have one context: the opener's is kept here. */
struct loading {
	const struct master_reader *source;
	struct keystore *keys;
	struct findings findings;
};

static err_t
add_key(void *ctx, const struct master_rr *rr)
{
	struct loading *l = ctx;
	if (rr->type != TYPE_DNSKEY) {
		char type[RRTYPE_TEXT_MAX];
		findings_add(&l->findings, DIAG_ERROR, "not-a-key", rr->owner, rr->type, rr->rdata, rr->rdlen,
		             "a keys file holds one DNSKEY record for each key, and nothing else",
		             "%s record in a keys file", rrtype_print(rr->type, type));
		return OK;
	}
	return keystore_add(l->keys, rr->owner, l->source->apex, rr->rdata, rr->rdlen, &l->findings);
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	const struct loading *l = ctx;
	return l->source->open(l->source->ctx, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	const struct loading *l = ctx;
	l->source->close(l->source->ctx, text);
}

/* ---- diagnostics without secrets ---- */

static void
report_without_source(void *ctx, const struct diag *d)
{
	const struct diag_sink *to = ctx;
	struct diag bare = *d;
	bare.source = NULL;
	bare.source_len = 0;
	diag_report(to, &bare);
}

struct diag_sink
keys_sink(const struct diag_sink *to)
{
	union {
		const struct diag_sink *in;
		void *out;
	} ctx = { .in = to }; /* it is only read again as what it was */
	return (struct diag_sink){ .report = report_without_source, .ctx = ctx.out };
}

/* What the reader does not understand may be a secret: a line that is short of its type has it where the type
 * should be. */
static void
report_without_words(void *ctx, const struct diag *d)
{
	struct diag bare = *d;
	if (strncmp(d->code, "include-", 8) != 0) {
		diag_set(&bare, d->level, d->code, "this does not fit into a line of a keys file");
		diag_hint(&bare, "such a line is: NAME DNSKEY 0 3 163 SECRET (it is not shown here, as it may hold a secret)");
		bare.file = d->file;
		bare.line = d->line;
		bare.col = d->col;
		bare.width = d->width;
	}
	report_without_source(ctx, &bare);
}

static err_t
read_keys(struct loading *l, const char *text, size_t len, struct load_result *result)
{
	struct master_counts counts = { 0 };
	struct master_reader reader = *l->source;
	reader.ctx = l;
	reader.record = add_key;
	reader.open = l->source->open != NULL ? open_include : NULL;
	reader.close = close_include;
	reader.is_of_keys = true;
	reader.has_default_ttl = true; /* keys are not served: they need none */
	struct diag_sink found = keys_sink(l->source->sink);
	struct diag_sink read = { .report = report_without_words, .ctx = found.ctx };
	reader.sink = &read;
	err_t err = master_read(&reader, text, len, &counts);
	if (l->findings.n != 0) {
		struct master_reader again = *l->source;
		again.has_default_ttl = true;
		again.is_of_keys = true;
		again.sink = &found;
		err_t located = findings_locate(&l->findings, &again, text, len);
		err = err == OK ? located : err;
	}
	*result = (struct load_result){
		.records = counts.records,
		.errors = counts.errors + l->findings.errors,
		.warnings = counts.warnings + l->findings.warnings,
	};
	bool is_cut = counts.errors > MASTER_ERRORS_MAX; /* what comes after that is not known */
	bool is_useful = keystore_count(l->keys) != 0 && !is_cut;
	return (err == OK && result->errors != 0) || err == E_FORMAT ? (is_useful ? OK : E_FORMAT) : err;
}

err_t
keys_load(const struct master_reader *source, const char *text, size_t len, struct keystore **out,
          struct load_result *result)
{
	struct loading l = { .source = source, .keys = keystore_new() };
	err_t err = l.keys != NULL ? read_keys(&l, text, len, result) : E_NOMEM;
	findings_fini(&l.findings);
	if (err != OK) {
		keystore_free(&l.keys);
		return err;
	}
	keystore_seal(l.keys);
	*out = l.keys;
	return OK;
}
