/* ops/files.h -- which files a process has open. */
#pragma once

#include <stddef.h>

/* Closes all but standard output and error, and those in keep[0, n), which rises; standard input becomes /dev/null.  What was inherited may
 * hold secrets, and is nobody's any more. */
void files_keep(const int *keep, size_t n);
