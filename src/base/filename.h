/* base/filename.h -- names of files in a repository that people check out on Linux, macOS and Windows.
 *
 * A name is one part of a path.  The module answers three questions by the name alone: Can every system have such a file?  Does some
 * system take two names for the same file?  Is this the name of a file of keys or policy, from which no zone may take records?
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Octets of a name that every file system takes: eCryptfs takes the fewest; Linux, macOS and Windows take 255. */
enum { FILENAME_PORTABLE_MAX = 143 };

/* Why some system cannot have a file of that name: a static phrase, which goes on after "the name".  NULL: all can. */
const char *filename_trouble(const char *name, size_t len);

/* Is it a device of Windows, whatever follows its first dot ("con.example.org" is the console)? */
bool filename_is_device(const char *name, size_t len);

/* An order in which names that some system takes for one are equal: case counts only outside of ASCII, dots and blanks at the end
 * do not count. */
int filename_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Is it "_keys", "NAME._keys", "_secondaries" or "NAME._secondaries", in any spelling that a system or our own %XX may take for it? */
bool filename_is_private(const char *name, size_t len);

/* Is any part of the path? */
bool filename_has_private_part(const char *path);
