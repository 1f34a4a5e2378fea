/* git/gitproc.h -- the git process of oprimary: the supervisor, which has workers pull and push.
 *
 * git_process_run() is called in a child that was forked early, with one end of the link (git/link.h).  It returns when
 * the other end is closed or its parent is gone, and then the caller exits.  The supervisor does not use libgit2 and
 * stays small.  For each PULL or PUSH it forks a worker (git/worker.h), which may hang, crash or be killed without
 * harm.  A worker that has done its work waits a few seconds for the next request.
 *
 * The child must have one thread, and its parent's main thread must have forked it.  Signals are ignored from here on,
 * and every descriptor but 0, 1, 2 and `sock` is closed; the working directory stays.  Nothing is logged here: the
 * supervisor reports trouble to the DNS side with FAILED.
 */
#pragma once

#include "base/err.h"
#include "git/remote.h"
#include "ops/pulse.h"

/* `conf` is borrowed; defaults are filled in for its zeros.  `pulse` beats at least every PULSE_PERIOD_MS.  `sock` is
 * closed at the end.  E_BUSY: another primary uses the cache_dir.  E_IO: the cache_dir cannot be made.  The DNS side
 * has got a FAILED (retry_s 0) about such an error. */
err_t git_process_run(struct git_conf *conf, int sock, struct pulse *pulse);
