/* auth/batch.h -- updates on their way into one commit.
 *
 * A batch is worked out on what a primary serves: each update is held against what those before it left, and what they change
 * together becomes one new version of each zone concerned and one edit of its file (zone/edit.h).  Nobody sees any of it until the
 * commit is in the remote: then batch_accept() makes the next view of it.  Whatever else happens, batch_free() leaves all as it was,
 * and the tasks may go into another batch, on another commit.
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
	/* Of what the messages come to (auth/update.h).  Next versions, changes and texts are made of it: some ten times as much at a
	 * time, for which there must be room (primary_room()). */
	BATCH_OCTETS_MAX = 4 << 20,
	BATCH_MEMORY_FACTOR = 10,
	/* Of what it costs to hold updates against it; a unit is a record that is asked for, some half a microsecond.  A batch ends with
	 * the update that passes it. */
	BATCH_COST_MAX = 500000,
	BATCH_CHANGE_COST = 2, /* of a record that is changed */
	BATCH_STEPS = 32,      /* records that are only passed over cost one */
	/* Of records in its zones, as all of a zone's text is read.  The first zone may have more. */
	BATCH_ZONES_RECORDS_MAX = 500000,
	BATCH_ZONES_CHANGED_MAX = 1000, /* zones, as they are looked for one by one */
	BATCH_CHANGES_SHOWN_MAX = 100, /* records in a commit's message */
	/* Zones over which updates make no others: each is a file that everybody checks out, and a line in a tree that each commit writes
	 * anew. */
	BATCH_ZONES_MAX = 100000,
	BATCH_ZONES_OF_KEY_MAX = 10000, /* at and below the domain of the key that signs */
	BATCH_FILE_MAX = 100 << 20,     /* octets of a file that an update makes larger: what large hosts of repositories take */
};

struct batch;

/* `source`: opens files of the commit that the primary serves; borrowed, its changes are not looked at.  `now_s`: for serial
 * numbers that follow the clock.  NULL: no memory. */
struct batch *batch_new(struct primary *p, const struct source_commit *source, uint64_t now_s);
void batch_free(struct batch **b); /* NULL-safe; rolls back what was not accepted */

enum batch_taken {
	BATCH_PENDING, /* it waits for the commit */
	BATCH_SETTLED, /* its answer is known already: it was refused, or changes nothing */
	BATCH_FULL,    /* not looked at: it is for the next batch */
};

/* Holds a task, which was opened with the primary's view, against the batch.  E_NOMEM, E_LIMIT: the batch is of no use any more. */
err_t batch_add(struct batch *b, struct update_task *t, enum batch_taken *out);

/* Does nothing more go into it, whatever it is? */
bool batch_is_full(const struct batch *b);

/* What it has cost so far, with what it will cost to write its zones: in units of BATCH_COST_MAX. */
uint64_t batch_cost(const struct batch *b);

/* Raises the serial of a zone whose file was changed without that (--serial).  E_NOTFOUND: there is no such zone, it has another
 * serial by now, or it cannot be changed.  E_BUSY: this one has zones enough, it is for the next.  E_NOMEM. */
err_t batch_add_serial(struct batch *b, const uint8_t *apex, uint32_t serial);

/* What is to be written. */
struct batch_file {
	const char *path;
	const char *text; /* NULL: the file goes */
	size_t len;
};

/* Makes the new versions, checks them, and edits the files.  E_NOTFOUND: in sum nothing changes, and there is nothing to commit.
 * E_REFUSED: it cannot be done: *rcode, *ede and `text` say why, for every task that is pending; when these are several, fewer
 * of them may do.  E_STALE: the source has another commit by now: begin again on that.  E_NOMEM. */
err_t batch_prepare(struct batch *b, unsigned *rcode, int *ede, char text[UPDATE_ANSWER_TEXT_MAX]);

/* After OK; borrowed until batch_accept() or batch_free(). */
const struct batch_file *batch_files(const struct batch *b, size_t *n);
const char *batch_message(const struct batch *b);

/* It is in the remote, as the commit `id`: makes the next view, to be published as that of primary_apply().  E_NOMEM: it does not
 * come about, and the primary must be told the commit as any other. */
err_t batch_accept(struct batch *b, const char *id, const struct view **out, struct discard **old);
