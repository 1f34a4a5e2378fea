/* A PULL: see git/worker_p.h. */
#include <stdio.h>
#include <string.h>

#include "git/branch.h"
#include "git/fetch.h"
#include "git/local.h"
#include "git/shortage.h"
#include "git/snapshot.h"
#include "git/swap.h"
#include "git/worker_p.h"

static err_t
find_head(struct worker *w, bool is_from_cache, git_oid *out, struct diag *diag)
{
	str_clear(&w->branch);
	if (w->home->is_in_place) {
		return git_branch_of_local(w->conf, w->clone.repo, &w->branch, out, diag);
	}
	if (is_from_cache) {
		int ret = git_reference_name_to_id(out, w->clone.repo, w->home->ref);
		return ret < 0 ? git_trouble(diag, ret, "the clone in %.200s has no commit", w->home->dir) : OK;
	}
	return git_fetch(&w->how, w->clone.repo, w->home->ref, out, &w->branch, diag);
}

err_t
worker_renew(struct worker *w, err_t err, git_oid *head, struct diag *diag)
{
	struct diag why = { 0 };
	if (shortage_in(diag->text) != NULL || shortage_explain(w->home->dir, diag)) {
		return E_IO; /* the clone is not damaged, and a new one could not be written either */
	}
	if (!git_clone_may_renew(w->home, head)) {
		return err;
	}
	err = git_clone_renew(w->home, &w->how, &w->clone, head, &w->branch, &why);
	if (err != OK) {
		*diag = why;
	}
	if (err == E_FORMAT) {
		git_clone_note_vain(w->home, head);
	}
	return err;
}

static err_t
tell_commit(struct worker *w, const git_oid *base, const git_oid *head, struct link_frame *out, struct diag *diag)
{
	bool is_in_place = w->home->is_in_place;
	const struct git_past_in past = {
		.repo = w->clone.repo, .head = head, .kept = is_in_place ? NULL : w->home->ref, .left = is_in_place ? NULL : w->home->left,
		.branch = is_in_place && w->branch.len != 0 ? str_text(&w->branch) : NULL, .alive = worker_alive, .ctx = w,
	};
	const struct git_snapshot_in in = {
		.conf = w->conf, .repo = w->clone.repo, .base = base, .commit = head, .past = &past, .alive = worker_alive, .ctx = w,
	};
	err_t err = git_snapshot(&in, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && w->home->is_in_place && diag->hint[0] == '\0') {
		diag_hint(diag, "is the repository damaged?  `git -C %.150s fsck` shows it", w->conf->url);
	}
	return err;
}

static err_t
tell_head(struct worker *w, const struct link_frame *pull, const git_oid *head, struct link_frame *out, struct diag *diag)
{
	git_oid base, lost;
	char id[sizeof out->id];
	git_oid_tostr(id, sizeof id, head);
	bool has_base = git_oid_fromstr(&base, pull->id) == 0;
	bool is_whole = (pull->flags & WORKER_WHOLE) != 0 || !has_base;
	bool is_lost_there = git_oid_fromstr(&lost, pull->text) == 0 && git_branch_has(w->clone.repo, head, has_base ? &base : NULL, &lost);
	*out = (struct link_frame){ .type = LINK_UPTODATE, .fd = -1 };
	memcpy(out->id, id, sizeof out->id);
	if (is_whole || strcmp(id, pull->id) != 0) {
		TRY(tell_commit(w, is_whole ? NULL : &base, head, out, diag));
	}
	out->flags |= is_lost_there ? LINK_HAS_PUSHED : 0;
	snprintf(out->text, sizeof out->text, "%s", str_text(&w->branch));
	return OK;
}

/* A killed push into a local remote leaves a lock, and nobody can push until the lock is removed.  So a pull removes
 * it, and not only our next push.  Once in the life of a worker is enough: with a push its worker is killed, and the
 * next pull has a new worker. */
static void
clear_up(struct worker *w)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *opened = NULL;
	struct diag diag = { 0 };
	[[gnu::cleanup(git_local_fini)]] struct git_local l = { .dir = -1 };
	if (w->is_cleared_up || w->conf->scheme != GIT_REMOTE_LOCAL || w->branch.len == 0) {
		return;
	}
	if (!w->home->is_in_place && git_open_local(w->conf, &opened, &diag) != OK) {
		return;
	}
	git_local_look(opened != NULL ? opened : w->clone.repo, &l);
	git_swap_sweep(&l, str_text(&w->branch));
	w->is_cleared_up = true;
}

static err_t
pull_once(struct worker *w, const struct link_frame *pull, struct link_frame *out, struct diag *diag)
{
	git_oid head = { 0 };
	bool is_from_cache = (pull->flags & WORKER_FROM_CACHE) != 0;
	bool is_renewable = !w->home->is_in_place && !is_from_cache;
	memset(&w->head, 0, sizeof w->head);
	w->has_no_branch = false;
	TRY(worker_open_repo(w, diag));
	err_t err = find_head(w, is_from_cache, &head, diag);
	if (err == E_FORMAT && is_renewable) {
		is_renewable = false;
		err = worker_renew(w, err, &head, diag);
	}
	w->has_no_branch = err == E_NOTFOUND && w->branch.len > 0;
	TRY(err);
	clear_up(w);
	/* No objects to write, so this takes no time.  Only after a push that forces the branch back to a commit which the clone has, what
	 * was left behind is written (git/past.h), and that takes as long as its limits allow. */
	if (w->clone.intake != NULL && intake_is_empty(w->clone.intake)) {
		TRY(git_clone_keep(w->home, &w->how, &w->clone, &head, diag));
	}
	err = tell_head(w, pull, &head, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && is_renewable) {
		TRY(worker_renew(w, err, &head, diag));
		err = tell_head(w, pull, &head, out, diag);
		if (err != OK) {
			git_clone_note_vain(w->home, &head);
		}
	}
	TRY(err);
	w->head = head;
	return OK;
}

bool
worker_pull(struct worker *w, const struct link_frame *pull)
{
	struct link_frame out = { .fd = -1 };
	struct diag diag = { 0 };
	err_t err = pull_once(w, pull, &out, &diag);
	if (err != OK) {
		worker_explain_disk(w, err, &diag);
		worker_send_failed(w, err, w->has_no_branch ? LINK_NO_BRANCH : 0, &diag);
		return false;
	}
	out.flags |= out.type == LINK_COMMIT && (pull->flags & WORKER_FROM_CACHE) != 0 ? LINK_FROM_CACHE : 0;
	worker_send(w, &out);
	return out.type == LINK_COMMIT;
}
