#include "ops/shortage.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"

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
