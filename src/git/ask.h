/* git/ask.h -- asks the git side for files, and sets aside what else it says meanwhile.
 *
 * One thread, the loader's.
 */
#pragma once

#include "base/err.h"
#include "git/side.h"
#include "git/link.h"
#include "zone/master.h"

struct set_aside; /* a frame */

struct asker {
	struct git_side *git;            /* borrowed; set by the caller, the rest is zero */
	struct set_aside *first, **end;
	bool is_pull_coming;             /* since the last asker_begin(): the outcome of one was set aside, or is to come */
};

/* Files of one commit are asked for from here on. */
void asker_begin(struct asker *a);

/* A file by its path (as struct master_reader's open; ctx is the asker).  E_STALE: the git side has come to another commit meanwhile, or
 * is about to (is_pull_coming), or has lost this one: what was asked before is to be forgotten.  Others: as the git side says. */
err_t asker_open(void *ctx, const char *path, struct master_text *out);
void asker_close(void *ctx, struct master_text *text);

/* The next frame that came meanwhile, in order; it is the caller's.  False: there is none. */
bool asker_take(struct asker *a, struct link_frame *out);
void asker_fini(struct asker *a);
