/* auth/batch_p.h -- the inside of a batch, for batch*.c alone.
 *
 * batch.c takes updates in and makes versions of them; batch_edit.c edits the files; batch_message.c says it in a commit's message.
 */
#pragma once

#include "auth/batch.h"
#include "auth/primary_p.h"

/* A zone of the batch. */
struct work {
	struct file *file;           /* the primary's; of a zone that is made: owned until it is accepted */
	struct zone_txn *txn;        /* NULL: the zone is made or removed */
	bool is_new, is_removal, is_forced; /* is_forced: the serial is to be raised, whatever else there is */
	bool is_effective;           /* after batch_prepare() */
	struct zone *made;           /* a zone that is made: owned until it is accepted */
	const struct zone *new;      /* the next version */
	struct zone_changes changes;
	struct edit edit;            /* files that change for it */
};

struct batch {
	struct primary *p;
	const struct source_commit *source;
	uint64_t now_s;
	struct work *works;
	size_t works_n;
	struct update_task **tasks;
	size_t tasks_n;
	size_t octets;               /* that their messages come to */
	uint64_t cost;               /* to hold updates against it */
	uint64_t zones_cost;         /* to write its zones */
	bool is_closed;              /* nothing more goes into it */
	struct batch_file *files;
	size_t files_n;
	struct str message;
};

/* batch_edit.c: the files of a work whose new version is there.  E_REFUSED: *why says what is in the way; E_STALE; E_NOMEM. */
err_t batch_edit(struct batch *b, struct work *w, struct diag *why);

/* Does another zone than that of `own` include the file?  Then what is done to it would change that, too. */
bool batch_is_read_by_others(const struct batch *b, const struct file *own, const char *path);

/* batch_bounds.c: why the zone whose file is to be `path` may not be made; NULL: it may.  Static. */
const char *batch_zone_trouble(const struct batch *b, const struct update_task *t, const char *path);

/* batch_bounds.c: does an edit make a file larger than it may be? */
bool batch_is_overgrown(const struct edit *e);

/* batch_message.c: for all works that are effective. */
err_t batch_say(struct batch *b);
