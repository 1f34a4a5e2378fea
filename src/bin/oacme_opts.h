/* bin/oacme_opts.h -- reads and checks oacme's command line. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/certifier.h"
#include "auth/follower.h"
#include "bin/daemon_opts.h"
#include "bin/follow_keys.h"
#include "bin/pkey_opts.h"
#include "crypto/host_names.h"
#include "crypto/pkey.h"
#include "net/listen.h"

enum { OACME_EAB_KEY_MAX = 256 };

struct oacme_opts {
	struct daemon_opts daemon;
	struct follow_keys_args key_args;
	const char *server_text;       /* --dns-server */
	unsigned port;
	struct keystore *keys;         /* owned */
	struct follow_source *sources; /* owned; they borrow the keys */
	size_t sources_n;
	struct certifier_place servers[CERTIFIER_SERVERS_MAX];
	size_t servers_n;
	const char *directory, *ca_file, *profile, *preferred_chain, *eab_kid, *eab_key_file;
	char contact[320];             /* "mailto:…"; "": none */
	uint8_t eab_key[OACME_EAB_KEY_MAX];
	size_t eab_key_len;
	char *seed_arg;                /* in argv */
	const char *seed_file;
	struct pkey_opts account_opts;
	struct pkey *account;          /* owned */
	bool is_check;
	struct dane_ports dane;
	unsigned dane_keep_s;
	struct host_names persist;     /* --print-persist */
};

/* Ends the program for --help, --version and wrong usage.  Otherwise returns the exit status: CLI_OK, or another one after printing what is
 * wrong.  Reads keys and seed, too. */
int oacme_opts_read(struct oacme_opts *o, int argc, char **argv);
void oacme_opts_fini(struct oacme_opts *o);
