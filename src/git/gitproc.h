/* git/gitproc.h -- the git side of oprimary: the supervisor, a process that has workers pull and push.
 *
 * git_process_run() is called in a child that was forked early, with one end of the link (git/link.h).  It returns when the other end is
 * closed or its parent is gone, and then the caller exits.  Signals are ignored.  The supervisor does not use libgit2 and stays
 * small: it forks a worker (git/worker.h) for each PULL or PUSH, which may hang, crash or be killed without harm.  A worker that has done
 * its work waits a few seconds for more.
 *
 * The child must have one thread, and its parent's main thread must have forked it.  Signals are set up here, and
 * every descriptor but 0, 1, 2 and `sock` is closed; the working directory is left alone.  Nothing is logged here: what
 * there is to say crosses the link as FAILED.
 */
#pragma once

#include "base/err.h"
#include "git/remote.h"
#include "ops/pulse.h"

/* `conf` is borrowed; defaults are filled in for its zeros.  `pulse` beats at least every PULSE_PERIOD_MS.  `sock` is closed at the
 * end.  E_BUSY: another primary uses the cache_dir; E_IO: it cannot be made; each with its FAILED sent (retry_s 0), which is all
 * that the other side sees of it. */
err_t git_process_run(struct git_conf *conf, int sock, struct pulse *pulse);
