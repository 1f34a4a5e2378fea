/* auth/batch_p.h -- the inside of a batch, for batch*.c alone.
 *
 * batch.c takes updates in, batch_zones.c those that make and remove zones; batch_prepare.c makes versions of all that, which batch_edit.c
 * writes into the files, and batch_message.c says in a commit's message.
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

/* ---- batch.c ---- */

/* A place for the file's zone, which has none yet; good until the next.  NULL: no memory. */
struct work *batch_add_work(struct batch *b, struct file *f);

/* The answer to a task is known; or it goes into the batch. */
enum batch_taken batch_settle(struct update_task *t, unsigned rcode, int ede, const char *why);
enum batch_taken batch_pend(struct batch *b, struct update_task *t);

/* Can files be written on top of what is served?  *why otherwise; f: NULL where the zone has no file yet. */
bool batch_is_writable(const struct primary *p, const struct file *f, const char **why);

/* Prerequisites first, as RFC 2136 3 has it.  `txn`: NULL where there is no such zone yet. */
err_t batch_judge(const struct update_task *t, struct zone_txn *txn, struct update_verdict *v);

/* ---- batch_zones.c: as batch_add() ---- */

err_t batch_add_creation(struct batch *b, struct update_task *t, const uint8_t *apex, enum batch_taken *out);
err_t batch_add_removal(struct batch *b, struct update_task *t, struct file *f, enum batch_taken *out);

/* ---- batch_serial.c ---- */

/* Puts the SOA record of a zone that is made.  Where the zone was here before, its serial must be newer than what was served then. */
err_t batch_put_soa(const struct batch *b, struct zone_builder *builder, const struct update_rr *rr, uint32_t ttl);

/* The next serial after all that secondaries may have, unless an update has written one. */
err_t batch_raise_serial(const struct batch *b, struct work *w);

/* ---- batch_prepare.c ---- */

const char *batch_first_error(const struct findings *f); /* why a version would be no zone; in `f`, or static */

/* ---- batch_edit.c, batch_bounds.c, batch_message.c ---- */

/* batch_edit.c: the files of a work whose new version is there.  E_REFUSED: *why says what is in the way; E_STALE; E_NOMEM. */
err_t batch_edit(struct batch *b, struct work *w, struct diag *why);

/* Does another zone than that of `own` include the file?  Then what is done to it would change that, too. */
bool batch_is_read_by_others(const struct batch *b, const struct file *own, const char *path);

/* batch_bounds.c: may the key of the task make and remove the zone of this apex?  Not when it is held to types, and not when the domain
 * of the key lies inside of another zone: to make one there would take names away from that. */
bool batch_is_zone_of_key(const struct batch *b, const struct update_task *t, const uint8_t *apex);

/* batch_bounds.c: why the zone whose file is to be `path` may not be made; NULL: it may.  Static. */
const char *batch_zone_trouble(const struct batch *b, const struct update_task *t, const char *path);

/* batch_bounds.c: does an edit make a file larger than it may be? */
bool batch_is_overgrown(const struct edit *e);

/* batch_message.c: for all works that are effective. */
err_t batch_say(struct batch *b);
