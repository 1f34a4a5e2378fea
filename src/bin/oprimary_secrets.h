/* bin/oprimary_secrets.h -- the remote and the secrets for it: where they come from, and that nobody else keeps a copy.
 *
 * The command line alone is looked at before the processes part.  secrets_read() is for the keeper (bin/oprimary_keeper.h), which
 * alone needs them; every process calls secrets_forget().
 */
#pragma once

#include "git/remote.h"

/* What the command line says.  The texts are in argv. */
struct secret_args {
	char *remote, *ssh_key;
	const char *ssh_key_file, *credential_file, *authenticator;
};

/* While the command line is read: an option that is given again replaces the one before, which is overwritten. */
void secrets_take_remote(struct secret_args *a, char *text);
void secrets_take_ssh_key(struct secret_args *a, char *text);

/* Reads them all, from files, environment and credentials, too, into `conf`.  The exit status: CLI_OK, or what was wrong has been
 * printed. */
int secrets_read(const struct secret_args *a, struct git_conf *conf);

/* Overwrites what is secret in argv, and all variables ORIGIN_*, where the kernel shows them (proc(5): cmdline, environ). */
void secrets_forget(struct secret_args *a);
