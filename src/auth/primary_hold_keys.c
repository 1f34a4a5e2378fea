/* The safety valve for keys: while zones are served, somebody must be able to announce the push that repairs a mistake.
 *
 * A keys file that is removed, or changes, is held when somebody could announce a zone before and nobody could afterwards.
 * Rights that files of secondaries grant do not count: the keys belong to other people, who push nothing here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "auth/reach.h"
#include "base/alloc.h"

/* Zones that could be announced before the commit, but not after it. */
struct lost {
	const struct reach *before, *after;
	size_t zones_n;       /* number of zones that are served after the commit */
	const uint8_t **list; /* owned: names of the lost zones, borrowed */
	size_t n, cap;
};

static bool
is_keys(const struct pending *d)
{
	return d->file->kind == SOURCE_KEYS;
}

/* True when the commit changes or removes the keys of the file. */
static bool
is_changed(const struct pending *d)
{
	return is_keys(d) && !d->is_held && (d->is_removal || d->keys != NULL);
}

/* ---- comparing keys ---- */

static err_t
find_reach_after(const struct apply *a, struct reach *out)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (!plan_has(a, p->files[i])) {
			TRY(reach_add(out, p->files[i]->keys));
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		if (is_keys(d)) {
			TRY(reach_add(out, is_changed(d) ? d->keys : d->file->keys));
		}
	}
	reach_seal(out);
	return OK;
}

static err_t
look_at_zone(struct lost *l, const uint8_t *apex)
{
	l->zones_n++;
	if (!reach_has(l->before, apex) || reach_has(l->after, apex)) {
		return OK;
	}
	if (!try_room(&l->list, sizeof *l->list, l->n, &l->cap)) {
		return E_NOMEM;
	}
	l->list[l->n++] = apex;
	return OK;
}

/* Looks only at zones that are served after the commit. */
static err_t
find_lost(const struct apply *a, struct lost *out)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (p->files[i]->zone != NULL && !plan_has(a, p->files[i])) {
			TRY(look_at_zone(out, p->files[i]->apex.oct));
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		bool is_left = d->is_removal ? d->is_held && d->file->zone != NULL : d->zone != NULL || pending_served(d) != NULL;
		if (is_left && !is_keys(d)) {
			TRY(look_at_zone(out, d->file->apex.oct));
		}
	}
	/* If there are no zones and no keys at all, nobody could announce the first zones either. */
	return out->zones_n == 0 && out->after->n == 0 ? look_at_zone(out, name_root) : OK;
}

/* ---- keys that are held ---- */

static err_t
reaches_any(const struct keystore *keys, const struct lost *zones, bool *out)
{
	struct reach r = { 0 };
	size_t i = 0;
	err_t err = reach_add(&r, keys);
	reach_seal(&r);
	while (i < zones->n && !reach_has(&r, zones->list[i])) {
		i++;
	}
	reach_fini(&r);
	*out = i < zones->n;
	return err;
}

static void
report_held(const struct apply *a, const struct pending *d, const struct lost *lost)
{
	char zone[NAME_TEXT_MAX], others[48] = "", text[DIAG_TEXT_MAX];
	name_print(lost->list[0], zone);
	if (lost->n > 1) {
		(void)snprintf(others, sizeof others, " (%zu zones in all)", lost->n);
	}
	(void)snprintf(text, sizeof text, "nobody could announce a push for %.200s any more%s: the "
	               "keys of this file stay valid; " HOLD_MEANT, zone, others);
	primary_report(a->p, &(struct primary_report){ .event = KEYS_HELD, .path = d->file->path, .text = text });
}

/* *is_any_new: at least one file was not held before. */
static err_t
hold_files(struct apply *a, const struct lost *lost, bool *is_any_new)
{
	for (size_t i = 0; i < a->n; i++) {
		struct pending *d = &a->list[i];
		bool is_needed = false;
		if (is_changed(d)) {
			TRY(reaches_any(d->file->keys, lost, &is_needed));
		}
		if (is_needed) {
			d->is_held = true;
		}
		if (is_needed && d->file->hold == HOLD_NONE) {
			*is_any_new = true;
			report_held(a, d, lost);
		}
	}
	return OK;
}

static err_t
hold_what_reaches(struct apply *a, struct lost *lost, struct reach *before, struct reach *after, bool *is_any_new)
{
	TRY(reach_add(before, a->p->views.latest->keys));
	reach_seal(before);
	TRY(find_reach_after(a, after));
	TRY(find_lost(a, lost));
	return hold_files(a, lost, is_any_new);
}

static bool
is_any_changed(const struct apply *a)
{
	size_t i = 0;
	while (i < a->n && !is_changed(&a->list[i])) {
		i++;
	}
	return i < a->n;
}

err_t
hold_last_keys(struct apply *a, bool *is_any_new)
{
	struct reach before = { 0 }, after = { 0 };
	struct lost lost = { .before = &before, .after = &after };
	*is_any_new = false;
	if (a->commit->allow_mass_delete || a->p->conf.delete_zones_percent >= 100 || !is_any_changed(a)) {
		return OK;
	}
	err_t err = hold_what_reaches(a, &lost, &before, &after, is_any_new);
	reach_fini(&before);
	reach_fini(&after);
	free(lost.list);
	return err;
}

/* A held keys file may be released when other keys or zones change, so each commit decides again. */
err_t
hold_plan_keys(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n && p->held_keys_n != 0; i++) {
		struct file *f = p->files[i];
		if (f->kind == SOURCE_KEYS && f->hold == HOLD_SHRUNK && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}
