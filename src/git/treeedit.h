/* git/treeedit.h -- private to src/git: changes the octets of a tree object.
 *
 * Pure.  A tree is lines of "MODE NAME\0" and an id of twenty octets, sorted by name as if a directory's ended in "/".  Lines
 * that are not named are copied octet for octet.  The tree may be anybody's: what is no sound tree is E_FORMAT.
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

/* Appends the new tree to `out`.  A file that is there keeps its mode; a new one has 100644.  `edits` are put into order; no
 * name twice of one kind.  On an error other than E_FORMAT and E_NOMEM, `*which` is the edit in question: E_NOTFOUND: what is
 * to be removed is not there; E_EXISTS: the name of another file or directory, be it in another case; E_UNSUPPORTED: a new name
 * that not every system can have (base/filename.h); E_REFUSED: it is a symbolic link or a submodule. */
err_t tree_edit(const uint8_t *old, size_t old_len, struct tree_edit *edits, size_t n, struct str *out,
                const struct tree_edit **which);

/* The id of a directory.  E_NOTFOUND; E_FORMAT. */
err_t tree_find_dir(const uint8_t *tree, size_t len, const char *name, size_t name_len, uint8_t id[ID_LEN]);

/* May this be one part of a path that we write?  Not what git forbids ("", ".", "..", "/"), nor what a checkout on some system
 * could take for ".git" or for a file that git itself obeys: anything that begins with ".git" when case, and octets
 * beyond ASCII (some of which HFS+ passes over), do not count, also after a backslash, or "git~1" (NTFS's short name). */
bool tree_name_is_ours(const char *name, size_t len);
