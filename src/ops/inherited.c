#include "ops/inherited.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { FIRST = STDERR_FILENO + 1 };

static struct inherited *list;
static size_t list_n;

static size_t
number_in(const char *variable)
{
	const char *text = getenv(variable);
	return text != NULL && text[0] >= '1' && text[0] <= '9' ? strtoul(text, NULL, 10) : 0;
}

/* Cuts the first name off the text, in which names have colons between them. */
static const char *
next_name(char **text)
{
	const char *name = *text != NULL ? strsep(text, ":") : NULL;
	return name != NULL && name[0] != '\0' ? name : "unknown";
}

void
inherited_find(void)
{
	size_t n = number_in("LISTEN_FDS");
	if (n != 0 && n <= INHERITED_MAX && number_in("LISTEN_PID") == (size_t)getpid()) {
		const char *given = getenv("LISTEN_FDNAMES");
		char *names = given != NULL ? strdup(given) : NULL; /* as long as the process lives */
		list = xalloc(n * sizeof *list);
		for (size_t i = 0; i < n; i++) {
			int fd = FIRST + (int)i;
			const char *name = next_name(&names);
			if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
				list[list_n++] = (struct inherited){ fd, name };
			}
		}
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

struct inherited *
inherited_list(size_t *n)
{
	*n = list_n;
	return list;
}

size_t
inherited_open(int out[INHERITED_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < list_n; i++) {
		if (list[i].fd >= 0) {
			out[n++] = list[i].fd;
		}
	}
	return n;
}
