/* git/ask.h -- asks the git side for files of a commit, for the DNS side.
 *
 * Frames that come while the asker waits for a FILE are about something else (a pull has ended, say).  They are set aside, and the
 * caller takes them afterwards, in their order.  When there is no memory for one, the link is closed: one side would wait for ever
 * for what the other has said already.  The keeper then starts a new git process, and all begins again with a pull.
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
	bool is_pull_coming;             /* since the last asker_begin(): the outcome of one was set aside, or is to come */
};

/* Files of one commit are asked for from here on. */
void asker_begin(struct asker *a);

/* A file by its path (as struct master_reader's open; ctx is the asker).  E_STALE: the git side has gone on to another commit, or is
 * about to (is_pull_coming), or does not have this one any more, or is gone itself: forget all files that were asked for before.
 * E_LIMIT: the path is too long; E_NOMEM; others: as the git side says. */
err_t asker_open(void *ctx, const char *path, struct master_text *out);
void asker_close(void *ctx, struct master_text *text);

/* The next frame that was set aside; its descriptor is the caller's.  False: there is none. */
bool asker_take(struct asker *a, struct link_frame *out);
void asker_fini(struct asker *a);
