/* bin/views.h -- the published views of a daemon whose replaced versions are discards (auth/next_view.h).
 */
#pragma once

#include "bin/daemon.h"
#include "net/served.h"

/* `first` is borrowed.  unpinned() is that of struct served_conf, with the program's ctx. */
struct served *views_new(struct daemon *d, const struct view *first, void (*unpinned)(void *ctx));
