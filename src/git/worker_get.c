/* A GET: see git/worker_p.h. */
#include "git/branch.h"
#include "git/local.h"
#include "git/snapshot.h"
#include "git/worker_p.h"

bool
worker_has_moved(struct worker *w, const git_oid *id, bool *is_rewritten)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *repo = NULL;
	[[gnu::cleanup(str_fini)]] struct str name = { 0 };
	struct diag diag = { 0 };
	git_oid now;
	if (w->conf->scheme != GIT_REMOTE_LOCAL || git_open_local(w->conf, &repo, &diag) != OK) {
		return false;
	}
	err_t err = git_branch_of_local(w->conf, repo, &name, &now, &diag);
	if (err != OK && err != E_NOTFOUND) {
		return false;
	}
	*is_rewritten = err != OK || !git_branch_has(repo, &now, NULL, id);
	return err != OK || !git_oid_equal(&now, id);
}

/* In a local remote an object may be missing because a `git repack` has just moved it to another pack: a second look
 * finds it.  Or it was removed after somebody has rewritten the branch: that is E_STALE. */
static void
get_in_place(struct worker *w, const git_oid *commit, const char *path, struct link_frame *out)
{
	struct diag diag = { 0 };
	bool is_rewritten = false;
	git_clone_close(&w->clone);
	if (worker_open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->clone.repo, &w->clone.dirs, commit, path, out);
	}
	if ((out->status == E_NOTFOUND || out->status == E_IO) && worker_has_moved(w, commit, &is_rewritten) && is_rewritten) {
		out->status = E_STALE;
	}
}

void
worker_get(struct worker *w, const struct link_frame *get)
{
	struct link_frame out = { .type = LINK_FILE, .status = E_IO, .fd = -1 };
	struct diag diag = { 0 };
	git_oid commit;
	bool is_id = git_oid_fromstr(&commit, get->id) == 0;
	if (is_id && worker_open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->clone.repo, &w->clone.dirs, &commit, get->text, &out);
	}
	if (is_id && w->home->is_in_place && (out.status == E_NOTFOUND || out.status == E_IO || out.status == E_STALE)) {
		get_in_place(w, &commit, get->text, &out);
	}
	worker_send(w, &out);
}
