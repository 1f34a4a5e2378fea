/* crypto/host_names.h -- the host names in a signing request or a certificate.
 *
 * Each is there once, in lower case, without a final dot: labels of letters, digits, "-" and "_", the first of which may be "*".  So a name
 * needs no escapes anywhere.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	HOST_NAMES_MAX = 100, /* CAs take no more */
	HOST_NAME_LEN = 253,
};

struct host_names {
	size_t n;
	char name[HOST_NAMES_MAX][HOST_NAME_LEN + 1];
};

/* Adds a name, unless it is there.  E_FORMAT: it is no such name; E_LIMIT: there are too many. */
err_t host_names_add(struct host_names *names, const char *text, size_t len);

bool host_names_has(const struct host_names *names, const char *name);
bool host_names_are_within(const struct host_names *names, const struct host_names *others); /* the others have all of them */
