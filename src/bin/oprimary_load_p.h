/* bin/oprimary_load_p.h -- private to the loader's files: oprimary_load.c (the thread, and messages of the git side),
 * oprimary_load_commit.c (a commit becomes a view) and oprimary_load_log.c (a commit is logged).
 */
#pragma once

#include "bin/oprimary_load.h"

/* ---- oprimary_load.c ---- */

void loader_on_published(void *loader); /* a new view was published: secondaries are notified */

/* ---- oprimary_load_commit.c ---- */

/* Takes a COMMIT message that has a descriptor.  E_FORMAT, E_NOMEM, or an error of primary_apply(): nothing has changed. */
err_t loader_take_commit(struct loader *l, const struct link_frame *f, enum primary_outcome *outcome);

/* ---- oprimary_load_log.c ---- */

/* Lines from here on are about that commit. */
void loader_begin_lines(struct loader *l, const char id[65]);
void loader_log_commit(struct loader *l, enum primary_outcome outcome, const struct link_frame *f, uint64_t load_ms);
