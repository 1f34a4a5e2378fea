#include "git/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "git/files.h"
#include "ops/priority.h"
#include "ops/signals.h"

/* False for variables that git must not get: they name another repository or configuration, or the language (we read
 * git's messages), or have secrets. */
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

/* Runs in the child, which shares our memory until it becomes git: it must change nothing there. */
[[gnu::noreturn]] static void
become_git(const struct git_run_in *in, char *const *environment, int out, int err)
{
	prctl(PR_SET_PDEATHSIG, in->death_signal);
	setpgid(0, 0);
	signals_default(); /* for hooks, too */
	if (in->gives_way) {
		priority_give_way();
	}
	if (in->kept >= 0) {
		(void)fcntl(in->kept, F_SETFD, 0);
	}
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
		_exit(GIT_RUN_NO_PROGRAM);
	}
	execvpe("git", (char *const *)(uintptr_t)in->argv, environment);
	_exit(GIT_RUN_NO_PROGRAM);
}

/* After fork() we would pay for each page that we write to: on a virtual machine 5 ms where this takes 0.1.  posix_spawn() knows nothing of
 * death signals.  Not inlined, so that no variable of the caller is in registers that the child uses, too. */
[[gnu::noinline]] static pid_t
spawn(const struct git_run_in *in, char *const *environment, int out, int err)
{
	pid_t pid = vfork();
	if (pid == 0) {
		become_git(in, environment, out, err);
	}
	return pid;
}

err_t
git_run_start(struct git_run *r, const struct git_run_in *in, struct diag *diag)
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
	char **environment = clean_environment();
	r->pid = spawn(in, environment, out[1], err[1]);
	free(environment);
	close(out[1]);
	close(err[1]);
	if (r->pid < 0) {
		return file_trouble(diag, "start", "git");
	}
	return OK;
}

/* Octets over the limit are read, too, so that git need not wait for us. */
static void
take_output(int *fd, struct str *text)
{
	char piece[4096];
	ssize_t got = read(*fd, piece, sizeof piece);
	if (got <= 0 && !(got < 0 && errno == EINTR)) {
		file_close(fd);
	} else if (got > 0 && text->len < GIT_RUN_PRINTED_MAX) {
		size_t room = GIT_RUN_PRINTED_MAX - text->len;
		str_put(text, piece, (size_t)got < room ? (size_t)got : room);
	}
}

bool
git_run_read(struct git_run *r, int ms)
{
	struct pollfd p[] = { { .fd = r->out, .events = POLLIN }, { .fd = r->err, .events = POLLIN } };
	if (poll(p, ARRAY_LEN(p), ms) <= 0) {
		return false;
	}
	if (p[0].revents != 0) {
		take_output(&r->out, &r->printed);
	}
	if (p[1].revents != 0) {
		take_output(&r->err, &r->words);
	}
	return true;
}

bool
git_run_look(struct git_run *r)
{
	if (!r->is_over && waitpid(r->pid, &r->status, WNOHANG) == r->pid) {
		r->is_over = true;
	}
	return r->is_over;
}

void
git_run_wait(struct git_run *r)
{
	while (!r->is_over && waitpid(r->pid, &r->status, 0) < 0 && errno == EINTR) {
	}
	r->is_over = true;
}

void
git_run_kill_all(struct git_run *r, int signal)
{
	kill(-r->pid, signal);
}

bool
git_run_is_absent(const struct git_run *r)
{
	return r->is_over && WIFEXITED(r->status) && WEXITSTATUS(r->status) == GIT_RUN_NO_PROGRAM;
}

void
git_run_fini(struct git_run *r)
{
	file_close(&r->out);
	file_close(&r->err);
	str_fini(&r->printed);
	str_fini(&r->words);
}
