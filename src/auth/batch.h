/* auth/batch.h -- makes one commit of several updates.
 *
 * A batch is worked out on the version that a primary serves.  Each update is checked against the result of the updates before
 * it.  All changes together become one new version of each zone concerned, and one edit of its file (zone/edit.h).  Nobody sees
 * any of this until the commit is in the remote; then batch_accept() makes the next view.  In every other case batch_free()
 * leaves all as it was, and the tasks may go into another batch, on another commit.
 *
 * An update that makes or removes a zone (only with primary_conf.zones_by_update) is a batch of its own.
 *
 * Pure.  One thread, the primary's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/primary.h"
#include "auth/update_task.h"
#include "base/err.h"
#include "base/str.h"
#include "zone/edit.h"

enum {
	BATCH_TASKS_MAX = 1000,
	/* Octets of all messages after they were read (auth/update.h).  The next versions, changes and texts that are made of
	 * them take some ten times as much memory, for which there must be room (primary_room()). */
	BATCH_OCTETS_MAX = 4 << 20,
	BATCH_MEMORY_FACTOR = 10,
	/* The cost of checking updates; one unit is one record that is looked up, about half a microsecond.  The update that
	 * passes this limit is the last one in its batch. */
	BATCH_COST_MAX = 500000,
	BATCH_CHANGE_COST = 2, /* for each record that is changed */
	BATCH_STEPS = 32,      /* this many records that are only walked over cost one unit */
	/* Records of all zones in the batch, since the whole text of each zone is read.  The first zone may have more. */
	BATCH_ZONES_RECORDS_MAX = 500000,
	BATCH_ZONES_CHANGED_MAX = 1000, /* zones in the batch, since they are searched one by one */
	BATCH_CHANGES_SHOWN_MAX = 100, /* records that are listed in a commit's message */
	/* When there are this many zones, updates cannot make more: each zone is a file in every checkout, and a line of a tree
	 * that each commit writes again. */
	BATCH_ZONES_MAX = 100000,
	BATCH_ZONES_OF_KEY_MAX = 10000, /* zones at and below the domain of the key that signs */
	BATCH_FILE_MAX = 100 << 20,     /* octets of a file that an update enlarges: large git hosts accept no larger files */
};

struct batch;

/* `source` opens files of the commit that the primary serves; it is borrowed, and its list of changes is not used.  `now_s` is
 * for serial numbers that follow the clock.  NULL: no memory. */
struct batch *batch_new(struct primary *p, const struct source_commit *source, uint64_t now_s);
void batch_free(struct batch **b); /* NULL-safe; undoes whatever was not accepted */

enum batch_taken {
	BATCH_PENDING, /* the answer has to wait for the commit */
	BATCH_SETTLED, /* the answer is known: the update was refused */
	BATCH_FULL,    /* the task was not looked at: it must go into the next batch */
};

/* Checks a task against the batch, and adds it.  The task was opened with the primary's view.  E_NOMEM, E_LIMIT: the batch
 * cannot be used any more. */
err_t batch_add(struct batch *b, struct update_task *t, enum batch_taken *out);

/* True when no further update can go into the batch. */
bool batch_is_full(const struct batch *b);

/* The cost of the updates so far, and of writing the zones, in units of BATCH_COST_MAX. */
uint64_t batch_cost(const struct batch *b);

/* Raises the serial of a zone whose file was changed without a new serial (--serial).  E_NOTFOUND: there is no such zone, it has
 * another serial by now, or it cannot be changed.  E_BUSY: the batch has enough zones, this one must wait for the next.
 * E_NOMEM. */
err_t batch_add_serial(struct batch *b, const uint8_t *apex, uint32_t serial);

/* A file to be written. */
struct batch_file {
	const char *path;
	const char *text; /* NULL: the file is removed */
	size_t len;
};

/* Makes the new versions, checks them, and edits the files.  Errors:
 * E_NOTFOUND: the updates together change nothing, so there is nothing to commit.
 * E_REFUSED: the batch cannot be carried out; *rcode, *ede and `text` are the answer to each pending task.  If there are several
 * tasks, a batch of fewer may succeed.
 * E_STALE: the source has another commit by now: begin again on that commit.
 * E_NOMEM. */
err_t batch_prepare(struct batch *b, unsigned *rcode, int *ede, char text[UPDATE_ANSWER_TEXT_MAX]);

/* After batch_prepare() returned OK.  Borrowed until batch_accept() or batch_free(). */
const struct batch_file *batch_files(const struct batch *b, size_t *n);
const char *batch_message(const struct batch *b);

/* The batch is in the remote as the commit `id`: makes the next view, to be published like the view from primary_apply().
 * E_NOMEM: there is no next view, and the primary must be given the commit like any other. */
err_t batch_accept(struct batch *b, const char *id, const struct view **out, struct discard **old);
