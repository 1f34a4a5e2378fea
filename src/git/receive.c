/* A push into a repository on this machine by git itself, which runs the hooks there and obeys its settings: see git/push.h.
 *
 * The new objects are in a repository of a moment, which borrows all others from the remote: so the remote's receive-pack gets
 * them as from anybody, into its quarantine, and the hooks see them as new.
 */
#include "git/push.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "git/branch.h"
#include "git/files.h"
#include "git/packs.h"
#include "git/verdict.h"
#include "ops/clock.h"
#include "ops/signals.h"

enum { PRINTED_MAX = 1 << 16, TURN_MS = 100, GRACE_MS = 1000, NO_PROGRAM = 127 };

/* ---- the repository of a moment ---- */

static err_t
write_text(const char *dir, const char *name, const char *text, struct diag *diag)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%.3800s/%s", dir, name);
	[[gnu::cleanup(file_close)]] int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd >= 0 && file_write(fd, text, strlen(text)) == OK ? OK : file_trouble(diag, "write", path);
}

static err_t
make_repository(const char *dir, const char *borrowed, const struct git_made *made, struct diag *diag)
{
	static const char *const dirs[] = { "objects", "objects/info", "objects/pack", "refs" };
	[[gnu::cleanup(pack_out_fini)]] struct pack_out pack = { 0 };
	[[gnu::cleanup(git_packs_unstage)]] struct git_staged staged = { .fd = { -1, -1 } };
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%.3800s/%s", dir, dirs[i]);
		if (mkdir(path, 0700) < 0) {
			return file_trouble(diag, "make", path);
		}
	}
	str_printf(&line, "%s\n", borrowed);
	TRY(write_text(dir, "HEAD", "ref: refs/heads/push\n", diag));
	TRY(write_text(dir, "config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", diag));
	TRY(write_text(dir, "objects/info/alternates", str_text(&line), diag));
	err_t err = git_made_pack(made, &pack);
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "git", "cannot make a pack of the commit: %s", err_str(err));
		return err;
	}
	snprintf(path, sizeof path, "%.3800s/objects", dir);
	TRY(git_packs_stage(&(struct git_placing){ .objects = path }, &pack, &staged, diag));
	return git_packs_place(&staged, false, diag);
}

/* ---- git ---- */

struct run {
	pid_t pid;
	int out, err;      /* what it prints; -1: it was closed */
	struct str printed, words;
	int status;
	bool is_over, is_late;
};

static void
run_fini(struct run *r)
{
	file_close(&r->out);
	file_close(&r->err);
	str_fini(&r->printed);
	str_fini(&r->words);
}

/* What would tell git of another repository or configuration; the language, since its words are read; what may be secret. */
static bool
is_for_git(const char *variable)
{
	static const char *const no[] = { "GIT_", "LC_", "LANG", "ORIGIN_", "CREDENTIALS_DIRECTORY=" };
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (strncmp(variable, no[i], strlen(no[i])) == 0) {
			return false;
		}
	}
	return true;
}

static char **
clean_environment(void)
{
	size_t n = 0, kept = 0;
	while (environ[n] != NULL) {
		n++;
	}
	char **out = xalloc((n + 2) * sizeof *out);
	for (size_t i = 0; i < n; i++) {
		if (is_for_git(environ[i])) {
			out[kept++] = environ[i];
		}
	}
	out[kept] = (char *)(uintptr_t)"LC_ALL=C.UTF-8";
	return out;
}

/* In the child: a process group of its own, which can be ended as a whole, and which does not outlive us by much. */
[[gnu::noreturn]] static void
become_git(const char *const *argv, const int out[2], const int err[2])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	signals_default(); /* for hooks, too */
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0) {
		_exit(NO_PROGRAM);
	}
	execvpe("git", (char *const *)(uintptr_t)argv, clean_environment());
	_exit(NO_PROGRAM);
}

static err_t
run_start(struct run *r, const char *const *argv, struct diag *diag)
{
	int out[2], err[2];
	if (pipe2(out, O_CLOEXEC) < 0) {
		return file_trouble(diag, "start", "git");
	}
	r->out = out[0];
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[1]);
		return file_trouble(diag, "start", "git");
	}
	r->err = err[0];
	r->pid = fork();
	if (r->pid == 0) {
		become_git(argv, out, err);
	}
	close(out[1]);
	close(err[1]);
	setpgid(r->pid, r->pid); /* whoever comes first */
	return r->pid < 0 ? file_trouble(diag, "start", "git") : OK;
}

/* What is over the limit is read and forgotten, so that git need not wait for us. */
static void
take_output(int *fd, struct str *text, size_t max)
{
	char piece[4096];
	ssize_t got = read(*fd, piece, sizeof piece);
	if (got <= 0 && !(got < 0 && errno == EINTR)) {
		file_close(fd);
	} else if (got > 0 && text->len < max) {
		str_put(text, piece, (size_t)got < max - text->len ? (size_t)got : max - text->len);
	}
}

/* True: something came, or an end. */
static bool
run_turn(struct run *r)
{
	struct pollfd p[] = { { .fd = r->out, .events = POLLIN }, { .fd = r->err, .events = POLLIN } };
	if (poll(p, ARRAY_LEN(p), TURN_MS) <= 0) {
		return false;
	}
	if (p[0].revents != 0) {
		take_output(&r->out, &r->printed, PRINTED_MAX);
	}
	if (p[1].revents != 0) {
		take_output(&r->err, &r->words, PRINTED_MAX);
	}
	return true;
}

/* Until it has closed both, or is gone (a hook may have left somebody behind who holds them), or nothing has come for too long. */
static void
run_follow(struct run *r, const struct git_how *how)
{
	uint64_t late = clock_ms() + how->conf->fetch_timeout_s * 1000ull;
	while (!r->is_over && (r->out >= 0 || r->err >= 0)) {
		if (run_turn(r)) {
			late = clock_ms() + how->conf->fetch_timeout_s * 1000ull;
		} else if (waitpid(r->pid, &r->status, WNOHANG) == r->pid) {
			r->is_over = true;
		} else if (clock_ms() >= late) {
			r->is_late = true;
			return;
		}
		how->alive(how->ctx);
	}
}

/* Waits for its end.  When that is not git's own, what it started in the remote may go on without it, and is ended, too.  True: it
 * is known to be gone. */
static bool
run_end(struct run *r)
{
	if (r->is_late) {
		kill(r->pid, SIGKILL);
	}
	while (!r->is_over && waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR) {
	}
	r->is_over = true;
	if (WIFEXITED(r->status)) {
		return true;
	}
	kill(-r->pid, SIGKILL);
	uint64_t end = clock_ms() + GRACE_MS;
	while ((r->out >= 0 || r->err >= 0) && clock_ms() < end) {
		(void)run_turn(r);
	}
	return r->out < 0 && r->err < 0;
}

/* ---- what came of it ---- */

/* Where is the branch?  OK: at our commit; E_NOTFOUND: where it was before; E_UNKNOWN: somewhere else, perhaps beyond. */
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

/* git ended without a word about the branch, which is where it was.  Then its own words say why. */
static err_t
not_run(const struct git_conf *c, const struct run *r, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	const char *words = str_text(&r->words);
	git_words_line(words, 350, &line);
	if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == NO_PROGRAM) {
		diag_set(diag, DIAG_ERROR, "git", "cannot run git, which the push into %.200s needs", c->shown);
		diag_hint(diag, "install git where the PATH of oprimary leads, or remove the hooks there");
		return E_IO;
	}
	diag_set(diag, DIAG_ERROR, "git", "the push into %.120s failed: %s", c->shown, line.len > 0 ? line.s : "git was killed");
	bool is_foreign = strstr(words, "dubious ownership") != NULL;
	if (is_foreign) {
		diag_hint(diag, "the repository is another user's, whose hooks git does not run for us, unless safe.directory says so");
	}
	return is_foreign || git_words_deny(words) ? E_REFUSED : E_IO;
}

static err_t
no_report(const struct git_pushing *p, git_repository *remote, const char *ref, struct run *r, struct diag *diag)
{
	const struct git_conf *c = p->how->conf;
	bool is_gone = run_end(r);
	err_t err = look(p, remote, ref);
	if (err == E_NOTFOUND && is_gone && !r->is_late) {
		return not_run(c, r, diag);
	}
	if (err == OK) {
		return OK;
	}
	if (r->is_late) {
		diag_set(diag, DIAG_ERROR, "git", "the push into %.200s made no progress for %u s", c->shown, c->fetch_timeout_s);
		diag_hint(diag, "does a hook there wait for something?  --fetch-timeout is the limit");
	} else {
		diag_set(diag, DIAG_ERROR, "git", "git ended without saying what became of the push into %.200s", c->shown);
	}
	return err == E_NOTFOUND && is_gone ? E_TIMEOUT : E_UNKNOWN;
}

/* What git calls stale it has compared with what the remote shows: which may be less than there is. */
static err_t
check_hidden(const struct git_pushing *p, git_repository *remote, const char *ref, const char *status, struct diag *diag)
{
	if (strstr(status, "stale info") == NULL || look(p, remote, ref) != E_NOTFOUND) {
		return E_STALE;
	}
	diag_set(diag, DIAG_ERROR, "git", "%.200s hides the branch %.100s from whoever pushes", p->how->conf->shown, ref);
	diag_hint(diag, "see receive.hideRefs and transfer.hideRefs in its configuration");
	return E_REFUSED;
}

static err_t
judge(const struct git_pushing *p, git_repository *remote, const char *ref, struct run *r, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str status = { 0 };
	if (git_porcelain(str_text(&r->printed), ref, &status) != OK) {
		return no_report(p, remote, ref, r, diag);
	}
	(void)run_end(r);
	if (status.len == 0) {
		return OK;
	}
	err_t err = refused(p->how->conf, ref, str_text(&status), str_text(&r->words), diag);
	return err == E_STALE ? check_hidden(p, remote, ref, str_text(&status), diag) : err;
}

static err_t
push_from(const struct git_pushing *p, git_repository *remote, const char *dir, const char *ref, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str git_dir = { 0 };
	[[gnu::cleanup(str_fini)]] struct str lease = { 0 };
	[[gnu::cleanup(str_fini)]] struct str spec = { 0 };
	[[gnu::cleanup(run_fini)]] struct run r = { .out = -1, .err = -1 };
	str_printf(&git_dir, "--git-dir=%s", dir);
	/* With a lease nothing is forced, since the commit builds on what the lease says; but a branch that was set back to an
	 * older commit is not moved forward over it. */
	str_printf(&lease, "--force-with-lease=%s:%s", ref, p->base != NULL ? git_oid_tostr_s(p->base) : "");
	str_printf(&spec, "%s:%s", git_oid_tostr_s(&p->made->commit), ref);
	const char *const argv[] = {
		"git", str_text(&git_dir), "-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always", "push", "--porcelain",
		"--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", str_text(&lease),
		git_repository_path(remote), str_text(&spec), NULL,
	};
	p->job->risk(p->job->ctx, &p->made->commit);
	TRY(run_start(&r, argv, diag));
	run_follow(&r, p->how);
	return judge(p, remote, ref, &r, diag);
}

err_t
git_push_receive(const struct git_pushing *p, git_repository *remote, struct diag *diag)
{
	[[gnu::cleanup(git_home_close)]] struct git_home moment = { .lock = -1 };
	[[gnu::cleanup(str_fini)]] struct str ref = { 0 };
	char objects[PATH_MAX];
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
	snprintf(objects, sizeof objects, "%.4000sobjects", git_repository_commondir(remote));
	if (access(objects, W_OK) < 0) {
		return file_trouble(diag, "write in", objects); /* git would not say why */
	}
	TRY(git_home_open_temp(&moment, diag));
	TRY(make_repository(moment.dir, objects, p->made, diag));
	return push_from(p, remote, moment.dir, str_text(&ref), diag);
}
