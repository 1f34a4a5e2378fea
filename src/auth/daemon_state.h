/* auth/daemon_state.h -- the state of the server as a whole, apart from its zones, for questions about it (auth/status.h).
 *
 * A copy of one moment, filled in by server_conf.state.  Long texts are cut at their end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The result of the last pull or push. */
struct daemon_step {
	uint64_t n;        /* number, counted from 1; 0: none has ended yet.  Of a pull: the newest that was asked for before it began */
	uint64_t ended_s;  /* since 1970 */
	unsigned took_ms;
	err_t err;
	char text[400];    /* unless OK: the reason */
};

struct daemon_state {
	uint64_t started_s;
	char remote[256];      /* as people may see it, without a password */
	char branch[128];      /* "refs/heads/main"; "": not seen yet */
	char head[65];         /* the branch's commit when last seen; "": not seen yet */
	uint64_t served_s;     /* time since when the commit is served; 0: none is served */
	uint64_t pulls;        /* pulls that the git side was asked for */
	struct daemon_step pull, push;
	unsigned retry_s;      /* seconds until a failed pull is tried again; 0: only when somebody asks */
	size_t waiting;        /* updates that wait for an answer */
	uint64_t commits, updates, refused, failed; /* commits that were pushed; updates, by their answers */
	char trouble[80];      /* of the process; "": all is well */
};
