#include "ops/ready.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
ready_notify(const char *state, ...)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t path_len = path != NULL ? strlen(path) : 0;
	if (path_len < 2 || path_len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) {
		return;
	}
	memcpy(to.sun_path, path, path_len);
	if (path[0] == '@') {
		to.sun_path[0] = '\0'; /* abstract (unix(7)): the name is as long as the address says */
	}

	char text[1024];
	va_list args;
	va_start(args, state);
	int n = vsnprintf(text, sizeof text, state, args);
	va_end(args);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return;
	}
	if (n > 0) {
		size_t len = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
		socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
		(void)sendto(fd, text, len, MSG_NOSIGNAL, (const struct sockaddr *)&to, to_len);
	}
	close(fd);
}
