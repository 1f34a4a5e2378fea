#include "git/fetch.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/connect.h"
#include "git/local.h"
#include "git/shortage.h"

/* True for errors of the connection, of the remote, or of this machine.  Any other error may come from the clone (its
 * objects or references are damaged), or from a pack that does not fit to the clone. */
static bool
is_about_the_connection(int class)
{
	static const int classes[] = {
		GIT_ERROR_NONE, GIT_ERROR_NOMEMORY, GIT_ERROR_OS, GIT_ERROR_NET, GIT_ERROR_SSL, GIT_ERROR_SSH, GIT_ERROR_HTTP,
		GIT_ERROR_CALLBACK, GIT_ERROR_THREAD,
	};
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		if (classes[i] == class) {
			return true;
		}
	}
	return false;
}

static err_t
fetch_failed(const struct git_conf *c, int ret, const char *fate, struct diag *diag)
{
	const git_error *e = git_error_last();
	const struct shortage *shortage = shortage_in(git_lib_text());
	shortage = shortage != NULL ? shortage : errno == ENOSPC ? shortage_of_errno(errno) : NULL;
	bool is_clone = e != NULL && !is_about_the_connection(e->klass);
	err_t err = git_trouble(diag, ret, "the fetch from %.200s %s", c->shown, fate);
	if (err == E_NOMEM) { /* git_trouble() has set the hint */
		return err;
	}
	if (shortage != NULL) {
		diag_hint(diag, "%s; the clone stays as it was", shortage->hint);
		return E_IO;
	}
	diag_hint(diag, "the connection was lost, or the server gave up (then its log says why); the primary tries again by itself");
	return is_clone ? E_FORMAT : err == E_NOTFOUND ? E_IO : err;
}

static err_t
download(struct git_connection *a, git_remote *remote, const char *from, const char *to, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str spec = { 0 };
	git_fetch_options o = GIT_FETCH_OPTIONS_INIT;
	git_connection_callbacks(a, &o.callbacks);
	o.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	str_printf(&spec, "+%s:%s", from, to);
	char *one = (char *)str_text(&spec);
	git_strarray specs = { .strings = &one, .count = 1 };
	int ret = git_remote_download(remote, &specs, &o);
	if (a->is_too_large) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s is larger than %llu octets", a->how->conf->shown,
		         (unsigned long long)a->how->conf->total_max);
		diag_hint(diag, "keep zones in a repository of their own");
		return E_LIMIT;
	}
	return ret < 0 ? fetch_failed(a->how->conf, ret, "broke off", diag) : OK;
}

err_t
git_keep(git_repository *repo, const char *ref, const git_oid *id, struct diag *diag)
{
	[[gnu::cleanup(git_free_ref)]] git_reference *made = NULL;
	int ret = git_reference_create(&made, repo, ref, id, 1, NULL);
	return ret < 0 ? git_trouble(diag, ret, "cannot write to %.200s", git_repository_path(repo)) : OK;
}

static void
free_builder(git_packbuilder **p)
{
	git_packbuilder_free(*p);
}

err_t
git_copy_commit(const struct git_how *how, git_repository *repo, const git_oid *id, struct diag *diag)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *local = NULL;
	[[gnu::cleanup(free_builder)]] git_packbuilder *pack = NULL;
	[[gnu::cleanup(str_fini)]] struct str dir = { 0 };
	TRY(git_open_local(how->conf, &local, diag));
	str_printf(&dir, "%sobjects/pack", git_repository_path(repo));
	int ret = git_packbuilder_new(&pack, local);
	ret = ret == 0 ? git_packbuilder_insert_commit(pack, id) : ret;
	how->alive(how->ctx);
	ret = ret == 0 ? git_packbuilder_write(pack, str_text(&dir), 0, NULL, NULL) : ret;
	return ret < 0 ? fetch_failed(how->conf, ret, "could not copy the commit", diag) : OK;
}

/* For a local repository, its path with the ".git" that --remote may leave out. */
static err_t
url_to_fetch(const struct git_conf *c, struct str *out, struct diag *diag)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *local = NULL;
	if (c->scheme == GIT_REMOTE_LOCAL) {
		TRY(git_open_local(c, &local, diag));
	}
	str_cat(out, local != NULL ? git_repository_path(local) : c->url);
	return out->err;
}

err_t
git_fetch(const struct git_how *how, git_repository *repo, const char *ref, git_oid *out, struct str *branch,
          struct diag *diag)
{
	[[gnu::cleanup(git_connection_fini)]] struct git_connection a = { .how = how };
	[[gnu::cleanup(git_free_remote)]] git_remote *remote = NULL;
	[[gnu::cleanup(git_free_commit)]] git_commit *commit = NULL;
	[[gnu::cleanup(str_fini)]] struct str from = { 0 };
	git_oid id, have;
	[[gnu::cleanup(str_fini)]] struct str url = { 0 };
	TRY(url_to_fetch(how->conf, &url, diag));
	int ret = git_lib_remote(&remote, repo, str_text(&url));
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot fetch from %.200s", how->conf->shown);
	}
	TRY(git_connect(&a, remote, GIT_DIRECTION_FETCH, diag));
	how->alive(how->ctx);
	err_t err = git_branch_of_remote(how->conf, remote, &from, &id, diag);
	str_clear(branch);
	str_put(branch, from.s, from.len);
	TRY(err != OK ? err : branch->err);
	*out = id;
	bool is_here = git_reference_name_to_id(&have, repo, ref) == 0 && git_oid_equal(&have, &id);
	if (!is_here) {
		TRY(download(&a, remote, str_text(&from), ref, diag));
	}
	git_remote_disconnect(remote);
	ret = git_commit_lookup(&commit, repo, &id);
	if (ret < 0) {
		return fetch_failed(how->conf, ret, "brought no commit that can be read", diag);
	}
	return OK;
}
