#include "git/access.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/home.h"

bool
git_conf_owner(const struct git_conf *c, uid_t *uid, gid_t *gid)
{
	const char *place = c->scheme == GIT_REMOTE_LOCAL ? c->url : c->cache_dir;
	struct stat st;
	if (place == NULL || stat(place, &st) != 0) {
		return false;
	}
	*uid = st.st_uid;
	*gid = st.st_gid;
	return true;
}

static bool
is_refused(const char *path, int mode)
{
	return path != NULL && access(path, mode) != 0 && (errno == EACCES || errno == EPERM);
}

static bool
is_refused_in(const char *dir, const char *name, int mode)
{
	char path[PATH_MAX];
	return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path && is_refused(path, mode);
}

/* `dir` is a bare repository, or a work tree with its repository in .git. */
static bool
is_repository_refused(const char *dir)
{
	static const struct { const char *name; int mode; } needed[] = {
		{ ".", R_OK | W_OK | X_OK }, { "HEAD", R_OK }, { "config", R_OK },
		{ "objects", R_OK | W_OK | X_OK }, { "refs/heads", R_OK | W_OK | X_OK },
	};
	char git_dir[PATH_MAX];
	snprintf(git_dir, sizeof git_dir, "%s/.git", dir);
	bool is_bare = access(git_dir, F_OK) != 0;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		if (is_refused_in(is_bare ? dir : git_dir, needed[i].name, needed[i].mode)) {
			return true;
		}
	}
	return is_refused(dir, R_OK | X_OK);
}

/* True when this process may not use the cache directory, or may not make it. */
static bool
is_cache_refused(const char *dir)
{
	char above[PATH_MAX];
	if (access(dir, F_OK) == 0 || errno != ENOENT) {
		return is_refused(dir, R_OK | W_OK | X_OK) || is_refused_in(dir, HOME_CLONE, R_OK | W_OK | X_OK) ||
		       is_refused_in(dir, HOME_LOCK, R_OK | W_OK);
	}
	snprintf(above, sizeof above, "%s", dir);
	for (size_t n = strlen(above); n > 1 && above[n - 1] == '/'; n--) {
		above[n - 1] = '\0';
	}
	char *slash = strrchr(above, '/');
	if (slash == NULL) {
		return is_refused(".", W_OK | X_OK);
	}
	slash[slash == above] = '\0';
	return is_refused(above, W_OK | X_OK);
}

err_t
git_conf_check_access(const struct git_conf *c)
{
	bool has_temp = c->scheme != GIT_REMOTE_LOCAL && c->cache_dir == NULL;
	bool is_bad = (c->scheme == GIT_REMOTE_LOCAL && is_repository_refused(c->url)) ||
	              (c->cache_dir != NULL && is_cache_refused(c->cache_dir)) ||
	              (has_temp && is_refused(git_home_temp_root(), R_OK | W_OK | X_OK)) ||
	              is_refused(c->known_hosts, R_OK) || is_refused(c->ca_file, R_OK);
	return is_bad ? E_REFUSED : OK;
}
