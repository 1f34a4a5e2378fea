#include "git/local.h"

#include "base/str.h"

err_t
git_open_local(const struct git_conf *conf, git_repository **out, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str with_suffix = { 0 };
	int ret = git_repository_open_ext(out, conf->url, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	if (ret == GIT_ENOTFOUND) {
		str_printf(&with_suffix, "%s.git", conf->url);
		if (git_repository_open_ext(out, str_text(&with_suffix), GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) == 0) {
			return OK;
		}
		ret = git_repository_open_ext(out, conf->url, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL); /* for its words */
	}
	if (ret < 0) {
		err_t err = git_trouble(diag, ret, "cannot open the repository %.200s", conf->shown);
		diag_hint(diag, "is the path right, and may this user read it?  `git -C %.150s log -1` shows it", conf->url);
		return err;
	}
	return OK;
}
