/* ops/host.h -- the name of this machine. */
#pragma once

enum { HOST_NAME_LEN_MAX = 255 };

/* "-": it has none that can be shown, of printable ASCII without spaces. */
void host_name(char out[HOST_NAME_LEN_MAX + 1]);
