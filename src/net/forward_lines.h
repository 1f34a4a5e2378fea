/* net/forward_lines.h -- the links of a forwarder (auth/forwarder.h), as TCP connections on a libuv loop (net/dial.h).
 *
 * Threads: that of the loop alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "auth/forwarder.h"
#include "net/link_source.h"

struct dial;

struct forward_line {
	struct forward_lines *owner;
	struct dial *dial;
};

struct forward_lines {
	/* set by the caller */
	void (*answer)(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len);
	void (*fail)(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why);
	void *ctx;
	/* the rest is zero before forward_lines_begin() */
	uv_loop_t *loop;
	const struct link_source *from;
	struct forwarder *machine;
	struct forward_line lines[FORWARDER_LINKS_MAX];
};

/* Makes the machine.  `from` is borrowed until the end. */
void forward_lines_begin(struct forward_lines *l, uv_loop_t *loop, const struct link_source *from);
void forward_lines_end(struct forward_lines *l); /* closes the connections and frees the machine; fine without a beginning */
