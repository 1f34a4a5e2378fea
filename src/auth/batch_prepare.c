/* Turns a complete batch into new versions and edited files, and into the next view when the commit is in the remote. */
#include <stdlib.h>

#include "auth/batch_p.h"
#include "base/alloc.h"
#include "dns/wire.h"
#include "zone/check.h"

/* ---- the next versions ---- */

const char *
batch_first_error(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].level == DIAG_ERROR) {
			return f->list[i].text;
		}
	}
	return "the result would not be a valid zone";
}

/* E_FORMAT: the new version must not be served, and *why has the reason. */
static err_t
check_version(const struct work *w, struct diag *why)
{
	struct findings f = { 0 };
	err_t err = zone_check(w->new, &f);
	if (err == OK && f.errors != 0) {
		diag_set(why, DIAG_ERROR, "update", "%s", batch_first_error(&f));
		err = E_FORMAT;
	}
	findings_fini(&f);
	return err;
}

static err_t
make_version(const struct batch *b, struct work *w, struct diag *why)
{
	TRY(zone_txn_is_effective(w->txn, &w->is_effective));
	w->is_effective |= w->is_forced;
	if (!w->is_effective) {
		return OK;
	}
	TRY(batch_raise_serial(b, w));
	diag_set(why, DIAG_ERROR, "update", "the result would not be a valid zone");
	err_t err = zone_txn_prepare(w->txn, &w->new);
	if (err == E_LIMIT) {
		diag_set(why, DIAG_ERROR, "update", "a name would have records of more than %u types, or a set more than %u",
		         NODE_RRSETS_MAX, RRSET_RRS_MAX);
	}
	TRY(err);
	TRY(zone_changes_of(w->txn, &w->changes));
	return check_version(w, why);
}

static err_t
prepare_work(struct batch *b, struct work *w, unsigned *rcode, struct diag *why)
{
	*rcode = RCODE_REFUSED;
	if (w->txn != NULL) {
		TRY(make_version(b, w, why));
	} else {
		w->is_effective = true;
	}
	*rcode = RCODE_SERVFAIL;
	TRY(w->is_effective ? batch_edit(b, w, why) : OK);
	if (batch_is_overgrown(&w->edit)) {
		*rcode = RCODE_REFUSED;
		diag_set(why, DIAG_ERROR, "update", "an update cannot make a file larger than 100 MiB");
		return E_REFUSED;
	}
	return OK;
}

static err_t
list_files(struct batch *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->works_n; i++) {
		n += b->works[i].edit.n;
	}
	b->files = try_alloc(n * sizeof *b->files);
	if (b->files == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < b->works_n; i++) {
		const struct edit *e = &b->works[i].edit;
		for (size_t k = 0; k < e->n; k++) {
			const struct edit_file *f = &e->files[k];
			b->files[b->files_n++] = (struct batch_file){ .path = f->path, .text = f->text, .len = f->len };
		}
	}
	return OK;
}

err_t
batch_prepare(struct batch *b, unsigned *rcode, int *ede, char text[UPDATE_ANSWER_TEXT_MAX])
{
	struct diag why = { .text = "" };
	bool is_effective = false;
	for (size_t i = 0; i < b->works_n; i++) {
		err_t err = prepare_work(b, &b->works[i], rcode, &why);
		if (err == E_FORMAT || err == E_REFUSED || err == E_LIMIT) {
			*ede = *rcode == RCODE_REFUSED ? EDE_INVALID_DATA : EDE_OTHER;
			update_text_put(text, "%s", why.text);
			return E_REFUSED;
		}
		TRY(err);
		is_effective |= b->works[i].is_effective;
	}
	if (!is_effective) {
		return E_NOTFOUND;
	}
	TRY(list_files(b));
	return batch_say(b);
}

const struct batch_file *
batch_files(const struct batch *b, size_t *n)
{
	*n = b->files_n;
	return b->files;
}

const char *
batch_message(const struct batch *b)
{
	return str_text(&b->message);
}

/* ---- after an accepted push ---- */

static void
keep_texts(struct batch *b)
{
	for (size_t i = 0; i < b->files_n; i++) {
		const struct batch_file *f = &b->files[i];
		if (f->text != NULL) {
			texts_put(&b->p->texts, f->path, f->text, f->len);
		} else {
			texts_drop(&b->p->texts, f->path);
		}
	}
	texts_trim(&b->p->texts);
}

err_t
batch_accept(struct batch *b, const char *id, const struct view **out, struct discard **old)
{
	struct accepted *list = try_alloc(b->works_n * sizeof *list);
	size_t n = 0;
	if (list == NULL) {
		return E_NOMEM;
	}
	for (size_t i = 0; i < b->works_n; i++) {
		struct work *w = &b->works[i];
		if (w->is_effective) {
			list[n++] = (struct accepted){
				.file = w->file, .is_new = w->is_new, .is_removal = w->is_removal,
				.zone = w->made != NULL ? w->made : (struct zone *)(uintptr_t)w->new,
				.txn = w->txn != NULL ? &w->txn : NULL, .changes = &w->changes,
			};
		}
	}
	err_t err = primary_accept(b->p, list, n, id, b->now_s, out, old);
	free(list);
	if (err != OK) {
		return err;
	}
	keep_texts(b);
	for (size_t i = 0; i < b->works_n; i++) {
		b->works[i].made = NULL; /* the primary owns them now */
		b->works[i].is_new = false;
	}
	return OK;
}
