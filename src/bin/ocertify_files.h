/* bin/ocertify_files.h -- files of ocertify: read whole, and replaced whole.
 *
 * A file is written under another name, and takes its place when it is complete and on the disk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Reads a file into *out, with a NUL behind it; the caller wipes and frees it (text_free()).  E_NOTFOUND: it is not there.  E_LIMIT, E_IO,
 * E_NOMEM: the reason was printed. */
struct text {
	char *s;
	size_t len;
};
err_t text_read(const char *path, size_t max, struct text *out);
void text_free(struct text *t); /* NULL-safe; serves as a cleanup handler */

/* Where a file is: `given`, or what a symbolic link of that name leads to, since a file that takes another's place would replace the link
 * alone.  The caller frees it.  E_NOTFOUND, E_IO: the link leads nowhere; E_LIMIT: what is there is no regular file.  The reason was
 * printed. */
err_t text_locate(const char *given, char **out);

enum text_place {
	TEXT_NEW,    /* for a secret: E_EXISTS if the file is there; mode 0600 */
	TEXT_SECRET, /* replaces the file, with its mode and owner, but others get no rights; a new one has mode 0600 */
	TEXT_PUBLIC, /* replaces the file, with its mode and owner; a new one can be read by all whom the umask lets */
};

/* Any other error was printed. */
err_t text_write(const char *path, enum text_place place, const void *octets, size_t len);

/* The same, but with mode and owner of the file `like`, whose place it will take. */
err_t text_write_like(const char *path, enum text_place place, const char *like, const void *octets, size_t len);

/* Moves a file to another name in place of the one there.  text_sync(): it is so also after the power has failed.  The reason for an error
 * was printed. */
err_t text_move(const char *from, const char *to);
err_t text_sync(const char *path);

/* OK also when it is not there.  The reason for an error was printed. */
err_t text_remove(const char *path);
