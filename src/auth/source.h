/* auth/source.h -- which file of the repository is what, and how the file of a zone is called.
 *
 * A zone's file has the zone's name.  What a file system or git cannot bear in a name, or not on every machine, is written as %XX, two
 * hexadecimal digits for an octet: "0%2F26.2.0.192.in-addr.arpa" for the zone 0/26.2.0.192.in-addr.arpa (RFC 2317), "%2E" for a
 * dot within a label.  A "%" that no two digits follow stands for itself.  Names are ASCII: one that is not is no file's,
 * since no question asks for its octets; it has an A-label (RFC 5890 2.3.2.1), and that is the file's name.
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

/* Is something made of such a file? */
static inline bool
source_kind_is_read(enum source_kind kind)
{
	return kind == SOURCE_ZONE || kind == SOURCE_KEYS || kind == SOURCE_SECONDARIES;
}

/* What a file of the root tree is by its name (oprimary(8), REPOSITORY).  `ignore`: what .originignore says, which goes before all
 * that is known here, but for dot files; NULL: nothing.  apex: the zone, or the domain that keys or secondaries are for. */
enum source_kind source_kind_of(const struct ignore *ignore, const char *path, struct name *apex);
bool source_is_passed_over(const struct ignore *ignore, const char *path); /* it is in the root, and SOURCE_IGNORED */

/* Does the name, of which .originignore says nothing, end like that of a script or document, though zones end so, too (".md",
 * ".sh": top-level domains)?  Then the text tells: what it begins with, but for comments, is a directive or a SOA record, or it
 * is passed over. */
bool source_is_doubtful(const struct ignore *ignore, const char *path);
bool source_is_master(const char *text, size_t len);

/* The name that the first `len` octets of a file's name stand for.  False: none. */
bool source_read_name(const char *path, size_t len, struct name *out);

/* The file of a zone; the root's is "@".  Lower case, and such as every system can have (base/filename.h), unless it is too long. */
void source_file_name(const uint8_t *apex, char out[NAME_TEXT_MAX]);

/* SOURCE_KEYS: "_keys" or "NAME._keys"; SOURCE_SECONDARIES: "_secondaries" or "NAME._secondaries", in this spelling; else SOURCE_ZONE.
 * Other spellings that some system takes for one of these (base/filename.h) are bad names: no zone has them, whatever .originignore
 * says, and nothing reads such files.  *name_len: octets of NAME, of the zone's whole name. */
enum source_kind source_kind_by_end(const char *path, size_t *name_len);
bool source_is_keys_name(const char *path);

/* SOURCE_BAD_NAME: why, and what to do about it. */
void source_say_bad(const char *path, struct diag *d);

/* A name in UTF-8 as A-labels, where that can be told without the tables of Unicode: letters of one case, or whose lower case is
 * known.  False: it cannot, or is no UTF-8. */
bool source_to_ascii(const char *name, char out[NAME_TEXT_MAX]);
