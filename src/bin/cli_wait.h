/* bin/cli_wait.h -- a tool that has a primary pull waits until the commit is served, or until it is known why it is not.
 *
 *     TRY(cli_wait_choose(&w, NULL)); // which commit
 *     TRY(cli_wait_begin(&w));        // before the NOTIFY: how far the server is
 *     ...                             // the NOTIFY
 *     return cli_wait_end(&w);
 *
 * The server numbers its pulls; one that began after cli_wait_begin() has seen the commit, when that was pushed before.
 * A server that is started anew meanwhile counts from the beginning.
 */
#pragma once

#include <stdint.h>

#include "bin/cli_status.h"

struct cli_wait {
	/* The program's: with the key, addresses, and what messages begin with. */
	struct cli_status status;
	unsigned seconds;      /* that are waited at most */
	bool is_quiet;         /* say nothing when all is well */
	/* private */
	char commit[65];       /* "": whatever a pull brings */
	uint64_t pulls;        /* that had begun, when we did */
	uint64_t started;      /* the server, since 1970; 0: the key may not see that */
	bool is_known;         /* what follows is an answer */
	char served[65], error[512]; /* of the answer heard last */
	uint64_t pull;
	size_t troubles;       /* of the commit */
};

/* `commit`: in hex, or a name that the repository around knows; NULL: the HEAD of that, or where there is none, whatever comes.
 * E_NOTFOUND: it is neither, which was printed. */
err_t cli_wait_choose(struct cli_wait *w, const char *commit);
err_t cli_wait_begin(struct cli_wait *w); /* errors were printed */
int cli_wait_end(struct cli_wait *w);     /* CLI_OK: it is served; CLI_FAILED: what became of it was printed */
