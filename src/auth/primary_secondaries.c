/* What files of secondaries say becomes part of the next view, with the commit.
 *
 * The safety valve (primary_hold.c) does not hold these files: whatever a commit takes out of them, the zones are served, the push that
 * mends it can be announced, and secondaries come again for as long as the zones' expire says.
 */
#include "auth/primary_p.h"

void
primary_take_secondaries(struct primary *p, struct pending *d)
{
	struct file *f = d->file;
	secondaries_free(&f->secondaries); /* the view has copies */
	f->secondaries = d->secondaries;
	d->secondaries = NULL;
	f->unknown_n = 0;
	primary_report_taken(p, d, secondaries_count(f->secondaries), "lines that cannot be used; the other lines of the file hold");
}

/* ---- all files ---- */

static err_t
merge_file(const struct primary *p, struct secondaries *into, const struct secondaries *from, const char *path)
{
	err_t err = from != NULL ? secondaries_merge(into, from) : OK;
	if (err != OK && err != E_NOMEM) {
		primary_report(p, &(struct primary_report){ .event = SECONDARIES_REJECTED, .path = path,
		                                            .text = "all files of secondaries together have too many records" });
		err = OK;
	}
	return err;
}

struct secondaries *
primary_merge_secondaries(struct primary *p)
{
	struct secondaries *all = secondaries_new();
	err_t err = all != NULL ? OK : E_NOMEM;
	for (size_t i = 0; i < p->files_n && err == OK; i++) {
		err = merge_file(p, all, p->files[i]->secondaries, p->files[i]->path);
	}
	if (err != OK) {
		secondaries_free(&all);
		return NULL;
	}
	secondaries_seal(all);
	return all;
}

/* ---- names of keys ---- */

/* What does not fit is left out, and said at the commit. */
static err_t
merge_planned(const struct apply *a, struct secondaries *into)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (!plan_has(a, p->files[i]) && p->files[i]->secondaries != NULL) {
			TRY(secondaries_merge(into, p->files[i]->secondaries));
		}
	}
	for (size_t i = a->removals_n; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		const struct secondaries *from = d->secondaries != NULL ? d->secondaries : d->file->secondaries;
		TRY(from != NULL ? secondaries_merge(into, from) : OK);
	}
	return OK;
}

const struct secondaries *
plan_named(struct apply *a)
{
	if (!a->is_named_known) {
		a->is_named_known = true;
		a->named = secondaries_new();
		if (a->named != NULL && merge_planned(a, a->named) == E_NOMEM) {
			secondaries_free(&a->named);
		}
		if (a->named != NULL) {
			secondaries_seal(a->named);
		}
	}
	return a->named;
}

static void
say_finding(const struct primary *p, const struct file *f, const struct finding *finding)
{
	struct diag d;
	diag_set(&d, finding->level, finding->code, "%s", finding->text);
	diag_hint(&d, "%s", finding->hint);
	d.file = f->path;
	diag_report(&p->log.diag, &d);
}

/* Of files that the commit brings, and of others when it takes keys away that they name. */
void
primary_say_unknown(struct apply *a, const struct keystore *keys)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		struct file *f = p->files[i];
		struct findings found = { 0 };
		secondaries_find_unknown(f->secondaries, keys, &found);
		for (size_t k = 0; found.warnings > f->unknown_n && k < found.n; k++) {
			say_finding(p, f, &found.list[k]);
		}
		f->unknown_n = found.warnings;
		findings_fini(&found);
	}
}
