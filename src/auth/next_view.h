/* auth/next_view.h -- the next view: the one that is served, and zones that came, changed or went.
 *
 * Where the zones come from is not known here: files of a commit, updates, or a primary that they are transferred from.
 *
 *     TRY(next_view_begin(&next, &line, 2));
 *     err = next_view_put(&next, new, NULL);            // a zone comes
 *     err = err == OK ? next_view_put(&next, changed, served) : err;
 *     if (err != OK) {
 *             next_view_rollback(&next);                // all is as it was
 *             return err;
 *     }
 *     zone = next_view_follow(&next, served, &changed, &changes); // nothing fails from here on
 *     view = next_view_commit(&next, "", now_s, &old);
 *     // publish the view, wait until nobody reads the one before
 *     discard_free(&old);
 *
 * The catalog zone (auth/catalog.h) follows by itself.  Zones belong to the caller, who keeps the version that is served of each;
 * what the view before alone had goes into a discard.
 *
 * Pure.  One thread; one next view at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/view.h"
#include "base/err.h"
#include "dns/name.h"
#include "zone/changes.h"
#include "zone/trie.h"
#include "zone/zone.h"

struct zone_txn;

/* The views of one server, each of which takes the place of the one before. */
struct view_line {
	struct view *latest;     /* owned, with its keys, secondaries and catalog; an empty one at first */
	struct name catalog;     /* name of the catalog zone; len 0: there is none */
	bool is_catalog_behind;  /* there was no memory for it */
	size_t kept_octets;      /* that discards are to give back yet */
};

void view_line_init(struct view_line *line, const struct name *catalog);
void view_line_fini(struct view_line *line); /* after all discards; the zones are the caller's */

/* What a view alone had: to be freed by discard_free() once no reader has it or an older one. */
struct discard;
void discard_free(struct discard **d); /* NULL-safe; the view line must still be there */
size_t discard_octets(const struct discard *d); /* that it gives back */

struct next_view {
	struct view_line *line; /* borrowed */
	struct trie_txn zones;
	struct shut_txn shut;
	struct note_txn notes;  /* for whoever has something to say of zones */
	struct view *view;      /* owned until the commit */
	struct discard *old;    /* likewise */
};

/* At most `changes` zones will change or go.  E_NOMEM. */
err_t next_view_begin(struct next_view *n, struct view_line *line, size_t changes);
void next_view_rollback(struct next_view *n); /* what was put is the caller's as before */

/* ---- what may fail; then nothing changed ---- */

/* The zone takes the place of `before`, which is served; NULL: there is none, the zone is new.  E_EXISTS: its name is another
 * zone's, or the catalog's; E_NOMEM. */
err_t next_view_put(struct next_view *n, struct zone *z, const struct zone *before);

/* The zone will go, and next_view_remove() needs no memory for that.  E_NOMEM. */
err_t next_view_claim(struct next_view *n, const uint8_t *apex);

/* A zone that is served will not be, but stays the caller's: next_view_put(n, z, NULL) serves it again, in this view or a later one.  Its
 * memory may go only by a view (next_view_follow(), next_view_remove()), since older views have it.  E_NOMEM. */
err_t next_view_withdraw(struct next_view *n, const uint8_t *apex);

/* The zone is ours and cannot be served, for this reason now.  E_EXISTS: it is served, or its name is the catalog's; E_NOMEM. */
err_t next_view_shut(struct next_view *n, const uint8_t *apex, enum shut_why why);
err_t next_view_open(struct next_view *n, const uint8_t *apex); /* it is so no more, if it was.  E_NOMEM */

/* ---- what does not fail ---- */

/* `*z` was put in place of `before`, from which the changes lead to it, and gets its history.  Where little changed, a version that
 * is made of `before` takes its place: it shares the rest.  Gives the version that is served from now on, and takes *z
 * (*z is NULL) unless it is the other. */
struct zone *next_view_follow(struct next_view *n, struct zone *before, struct zone **z, const struct zone_changes *changes);

/* The same for a version of a prepared transaction, which was put; the transaction is committed. */
struct zone *next_view_follow_txn(struct next_view *n, struct zone *before, struct zone_txn **txn, const struct zone_changes *changes);

/* A zone that is served and was claimed, or that was withdrawn, goes; takes it. */
void next_view_remove(struct next_view *n, struct zone *z);

/* Other keys and secondaries than those of the view before, which go: both at once, since keys borrow what they are granted
 * (keystore_grant()). */
void next_view_set_keys(struct next_view *n, struct keystore *keys, struct secondaries *secondaries); /* takes them; NULL: none */

/* The view is the line's latest.  `commit`: hex, "" when it is of none; `now_s`: for the catalog's serial number. */
const struct view *next_view_commit(struct next_view *n, const char *commit, uint64_t now_s, struct discard **old);
