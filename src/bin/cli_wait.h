/* bin/cli_wait.h -- waits until a primary serves a commit, or until it is known why it does not.
 *
 *     TRY(cli_wait_choose(&w, NULL)); // which commit
 *     TRY(cli_wait_begin(&w));        // before the NOTIFY: asks for the number of pulls
 *     ...                             // the NOTIFY
 *     return cli_wait_end(&w);
 *
 * The server numbers its pulls.  If the commit was pushed before cli_wait_begin(), a pull that begins after it sees the commit.
 * A server that is restarted meanwhile counts from the beginning again.
 */
#pragma once

#include <stdint.h>

#include "bin/cli_status.h"

struct cli_wait {
	/* Set by the program: the key, the addresses, and the subject of messages. */
	struct cli_status status;
	unsigned seconds;      /* how long to wait at most */
	bool is_quiet;         /* print nothing when all is well */
	/* private */
	char commit[65];       /* "": any commit that a pull brings */
	uint64_t pulls;        /* pulls that had begun at cli_wait_begin() */
	uint64_t started;      /* when the server started, since 1970; 0: the key may not see it */
	bool has_pulls;        /* the server counts them: it is no secondary */
	bool is_known;         /* the fields below are those of an answer */
	char served[65], error[512]; /* of the last answer */
	uint64_t pull;         /* the last pull that has ended */
	size_t troubles;       /* zones with trouble from this commit */
};

/* `commit` is in hex, or a name known to the repository of the current directory.  NULL: HEAD of that repository, or if there is none, any
 * commit.  E_NOTFOUND: the name is not known; that was printed. */
err_t cli_wait_choose(struct cli_wait *w, const char *commit);
err_t cli_wait_begin(struct cli_wait *w); /* the reason for an error was printed; E_UNSUPPORTED: the server is a secondary */
int cli_wait_end(struct cli_wait *w);     /* CLI_OK: the commit is served; CLI_FAILED: the reason was printed */
