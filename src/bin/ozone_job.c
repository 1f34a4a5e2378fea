/* Does the job of one file: reads, builds and checks it, and compares it with its old version. */
#include "bin/ozone.h"

#include <stdlib.h>
#include <string.h>

#include "auth/load_keys.h"
#include "auth/load_secondaries.h"
#include "base/alloc.h"
#include "bin/cli.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/check.h"
#include "zone/dump.h"
#include "zone/load.h"
#include "zone/locate.h"

/* A file in one version, and what came of it. */
struct version {
	struct side *side;       /* NULL: not there */
	const char *path;
	struct master_text text;
	bool is_open;
	struct zone *zone;       /* NULL: none, or not good */
	struct keystore *keys;
	struct secondaries *secondaries;
	struct load_result counts;
};

static struct master_reader
reader_of(const struct ozone *oz, const struct version *v, const struct job *job, const struct diag_sink *sink)
{
	return (struct master_reader){
		.apex = job->apex.oct, .file = v->path, .ctx = v->side, .open = ozone_side_open, .close = ozone_side_close,
		.sink = sink, .drops_outside = oz->drops_outside && job->kind == SOURCE_ZONE,
		.is_of_keys = job->kind == SOURCE_KEYS, .has_default_ttl = job->kind != SOURCE_ZONE, /* others are not served */
	};
}

static void
version_fini(struct version *v)
{
	zone_free(&v->zone);
	keystore_free(&v->keys);
	secondaries_free(&v->secondaries);
	if (v->is_open) {
		v->side->close(v->side->ctx, &v->text);
	}
}

static bool
is_fatal(err_t err)
{
	return err == E_NOMEM;
}

/* Opens the file; `sink` NULL: silently. */
static err_t
open_version(struct version *v, const struct diag_sink *sink)
{
	if (v->side == NULL) {
		return OK;
	}
	struct diag why = { 0 };
	err_t err = v->side->open(v->side->ctx, v->path, &v->text, &why);
	if (err != OK) {
		why.level = DIAG_ERROR;
		why.code = err == E_REFUSED ? "not-a-file" : err == E_LIMIT ? "file-too-large" : "unreadable";
		why.file = v->path;
		diag_report(sink, &why);
		return is_fatal(err) ? err : OK;
	}
	v->is_open = true;
	return OK;
}

/* True when no octet is 0.  Otherwise reports one finding, which tells more than a hundred about single lines. */
static bool
is_text(const struct version *v, const struct diag_sink *sink)
{
	const char *zero = memchr(v->text.text, '\0', v->text.len);
	if (zero == NULL) {
		return true;
	}
	struct diag d;
	diag_set(&d, DIAG_ERROR, "not-text", "this is no text: octet %zu is 0", (size_t)(zero - v->text.text) + 1);
	d.file = v->path;
	diag_report(sink, &d);
	return false;
}

static err_t
load_text(const struct ozone *oz, struct version *v, enum source_kind kind, const struct master_reader *reader)
{
	switch (kind) {
	case SOURCE_KEYS:
		return keys_load(reader, v->text.text, v->text.len, oz->rights.secondaries, SIZE_MAX, NULL, &v->keys, &v->counts);
	case SOURCE_SECONDARIES:
		return secondaries_load(reader, v->text.text, v->text.len, NULL, SIZE_MAX, &v->secondaries, &v->counts);
	default:
		return zone_load(reader, v->text.text, v->text.len, SIZE_MAX, &v->zone, &v->counts);
	}
}

static err_t
load_version(struct ozone *oz, struct version *v, const struct job *job, const struct diag_sink *sink)
{
	if (!v->is_open || !is_text(v, sink)) {
		return OK;
	}
	struct master_reader reader = reader_of(oz, v, job, sink);
	reader.allowance = v->side == job->new ? &oz->includes : NULL;
	oz->includes.is_spent = false;
	err_t err = load_text(oz, v, job->kind, &reader);
	if (err == E_LIMIT) {
		struct diag d;
		diag_set(&d, DIAG_ERROR, "zone-too-large", "%s", err_str(err));
		d.file = v->path;
		diag_report(sink, &d);
	}
	return is_fatal(err) ? err : OK;
}

/* Reports that some findings were counted but not kept: an error may be among them, after a thousand warnings. */
static void
report_more(const struct version *v, const struct diag_sink *sink, size_t errors, size_t warnings)
{
	/* with --strict, warnings were reported as errors: then only the sums show that some are missing */
	if (v->counts.errors + v->counts.warnings > errors + warnings || v->counts.errors > errors) {
		struct diag d;
		diag_set(&d, v->counts.errors > errors ? DIAG_ERROR : DIAG_WARNING, "more-findings",
		         "there are more than are shown: %zu errors, %zu warnings", v->counts.errors, v->counts.warnings);
		d.file = v->path;
		diag_report(sink, &d);
	}
}

/* ---- comparing ---- */

static err_t
find_serial(void *ctx, const struct master_rr *rr)
{
	struct soa soa;
	uint32_t *serial = ctx;
	if (rr->type != TYPE_SOA || rdata_read_soa(rr->rdata, rr->rdlen, &soa) != OK) {
		return OK;
	}
	*serial = soa.serial;
	return E_STOPPED;
}

/* The serial of a version that is no zone, but has an SOA. */
static bool
scan_serial(const struct version *v, const struct job *job, uint32_t *serial)
{
	struct master_counts counts;
	struct master_reader reader = { .apex = job->apex.oct, .file = v->path, .ctx = serial, .record = find_serial };
	return v->is_open && master_read(&reader, v->text.text, v->text.len, &counts) == E_STOPPED;
}

/* Findings about the new version, with their places. */
static err_t
report_findings(const struct ozone *oz, struct findings *f, struct version *new, const struct job *job, const struct diag_sink *sink)
{
	err_t err = OK;
	if (f->n != 0) {
		struct master_reader reader = reader_of(oz, new, job, sink);
		err = findings_locate(f, &reader, new->text.text, new->text.len);
	}
	findings_fini(f);
	return is_fatal(err) ? err : OK;
}

static bool
is_same_text(const struct version *a, const struct version *b)
{
	return a->is_open && b->is_open && a->text.len == b->text.len &&
	       memcmp(a->text.text, b->text.text, a->text.len) == 0;
}

static err_t
compare_serials(const struct ozone *oz, struct version *old, struct version *new, const struct job *job, const struct diag_sink *sink)
{
	struct findings f = { 0 };
	uint32_t was = 0;
	err_t err = OK;
	if (old->zone != NULL) {
		err = zone_check_serial(old->zone, new->zone, oz->raises_serials, &f);
	} else if (scan_serial(old, job, &was) && !is_same_text(old, new)) {
		zone_serial_finding(new->zone, was, oz->raises_serials, "the file changed", &f);
	}
	err_t located = report_findings(oz, &f, new, job, sink);
	return err != OK ? err : located;
}

/* ---- keys: one secret for each name ---- */

static err_t
join_keys(struct ozone *oz, struct version *new, const struct job *job, const struct diag_sink *sink)
{
	struct findings f = { 0 };
	if (oz->keys == NULL || new->keys == NULL) {
		return OK;
	}
	err_t err = keystore_merge(oz->keys, new->keys, &f);
	err_t located = report_findings(oz, &f, new, job, sink);
	return err != OK ? err : located;
}

/* Reports keys that a secondaries file names and no keys file has, and keys of unchanged files that have no right, neither by name nor by
 * a secondaries file.  For keys of changed files, loading has reported the latter. */
static err_t
check_rights(const struct ozone *oz, struct version *new, const struct job *job, const struct diag_sink *sink)
{
	struct findings f = { 0 };
	if (new->keys != NULL && job->is_context) {
		keystore_find_idle(new->keys, oz->rights.secondaries, &f);
	} else if (new->secondaries != NULL && oz->rights.keys != NULL) {
		secondaries_find_unknown(new->secondaries, oz->rights.keys, &f);
	}
	return report_findings(oz, &f, new, job, sink);
}

/* Reports keys for updates whose domain is in no zone.  Transfer keys may be for a catalog zone, which has no file. */
static err_t
check_domains(const struct ozone *oz, struct version *new, const struct job *job, const struct diag_sink *sink)
{
	struct findings f = { 0 };
	for (size_t i = 0; oz->zones != NULL && new->keys != NULL && i < keystore_count(new->keys); i++) {
		const struct key *k = keystore_at(new->keys, i);
		char domain[NAME_TEXT_MAX];
		if (k->right == RIGHT_UPDATE && !ozone_names_concern(oz->zones, k->domain.oct)) {
			(void)name_show(k->domain.oct, domain);
			findings_add(&f, DIAG_WARNING, "key-no-zone", k->tsig.name.oct, TYPE_DNSKEY, NULL, 0,
			             "is the name right? Only oprimary --zones-by-update makes zones for such a key",
			             "the key may change %.200s, which is in no zone here", domain);
		}
	}
	return report_findings(oz, &f, new, job, sink);
}

/* ---- output of whole zones ---- */

static err_t
write_text(void *ctx, const char *text, size_t len)
{
	return fwrite(text, 1, len, ctx) == len ? OK : E_IO;
}

struct printing {
	bool colour;
	struct str line;
};

static err_t
print_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct printing *p = ctx;
	str_clear(&p->line);
	str_cat(&p->line, cli_colour(p->colour, is_added ? CLI_GREEN : CLI_RED));
	str_char(&p->line, is_added ? '+' : '-');
	TRY(dump_rr(rr, &p->line));
	if (p->colour) {
		p->line.len--; /* the newline goes after the colour's end */
		str_cat(&p->line, cli_colour(true, CLI_PLAIN));
		str_char(&p->line, '\n');
	}
	return p->line.err != OK ? p->line.err : write_text(stdout, p->line.s, p->line.len);
}

static err_t
print_zones(const struct ozone *oz, const struct version *old, const struct version *new)
{
	err_t err = OK;
	if (oz->dump && new->zone != NULL) {
		err = dump_zone(new->zone, write_text, stdout);
	}
	if (err == OK && oz->diff && (old->zone != NULL || new->zone != NULL) &&
	    (new->zone != NULL || new->side == NULL)) {
		struct printing p = { .colour = oz->colour };
		err = zone_diff(old->zone, new->zone, print_difference, &p);
		str_fini(&p.line);
	}
	return err;
}

/* ---- the whole of it ---- */

struct tally {
	size_t errors, warnings;
};

static struct tally
tally_now(const struct ozone *oz)
{
	return (struct tally){ .errors = report_errors(oz->report), .warnings = report_warnings(oz->report) };
}

static err_t
stop_at_once(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)ctx;
	(void)is_added;
	(void)rr;
	return E_STOPPED;
}

static bool
is_zone_changed(const struct zone *old, const struct zone *new)
{
	return old != NULL && new != NULL && zone_diff(old, new, stop_at_once, NULL) != OK;
}

static enum ozone_change
change_of(const struct job *job, const struct version *old, const struct version *new)
{
	if (!job->is_compared) {
		return CHANGE_NONE;
	}
	if (old->side == NULL) {
		return CHANGE_ADDED;
	}
	if (new->side == NULL) {
		return CHANGE_REMOVED;
	}
	/* An unchanged file may include a changed one. */
	return is_same_text(old, new) && !is_zone_changed(old->zone, new->zone) ? CHANGE_SAME : CHANGE_CHANGED;
}

static void
report_done(const struct ozone *oz, const struct job *job, const struct version *old, const struct version *new,
            const struct tally *before)
{
	struct ozone_checked c = {
		.file = new->side != NULL ? job->path : job->old_path,
		.kind = job->kind,
		.change = change_of(job, old, new),
		.apex = job->apex.oct,
		.has_serial = new->zone != NULL,
		.serial = new->zone != NULL ? new->zone->serial : 0,
		.records = new->counts.records,
		.errors = report_errors(oz->report) - before->errors,
		.warnings = report_warnings(oz->report) - before->warnings,
	};
	c.has_old_serial = old->zone != NULL || (job->kind == SOURCE_ZONE && scan_serial(old, job, &c.old_serial));
	if (old->zone != NULL) {
		c.old_serial = old->zone->serial;
	}
	report_checked(oz->report, &c);
}

/* True for a new file that is named like a script or a document, and whose text is not that of a zone.  The primary ignores it, too. */
static bool
is_ignored(const struct job *job, const struct version *old, const struct version *new)
{
	return job->is_listed && job->kind == SOURCE_ZONE &&
	       source_is_doubtful((job->new != NULL ? job->new : job->old)->ignore, job->path) &&
	       (!old->is_open || !source_is_master(old->text.text, old->text.len)) &&
	       (!new->is_open || !source_is_master(new->text.text, new->text.len));
}

static err_t
do_job(struct ozone *oz, const struct job *job, struct version *old, struct version *new, const struct tally *before, bool *is_none)
{
	struct diag_sink report = report_sink(oz->report);
	struct diag_sink bare = keys_sink(&report);
	const struct diag_sink *sink = job->is_context ? NULL : job->kind == SOURCE_KEYS ? &bare : &report;
	TRY(open_version(old, NULL));
	TRY(open_version(new, sink));
	if (is_ignored(job, old, new)) {
		*is_none = true;
		return OK;
	}
	TRY(load_version(oz, new, job, sink));
	struct tally now = tally_now(oz);
	report_more(new, sink, now.errors - before->errors, now.warnings - before->warnings);
	TRY(load_version(oz, old, job, NULL));
	if (job->kind == SOURCE_KEYS && !job->is_context) {
		TRY(check_domains(oz, new, job, sink));
	}
	if (!job->is_context || oz->rights.is_changed) {
		TRY(check_rights(oz, new, job, job->kind == SOURCE_KEYS ? &bare : &report));
	}
	if (job->kind == SOURCE_KEYS && !oz->is_single) {
		ozone_valve_note_keys(oz, job, job->is_context ? new->keys : old->keys, new->keys);
	}
	if (old->side != NULL && new->zone != NULL) {
		TRY(compare_serials(oz, old, new, job, sink));
	}
	if (old->zone != NULL && new->zone != NULL) {
		struct findings f = { 0 };
		ozone_valve_zone(oz, old->zone, new->zone, &f);
		TRY(report_findings(oz, &f, new, job, sink));
	}
	return join_keys(oz, new, job, sink);
}

err_t
ozone_job(struct ozone *oz, const struct job *job)
{
	struct version old = { .side = job->old, .path = job->old_path };
	struct version new = { .side = job->new, .path = job->path };
	struct tally before = tally_now(oz);
	bool is_none = false;
	err_t err = do_job(oz, job, &old, &new, &before, &is_none);
	report_end(oz->report);
	if (err == OK && !job->is_context && !is_none) {
		err = print_zones(oz, &old, &new);
		report_done(oz, job, &old, &new, &before);
	}
	if (oz->is_single) {
		oz->kept = new.zone;
		new.zone = NULL;
	}
	version_fini(&old);
	version_fini(&new);
	return err;
}

/* ---- what zones include ---- */

static err_t
open_for_all(void *ctx, const char *path, struct master_text *out)
{
	const struct side *s = ctx;
	struct diag why;
	return s->open(s->ctx, path, out, &why);
}

static void
close_for_all(void *ctx, struct master_text *text)
{
	const struct side *s = ctx;
	s->close(s->ctx, text);
}

static struct includes_source
source_over(struct side *s)
{
	return (struct includes_source){ .ctx = s, .open = open_for_all, .close = close_for_all };
}

err_t
ozone_side_open(void *ctx, const char *path, struct master_text *out)
{
	struct side *s = ctx;
	const struct includes_source from = source_over(s);
	return includes_open(s->includes, &from, path, out);
}

void
ozone_side_close(void *ctx, struct master_text *text)
{
	const struct includes_source from = source_over(ctx);
	includes_close(&from, text);
}

void
ozone_side_fini(struct side *s)
{
	ignore_free(&s->ignore);
	if (s->includes != NULL) {
		includes_fini(s->includes);
		free(s->includes);
		s->includes = NULL;
	}
}

/* ---- names of files ---- */

void
ozone_side_ignore(struct ozone *oz, struct side *s)
{
	struct master_text text = { 0 };
	struct diag why;
	err_t err = s->open(s->ctx, IGNORE_FILE, &text, &why);
	if (err == E_NOTFOUND) {
		return;
	}
	if (err == OK) {
		err = ignore_read(text.text, text.len, &s->ignore);
		diag_set(&why, DIAG_ERROR, "bad-ignore-file", "%s",
		         err == E_NOMEM ? err_str(err) : "it is larger than 64 KiB, or has more than 1000 patterns");
		s->close(s->ctx, &text);
	}
	if (err != OK && oz != NULL) {
		report_file(oz->report, DIAG_ERROR, IGNORE_FILE, "bad-ignore-file", "the primary goes by what it said before", "%s",
		            why.text);
	}
}

bool
ozone_job_name(struct ozone *oz, struct job *job, const char *path)
{
	const struct side *side = job->new != NULL ? job->new : job->old;
	job->kind = source_kind_of(side->ignore, path, &job->apex);
	job->is_listed = true;
	if (job->kind == SOURCE_BAD_NAME) {
		struct diag d;
		source_say_bad(path, &d);
		report_file(oz->report, DIAG_ERROR, path, "bad-file-name", d.hint, "%s", d.text);
	}
	return source_kind_is_read(job->kind);
}
