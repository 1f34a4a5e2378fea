/* ops/ready.h -- tells the service manager how we are (sd_notify(3)), without its library.
 *
 * Does nothing when NOTIFY_SOCKET is not set.  Never fails: a service manager that does not listen
 * is no reason not to serve.
 */
#pragma once

/* `state`: lines such as "READY=1", joined with newlines. */
[[gnu::format(printf, 1, 2)]] void ready_notify(const char *state, ...);
