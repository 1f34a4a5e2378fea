/* The safety valve.  A zone keeps its last good version when a commit would remove too many zones, or too many of the zone's
 * records.
 *
 * A hold belongs to a file.  It stays until a commit has the trailer, or until the file's content is good again when it is
 * compared with the served version.  Held removals count again in each commit that follows, so that a large removal cannot pass
 * in two halves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

bool
primary_holds_removals(const struct primary_conf *c, size_t removed, size_t zones)
{
	return c->delete_zones_percent < 100 && removed * 100 > zones * c->delete_zones_percent;
}

static size_t
records_limit(const struct primary_conf *c, const struct zone *old)
{
	return old->records * c->delete_records_percent / 100;
}

static bool
is_guarded(const struct primary_conf *c, const struct zone *old)
{
	return old != NULL && old->records > c->delete_records_min && c->delete_records_percent < 100;
}

bool
primary_holds_version(const struct primary_conf *c, const struct zone *old, const struct zone *new)
{
	return is_guarded(c, old) && zone_lost(old, new) > records_limit(c, old);
}

/* Records that only get another TTL are among `changes`, but are no loss: all TTLs of a zone may change.  So a second, exact check
 * follows. */
bool
primary_loses_too_much(const struct primary_conf *c, const struct zone *old, const struct zone *new, const struct zone_changes *changes)
{
	return is_guarded(c, old) && changes->removed > records_limit(c, old) && primary_holds_version(c, old, new);
}

const char *
hold_reason(const struct file *f)
{
	switch (f->hold) {
	case HOLD_SHRUNK:
		return "the zone is held back: its file has lost most of the records; restore it, or push a commit with the trailer "
		       "\"" PRIMARY_TRAILER "\"";
	case HOLD_GONE:
		return "the zone is held back: its file was removed with most of the others; restore it, or push a commit with the trailer "
		       "\"" PRIMARY_TRAILER "\"";
	default:
		return NULL;
	}
}

err_t
hold_plan_gone(struct apply *a)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n && p->held_n + p->held_keys_n != 0; i++) {
		const char *path = p->files[i]->path;
		if (p->files[i]->hold == HOLD_GONE && !plan_changes(a, path) && !ignored_comes_back(a, path)) {
			TRY(plan_removal(a, p->files[i]));
		}
	}
	return OK;
}

static int
compare_leaving(const void *left, const void *right)
{
	const struct leaving *a = left, *b = right;
	return name_compare(a->apex, b->apex);
}

/* The list is sorted by name, for a binary search: when all files are renamed, each new file looks for its zone among all removals. */
err_t
hold_list_leaving(struct apply *a)
{
	a->leaving = try_alloc((a->removals_n + 1) * sizeof *a->leaving);
	if (a->leaving == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < a->removals_n; i++) {
		const struct file *f = a->list[i].file;
		if (f->zone != NULL) {
			a->leaving[a->leaving_n++] = (struct leaving){ f->apex.oct, i };
		}
	}
	qsort(a->leaving, a->leaving_n, sizeof *a->leaving, compare_leaving);
	return OK;
}

static const struct leaving *
find_leaving(const struct apply *a, const struct name *apex)
{
	const struct leaving key = { .apex = apex->oct };
	return bsearch(&key, a->leaving, a->leaving_n, sizeof *a->leaving, compare_leaving);
}

bool
hold_is_leaving(const struct apply *a, const struct name *apex)
{
	return find_leaving(a, apex) != NULL;
}

struct file *
hold_find_leaving(struct apply *a, const struct name *apex)
{
	const struct leaving *l = find_leaving(a, apex);
	if (l == NULL) {
		return NULL;
	}
	a->list[l->at].is_moved = true;
	return a->list[l->at].file;
}

static void
report_held(const struct apply *a, struct pending *d, const char *text, const char *general)
{
	pending_take_reason(d, text, general);
	enum zone_event event = d->file->kind == SOURCE_KEYS ? KEYS_HELD : ZONE_HELD;
	primary_report(a->p, &(struct primary_report){ .event = event, .path = d->file->path, .zone = pending_served(d), .text = text });
}

/* True when a served zone would be removed. */
static bool
is_loss(const struct pending *d)
{
	return d->file->zone != NULL && !d->is_moved;
}

static size_t
count_losses(const struct apply *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->removals_n; i++) {
		n += is_loss(&a->list[i]);
	}
	return n;
}

/* Keys that a commit removes together with zones that are held back stay valid as long as these zones are held: without keys nobody
 * could transfer the zones. */
static void
hold_keys(struct apply *a, bool is_any_held, bool is_any_new)
{
	for (size_t i = 0; i < a->removals_n; i++) {
		struct pending *d = &a->list[i];
		bool is_old = d->file->hold == HOLD_GONE;
		if (d->file->kind == SOURCE_KEYS && (is_old ? is_any_held : is_any_new)) {
			d->is_held = true;
			if (!is_old) {
				report_held(a, d, "removed together with zones that are held back: its keys stay valid; " HOLD_MEANT, NULL);
			}
		}
	}
}

static bool
hold_removals(struct apply *a)
{
	const struct primary *p = a->p;
	size_t zones = view_zones_n(p->views.latest), losses = count_losses(a);
	bool is_too_much = !a->commit->allow_mass_delete && primary_holds_removals(&p->conf, losses, zones);
	bool is_new = false, is_any = false;
	char text[DIAG_TEXT_MAX];
	(void)snprintf(text, sizeof text, "%zu of %zu zones would be removed: " HOLD_MEANT, losses, zones);
	for (size_t i = 0; i < a->removals_n; i++) {
		struct pending *d = &a->list[i];
		bool is_old = d->file->hold == HOLD_GONE;
		d->is_held = is_loss(d) && (is_old ? !a->commit->allow_mass_delete : is_too_much);
		is_any = is_any || d->is_held;
		if (d->is_held && !is_old) {
			report_held(a, d, text, "too many of the zones here would be removed at once: " HOLD_MEANT);
			is_new = true;
		}
	}
	hold_keys(a, is_any, is_new);
	return is_new;
}

err_t
hold_sort_allowed(struct apply *a)
{
	size_t n = a->commit->allowed_n;
	a->allowed = try_alloc((n + 1) * sizeof(const char *));
	if (a->allowed == NULL) {
		return E_NOMEM;
	}
	if (n != 0) {
		memcpy(a->allowed, a->commit->allowed, n * sizeof(const char *));
		qsort(a->allowed, n, sizeof(const char *), plan_compare_paths);
	}
	return OK;
}

static bool
is_path_allowed(const struct apply *a, const char *path)
{
	size_t n = a->commit->allowed_n;
	return n != 0 && bsearch(&path, a->allowed, n, sizeof(const char *), plan_compare_paths) != NULL;
}

/* True when an update, of this primary or of another, removed the records from the zone's file or from a file that it includes. */
static bool
is_allowed(const struct apply *a, const struct pending *d)
{
	bool is_any = is_path_allowed(a, d->file->path);
	for (size_t i = 0; i < d->reads.n && !is_any; i++) {
		is_any = is_path_allowed(a, d->reads.list[i]->path);
	}
	return is_any;
}

static bool
hold_shrunk(struct apply *a)
{
	const struct primary *p = a->p;
	bool is_any = false;
	for (size_t i = a->removals_n; i < a->n && !a->commit->allow_mass_delete; i++) {
		struct pending *d = &a->list[i];
		const struct zone *served = pending_served(d);
		if (d->zone != NULL && primary_loses_too_much(&p->conf, served, d->zone, &d->changes) && !is_allowed(a, d)) {
			char text[DIAG_TEXT_MAX];
			(void)snprintf(text, sizeof text, "%zu of the zone's %zu records would be removed: " HOLD_MEANT,
			               zone_lost(served, d->zone), served->records);
			report_held(a, d, text, NULL);
			d->is_held = is_any = true;
		}
	}
	return is_any;
}

err_t
hold_back(struct apply *a, bool *is_any_new)
{
	bool is_shrunk = hold_shrunk(a), is_gone = hold_removals(a);
	TRY(hold_last_keys(a, is_any_new));
	*is_any_new = *is_any_new || is_gone || is_shrunk;
	return OK;
}
