#include "git/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"
#include "git/files.h"
#include "git/format.h"

static int
open_at(const char *path, git_repository **out)
{
	return git_repository_open_ext(out, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
}

static err_t
open_failed(const struct git_conf *conf, int ret, const char *path, struct diag *diag)
{
	if (git_format_explain(path, conf->shown, diag)) {
		return E_UNSUPPORTED;
	}
	err_t err = git_trouble(diag, ret, "cannot open the repository %.200s", conf->shown);
	diag_hint(diag, "is the path right, and may this user read it?  `git -C %.150s log -1` shows it", path);
	return err;
}

err_t
git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str with_suffix = { 0 };
	const char *path = conf->url;
	int ret = open_at(path, out);
	if (ret == GIT_ENOTFOUND) {
		str_printf(&with_suffix, "%s.git", conf->url);
		path = str_text(&with_suffix);
		ret = open_at(path, out);
	}
	if (ret == GIT_ENOTFOUND) {
		path = conf->url;
		ret = open_at(path, out); /* again, for libgit2's message about this path */
	}
	return ret < 0 ? open_failed(conf, ret, path, diag) : OK;
}

/* ---- its configuration ---- */

static void
free_config(git_config **c)
{
	git_config_free(*c);
}

static int
add_config(git_config *c, const char *dir, const char *name, git_config_level_t level)
{
	[[gnu::cleanup(str_fini)]] struct str path = { 0 };
	str_printf(&path, "%s%s", dir, name);
	if (path.err != OK) {
		return -1;
	}
	return access(str_text(&path), R_OK) == 0 ? git_config_add_file_ondisk(c, str_text(&path), level, NULL, 0) : 0;
}

/* git_lib_begin() has told libgit2 to read the repository's own configuration only.  Here that of the system and the
 * user counts, too. */
static int
open_config(const char *dir, git_config **out)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	int ret = git_config_new(out);
	ret = ret == 0 ? add_config(*out, "/etc", "/gitconfig", GIT_CONFIG_LEVEL_SYSTEM) : ret;
	if (ret == 0 && (xdg != NULL || home != NULL)) {
		ret = add_config(*out, xdg != NULL ? xdg : home, xdg != NULL ? "/git/config" : "/.config/git/config",
		                 GIT_CONFIG_LEVEL_XDG);
	}
	if (ret == 0 && home != NULL) {
		ret = add_config(*out, home, "/.gitconfig", GIT_CONFIG_LEVEL_GLOBAL);
	}
	return ret == 0 ? add_config(*out, dir, "config", GIT_CONFIG_LEVEL_LOCAL) : ret;
}

static const char *
get_text(git_config *c, const char *key)
{
	const char *text = NULL;
	return git_config_get_string(&text, c, key) == 0 ? text : NULL;
}

static bool
get_bool(git_config *c, const char *key, bool otherwise)
{
	int value;
	return git_config_get_bool(&value, c, key) == 0 ? value != 0 : otherwise;
}

static bool
is_zero(git_config *c, const char *key)
{
	int64_t value;
	return git_config_get_int64(&value, c, key) == 0 && value == 0;
}

/* True for settings that change nothing for our pushes, which move one branch forward and are never forced. */
static bool
is_harmless(const git_config_entry *e)
{
	static const char *const keys[] = {
		"receive.denynonfastforwards", "receive.denydeletes", "receive.denydeletecurrent", "receive.denycurrentbranch",
		"receive.unpacklimit", "transfer.unpacklimit", "receive.autogc", "receive.keepalive", "receive.advertiseatomic",
		"receive.advertisepushoptions", "receive.shallowupdate", "transfer.advertisesid", "transfer.credentialsinurl",
	};
	static const char *const when_off[] = { "receive.fsckobjects", "transfer.fsckobjects", "receive.updateserverinfo" };
	int value;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(e->name, keys[i]) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(when_off); i++) {
		if (strcmp(e->name, when_off[i]) == 0) {
			return git_config_parse_bool(&value, e->value) == 0 && value == 0;
		}
	}
	return false;
}

/* For git_config_foreach(), which ends when this returns anything but 0.  (libgit2 could match the names itself, but
 * leaks memory then.) */
static int
on_setting(const git_config_entry *e, void *ctx)
{
	(void)ctx;
	bool is_about_pushes = strncmp(e->name, "receive.", 8) == 0 || strncmp(e->name, "transfer.", 9) == 0;
	return !is_about_pushes || is_harmless(e) ? 0 : GIT_EUSER;
}

/* ---- hooks ---- */

/* True when a push would run a hook, or when that cannot be known. */
static bool
has_hook(git_config *c, int dir)
{
	static const char *const names[] = {
		"pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive",
	};
	const char *path = get_text(c, "core.hookspath");
	path = path != NULL ? path : "hooks";
	if (path[0] == '~' || path[0] == '%') { /* below a home directory, or below git's own */
		return true;
	}
	[[gnu::cleanup(file_close)]] int hooks = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (hooks < 0) {
		return errno != ENOENT && errno != ENOTDIR;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (faccessat(hooks, names[i], X_OK, 0) == 0) {
			return true;
		}
	}
	return false;
}

static void
look(git_config *c, struct git_local *out)
{
	out->shared = file_shared(get_text(c, "core.sharedrepository"));
	const char *logs = get_text(c, "core.logallrefupdates");
	out->has_reflogs = logs != NULL && (strcasecmp(logs, "always") == 0 || get_bool(c, "core.logallrefupdates", false));
	out->is_tidied = !is_zero(c, "gc.auto") && !is_zero(c, "gc.autopacklimit") && get_bool(c, "receive.autogc", true);
	bool has_work_trees = faccessat(out->dir, "worktrees", F_OK, 0) == 0;
	out->is_direct = git_repository_is_bare(out->repo) && !git_repository_is_worktree(out->repo) && !has_work_trees &&
	                 !has_hook(c, out->dir) && git_config_foreach(c, on_setting, NULL) == 0;
}

void
git_local_look(git_repository *repo, struct git_local *out)
{
	[[gnu::cleanup(free_config)]] git_config *live = NULL;
	[[gnu::cleanup(free_config)]] git_config *c = NULL; /* a snapshot: libgit2 lends texts from nothing else */
	*out = (struct git_local){ .repo = repo, .where = git_repository_commondir(repo) };
	out->dir = open(out->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->dir >= 0 && open_config(out->where, &live) >= 0 && git_config_snapshot(&c, live) >= 0) {
		look(c, out);
	}
}

void
git_local_fini(struct git_local *l)
{
	file_close(&l->dir);
}
