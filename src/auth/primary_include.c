/* Files that are read by $INCLUDE: which file reads which, the limit for all of them, and which zones are read again when one
 * changes. */
#include <stdlib.h>
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"

/* ---- files that a file includes ---- */

void
reads_begin(struct primary *p)
{
	p->reading++;
}

/* Notes that the file is read, even if it cannot be opened: when it appears in a later commit, the zone is loaded again. */
static err_t
note(struct primary *p, struct reads *r, const char *path)
{
	struct include *i = includes_find(&p->includes, path);
	if (i != NULL && i->seen == p->reading) {
		return OK;
	}
	if (!try_room(&r->list, sizeof *r->list, r->n, &r->cap)) {
		return E_NOMEM;
	}
	i = includes_hold(&p->includes, path);
	if (i == NULL) {
		return E_NOMEM;
	}
	i->seen = p->reading;
	r->list[r->n++] = i;
	return OK;
}

err_t
reads_open(struct primary *p, struct reads *r, const struct includes_source *from, const char *path, struct master_text *out)
{
	TRY(note(p, r, path));
	return includes_open(&p->includes, from, path, out);
}

void
reads_count(struct primary *p, struct reads *r, const struct master_allowance *before, const struct master_allowance *after)
{
	r->files = before->files - after->files;
	r->octets = before->octets - after->octets;
	p->included_files += r->files;
	p->included_octets += r->octets;
}

void
reads_fini(struct primary *p, struct reads *r)
{
	for (size_t i = 0; i < r->n; i++) {
		includes_release(&p->includes, r->list[i]);
	}
	p->included_files -= r->files;
	p->included_octets -= r->octets;
	free(r->list);
	*r = (struct reads){ 0 };
}

/* ---- limits ---- */

static size_t
left(size_t max, size_t used)
{
	return max > used ? max - used : 0;
}

struct master_allowance
plan_allowance(const struct apply *a)
{
	const struct primary *p = a->p;
	size_t files_max = p->conf.includes_max != 0 ? p->conf.includes_max : MASTER_ALL_INCLUDES_MAX;
	size_t octets_max = p->conf.included_max != 0 ? p->conf.included_max : MASTER_ALL_INCLUDED_MAX;
	return (struct master_allowance){
		.files = left(files_max, p->included_files - a->replaced_files), .files_max = files_max,
		.octets = left(octets_max, p->included_octets - a->replaced_octets), .octets_max = octets_max,
	};
}

void
plan_replaces(struct apply *a, const struct reads *r)
{
	a->replaced_files += r->files;
	a->replaced_octets += r->octets;
}

/* ---- zones that are read again ---- */

/* Marks the changed files that other files include, or takes the marks off.  True: there are such files. */
static bool
mark_changed(struct apply *a, bool is_changed)
{
	bool is_any = false;
	for (size_t i = 0; i < a->commit->n; i++) {
		struct include *read = includes_find(&a->p->includes, a->paths[i]);
		if (read != NULL) {
			read->is_changed = is_changed;
			is_any = true;
		}
	}
	return is_any;
}

static bool
reads_changed(const struct reads *r)
{
	size_t i = 0;
	while (i < r->n && !r->list[i]->is_changed) {
		i++;
	}
	return i < r->n;
}

/* Plans files that did not change themselves, but include a file that changed. */
err_t
plan_includers(struct apply *a)
{
	struct primary *p = a->p;
	err_t err = OK;
	bool is_any = mark_changed(a, true);
	for (size_t i = 0; i < p->files_n && is_any && err == OK; i++) {
		struct file *f = p->files[i];
		if (!plan_has(a, f) && reads_changed(&f->reads)) {
			err = plan_file(a, f, NULL, false);
		}
	}
	if (is_any) {
		(void)mark_changed(a, false);
	}
	return err;
}

/* When all files together include less than before, files that were not read to their end are tried again. */
err_t
plan_starved(struct apply *a)
{
	struct primary *p = a->p;
	bool is_less = p->included_files - a->replaced_files < a->began_files || p->included_octets - a->replaced_octets < a->began_octets;
	for (size_t i = 0; i < p->files_n && is_less; i++) {
		struct file *f = p->files[i];
		if (f->is_starved && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}
