/* image/mounts.h -- the file systems of the machine, and settings of its kernel. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "ops/log.h"

/* What the kernel shows of itself (/proc, /sys, /dev), and memory for temporary files (/tmp, /run).  E_IO. */
err_t mounts_up(struct diag *diag);

/* Mounts the first disk, if there is one, at /data.  If it cannot be mounted, the log says why, and nothing is kept. */
void mounts_disk(const struct log *log);

/* From here on nobody can load a module or another kernel, or write to the image's files. */
void mounts_seal(const struct log *log);

/* Everything is on the disk, and the disk can be taken away. */
void mounts_down(void);

/* Writes a value to a file of the kernel's.  E_IO with errno. */
err_t kernel_setting(const char *path, const char *value);
