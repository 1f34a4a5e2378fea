/* bin/ocertify_opts.h -- the command line of ocertify.
 *
 * Pointers lead into argv.  Secrets stay there, for cli_secret_read() to overwrite them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/host_names.h"
#include "crypto/pkey.h"
#include "dns/name.h"

/* How the program ends, besides those of bin/cli.h. */
enum { EXIT_UNCHANGED = 3, EXIT_WAITING = 4, EXIT_REFUSED = 5 };

struct ocertify_opts {
	const char *server;          /* NULL: this machine */
	struct name host;            /* HOSTNAME, without "*." */
	char host_text[NAME_TEXT_MAX];
	struct host_names names;     /* HOSTNAME and the additional ones */
	char *dns_key, *seed, *data; /* in argv; NULL: not given */
	const char *dns_key_file, *seed_file;
	char *key_path, *csr_path, *certificate_path; /* owned */
	enum pkey_kind kind;
	unsigned bits;               /* of an RSA key */
	bool has_kind;               /* --type or --bits was given */
	uint16_t port;
	unsigned timeout_s;
	/* Made by ocertify_opts_locate(), owned. */
	char *next_key_path, *next_certificate_path; /* until key and certificate take their places together */
	char *hook_path;            /* there as long as the hook has to run for the certificate */
	char *lock_path;            /* there as long as a run is at work on these files */

	const char *renew_hook;
	bool is_forced, is_quiet;
};

/* Ends the program for --help and the like, and after wrong usage, with a message. */
void ocertify_opts_read(int argc, char **argv, struct ocertify_opts *out);

/* Follows the symbolic links at the three paths, and makes those of the files beside them.  The reason for an error was printed. */
err_t ocertify_opts_locate(struct ocertify_opts *o);

void ocertify_opts_fini(struct ocertify_opts *o);
