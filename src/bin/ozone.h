/* bin/ozone.h -- private to ozone: the parts of the zone checker and what passes between them.
 *
 * A side is one version of all files: a directory, a revision of a repository, or nothing.  A job is one file of a zone, of keys or
 * of secondaries in two such versions.  ozone_files.c and ozone_repo.c make sides and jobs, ozone_job.c does the jobs, and
 * ozone_report.c prints the findings.  ozone_names.c, ozone_paths.c, ozone_rights.c and ozone_valve.c check what concerns
 * several files.
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

/* Notes which file comes next, number `i` of `n`.  A terminal shows it once a second. */
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

/* For $INCLUDE, as struct master_reader's open and close; ctx is the side.  A file is opened once for all zones of the side. */
err_t ozone_side_open(void *ctx, const char *path, struct master_text *out);
void ozone_side_close(void *ctx, struct master_text *text);

/* Reads .originignore of a version that is a whole tree.  Errors are reported, unless `oz` is NULL. */
void ozone_side_ignore(struct ozone *oz, struct side *s);

struct job {
	const char *path, *old_path;  /* in `new` and in `old` */
	enum source_kind kind;        /* source_kind_is_read() */
	struct name apex;
	struct side *new, *old;       /* NULL: the file is not there in that version */
	bool is_compared;             /* there is an older version of everything, even if not of this file */
	bool is_listed;               /* found in a directory or a tree; not named on the command line */
	bool is_context;              /* keys or secondaries that did not change: read for the names in them, not reported */
};

struct ozone {
	struct report *report;
	struct ozone_names *zones; /* the zones that have a file, listed before the first is checked; NULL: not a whole tree */
	struct keystore *keys; /* of all files so far, since a name may have one secret only; NULL: a single file */
	struct ozone_rights {  /* all of the new version, read before the first file is checked: keys and secondaries name each other */
		struct keystore *keys;           /* owned; NULL: not a whole tree */
		struct secondaries *secondaries; /* owned; NULL: likewise */
		bool is_changed;                 /* one of these files was added, changed or removed: unchanged ones are checked again */
	} rights;
	bool dump, diff;
	bool colour;           /* of standard output */
	bool drops_outside;    /* records outside of their zone get a warning, and are dropped */
	bool raises_serials;   /* the primary does: a change needs no newer one */
	struct primary_conf valve;  /* the primary's limits of what one commit may remove (delete_…) */
	bool allows_mass_delete;    /* the new version has the trailer */
	enum diag_level valve_level; /* WARNING for what is not committed yet: the message, with the trailer, is still to come */
	struct master_allowance includes; /* what the zones of the new version may still include, in all */
	struct ozone_announcing { /* with two versions of all files: which keys can announce a push */
		struct keystore *before, *after; /* owned: all keys of each version; NULL: none so far */
		char *lost;            /* owned: the first file whose keys reach fewer zones than before; NULL: none */
	} announcing;
	bool is_single;        /* only one file is checked */
	struct zone *kept;     /* its zone, which is never freed: a million nodes one by one would take a tenth of the time */
};

/* Problems of the data are reported; errors are those that end the run (memory, output). */
err_t ozone_job(struct ozone *oz, const struct job *job);

/* Fills kind and apex from the name of a file in the root directory.  False: the file is not checked.  A name that no zone can
 * have is reported. */
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

/* True when the name is in a zone, when a zone is below it, and when there is no zone at all. */
bool ozone_names_concern(struct ozone_names *names, const uint8_t *name);

/* The number of zones of `names` that `other` does not have.  *first: the file of one of them, borrowed. */
size_t ozone_names_missing(struct ozone_names *names, struct ozone_names *other, const char **first);

/* Fills oz->zones from all files of one version, before the first of them is checked. */
void ozone_note_zones(struct ozone *oz, const struct side *side, char *const *files, size_t n);

/* ---- keys and secondaries: ozone_rights.c ---- */

/* Fills oz->rights from all files of one version, before the first of them is checked.  E_NOMEM. */
err_t ozone_note_rights(struct ozone *oz, struct side *side, char *const *files, size_t n);
void ozone_forget_rights(struct ozone *oz);

/* ---- names of files: ozone_paths.c ---- */

/* Warns of names that git cannot check out on some system, and of two names that some system takes for the same.  Names that are not new
 * are not reported. */
struct ozone_paths;
struct ozone_paths *ozone_paths_new(void);
void ozone_paths_add(struct ozone_paths *p, const char *path, bool is_new); /* from the root; its directories, too */
void ozone_paths_report(struct ozone_paths **p, struct ozone *oz); /* and frees */

/* ---- the safety valve: ozone_valve.c ---- */

/* Adds a finding if the primary would hold this version of the zone back. */
void ozone_valve_zone(const struct ozone *oz, const struct zone *old, const struct zone *new, struct findings *f);

/* Reports if the primary would hold back the removal of zones. */
void ozone_valve_zones(struct ozone *oz, struct ozone_names *old, struct ozone_names *new);

/* Notes the keys of one file in both versions.  NULL: the file is not there, or (`new`) has no good key. */
void ozone_valve_note_keys(struct ozone *oz, const struct job *job, const struct keystore *old, const struct keystore *new);

/* After all keys files: reports if nobody could announce a push for one of these zones any more, so that the primary would hold keys
 * back. */
void ozone_valve_keys(struct ozone *oz, const struct ozone_names *new);

/* ---- where files come from ---- */

bool ozone_is_dir(const char *path);

/* `old` and `zone_name` may be NULL.  E_UNSUPPORTED: wrong usage, which was printed. */
err_t ozone_file(struct ozone *oz, const char *path, const char *old, const char *zone_name);
err_t ozone_dir(struct ozone *oz, const char *path, const char *old);

/* Revisions as tree_open() takes them; has_old false: everything in `new` is checked, and compared with nothing. */
struct ozone_revs {
	const char *dir; /* NULL: as git finds it */
	bool has_old;
	const char *old, *new;
};
err_t ozone_repo(struct ozone *oz, const struct ozone_revs *revs);
