#include "bin/here.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

extern char **environ;

/* Runs git with its standard output to `out` (-1: discarded); its errors are discarded.  Returns its exit status; -1: it could not run. */
static int
run_git(char *const argv[], int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;
	if (posix_spawn_file_actions_init(&actions) != 0) {
		return -1;
	}
	bool is_ready = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
	                (out >= 0 ? posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)
	                          : posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)) == 0;
	bool is_begun = is_ready && posix_spawnp(&pid, "git", &actions, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return is_begun && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* git's output is one line, which fits into a pipe, so it can be read after git has ended. */
err_t
here_commit(const char *name, char out[65])
{
	char spec[128] = "HEAD^{commit}", line[80];
	int pipes[2];
	if (name != NULL) {
		size_t n = strlen(name);
		if (n == 0 || n > sizeof spec - sizeof "^{commit}" || name[0] == '-') {
			return E_NOTFOUND;
		}
		memcpy(spec, name, n);
		memcpy(spec + n, "^{commit}", sizeof "^{commit}");
	}
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		return E_NOTFOUND;
	}
	char *const argv[] = { (char[]){ "git" }, (char[]){ "rev-parse" }, (char[]){ "--verify" }, (char[]){ "-q" }, spec, NULL };
	int status = run_git(argv, pipes[1]);
	close(pipes[1]);
	ssize_t n = status == 0 ? read(pipes[0], line, sizeof line) : 0;
	close(pipes[0]);
	size_t len = n > 0 ? (size_t)n - 1 : 0; /* without the line's end */
	if (len < 40 || len > 64) {
		return E_NOTFOUND;
	}
	memcpy(out, line, len);
	out[len] = '\0';
	return OK;
}

enum here_relation
here_is_contained(const char *commit, const char *in)
{
	char ours[65], theirs[65];
	if (here_commit(commit, ours) != OK || here_commit(in, theirs) != OK) {
		return HERE_UNKNOWN;
	}
	char *const argv[] = { (char[]){ "git" }, (char[]){ "merge-base" }, (char[]){ "--is-ancestor" }, ours, theirs, NULL };
	int status = run_git(argv, -1);
	return status == 0 ? HERE_CONTAINED : status == 1 ? HERE_NOT_CONTAINED : HERE_UNKNOWN;
}
