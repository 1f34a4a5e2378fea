/* A push into a repository on this machine by git itself, which runs the hooks there and obeys its settings: see
 * git/push.h.
 *
 * `git push` needs a repository to push from.  So we make a temporary one, which has the new objects and borrows all
 * others from the remote (objects/info/alternates).  git-receive-pack then puts the new objects into its quarantine,
 * where hooks see them, as with any push.
 */
#include "git/push.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/files.h"
#include "git/run.h"
#include "git/stage.h"
#include "git/verdict.h"
#include "ops/clock.h"

enum {
	TURN_MS = 100,   /* how often git's output and its end are looked at */
	GRACE_MS = 1000, /* how long killed programs may take to end */
};

/* ---- the temporary repository ---- */

static err_t
write_text(int dir, const char *where, const char *name, const char *text, struct diag *diag)
{
	[[gnu::cleanup(file_close)]] int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && file_write(fd, text, strlen(text)) == OK ? OK : file_trouble_in(diag, "write", where, name);
}

/* Puts the pack with the new objects there. */
static err_t
put_objects(int dir, const char *where, const struct git_made *made, struct diag *diag)
{
	[[gnu::cleanup(pack_out_fini)]] struct pack_out pack = { 0 };
	[[gnu::cleanup(git_unstage)]] struct git_staged staged = GIT_STAGED_NONE;
	const struct git_placing how = { .dir = dir, .where = where };
	err_t err = git_made_pack(made, &pack);
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "git", "cannot make a pack of the commit: %s", err_str(err));
		return err;
	}
	TRY(git_stage(&how, &pack, &staged, diag));
	return git_stage_place(&staged, false, diag);
}

/* Makes the temporary repository in the directory `where`, which ends in "/". */
static err_t
make_repository(const char *where, git_repository *remote, const struct git_made *made, struct diag *diag)
{
	static const char *const dirs[] = { "objects", "objects/info", "objects/pack", "refs" };
	[[gnu::cleanup(str_fini)]] struct str borrowed = { 0 };
	[[gnu::cleanup(file_close)]] int dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		if (mkdirat(dir, dirs[i], 0700) < 0) {
			return file_trouble_in(diag, "make", where, dirs[i]);
		}
	}
	str_printf(&borrowed, "%sobjects\n", git_repository_commondir(remote));
	TRY(borrowed.err);
	TRY(write_text(dir, where, "HEAD", "ref: refs/heads/push\n", diag));
	TRY(write_text(dir, where, "config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", diag));
	TRY(write_text(dir, where, "objects/info/alternates", str_text(&borrowed), diag));
	return put_objects(dir, where, made, diag);
}

/* This is checked before the push, since git would not say why it cannot write. */
static err_t
check_writable(git_repository *remote, struct diag *diag)
{
	const char *where = git_repository_commondir(remote);
	[[gnu::cleanup(file_close)]] int dir = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return faccessat(dir, "objects", W_OK, 0) == 0 ? OK : file_trouble_in(diag, "write in", where, "objects");
}

/* ---- git ---- */

struct pushing {
	struct git_run git;
	bool is_late;
};

static void
pushing_fini(struct pushing *r)
{
	git_run_fini(&r->git);
}

static uint64_t
late_ms(const struct git_how *how)
{
	return clock_ms() + how->conf->fetch_timeout_s * 1000ull;
}

/* Reads git's output until git has closed it or has ended, or until nothing has come for --fetch-timeout. */
static void
follow(struct pushing *r, const struct git_how *how)
{
	uint64_t late = late_ms(how);
	while (!r->git.is_over && (r->git.out >= 0 || r->git.err >= 0)) {
		if (git_run_read(&r->git, TURN_MS)) {
			late = late_ms(how);
		} else if (!git_run_look(&r->git) && clock_ms() >= late) {
			r->is_late = true;
			return;
		}
		how->alive(how->ctx);
	}
}

/* Waits until git has ended.  If git was killed, git-receive-pack and hooks may still run: they are killed, too.  True:
 * all of these programs are known to be gone. */
static bool
end(struct pushing *r)
{
	if (r->is_late) {
		kill(r->git.pid, SIGKILL);
	}
	git_run_wait(&r->git);
	if (WIFEXITED(r->git.status)) {
		return true;
	}
	git_run_kill_all(&r->git, SIGKILL);
	uint64_t grace = clock_ms() + GRACE_MS;
	while ((r->git.out >= 0 || r->git.err >= 0) && clock_ms() < grace) {
		(void)git_run_read(&r->git, TURN_MS);
	}
	return r->git.out < 0 && r->git.err < 0;
}

/* ---- the outcome ---- */

/* Looks where the branch is.  OK: at our commit.  E_NOTFOUND: where it was before.  E_UNKNOWN: at a third commit, which
 * may build on ours. */
static err_t
look(const struct git_pushing *p, git_repository *remote, const char *ref)
{
	git_oid now;
	int ret = git_reference_name_to_id(&now, remote, ref);
	if (ret == GIT_ENOTFOUND) {
		return p->base == NULL ? E_NOTFOUND : E_UNKNOWN;
	}
	if (ret == 0 && git_oid_equal(&now, &p->made->commit)) {
		return OK;
	}
	return ret == 0 && p->base != NULL && git_oid_equal(&now, p->base) ? E_NOTFOUND : E_UNKNOWN;
}

static err_t
refused(const struct git_conf *c, const char *ref, const char *status, const char *words, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	err_t err = git_verdict(status, words);
	git_words_line(words, 250, &line);
	diag_set(diag, DIAG_ERROR, "git", "%.120s refused the push to %.60s: %.60s: %s", c->shown, ref, status, str_text(&line));
	return err;
}

/* git has ended without a report, and the branch has not moved: git's messages say why. */
static err_t
not_run(const struct git_conf *c, const struct git_run *r, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	const char *words = str_text(&r->words);
	git_words_line(words, 350, &line);
	if (git_run_is_absent(r)) {
		diag_set(diag, DIAG_ERROR, "git", "cannot run git, which the push into %.200s needs", c->shown);
		diag_hint(diag, "install git where the PATH of oprimary leads, or remove the hooks there");
		return E_IO;
	}
	diag_set(diag, DIAG_ERROR, "git", "the push into %.120s failed: %s", c->shown, line.len > 0 ? line.s : "git was killed");
	bool is_foreign = strstr(words, "dubious ownership") != NULL;
	if (is_foreign) {
		diag_hint(diag, "the repository is another user's; git runs its hooks for us only if safe.directory allows it");
	}
	return is_foreign || git_words_deny(words) ? E_REFUSED : E_IO;
}

/* git has not reported what became of the branch. */
static err_t
no_report(const struct git_pushing *p, git_repository *remote, const char *ref, struct pushing *r, struct diag *diag)
{
	const struct git_conf *c = p->how->conf;
	bool is_gone = end(r);
	err_t err = look(p, remote, ref);
	if (err == E_NOTFOUND && is_gone && !r->is_late) {
		return not_run(c, &r->git, diag);
	}
	if (err == OK) {
		return OK;
	}
	if (r->is_late) {
		diag_set(diag, DIAG_ERROR, "git", "the push into %.200s made no progress for %u s", c->shown, c->fetch_timeout_s);
		diag_hint(diag, "does a hook there wait for something?  --fetch-timeout is the limit");
	} else {
		diag_set(diag, DIAG_ERROR, "git", "git ended without a report about the push into %.200s", c->shown);
	}
	return err == E_NOTFOUND && is_gone ? E_TIMEOUT : E_UNKNOWN;
}

/* git says "stale info" when the branch is not at the lease's commit, and also when the remote hides the branch. */
static err_t
check_hidden(const struct git_pushing *p, git_repository *remote, const char *ref, const char *status, struct diag *diag)
{
	if (strstr(status, "stale info") == NULL || look(p, remote, ref) != E_NOTFOUND) {
		return E_STALE;
	}
	diag_set(diag, DIAG_ERROR, "git", "%.200s hides the branch %.100s from programs that push", p->how->conf->shown, ref);
	diag_hint(diag, "see receive.hideRefs and transfer.hideRefs in its configuration");
	return E_REFUSED;
}

static err_t
judge(const struct git_pushing *p, git_repository *remote, const char *ref, struct pushing *r, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str status = { 0 };
	if (git_porcelain(str_text(&r->git.printed), ref, &status) != OK) {
		return no_report(p, remote, ref, r, diag);
	}
	(void)end(r);
	if (status.len == 0) {
		return OK;
	}
	err_t err = refused(p->how->conf, ref, str_text(&status), str_text(&r->git.words), diag);
	return err == E_STALE ? check_hidden(p, remote, ref, str_text(&status), diag) : err;
}

static err_t
push_from(const struct git_pushing *p, git_repository *remote, const char *dir, const char *ref, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str git_dir = { 0 };
	[[gnu::cleanup(str_fini)]] struct str lease = { 0 };
	[[gnu::cleanup(str_fini)]] struct str spec = { 0 };
	[[gnu::cleanup(pushing_fini)]] struct pushing r = { .git = GIT_RUN_NONE };
	str_printf(&git_dir, "--git-dir=%s", dir);
	/* The lease lets git move the branch only from the base to our commit.  That forces nothing, since our commit builds on the base.
	 * Without a lease git would also move a branch that somebody has set back to an older commit. */
	str_printf(&lease, "--force-with-lease=%s:%s", ref, p->base != NULL ? git_oid_tostr_s(p->base) : "");
	str_printf(&spec, "%s:%s", git_oid_tostr_s(&p->made->commit), ref);
	const char *const argv[] = {
		"git", str_text(&git_dir), "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always", "push", "--porcelain",
		"--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", str_text(&lease),
		git_repository_path(remote), str_text(&spec), NULL,
	};
	p->job->risk(p->job->ctx, &p->made->commit);
	TRY(git_run_start(&r.git, &(struct git_run_in){ .argv = argv, .death_signal = SIGKILL, .kept = -1 }, diag));
	follow(&r, p->how);
	return judge(p, remote, ref, &r, diag);
}

err_t
git_push_receive(const struct git_pushing *p, git_repository *remote, struct diag *diag)
{
	[[gnu::cleanup(git_home_close)]] struct git_home temp = { .lock = -1 };
	[[gnu::cleanup(str_fini)]] struct str ref = { 0 };
	[[gnu::cleanup(str_fini)]] struct str where = { 0 };
	git_oid now;
	err_t err = git_branch_of_local(p->how->conf, remote, &ref, &now, diag);
	if (err != OK && err != E_NOTFOUND) {
		return err;
	}
	if (strncmp(str_text(&ref), "refs/", 5) != 0) {
		diag_set(diag, DIAG_ERROR, "git", "the HEAD of %.200s names no branch to push to", p->how->conf->shown);
		diag_hint(diag, "name one with --remote=URL#BRANCH");
		return E_REFUSED;
	}
	TRY(check_writable(remote, diag));
	TRY(git_home_open_temp(&temp, diag));
	str_printf(&where, "%s/", temp.dir);
	TRY(where.err);
	TRY(make_repository(str_text(&where), remote, p->made, diag));
	return push_from(p, remote, temp.dir, str_text(&ref), diag);
}
