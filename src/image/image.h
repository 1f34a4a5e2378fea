/* image/image.h -- a daemon as the first and only program of a machine.
 *
 * An image (contrib/image) is a kernel, drivers and one of our daemons, as /init.  The kernel starts it as process 1,
 * which mounts what the kernel shows of itself, loads the drivers, brings the network up, and starts the program anew, as a child with the
 * words of the kernel's command line as its arguments.  Then it waits for the child's end, the power button and signals.
 *
 * Process 1 is root and reads nothing that comes from the network.  The child becomes another user, as on any other machine.
 */
#pragma once

#include <stdbool.h>

/* True when the process is the first one of such a machine.  A container's first process has /proc, so it is none. */
bool image_is_here(void);

/* `program` is the name that the daemon goes by.  Ends with the machine. */
[[gnu::noreturn]] void image_run(const char *program);
