/* git/gitproc_p.h -- private to git/gitproc*.c: the state of the supervisor, and its parts.
 *
 *   gitproc.c        the loop: frames of both sides, time
 *   gitproc_child.c  the worker: started, asked, ended
 *   gitproc_pull.c   a PULL, from the wish to DONE
 *   gitproc_push.c   a PUSH
 *   gitproc_get.c    files of a commit
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "git/home.h"
#include "git/link.h"
#include "git/remote.h"
#include "ops/clock.h"
#include "ops/pulse.h"

/* What the other side waits for. */
enum state {
	STATE_IDLE,      /* nothing: a PULL may begin */
	STATE_PULLING,   /* the outcome of a PULL */
	STATE_DELIVERED, /* it has a COMMIT, and DONE is still to come */
	STATE_PUSHING,   /* the outcome of a PUSH */
};

enum {
	PUSH_TIMEOUTS_MAX = 10, /* a remote may say something for ever: updates wait no longer than so many times --fetch-timeout */
	CHILD_TEXT_MAX = 256,
};

struct child {
	pid_t pid; /* 0: none */
	int sock;
	uint64_t stopped_ns; /* since when it is known to be stopped; 0: it is not */
	bool is_leaving; /* cleans up and goes; a PULL or PUSH is for another one */
	bool is_fresh; /* was started for this PULL or PUSH: when it fails, that is no leftover of an old state */
};

struct git_process {
	struct git_conf *conf;
	struct git_home home;
	int sock, signals;
	struct pulse *pulse;
	pid_t parent;
	struct child child;
	int child_status;          /* of the last one that ended, as waitpid() has it */
	enum state state;
	bool is_wanted;            /* a PULL waits */
	bool is_whole_wanted;
	bool is_cache_due;         /* nothing was told yet, and there is a commit in the cache */
	bool is_from_cache;        /* what this PULL tells */
	uint64_t deadline_ns;      /* PULLING, PUSHING, or a GET under way: the worker must have shown life by then; 0: none */
	uint64_t limit_ns;         /* PULLING, PUSHING: it must have ended by then, life or not */
	uint64_t patience_ns;      /* PULLING with is_cache_due: by then the cache is told; 0: none */
	uint64_t idle_ns;          /* IDLE: a worker that is still there and has said nothing by then hangs; 0: none */
	uint64_t retry_ns;         /* the next try by itself; 0: none */
	unsigned failures;         /* in a row */
	bool is_unkept;            /* the last of them: what was told could not be written to the clone */
	char base[65];             /* last COMMIT that was DONE with OK */
	char told[65];             /* DELIVERED: this one */
	unsigned gets;             /* not answered yet; DELIVERED or IDLE */
	unsigned get_tries;
	char get_path[LINK_TEXT_MAX];
	char branch[LINK_TEXT_MAX]; /* of the last pull; "": it came out of the cache */
	unsigned tries;            /* PULLING, PUSHING: that came to nothing */
	struct link_frame push;    /* waits for IDLE, or is under way; fd -1: there is none */
	char risked[65];           /* PUSHING: the commit that the remote may have by now; "": it cannot */
	char lost[65];             /* a commit of which it is not known whether the remote has it; "": none */
};

static inline uint64_t
from_now(unsigned seconds)
{
	return clock_ns() + (uint64_t)seconds * 1000000000u;
}

/* So long may a PULL or a PUSH take, with or without progress. */
static inline unsigned
limit_s(const struct git_process *g, bool is_push)
{
	return is_push ? g->conf->fetch_timeout_s * PUSH_TIMEOUTS_MAX : g->conf->fetch_max_s;
}

/* To the other side.  A link that is gone ends the loop at its next turn, not here. */
void tell(struct git_process *g, const struct link_frame *f);

/* ---- the worker ---- */

void child_end(struct git_process *g);

/* How the last one ended, and what may be the reason. */
const char *child_say_end(const struct git_process *g, const char *what, char out[CHILD_TEXT_MAX]);

/* Has somebody stopped the worker (SIGSTOP) and not let it go on for a few seconds?  Then it is replaced before --fetch-timeout has passed,
 * since somebody may wait for an answer. */
bool child_is_stopped_for_long(struct git_process *g);

/* At the end of it all: a worker may be about to write what it fetched, or to hear what became of a push. */
void child_end_gently(struct git_process *g);

/* Why none could be started, by errno(3), and what to do. */
void child_print_refusal(const char *work, char out[CHILD_TEXT_MAX]);

/* A frame for the worker; one that is just going is replaced.  E_IO: none can be started, and errno says why. */
err_t child_send(struct git_process *g, const struct link_frame *f);

/* A PULL or a PUSH for the worker. */
err_t child_ask(struct git_process *g, const struct link_frame *f);

/* The worker keeps what it fetched or pushed, waits a little, and goes. */
void child_idle(struct git_process *g);

/* Can it be that a new worker fares better? */
bool child_may_fare_better(err_t err);

/* Ends this worker.  Is another one worth a try, at once?  Yes if this one had done other work before: it may have failed because the
 * repository was repacked or replaced since, or because it was just about to end.  If it was a fresh one, only a few times, and only if
 * the trouble may be over by now (`may_pass`). */
bool child_is_worth_another(struct git_process *g, bool may_pass);

/* ---- PULL, PUSH, GET ---- */

void pull_begin(struct git_process *g, bool is_from_cache);
bool pull_again(struct git_process *g, bool may_pass);

/* The outcome of a PULL that came to nothing.  What the cache has is told once the remote is known to be away. */
void pull_failed(struct git_process *g, err_t err, uint8_t flags, const char *text);
void pull_on_frame(struct git_process *g, const struct link_frame *f); /* of the worker */
void pull_on_done(struct git_process *g, err_t status);

void push_begin(struct git_process *g);

/* As pull_again(), when it is known that the remote has not got it. */
bool push_again(struct git_process *g, bool may_pass);

/* When the remote may have the commit, nobody knows whether it failed. */
void push_failed(struct git_process *g, err_t err, const char *text);
void push_on_frame(struct git_process *g, const struct link_frame *f); /* of the worker */
void push_on_push(struct git_process *g, struct link_frame *f);        /* takes f->fd, for as long as the PUSH lasts */

void get_on_file(struct git_process *g, const struct link_frame *f);   /* of the worker */
void get_on_get(struct git_process *g, const struct link_frame *f);
void get_lost(struct git_process *g, err_t err, const char *why);      /* the worker is gone */
