/* Puts the results of a commit into the next view.  Nothing stops the commit here: a zone that cannot be put there stays as it was. */
#include <stdio.h>

#include "auth/primary_p.h"

/* ---- zones ---- */

/* The file that has the zone already, to name it in the log.  NULL: there is none, or the commit has searched LOOKUPS_MAX times.  Each
 * search looks at all files, and a tree may have each zone twice. */
static const struct file *
file_of_apex(struct primary *p, const struct file *other)
{
	enum { LOOKUPS_MAX = 100 };
	p->lookups = p->lookups.commit == p->applied ? p->lookups : (struct lookups){ .commit = p->applied };
	if (p->lookups.n++ >= LOOKUPS_MAX) {
		return NULL;
	}
	for (size_t i = 0; i < p->files_n; i++) {
		const struct file *f = p->files[i];
		if (f != other && f->zone != NULL && name_is_equal(f->apex.oct, other->apex.oct)) {
			return f;
		}
	}
	return NULL;
}

static void
reject_zone(struct primary *p, struct pending *d, err_t why)
{
	bool is_catalog = p->conf.catalog.len != 0 && name_is_equal(d->file->apex.oct, p->conf.catalog.oct);
	const struct file *other = why == E_EXISTS && !is_catalog ? file_of_apex(p, d->file) : NULL;
	char text[512];
	if (other != NULL) {
		(void)snprintf(text, sizeof text, "the zone is served already, from the file %s", other->path);
	} else if (why == E_EXISTS) {
		(void)snprintf(text, sizeof text, "%s", is_catalog ? "the name is that of the catalog (--catalog)"
		                                                   : "the zone is served already, from another file");
	} else {
		(void)snprintf(text, sizeof text, "%s", err_str(why));
	}
	pending_take_reason(d, text, is_catalog ? "no zone can have that name here; the server's log says why" : NULL);
	primary_report(p, &(struct primary_report){ .event = ZONE_REJECTED, .path = d->file->path, .zone = d->file->zone,
	                                            .text = text });
}

/* Moves the served zone of a removed file to the file that has the zone now. */
static void
move_zone(struct pending *d)
{
	if (d->file->zone == NULL && d->from != NULL) {
		d->file->zone = d->from->zone;
		d->from->zone = NULL;
	}
}

/* Puts a zone into the set of zones.  E_EXISTS: another file has that zone already, or the catalog has its name; E_NOMEM. */
static err_t
commit_zone(struct apply *a, struct pending *d)
{
	struct primary *p = a->p;
	struct file *f = d->file;
	struct zone *before = pending_served(d);
	if (before != NULL && d->changes.added + d->changes.removed == 0) {
		move_zone(d);
		return OK; /* d->zone is freed with d */
	}
	TRY(next_view_put(&a->next, d->zone, before));
	move_zone(d);
	f->is_note_due = true;
	if (before != NULL) {
		f->zone = next_view_follow(&a->next, before, &d->zone, &d->changes);
	} else {
		f->zone = d->zone;
		d->zone = NULL;
		primary_begin_zone(p, f->zone);
	}
	primary_report_zone(p, f, f->zone, before, d->counts.warnings);
	return OK;
}

/* Moves a zone whose new text was not taken: then its last good version is served for the new file.  But if a third file has taken the
 * zone by then, no version is left to be held, and the new file counts as broken. */
static void
settle_move(struct primary *p, struct pending *d)
{
	move_zone(d);
	if (d->is_held && d->file->kind == SOURCE_ZONE && d->file->zone == NULL) {
		file_set_hold(p, d->file, HOLD_NONE);
		d->file->is_broken = true;
	}
}

void
primary_remove_zone(struct primary *p, struct next_view *next, struct file *f)
{
	primary_report(p, &(struct primary_report){ .event = ZONE_REMOVED, .path = f->path, .zone = f->zone,
	                                            .records = f->zone->records });
	primary_note_removed(p, f->zone);
	next_view_remove(next, f->zone);
	f->zone = NULL;
}

/* ---- files ---- */

static void
commit_removal(struct apply *a, struct pending *d)
{
	struct file *f = d->file;
	if (f->zone != NULL) {
		primary_remove_zone(a->p, &a->next, f);
	} else if (f->kind != SOURCE_ZONE) {
		primary_report_removed(a->p, f);
	}
	file_remove(a->p, f);
	d->file = NULL;
}

/* Keeps the zone of a removed file, and forgets all that was noted about the file's text. */
static void
hold_removal(struct primary *p, struct file *f)
{
	file_set_hold(p, f, HOLD_GONE);
	file_set_wanted(p, f, 0);
	f->is_broken = false;
	f->is_starved = false;
	reads_fini(p, &f->reads);
}

static void
commit_put(struct apply *a, struct pending *d)
{
	struct primary *p = a->p;
	struct file *f = d->file;
	f->is_broken = d->is_rejected;
	file_set_wanted(p, f, d->wanted);
	f->was_without_memory = d->is_without_memory;
	f->is_too_many = d->is_too_many;
	file_set_hold(p, f, d->is_held ? HOLD_SHRUNK : HOLD_NONE);
	if (d->is_ignored) {
		return; /* the file is freed with d */
	}
	if (d->is_held) {
		/* d->zone is freed with d */
	} else if (d->zone != NULL) {
		err_t err = commit_zone(a, d);
		if (err != OK) {
			f->is_broken = true;
			f->was_without_memory = err == E_NOMEM;
			reject_zone(p, d, err);
		}
	} else if (d->keys != NULL) {
		primary_take_keys(p, d);
	} else if (d->secondaries != NULL) {
		primary_take_secondaries(p, d);
	}
	reads_fini(p, &f->reads);
	f->reads = d->reads;
	f->is_starved = d->is_starved;
	d->reads = (struct reads){ 0 };
	if (d->is_new) {
		file_insert(p, f);
		d->is_new = false;
	}
}

static bool
concerns_rights(const struct apply *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->list[i].file->kind != SOURCE_ZONE) {
			return true;
		}
	}
	return false;
}

/* Removes the notes on removed files without a zone.  This comes first, since a new file of the same zone gets no note while there is
 * such an old one (notes_put()). */
static void
forget_never_served(struct apply *a, const struct noting *notes)
{
	for (size_t i = 0; i < a->removals_n; i++) {
		const struct pending *d = &a->list[i];
		if (d->file->zone == NULL && !d->is_held) {
			notes_remove(notes, d->file);
		}
	}
}

static void
put_note(const struct noting *notes, const struct pending *d)
{
	if (!d->is_ignored) {
		notes_put(notes, d->file, d->trouble);
	}
}

void
primary_commit(struct apply *a)
{
	struct primary *p = a->p;
	bool has_rights = concerns_rights(a);
	const struct noting notes = { .p = p, .next = &a->next, .commit = a->commit->id, .now_s = a->commit->now_s };

	notes_begin(&notes);
	forget_never_served(a, &notes);
	for (size_t i = a->removals_n; i < a->n; i++) {
		commit_put(a, &a->list[i]);
	}
	for (size_t i = a->removals_n; i < a->n; i++) {
		settle_move(p, &a->list[i]);
		put_note(&notes, &a->list[i]);
	}
	for (size_t i = 0; i < a->removals_n; i++) {
		if (a->list[i].is_held) {
			hold_removal(p, a->list[i].file);
			notes_put_held(&notes, a->list[i].file, a->list[i].trouble);
		} else {
			notes_remove(&notes, a->list[i].file);
			commit_removal(a, &a->list[i]);
		}
	}
	if (has_rights || p->are_keys_behind) {
		primary_merge_keys(a);
	}
}
