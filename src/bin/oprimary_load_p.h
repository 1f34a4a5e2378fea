/* bin/oprimary_load_p.h -- what the files of the loader share: oprimary_load.c (the thread, and what the git side says),
 * oprimary_load_commit.c (a commit becomes a view) and oprimary_load_log.c (what is said of it).
 */
#pragma once

#include "bin/oprimary_load.h"

/* ---- oprimary_load.c ---- */

void loader_on_published(void *loader); /* a new view is: secondaries are to hear of it */

/* ---- oprimary_load_commit.c ---- */

/* Of a COMMIT, which has a descriptor.  E_FORMAT, E_NOMEM, those of primary_apply(): all is as it was. */
err_t loader_take_commit(struct loader *l, const struct link_frame *f, enum primary_outcome *outcome);

/* ---- oprimary_load_log.c ---- */

/* What is reported from here on is about that commit. */
void loader_begin_lines(struct loader *l, const char id[65]);
void loader_log_commit(struct loader *l, enum primary_outcome outcome, const struct link_frame *f, uint64_t load_ms);
