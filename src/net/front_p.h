/* net/front_p.h -- private to the files front*.c: front.c has the workers, front_sockets.c the sockets. */
#pragma once

#include "net/front.h"

/* The number of sockets for UDP, and as many for TCP. */
static inline size_t
front_sockets_n(const struct front *f)
{
	return f->conf.workers * f->conf.listen_n;
}
