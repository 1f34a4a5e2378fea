/* auth/daemon_state.h -- what there is to say of a server as a whole besides its zones: for questions about its state (auth/status.h).
 *
 * A copy of a moment, which server_conf.state fills in.  Texts are cut at their end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What became of the last pull, or push. */
struct daemon_step {
	uint64_t n;        /* its number, from 1; 0: none has ended yet */
	uint64_t ended_s;  /* since 1970 */
	unsigned took_ms;
	err_t err;
	char text[400];    /* not OK: why, in words */
};

struct daemon_state {
	uint64_t started_s;
	char remote[256];      /* as it is shown to people: without a password */
	char branch[128];      /* "refs/heads/main"; "": not seen yet */
	char head[65];         /* the branch's, as last seen; "": likewise */
	uint64_t served_s;     /* since when the commit is served; 0: none is */
	uint64_t pulls;        /* that were begun */
	struct daemon_step pull, push;
	unsigned retry_s;      /* of a failed pull: when it is tried again; 0: when somebody asks */
	size_t waiting;        /* updates */
	uint64_t commits, updates, refused, failed; /* commits that were pushed; updates, by their answers */
	const char *trouble;   /* of the process, static; NULL, "": all is well */
};
