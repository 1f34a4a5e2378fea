/* ops/ready.h -- tells the service manager the state of the service (sd_notify(3)), without libsystemd.
 *
 * Does nothing when NOTIFY_SOCKET is not set.  Never fails: a service manager that does not listen is no reason to stop serving.
 */
#pragma once

#include <stdint.h>

/* Opens the socket.  To be called before privileges are dropped and threads are started. */
void ready_open(void);

/* How often the service manager wants to get WATCHDOG=1 (sd_watchdog_enabled(3)); 0: never. */
uint64_t ready_watchdog_ms(void);

/* Gives a descriptor to the service manager to keep, under a name of ASCII characters without colon: the next process of the service
 * inherits it (ops/inherited.h), so a socket is open without a gap, and what arrives meanwhile waits in it.  Does nothing if the manager
 * keeps none (FileDescriptorStoreMax=). */
void ready_keep(int fd, const char *name);
void ready_forget(const char *name); /* the manager closes what it has under this name */

/* `state` is a printf format of lines such as "READY=1", with newlines between them. */
[[gnu::format(printf, 1, 2)]] void ready_notify(const char *state, ...);
