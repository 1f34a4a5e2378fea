/* One file of a commit: text into a zone, or into keys. */
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/load.h"
#include "zone/locate.h"

struct loading {
	const struct source_commit *commit;
	struct pending *d;
	struct findings findings; /* keys only */
};

void
free_paths(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(paths[i]);
	}
	free(paths);
}

/* Remembers the path, also of a file that cannot be read: when it comes, the zone is loaded again. */
static void
note_include(struct pending *d, const char *path)
{
	for (size_t i = 0; i < d->includes_n; i++) {
		if (strcmp(d->includes[i], path) == 0) {
			return;
		}
	}
	d->includes = xrealloc(d->includes, (d->includes_n + 1) * sizeof *d->includes);
	d->includes[d->includes_n++] = xstrdup(path);
}

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct loading *l = ctx;
	note_include(l->d, path);
	return l->commit->open(l->commit->ctx, path, out);
}

static void
close_include(void *ctx, struct master_text *text)
{
	struct loading *l = ctx;
	l->commit->close(l->commit->ctx, text);
}

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
	return keystore_add(l->d->keys, rr->owner, l->d->file->apex.oct, rr->rdata, rr->rdlen, &l->findings);
}

static err_t
load_keys(struct loading *l, struct master_reader *reader, const struct master_text *text)
{
	struct master_counts counts = { 0 };
	reader->record = add_key;
	reader->has_default_ttl = true; /* keys are not served: they need none */
	l->d->keys = keystore_new();
	err_t err = master_read(reader, text->text, text->len, &counts);
	if (l->findings.n != 0) {
		err_t located = findings_locate(&l->findings, reader, text->text, text->len);
		err = err == OK ? located : err;
	}
	l->d->counts = (struct load_counts){ .records = counts.records, .errors = counts.errors + l->findings.errors,
		                             .warnings = counts.warnings + l->findings.warnings };
	if (err == OK && l->findings.errors != 0) {
		err = E_FORMAT;
	}
	findings_fini(&l->findings);
	if (err == OK) {
		keystore_seal(l->d->keys);
	}
	return err;
}

static err_t
load_text(struct loading *l, const struct primary *p, const struct master_text *text)
{
	struct pending *d = l->d;
	struct master_reader reader = {
		.apex = d->file->apex.oct, .file = d->file->path, .ctx = l, .open = open_include, .close = close_include,
		.sink = &p->log.diag,
	};
	if (d->file->kind == SOURCE_KEYS) {
		return load_keys(l, &reader, text);
	}
	struct load_result result = { 0 };
	err_t err = zone_load(&reader, text->text, text->len, &d->zone, &result);
	d->counts = (struct load_counts){ .records = result.records, .errors = result.errors, .warnings = result.warnings };
	return err;
}

static err_t
reject(const struct primary *p, struct pending *d, const char *why)
{
	d->is_rejected = true;
	primary_report(p, &(struct primary_report){
	                          .event = d->file->kind == SOURCE_KEYS ? KEYS_REJECTED : ZONE_REJECTED,
	                          .path = d->file->path, .zone = d->file->zone, .records = d->counts.records,
	                          .errors = d->counts.errors, .warnings = d->counts.warnings, .text = why });
	return OK;
}

err_t
primary_load_file(const struct primary *p, const struct source_commit *c, const struct source_change *change,
                  struct pending *d)
{
	struct loading l = { .commit = c, .d = d };
	struct master_text text = { 0 };
	bool is_opened = change == NULL || change->bytes == NULL;

	if (change != NULL && change->refused != NULL) {
		return reject(p, d, change->refused);
	}
	if (!is_opened) {
		text = (struct master_text){ .text = (const char *)change->bytes, .len = change->len };
	} else {
		err_t err = c->open(c->ctx, d->file->path, &text);
		if (err != OK) {
			return reject(p, d, err_str(err));
		}
	}
	err_t err = load_text(&l, p, &text);
	if (is_opened) {
		c->close(c->ctx, &text);
	}
	if (err == OK) {
		return OK;
	}
	keystore_free(&d->keys);
	return err == E_FORMAT ? reject(p, d, "") : err == E_NOMEM || err == E_LIMIT ? reject(p, d, err_str(err)) : err;
}
