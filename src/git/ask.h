/* git/ask.h -- asks the git side for files of a commit, for the DNS side.
 *
 * While the asker waits for a FILE, frames about other things may come (a pull has ended, say).  The asker sets them
 * aside, and the caller takes them afterwards, in their order.  If there is no memory for a frame, the asker closes the
 * link: without that frame one side would wait for ever.  The keeper then starts a new git process, and all begins
 * again with a pull.
 *
 * One thread: the loader's.
 */
#pragma once

#include "base/err.h"
#include "git/link.h"
#include "git/side.h"
#include "zone/master.h"

struct set_aside; /* a frame */

struct asker {
	struct git_side *git;            /* borrowed; set by the caller, the rest is zero */
	struct set_aside *first, **end;
	bool is_pull_coming;             /* since the last asker_begin() a COMMIT was set aside, or the git side says that one may come */
};

/* From here on the caller asks for files of one commit. */
void asker_begin(struct asker *a);

/* Gets a file by its path (as struct master_reader's `open`; ctx is the asker).  E_STALE: the git side works on another
 * commit by now, or will soon (is_pull_coming), or does not have this commit any more, or is gone.  Then the caller
 * must forget all files that it got since asker_begin().  E_LIMIT: the path is too long.  E_NOMEM.  Others: as the git
 * side says. */
err_t asker_open(void *ctx, const char *path, struct master_text *out);
void asker_close(void *ctx, struct master_text *text);

/* Gives the next frame that was set aside; its descriptor is the caller's.  False: there is none. */
bool asker_take(struct asker *a, struct link_frame *out);
void asker_fini(struct asker *a);
