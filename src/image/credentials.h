/* image/credentials.h -- secrets that the hypervisor gives beside the command line.
 *
 * QEMU gives files by its firmware configuration device: what is below opt/io.systemd.credentials/ there is a credential, by the name that
 * systemd uses, too.  The image itself, or an archive that is appended to it, may have some in /credentials.
 */
#pragma once

#include <stdbool.h>

#include "ops/log.h"

#define CREDENTIALS_DIR "/credentials"

/* Copies the hypervisor's credentials to CREDENTIALS_DIR.  True when there is any credential. */
bool credentials_take(const struct log *log);
