/* ops/shortage.h -- what this machine may be short of: the disk is full, a quota is used up, the file system is read-only, too many
 * files are open, there is no memory.  Each has its own remedy.
 */
#pragma once

struct shortage {
	int number;       /* of errno(3) */
	const char *hint; /* what to do */
};

/* NULL: it is no shortage. */
const struct shortage *shortage_of_errno(int number);

/* Finds a shortage in the text of an error.  NULL: there is none. */
const struct shortage *shortage_in(const char *text);
