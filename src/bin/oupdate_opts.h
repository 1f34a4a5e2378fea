/* bin/oupdate_opts.h -- the command line of oupdate.
 *
 * Pointers lead into argv.  The key stays there, for cli_secret_read() to overwrite it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bin/cli_asking.h"
#include "dns/change.h"

enum { OUPDATE_ADDRESSES_MAX = 16 };

#define OUPDATE_AUTO "auto" /* in place of an address */

struct oupdate_change {
	enum change_kind kind;
	const char *text;
};

struct oupdate_opts {
	const char *server;
	struct cli_asking asking;
	const char *host;          /* NULL: nobody gets an address */
	const char *address[OUPDATE_ADDRESSES_MAX];
	size_t address_n;
	struct oupdate_change *changes; /* in the order given; owned */
	size_t changes_n;
	const char *zone;          /* NULL: the key's name says which */
	uint32_t ttl;
	bool is_tcp, is_quiet;
};

/* Ends the program for --help and the like, and after wrong usage, with a message. */
void oupdate_opts_read(int argc, char **argv, struct oupdate_opts *out);
void oupdate_opts_fini(struct oupdate_opts *o);

/* "--add" and so on. */
const char *oupdate_change_option(enum change_kind kind);
