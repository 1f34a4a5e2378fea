/* auth/primary_p.h -- the private header of primary*.c and batch*.c.
 *
 * primary.c makes views of commits. primary_plan.c lists the files that a commit changes or removes, primary_files.c keeps all files,
 * primary_load.c makes zones, keys and secondaries of them. primary_memory.c limits their memory, primary_limit.c the number of keys and of
 * records of secondaries. primary_include.c knows which file includes which, primary_ignore.c reads .originignore. primary_hold.c and
 * primary_hold_keys.c hold back what a commit must not remove. primary_commit.c, primary_keys.c, primary_secondaries.c and
 * primary_notes.c put all results into the next view
 * (auth/next_view.h). primary_accept.c makes a view of the versions of a batch whose commit is in the remote. primary_serial.c remembers
 * which serials secondaries may have.
 */
#pragma once

#include "auth/includes.h"
#include "auth/marks.h"
#include "auth/next_view.h"
#include "auth/primary.h"
#include "auth/texts.h"
#include "zone/changes.h"

/* Why the safety valve keeps the last good version of a zone, or the keys of a file, although the file itself has no errors. */
enum file_hold {
	HOLD_NONE,
	HOLD_SHRUNK, /* the file lost too many records or keys */
	HOLD_GONE,   /* the file was removed together with too many others */
};

/* The files that a file reads by $INCLUDE. */
struct reads {
	struct include **list;   /* owned, each once; each holds a reference */
	size_t n, cap;
	size_t files, octets;    /* counted each time a file is read, against the limits for all files */
};

/* A file of the root tree that is a zone, or holds keys or secondaries. */
struct file {
	char *path;              /* owned */
	enum source_kind kind;   /* SOURCE_ZONE, SOURCE_KEYS or SOURCE_SECONDARIES */
	struct name apex;        /* of the zone; or the domain that the file is for */
	struct zone *zone;       /* owned: the last good version; NULL: none yet */
	struct keystore *keys;   /* owned: the last good keys; NULL: none */
	struct secondaries *secondaries; /* owned: the last ones read; NULL: none yet, and the domain is shut (auth/secondaries.h) */
	struct reads reads;      /* files that the present text reads */
	bool is_starved;         /* the present text was not read to its end, because all zones together include too much */
	uint64_t planned;        /* number of the last commit that planned it */
	bool is_broken;          /* the present text is bad: `zone` is of an older commit */
	enum file_hold hold;     /* set only by file_set_hold() */
	bool was_without_memory; /* broken, because an allocation failed: the next commit tries again */
	bool is_too_many;        /* broken, because all files of its kind together would have too many keys or records */
	size_t wanted;           /* broken, because it needs more memory than this number of octets; else 0.  Set only by
	                          * file_set_wanted() */
	bool is_note_due;        /* `zone` is newer than its note */
};

/* The result of a commit for one file, before it is published. */
struct pending {
	struct file *file;       /* in the primary's list; or, if new, owned here */
	bool is_new, is_removal;
	bool is_rejected;        /* the last good version stays; `reads` is taken over nevertheless */
	bool is_starved;         /* rejected, because all zones together include too much */
	bool is_held;            /* the last good version stays, because of the safety valve */
	bool is_ignored;         /* new, and the text is not a zone's */
	bool is_over_limit;      /* it needed more memory than it was given */
	bool is_put_off;         /* it is tried again with more memory, after the others */
	size_t wanted;           /* as in struct file */
	bool is_without_memory;  /* an allocation failed */
	bool is_too_many;        /* rejected, as in struct file */
	const struct source_change *change; /* NULL: the commit does not name the file; it is read with source_commit.open */
	struct file *from;       /* a removed file of the same zone, which moves to this file; NULL: there is none */
	bool is_moved;           /* removal: its zone moves to another file, whose `from` is this file */
	struct zone *zone;       /* owned until the commit */
	struct zone_changes changes; /* from the served version, if there is one */
	struct keystore *keys;
	struct secondaries *secondaries;
	struct reads reads;
	struct load_counts {
		size_t records, errors, warnings;
		size_t octets, octets_expected; /* memory, as in struct load_result */
	} counts;
	struct trouble *trouble; /* owned: the finding to be shown; NULL: there is none */
};

/* Files of the root that are ignored, sorted by path: a later .originignore may take them back.  Files whose names begin with a
 * dot are not listed. */
struct ignored {
	char **list; /* owned, with its strings */
	size_t n, cap;
};

struct primary {
	struct primary_conf conf;
	struct primary_log log;
	struct file **files;     /* sorted by path */
	size_t files_n, files_cap;
	struct view_line views;
	size_t held_n;           /* zones that are held back */
	size_t held_keys_n;      /* keys files that are held back */
	struct ignore *ignore;   /* owned: the patterns of .originignore; NULL: none */
	const struct ignore *next_ignore; /* the patterns of the commit that is being worked out */
	struct ignored ignored_files;
	struct texts texts;      /* texts of the served commit */
	struct includes includes;
	size_t included_files, included_octets; /* the sum of all `reads` */
	uint64_t applied;        /* number of the latest commit */
	struct lookups {         /* how often a commit has searched for the file of a zone, to name it in the log */
		uint64_t commit;
		size_t n;
	} lookups;
	uint64_t reading;        /* number of the file that is being read, or was read last */
	struct marks marks;      /* newest serials of zones that are not served */
	bool are_keys_behind;    /* the view has old keys or secondaries, since there was no memory for new ones */
	bool are_notes_behind;   /* some notes are wrong, since there was no memory */
	size_t octets;           /* memory of the zones, keys and secondaries of all files */
	size_t wanting_n;        /* files that were rejected because there was not enough memory */
};

/* A zone whose file a commit removes. */
struct leaving {
	const uint8_t *apex; /* of the file */
	size_t at;           /* in apply.list */
};

/* A commit being worked out. */
struct apply {
	struct primary *p;
	const struct source_commit *commit;
	const char **paths;      /* paths of all changes, sorted; the strings belong to the commit */
	struct pending *list;    /* removals first */
	size_t n, cap, removals_n;
	struct leaving *leaving; /* owned: zones of removed files, sorted by name */
	size_t leaving_n;
	const char **allowed;    /* commit->allowed, sorted */
	size_t began_files, began_octets;       /* included files of all zones before this commit */
	size_t replaced_files, replaced_octets; /* included files, before this commit, of the zones that it plans */
	struct ignore *ignore;   /* owned: if is_ignore_new, the new patterns of .originignore; NULL: none */
	bool is_ignore_new;
	size_t pending_octets;   /* memory of what is made for the commit: versions in `list`, and copies of keys and secondaries */
	bool is_copy_counted;    /* in pending_octets: the next view's copy of the keys and secondaries of the view before */
	struct secondaries *named; /* owned: secondaries of all files, made when the first keys are read; NULL: none, or not made yet */
	bool is_named_known;
	struct next_view next;   /* begun after planning */
};

/* The served version of the zone that a pending file is for; NULL: none. */
static inline struct zone *
pending_served(const struct pending *d)
{
	return d->file->zone != NULL ? d->file->zone : d->from != NULL ? d->from->zone : NULL;
}

/* ---- primary_files.c ---- */

struct file *file_find(const struct primary *p, const char *path); /* NULL: there is none */

/* The file of this zone, or NULL. */
struct file *primary_file_of(const struct primary *p, const uint8_t *apex);

struct file *file_new(const char *path, enum source_kind kind, const struct name *apex); /* NULL: no memory */
void file_free(struct primary *p, struct file *f); /* with its last version, which nobody may be reading any more */
err_t file_reserve(struct primary *p, size_t n);    /* makes room for n more */
void file_insert(struct primary *p, struct file *f); /* there must be room */
void file_remove(struct primary *p, struct file *f); /* removes and frees it */
void file_set_hold(struct primary *p, struct file *f, enum file_hold hold);
void file_set_wanted(struct primary *p, struct file *f, size_t octets);
size_t file_octets(const struct file *f); /* memory that its zone, keys or secondaries take; NULL-safe */

/* ---- primary_commit.c, primary_keys.c and primary_secondaries.c ---- */

/* Takes the whole commit over into a->next, and into the files. */
void primary_commit(struct apply *a);

/* Removes the zone of a file from the next view, after next_view_claim(), and logs the removal. */
void primary_remove_zone(struct primary *p, struct next_view *next, struct file *f);

void primary_take_keys(struct primary *p, struct pending *d); /* takes over the keys of one file */
void primary_merge_keys(struct apply *a); /* makes the view's keys and secondaries from all files */

void primary_take_secondaries(struct primary *p, struct pending *d); /* takes over the secondaries of one file */
struct secondaries *primary_merge_secondaries(struct primary *p);    /* the secondaries of all files; NULL: no memory */
const char *primary_secondaries_left(const struct file *f); /* what holds when the file is rejected; "" for a file of another kind */

/* The secondaries of all files after the commit, as far as the files are read by now.  A key that they name needs no right of its
 * own.  NULL: none. */
const struct secondaries *plan_named(struct apply *a);

/* Reports keys that are named and do not exist: all that a new version of a file names, and of other files those that there were
 * `before` the commit; of all files when the view is behind them. */
void primary_say_unknown(const struct apply *a, const struct keystore *keys, const struct keystore *before);

/* ---- primary.c, primary_serial.c and primary_load.c ---- */

void primary_report_zone(const struct primary *p, const struct file *f, const struct zone *z, const struct zone *before,
                         size_t warnings);

/* primary_begin_zone(): begins to serve a zone; if a mark has its newest serial, that goes into its history.
 * primary_note_removed(): ends it; the newest serial goes into a mark (auth/marks.h).
 * primary_learn_past(): learns newest serials from files of older commits. */
void primary_begin_zone(struct primary *p, struct zone *z);
void primary_note_removed(struct primary *p, const struct zone *z);
void primary_learn_past(struct primary *p, const struct source_commit *c);
void primary_report(const struct primary *p, const struct primary_report *r);

/* Reads, builds and checks a file; fills `d`.  Errors in the file are reported and set d->is_rejected.  What would take more than
 * `octets_max` of memory sets d->is_over_limit, without a report. */
err_t primary_load_file(struct apply *a, struct pending *d, size_t octets_max);
void primary_reject_file(const struct primary *p, struct pending *d, const char *why);

/* Reports that a file of keys or secondaries was taken over with `records` records, or was removed.  `bad`: the text of the report if
 * other lines of the file have errors. */
void primary_report_taken(const struct primary *p, const struct pending *d, size_t records, const char *bad);
void primary_report_removed(const struct primary *p, const struct file *f);

/* ---- primary_memory.c ---- */

err_t memory_load(struct apply *a, struct pending *d); /* loads with the memory that the file may take, or puts it off */
err_t memory_load_put_off(struct apply *a);            /* loads the files that were put off, after all others */
err_t memory_plan_again(struct apply *a);              /* plans files that there was no memory for, if there may be now */

/* ---- primary_limit.c: how many keys, and how many records of secondaries, all files together may have ---- */

/* Plans files again that were too many, if the commit concerns their kind; and rejects files that are too many, after all are loaded. */
err_t limit_plan_again(struct apply *a);
void limit_reject(struct apply *a);

/* ---- primary_plan.c ---- */

/* Lists the files that the commit concerns, removals first, and loads them. */
err_t plan_commit(struct apply *a);

err_t plan_removal(struct apply *a, struct file *f);
bool plan_changes(const struct apply *a, const char *path); /* true when the commit changes the path */
bool plan_has(const struct apply *a, const struct file *f);
int plan_compare_paths(const void *a, const void *b); /* for lists of paths, with qsort() and bsearch() */

err_t plan_file(struct apply *a, struct file *f, const struct source_change *change, bool is_new);

/* ---- primary_notes.c: the view's notes on each zone (auth/zone_note.h) ---- */

/* Keep one finding of a file to be shown.  The first error goes before warnings, and the first warning before later ones; a
 * reason for which the file is not taken counts as an error.  `general`: as in struct trouble; NULL if everybody who may see the zone may
 * see the text. */
void pending_take_diag(struct pending *d, const struct diag *diag, const char *general);
void pending_take_reason(struct pending *d, const char *why, const char *general);

/* A commit that is being put into the next view.  None of these functions fails: without memory a note stays as it was, and the
 * next commit makes all notes again. */
struct noting {
	struct primary *p;
	struct next_view *next;
	const char *commit;
	uint64_t now_s;
};
void notes_put(const struct noting *n, struct file *f, const struct trouble *trouble); /* for a file that stays */
void notes_put_held(const struct noting *n, struct file *f, const struct trouble *trouble); /* for a removed file whose zone is held */
void notes_remove(const struct noting *n, const struct file *f);
void notes_begin(const struct noting *n); /* before the others: makes notes that could not be made before */

/* ---- primary_include.c: files that are read by $INCLUDE ---- */

void reads_begin(struct primary *p); /* begins to read another file */
err_t reads_open(struct primary *p, struct reads *r, const struct includes_source *from, const char *path, struct master_text *out);
void reads_count(struct primary *p, struct reads *r, const struct master_allowance *before, const struct master_allowance *after);
void reads_fini(struct primary *p, struct reads *r); /* empties it, ready to be used again */

struct master_allowance plan_allowance(const struct apply *a);   /* the rest of the limits, for the next file */
void plan_replaces(struct apply *a, const struct reads *r);      /* a planned file will read these again */
err_t plan_includers(struct apply *a);
err_t plan_starved(struct apply *a);

/* ---- primary_ignore.c: .originignore ---- */

/* Called first: reads .originignore if the commit changes it.  If it cannot be read, the old patterns stay. */
void ignored_read_patterns(struct apply *a);
err_t ignored_plan_removals(struct apply *a);  /* plans the removal of files that are ignored from now on */
bool ignored_comes_back(const struct apply *a, const char *path); /* true for a file that is no longer ignored */
err_t ignored_plan_returns(struct apply *a);  /* plans files that are no longer ignored */
void ignored_commit(struct apply *a);         /* called before the files are committed */
void ignored_fini(struct ignored *t);

/* ---- primary_hold.c: the safety valve ---- */

#define HOLD_MEANT "if that is meant, push a commit with the trailer \"" PRIMARY_TRAILER "\""

/* Files that an earlier commit removed and that are still held count as removals of each later commit, until a commit has the
 * trailer, or their zone is back. */
err_t hold_plan_gone(struct apply *a);

/* After all removals are planned: lists the zones of removed files. */
err_t hold_list_leaving(struct apply *a);
err_t hold_sort_allowed(struct apply *a); /* sorts a->allowed; before hold_back() */
bool hold_is_leaving(const struct apply *a, const struct name *apex);

/* The removed file that has the zone of this name, or NULL.  Sets the file's is_moved. */
struct file *hold_find_leaving(struct apply *a, const struct name *apex);

/* Marks and logs all that is held back, after everything else is planned. *is_any_new: something is held that was not held
 * before.  E_NOMEM. */
err_t hold_back(struct apply *a, bool *is_any_new);

/* True when a zone loses more of its records than a commit may remove without the trailer.  `old`: NULL for a new zone. */
bool primary_loses_too_much(const struct primary_conf *c, const struct zone *old, const struct zone *new,
                            const struct zone_changes *changes);

/* Why a file whose zone is held takes no updates; NULL: it is not held. */
const char *hold_reason(const struct file *f);

/* ---- primary_hold_keys.c ---- */

err_t hold_last_keys(struct apply *a, bool *is_any_new); /* after the zones are decided; arguments as for hold_back() */
err_t hold_plan_keys(struct apply *a); /* plans keys files that are held since an earlier commit */

/* ---- primary_accept.c ---- */

/* A zone that a batch made, changed or removed, and its file. */
struct accepted {
	struct file *file;       /* in the primary's list; if is_new, it is put there, and owned from now on */
	bool is_new, is_removal;
	struct zone *zone;       /* the next version, from `txn`; or, if that is NULL, a new zone that is taken over */
	struct zone_txn **txn;   /* prepared by the caller, committed here */
	const struct zone_changes *changes; /* of the transaction */
};

/* Makes the view of the commit `id`, which has exactly these changes.  Errors (E_NOMEM; E_EXISTS: another file has a zone of
 * that name) change nothing. */
err_t primary_accept(struct primary *p, struct accepted *list, size_t n, const char *id, uint64_t now_s, const struct view **out,
                     struct discard **old);
