/* auth/source.h -- tells by its name what a file of the repository is, and makes the name of a zone's file.
 *
 * A zone's file has the zone's name.  An octet that git or some file system does not allow in a file's name is written as %XX, with two
 * hexadecimal digits: "0%2F26.2.0.192.in-addr.arpa" for the zone 0/26.2.0.192.in-addr.arpa (RFC 2317), "%2E" for a dot within a
 * label.  A "%" that is not followed by two digits stands for itself.  File names are ASCII: no query asks for the octets of any other
 * name.  A zone whose name is written in other letters has A-labels (RFC 5890 2.3.2.1), and its file is named by these.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/ignore.h"
#include "base/diag.h"
#include "dns/name.h"

enum source_kind { SOURCE_ZONE, SOURCE_KEYS, SOURCE_SECONDARIES, SOURCE_IGNORED, SOURCE_BAD_NAME, SOURCE_BELOW_ROOT };

/* True for a file that is read: a zone is made of it, or keys or secondaries. */
static inline bool
source_kind_is_read(enum source_kind kind)
{
	return kind == SOURCE_ZONE || kind == SOURCE_KEYS || kind == SOURCE_SECONDARIES;
}

/* The kind of a file of the root tree, by its name (oprimary(8), REPOSITORY).  `ignore`: the patterns of .originignore, which go before
 * all rules here except that for dot files; NULL: none.  apex: the zone, or the domain of the keys or secondaries. */
enum source_kind source_kind_of(const struct ignore *ignore, const char *path, struct name *apex);
bool source_is_ignored(const struct ignore *ignore, const char *path); /* for a file in the root: true when it is SOURCE_IGNORED */

/* True when .originignore does not mention the file, and its name can be that of a script or a document as well as that of a zone (".md"
 * and ".sh" are top-level domains).  Then source_is_master() decides: true when the text, after comments, begins with a directive or a
 * SOA record.  Else the file is ignored. */
bool source_is_doubtful(const struct ignore *ignore, const char *path);
bool source_is_master(const char *text, size_t len);

/* Reads the first `len` octets of a file's name as the name of a zone.  False: they are no domain name. */
bool source_read_name(const char *path, size_t len, struct name *out);

/* The name of a zone's file; "@" for the root.  It is in lower case, and every system can have it (base/filename.h), unless it is too
 * long. */
void source_file_name(const uint8_t *apex, char out[NAME_TEXT_MAX]);

/* SOURCE_KEYS: "_keys" or "NAME._keys"; SOURCE_SECONDARIES: "_secondaries" or "NAME._secondaries", in this spelling; else SOURCE_ZONE.
 * Other spellings that some system takes for one of these (base/filename.h) are bad names: no zone has such a name, and nothing reads
 * the file, even if .originignore takes it back.  *name_len: the octets of NAME; for a zone, of the whole name. */
enum source_kind source_kind_by_end(const char *path, size_t *name_len);
bool source_is_keys_name(const char *path);

/* Says why a file is SOURCE_BAD_NAME, and what to do about it. */
void source_say_bad(const char *path, struct diag *d);

/* Writes a name in UTF-8 with A-labels, if a small table has all of its letters: the tables of Unicode are not here.  False: it has
 * others, is not UTF-8, or is no domain name. */
bool source_to_ascii(const char *name, char out[NAME_TEXT_MAX]);
