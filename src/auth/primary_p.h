/* auth/primary_p.h -- what the primary_*.c files and batch.c share.
 *
 * primary.c makes views of commits: primary_plan.c says what a commit concerns, primary_files.c keeps the files, primary_load.c makes
 * zones, keys and secondaries of them, primary_commit.c, primary_keys.c, primary_secondaries.c and primary_notes.c put these into the next
 * view (auth/next_view.h), with what there is to say of them.  primary_accept.c makes a view of what was made here and is in a commit by
 * now; primary_serial.c keeps in mind which serials secondaries may have.
 */
#pragma once

#include "auth/includes.h"
#include "auth/marks.h"
#include "auth/next_view.h"
#include "auth/primary.h"
#include "auth/texts.h"
#include "zone/changes.h"

/* Why the safety valve keeps the last good version of a zone, or the keys of a file, though nothing is wrong with the tree. */
enum file_hold {
	HOLD_NONE,
	HOLD_SHRUNK, /* the file lost too much of it */
	HOLD_GONE,   /* the file is not in the tree any more, and too many went with it */
};

/* What a file reads by $INCLUDE. */
struct reads {
	struct include **list;   /* owned, and held; each once */
	size_t n, cap;
	size_t files, octets;    /* each as often as it is read: what it takes of what all files may */
};

/* A file of the root tree that is a zone, or holds keys or what there is to say of secondaries. */
struct file {
	char *path;              /* owned */
	enum source_kind kind;   /* SOURCE_ZONE, SOURCE_KEYS or SOURCE_SECONDARIES */
	struct name apex;        /* the zone's, or the domain that the file is for */
	struct zone *zone;       /* last good version, owned; NULL: none yet */
	struct keystore *keys;   /* likewise */
	struct secondaries *secondaries; /* likewise */
	size_t unknown_n;        /* keys that it names and that were nowhere when that was said last */
	struct reads reads;      /* of the file as it stands now */
	bool is_starved;         /* likewise: all zones together include too much, and it was not read to its end */
	uint64_t planned;        /* the number of the commit that it was planned in last */
	bool is_broken;          /* as it stands now: `zone` is of an older commit */
	enum file_hold hold;     /* likewise; set with file_set_hold() alone */
	bool was_without_memory; /* broken: an allocation failed; the next commit tries it again */
	size_t wanted;           /* broken for want of memory: octets that were not enough; else 0.  Set with file_set_wanted() alone */
	bool is_note_due;        /* `zone` is a newer version than its note says */
};

/* What a commit makes of one file, before anybody sees it. */
struct pending {
	struct file *file;       /* in the primary's list, or new and owned by this */
	bool is_new, is_removal;
	bool is_rejected;        /* stays as it is; what it reads is taken over all the same */
	bool is_starved;         /* rejected, as all zones together include too much */
	bool is_held;            /* likewise, by the safety valve */
	bool is_passed_over;     /* new, and its text is no zone's: nothing is made of it */
	bool is_over_limit;      /* it wanted more memory than it was given */
	bool is_put_off;         /* for that reason, and there may be more when the others are made */
	size_t wanted;           /* as the file's */
	bool is_without_memory;  /* an allocation failed */
	const struct source_change *change; /* NULL: the file is read with source_commit.open */
	struct file *from;       /* a file that goes and has the zone that this one is for: it moves; NULL: there is none */
	bool has_heir;           /* a removal: it is the `from` of another */
	struct zone *zone;       /* owned until it is committed */
	struct zone_changes changes; /* against the version that is served, if there is one */
	struct keystore *keys;
	struct secondaries *secondaries;
	struct reads reads;
	struct load_counts {
		size_t records, errors, warnings;
		size_t octets; /* of memory */
	} counts;
	struct trouble *trouble; /* owned: what was found first; NULL: nothing */
};

/* Files of the root that are there and passed over, sorted: .originignore may take them back one day.  Dot files it cannot. */
struct passed {
	char **list; /* owned, and what it points to */
	size_t n, cap;
};

struct primary {
	struct primary_conf conf;
	struct primary_log log;
	struct file **files;     /* sorted by path */
	size_t files_n, files_cap;
	struct view_line views;
	size_t held_n;           /* zones with a hold */
	size_t held_keys_n;      /* keys files with one */
	struct ignore *ignore;   /* owned: what .originignore says; NULL: nothing */
	const struct ignore *next_ignore; /* of the commit being worked out */
	struct passed passed;
	struct texts texts;      /* of the view's commit */
	struct includes includes;
	size_t included_files, included_octets; /* the sum of all `reads` */
	uint64_t applied;        /* the number of the latest commit */
	struct named {           /* files that were looked for, to be named in the log, in one commit */
		uint64_t commit;
		size_t n;
	} named;
	uint64_t reading;        /* of the file that is read, or was last */
	struct marks marks;      /* of zones that are not served */
	bool are_keys_behind;    /* there was no memory for the view's, or for its secondaries */
	bool are_notes_behind;   /* likewise: not each zone has the right note */
	size_t octets;           /* that the files' zones take */
	size_t wanting_n;        /* files that were rejected for want of memory */
};

/* A zone whose file goes in a commit. */
struct leaving {
	const uint8_t *apex; /* the file's */
	size_t at;           /* in apply.list */
};

/* A commit being worked out. */
struct apply {
	struct primary *p;
	const struct source_commit *commit;
	const char **paths;      /* of all changes, sorted; the texts are the commit's */
	struct pending *list;    /* removals first */
	size_t n, cap, removals_n;
	struct leaving *leaving; /* owned: zones of the removals, by name */
	size_t leaving_n;
	const char **allowed;    /* the commit's, sorted */
	size_t began_files, began_octets;       /* what all files read before */
	size_t replaced_files, replaced_octets; /* what those read that are planned, before */
	struct ignore *ignore;   /* owned: what .originignore says now, if that is new */
	bool is_ignore_new;
	size_t pending_octets;   /* that the zones in `list` take */
	struct secondaries *named; /* owned: of all files, when the first keys are read; NULL: none, or not yet known */
	bool is_named_known;
	struct next_view next;   /* begun when all is planned */
};

/* The version that is served of the zone that a pending file is for; NULL: none. */
static inline struct zone *
pending_served(const struct pending *d)
{
	return d->file->zone != NULL ? d->file->zone : d->from != NULL ? d->from->zone : NULL;
}

/* ---- primary_files.c ---- */

struct file *file_find(const struct primary *p, const char *path); /* NULL: there is none */

/* The file that is this zone's, or NULL. */
struct file *primary_file_of(const struct primary *p, const uint8_t *apex);

struct file *file_new(const char *path, enum source_kind kind, const struct name *apex); /* NULL: no memory */
void file_free(struct primary *p, struct file *f); /* with its last version: nobody reads it any more */
err_t file_reserve(struct primary *p, size_t n);    /* for so many of the next */
void file_insert(struct primary *p, struct file *f); /* there is room for it */
void file_remove(struct primary *p, struct file *f); /* and frees it */
void file_set_hold(struct primary *p, struct file *f, enum file_hold hold);
void file_set_wanted(struct primary *p, struct file *f, size_t octets);
size_t file_octets(const struct file *f); /* that its zone takes; NULL-safe */

/* ---- primary_commit.c, primary_keys.c and primary_secondaries.c ---- */

/* All that the commit concerns becomes part of a->next, and of the files. */
void primary_commit(struct apply *a);

void primary_remove_zone(struct primary *p, struct next_view *next, struct file *f); /* the file's, which was claimed; says so */

void primary_take_keys(struct primary *p, struct pending *d); /* of one file */
void primary_merge_keys(struct apply *a); /* and secondaries: of all files, for the view */

void primary_take_secondaries(struct primary *p, struct pending *d); /* of one file */
struct secondaries *primary_merge_secondaries(struct primary *p);    /* of all files; NULL: no memory */
const struct secondaries *plan_named(struct apply *a); /* what names keys after the commit, as far as it is read by now; NULL: nothing */
void primary_say_unknown(struct apply *a, const struct keystore *keys); /* keys that files of secondaries name, and that are not there */

/* ---- primary.c, primary_serial.c and primary_load.c ---- */

void primary_report_zone(const struct primary *p, const struct file *f, const struct zone *z, const struct zone *before,
                         size_t warnings);

/* A zone is served that was not, and one that was is not any more: its newest serial goes over. */
void primary_begin_zone(struct primary *p, struct zone *z);
void primary_note_removed(struct primary *p, const struct zone *z);
void primary_learn_past(struct primary *p, const struct source_commit *c);
void primary_report(const struct primary *p, const struct primary_report *r);

/* Reads, builds and checks; fills `d`.  Errors of the data are reported and leave d->is_rejected.  A zone that would take more than
 * `octets_max` of memory leaves d->is_over_limit, and nothing is reported of that. */
err_t primary_load_file(struct apply *a, struct pending *d, size_t octets_max);
void primary_reject_file(const struct primary *p, struct pending *d, const char *why);

/* ---- primary_memory.c ---- */

err_t memory_load(struct apply *a, struct pending *d); /* primary_load_file() with what the zone may take; or it is put off */
err_t memory_load_put_off(struct apply *a);            /* after all others */
err_t memory_plan_again(struct apply *a);              /* files that there was no memory for, and may be now */

/* Does a zone (old: NULL when it is new) lose more of its records than a commit may take away without saying so? */
bool primary_loses_too_much(const struct primary_conf *c, const struct zone *old, const struct zone *new,
                            const struct zone_changes *changes);

/* ---- primary_plan.c ---- */

/* Lists what the commit concerns, removals first, and reads it. */
err_t plan_commit(struct apply *a);

err_t plan_removal(struct apply *a, struct file *f);
bool plan_changes(const struct apply *a, const char *path); /* does the commit name the path? */
bool plan_has(const struct apply *a, const struct file *f);
int plan_compare_paths(const void *a, const void *b); /* of lists of paths, for qsort() and bsearch() */

err_t plan_file(struct apply *a, struct file *f, const struct source_change *change, bool is_new);

/* ---- primary_notes.c: what the view says of each zone (auth/zone_note.h) ---- */

/* What is wrong with the file: of several the first error counts, else the first warning; a reason for which it is not taken goes before
 * warnings. */
void pending_take_diag(struct pending *d, const struct diag *diag);
void pending_take_reason(struct pending *d, const char *why);

/* A commit on its way into the next view.  None of these fails: without memory a note stays what it was, and all are made anew in the
 * next commit. */
struct noting {
	struct primary *p;
	struct next_view *next;
	const char *commit;
	uint64_t now_s;
};
void notes_put(const struct noting *n, struct file *f, const struct trouble *trouble); /* as the file is now */
void notes_put_held(const struct noting *n, struct file *f, const struct trouble *trouble); /* its zone stays, though the file goes */
void notes_remove(const struct noting *n, const struct file *f);
void notes_begin(const struct noting *n); /* before all others: makes those that are behind */

/* ---- primary_include.c: what files read by $INCLUDE ---- */

void reads_begin(struct primary *p); /* another file is read from here on */
err_t reads_open(struct primary *p, struct reads *r, const struct includes_source *from, const char *path, struct master_text *out);
void reads_count(struct primary *p, struct reads *r, const struct master_allowance *before, const struct master_allowance *after);
void reads_fini(struct primary *p, struct reads *r); /* empty, and ready again */

struct master_allowance plan_allowance(const struct apply *a);   /* what is left for the next file */
void plan_replaces(struct apply *a, const struct reads *r);      /* these are of a file that is planned */
err_t plan_includers(struct apply *a);
err_t plan_starved(struct apply *a);

/* ---- primary_ignore.c: what .originignore says ---- */

/* Before all else: reads the file if the commit changes it.  One that cannot be read leaves what it said before. */
void passed_plan_ignore(struct apply *a);
err_t passed_plan_removals(struct apply *a);  /* files that are passed over from now on */
bool passed_comes_back(const struct apply *a, const char *path);
err_t passed_plan_returns(struct apply *a);  /* files that are not any more */
void passed_commit(struct apply *a);         /* before the files are */
void passed_fini(struct passed *t);

/* ---- primary_hold.c: the safety valve ---- */

#define HOLD_MEANT "if that is meant, push a commit with the trailer \"" PRIMARY_TRAILER "\""

/* Files that an earlier commit took away and that are held are removals of this one, too: until it has the trailer, or
 * their zone is back. */
err_t hold_plan_gone(struct apply *a);

/* After all removals are planned: the list of zones that go. */
err_t hold_list_leaving(struct apply *a);
err_t hold_sort_allowed(struct apply *a); /* before hold_back() */
bool hold_is_leaving(const struct apply *a, const struct name *apex);

/* The file that goes in this commit and has the zone of that name, or NULL.  From now on it has an heir. */
struct file *hold_find_leaving(struct apply *a, const struct name *apex);

/* Marks what is held back, and says so.  After everything else is planned.  *is_any_new: there is something that was not held before.
 * E_NOMEM. */
err_t hold_back(struct apply *a, bool *is_any_new);

/* ---- primary_hold_keys.c ---- */

err_t hold_last_keys(struct apply *a, bool *is_any_new); /* after what becomes of zones is known; as hold_back() */
err_t hold_plan_keys(struct apply *a); /* keys files that an earlier commit changed and that are held are looked at again */

/* Why a file whose zone is held takes no updates. */
const char *hold_reason(const struct file *f);

/* A zone as it was made here; with it the file. */
struct accepted {
	struct file *file;       /* in the primary's list; is_new: not yet, and taken */
	bool is_new, is_removal;
	struct zone *zone;       /* the next version; of `txn`, or taken when that is NULL: a zone that was not there */
	struct zone_txn **txn;   /* prepared, and committed here */
	const struct zone_changes *changes; /* of the transaction */
};

/* The view after the commit `id`, which holds just that.  Errors (E_NOMEM; E_EXISTS: another file has a zone of that name) leave all
 * as it was. */
err_t primary_accept(struct primary *p, struct accepted *list, size_t n, const char *id, uint64_t now_s, const struct view **out,
                     struct discard **old);
