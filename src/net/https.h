/* net/https.h -- sends the requests of a client of a certificate authority (acme/client.h), by libcurl on a libuv loop.
 *
 * https:// alone, with the server's certificate and name verified in any case, and no redirection followed.  A proxy comes from the
 * environment (https_proxy, no_proxy), as libcurl has it.  Answers have the limits of acme/http.h, and each request has a time limit.
 *
 * Threads: that of the loop alone.  Callbacks come from the loop, and may call https_send().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "acme/http.h"
#include "base/err.h"

enum {
	HTTPS_IN_FLIGHT_MAX = 16,     /* requests */
	HTTPS_CONNECTIONS_MAX = 8,
	HTTPS_CONNECT_MAX_S = 20,
	HTTPS_TIME_MAX_S = 90,        /* of a request: some CAs make the certificate while we wait */
	HTTPS_WHY_MAX = 512,
};

struct https_conf {
	uv_loop_t *loop;
	const char *ca_file;          /* PEM; whom to trust in place of the system's authorities; NULL: these; borrowed */
	void (*answered)(void *ctx, uint64_t id, const struct acme_answer *a); /* borrowed for the call */
	void (*failed)(void *ctx, uint64_t id, const char *why);               /* a line for people */
	void *ctx;
};

struct https;

/* NULL: no memory, or libcurl cannot begin. */
struct https *https_new(const struct https_conf *conf);
void https_free(struct https **h); /* NULL-safe; what is under way ends without a word; the loop has to run once more */

/* Copies the request.  When it cannot begin, or too many are under way, failed() is called in the loop's next turn. */
void https_send(struct https *h, const struct acme_request *r);
