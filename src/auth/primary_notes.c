/* Notes on zones (auth/zone_note.h).  A commit never fails because of them: if there is no memory for a note, the old note
 * stays, and the next commit makes all notes again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

/* ---- errors of a file ---- */

static struct trouble *
trouble_of(struct pending *d)
{
	if (d->trouble == NULL) {
		d->trouble = try_alloc(sizeof *d->trouble);
	}
	return d->trouble;
}

static bool
has_error(const struct pending *d)
{
	return d->trouble != NULL && d->trouble->text[0] != '\0' && d->trouble->level == DIAG_ERROR;
}

void
pending_take_diag(struct pending *d, const struct diag *diag, const char *general)
{
	bool is_first = d->trouble == NULL || (diag->level == DIAG_ERROR && !has_error(d));
	struct trouble *t = is_first ? trouble_of(d) : NULL;
	if (t == NULL) {
		return;
	}
	*t = (struct trouble){ .level = diag->level, .line = diag->line, .column = diag->line != 0 ? diag->col : 0, .code = diag->code,
		               .general = general };
	if (diag->file != NULL && strcmp(diag->file, d->file->path) != 0) {
		(void)snprintf(t->file, sizeof t->file, "%s", diag->file);
	}
	(void)snprintf(t->text, sizeof t->text, "%s", diag->text);
}

void
pending_take_reason(struct pending *d, const char *why, const char *general)
{
	struct trouble *t = why[0] != '\0' && !has_error(d) ? trouble_of(d) : NULL;
	if (t != NULL) {
		*t = (struct trouble){ .level = DIAG_ERROR, .code = "", .general = general };
		(void)snprintf(t->text, sizeof t->text, "%s", why);
	}
}

/* ---- notes ---- */

static enum note_state
state_of(const struct file *f)
{
	return f->hold != HOLD_NONE ? NOTE_HELD : !f->is_broken ? NOTE_SERVED : f->zone != NULL ? NOTE_LAST_GOOD : NOTE_REJECTED;
}

static struct zone_note *
make_note(const struct noting *n, const struct file *f, const struct zone_note *old, const struct trouble *trouble)
{
	struct zone_note_parts parts = { .state = state_of(f), .apex = f->apex.oct, .file = f->path, .trouble = trouble };
	bool is_new_version = f->zone != NULL && (f->is_note_due || old == NULL || old->changed[0] == '\0');
	parts.changed = is_new_version ? n->commit : old != NULL ? old->changed : "";
	parts.changed_s = is_new_version ? n->now_s : old != NULL ? old->changed_s : 0;
	if (parts.state != NOTE_SERVED) {
		bool goes_on = old != NULL && zone_note_is_trouble(old) && !is_new_version;
		parts.since = goes_on ? old->since : n->commit;
		parts.tried = n->commit;
	}
	return zone_note_new(&parts);
}

void
notes_put(const struct noting *n, struct file *f, const struct trouble *trouble)
{
	struct note_txn *t = &n->next->notes;
	if (f->kind != SOURCE_ZONE) {
		return;
	}
	const struct zone_note *old = note_txn_find(t, f->apex.oct);
	if (f->zone == NULL && old != NULL && strcmp(old->file, f->path) != 0) {
		return; /* the zone belongs to another file */
	}
	struct zone_note *note = make_note(n, f, old, trouble);
	if (note == NULL || note_txn_put(t, note) != OK) {
		free(note);
		n->p->are_notes_behind = true;
	} else {
		f->is_note_due = false;
	}
}

/* Each later commit plans a held file again.  That is not news, so the file's note stays. */
void
notes_put_held(const struct noting *n, struct file *f, const struct trouble *trouble)
{
	const struct zone_note *old = note_txn_find(&n->next->notes, f->apex.oct);
	if (old == NULL || old->state != NOTE_HELD) {
		notes_put(n, f, trouble);
	}
}

static void
remove_note(const struct noting *n, struct zone_note *note)
{
	if (note_txn_remove(&n->next->notes, note) != OK) {
		n->p->are_notes_behind = true;
	}
}

void
notes_remove(const struct noting *n, const struct file *f)
{
	struct zone_note *note = f->kind == SOURCE_ZONE ? note_txn_find(&n->next->notes, f->apex.oct) : NULL;
	if (note != NULL && strcmp(note->file, f->path) == 0) { /* else the zone has moved to another file */
		remove_note(n, note);
	}
}

/* Removes notes on files that are gone.  The trie of the served view does not change meanwhile, so it can be walked. */
static void
remove_stale(const struct noting *n)
{
	struct trie_iter it;
	trie_iter_first(&it, &n->p->views.latest->notes.all);
	for (struct zone_note *note; (note = trie_iter_next(&it)) != NULL;) {
		if (file_find(n->p, note->file) == NULL) {
			remove_note(n, note);
		}
	}
}

void
notes_begin(const struct noting *n)
{
	struct primary *p = n->p;
	if (!p->are_notes_behind) {
		return;
	}
	p->are_notes_behind = false;
	remove_stale(n);
	for (size_t i = 0; i < p->files_n; i++) {
		notes_put(n, p->files[i], NULL);
	}
}
