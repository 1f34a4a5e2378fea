#include "auth/primary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/catalog.h"
#include "auth/primary_p.h"
#include "base/alloc.h"
#include "zone/history.h"

void
primary_report(const struct primary *p, const struct primary_report *r)
{
	struct primary_report full = *r;
	full.text = r->text != NULL ? r->text : "";
	if (p->log.report != NULL) {
		p->log.report(p->log.ctx, &full);
	}
}

/* ---- the next view ---- */

/* For so many zones, and a catalog.  NULL: no memory. */
static struct discard *
discard_new(size_t zones)
{
	struct discard *d = try_alloc(sizeof *d);
	struct zone **list = try_alloc((zones + 1) * sizeof(struct zone *));
	if (d == NULL || list == NULL) {
		free(d);
		free(list);
		return NULL;
	}
	d->zones = list;
	d->zones_cap = zones + 1; /* and the catalog */
	return d;
}

void
discard_zone(struct discard *old, struct zone *z)
{
	if (z != NULL) {
		ASSERT(old->zones_n < old->zones_cap);
		old->zones[old->zones_n++] = z;
		old->octets += zone_octets(z) - z->history.octets; /* that goes on, or is garbage of its own */
	}
}

/* Whose zone this one is.  A tree may have each zone twice, and the log no room for so many names. */
static const struct file *
file_of_apex(struct primary *p, const struct file *other)
{
	enum { NAMED_MAX = 100 }; /* of a commit */
	p->named = p->named.commit == p->applied ? p->named : (struct named){ .commit = p->applied };
	if (p->named.n++ >= NAMED_MAX) {
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

/* Where little changed, the version made from the one that is served; NULL: the new one is taken as it was read.  *garbage
 * gets what only the old one has. */
static struct zone *
made_from_served(const struct pending *d, struct garbage *garbage)
{
	struct zone *z = NULL;
	struct zone *served = pending_served(d);
	bool is_little = served != NULL && zone_changes_are_whole(&d->changes);
	return is_little && zone_changes_apply(served, &d->changes, &z, garbage) == OK ? z : NULL;
}

/* What is there already was put by this transaction: replacing it needs no memory. */
static void
replace(struct trie_txn *txn, struct zone *z)
{
	void *replaced;
	err_t err = trie_put(txn, z, &replaced);
	ASSERT(err == OK && replaced != NULL);
}

/* The zone that is served is another file's from now on. */
static void
move_zone(struct pending *d)
{
	if (d->file->zone == NULL && d->from != NULL) {
		d->file->zone = d->from->zone;
		d->from->zone = NULL;
	}
}

/* A zone takes its place in the set.  E_EXISTS: another file has that name already. */
static err_t
commit_zone(struct primary *p, struct trie_txn *txn, struct pending *d, struct discard *old)
{
	struct file *f = d->file;
	struct zone *z = d->zone, *before = pending_served(d);
	void *replaced = NULL;

	if (before != NULL && d->changes.added + d->changes.removed == 0) {
		move_zone(d);
		return OK; /* d->zone is freed with d */
	}
	if (name_is_equal(f->apex.oct, p->conf.catalog.oct) && p->conf.catalog.len != 0) {
		return E_EXISTS;
	}
	TRY(trie_put(txn, z, &replaced));
	if (replaced != before) {
		replace(txn, replaced);
		return E_EXISTS;
	}
	struct zone *made = made_from_served(d, &old->garbage);
	move_zone(d);
	if (before != NULL) {
		history_extend(before, made != NULL ? made : z, &d->changes, &old->garbage);
	} else {
		primary_begin_zone(p, z);
	}
	if (made != NULL) {
		replace(txn, made);
		/* `before` itself is in the garbage now, and lives as long as it. */
		primary_report_zone(p, f, made, before, d->counts.warnings);
		f->zone = made;
		return OK;
	}
	d->zone = NULL;
	f->zone = z;
	discard_zone(old, before);
	primary_report_zone(p, f, z, before, d->counts.warnings);
	return OK;
}

/* A zone whose file is another's now stays what it is when that cannot be taken; unless a third one was. */
static void
settle_move(struct primary *p, struct pending *d)
{
	move_zone(d);
	if (d->is_held && d->file->kind == SOURCE_ZONE && d->file->zone == NULL) {
		file_set_hold(p, d->file, HOLD_NONE);
		d->file->is_broken = true;
	}
}

static void
commit_removal(struct primary *p, struct trie_txn *txn, struct pending *d, struct discard *old)
{
	struct file *f = d->file;
	if (f->zone != NULL) {
		struct nkey key;
		nkey_set(&key, f->apex.oct);
		(void)trie_remove(txn, &key);
		primary_report(p, &(struct primary_report){ .event = ZONE_REMOVED, .path = f->path, .zone = f->zone,
		                                            .records = f->zone->records });
		primary_note_removed(p, f->zone);
		history_drop(f->zone, &old->garbage);
		discard_zone(old, f->zone);
		f->zone = NULL;
	} else if (f->kind == SOURCE_KEYS) {
		primary_report(p, &(struct primary_report){ .event = KEYS_LOADED, .path = f->path, .text = "removed" });
	}
	file_remove(p, f);
	d->file = NULL;
}

/* The zone stays, and nothing of the tree belongs to it any more. */
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
commit_keys(struct primary *p, struct pending *d)
{
	struct file *f = d->file;
	keystore_free(&f->keys); /* the view has copies */
	f->keys = d->keys;
	d->keys = NULL;
	if (d->counts.errors != 0) {
		primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = f->path, .errors = d->counts.errors,
		                                            .text = "lines that are no keys; the other keys of the file are good" });
	}
	primary_report(p, &(struct primary_report){ .event = KEYS_LOADED, .path = f->path,
	                                            .records = keystore_count(f->keys),
	                                            .warnings = d->counts.warnings });
}

static void
reject_zone(struct primary *p, const struct pending *d, err_t why)
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
	primary_report(p, &(struct primary_report){ .event = ZONE_REJECTED, .path = d->file->path, .zone = d->file->zone,
	                                            .text = text });
}

static void
commit_put(struct primary *p, struct trie_txn *txn, struct pending *d, struct discard *old)
{
	struct file *f = d->file;
	f->is_broken = d->is_rejected;
	file_set_wanted(p, f, d->wanted);
	f->was_without_memory = d->is_without_memory;
	file_set_hold(p, f, d->is_held ? HOLD_SHRUNK : HOLD_NONE);
	if (d->is_passed_over) {
		return; /* the file is freed with d */
	}
	if (d->is_held) {
		/* d->zone is freed with d */
	} else if (d->zone != NULL) {
		err_t err = commit_zone(p, txn, d, old);
		if (err != OK) {
			f->is_broken = true;
			f->was_without_memory = err == E_NOMEM;
			reject_zone(p, d, err);
		}
	} else if (d->keys != NULL) {
		commit_keys(p, d);
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

/* NULL: there is no memory for all of them. */
static struct keystore *
merge_keys(const struct primary *p)
{
	struct keystore *all = keystore_new();
	struct findings findings = { 0 };
	for (size_t i = 0; i < p->files_n; i++) {
		err_t err = p->files[i]->keys != NULL ? keystore_merge(all, p->files[i]->keys, &findings) : OK;
		if (err == E_NOMEM) {
			keystore_free(&all);
			findings_fini(&findings);
			return NULL;
		}
		if (err != OK) {
			primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = p->files[i]->path,
			                                            .text = "too many keys" });
		}
	}
	for (size_t i = 0; i < findings.n; i++) {
		primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = "_keys",
		                                            .text = findings.list[i].text });
	}
	findings_fini(&findings);
	keystore_seal(all);
	return all;
}

/* Without memory the keys that were good stay so, and the next commit tries it again. */
static void
commit_store(struct primary *p, struct view *next, struct discard *old)
{
	struct keystore *all = merge_keys(p);
	p->are_keys_behind = all == NULL;
	if (all != NULL) {
		next->keys = all;
		old->keys = (struct keystore *)p->view->keys;
	} else {
		primary_report(p, &(struct primary_report){ .event = KEYS_REJECTED, .path = "_keys",
		                                            .text = "there is not enough memory for all keys; those before stay good" });
	}
}

static bool
concerns_keys(const struct apply *a)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->list[i].file->kind == SOURCE_KEYS) {
			return true;
		}
	}
	return false;
}

static void
commit_all(struct apply *a, struct discard *old, struct view *next)
{
	struct primary *p = a->p;
	bool has_keys = concerns_keys(a);

	for (size_t i = a->removals_n; i < a->n; i++) {
		commit_put(p, &a->zones, &a->list[i], old);
	}
	for (size_t i = a->removals_n; i < a->n; i++) {
		settle_move(p, &a->list[i]);
	}
	for (size_t i = 0; i < a->removals_n; i++) {
		if (a->list[i].is_held) {
			hold_removal(p, a->list[i].file);
		} else {
			commit_removal(p, &a->zones, &a->list[i], old);
		}
	}
	next->zones = trie_commit(&a->zones, &old->garbage);
	next->keys = p->view->keys;
	if (has_keys || p->are_keys_behind) {
		commit_store(p, next, old);
	}
	memcpy(next->commit, a->commit->id, sizeof next->commit);
	next->commit[sizeof next->commit - 1] = '\0';
}

static size_t
planned_octets(const struct apply *a)
{
	size_t octets = 0;
	for (size_t i = 0; i < a->n; i++) {
		octets += file_octets(a->list[i].file);
	}
	return octets;
}

/* So that what goes can be taken out of the set without memory. */
static err_t
claim_removals(struct apply *a)
{
	for (size_t i = 0; i < a->removals_n; i++) {
		struct nkey key;
		nkey_set(&key, a->list[i].file->apex.oct);
		TRY(trie_claim(&a->zones, &key));
	}
	return OK;
}

static void
pending_fini(struct primary *p, struct pending *d)
{
	zone_changes_fini(&d->changes);
	zone_free(&d->zone);
	keystore_free(&d->keys);
	reads_fini(p, &d->reads);
	if (d->is_new) {
		file_free(p, d->file);
	}
}

/* Texts that the commit changed are not what they were. */
static void
forget_texts(struct primary *p, const struct source_commit *c)
{
	if (c->is_whole) {
		texts_fini(&p->texts);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		texts_drop(&p->texts, c->changes[i].path);
	}
}

void
primary_step(struct primary *p, struct view *next, uint64_t now_s, struct discard *old)
{
	const struct name *catalog = &p->conf.catalog;
	struct zone *retired;
	if (catalog->len != 0) {
		err_t err = catalog_follow(catalog->oct, p->view, next, now_s, p->is_catalog_behind, &old->garbage, &retired);
		p->is_catalog_behind = err != OK;
		discard_zone(old, retired);
	}
	old->view = p->view;
	old->octets += old->garbage.octets;
	old->kept = &p->kept_octets;
	p->kept_octets += old->octets;
	p->view = next;
}

/* All that the commit itself must not fail for.  *is_held: something is held back that was not before. */
static err_t
prepare(struct apply *a, bool *is_held, struct view **next, struct discard **old)
{
	TRY(claim_removals(a));
	TRY(hold_sort_allowed(a));
	TRY(file_reserve(a->p, a->n - a->removals_n));
	TRY(hold_back(a, is_held));
	return step_prepare(a->n, next, old);
}

err_t
step_prepare(size_t zones, struct view **next, struct discard **old)
{
	*next = try_alloc(sizeof **next);
	*old = *next != NULL ? discard_new(zones) : NULL;
	if (*old == NULL) {
		free(*next);
		return E_NOMEM;
	}
	return OK;
}

err_t
primary_apply(struct primary *p, const struct source_commit *c, enum primary_outcome *outcome,
              const struct view **out, struct discard **old)
{
	struct apply a = { .p = p, .commit = c, .began_files = p->included_files, .began_octets = p->included_octets };
	p->applied++;
	primary_learn_past(p, c);
	trie_begin(&a.zones, &p->view->zones);
	struct view *next = NULL;
	struct discard *d = NULL;
	bool is_held = false;
	err_t err = plan_commit(&a);
	if (err == OK) {
		err = prepare(&a, &is_held, &next, &d);
	}
	if (err == OK) {
		*outcome = is_held ? PRIMARY_HELD : PRIMARY_APPLIED;
		forget_texts(p, c);
		passed_commit(&a);
		p->octets -= planned_octets(&a);
		commit_all(&a, d, next);
		p->octets += planned_octets(&a);
		primary_step(p, next, c->now_s, d);
		*out = next;
		*old = d;
	}
	trie_rollback(&a.zones); /* nothing after the commit */
	for (size_t i = 0; i < a.n; i++) {
		pending_fini(p, &a.list[i]);
	}
	ignore_free(&a.ignore);
	includes_forget(&p->includes);
	p->next_ignore = p->ignore;
	free(a.allowed);
	free(a.list);
	free(a.paths);
	free(a.leaving);
	return err;
}

void
primary_discard(struct discard **d)
{
	struct discard *old = *d;
	if (old == NULL) {
		return;
	}
	*old->kept -= old->octets;
	garbage_free(&old->garbage);
	for (size_t i = 0; i < old->zones_n; i++) {
		zone_free(&old->zones[i]);
	}
	free(old->zones);
	keystore_free(&old->keys);
	free(old->view);
	free(old);
	*d = NULL;
}

size_t
discard_octets(const struct discard *d)
{
	return d->octets;
}

size_t
primary_octets(const struct primary *p)
{
	return p->octets + zone_octets(p->view->catalog);
}

size_t
primary_kept_octets(const struct primary *p)
{
	return p->kept_octets;
}

const struct view *
primary_view(const struct primary *p)
{
	return p->view;
}

size_t
primary_held_n(const struct primary *p)
{
	return p->held_n;
}

size_t
primary_held_keys_n(const struct primary *p)
{
	return p->held_keys_n;
}

struct primary *
primary_new(const struct primary_conf *conf, const struct primary_log *log)
{
	struct primary *p = xalloc(sizeof *p);
	p->conf = *conf;
	p->log = *log;
	p->view = xalloc(sizeof *p->view);
	trie_init(&p->view->zones, ZONE_NAME_AT);
	return p;
}

void
primary_free(struct primary **pp)
{
	struct primary *p = *pp;
	if (p == NULL) {
		return;
	}
	trie_fini(&p->view->zones, NULL, NULL);
	primary_drop_zone((struct zone *)(uintptr_t)p->view->catalog);
	struct keystore *keys = (struct keystore *)p->view->keys;
	keystore_free(&keys);
	for (size_t i = 0; i < p->files_n; i++) {
		file_free(p, p->files[i]);
	}
	texts_fini(&p->texts);
	includes_fini(&p->includes);
	marks_fini(&p->marks);
	ignore_free(&p->ignore);
	passed_fini(&p->passed);
	free(p->files);
	free(p->view);
	free(p);
	*pp = NULL;
}
