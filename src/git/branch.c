#include "git/branch.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* There is no commit to serve: `diag` says so and lists the branches that there are.  `wanted` NULL: HEAD was to name
 * the branch. */
static err_t
no_branch(const struct git_conf *c, const char *wanted, const struct str *branches, struct diag *diag)
{
	if (branches->len == 0) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s is empty: it has no branch yet", c->shown);
		const char *further = "; only then does it show whether the repository has SHA-256 object names, which libgit2 cannot read";
		diag_hint(diag, "commit the zones and push them; the primary tries again by itself%s",
		          c->scheme == GIT_REMOTE_LOCAL ? "" : further);
		return E_NOTFOUND;
	}
	diag_set(diag, DIAG_ERROR, "git", "%.200s has no branch %.100s; it has: %.150s%s", c->shown,
	         wanted != NULL ? wanted : "that its HEAD names", str_text(branches), branches->len > 150 ? "..." : "");
	diag_hint(diag, "name one of them with --remote=URL#BRANCH, or push %.100s", wanted != NULL ? wanted : "the branch of HEAD");
	return E_NOTFOUND;
}

static void
add_branch(struct str *list, const char *ref)
{
	if (strncmp(ref, "refs/heads/", 11) == 0 && list->len < 1000) {
		str_printf(list, "%s%s", list->len > 0 ? ", " : "", ref + 11);
	}
}

err_t
git_branch_of_remote(const struct git_conf *c, git_remote *connected, struct str *name, git_oid *id, struct diag *diag)
{
	const git_remote_head **heads = NULL;
	size_t n = 0;
	git_buf default_branch = { 0 };
	[[gnu::cleanup(str_fini)]] struct str branches = { 0 };
	int ret = git_remote_ls(&heads, &n, connected);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot list the branches of %.200s", c->shown);
	}
	if (c->branch != NULL) {
		str_printf(name, "refs/heads/%s", c->branch);
	} else if (git_remote_default_branch(&default_branch, connected) == 0) {
		str_put(name, default_branch.ptr, default_branch.size);
		git_buf_dispose(&default_branch);
	} else {
		str_cat(name, "HEAD"); /* it names no branch, or one that does not exist; then the remote does not list HEAD */
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(heads[i]->name, str_text(name)) == 0) {
			*id = heads[i]->oid;
			return OK;
		}
		add_branch(&branches, heads[i]->name);
	}
	return no_branch(c, c->branch, &branches, diag);
}

err_t
git_branch_look(git_remote *connected, const char *name, git_oid *id, struct diag *diag)
{
	const git_remote_head **heads = NULL;
	size_t n = 0;
	int ret = git_remote_ls(&heads, &n, connected);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot list the branches of the remote");
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(heads[i]->name, name) == 0) {
			*id = heads[i]->oid;
			return OK;
		}
	}
	return E_NOTFOUND;
}

static void
list_branches(git_repository *repo, struct str *out)
{
	git_reference_iterator *it = NULL;
	const char *name;
	if (git_reference_iterator_glob_new(&it, repo, "refs/heads/*") == 0) {
		while (git_reference_next_name(&name, it) == 0) {
			add_branch(out, name);
		}
	}
	git_reference_iterator_free(it);
}

err_t
git_branch_of_local(const struct git_conf *conf, git_repository *repo, struct str *name, git_oid *id, struct diag *diag)
{
	[[gnu::cleanup(git_free_ref)]] git_reference *head = NULL;
	[[gnu::cleanup(str_fini)]] struct str branches = { 0 };
	if (access(git_repository_commondir(repo), F_OK) < 0) { /* libgit2 would take it for a repository without branches */
		diag_set(diag, DIAG_ERROR, "git", "%.200s is not there any more: %s", conf->shown, strerror(errno));
		return E_IO;
	}
	if (conf->branch != NULL) {
		str_printf(name, "refs/heads/%s", conf->branch);
	} else if (git_reference_lookup(&head, repo, "HEAD") == 0 && git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
		str_cat(name, git_reference_symbolic_target(head));
	} else {
		str_cat(name, "HEAD");
	}
	int ret = git_reference_name_to_id(id, repo, str_text(name));
	if (ret == GIT_ENOTFOUND) {
		list_branches(repo, &branches);
		const char *wanted = str_text(name);
		return no_branch(conf, strncmp(wanted, "refs/heads/", 11) == 0 ? wanted + 11 : wanted, &branches, diag);
	}
	return ret < 0 ? git_trouble(diag, ret, "cannot read the branches of %.200s", conf->shown) : OK;
}

bool
git_branch_has(git_repository *repo, const git_oid *head, const git_oid *base, const git_oid *commit)
{
	[[gnu::cleanup(git_free_walk)]] git_revwalk *walk = NULL;
	git_oid id;
	if (git_oid_equal(head, commit)) {
		return true;
	}
	if (git_revwalk_new(&walk, repo) != 0 || git_revwalk_push(walk, head) != 0) {
		return false;
	}
	if (base != NULL) {
		(void)!git_revwalk_hide(walk, base); /* if the base is gone, only the limit ends the walk */
	}
	for (size_t n = 0; n < GIT_HISTORY_MAX && git_revwalk_next(&id, walk) == 0; n++) {
		if (git_oid_equal(&id, commit)) {
			return true;
		}
	}
	return false;
}
