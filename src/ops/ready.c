#include "ops/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 }; /* with a service manager that has many messages to read */

static int manager = -1; /* a connected socket; one for the process */
static uint64_t watchdog_ms;

static uint64_t
number_in(const char *variable)
{
	const char *text = getenv(variable);
	return text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : 0;
}

static int
open_manager(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t path_len = path != NULL ? strlen(path) : 0;
	if (path_len < 2 || path_len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) {
		return -1;
	}
	memcpy(to.sun_path, path, path_len);
	if (path[0] == '@') {
		to.sun_path[0] = '\0'; /* an abstract name (unix(7)); the address's length tells its end */
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, to_len) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
ready_open(void)
{
	uint64_t pid = number_in("WATCHDOG_PID");
	manager = open_manager();
	if (manager >= 0 && (pid == 0 || pid == (uint64_t)getpid())) {
		watchdog_ms = number_in("WATCHDOG_USEC") / 1000;
	}
}

uint64_t
ready_watchdog_ms(void)
{
	return watchdog_ms;
}

/* Waits for room in the manager's queue: a lost READY=1 or FDSTOREREMOVE=1 would do harm.  But a manager that has taken nothing for so long
 * is not waited for again, until it takes something. */
static void
tell(const struct msghdr *m)
{
	static atomic_bool is_stuck;
	while (sendmsg(manager, m, MSG_NOSIGNAL) < 0) {
		struct pollfd p = { .fd = manager, .events = POLLOUT };
		if (errno != EAGAIN || atomic_load(&is_stuck)) {
			return;
		}
		atomic_store(&is_stuck, poll(&p, 1, PATIENCE_MS) <= 0);
	}
	atomic_store(&is_stuck, false);
}

void
ready_notify(const char *state, ...)
{
	char text[1024];
	va_list args;
	if (manager < 0) {
		return;
	}
	va_start(args, state);
	int n = vsnprintf(text, sizeof text, state, args);
	va_end(args);
	if (n > 0) {
		struct iovec io = { text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 };
		const struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
		tell(&m);
	}
}

void
ready_keep(int fd, const char *name)
{
	char text[320];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec io = { text, 0 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	if (manager < 0) {
		return;
	}
	/* Without FDPOLL=0 the manager closes a socket that has an error waiting. */
	io.iov_len = (size_t)snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%.255s", name);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd) };
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	tell(&m);
}

void
ready_forget(const char *name)
{
	ready_notify("FDSTOREREMOVE=1\nFDNAME=%.255s", name);
}
