/* git/worker_p.h -- private to git/worker*.c: the state of a worker, and its parts.
 *
 *   worker.c       the loop: frames from the supervisor and to it
 *   worker_pull.c  a PULL
 *   worker_get.c   files of a commit
 *   worker_push.c  a PUSH
 *   worker_keep.c  what is done afterwards: the clone is written and kept small, a local remote is kept in few packs
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "base/str.h"
#include "git/clone.h"
#include "git/connect.h"
#include "git/dirs.h"
#include "git/link.h"
#include "git/local.h"
#include "git/upkeep.h"
#include "git/worker.h"

struct worker {
	const struct git_conf *conf;
	struct git_how how;
	const struct git_home *home;
	int sock;
	struct git_clone clone; /* stays open for the next PULL; of a local remote in place it is `repo` alone */
	struct git_dirs dirs; /* that were read for GETs since the last PULL or PUSH */
	git_repository *local; /* a local remote that has a clone, once it was pushed to */
	git_oid head;         /* of the last fetch or push that came to something: what worker_keep() is to keep */
	struct str branch;    /* its full name; empty when it came out of the cache */
	bool is_cleared_up;   /* what a push that was killed has left in a local remote was looked for */
	struct git_upkeep upkeep; /* of a local remote */
	bool has_noted;       /* what is wrong with that was told */
	bool has_no_branch;   /* the remote was reached and has none of that name */
	unsigned untidied;    /* pushes since the clone was tidied */
	uint64_t told_ns;     /* when PROGRESS was last sent */
};

/* As struct git_how's `alive`; ctx is the worker.  Tells the supervisor, at most ten times a second. */
void worker_alive(void *ctx);

/* The clone, or the local remote itself. */
err_t worker_open_repo(struct worker *w, struct diag *diag);

/* To the supervisor, for good: when that is gone the process ends.  Closes f->fd. */
void worker_send(struct worker *w, const struct link_frame *f);
void worker_put_words(struct link_frame *out, const struct diag *diag); /* what is wrong, and the hint, as its text */
void worker_send_failed(struct worker *w, err_t err, uint8_t flags, const struct diag *diag);

/* When nothing can be written where the clone is, that is the reason, whatever a library made of it. */
void worker_explain_disk(struct worker *w, err_t err, struct diag *diag);

/* Fetches all of it into a new clone, when there is reason to think that this one does not help: `err`.  *head is what the remote has, as
 * far as that is known.  E_FORMAT: all the same it makes no sense. */
err_t worker_renew(struct worker *w, err_t err, git_oid *head, struct diag *diag);

/* Is the head of a local remote another than `id`?  *is_rewritten: and does not have it in its history. */
bool worker_has_moved(struct worker *w, const git_oid *id, bool *is_rewritten);

bool worker_pull(struct worker *w, const struct link_frame *pull); /* true: a COMMIT was sent, and DONE will come */
void worker_get(struct worker *w, const struct link_frame *get);
void worker_push(struct worker *w, const struct link_frame *push);

/* Writes what was fetched or pushed to the clone, and keeps that small. */
void worker_keep(struct worker *w, bool is_push);

/* After a PUSH, and while git is at work then. */
void worker_begin_upkeep(struct worker *w);
void worker_look_after_upkeep(struct worker *w);

/* Nobody has asked for anything for a while: what takes long is done now.  The supervisor is told that it need not wait for the end. */
void worker_leave(struct worker *w);
