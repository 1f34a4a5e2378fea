/* net/web.h -- a small HTTP server for people and for monitoring (libmicrohttpd): a thread of its own, which answers GET and HEAD.
 *
 * What it answers is made on its thread by the caller, and given to all who ask within WEB_FRESH_MS: however many ask, and however often,
 * it is not made more than once in that time.
 *
 * Bounds: WEB_CONNECTIONS_MAX connections.  One more closes the oldest, so a client that connects and says nothing costs others nothing.
 * A silent one is closed after WEB_SILENT_S in any case, and each after WEB_LIFE_S, so that a reader who takes little keeps no memory for
 * long.  WEB_REQUEST_MAX octets of a request are kept.  An answer has as many octets as the caller makes it have.
 *
 * Threads: the callbacks run on the thread that is started here, at least once in PULSE_PERIOD_MS.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "ops/pulse.h"

enum {
	WEB_CONNECTIONS_MAX = 24,
	WEB_FILES = WEB_CONNECTIONS_MAX + 16, /* descriptors that it may need */
	WEB_SILENT_S = 10,
	WEB_LIFE_S = 60,
	WEB_REQUEST_MAX = 16 << 10,
	WEB_FRESH_MS = 1000,
	WEB_PAGES_MAX = 8,
	WEB_HEADERS_MAX = 6,
};

struct web_header {
	const char *name, *value; /* borrowed */
};

/* What can be asked for. */
struct web_page {
	const char *path;         /* "/metrics" */
	const char *accept;       /* only for clients whose Accept has this; NULL: for all.  The first page that fits is taken */
	struct web_header headers[WEB_HEADERS_MAX]; /* name NULL behind the last one */
};

struct web_conf {
	const struct web_page *pages; /* borrowed; at most WEB_PAGES_MAX */
	size_t pages_n;
	/* Writes what the page with that number has.  An error, or want of memory in `out`: the client gets status 503. */
	err_t (*make)(void *ctx, size_t page, struct str *out);
	void (*turn)(void *ctx);      /* once in each turn of the thread, about every second */
	void (*begin)(void *ctx);     /* on the new thread, first, */
	void (*end)(void *ctx);       /* and last */
	void *ctx;
};

struct web;

/* Starts the thread.  `fd` is a socket that listens and does not block; it is the server's from now on, also after an error.  E_IO,
 * E_NOMEM. */
err_t web_start(const struct web_conf *conf, int fd, struct web **out, struct diag *diag);

/* False: the thread is still busy after `limit_ms`, so nothing that it uses may be freed.  NULL-safe. */
bool web_stop(struct web **w, unsigned limit_ms);

const struct pulse *web_pulse(const struct web *w);
