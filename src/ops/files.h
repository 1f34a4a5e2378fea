/* ops/files.h -- closes files that a process has inherited. */
#pragma once

#include <stddef.h>

/* Closes all files except standard output, standard error and keep[0, n), which is in rising order.  Standard input becomes /dev/null.
 * An inherited file may give access to secrets, and nobody needs it. */
void files_keep(const int *keep, size_t n);
