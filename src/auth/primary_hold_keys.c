/* The safety valve for keys: while zones are served, somebody must be able to announce the push that mends whatever was pushed.
 *
 * A keys file that goes, or has other keys now, is held when a zone could be announced before and could not be any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "auth/reach.h"
#include "base/alloc.h"

/* Names of zones, borrowed. */
struct names {
	const uint8_t **list; /* owned */
	size_t n, cap;
};

static void
add_name(struct names *to, const uint8_t *name)
{
	if (to->n == to->cap) {
		to->cap = to->cap != 0 ? 2 * to->cap : 64;
		to->list = xrealloc(to->list, to->cap * sizeof(const uint8_t *));
	}
	to->list[to->n++] = name;
}

static bool
is_keys(const struct pending *d)
{
	return d->file->kind == SOURCE_KEYS;
}

/* Does the commit take over another store for the file, or none? */
static bool
is_changed(const struct pending *d)
{
	return is_keys(d) && !d->is_held && (d->is_removal || d->keys != NULL);
}

/* ---- before and after ---- */

static void
find_reach_after(const struct apply *a, struct reach *out)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (!plan_has(a, p->files[i])) {
			reach_add(out, p->files[i]->keys);
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		if (is_keys(d)) {
			reach_add(out, is_changed(d) ? d->keys : d->file->keys);
		}
	}
	reach_seal(out);
}

/* Zones that are served after the commit. */
static void
list_zones(const struct apply *a, struct names *out)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (p->files[i]->zone != NULL && !plan_has(a, p->files[i])) {
			add_name(out, p->files[i]->apex.oct);
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		bool is_left = d->is_removal ? d->is_held && d->file->zone != NULL : d->zone != NULL || pending_served(d) != NULL;
		if (is_left && !is_keys(d)) {
			add_name(out, d->file->apex.oct);
		}
	}
}

static void
list_lost(const struct names *zones, const struct reach *before, const struct reach *after, struct names *out)
{
	for (size_t i = 0; i < zones->n; i++) {
		if (reach_has(before, zones->list[i]) && !reach_has(after, zones->list[i])) {
			add_name(out, zones->list[i]);
		}
	}
}

/* ---- what is held ---- */

static bool
reaches_any(const struct keystore *keys, const struct names *zones)
{
	struct reach r = { 0 };
	reach_add(&r, keys);
	reach_seal(&r);
	size_t i = 0;
	while (i < zones->n && !reach_has(&r, zones->list[i])) {
		i++;
	}
	reach_fini(&r);
	return i < zones->n;
}

static void
report_held(const struct apply *a, const struct pending *d, const struct names *lost)
{
	char zone[NAME_TEXT_MAX], others[48] = "", text[DIAG_TEXT_MAX];
	name_print(lost->list[0], zone);
	if (lost->n > 1) {
		(void)snprintf(others, sizeof others, " (%zu zones in all)", lost->n);
	}
	(void)snprintf(text, sizeof text, "nobody could announce a push for %.200s any more%s: the "
	               "keys of this file stay good; " HOLD_MEANT, zone, others);
	primary_report(a->p, &(struct primary_report){ .event = KEYS_HELD, .path = d->file->path, .text = text });
}

/* True: one of them was not held before. */
static bool
hold_files(struct apply *a, const struct names *lost)
{
	bool is_any_new = false;
	for (size_t i = 0; i < a->n; i++) {
		struct pending *d = &a->list[i];
		if (!is_changed(d) || !reaches_any(d->file->keys, lost)) {
			continue;
		}
		d->is_held = true;
		if (d->file->hold == HOLD_NONE) {
			is_any_new = true;
			report_held(a, d, lost);
		}
	}
	return is_any_new;
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

bool
hold_last_keys(struct apply *a)
{
	struct names zones = { 0 }, lost = { 0 };
	struct reach before = { 0 }, after = { 0 };
	if (a->commit->allow_mass_delete || a->p->conf.delete_zones_percent >= 100 || !is_any_changed(a)) {
		return false;
	}
	reach_add(&before, a->p->view->keys);
	reach_seal(&before);
	find_reach_after(a, &after);
	list_zones(a, &zones);
	if (zones.n == 0 && after.n == 0) {
		add_name(&zones, name_root); /* the first zones are to be announced, too */
	}
	list_lost(&zones, &before, &after, &lost);
	bool is_any_new = hold_files(a, &lost);
	reach_fini(&before);
	reach_fini(&after);
	free(zones.list);
	free(lost.list);
	return is_any_new;
}

/* Whether what is held is to be held still goes by the other keys, and by what zones there are: so each commit asks anew. */
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
