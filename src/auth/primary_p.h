/* auth/primary_p.h -- the parts that primary.c (commits into views) and primary_load.c (files into zones
 * and keys) share. */
#pragma once

#include "auth/primary.h"
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
};

void primary_report(const struct primary *p, const struct primary_report *r);

/* Reads, builds and checks; fills `d`.  Errors of the data are reported and leave d->is_rejected. */
err_t primary_load_file(const struct primary *p, const struct source_commit *c, const struct source_change *change,
                        struct pending *d);

void free_paths(char **paths, size_t n);
