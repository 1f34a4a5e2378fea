/* What protects others from forged questions to us, and us from floods: a stage that all daemons with a front have. */
#include <string.h>

#include "bin/daemon.h"
#include "net/random.h"

static void
make_up_secret(struct guard_opts *o)
{
	for (size_t at = 0; at < COOKIE_SECRET_LEN; at += sizeof(uint32_t)) {
		uint32_t part = net_random_u32();
		memcpy(o->cookies.secret[0] + at, &part, sizeof part);
	}
	o->cookies.n = 1;
}

err_t
daemon_guard_up(struct daemon *d)
{
	struct guard_opts *o = &d->opts->guard;
	struct server_conf *server = &d->opts->server;
	if (o->is_without_cookies) {
		return OK;
	}
	bool is_ours = o->cookies.n == 0;
	if (is_ours) {
		make_up_secret(o);
	}
	server->cookies = &o->cookies;
	server->requires_cookie = o->requires_cookie;
	log_event(&d->log, LOG_LEVEL_INFO, "cookies", "secrets=%zu from=%s required=%s", o->cookies.n, is_ours ? "chance" : o->cookies_from,
	          o->requires_cookie ? "yes" : "no");
	return OK;
}

void
daemon_guard_down(struct daemon *d)
{
	if (!d->is_stuck) { /* a worker may be about to make a cookie */
		guard_forget(&d->opts->guard);
	}
}
