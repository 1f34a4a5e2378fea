/* bin/oprimary_secrets.h -- the remote and the secrets for it: where they come from, and that nobody else keeps a copy.
 *
 * The command line alone is looked at before the processes part.  The keeper (git/keeper.h) alone needs the secrets, and
 * reads them; every process overwrites what it has of them.
 */
#pragma once

#include "git/keeper.h"

/* What the command line says.  The texts are in argv. */
struct secret_args {
	char *remote, *ssh_key;
	const char *ssh_key_file, *credential_file, *authenticator;
};

/* While the command line is read: an option that is given again replaces the one before, which is overwritten. */
void secrets_take_remote(struct secret_args *a, char *text);
void secrets_take_ssh_key(struct secret_args *a, char *text);

/* How they are read: from the command line, files, the environment and credentials; what is wrong is printed.  How they are forgotten:
 * what is secret in argv is overwritten, and so are all variables ORIGIN_*, where the kernel shows them (proc(5): cmdline, environ).  `a`
 * is borrowed. */
struct keeper_secrets secrets_for_keeper(struct secret_args *a);
