/* git/worker_p.h -- private to git/worker*.c: the state of a worker, and its parts.
 *
 *   worker.c       the loop: frames from the supervisor and to it
 *   worker_pull.c  a PULL
 *   worker_get.c   files of a commit
 *   worker_push.c  a PUSH
 *   worker_keep.c  work after a PULL or PUSH: writes the clone and keeps it small, keeps a local remote in few packs
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/str.h"
#include "git/clone.h"
#include "git/commit.h"
#include "git/connect.h"
#include "git/link.h"
#include "git/local.h"
#include "git/upkeep.h"
#include "git/worker.h"

struct worker {
	const struct git_conf *conf;
	struct git_how how;
	const struct git_home *home;
	int sock;
	struct git_clone clone; /* stays open for the next PULL; for a local remote without clone, `repo` is the remote itself.
	                         * `dirs`: what GETs have read since the last PULL or PUSH */
	git_repository *local; /* a local remote that has a clone; opened by the first push */
	struct git_made last; /* what is kept of the last push, for the next one */
	git_oid head;         /* the commit of the last fetch or push that succeeded, for worker_keep(); zero: none */
	struct str branch;    /* its branch's full name; empty: the commit came out of the cache */
	bool is_cleared_up;   /* the leftovers of killed pushes were removed from a local remote */
	struct git_upkeep upkeep; /* of a local remote */
	bool has_noted;       /* a NOTE about the upkeep was sent */
	bool has_no_branch;   /* the remote was reached, and has no branch of that name */
	unsigned untidied;    /* pushes since the clone was tidied */
	uint64_t told_ns;     /* when PROGRESS was last sent */
};

/* As struct git_how's `alive`; ctx is the worker.  Tells the supervisor, at most ten times a second. */
void worker_alive(void *ctx);

/* Opens the clone, or the local remote that has none, in w->clone. */
err_t worker_open_repo(struct worker *w, struct diag *diag);

/* Sends a frame to the supervisor, and closes f->fd.  If the supervisor is gone, this process ends here. */
void worker_send(struct worker *w, const struct link_frame *f);
void worker_put_words(struct link_frame *out, const struct diag *diag); /* sets the text: what is wrong, and the hint */
void worker_send_failed(struct worker *w, err_t err, uint8_t flags, const struct diag *diag);

/* After a failure: if no file can be written where the clone is, that is the reason, whatever libgit2 has said.  `diag`
 * says so then. */
void worker_explain_disk(struct worker *w, err_t err, struct diag *diag);

/* The clone seems to be damaged, as `err` says: fetches all of the remote into a new clone, unless that did not help a
 * short while ago.  *head is the remote's commit, as far as it is known.  E_FORMAT: the new clone is no better. */
err_t worker_renew(struct worker *w, err_t err, git_oid *head, struct diag *diag);

/* True when the branch of a local remote is not at `id` any more.  *is_rewritten: it does not have `id` in its history
 * either. */
bool worker_has_moved(struct worker *w, const git_oid *id, bool *is_rewritten);

bool worker_pull(struct worker *w, const struct link_frame *pull); /* true: a COMMIT was sent, and DONE will come */
void worker_get(struct worker *w, const struct link_frame *get);
void worker_push(struct worker *w, const struct link_frame *push);

/* Writes what was fetched or pushed to the clone, and keeps the clone small. */
void worker_keep(struct worker *w, bool is_push);

/* The upkeep of a local remote (git/upkeep.h).  The first is called after a PUSH.  The second waits for a frame while a
 * repack is at work, or may soon begin.  True: a frame is there. */
void worker_note_push(struct worker *w);
bool worker_await_upkeep(struct worker *w);

/* The last step before the worker ends: work on the clone that takes long.  The supervisor is told before that it need
 * not wait. */
void worker_leave(struct worker *w);
