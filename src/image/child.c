#include "image/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
forget_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
child_look(struct child *c, const struct log *log, uint64_t now_ms)
{
	if (c->pid != 0 || now_ms < c->due_ms) {
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)setsid();
		forget_signals();
		c->run(c->ctx);
		_exit(1);
	}
	c->began_ms = now_ms;
	if (pid > 0) {
		c->pid = pid;
	} else {
		c->due_ms = now_ms + restarts_next(&c->restarts, 0);
		log_event(log, LOG_LEVEL_ERROR, "process-failed", "process=%s text=%s", c->name, strerror(errno));
	}
}

bool
child_has_ended(struct child *c, const struct log *log, pid_t pid, int status, uint64_t now_ms)
{
	if (pid != c->pid) {
		return false;
	}
	unsigned pause_ms = restarts_next(&c->restarts, now_ms - c->began_ms);
	c->pid = 0;
	c->due_ms = now_ms + pause_ms;
	if (WIFSIGNALED(status)) {
		log_event(log, LOG_LEVEL_ERROR, "process-ended", "process=%s signal=%s again_in_ms=%u", c->name,
		          strsignal(WTERMSIG(status)), pause_ms);
	} else {
		log_event(log, LOG_LEVEL_ERROR, "process-ended", "process=%s status=%d again_in_ms=%u", c->name, WEXITSTATUS(status),
		          pause_ms);
	}
	return true;
}
