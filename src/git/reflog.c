#include "git/reflog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "git/files.h"

static err_t
append(const struct git_local *l, const char *ref, const struct str *line, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str path = { 0 };
	str_printf(&path, "logs/%s", ref);
	TRY(path.err);
	if (l->has_reflogs) {
		file_make_parents(l->dir, &path, 0, l->shared);
	}
	[[gnu::cleanup(file_close)]] int fd =
		openat(l->dir, str_text(&path), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (l->has_reflogs ? O_CREAT : 0), 0666);
	if (fd < 0) {
		return errno == ENOENT ? OK : file_trouble_in(diag, "write", l->where, str_text(&path));
	}
	file_share(fd, l->shared);
	return file_write(fd, line->s, line->len) == OK ? OK : file_trouble_in(diag, "write", l->where, str_text(&path));
}

err_t
git_reflog_note(const struct git_local *l, const char *ref, const git_oid *old, const git_oid *new, const char *who,
                struct diag *diag)
{
	static const git_oid none = { 0 };
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	[[gnu::cleanup(git_free_ref)]] git_reference *head = NULL;
	str_printf(&line, "%s ", git_oid_tostr_s(old != NULL ? old : &none));
	str_printf(&line, "%s %s\tpush\n", git_oid_tostr_s(new), who);
	TRY(append(l, ref, &line, diag));
	if (git_reference_lookup(&head, l->repo, "HEAD") == 0 && git_reference_type(head) == GIT_REFERENCE_SYMBOLIC &&
	    strcmp(git_reference_symbolic_target(head), ref) == 0) {
		TRY(append(l, "HEAD", &line, diag));
	}
	return OK;
}
