/* base/filename.h -- names of files in a repository that is checked out on Linux, macOS and Windows.
 *
 * A name is one part of a path.  The module answers three questions from the name alone: Can every system have such a file? Does
 * some system take two names for the same file? Is this the name of a file of keys or secondaries, from which no zone may take
 * records?
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The longest name in octets that every file system accepts: that of eCryptfs; Linux, macOS and Windows accept 255. */
enum { FILENAME_PORTABLE_MAX = 143 };

/* Why some system cannot have a file of that name: a static phrase, to be written after "the name".  NULL: all can. */
const char *filename_trouble(const char *name, size_t len);

/* True for a device of Windows, whatever follows its first dot ("con.example.org" is the console). */
bool filename_is_device(const char *name, size_t len);

/* Compares names in an order in which two names are equal if some system takes them for the same: ASCII letters without case,
 * without dots and blanks at the end. */
int filename_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* True for "_keys", "NAME._keys", "_secondaries" and "NAME._secondaries", in any spelling that some system takes for such a name,
 * also with %XX. */
bool filename_is_private(const char *name, size_t len);

/* True for "_secondaries" and "NAME._secondaries", in any such spelling. */
bool filename_is_secondaries(const char *name, size_t len);

/* True when any part of the path is such a name: filename_is_private(). */
bool filename_has_private_part(const char *path);
