/* ops/inherited.h -- descriptors that the service manager hands to the process at its start (sd_listen_fds(3)), without libsystemd.
 *
 * They are sockets of a socket unit, and those that an earlier process of the service gave to the manager to keep (ops/ready.h).
 * The list is one for the process, as the descriptors are.
 */
#pragma once

#include <stddef.h>

enum { INHERITED_MAX = 2048 }; /* more than FileDescriptorStoreMax= of the units and the sockets of a socket unit */

struct inherited {
	int fd;           /* not open in programs that this one executes; -1: somebody has taken it */
	const char *name; /* as the manager knows it; "unknown" if it has said none */
};

/* Finds out what was inherited, by the environment, and clears that part of it, so that no child takes the list for its own.  To be called
 * once, before anything opens or closes descriptors. */
void inherited_find(void);

struct inherited *inherited_list(size_t *n);

/* Puts those that nobody has taken into out[], in rising order, and returns how many there are. */
size_t inherited_open(int out[INHERITED_MAX]);
