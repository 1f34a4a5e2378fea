/* git/link_files.h -- files that cross the link (git/link.h): how they are put into a sealed memory file, and read out
 * of it.
 *
 * Nobody can change a sealed file, so what was checked in it stays true.  Neither side trusts the other's numbers:
 * lengths are checked against the file's size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The memfd of a COMMIT or a PUSH: `n` entries one after the other, each aligned to 8 octets:
 * struct link_entry, path (path_len octets, then a NUL), content (len octets).  Paths are relative to the root. */
enum link_entry_kind {
	LINK_ENTRY_PUT = 1,
	LINK_ENTRY_REMOVE,
	LINK_ENTRY_REFUSED, /* it cannot be a zone: a symlink, a submodule, too large, binary; content: the reason, as text */
	LINK_ENTRY_NAMED,   /* it changed, but the content is not sent (below the root, README and the like): GET it when needed */
	LINK_ENTRY_MESSAGE, /* the first entry of a PUSH: no path (""); content: the commit's message, UTF-8 */
	LINK_ENTRY_PAST,    /* of a whole COMMIT: the beginning of the file in an older commit; oldest first; a path may come often */
	LINK_ENTRY_ALLOWED, /* of a COMMIT: a file that a primary's commit with Origin-Allow: mass-delete has changed (git/trailer.h) */
	LINK_ENTRY_SIGNED,  /* of a COMMIT: path: a key's name (".": all keys); content: time, as text, up to which its updates were signed
	                     * (git/signed.h) */
	LINK_ENTRY_LAST = LINK_ENTRY_SIGNED,
};

struct link_entry {
	uint32_t kind;
	uint32_t path_len;
	uint64_t len;
};

/* Builds the memfd of a COMMIT or a PUSH.  Zero-initialise; errors are latched and come out of link_build_seal(). */
struct link_build {
	bool is_open;
	int fd;
	uint32_t n;
	uint64_t len;    /* octets so far, with those in `held` */
	uint8_t *held;   /* a buffer, so that ten thousand small entries do not take ten thousand write()s */
	size_t held_len;
	err_t err;       /* E_IO: the file cannot be made, E_NOMEM, E_LIMIT: too many entries */
};

void link_build_put(struct link_build *b, enum link_entry_kind kind, const char *path, size_t path_len,
                    const void *content, size_t len);
err_t link_build_seal(struct link_build *b, int *fd, uint32_t *n); /* the fd is the caller's */
void link_build_fini(struct link_build *b);                       /* also after link_build_seal() */

/* `len` octets as a sealed memfd, for FILE. */
err_t link_seal_bytes(const void *bytes, size_t len, int *fd);

/* A mapped memfd. */
struct link_map {
	const uint8_t *bytes; /* NULL when len is 0 */
	size_t len;
};

/* E_REFUSED: the file is not sealed against every change.  The fd stays the caller's and may be closed at once. */
err_t link_map(int fd, struct link_map *out);
void link_unmap(struct link_map *m);

/* Goes through the entries of a map.  What link_files_next() gives is borrowed from the map. */
struct link_files {
	const uint8_t *bytes;
	size_t len, pos;
	uint32_t left;
};

struct link_file {
	enum link_entry_kind kind;
	const char *path;     /* NUL-terminated, without another NUL; "" only for a MESSAGE */
	size_t path_len;
	const uint8_t *bytes; /* the content, see enum link_entry_kind; not NULL, and not NUL-terminated */
	size_t len;
};

static inline struct link_files
link_files_over(const struct link_map *m, uint32_t n)
{
	return (struct link_files){ .bytes = m->bytes, .len = m->len, .left = n };
}

err_t link_files_next(struct link_files *f, struct link_file *out); /* E_NOTFOUND: there are no more; E_FORMAT */
