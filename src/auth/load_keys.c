#include "auth/load_keys.h"

#include <string.h>

#include "auth/load_records.h"
#include "dns/rrtype.h"

struct loading {
	const uint8_t *within;
	struct keystore *keys;
};

static err_t
add_key(void *ctx, const struct master_rr *rr, struct findings *out)
{
	const struct loading *l = ctx;
	if (rr->type != TYPE_DNSKEY) {
		char type[RRTYPE_TEXT_MAX];
		findings_add(out, DIAG_ERROR, "not-a-key", rr->owner, rr->type, rr->rdata, rr->rdlen,
		             "a keys file holds one DNSKEY record for each key, and nothing else",
		             "%s record in a keys file", rrtype_print(rr->type, type));
		return OK;
	}
	return keystore_add(l->keys, rr->owner, l->within, rr->rdata, rr->rdlen, out);
}

static size_t
octets_of(const void *ctx)
{
	const struct loading *l = ctx;
	return keystore_octets(l->keys);
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
	if (strncmp(d->code, "include-", 8) != 0 && strcmp(d->code, "generate-refused") != 0) {
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
read_keys(struct loading *l, const struct master_reader *source, const char *text, size_t len, const struct secondaries *named,
          size_t octets_max, struct load_result *result)
{
	const struct diag_sink found = keys_sink(source->sink);
	const struct diag_sink read = { .report = report_without_words, .ctx = found.ctx };
	struct load_records records = { .source = source, .read = &read, .found = &found, .is_of_keys = true, .add = add_key,
		                        .octets = octets_of, .octets_max = octets_max, .ctx = l };
	err_t err = load_records_read(&records, text, len);
	keystore_find_idle(l->keys, named, &records.findings);
	return load_records_end(&records, err, text, len, keystore_count(l->keys) != 0, result);
}

err_t
keys_load(const struct master_reader *source, const char *text, size_t len, const struct secondaries *named, size_t octets_max,
          const struct alloc_source *memory, struct keystore **out, struct load_result *result)
{
	struct loading l = { .within = source->apex, .keys = keystore_new(memory) };
	err_t err = l.keys != NULL ? read_keys(&l, source, text, len, named, octets_max, result) : E_NOMEM;
	if (err != OK) {
		keystore_free(&l.keys);
		return err;
	}
	keystore_seal(l.keys);
	*out = l.keys;
	return OK;
}
