#include "git/keeper.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "git/access.h"
#include "git/gitproc.h"
#include "git/home.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "ops/restarts.h"
#include "ops/sandbox.h"
#include "ops/signals.h"

enum {
	CHILD_MS = 400, /* how long the git process may take to end by itself */
	CHILD_STEP_MS = 5,
	DIED_MAX = 128,
};

struct keeper {
	const struct keeper_conf *conf;
	int control;
	int ends;     /* a signalfd: a child has ended */
	int unlocked; /* errno(3) of secrets that may be written to swap; 0: none may */
	pid_t self;
};

/* ---- the git process: each one is a "life" ---- */

/* Runs in the child; never returns. */
[[gnu::noreturn]] static void
git_life(const struct keeper *k, int link)
{
	close(k->control);
	close(k->ends);
	err_t err = privs_die_with_parent(k->self);
	if (err == OK) {
		err = git_process_run(k->conf->git, link, &k->conf->pulses->supervisor);
	}
	_exit(err == OK ? 0 : 1);
}

/* Starts a git process and passes its link to the DNS side.  `died`: how the one before ended.  E_STOPPED: the DNS side
 * is gone.  E_IO, with `why`: no process can be started now. */
static err_t
start_life(const struct keeper *k, const char *died, pid_t *out, char why[DIED_MAX])
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		snprintf(why, DIED_MAX, "it cannot be started: socket: %s", strerror(errno));
		return E_IO;
	}
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		git_life(k, pair[1]);
	}
	if (child < 0) {
		snprintf(why, DIED_MAX, "it cannot be started: fork: %s", strerror(errno));
	}
	close(pair[1]);
	struct link_frame f = { .type = LINK_PROGRESS, .fd = pair[0] };
	snprintf(f.text, sizeof f.text, "%s", died);
	err_t err = child < 0 ? E_IO : link_send(k->control, &f) == OK ? OK : E_STOPPED;
	close(pair[0]); /* if it was not passed on, the child sees its link close, and ends */
	*out = child;
	return err;
}

static void
tell_status(int status, char out[DIED_MAX])
{
	if (WIFSIGNALED(status)) {
		snprintf(out, DIED_MAX, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else {
		snprintf(out, DIED_MAX, "ended with status %d", WEXITSTATUS(status));
	}
}

/* Waits until a child may have ended, at most `ms`, and at most PULSE_PERIOD_MS.  False: the DNS side has closed the control socket. */
static bool
wait_a_period(const struct keeper *k, unsigned ms)
{
	struct pollfd p[] = { { .fd = k->control, .events = POLLIN }, { .fd = k->ends, .events = POLLIN } };
	struct signalfd_siginfo info;
	pulse_beat(&k->conf->pulses->keeper);
	int n = poll(p, ARRAY_LEN(p), (int)(ms < PULSE_PERIOD_MS ? ms : PULSE_PERIOD_MS));
	(void)!read(k->ends, &info, sizeof info);
	return n <= 0 || p[0].revents == 0;
}

/* The pause between two lives.  False: the DNS side has closed the control socket. */
static bool
pause_between(const struct keeper *k, unsigned ms)
{
	uint64_t now = clock_ms(), end = now + ms;
	for (; now < end; now = clock_ms()) {
		if (!wait_a_period(k, (unsigned)(end - now))) {
			return false;
		}
	}
	return true;
}

/* Waits until the child ends, and kills it if it shows no life.  False: the DNS side has closed the control socket. */
static bool
follow(const struct keeper *k, pid_t child, char died[DIED_MAX])
{
	struct pulse_watch watch = { 0 };
	uint64_t silent_ms = 0;
	int status = 0;
	bool was_killed = false;
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (!wait_a_period(k, PULSE_PERIOD_MS)) {
			return false;
		}
		silent_ms = pulse_silence_ms(&watch, &k->conf->pulses->supervisor, clock_ms());
		if (silent_ms >= KEEPER_SILENT_MAX_MS && !was_killed) {
			was_killed = kill(child, SIGKILL) == 0;
		}
	}
	if (was_killed) {
		snprintf(died, DIED_MAX, "it showed no life for %d s, and was killed", KEEPER_SILENT_MAX_MS / 1000);
	} else {
		tell_status(status, died);
	}
	return true;
}

/* The end of the keeper.  The child has seen its link close.  If it has not ended after CHILD_MS, it is killed. */
[[gnu::noreturn]] static void
end_all(pid_t child)
{
	const struct timespec step = { .tv_nsec = CHILD_STEP_MS * 1000000L };
	for (int ms = 0; child > 0 && waitpid(child, NULL, WNOHANG) == 0; ms += CHILD_STEP_MS) {
		if (ms == CHILD_MS) {
			kill(child, SIGKILL);
		}
		nanosleep(&step, NULL);
	}
	_exit(0);
}

/* One life.  `died`: how the last one ended; afterwards how this one ended. */
static void
live_once(const struct keeper *k, char died[DIED_MAX])
{
	pid_t child = 0;
	err_t err = start_life(k, died, &child, died);
	if (err == E_STOPPED || (err == OK && !follow(k, child, died))) {
		end_all(child);
	}
}

[[gnu::noreturn]] static void
live(const struct keeper *k)
{
	struct restarts restarts = { 0 };
	char died[DIED_MAX] = "";
	uint64_t begin_ms;
	do {
		begin_ms = clock_ms();
		live_once(k, died);
	} while (pause_between(k, restarts_next(&restarts, clock_ms() - begin_ms)));
	_exit(0);
}

/* ---- beginning ---- */

static err_t
take_signals(struct keeper *k)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	signals_ignore();
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
		return E_IO;
	}
	k->ends = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->ends >= 0 ? OK : E_IO;
}

static err_t
check_access(const void *ctx)
{
	return git_conf_check_access(ctx);
}

/* False: there is no such user. */
static bool
find_unprivileged(const struct git_conf *git, struct privs_who *out)
{
	uid_t uid;
	gid_t gid;
	if (git_conf_owner(git, &uid, &gid)) {
		privs_find_owner(uid, gid, out);
		return true;
	}
	return privs_find_unprivileged(out) == OK;
}

/* For root without --user, or with --user=root: finds the least rights with which the work can be done. */
static void
find_least(const struct git_conf *git, bool is_root_named, struct privs_who *out)
{
	if (is_root_named || !find_unprivileged(git, out) || !privs_would_do(out, check_access, git)) {
		*out = (struct privs_who){ 0 };
		out->keeps_files = !privs_would_do(out, check_access, git);
	}
}

static err_t
find_who(const struct keeper_conf *conf, struct privs_who *out, struct diag *diag)
{
	*out = (struct privs_who){ 0 };
	if (conf->user != NULL) {
		TRY(privs_find(conf->user, out, diag));
	}
	if (geteuid() == 0 && (conf->user == NULL || out->uid == 0)) {
		find_least(conf->git, conf->user != NULL, out);
	}
	return OK;
}

/* git and its hooks must look for their files in the home directory of the user whom they run as. */
static void
go_home(const struct privs_who *who)
{
	const struct passwd *pw = who->is_other && who->uid != geteuid() ? getpwuid(who->uid) : NULL;
	if (pw != NULL) {
		(void)setenv("HOME", pw->pw_dir, 1);
		(void)unsetenv("XDG_CONFIG_HOME");
	}
}

/* Changes to the right user.  The cache directory is checked with that user's rights. */
static err_t
become(const struct keeper_conf *conf, struct privs_who *who, struct diag *diag)
{
	TRY(find_who(conf, who, diag));
	go_home(who);
	TRY(privs_drop(who, diag));
	return git_conf_check_cache(conf->git, diag);
}

/* They are not to be written to swap: the seed, passwords, and tokens, which may be anywhere in the URL.  Pages that a child shares stay
 * locked, too.  0, or errno(3) when the system allows no more of that. */
static int
lock_secrets(const struct git_conf *git)
{
	const char *const texts[] = { git->url, git->user, git->password };
	int why = mlock(git, sizeof *git) == 0 ? 0 : errno;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i] != NULL && mlock(texts[i], strlen(texts[i]) + 1) != 0) {
			why = errno;
		}
	}
	return git->scheme != GIT_REMOTE_LOCAL ? why : 0; /* whose repository is here has no secrets */
}

/* /proc has the size of a process's memory (memory_bound()).  A redirection may lead to the other port of the web. */
static void
allow_network(const struct git_conf *git, struct sandbox_conf *c)
{
	sandbox_add_system(c);
	sandbox_add_place(c, "/proc", SANDBOX_READ);
	sandbox_add_place(c, git->cache_dir != NULL ? git->cache_dir : git_home_temp_root(), SANDBOX_WRITE);
	sandbox_add_beside(c, git->known_hosts);
	sandbox_add_beside(c, git->ca_file);
	sandbox_add_port(c, git->port);
	if (git->scheme == GIT_REMOTE_HTTP || git->scheme == GIT_REMOTE_HTTPS) {
		sandbox_add_port(c, 80);
		sandbox_add_port(c, 443);
	}
}

static err_t
enter_sandbox(const struct keeper_conf *conf, struct sandbox_state *out, struct diag *diag)
{
	bool is_local = conf->git->scheme == GIT_REMOTE_LOCAL;
	struct sandbox_conf c = { .role = is_local ? SANDBOX_GIT_LOCAL : SANDBOX_GIT, .log = conf->log };
	if (conf->log == NULL) {
		return OK;
	}
	if (!is_local) {
		allow_network(conf->git, &c);
	}
	return sandbox_enter(&c, out, diag);
}

[[gnu::noreturn]] static void
fail(int control, int status, const struct diag *diag)
{
	struct link_frame f = { .type = LINK_FAILED, .n = (uint32_t)status, .fd = -1 };
	if (diag != NULL) {
		snprintf(f.text, sizeof f.text, "%s\n%s", diag->text, diag->hint);
	}
	(void)!link_send(control, &f);
	_exit(status);
}

static unsigned
flags_of(const struct keeper *k, const struct privs_who *who, const struct sandbox_state *s)
{
	return (who->keeps_files ? KEEPER_IS_FILE_ROOT : 0u) | (k->conf->git->scheme == GIT_REMOTE_LOCAL ? KEEPER_RUNS_GIT : 0u) |
	       (s->has_calls ? KEEPER_HAS_CALLS : 0u) | (s->landlock != 0 ? KEEPER_HAS_FILES : 0u) | (s->has_ports ? KEEPER_HAS_PORTS : 0u);
}

static void
say_hello(const struct keeper *k, const struct privs_who *who, const struct sandbox_state *s)
{
	struct link_frame f = { .type = LINK_PROGRESS, .fd = -1, .flags = (uint8_t)flags_of(k, who, s), .n = (uint32_t)k->unlocked };
	_Static_assert(sizeof f.id >= PRIVS_NAME_MAX, "a user's name fits");
	privs_print(who, f.id);
	snprintf(f.text, sizeof f.text, "%.*s\n%s", (int)(sizeof f.text - sizeof s->missing - 2), k->conf->git->shown, s->missing);
	(void)!link_send(k->control, &f);
}

void
keeper_run(const struct keeper_conf *conf, int control, pid_t parent)
{
	struct keeper k = { .conf = conf, .control = control, .self = getpid() };
	struct privs_who who;
	struct sandbox_state sandbox = { 0 };
	struct diag diag = { 0 };
	prctl(PR_SET_NAME, "oprimary-keeper");
	int status = conf->secrets->read(conf->secrets->ctx, conf->git);
	conf->secrets->forget(conf->secrets->ctx);
	if (status != 0) {
		fail(control, status, NULL);
	}
	k.unlocked = lock_secrets(conf->git);
	files_keep((const int[]){ control }, 1); /* a secret may have come by one of the others */
	if (become(conf, &who, &diag) != OK) {
		fail(control, EXIT_FAILURE, &diag);
	}
	if (take_signals(&k) != OK) {
		diag_set(&diag, DIAG_ERROR, "git-process", "signals: %s", strerror(errno));
		fail(control, EXIT_FAILURE, &diag);
	}
	if (privs_die_with_parent(parent) == E_STOPPED) {
		_exit(0);
	}
	if (enter_sandbox(conf, &sandbox, &diag) != OK) {
		fail(control, EXIT_FAILURE, &diag);
	}
	say_hello(&k, &who, &sandbox);
	live(&k);
}
