/* What files of secondaries say becomes part of the next view, with the commit.
 *
 * Of addresses that transfer without a key, the last version of a file counts that had no error: an item can be an exception from another
 * one, so a part of them could allow more than was meant.  A file that never had such a version shuts its domain.
 *
 * The safety valve (primary_hold.c) does not hold these files: whatever a commit takes out of them, the zones are served, the push that
 * mends it can be announced, and secondaries come again for as long as the zones' expire says.
 */
#include "auth/primary_p.h"

#define BAD_LINES "lines that cannot be used; the other lines hold, but "
#define SHUT_MEANT "until it is mended, no address transfers zones of its domain without a key"

static bool
is_shut(const struct file *f)
{
	return f->secondaries == NULL || secondaries_is_shut(f->secondaries, f->apex.oct);
}

const char *
primary_secondaries_left(const struct file *f)
{
	return f->kind != SOURCE_SECONDARIES ? "" : is_shut(f) ? SHUT_MEANT : "what it said before holds";
}

void
primary_take_secondaries(struct primary *p, struct pending *d)
{
	struct file *f = d->file;
	secondaries_free(&f->secondaries); /* the view has copies */
	f->secondaries = d->secondaries;
	d->secondaries = NULL;
	primary_report_taken(p, d, secondaries_count(f->secondaries),
	                     is_shut(f) ? BAD_LINES "not what they say of addresses: " SHUT_MEANT
	                                : BAD_LINES "what the file says of addresses stays as it was");
}

/* ---- all files ---- */

static err_t
merge_file(struct secondaries *into, const struct file *f)
{
	if (f->kind != SOURCE_SECONDARIES) {
		return OK;
	}
	return f->secondaries != NULL ? secondaries_merge(into, f->secondaries) : secondaries_shut(into, f->apex.oct);
}

struct secondaries *
primary_merge_secondaries(struct primary *p)
{
	struct secondaries *all = secondaries_new();
	err_t err = all != NULL ? OK : E_NOMEM;
	for (size_t i = 0; i < p->files_n && err == OK; i++) {
		err = merge_file(all, p->files[i]);
	}
	ASSERT(err == OK || err == E_NOMEM); /* no more records than there may be: primary_limit.c */
	if (err != OK) {
		secondaries_free(&all);
		return NULL;
	}
	secondaries_seal(all);
	return all;
}

/* ---- names of keys ---- */

/* A file with which there would be too many records is left out: it will be rejected. */
static err_t
merge_named(struct secondaries *into, const struct secondaries *from)
{
	err_t err = from != NULL ? secondaries_merge(into, from) : OK;
	return err == E_LIMIT ? OK : err;
}

static err_t
merge_planned(const struct apply *a, struct secondaries *into)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		if (!plan_has(a, p->files[i])) {
			TRY(merge_named(into, p->files[i]->secondaries));
		}
	}
	for (size_t i = a->removals_n; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		TRY(merge_named(into, d->secondaries != NULL ? d->secondaries : d->file->secondaries));
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
			a->pending_octets += secondaries_octets(a->named);
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

void
primary_say_unknown(const struct apply *a, const struct keystore *keys, const struct keystore *before)
{
	const struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		const struct file *f = p->files[i];
		bool is_news = p->are_keys_behind || (plan_has(a, f) && !f->is_broken);
		struct findings found = { 0 };
		secondaries_find_unknown(f->secondaries, keys, &found);
		for (size_t k = 0; k < found.n; k++) {
			if (is_news || keystore_find(before, found.list[k].rdata) != NULL) { /* the record is a PTR: the key's name */
				say_finding(p, f, &found.list[k]);
			}
		}
		findings_fini(&found);
	}
}
