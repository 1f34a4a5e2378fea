#include "git/upkeep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "git/files.h"
#include "git/local.h"
#include "git/packs.h"
#include "git/verdict.h"
#include "ops/clock.h"

enum {
	GIT_WORK_MAX_S = 12 * 3600, /* no git is at work longer; git's own rule for gc.pid */
	GRACE_MS = 200, /* how long git may take to remove its files before it is killed */
	STEP_MS = 5,
	MEMORY_SHARE = 8, /* one part in eight of our memory is for git's search for deltas, another one for its cache of deltas */
	WORDS_MAX = 350,
};

static const char LOCK[] = "origin-tidy";

/* ---- a `git gc` at work ---- */

/* Reads "PID HOST", as `git gc` writes it.  A process on another machine counts as alive, since that cannot be checked.
 * EPERM: there is such a process, another user's. */
static bool
is_gc_alive(FILE *f)
{
	char theirs[256], ours[256] = "";
	intmax_t pid = 0;
	if (fscanf(f, "%jd %255s", &pid, theirs) != 2) {
		return false;
	}
	(void)!gethostname(ours, sizeof ours - 1);
	bool is_pid = pid > 0 && pid <= INT_MAX; /* kill() takes other numbers for process groups */
	return strcmp(theirs, ours) != 0 || (is_pid && (kill((pid_t)pid, 0) == 0 || errno == EPERM));
}

bool
git_gc_is_at_work(int dir, bool *is_stale)
{
	struct stat st;
	bool is_at_work = false;
	*is_stale = false;
	int fd = openat(dir, "gc.pid", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (f == NULL) {
		bool is_there = errno != ENOENT; /* a file that we may not read counts, too */
		file_close(&fd);
		return is_there;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && time(NULL) - st.st_mtime <= GIT_WORK_MAX_S) {
		is_at_work = is_gc_alive(f);
	}
	fclose(f);
	*is_stale = !is_at_work;
	return is_at_work;
}

/* ---- the lock ---- */

/* True for a pack without its name that nobody can be at work on any more: no git takes so long to write a pack. */
static bool
is_left(int dir, const char *name)
{
	struct stat st;
	bool is_temporary = strncmp(name, "tmp_", 4) == 0 || (strncmp(name, ".tmp-", 5) == 0 && strstr(name, "-pack-") != NULL);
	return is_temporary && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       time(NULL) - st.st_mtime > GIT_WORK_MAX_S;
}

/* Removes the files of gits that were killed.  (After any other signal git removes its files itself.) */
static void
sweep(int dir)
{
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, "objects/pack");
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (is_left(dirfd(d), e->d_name)) {
			unlinkat(dirfd(d), e->d_name, 0);
		}
	}
}

static err_t
take_lock(struct git_upkeep *u, const struct git_local *l, struct diag *diag)
{
	struct stat st;
	u->lock = openat(u->dir, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (u->lock < 0) {
		return file_trouble_in(diag, "write", l->where, LOCK);
	}
	if (flock(u->lock, LOCK_EX | LOCK_NB) < 0 || fstat(u->lock, &st) < 0 || st.st_nlink == 0) { /* 0: removed before our flock() */
		diag_set(diag, DIAG_ERROR, "git", "%.250s%s is in use", l->where, LOCK);
		return E_BUSY;
	}
	file_share(u->lock, l->shared);
	sweep(u->dir);
	return OK;
}

/* `is_over`: the repack has ended with its children.  Else its file stays, as they may still hold the lock. */
static void
finish(struct git_upkeep *u, bool is_over)
{
	if (is_over && u->lock >= 0) {
		unlinkat(u->dir, LOCK, 0);
	}
	if (u->dir >= 0) {
		size_t n = git_packs_count(u->dir);
		u->packs = n - (u->more < n ? u->more : n);
	}
	file_close(&u->lock);
	file_close(&u->dir);
	git_run_fini(&u->run);
	u->run = GIT_RUN_NONE;
}

/* ---- git repack ---- */

static err_t
start(struct git_upkeep *u, const struct git_how *how, const struct git_local *l, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str window = { 0 };
	[[gnu::cleanup(str_fini)]] struct str cache = { 0 };
	unsigned long long share = how->conf->memory_max / MEMORY_SHARE;
	str_printf(&window, "--window-memory=%llu", share);
	str_printf(&cache, "pack.deltaCacheSize=%llu", share);
	/* With --git-dir= instead of -C, git would not check the repository's owner, and would run programs from the owner's configuration
	 * as our user. */
	const char *const argv[] = {
		"git", "-C", l->where, "-c", str_text(&cache), "repack", "--geometric=2", "-d", "--local", "-n", "-q",
		"--no-write-bitmap-index", "--threads=1", str_text(&window), NULL,
	};
	const struct git_run_in in = { .argv = argv, .death_signal = SIGTERM, .kept = u->lock, .gives_way = true };
	TRY(git_run_start(&u->run, &in, diag));
	u->end_ms = clock_ms() + how->conf->fetch_max_s * 1000ull;
	return OK;
}

/* E_NOTFOUND: there must be no repack now, or never in this repository. */
static err_t
begin(struct git_upkeep *u, const struct git_how *how, git_repository *repo, bool *has_stale_gc, struct diag *diag)
{
	[[gnu::cleanup(git_local_fini)]] struct git_local l = { .dir = -1 };
	git_local_look(repo, &l);
	if (!l.is_direct || !l.is_tidied || git_gc_is_at_work(u->dir, has_stale_gc)) {
		return E_NOTFOUND;
	}
	TRY(take_lock(u, &l, diag));
	return start(u, how, &l, diag);
}

void
git_upkeep_note_push(struct git_upkeep *u)
{
	u->more = u->is_counted ? u->more + 1 : UPKEEP_PACKS_MAX;
}

bool
git_upkeep_is_on(const struct git_upkeep *u)
{
	return u->dir >= 0;
}

bool
git_upkeep_is_due(const struct git_upkeep *u, bool is_quiet)
{
	return !git_upkeep_is_on(u) && u->more >= (is_quiet ? UPKEEP_PACKS : UPKEEP_PACKS_MAX);
}

/* Counts the packs anew: others may have added packs, or joined all into one. */
static void
count(struct git_upkeep *u)
{
	size_t n = u->dir >= 0 ? git_packs_count(u->dir) : 0;
	u->packs = n < u->packs ? n : u->packs;
	u->more = n - u->packs;
	u->is_counted = true;
}

err_t
git_upkeep_begin(struct git_upkeep *u, const struct git_how *how, git_repository *repo, bool *has_stale_gc, struct diag *diag)
{
	*has_stale_gc = false;
	u->dir = open(git_repository_commondir(repo), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	count(u);
	if (u->more < UPKEEP_PACKS) {
		file_close(&u->dir);
		return OK;
	}
	u->more = 0; /* from here on: packs that may have come too late for this repack */
	err_t err = begin(u, how, repo, has_stale_gc, diag);
	if (err != OK) {
		finish(u, err != E_BUSY);
	}
	return err == E_NOTFOUND ? OK : err;
}

/* The outcome of a repack that has ended. */
static err_t
judge(const struct git_run *r, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0) {
		return OK;
	}
	if (git_run_is_absent(r)) {
		diag_set(diag, DIAG_ERROR, "git", "the program git is not there, and each push leaves a pack");
		diag_hint(diag, "install git where the PATH of oprimary leads");
		return E_IO;
	}
	git_words_line(str_text(&r->words), WORDS_MAX, &line);
	diag_set(diag, DIAG_ERROR, "git", "git repack failed: %s", line.len > 0 ? str_text(&line) : "it was killed");
	if (strstr(str_text(&r->words), "dubious ownership") != NULL) {
		diag_hint(diag, "the repository is another user's; git works there for us only if safe.directory allows it");
	}
	return E_IO;
}

static err_t
end_late(struct git_upkeep *u, struct diag *diag)
{
	git_upkeep_stop(u);
	diag_set(diag, DIAG_ERROR, "git", "git repack took too long, and was ended");
	diag_hint(diag, "--fetch-time-max is the limit; `git gc` there, by hand, may help");
	return E_TIMEOUT;
}

err_t
git_upkeep_look(struct git_upkeep *u, struct diag *diag)
{
	(void)git_run_read(&u->run, 0);
	if (!git_run_look(&u->run)) {
		return clock_ms() < u->end_ms ? E_BUSY : end_late(u, diag);
	}
	while (git_run_read(&u->run, 0)) {
	}
	err_t err = judge(&u->run, diag);
	finish(u, WIFEXITED(u->run.status));
	return err;
}

void
git_upkeep_stop(struct git_upkeep *u)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	if (!git_upkeep_is_on(u)) {
		return;
	}
	git_run_kill_all(&u->run, SIGTERM);
	for (unsigned ms = 0; ms < GRACE_MS && !git_run_look(&u->run); ms += STEP_MS) {
		nanosleep(&step, NULL);
	}
	git_run_kill_all(&u->run, SIGKILL);
	git_run_wait(&u->run);
	finish(u, false);
}
