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

/* ---- files ---- */

/* Index of the path, or where it belongs. */
static size_t
file_index(const struct primary *p, const char *path)
{
	size_t low = 0, high = p->files_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(p->files[mid]->path, path) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

struct file *
file_find(const struct primary *p, const char *path)
{
	size_t i = file_index(p, path);
	return i < p->files_n && strcmp(p->files[i]->path, path) == 0 ? p->files[i] : NULL;
}

/* Files of a zone are nearly always spelled as they would be here. */
struct file *
primary_file_of(const struct primary *p, const uint8_t *apex)
{
	char path[NAME_TEXT_MAX];
	source_file_name(apex, path);
	struct file *f = file_find(p, path);
	if (f != NULL && f->kind == SOURCE_ZONE && name_is_equal(f->apex.oct, apex)) {
		return f;
	}
	struct nkey key;
	nkey_set(&key, apex);
	for (size_t i = 0; trie_get(&p->view->zones, &key) != NULL && i < p->files_n; i++) {
		f = p->files[i];
		if (f->kind == SOURCE_ZONE && f->zone != NULL && name_is_equal(f->apex.oct, apex)) {
			return f;
		}
	}
	return NULL;
}

struct file *
file_new(const char *path, enum source_kind kind, const struct name *apex)
{
	size_t len = strlen(path) + 1;
	struct file *f = try_alloc(sizeof *f);
	char *copy = try_alloc(len);
	if (f == NULL || copy == NULL) {
		free(f);
		free(copy);
		return NULL;
	}
	f->path = memcpy(copy, path, len);
	f->kind = kind;
	f->apex = *apex;
	return f;
}

/* With its history: nobody reads it any more. */
static void
zone_drop(struct zone *z)
{
	struct garbage deltas = { 0 };
	if (z != NULL) {
		history_drop(z, &deltas);
		garbage_free(&deltas);
	}
	zone_free(&z);
}

void
file_free(struct primary *p, struct file *f)
{
	zone_drop(f->zone);
	keystore_free(&f->keys);
	reads_fini(p, &f->reads);
	free(f->path);
	free(f);
}

err_t
file_reserve(struct primary *p, size_t n)
{
	if (n > p->files_cap - p->files_n) {
		size_t cap = 2 * p->files_cap > p->files_n + n ? 2 * p->files_cap : p->files_n + n;
		struct file **grown = realloc(p->files, cap * sizeof(struct file *));
		if (grown == NULL) {
			return E_NOMEM;
		}
		p->files = grown;
		p->files_cap = cap;
	}
	return OK;
}

void
file_insert(struct primary *p, struct file *f)
{
	size_t i = file_index(p, f->path);
	ASSERT(p->files_n < p->files_cap);
	memmove(p->files + i + 1, p->files + i, (p->files_n - i) * sizeof *p->files);
	p->files[i] = f;
	p->files_n++;
}

void
file_remove(struct primary *p, struct file *f)
{
	size_t i = file_index(p, f->path);
	memmove(p->files + i, p->files + i + 1, (p->files_n - i - 1) * sizeof *p->files);
	p->files_n--;
	file_set_hold(p, f, HOLD_NONE);
	file_set_wanted(p, f, 0);
	file_free(p, f);
}

void
file_set_hold(struct primary *p, struct file *f, enum file_hold hold)
{
	bool is_zone = f->kind == SOURCE_ZONE;
	size_t *held = is_zone ? &p->held_n : &p->held_keys_n;
	*held -= f->hold != HOLD_NONE;
	*held += hold != HOLD_NONE;
	f->hold = hold;
}

/* ---- what a commit concerns ---- */

struct pending *
plan_add(struct apply *a, struct file *f)
{
	if (a->n == a->cap) {
		size_t cap = a->cap != 0 ? 2 * a->cap : 16;
		struct pending *grown = realloc(a->list, cap * sizeof *grown);
		if (grown == NULL) {
			return NULL;
		}
		a->list = grown;
		a->cap = cap;
	}
	a->list[a->n] = (struct pending){ .file = f };
	f->planned = a->p->applied;
	plan_replaces(a, &f->reads);
	return &a->list[a->n++];
}

bool
plan_has(const struct apply *a, const struct file *f)
{
	return f->planned == a->p->applied;
}

err_t
plan_removal(struct apply *a, struct file *f)
{
	struct pending *d = plan_add(a, f);
	if (d == NULL) {
		return E_NOMEM;
	}
	d->is_removal = true;
	return OK;
}

err_t
plan_file(struct apply *a, struct file *f, const struct source_change *change, bool is_new)
{
	if (f == NULL) { /* there was no memory for it */
		return E_NOMEM;
	}
	struct file *from = f->kind == SOURCE_ZONE && f->zone == NULL ? hold_find_leaving(a, &f->apex) : NULL;
	struct pending *d = plan_add(a, f);
	if (d == NULL) {
		if (is_new) {
			file_free(a->p, f);
		}
		return E_NOMEM;
	}
	d->is_new = is_new;
	d->from = from;
	d->change = change;
	return memory_load(a, d);
}

static void
report_bad_name(const struct primary *p, const char *path)
{
	struct diag d;
	char text[DIAG_TEXT_MAX + sizeof "; " + DIAG_HINT_MAX];
	source_say_bad(path, &d);
	(void)snprintf(text, sizeof text, "%s; %s", d.text, d.hint);
	primary_report(p, &(struct primary_report){ .event = ZONE_REJECTED, .path = path, .text = text });
}

static err_t
plan_put(struct apply *a, const struct source_change *change)
{
	struct primary *p = a->p;
	struct name apex;
	enum source_kind kind = source_kind_of(p->next_ignore, change->path, &apex);
	if (kind == SOURCE_IGNORED) {
		primary_report(p, &(struct primary_report){ .event = FILE_IGNORED, .path = change->path });
	} else if (kind == SOURCE_BAD_NAME) {
		report_bad_name(p, change->path);
	}
	if (kind != SOURCE_ZONE && kind != SOURCE_KEYS) {
		return OK;
	}
	struct file *f = file_find(p, change->path);
	bool is_new = f == NULL;
	return plan_file(a, is_new ? file_new(change->path, kind, &apex) : f, change, is_new);
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Twice the same path would be two files of one name, or a file that is changed after it was freed. */
static err_t
sort_paths(struct apply *a)
{
	const struct source_commit *c = a->commit;
	a->paths = try_alloc((c->n + 1) * sizeof *a->paths);
	if (a->paths == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < c->n; i++) {
		a->paths[i] = c->changes[i].path;
	}
	qsort(a->paths, c->n, sizeof *a->paths, compare_paths);
	for (size_t i = 1; i < c->n; i++) {
		if (strcmp(a->paths[i - 1], a->paths[i]) == 0) {
			return E_FORMAT;
		}
	}
	return OK;
}

bool
plan_changes(const struct apply *a, const char *path)
{
	return bsearch(&path, a->paths, a->commit->n, sizeof *a->paths, compare_paths) != NULL;
}

/* Files whose zone another file had, which goes: now it is their turn. */
static err_t
plan_successors(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		struct file *f = p->files[i];
		if (f->kind == SOURCE_ZONE && f->zone == NULL && hold_is_leaving(a, &f->apex) && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}

/* A whole tree says what is gone by not listing it. */
static err_t
plan_absent(struct apply *a)
{
	for (size_t i = 0; i < a->p->files_n; i++) {
		struct file *f = a->p->files[i];
		if (f->hold != HOLD_GONE && !plan_changes(a, f->path)) {
			TRY(plan_removal(a, f));
		}
	}
	return OK;
}

/* The trailer is here: files that lost too much in an earlier commit are read once more. */
static err_t
plan_shrunk(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n && p->held_n + p->held_keys_n != 0; i++) {
		struct file *f = p->files[i];
		if (f->hold == HOLD_SHRUNK && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}

/* ---- the next view ---- */

struct discard *
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

size_t
file_octets(const struct file *f)
{
	return f != NULL ? zone_octets(f->zone) : 0;
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

/* Before all else: what goes may come back as another file. */
static err_t
plan_removals(struct apply *a)
{
	const struct source_commit *c = a->commit;
	for (size_t i = 0; i < c->n; i++) {
		const char *path = c->changes[i].path;
		if (c->changes[i].kind == SOURCE_REMOVE || (strchr(path, '/') == NULL && source_is_passed_over(a->p->next_ignore, path))) {
			struct file *f = file_find(a->p, path);
			TRY(f != NULL ? plan_removal(a, f) : OK);
		}
	}
	TRY(c->is_whole ? plan_absent(a) : passed_plan_removals(a));
	TRY(hold_plan_gone(a));
	a->removals_n = a->n;
	return hold_list_leaving(a);
}

static err_t
plan(struct apply *a)
{
	const struct source_commit *c = a->commit;
	TRY(sort_paths(a));
	passed_plan_ignore(a);
	TRY(plan_removals(a));
	for (size_t i = 0; i < c->n; i++) {
		if (c->changes[i].kind == SOURCE_PUT) {
			TRY(plan_put(a, &c->changes[i]));
		}
	}
	if (!c->is_whole) {
		TRY(passed_plan_returns(a));
		TRY(plan_includers(a));
		TRY(plan_successors(a));
	}
	TRY(c->allow_mass_delete ? plan_shrunk(a) : OK);
	TRY(hold_plan_keys(a));
	TRY(plan_starved(a));
	TRY(memory_plan_again(a));
	return memory_load_put_off(a);
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

/* All that the commit itself must not fail for. */
static err_t
prepare(struct apply *a, struct view **next, struct discard **old)
{
	TRY(claim_removals(a));
	TRY(hold_sort_allowed(a));
	TRY(file_reserve(a->p, a->n - a->removals_n));
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
	err_t err = plan(&a);
	if (err == OK) {
		err = prepare(&a, &next, &d);
	}
	if (err == OK) {
		*outcome = hold_back(&a) ? PRIMARY_HELD : PRIMARY_APPLIED;
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
	zone_drop((struct zone *)(uintptr_t)p->view->catalog);
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
