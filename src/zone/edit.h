/* zone/edit.h -- edits a master file in place, so that it describes a new version of its zone.
 *
 * Input: the text, the zone that it describes, and the zone that the new text must describe.  Output: the text with the lines
 * of the changed records changed, and all else byte for byte as it was: comments, order, blank lines, relative names, $TTL, tabs,
 * case, parentheses, line ends.  The result looks as if a person had made the change in an editor:
 *
 *   - A removed record takes its line with it, and the comment on that line; comments on lines of their own stay.
 *   - When one record of an RRset is removed and another is added, the data in the line are changed: token by token if the
 *     result reads as wanted (an SOA whose serial changes keeps its comments and its "1h"), else all of the data, else all
 *     after the type.
 *   - Text that stands in a column after a changed part stays in its column if there is room: comments on the numbers of an
 *     SOA, for example.
 *   - A changed TTL is written into the lines of the RRset.  A line without a TTL gets one, placed so that the columns after it
 *     stay where they are if there is room.  A line with a TTL keeps one, even when it is the same as $TTL.
 *   - An added record goes after the last line of its RRset, else after the last line of its owner.  A new name goes where the
 *     order of the names around it puts it: by number (1 2 10 20 22, www1 www2 www10), else in canonical order.  If neither
 *     order holds there, it goes after the last record of the same type with as many labels; else to the end of the file.  A
 *     comment between the lines makes no difference: the new line is right after the line found.
 *   - A new line is written like the lines around it (ten before and ten after): owner left out, relative or absolute; with or
 *     without TTL and class, in their order; units of the TTL; case of the type; columns with tabs or spaces; relative names in
 *     the data; line end.  A TTL is always written if the record would not have the right one without it.  Long data of several
 *     words, such as a certificate, go over several lines in parentheses.
 *   - A line that inherited its owner or its TTL from a changed line gets its own.
 *   - A $GENERATE of which some records change is divided: each changed record becomes a line or is removed, the ranges between
 *     them stay directives.  A comment on the $GENERATE stays with the first of these.
 *   - A record from an $INCLUDEd file is edited there, unless the file may not be edited or is included more than once.  Then a
 *     new record goes to the end of the zone's own file, and a record that should change is an error.
 *   - If lines have their TTL from the SOA's minimum, and that or the SOA's TTL changes, a $TTL line is put before the SOA.
 *   - Lines of one RRset with different TTLs stay so (the lowest counts), unless no line with the lowest TTL would be left.
 *
 * The result is read again and must be exactly the new zone; when anything goes wrong, nothing is returned.  The caller must
 * have checked that the new zone may be served (zone/check.h).
 *
 * Pure.  Besides the texts, memory depends on the changes only.  The cost is two readings of the text (three if a name is new
 * and the names around it have no order), one walk of the new zone, and one look-up for each owner.
 *
 * Codes of *why:
 *   edit-refused       the record is in a file that may not be edited
 *   edit-mismatch      the result is not the new zone: the old zone was not made from this text
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
	/* apex, file, ctx, open, close, drops_outside are used as in zone_load(); record and sink are not used.  Each file is
	 * opened once, and closed before the return. */
	const struct master_reader *source;
	const char *text;                    /* the zone's own file */
	size_t len;
	const struct zone *old, *new;        /* the zone that the text describes, and the one that the new text must
	                                      * describe (TTLs up to DNS_TTL_MAX) */
	const struct zone_changes *changes;  /* all differences between them */
	/* Called with the source's ctx and a plain path.  False: the file must not be edited, because other zones read it, too.
	 * NULL: every file may be edited. */
	bool (*may_edit)(void *ctx, const char *path);
};

struct edit_file {
	char *path;  /* owned; source->file for the zone's own file, else the plain path of the $INCLUDE */
	char *text;  /* owned */
	size_t len;
	size_t old_len; /* length of the text before; 0: there was none */
};

/* The files that changed.  Zero-initialise. */
struct edit {
	struct edit_file *files; /* owned */
	size_t n;
};
void edit_fini(struct edit *e); /* empty, and ready to be used again */

/* Errors leave *out as it was.  E_FORMAT: the text cannot be edited like this; *why says what prevents the edit, where, and what to
 * do.  Its `file` is the source's, or NULL when its text names an included file, and its line is part of in->text.  E_NOMEM,
 * E_LIMIT (a text over STR_MAX): *why is not set. */
err_t edit_zone(const struct edit_in *in, struct edit *out, struct diag *why);

/* Writes a text for a zone that has none yet: $ORIGIN, $TTL (that of the SOA), the SOA over several lines with comments, the
 * name servers, then the rest in canonical order; relative names, aligned columns.  It is appended to `out`.  E_NOMEM, E_LIMIT. */
err_t edit_new_zone(const struct zone *z, struct str *out);
