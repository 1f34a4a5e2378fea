/* ops/ready.h -- tells the service manager how we are (sd_notify(3)), without its library.
 *
 * Does nothing when NOTIFY_SOCKET is not set.  Never fails: a service manager that does not listen
 * is no reason not to serve.
 */
#pragma once

#include <stdint.h>

/* Before privileges are dropped and threads started: opens its socket. */
void ready_open(void);

/* How often it wants to hear WATCHDOG=1 (sd_watchdog_enabled(3)); 0: never. */
uint64_t ready_watchdog_ms(void);

/* `state`: lines such as "READY=1", joined with newlines. */
[[gnu::format(printf, 1, 2)]] void ready_notify(const char *state, ...);
