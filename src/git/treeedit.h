/* git/treeedit.h -- private to src/git: changes the octets of a tree object.
 *
 * Pure.  A tree has lines: "MODE NAME\0" and an id of twenty octets.  They are sorted by name, as if the name of a
 * directory ended in "/".  Lines that no edit names are copied octet for octet.  Anybody may have made the tree: if it
 * is malformed, the error is E_FORMAT.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "git/idmap.h"

struct tree_edit {
	const char *name; /* one part of a path, borrowed; not NUL-terminated */
	size_t name_len;
	bool is_dir;
	bool is_removal;
	uint8_t id[ID_LEN]; /* unless it is a removal */
};

/* Appends the new tree to `out`.  A file that exists keeps its mode; a new one has 100644.  Sorts `edits`, among which
 * no two files and no two directories may have one name.
 *
 * E_FORMAT, E_NOMEM.  After the other errors `*which` is the edit in question.  E_NOTFOUND: the file to be removed is
 * not there.  E_EXISTS: another file or directory has the name, or one that differs in case only.  E_UNSUPPORTED: the
 * name is new, and not every system can have it (base/filename.h).  E_REFUSED: a symbolic link or a submodule has the
 * name. */
err_t tree_edit(const uint8_t *old, size_t old_len, struct tree_edit *edits, size_t n, struct str *out,
                const struct tree_edit **which);

/* Finds the id of a directory by its name.  E_NOTFOUND; E_FORMAT. */
err_t tree_find_dir(const uint8_t *tree, size_t len, const char *name, size_t name_len, uint8_t id[ID_LEN]);

/* True when this may be one part of a path that we write.  False for names that git forbids ("", ".", "..", with a
 * "/"), and for names that a checkout on some system could take for ".git" or for another file that git obeys.  These
 * begin with ".git" or with "git~" (NTFS's short names), perhaps after a backslash.  Case does not matter, and octets
 * beyond ASCII do not count (HFS+ ignores some of them). */
bool tree_name_is_ours(const char *name, size_t len);
