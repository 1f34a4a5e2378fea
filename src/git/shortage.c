#include "git/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { PROBE_LEN = 64 * 1024 }; /* octets: so many do not fit into a file system's own tables, and need free space */

/* ENFILE comes before EMFILE, since its text contains that of EMFILE. */
static const struct shortage kinds[] = {
	{ ENOSPC, "the disk is full: make room" },
	{ EDQUOT, "our share of the disk is used up: make room, or raise the quota" },
	{ EROFS, "the file system is read-only: mount it for writing, or use another place" },
	{ ENFILE, "the system has too many files open: raise fs.file-max (sysctl)" },
	{ EMFILE, "too many files are open: raise LimitNOFILE= or \"ulimit -n\"" },
	{ ENOMEM, "the system is out of memory, or our share is used up: raise MemoryMax= or the cgroup's limit" },
	{ EIO, "the disk fails: the kernel's log says more (dmesg)" },
};

const struct shortage *
shortage_of_errno(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].number == number) {
			return &kinds[i];
		}
	}
	return NULL;
}

const struct shortage *
shortage_in(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strstr(text, strerror(kinds[i].number)) != NULL) {
			return &kinds[i];
		}
	}
	return strcasestr(text, "out of memory") != NULL ? shortage_of_errno(ENOMEM) : NULL;
}

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
	size_t left = sizeof octets;
	while (left > 0) {
		ssize_t n = write(fd, octets, left);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		left -= n > 0 ? (size_t)n : 0;
	}
	return true;
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
