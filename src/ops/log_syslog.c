#include "ops/log_syslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/clock.h"
#include "ops/syslog_message.h"

struct log_syslog {
	struct log_syslog_to to;
	struct syslog_sender sender;
	int fd;
	uint64_t tried_ms; /* when connecting was last tried */
	_Atomic uint64_t lost;
};

/* A socket that was connected is unbound from its own address first, which may have changed meanwhile. */
static bool
try_connect(struct log_syslog *s)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	s->tried_ms = clock_ms();
	(void)!connect(s->fd, &nowhere, sizeof nowhere);
	return connect(s->fd, &s->to.sa.any, s->to.len) == 0;
}

err_t
log_syslog_open(const struct log_syslog_to *to, const char *program, struct log_syslog **out, const char **why, struct diag *diag)
{
	int fd = socket(to->sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		diag_set(diag, DIAG_ERROR, "syslog", "no socket for --syslog: %s", strerror(errno));
		return E_IO;
	}
	struct log_syslog *s = xalloc(sizeof *s);
	*s = (struct log_syslog){ .to = *to, .fd = fd };
	s->sender = (struct syslog_sender){
		.form = to->sa.any.sa_family == AF_UNIX ? SYSLOG_LOCAL : SYSLOG_REMOTE, .program = program, .pid = getpid(),
	};
	host_name(s->sender.host);
	*why = try_connect(s) ? NULL : strerror(errno);
	*out = s;
	return OK;
}

void
log_syslog_close(struct log_syslog **s)
{
	if (*s != NULL) {
		close((*s)->fd);
		free(*s);
		*s = NULL;
	}
}

/* 0, or an error of send(2). */
static int
try_send(const struct log_syslog *s, const char *message, size_t len)
{
	return send(s->fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? 0 : errno;
}

static bool
is_busy(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

void
log_syslog_send(struct log_syslog *s, const struct log_stamp *stamp, const char *line, size_t len)
{
	char message[SYSLOG_MESSAGE_MAX];
	if (s == NULL) {
		return;
	}
	size_t n = syslog_message(&s->sender, stamp, line, len, message);
	int error = try_send(s, message, n);
	if (error == ECONNREFUSED && s->sender.form == SYSLOG_REMOTE) { /* this is about a line before, which came back (ICMP) */
		atomic_fetch_add(&s->lost, 1);
		error = try_send(s, message, n);
	}
	if (error != 0 && !is_busy(error) && clock_ms() - s->tried_ms >= LOG_SYSLOG_RETRY_MS && try_connect(s)) {
		error = try_send(s, message, n);
	}
	if (error != 0) {
		atomic_fetch_add(&s->lost, 1);
	}
}

uint64_t
log_syslog_lost(const struct log_syslog *s)
{
	return s != NULL ? atomic_load(&s->lost) : 0;
}
