#include "auth/primary.h"

#include <stdlib.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

void
primary_report(const struct primary *p, const struct primary_report *r)
{
	struct primary_report full = *r;
	full.text = r->text != NULL ? r->text : "";
	if (p->log.report != NULL) {
		p->log.report(p->log.ctx, &full);
	}
}

/* ---- a commit ---- */

static size_t
planned_octets(const struct apply *a)
{
	size_t octets = 0;
	for (size_t i = 0; i < a->n; i++) {
		octets += file_octets(a->list[i].file);
	}
	return octets;
}

/* Prepares the removal of zones from the set, so that it needs no memory later. */
static err_t
claim_removals(struct apply *a)
{
	for (size_t i = 0; i < a->removals_n; i++) {
		TRY(next_view_claim(&a->next, a->list[i].file->apex.oct));
	}
	return OK;
}

static void
pending_fini(struct primary *p, struct pending *d)
{
	free(d->trouble);
	zone_changes_fini(&d->changes);
	zone_free(&d->zone);
	keystore_free(&d->keys);
	secondaries_free(&d->secondaries);
	reads_fini(p, &d->reads);
	if (d->is_new) {
		file_free(p, d->file);
	}
}

/* Drops kept texts that the commit changes. */
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

/* Takes all steps that can fail, so that the commit as a whole cannot fail. *is_held: something is held back that was not held before. */
static err_t
prepare(struct apply *a, bool *is_held)
{
	TRY(next_view_begin(&a->next, &a->p->views, a->n));
	err_t err = claim_removals(a);
	err = err == OK ? hold_sort_allowed(a) : err;
	err = err == OK ? file_reserve(a->p, a->n - a->removals_n) : err;
	err = err == OK ? hold_back(a, is_held) : err;
	if (err != OK) {
		next_view_rollback(&a->next);
	}
	return err;
}

static void
apply_fini(struct apply *a)
{
	for (size_t i = 0; i < a->n; i++) {
		pending_fini(a->p, &a->list[i]);
	}
	secondaries_free(&a->named);
	ignore_free(&a->ignore);
	includes_forget(&a->p->includes);
	a->p->next_ignore = a->p->ignore;
	free(a->allowed);
	free(a->list);
	free(a->paths);
	free(a->leaving);
}

err_t
primary_apply(struct primary *p, const struct source_commit *c, enum primary_outcome *outcome,
              const struct view **out, struct discard **old)
{
	struct apply a = { .p = p, .commit = c, .began_files = p->included_files, .began_octets = p->included_octets };
	bool is_held = false;
	p->applied++;
	primary_learn_past(p, c);
	err_t err = plan_commit(&a);
	if (err == OK) {
		err = prepare(&a, &is_held);
	}
	if (err == OK) {
		*outcome = is_held ? PRIMARY_HELD : PRIMARY_APPLIED;
		forget_texts(p, c);
		ignored_commit(&a);
		p->octets -= planned_octets(&a);
		primary_commit(&a);
		p->octets += planned_octets(&a);
		*out = next_view_commit(&a.next, c->id, c->now_s, old);
	}
	apply_fini(&a);
	return err;
}

/* ---- questions about the state ---- */

size_t
primary_octets(const struct primary *p)
{
	const struct view *v = p->views.latest;
	return p->octets + zone_octets(v->catalog) + keystore_octets(v->keys) + secondaries_octets(v->secondaries);
}

size_t
primary_kept_octets(const struct primary *p)
{
	return p->views.kept_octets;
}

const struct view *
primary_view(const struct primary *p)
{
	return p->views.latest;
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
	view_line_init(&p->views, &conf->catalog);
	return p;
}

void
primary_free(struct primary **pp)
{
	struct primary *p = *pp;
	if (p == NULL) {
		return;
	}
	view_line_fini(&p->views);
	for (size_t i = 0; i < p->files_n; i++) {
		file_free(p, p->files[i]);
	}
	texts_fini(&p->texts);
	includes_fini(&p->includes);
	marks_fini(&p->marks);
	ignore_free(&p->ignore);
	ignored_fini(&p->ignored_files);
	free(p->files);
	free(p);
	*pp = NULL;
}
