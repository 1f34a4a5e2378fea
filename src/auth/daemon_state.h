/* auth/daemon_state.h -- the state of the server as a whole, apart from its zones, for questions about it (auth/status.h).
 *
 * A copy of one moment, filled in by functions of struct server_conf.  Long texts are cut at their end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The result of the last pull or push. */
struct daemon_step {
	uint64_t n;        /* of a pull: the number, from 1, of the newest that was asked for before it began; 0: none has ended yet.
	                    * Of a push: how many have succeeded; one that fails does not count */
	uint64_t ended_s;  /* since 1970; 0: none has ended yet */
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

/* Where a secondary keeps its zones for its next run. */
struct kept_state {
	char dir[256];
	size_t waiting;        /* zones that are to be written */
	char error[80];        /* why the last one could not be; "": all is well */
	uint64_t since_s;      /* since when there is an error */
};
