#include "image/modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops/files.h"

static const char PLACE[] = "/modules";

static int
is_module(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* EEXIST: the kernel has it built in, or loaded; ENODEV: the machine has no such thing. */
static void
load(const struct log *log, int dir, const char *name)
{
	[[gnu::cleanup(file_close)]] int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if ((fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) && errno != EEXIST && errno != ENODEV) {
		log_event(log, LOG_LEVEL_WARNING, "module-failed", "name=%s text=%s hint=%s", name, strerror(errno),
		          "the kernel must be the one that the image was made for");
	}
	(void)unlinkat(dir, name, 0);
}

err_t
modules_load(const struct log *log)
{
	struct dirent **names;
	[[gnu::cleanup(file_close)]] int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = dir >= 0 ? scandirat(dir, ".", &names, is_module, alphasort) : -1;
	for (int i = 0; i < n; i++) {
		load(log, dir, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0) {
		free(names);
	}
	return n >= 0 ? OK : E_IO;
}
