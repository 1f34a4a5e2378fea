/* bin/oprimary_secrets.h -- the remote and its secrets: where they come from, and how every copy but one is overwritten.
 *
 * Before the processes part, only the command line is read, and the cookie secret of the process that answers (bin/guard_opts.h).  Only the
 * keeper process (git/keeper.h) reads the secrets of the remote.  Every process overwrites the copies that it has inherited.
 */
#pragma once

#include "bin/guard_opts.h"
#include "git/keeper.h"

/* From the command line; the texts are in argv. */
struct secret_args {
	struct guard_opts *of_answers; /* secrets of the process that answers, read before the others are forked; borrowed */
	char *remote, *ssh_key;
	const char *ssh_key_file, *credential_file, *authenticator;
};

/* Called while the command line is read.  If an option is given again, the new text counts and the earlier one is overwritten. */
void secrets_take_remote(struct secret_args *a, char *text);
void secrets_take_ssh_key(struct secret_args *a, char *text);

/* Functions for the keeper.  One reads the secrets from the command line, files, the environment and credentials, and prints what is wrong.
 * The other overwrites secrets in argv and all variables ORIGIN_*, which the kernel would show (proc(5): cmdline, environ).  `a` is
 * borrowed. */
struct keeper_secrets secrets_for_keeper(struct secret_args *a);
