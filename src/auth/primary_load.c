/* Loads one file of a commit: makes a zone, keys or secondaries of its text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/load_keys.h"
#include "auth/load_secondaries.h"
#include "auth/primary_p.h"
#include "base/alloc.h"
#include "zone/load.h"

struct loading {
	struct primary *p;
	struct includes_source from;
	struct pending *d;
};

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct loading *l = ctx;
	err_t err = reads_open(l->p, &l->d->reads, &l->from, path, out);
	l->d->is_without_memory |= err == E_NOMEM;
	return err;
}

static void
close_include(void *ctx, struct master_text *text)
{
	const struct loading *l = ctx;
	includes_close(&l->from, text);
}

/* Passes each finding on to the log, and keeps one for the zone's note. */
static void
on_diag(void *ctx, const struct diag *diag)
{
	struct loading *l = ctx;
	pending_take_diag(l->d, diag, NULL);
	diag_report(&l->p->log.diag, diag);
}

static err_t
load_kind(struct apply *a, struct pending *d, const struct master_reader *reader, const struct master_text *text, size_t octets_max,
          struct load_result *result)
{
	switch (d->file->kind) {
	case SOURCE_KEYS:
		return keys_load(reader, text->text, text->len, plan_named(a), octets_max, a->p->conf.key_memory, &d->keys, result);
	case SOURCE_SECONDARIES:
		return secondaries_load(reader, text->text, text->len, d->file->secondaries, octets_max, &d->secondaries, result);
	default:
		return zone_load(reader, text->text, text->len, octets_max, &d->zone, result);
	}
}

static err_t
load_text(struct apply *a, struct pending *d, const struct master_text *text, size_t octets_max)
{
	const struct source_commit *c = a->commit;
	struct primary *p = a->p;
	struct loading l = { .p = p, .d = d, .from = { .ctx = c->ctx, .open = c->open, .close = c->close } };
	const struct master_allowance before = plan_allowance(a);
	struct master_allowance allowance = before;
	const struct diag_sink sink = { .report = on_diag, .ctx = &l };
	struct master_reader reader = {
		.apex = d->file->apex.oct, .file = d->file->path, .ctx = &l, .open = open_include, .close = close_include,
		.sink = &sink, .drops_outside = d->file->kind == SOURCE_ZONE && p->conf.drops_outside, .allowance = &allowance,
	};
	struct load_result result = { 0 };
	reads_begin(p);
	err_t err = load_kind(a, d, &reader, text, octets_max, &result);
	d->counts = (struct load_counts){ .records = result.records, .errors = result.errors, .warnings = result.warnings,
		                            .octets = result.octets, .octets_expected = result.octets_expected };
	reads_count(p, &d->reads, &before, &allowance);
	d->is_starved = allowance.is_spent;
	d->is_over_limit = err == E_LIMIT && result.is_over_limit;
	return err;
}

static enum zone_event
rejection_of(enum source_kind kind)
{
	return kind == SOURCE_KEYS ? KEYS_REJECTED : kind == SOURCE_SECONDARIES ? SECONDARIES_REJECTED : ZONE_REJECTED;
}

static enum zone_event
taking_of(enum source_kind kind)
{
	return kind == SOURCE_KEYS ? KEYS_LOADED : SECONDARIES_LOADED;
}

void
primary_report_taken(const struct primary *p, const struct pending *d, size_t records, const char *bad)
{
	const struct file *f = d->file;
	if (d->counts.errors != 0) {
		primary_report(p, &(struct primary_report){ .event = rejection_of(f->kind), .path = f->path, .errors = d->counts.errors,
		                                            .text = bad });
	}
	primary_report(p, &(struct primary_report){ .event = taking_of(f->kind), .path = f->path, .records = records,
	                                            .warnings = d->counts.warnings });
}

void
primary_report_removed(const struct primary *p, const struct file *f)
{
	primary_report(p, &(struct primary_report){ .event = taking_of(f->kind), .path = f->path, .text = "removed" });
}

void
primary_reject_file(const struct primary *p, struct pending *d, const char *why)
{
	const char *left = primary_secondaries_left(d->file);
	char text[DIAG_TEXT_MAX];
	(void)snprintf(text, sizeof text, "%s%s%s", why, why[0] != '\0' && left[0] != '\0' ? ": " : "", left);
	d->is_rejected = true;
	pending_take_reason(d, why, NULL);
	primary_report(p, &(struct primary_report){
	                          .event = rejection_of(d->file->kind),
	                          .path = d->file->path, .zone = pending_served(d), .records = d->counts.records,
	                          .errors = d->counts.errors, .warnings = d->counts.warnings, .text = text });
}

static err_t
reject(const struct primary *p, struct pending *d, const char *why)
{
	primary_reject_file(p, d, why);
	return OK;
}

/* Ignores a new file that is named like a script or a document, and is not a zone. */
static err_t
ignore_file(const struct primary *p, struct pending *d)
{
	d->is_ignored = true;
	primary_report(p, &(struct primary_report){ .event = FILE_IGNORED, .path = d->file->path,
	                                            .text = "named like a script or a document, and its text does not begin as a zone's" });
	return OK;
}

err_t
primary_load_file(struct apply *a, struct pending *d, size_t octets_max)
{
	const struct primary *p = a->p;
	const struct source_commit *c = a->commit;
	const struct source_change *change = d->change;
	struct master_text text = { 0 };
	bool is_opened = change == NULL || change->bytes == NULL;

	bool is_doubtful = d->is_new && d->file->kind == SOURCE_ZONE && source_is_doubtful(p->next_ignore, d->file->path);
	if (change != NULL && change->refused != NULL) {
		return is_doubtful ? ignore_file(p, d) : reject(p, d, change->refused);
	}
	if (!is_opened) {
		text = (struct master_text){ .text = (const char *)change->bytes, .len = change->len };
	} else {
		err_t err = c->open(c->ctx, d->file->path, &text);
		d->is_without_memory |= err == E_NOMEM;
		if (err != OK) {
			return reject(p, d, err_str(err));
		}
	}
	bool is_none = is_doubtful && !source_is_master(text.text, text.len);
	err_t err = is_none ? ignore_file(p, d) : load_text(a, d, &text, octets_max);
	if (is_opened) {
		c->close(c->ctx, &text);
	}
	const struct zone *served = pending_served(d);
	if (err == OK && d->zone != NULL && served != NULL) {
		err = zone_changes_find(served, d->zone, zone_changes_max(served), &d->changes);
	}
	if (err == OK || d->is_over_limit) {
		return OK;
	}
	d->is_without_memory |= err == E_NOMEM;
	const char *why = d->is_starved ? "all zones together include too much" : "";
	return err == E_FORMAT ? reject(p, d, why) : err == E_NOMEM || err == E_LIMIT ? reject(p, d, err_str(err)) : err;
}
