#include "git/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/files.h"

enum { PROBE_LEN = 64 * 1024 }; /* octets: so many do not fit into a file system's own tables, and need free space */

/* Opens a file for writing; without a name, if the file system can do that. */
static int
open_probe(const char *dir)
{
	char path[PATH_MAX];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR) ||
	    (size_t)snprintf(path, sizeof path, "%s/tmp_probe_XXXXXX", dir) >= sizeof path) {
		return fd;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0) {
		unlink(path);
	}
	return fd;
}

static bool
can_write(int fd)
{
	static const char octets[PROBE_LEN];
	return file_write(fd, octets, sizeof octets) == OK;
}

const struct shortage *
shortage_at(const char *dir)
{
	int fd = open_probe(dir);
	int why = fd < 0 || !can_write(fd) ? errno : 0;
	if (fd >= 0 && close(fd) != 0 && why == 0) {
		why = errno; /* some file systems check the quota only here */
	}
	return shortage_of_errno(why);
}

bool
shortage_explain(const char *dir, struct diag *diag)
{
	char said[DIAG_TEXT_MAX];
	const struct shortage *s = shortage_in(diag->text) == NULL ? shortage_at(dir) : NULL;
	if (s == NULL) {
		return false;
	}
	snprintf(said, sizeof said, "%s", diag->text);
	diag_set(diag, DIAG_ERROR, "git", "nothing can be written in %.200s: %s (%.200s)", dir, strerror(s->number), said);
	diag_hint(diag, "%s", s->hint);
	return true;
}
