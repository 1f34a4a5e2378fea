/* image/modules.h -- loads the drivers that the image brings along. */
#pragma once

#include "base/err.h"
#include "ops/log.h"

/* Loads all files of /modules, in the order of their names, and removes them: their memory is free then.  A driver whose device is
 * missing is no error.  E_IO: the directory cannot be read. */
err_t modules_load(const struct log *log);
