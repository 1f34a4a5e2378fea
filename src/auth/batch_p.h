/* auth/batch_p.h -- the private header of batch*.c.
 *
 * batch.c takes updates in; batch_zones.c takes in those that make and remove zones. batch_bounds.c has the limits. batch_prepare.c makes
 * the new versions, batch_serial.c raises their serials, batch_edit.c writes them into the files, and batch_message.c writes the commit's
 * message.
 */
#pragma once

#include "auth/batch.h"
#include "auth/primary_p.h"

/* A zone of the batch. */
struct work {
	struct file *file;           /* the primary's; for a zone that is made: owned until the batch is accepted */
	struct zone_txn *txn;        /* NULL: the zone is made or removed as a whole */
	bool is_new, is_removal, is_forced; /* is_forced: the serial is to be raised, even if nothing else changes */
	bool is_effective;           /* something changes; set by batch_prepare() */
	struct zone *made;           /* a zone that is made; owned until the batch is accepted */
	const struct zone *new;      /* the next version */
	struct zone_changes changes;
	struct edit edit;            /* the files to be changed */
};

struct batch {
	struct primary *p;
	const struct source_commit *source;
	uint64_t now_s;
	struct work *works;
	size_t works_n;
	struct update_task **tasks;
	size_t tasks_n;
	size_t octets;               /* of all messages after they were read */
	uint64_t cost;               /* the cost of checking the updates */
	uint64_t zones_cost;         /* the cost of writing the zones */
	bool is_closed;              /* no further update can go into the batch */
	struct batch_file *files;
	size_t files_n;
	struct str message;
};

/* ---- batch.c ---- */

/* Adds the file's zone, which must not be in the batch yet.  The result is valid until the next call.  NULL: no memory. */
struct work *batch_add_work(struct batch *b, struct file *f);

/* batch_settle() gives the task its final answer, batch_pend() puts it into the batch.  Both return the result for batch_add(). */
enum batch_taken batch_settle(struct update_task *t, unsigned rcode, int ede, const char *why);
enum batch_taken batch_pend(struct batch *b, struct update_task *t);

/* True when a commit can be made on top of the served one.  Else *why says what prevents it.  f: NULL if the zone has no file
 * yet. */
bool batch_is_writable(const struct primary *p, const struct file *f, const char **why);

/* Checks a task in the order of RFC 2136 3, prerequisites first.  `txn`: NULL when there is no such zone yet. */
err_t batch_judge(const struct update_task *t, struct zone_txn *txn, struct update_verdict *v);

/* ---- batch_zones.c: return values as for batch_add() ---- */

err_t batch_add_creation(struct batch *b, struct update_task *t, const uint8_t *apex, enum batch_taken *out);
err_t batch_add_removal(struct batch *b, struct update_task *t, struct file *f, enum batch_taken *out);

/* ---- batch_serial.c ---- */

/* Adds the SOA record of a zone that is made.  If the zone was served before, its serial is made newer than the last one that
 * was served. */
err_t batch_put_soa(const struct batch *b, struct zone_builder *builder, const struct update_rr *rr, uint32_t ttl);

/* Gives the zone the next serial after all that secondaries may have, unless an update has already set such a serial. */
err_t batch_raise_serial(const struct batch *b, struct work *w);

/* ---- batch_prepare.c ---- */

const char *batch_first_error(const struct findings *f); /* the reason why a version is not a valid zone; in `f`, or static */

/* ---- batch_edit.c, batch_bounds.c, batch_message.c ---- */

/* batch_edit.c: makes the files of a zone whose new version was made.  E_REFUSED: *why says what prevents it; E_STALE; E_NOMEM. */
err_t batch_edit(struct batch *b, struct work *w, struct diag *why);

/* True when a zone other than that of `own` includes the file: then an edit of the file would change that zone, too. */
bool batch_is_read_by_others(const struct batch *b, const struct file *own, const char *path);

/* batch_bounds.c: true when the key of the task may make and remove the zone of this apex.  A key that is limited to types may
 * not.  A key whose domain lies inside another zone may not either, since making a zone there would take names away from that
 * one. */
bool batch_is_zone_of_key(const struct batch *b, const struct update_task *t, const uint8_t *apex);

/* batch_bounds.c: why a zone with the file `path` must not be made, as a static text; NULL: it may be made.  The task's key passes
 * batch_is_zone_of_key(), so it may transfer the zone, and the text may speak of the catalog. */
const char *batch_zone_trouble(const struct batch *b, const struct update_task *t, const uint8_t *apex, const char *path);

/* batch_bounds.c: true when an edit makes a file larger than is allowed. */
bool batch_is_overgrown(const struct edit *e);

/* batch_message.c: writes the commit message. */
err_t batch_say(struct batch *b);
