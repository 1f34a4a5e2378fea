/* image/settings.h -- the options of the machine: its addresses, its name, and where it asks for names and for the time.
 *
 * They have the names that they have for the unikernels whose place an image takes.  All other words are for the program; so is everything
 * behind a "--", as a program may have an option of the same name.
 *
 * Pure: the words are borrowed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "image/cmdline.h"

enum {
	SETTINGS_NAME_SERVERS_MAX = 3, /* resolv.conf(5) */
	SETTINGS_TIME_SERVERS_MAX = 4,
	SETTINGS_HOSTNAME_MAX = 64,    /* hostname(7) */
};

struct ip_address {
	int family;         /* AF_INET, AF_INET6; 0: none */
	uint8_t octets[16]; /* 4 for AF_INET */
	unsigned prefix;    /* length in bits, for the machine's own addresses */
};

struct settings {
	struct ip_address ipv4, ipv6, ipv4_gateway, ipv6_gateway;
	const char *hostname; /* NULL: not given */
	const char *name_servers[SETTINGS_NAME_SERVERS_MAX]; /* addresses */
	size_t name_servers_n;
	const char *time_servers[SETTINGS_TIME_SERVERS_MAX]; /* names or addresses */
	size_t time_servers_n;
	char *words[CMDLINE_WORDS_MAX + 1]; /* for the program; NULL after the last */
	size_t words_n;
};

/* `n` is at most CMDLINE_WORDS_MAX.  E_FORMAT, E_LIMIT: what is wrong, and the right form, is in *diag. */
err_t settings_read(struct settings *s, char *const *words, size_t n, struct diag *diag);

size_t ip_address_len(const struct ip_address *a); /* octets */

/* True when `b` is in the network of `a`.  They have the same family. */
bool ip_address_is_near(const struct ip_address *a, const struct ip_address *b);
