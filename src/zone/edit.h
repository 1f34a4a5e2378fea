/* zone/edit.h -- edits a master file in place, so that it says a new version of its zone.
 *
 * Given are the text, the zone that it says and the zone that it shall say; what comes out is the text with the records concerned
 * changed, and all else byte for byte as it was: comments, order, blank lines, relative names, $TTL, tabs, case, parentheses,
 * line ends.  What people would do with an editor is what happens:
 *
 *   - A record that goes takes its line with it, and the comment on that line; comments on lines of their own stay.
 *   - Where one of an RRset goes and another comes, its data are changed where they stand: token by token if that reads as
 *     wanted (a SOA, whose serial changes, keeps its comments and its "1h"), else all of the data, else all that follows the type.
 *   - What stands in a column behind a changed part stays in it, if there is room: comments on the numbers of a SOA, say.
 *   - A changed TTL is put into the lines of the RRset.  A line that had none gets one, which is placed so that the
 *     columns behind it stay where they are if there is room; a line that has one keeps it, also when it is what $TTL says.
 *   - A record that comes goes after the last line of its RRset, else after the last line of its owner.  A name that is new goes where
 *     the order of the names around puts it: by number (1 2 10 20 22, www1 www2 www10), else in canonical order; where
 *     neither holds, after the last record of the same type with as many labels; else to the end of the file.
 *     A comment does not hold it off: it stands right after that line.
 *   - A new line is written as the lines around it are (ten before and ten behind): owner left out, relative or absolute; TTL
 *     and class there or not, in their order; units of the TTL; case of the type; columns with tabs or spaces;
 *     relative names in the data; line end.  A TTL is written in any case where the record would not have the right one.  Long
 *     data of several words, such as a certificate's, go over several lines in parentheses.
 *   - A line that took its owner or its TTL from one that changed gets its own.
 *   - A $GENERATE whose records do not all stay as they are is divided: what changes becomes a line or goes, the ranges around it
 *     stay directives.  A comment on it stays with the first of these.
 *   - A record out of an $INCLUDEd file is edited there, unless the file may not be edited or is included more than once: then a
 *     new record goes to the end of the zone's own file, and one that should change is an error.
 *   - Where lines have their TTL from the SOA's minimum, and that or the SOA's TTL changes, a $TTL line goes before the SOA.
 *   - Lines of one RRset that differ in their TTLs stay so (the lowest counts), unless none with the lowest would be left.
 *
 * The result is read again and must be the new zone exactly; whatever goes wrong, nothing is returned that says anything
 * else.  Whether the new zone is one to be served (zone/check.h) was for the caller to see before.
 *
 * Pure.  Memory goes by the changes, beside the texts themselves; the cost is two readings of the text (three where a name is new and
 * the names are in no order), a walk of the new zone, and a look-up an owner.
 *
 * Codes of *why:
 *   edit-refused       the record is in a file that may not be edited
 *   edit-mismatch      the result does not read as wanted: the text was not what the old zone was made of
 * and those of zone/master.h, when the text cannot be read.
 */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "zone/changes.h"
#include "zone/master.h"
#include "zone/zone.h"

struct edit_in {
	/* apex, file, ctx, open, close, drops_outside as for zone_load(); record and sink are not used.  What is opened, each
	 * file once, is closed before the return. */
	const struct master_reader *source;
	const char *text;                    /* the zone's own file */
	size_t len;
	const struct zone *old, *new;        /* what the text says, and what it shall say (TTLs up to DNS_TTL_MAX) */
	const struct zone_changes *changes;  /* all that differs between them */
	/* With the source's ctx, for a plain path.  False: other zones read this file too, and would change with it.
	 * NULL: every file may be edited. */
	bool (*may_edit)(void *ctx, const char *path);
};

struct edit_file {
	char *path;  /* owned; as the source names the zone's own file, else the plain path of the $INCLUDE */
	char *text;  /* owned */
	size_t len;
	size_t old_len; /* of the text before; 0 where there was none */
};

/* The files that changed.  Zero-initialise. */
struct edit {
	struct edit_file *files; /* owned */
	size_t n;
};
void edit_fini(struct edit *e); /* empty and ready again */

/* On an error *out is as it was.  E_FORMAT: the text cannot be edited to say that, and *why says what is in the way, where, and
 * what to do; its `file` is the source's, or NULL where the text names an included one, and its line is in in->text.
 * E_NOMEM, E_LIMIT (a text over STR_MAX): *why is not set. */
err_t edit_zone(const struct edit_in *in, struct edit *out, struct diag *why);

/* A text for a zone that has none yet: $ORIGIN, $TTL (the SOA's), the SOA over several lines with comments, the name servers, then
 * canonical order; relative names, aligned.  Appended to `out`.  E_NOMEM, E_LIMIT. */
err_t edit_new_zone(const struct zone *z, struct str *out);
