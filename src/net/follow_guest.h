/* net/follow_guest.h -- what else runs on the loop of the follower's thread (net/follow.h).
 */
#pragma once

#include <uv.h>

#include "auth/follower.h"
#include "base/err.h"
#include "net/link_source.h"

struct follow_guest {
	/* `machine` says which primaries a zone has, `from` whence they are asked; both are borrowed until the end.  After an error the
	 * loop's owner closes what handles there are.  E_NOMEM.  NULL: there is no guest. */
	err_t (*begin)(void *ctx, uv_loop_t *loop, const struct follower *machine, const struct link_source *from);
	/* Closes all connections and handles.  May be called twice, or without begin(). */
	void (*end)(void *ctx);
	void *ctx;
};
