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

enum state {
	STATE_IDLE,      /* no PULL or PUSH is under way */
	STATE_PULLING,   /* a worker does a PULL */
	STATE_DELIVERED, /* the DNS side has a COMMIT; its DONE is still to come */
	STATE_PUSHING,   /* a worker does a PUSH */
};

enum {
	PUSH_TIMEOUTS_MAX = 10, /* a PUSH may take so many times --fetch-timeout, even if the remote keeps sending something */
	CHILD_TEXT_MAX = 256,
};

/* The worker. */
struct child {
	pid_t pid; /* 0: none */
	int sock;
	uint64_t stopped_ns; /* since when we know that it is stopped (SIGSTOP); 0: it is not */
	bool is_leaving; /* it cleans up and then ends; the next PULL or PUSH needs another one */
	bool is_fresh; /* it was started for this PULL or PUSH, so it has no old state that could be the reason for a failure */
};

struct git_process {
	struct git_conf *conf;
	struct git_home home;
	int sock, signals;
	struct pulse *pulse;
	pid_t parent;
	struct child child;
	int child_status;          /* of the last worker that ended, as waitpid() has it */
	enum state state;
	bool is_wanted;            /* a PULL waits */
	uint64_t asked;            /* the number of the newest PULL */
	uint64_t answers;          /* the same when the last pull began; 0: that pull told the commit in the cache */
	bool is_whole_wanted;      /* it had the flag WHOLE, and no whole tree was DONE with OK since */
	bool is_cache_due;         /* no commit was told yet, and the cache has one */
	bool is_from_cache;        /* this PULL tells the commit in the cache */
	uint64_t begun_ns;         /* PULLING, PUSHING: when that began */
	uint64_t deadline_ns;      /* PULLING, PUSHING, or during a GET: the worker must send something by then; 0: none */
	uint64_t limit_ns;         /* PULLING, PUSHING: the request must be done by then, whatever the worker sends */
	uint64_t patience_ns;      /* PULLING with is_cache_due: then the commit in the cache is told; 0: none */
	uint64_t idle_ns;          /* IDLE: a worker that is still there then, and has sent nothing, hangs; 0: none */
	uint64_t retry_ns;         /* then a pull begins that nobody has asked for; 0: none */
	unsigned failures;         /* of pulls, in a row */
	bool is_unkept;            /* the last failure was that the told commit could not be written to the clone */
	char base[65];             /* the last commit that the DNS side has taken: a COMMIT that was DONE with OK, or its own PUSH */
	char told[65];             /* DELIVERED: the commit that was told */
	bool is_told_whole;        /* DELIVERED: the COMMIT told the whole tree */
	unsigned gets;             /* GETs that are not answered yet; in DELIVERED or IDLE */
	unsigned get_tries;        /* of the last GET */
	char get_path[LINK_TEXT_MAX];
	char branch[LINK_TEXT_MAX]; /* of the last pull; "": its commit came out of the cache */
	unsigned tries;            /* PULLING, PUSHING: workers that have failed */
	struct link_frame push;    /* the PUSH that waits for IDLE, or is under way; fd -1: there is none */
	char risked[65];           /* PUSHING: the commit that the remote may have by now; "": it cannot have it */
	char lost[65];             /* a commit of which nobody knows whether the remote has it; "": none */
};

static inline uint64_t
from_now(unsigned seconds)
{
	return clock_ns() + (uint64_t)seconds * 1000000000u;
}

/* PULLING, PUSHING: how long it has taken so far. */
static inline uint32_t
took_ms(const struct git_process *g)
{
	return (uint32_t)((clock_ns() - g->begun_ns) / 1000000u);
}

/* How long a PULL or a PUSH may take, with or without progress. */
static inline unsigned
limit_s(const struct git_process *g, bool is_push)
{
	return is_push ? g->conf->fetch_timeout_s * PUSH_TIMEOUTS_MAX : g->conf->fetch_max_s;
}

/* Sends a frame to the DNS side.  An error shows at the next turn of the loop, which ends then. */
void tell(struct git_process *g, const struct link_frame *f);

/* ---- the worker ---- */

void child_end(struct git_process *g);

/* Prints how the last worker ended, and what may be the reason.  `what` names the worker. */
const char *child_say_end(const struct git_process *g, const char *what, char out[CHILD_TEXT_MAX]);

/* True when the worker has been stopped (SIGSTOP) for a few seconds.  It is replaced then, and not only after
 * --fetch-timeout: somebody may be waiting for the answer to an update. */
bool child_is_stopped_for_long(struct git_process *g);

/* For the end of the supervisor: the worker gets a moment to write what it fetched, or to hear the outcome of a push. */
void child_end_gently(struct git_process *g);

/* Prints why no worker could be started for `work` (by errno), and what to do. */
void child_print_refusal(const char *work, char out[CHILD_TEXT_MAX]);

/* Sends a frame to the worker, and starts one if there is none or it has just ended.  E_IO: none can be started; errno
 * says why. */
err_t child_send(struct git_process *g, const struct link_frame *f);

/* Sends a PULL or a PUSH to the worker. */
err_t child_ask(struct git_process *g, const struct link_frame *f);

/* The request is done.  Sets the time by which the worker must have ended, or must have got the next request. */
void child_idle(struct git_process *g);

/* True when a new worker may succeed where one has failed with `err`. */
bool child_may_fare_better(err_t err);

/* Ends this worker.  True when another one is worth a try at once.  It is if this worker had done other work before: it
 * may have failed because the repository was repacked or replaced since then, or because it was just about to end.  If
 * it was a fresh one, another is worth a try only if the trouble may pass (`may_pass`), and only a few times. */
bool child_is_worth_another(struct git_process *g, bool may_pass);

/* ---- PULL, PUSH, GET ---- */

void pull_begin(struct git_process *g, bool is_from_cache);

/* Gives the PULL to another worker, if that one is worth a try.  False: it is not. */
bool pull_again(struct git_process *g, bool may_pass);

/* Tells the DNS side that the PULL has failed.  If no commit was told yet, the commit in the cache is told next. */
void pull_failed(struct git_process *g, err_t err, uint8_t flags, const char *text);
void pull_on_frame(struct git_process *g, const struct link_frame *f); /* from the worker */
void pull_on_done(struct git_process *g, err_t status);

void push_begin(struct git_process *g);

/* As pull_again().  The remote must be known not to have the commit. */
bool push_again(struct git_process *g, bool may_pass);

/* Tells the DNS side that the PUSH has failed; with E_UNKNOWN, if the remote may have the commit. */
void push_failed(struct git_process *g, err_t err, const char *text);
void push_on_frame(struct git_process *g, const struct link_frame *f); /* from the worker */
void push_on_push(struct git_process *g, struct link_frame *f);        /* takes f->fd, unless the PUSH is refused */

void get_on_file(struct git_process *g, const struct link_frame *f);   /* from the worker */
void get_on_get(struct git_process *g, const struct link_frame *f);
void get_lost(struct git_process *g, err_t err, const char *why);      /* the worker has ended before it answered */
