#include "auth/load_keys.h"

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

static err_t
read_keys(struct loading *l, const char *text, size_t len, struct load_result *result)
{
	struct master_counts counts = { 0 };
	struct master_reader reader = *l->source;
	reader.ctx = l;
	reader.record = add_key;
	reader.open = l->source->open != NULL ? open_include : NULL;
	reader.close = close_include;
	reader.has_default_ttl = true; /* keys are not served: they need none */
	err_t err = master_read(&reader, text, len, &counts);
	if (l->findings.n != 0) {
		struct master_reader again = *l->source;
		again.has_default_ttl = true;
		err_t located = findings_locate(&l->findings, &again, text, len);
		err = err == OK ? located : err;
	}
	*result = (struct load_result){
		.records = counts.records,
		.errors = counts.errors + l->findings.errors,
		.warnings = counts.warnings + l->findings.warnings,
	};
	return err == OK && l->findings.errors != 0 ? E_FORMAT : err;
}

err_t
keys_load(const struct master_reader *source, const char *text, size_t len, struct keystore **out,
          struct load_result *result)
{
	struct loading l = { .source = source, .keys = keystore_new() };
	err_t err = read_keys(&l, text, len, result);
	findings_fini(&l.findings);
	if (err != OK) {
		keystore_free(&l.keys);
		return err;
	}
	keystore_seal(l.keys);
	*out = l.keys;
	return OK;
}
