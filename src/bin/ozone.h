/* bin/ozone.h -- private to ozone: the parts of the zone checker and what passes between them.
 *
 * A side is one version of all files: a directory, a revision of a repository, or nothing.  A job is one file of a zone, of keys or
 * of secondaries in two such versions.  ozone_files.c and ozone_repo.c make sides and jobs, ozone_job.c does them,
 * ozone_report.c says what was found.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "auth/includes.h"
#include "auth/primary.h"
#include "auth/secondaries.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "git/remote.h"
#include "zone/master.h"

/* A file that the server would refuse is an error here. */
#define OZONE_FILE_MAX GIT_FILE_MAX

/* ---- reports ---- */

enum ozone_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };

enum ozone_change { CHANGE_NONE, CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED, CHANGE_SAME };

/* One file that was looked at, for summaries. */
struct ozone_checked {
	const char *file;
	enum source_kind kind;          /* source_kind_is_read() */
	enum ozone_change change;       /* CHANGE_NONE: nothing to compare with */
	const uint8_t *apex;
	bool has_serial, has_old_serial;
	uint32_t serial, old_serial;
	size_t records, errors, warnings;
};

struct report;

struct report_options {
	enum ozone_format format;
	bool is_quiet, owns_stdout;
	bool is_strict; /* DIAG_UNWISE is an error */
};
struct report *report_new(const struct report_options *options);
void report_free(struct report **r); /* NULL-safe */

/* Diagnostics from here on are about files below `prefix` ("" or ending in "/"), borrowed. */
void report_begin(struct report *r, const char *prefix);
struct diag_sink report_sink(struct report *r);
void report_end(struct report *r); /* prints what has come, in order of place */

/* A problem of a file as a whole. */
[[gnu::format(printf, 6, 7)]] void report_file(struct report *r, enum diag_level level, const char *file, const char *code,
                                               const char *hint, const char *format, ...);

void report_checked(struct report *r, const struct ozone_checked *c);

/* Says what comes next, file `i` of `n`; shown on a terminal once a second has passed. */
void report_progress(struct report *r, const char *file, size_t i, size_t n);

size_t report_errors(const struct report *r);
size_t report_warnings(const struct report *r);
void report_finish(struct report *r, bool is_single, bool is_good); /* the last lines */

/* ---- versions and jobs ---- */

struct ozone;

/* One version of all files, by their paths from its root. */
struct side {
	void *ctx;
	/* As in struct master_reader.  E_NOTFOUND, E_REFUSED (no plain file), E_LIMIT, E_IO: the reason is put into *why. */
	err_t (*open)(void *ctx, const char *path, struct master_text *out, struct diag *why);
	void (*close)(void *ctx, struct master_text *text);
	struct ignore *ignore; /* owned: what .originignore of this version says; NULL: nothing */
	struct includes *includes; /* owned: texts that were read by $INCLUDE */
};

void ozone_side_fini(struct side *s);

/* For $INCLUDE, as in struct master_reader: a file is opened once for all zones of the side. */
err_t ozone_side_open(const struct side *s, const char *path, struct master_text *out);
void ozone_side_close(const struct side *s, struct master_text *text);

/* Reads it, when the version is a whole tree; what is wrong with it is reported, unless `oz` is NULL. */
void ozone_side_ignore(struct ozone *oz, struct side *s);

struct job {
	const char *path, *old_path;  /* in `new` and in `old` */
	enum source_kind kind;        /* source_kind_is_read() */
	struct name apex;
	const struct side *new, *old; /* NULL: the file is not there in that version */
	bool is_compared;             /* there is an older version of everything, even if not of this file */
	bool is_listed;               /* out of a directory or a tree: nobody has said that it is a zone */
	bool is_context;              /* keys or secondaries that did not change: read for the names in them, not reported */
};

struct ozone {
	struct report *report;
	struct ozone_names *zones; /* that there are files for, before the first is checked; NULL: a single file, so nobody knows */
	struct keystore *keys; /* of all files so far, since a name may have one secret only; NULL: a single file */
	struct ozone_policy {  /* of the new version as a whole, since keys and secondaries name each other */
		struct keystore *keys;           /* owned; NULL, as the next: a single file */
		struct secondaries *secondaries; /* owned */
		bool is_news;                    /* some of it came, changed or went: what did not is held against it, too */
	} all;
	bool dump, diff;
	bool colour;           /* of standard output */
	bool drops_outside;    /* records outside of their zone: a warning, and no part of it */
	bool raises_serials;   /* the primary does: a change needs no newer one */
	struct primary_conf valve;  /* the primary's limits of what one commit may remove (delete_…) */
	bool allows_mass_delete;    /* the new version has the trailer */
	enum diag_level valve_level; /* WARNING for what is not committed yet: the message, with the trailer, is still to come */
	struct master_allowance includes; /* what the zones of the new version may still include, in all */
	struct ozone_keys {    /* with two versions of all files: what of keys there was and is */
		struct keystore *before, *after; /* owned; NULL: there are no such versions */
		char *lost;            /* owned: the first file that lets fewer zones be announced; NULL: none */
	} both;
	bool is_single;        /* one file, then the end */
	struct zone *kept;     /* its zone: to give back a million nodes one by one would take a tenth of the time */
};

/* Problems of the data are reported; errors are those that end the run (memory, output). */
err_t ozone_job(struct ozone *oz, const struct job *job);

/* What the name of a file in the root says: fills kind and apex.  False: it is none to check; a name that can be
 * no zone's is reported. */
bool ozone_job_name(struct ozone *oz, struct job *job, const char *path); /* of job->new, or else job->old */

/* Reports files of one version that mean the same zone ("example.com" and "Example.com"). */
struct ozone_names;
struct ozone_names *ozone_names_new(void);
void ozone_names_add(struct ozone_names *names, const struct job *job);
void ozone_names_report(struct ozone_names **names, struct ozone *oz); /* and frees */
void ozone_names_free(struct ozone_names **names);
size_t ozone_names_zones(const struct ozone_names *names);
size_t ozone_names_n(const struct ozone_names *names);
const uint8_t *ozone_names_zone_at(const struct ozone_names *names, size_t i); /* NULL: that is a keys file */

/* Is there a zone that the name is in, or one below it?  True when there is no zone at all. */
bool ozone_names_concern(struct ozone_names *names, const uint8_t *name);

/* How many zones of `names` does `other` not have?  A file of one of them in *first, borrowed. */
size_t ozone_names_missing(struct ozone_names *names, struct ozone_names *other, const char **first);

/* Files of one version, all before any of them is looked at: fills oz->zones. */
void ozone_note_zones(struct ozone *oz, const struct side *side, char *const *files, size_t n);

/* ---- keys and secondaries: ozone_policy.c ---- */

/* Files of one version, all before any of them is looked at: fills oz->all.  Memory. */
err_t ozone_note_policy(struct ozone *oz, const struct side *side, char *const *files, size_t n);
void ozone_forget_policy(struct ozone *oz);

/* ---- names of files: ozone_paths.c ---- */

/* Warns of names that git cannot check out on some system, and of those that some system takes for one.  Of what is no news nothing is
 * said. */
struct ozone_paths;
struct ozone_paths *ozone_paths_new(void);
void ozone_paths_add(struct ozone_paths *p, const char *path, bool is_news); /* from the root; its directories, too */
void ozone_paths_report(struct ozone_paths **p, struct ozone *oz); /* and frees */

/* ---- the safety valve: ozone_valve.c ---- */

/* Would the primary hold this version of the zone back?  Adds the finding. */
void ozone_valve_zone(const struct ozone *oz, const struct zone *old, const struct zone *new, struct findings *f);

/* Would it hold back the zones that are gone?  Says so. */
void ozone_valve_zones(struct ozone *oz, struct ozone_names *old, struct ozone_names *new);

/* A keys file in both versions.  NULL: it is not there, or (`new`) has no good key. */
void ozone_valve_note_keys(struct ozone *oz, const struct job *job, const struct keystore *old, const struct keystore *new);

/* After all of them: would keys be held back, since nobody could announce a push for these zones any more?  Says so. */
void ozone_valve_keys(struct ozone *oz, const struct ozone_names *new);

/* ---- where files come from ---- */

bool ozone_is_dir(const char *path);

/* `old` and `zone_name` may be NULL.  E_UNSUPPORTED: wrong usage, said on standard error. */
err_t ozone_file(struct ozone *oz, const char *path, const char *old, const char *zone_name);
err_t ozone_dir(struct ozone *oz, const char *path, const char *old);

/* Revisions as tree_open() takes them; has_old false: everything in `new` is checked, and compared with nothing. */
struct ozone_revs {
	const char *dir; /* NULL: as git finds it */
	bool has_old;
	const char *old, *new;
};
err_t ozone_repo(struct ozone *oz, const struct ozone_revs *revs);
