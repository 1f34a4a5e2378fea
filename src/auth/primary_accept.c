/* Makes the next view from the versions of a batch whose commit is in the remote. */
#include "auth/primary_p.h"

static err_t
put_all(struct next_view *next, const struct accepted *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct file *f = list[i].file;
		TRY(list[i].is_removal ? next_view_claim(next, f->apex.oct) : next_view_put(next, list[i].zone, f->zone));
	}
	return OK;
}

static void
take_change(struct primary *p, struct next_view *next, struct accepted *a)
{
	struct file *f = a->file;
	struct zone *before = f->zone;
	f->zone = next_view_follow_txn(next, before, a->txn, a->changes);
	ASSERT(f->zone == a->zone);
	primary_report_zone(p, f, f->zone, before, 0);
}

static void
take_new(struct primary *p, struct accepted *a)
{
	struct file *f = a->file;
	f->zone = a->zone;
	primary_begin_zone(p, f->zone);
	f->is_broken = false;
	if (a->is_new) {
		file_insert(p, f);
	}
	primary_report_zone(p, f, f->zone, NULL, 0);
}

static void
take(const struct noting *notes, struct accepted *a)
{
	struct primary *p = notes->p;
	struct next_view *next = notes->next;
	p->octets -= file_octets(a->file);
	if (a->is_removal) {
		notes_remove(notes, a->file);
		primary_remove_zone(p, next, a->file);
		file_remove(p, a->file);
		return;
	}
	if (a->txn != NULL) {
		take_change(p, next, a);
	} else {
		take_new(p, a);
	}
	a->file->is_note_due = true;
	notes_put(notes, a->file, NULL);
	p->octets += file_octets(a->file);
}

err_t
primary_accept(struct primary *p, struct accepted *list, size_t n, const char *id, uint64_t now_s, const struct view **out,
               struct discard **old)
{
	struct next_view next;
	TRY(next_view_begin(&next, &p->views, n));
	err_t err = put_all(&next, list, n);
	err = err == OK ? file_reserve(p, n) : err;
	if (err != OK) {
		next_view_rollback(&next);
		return err;
	}
	const struct noting notes = { .p = p, .next = &next, .commit = id, .now_s = now_s };
	notes_begin(&notes);
	for (size_t i = 0; i < n; i++) {
		take(&notes, &list[i]);
	}
	*out = next_view_commit(&next, id, now_s, old);
	return OK;
}
