/* tests/sim/git.h -- the git side of a primary, as git/link.h describes it, and the real updater (auth/updater.h) with it.
 *
 * One thing is done at a time: a pull or a push.  Each begins, reaches the remote, and ends; in between the process may be killed, or the
 * connection may be lost.  When to pull is decided as in git/puller.h.
 */
#pragma once

#include "auth/pull_pace.h"
#include "auth/updater.h"
#include "remote.h"
#include "sim.h"

struct git {
	struct sim_node *node;
	struct remote *remote;
	struct updater *updater;
	struct tree served;          /* the files of the commit that was given to the primary */
	unsigned commit;             /* that one */
	/* As git/puller.h: */
	struct pull_pace pace;
	bool is_whole_wanted;
	uint64_t pulls, answered, asked;
	/* The git process: */
	enum { GIT_IDLE, GIT_PULL_BEGUN, GIT_PULL_REACHED, GIT_PUSH_BEGUN, GIT_PUSH_REACHED } op;
	uint64_t next_ns;            /* when the op goes on */
	uint64_t retry_ns;           /* when it pulls on its own; NOW_NEVER */
	bool is_dead;
	bool is_pull_wanted, is_push_wanted;
	uint64_t pull;               /* the newest PULL that had come when the pull began */
	bool is_failing;             /* the op */
	bool is_whole;
	struct tree seen;            /* PULL_REACHED: what it has found */
	unsigned seen_head;
	struct pushed push;
	unsigned pushed;             /* its commit */
	bool is_again;
	err_t push_status;
	unsigned unknown;            /* the commit of a PUSH that ended with E_UNKNOWN; 0: none */
};

void git_start(struct sim_node *n); /* with what is in the repository */
void git_stop(struct sim_node *n);
void git_announce(struct sim_node *n); /* a NOTIFY says that something was pushed */
void git_die(struct sim_node *n);      /* the process that speaks to the remote */
void git_return(struct sim_node *n);
uint64_t git_next(const struct sim_node *n);
void git_timer(struct sim_node *n);
bool git_is_current(const struct sim_node *n); /* serves the head, and is not about to pull */

/* ---- git_served.c ---- */

void git_commit_id(unsigned commit, char out[65]);
void git_take_over(struct git *g, bool is_whole); /* what was seen last is served */
void git_note_signed(const struct git *g);
err_t git_open_file(void *ctx, const char *path, struct master_text *out); /* of the commit that is served */
void git_close_file(void *ctx, struct master_text *text);
