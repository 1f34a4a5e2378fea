/* auth/primary_p.h -- what the primary_*.c files and batch.c share.
 *
 * primary.c makes views of commits, primary_load.c zones and keys of files, primary_accept.c a view of what was made here and is in a
 * commit by now.
 */
#pragma once

#include "auth/primary.h"
#include "auth/texts.h"
#include "zone/changes.h"

/* A file of the root tree that is a zone or holds keys. */
struct file {
	char *path;              /* owned */
	enum source_kind kind;   /* SOURCE_ZONE or SOURCE_KEYS */
	struct name apex;        /* the zone's, or the domain that the keys are for */
	struct zone *zone;       /* last good version, owned; NULL: none yet */
	struct keystore *keys;   /* likewise */
	char **includes;         /* owned paths that the file as it stands now reads by $INCLUDE */
	size_t includes_n;
	bool is_broken;          /* as it stands now: `zone` is of an older commit */
};

/* What a commit makes of one file, before anybody sees it. */
struct pending {
	struct file *file;       /* in the primary's list, or new and owned by this */
	bool is_new, is_removal;
	bool is_rejected;        /* stays as it is; includes are taken over all the same */
	struct zone *zone;       /* owned until it is committed */
	struct zone_changes changes; /* against the version that is served, if there is one */
	struct keystore *keys;
	char **includes;
	size_t includes_n;
	struct load_counts {
		size_t records, errors, warnings;
	} counts;
};

struct primary {
	struct primary_conf conf;
	struct primary_log log;
	struct file **files;     /* sorted by path */
	size_t files_n, files_cap;
	struct view *view;
	bool is_held;            /* the latest commit is held back: the view is an older one's */
	struct texts texts;      /* of the view's commit */
	bool is_catalog_behind;  /* there was no memory for it */
};

/* What the old view alone had. */
struct discard {
	struct garbage garbage;    /* branches of the set's trie, nodes, deltas */
	struct zone **zones;
	size_t zones_n;
	struct keystore *keys;     /* the old view's */
	struct view *view;
};
void discard_zone(struct discard *old, struct zone *z); /* NULL-safe */

/* The file that is this zone's, or NULL. */
struct file *primary_file_of(const struct primary *p, const uint8_t *apex);

struct file *file_new(const char *path, enum source_kind kind, const struct name *apex);
void file_free(struct file *f); /* with its last version: nobody reads it any more */
void file_insert(struct primary *p, struct file *f);
void file_remove(struct primary *p, struct file *f); /* and frees it */

void primary_report_zone(const struct primary *p, const struct file *f, const struct zone *z, const struct zone *before,
                         size_t warnings);
void primary_report(const struct primary *p, const struct primary_report *r);

/* Reads, builds and checks; fills `d`.  Errors of the data are reported and leave d->is_rejected. */
err_t primary_load_file(const struct primary *p, const struct source_commit *c, const struct source_change *change,
                        struct pending *d);

/* Does a zone (old: NULL when it is new) lose more of its records than a commit may take away without saying so? */
bool primary_loses_too_much(const struct primary_conf *c, const struct zone *old, const struct zone *new,
                            const struct zone_changes *changes);

/* A zone as it was made here; with it the file. */
struct accepted {
	struct file *file;       /* in the primary's list; is_new: not yet, and taken */
	bool is_new, is_removal;
	struct zone *zone;       /* the next version; of `txn`, or taken when that is NULL: a zone that was not there */
	struct zone_txn **txn;   /* prepared, and committed here */
	const struct zone_changes *changes; /* of the transaction */
};

/* The view after the commit `id`, which holds just that.  E_NOMEM: all is as it was. */
err_t primary_accept(struct primary *p, struct accepted *list, size_t n, const char *id, uint64_t now_s, const struct view **out,
                     struct discard **old);

/* The next view takes the place of the one that is served, with its catalog; that one goes to *old. */
void primary_step(struct primary *p, struct view *next, uint64_t now_s, struct discard *old);

void free_paths(char **paths, size_t n);
