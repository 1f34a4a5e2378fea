/* Writes a batch's commit message: first the changes, for people who read the git log, then trailers that say who asked for them.
 *
 *     example.org: add www A 192.0.2.80
 *
 *     example.org, serial 7 to 8:
 *     + www 300 A 192.0.2.80
 *
 *     Origin-Update: example.org by me._update.example.org from 192.0.2.7
 *     Origin-Signed: me._update.example.org 1764158400
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/batch_p.h"
#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { SUBJECT_MAX = 72, LINE_MAX_LEN = 200 };

/* ---- pieces ---- */

/* Writes an absolute name without its last dot; "." for the root. */
static void
put_name(struct str *s, const uint8_t *name)
{
	char text[NAME_TEXT_MAX];
	size_t len = name_print(name, text);
	str_put(s, text, len > 1 ? len - 1 : len);
}

/* Writes a name relative to the apex, as in a zone file. */
static void
put_owner(struct str *s, const uint8_t *owner, const uint8_t *apex)
{
	char text[NAME_TEXT_MAX], zone[NAME_TEXT_MAX];
	size_t len = name_print(owner, text), zone_len = name_print(apex, zone);
	if (name_is_equal(owner, apex)) {
		str_char(s, '@');
	} else {
		str_put(s, text, len - zone_len - !name_is_root(apex));
	}
}

static void
put_rr(struct str *s, const struct zone_rr *rr, const uint8_t *apex, bool has_ttl)
{
	char type[RRTYPE_TEXT_MAX];
	put_owner(s, rr->owner, apex);
	if (has_ttl) {
		str_printf(s, " %u", (unsigned)rr->ttl);
	}
	str_printf(s, " %s ", rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, s);
}

/* Cuts the text that was written since `from` to `max` octets. */
static void
shorten(struct str *s, size_t from, size_t max)
{
	if (s->err == OK && s->len - from > max) {
		s->len = from + max - 3;
		str_cat(s, "...");
	}
}

static void
put_address(struct str *s, const struct peer *p)
{
	rdata_print(p->family == 4 ? TYPE_A : TYPE_AAAA, p->address, p->family == 4 ? 4 : 16, s);
}

/* ---- counting changes ---- */

struct sum {
	size_t works, added, removed;      /* without SOA records */
	const struct work *work;           /* the last one */
	const struct zone_change *one_added, *one_removed; /* the last of each */
	bool is_one_set;                   /* all changes are in one RRset */
};

static void
add_change(struct sum *s, const struct zone_change *c)
{
	const struct zone_change *other = s->one_added != NULL ? s->one_added : s->one_removed;
	s->is_one_set &= other == NULL || (other->rr.type == c->rr.type && name_is_equal(other->rr.owner, c->rr.owner));
	if (c->is_added) {
		s->added++;
		s->one_added = c;
	} else {
		s->removed++;
		s->one_removed = c;
	}
}

static struct sum
sum_up(const struct batch *b)
{
	struct sum s = { .is_one_set = true };
	for (size_t i = 0; i < b->works_n; i++) {
		const struct work *w = &b->works[i];
		if (!w->is_effective) {
			continue;
		}
		s.works++;
		s.work = w;
		for (size_t k = 0; k < w->changes.n; k++) {
			if (w->changes.list[k].rr.type != TYPE_SOA) {
				add_change(&s, &w->changes.list[k]);
			}
		}
	}
	return s;
}

/* ---- the subject ---- */

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
say_counts(struct str *out, const struct sum *s)
{
	if (s->removed == 0) {
		str_printf(out, "%zu record%s added", s->added, plural(s->added));
	} else if (s->added == 0) {
		str_printf(out, "%zu record%s removed", s->removed, plural(s->removed));
	} else {
		str_printf(out, "%zu record%s added, %zu removed", s->added, plural(s->added), s->removed);
	}
}

static void
say_one_zone(struct str *out, const struct sum *s)
{
	const struct work *w = s->work;
	const uint8_t *apex = w->file->apex.oct;
	char type[RRTYPE_TEXT_MAX];
	put_name(out, apex);
	str_cat(out, ": ");
	if (w->is_new || w->is_removal) {
		str_cat(out, w->is_new ? "new zone" : "remove the zone");
	} else if (s->added + s->removed == 0) {
		str_printf(out, "serial %u", (unsigned)w->new->serial);
	} else if (s->added + s->removed == 1) {
		str_cat(out, s->added == 1 ? "add " : "remove ");
		put_rr(out, s->added == 1 ? &s->one_added->rr : &s->one_removed->rr, apex, false);
	} else if (s->is_one_set && s->added == 1) {
		str_cat(out, "change ");
		put_rr(out, &s->one_added->rr, apex, false);
	} else if (s->is_one_set) {
		const struct zone_rr *rr = s->one_added != NULL ? &s->one_added->rr : &s->one_removed->rr;
		str_cat(out, s->added == 0 ? "remove " : s->removed == 0 ? "add " : "change ");
		put_owner(out, rr->owner, apex);
		str_printf(out, " %s (%zu records)", rrtype_print(rr->type, type), s->added != 0 ? s->added : s->removed);
	} else {
		say_counts(out, s);
	}
}

static void
say_subject(struct str *out, const struct sum *s)
{
	if (s->works == 1) {
		say_one_zone(out, s);
	} else {
		str_printf(out, "%zu zones: ", s->works);
		say_counts(out, s);
	}
	shorten(out, 0, SUBJECT_MAX);
	str_cat(out, "\n");
}

/* ---- the body ---- */

static void
say_changes(struct str *out, const struct work *w, size_t *left)
{
	size_t hidden = 0;
	for (size_t i = 0; i < w->changes.n; i++) {
		const struct zone_change *c = &w->changes.list[i];
		if (c->rr.type == TYPE_SOA) {
			continue;
		}
		if (*left == 0) {
			hidden++;
			continue;
		}
		size_t from = out->len;
		(*left)--;
		str_cat(out, c->is_added ? "+ " : "- ");
		put_rr(out, &c->rr, w->file->apex.oct, true);
		shorten(out, from, LINE_MAX_LEN);
		str_cat(out, "\n");
	}
	if (hidden != 0) {
		str_printf(out, "... and %zu more\n", hidden);
	}
}

static void
say_zone(struct str *out, const struct work *w, size_t *left)
{
	str_cat(out, "\n");
	put_name(out, w->file->apex.oct);
	if (w->is_removal) {
		str_printf(out, ", %zu record%s, is removed.\n", w->file->zone->records, plural(w->file->zone->records));
	} else if (w->is_new) {
		str_printf(out, " is new, with %zu record%s, serial %u.\n", w->new->records, plural(w->new->records),
		           (unsigned)w->new->serial);
	} else {
		str_printf(out, ", serial %u to %u:\n", (unsigned)w->file->zone->serial, (unsigned)w->new->serial);
		say_changes(out, w, left);
	}
}

/* ---- trailers ---- */

static int
compare_tasks(const void *left, const void *right)
{
	const struct update_task *a = *(struct update_task *const *)left, *b = *(struct update_task *const *)right;
	int order = name_compare(update_task_zone(a), update_task_zone(b));
	order = order != 0 ? order : name_compare(a->key.tsig.name.oct, b->key.tsig.name.oct);
	return order != 0 ? order : memcmp(&a->peer.address, &b->peer.address, sizeof a->peer.address);
}

static void
say_update(struct str *out, const struct update_task *t, size_t n)
{
	str_cat(out, "Origin-Update: ");
	put_name(out, update_task_zone(t));
	str_cat(out, " by ");
	put_name(out, t->key.tsig.name.oct);
	str_cat(out, " from ");
	put_address(out, &t->peer);
	if (n > 1) {
		str_printf(out, " (%zu updates)", n);
	}
	str_cat(out, "\n");
}

/* NULL: no memory.  The caller frees the list. */
static struct update_task **
sorted_tasks(const struct batch *b, int (*compare)(const void *left, const void *right))
{
	struct update_task **list = try_alloc((b->tasks_n + 1) * sizeof(struct update_task *));
	if (list != NULL) {
		memcpy(list, b->tasks, b->tasks_n * sizeof(struct update_task *));
		qsort(list, b->tasks_n, sizeof(struct update_task *), compare);
	}
	return list;
}

/* Writes one trailer for each zone, key and address. */
static err_t
say_updates(struct str *out, const struct batch *b)
{
	struct update_task **list = sorted_tasks(b, compare_tasks);
	if (list == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, end; i < b->tasks_n; i = end) {
		for (end = i + 1; end < b->tasks_n && compare_tasks(&list[i], &list[end]) == 0; end++) {
		}
		say_update(out, list[i], end - i);
	}
	free(list);
	return OK;
}

static int
compare_keys(const void *left, const void *right)
{
	const struct update_task *a = *(struct update_task *const *)left, *b = *(struct update_task *const *)right;
	return name_compare(a->key.tsig.name.oct, b->key.tsig.name.oct);
}

/* Writes for each key the time when its last update was signed: after a restart, a primary refuses updates of the key that were signed
 * at that time or earlier (auth/replay.h). */
static err_t
say_signed(struct str *out, const struct batch *b)
{
	struct update_task **list = sorted_tasks(b, compare_keys);
	if (list == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0, end; i < b->tasks_n; i = end) {
		uint64_t last_s = 0;
		for (end = i; end < b->tasks_n && compare_keys(&list[i], &list[end]) == 0; end++) {
			last_s = list[end]->tsig.peer_time_s > last_s ? list[end]->tsig.peer_time_s : last_s;
		}
		str_cat(out, "Origin-Signed: ");
		put_name(out, list[i]->key.tsig.name.oct);
		str_printf(out, " %llu\n", (unsigned long long)last_s);
	}
	free(list);
	return OK;
}

/* True when a primary that pulls this commit would hold it back as a mass deletion.  Then the commit message says that the
 * deletion is intended, since the key was allowed to delete the records.  The removal of a zone was checked before
 * (batch_zones.c) and needs no trailer. */
static bool
is_mass_deletion(const struct batch *b)
{
	for (size_t i = 0; i < b->works_n; i++) {
		const struct work *w = &b->works[i];
		if (!w->is_removal && primary_loses_too_much(&b->p->conf, w->file->zone, w->new, &w->changes)) {
			return true;
		}
	}
	return false;
}

err_t
batch_say(struct batch *b)
{
	const struct sum s = sum_up(b);
	struct str *out = &b->message;
	size_t left = BATCH_CHANGES_SHOWN_MAX;
	say_subject(out, &s);
	for (size_t i = 0; i < b->works_n; i++) {
		const struct work *w = &b->works[i];
		if (w->is_effective) {
			say_zone(out, w, &left);
		}
		if (w->is_effective && w->is_forced) {
			str_cat(out, "The file was changed without a higher serial: --serial writes one.\n");
		}
	}
	str_cat(out, b->tasks_n != 0 || is_mass_deletion(b) ? "\n" : "");
	TRY(say_updates(out, b));
	TRY(say_signed(out, b));
	str_cat(out, is_mass_deletion(b) ? "Origin-Allow: mass-delete\n" : "");
	return out->err;
}
