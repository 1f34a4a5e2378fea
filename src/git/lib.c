#include "git/lib.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "git/shortage.h"

static err_t
lib_settle(void)
{
	static const int levels[] = {
		GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
	};
	int bad = 0;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		bad |= git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	}
	bad |= git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	/* A pack is verified as it comes in, and each object carries zlib's checksum: hashing 40 MB again at
	 * each read would cost as much as inflating it. */
	bad |= git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	bad |= git_libgit2_opts(GIT_OPT_SET_USER_AGENT, "origin " ORIGIN_VERSION);
	return bad < 0 ? E_IO : OK;
}

err_t
git_lib_begin(struct diag *diag)
{
	int ret = git_libgit2_init();
	if (ret < 0) {
		return git_trouble(diag, ret, "libgit2 cannot be initialised");
	}
	if (ret == 1 && lib_settle() != OK) {
		err_t err = git_trouble(diag, -1, "libgit2 refused a setting");
		git_libgit2_shutdown();
		return err;
	}
	return OK;
}

void
git_lib_end(void)
{
	git_libgit2_shutdown();
}

const char *
git_lib_text(void)
{
	const git_error *e = git_error_last();
	return e != NULL && e->message != NULL && e->message[0] != '\0' ? e->message : "no details";
}

static err_t
err_of(int ret)
{
	switch (ret) {
	case GIT_ENOTFOUND:
	case GIT_EUNBORNBRANCH:
		return E_NOTFOUND;
	case GIT_EEXISTS:
		return E_EXISTS;
	case GIT_EAUTH:
	case GIT_ECERTIFICATE:
		return E_AUTH;
	case GIT_EUSER:
		return E_STOPPED;
	case GIT_EAMBIGUOUS:
	case GIT_EINVALIDSPEC:
		return E_FORMAT;
	default:
		return E_IO;
	}
}

static bool
is_out_of_memory(void)
{
	const git_error *e = git_error_last();
	return e != NULL && (e->klass == GIT_ERROR_NOMEMORY || strcasestr(git_lib_text(), "out of memory") != NULL);
}

err_t
git_trouble(struct diag *diag, int ret, const char *format, ...)
{
	char what[DIAG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	char details[DIAG_TEXT_MAX];
	snprintf(details, sizeof details, "%s", git_lib_text());
	for (char *p = details; *p != '\0'; p++) {
		*p = *p == '\n' || *p == '\r' ? ' ' : *p; /* a remote's message may have lines */
	}
	diag_set(diag, DIAG_ERROR, "git", "%s: %s", what, details);
	if (is_out_of_memory()) {
		diag_hint(diag, "--fetch-memory-max is the limit");
		return E_NOMEM;
	}
	const struct shortage *shortage = shortage_in(details);
	if (shortage != NULL) {
		diag_hint(diag, "%s", shortage->hint);
		return E_IO;
	}
	return err_of(ret);
}

int
git_lib_remote(git_remote **out, git_repository *repo, const char *url)
{
	git_remote_create_options o = GIT_REMOTE_CREATE_OPTIONS_INIT;
	o.repository = repo;
	o.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	return git_remote_create_with_opts(out, url, &o);
}

#define FREER(name, type, call)                                                                    \
	void name(type **p)                                                                        \
	{                                                                                          \
		call(*p);                                                                          \
		*p = NULL;                                                                         \
	}

FREER(git_free_repo, git_repository, git_repository_free)
FREER(git_free_odb, git_odb, git_odb_free)
FREER(git_free_object, git_odb_object, git_odb_object_free)
FREER(git_free_any, git_object, git_object_free)
FREER(git_free_tree, git_tree, git_tree_free)
FREER(git_free_commit, git_commit, git_commit_free)
FREER(git_free_ref, git_reference, git_reference_free)
FREER(git_free_walk, git_revwalk, git_revwalk_free)
FREER(git_free_remote, git_remote, git_remote_free)
FREER(git_free_index, git_index, git_index_free)
