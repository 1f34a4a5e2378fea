/* bin/oupdate_opts.h -- the command line of oupdate.
 *
 * What is pointed to is in argv.  The key is left there to be overwritten (cli_secret_read()).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/change.h"

enum { OUPDATE_ADDRESSES_MAX = 16 };

#define OUPDATE_AUTO "auto" /* in place of an address */

struct oupdate_change {
	enum change_kind kind;
	const char *text;
};

struct oupdate_opts {
	const char *server;
	char *key;                 /* NULL: elsewhere */
	const char *key_argument;  /* what the user calls it */
	const char *key_file;      /* NULL */
	const char *host;          /* NULL: nobody gets an address */
	const char *address[OUPDATE_ADDRESSES_MAX];
	size_t address_n;
	struct oupdate_change *changes; /* in the order given; owned */
	size_t changes_n;
	const char *zone;          /* NULL: as the key's name says */
	uint32_t ttl;
	uint16_t port;
	unsigned timeout_s;
	bool is_tcp, is_quiet;
};

/* Ends the program after --help and the like, and when the usage is wrong: it has said why. */
void oupdate_opts_read(int argc, char **argv, struct oupdate_opts *out);
void oupdate_opts_fini(struct oupdate_opts *o);

/* "--add" and so on. */
const char *oupdate_change_option(enum change_kind kind);
