/* git/link_files.h -- files that cross the link (git/link.h): how they are put into a sealed memory file, and read out of it.
 *
 * Nobody can change such a file any more, so what was checked in it stays true.  Neither side trusts the other's numbers: lengths are
 * checked against the file's size.
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
	LINK_ENTRY_REFUSED, /* a symlink, a submodule, too large, binary; content: why, as text */
	LINK_ENTRY_NAMED,   /* changed, but without content (below the root, README and the like): GET it when needed */
	LINK_ENTRY_MESSAGE, /* of a PUSH, its first: no path (""); content: the commit's message, UTF-8 */
	LINK_ENTRY_PAST,    /* of a whole COMMIT: how the file began in an older one; oldest first; a path may come again and again */
	LINK_ENTRY_ALLOWED, /* of a COMMIT: changed by an update's commit that has the trailer, which is about its own changes alone */
	LINK_ENTRY_SIGNED,  /* of a COMMIT: a key's name (".": all); as text, up to when its updates were signed (git/signed.h) */
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
	uint64_t len;    /* octets so far, those in `held` included */
	uint8_t *held;   /* small entries gather here, so that ten thousand are not ten thousand writes */
	size_t held_len;
	err_t err;       /* E_IO: the file cannot be made, E_NOMEM, E_LIMIT: too many entries */
};

void link_build_put(struct link_build *b, enum link_entry_kind kind, const char *path, size_t path_len,
                    const void *content, size_t len);
err_t link_build_seal(struct link_build *b, int *fd, uint32_t *n); /* the fd is the caller's */
void link_build_fini(struct link_build *b);                       /* NULL-safe after seal too */

/* `len` octets as a sealed memfd, for FILE. */
err_t link_seal_bytes(const void *bytes, size_t len, int *fd);

/* A mapped memfd.  Sealed against every change, or it is not mapped at all (E_REFUSED): what was checked
 * stays true. */
struct link_map {
	const uint8_t *bytes; /* NULL when len is 0 */
	size_t len;
};

err_t link_map(int fd, struct link_map *out); /* the fd stays the caller's and may be closed at once */
void link_unmap(struct link_map *m);

/* Goes through the entries of a map; what it gives out borrows from the map. */
struct link_files {
	const uint8_t *bytes;
	size_t len, pos;
	uint32_t left;
};

struct link_file {
	enum link_entry_kind kind;
	const char *path;     /* NUL-terminated, without another NUL; "" for a MESSAGE and for nothing else */
	size_t path_len;
	const uint8_t *bytes; /* content, or why it was refused (no NUL); not NULL */
	size_t len;
};

static inline struct link_files
link_files_over(const struct link_map *m, uint32_t n)
{
	return (struct link_files){ .bytes = m->bytes, .len = m->len, .left = n };
}

err_t link_files_next(struct link_files *f, struct link_file *out); /* E_NOTFOUND: that was all; E_FORMAT */
