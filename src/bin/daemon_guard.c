/* What protects others from forged questions to us, and us from floods: a stage that all daemons with a front have. */
#include <string.h>

#include "base/alloc.h"
#include "bin/daemon.h"
#include "net/random.h"

static void
make_up(uint8_t *key, size_t len)
{
	for (size_t at = 0; at < len; at += sizeof(uint32_t)) {
		uint32_t part = net_random_u32();
		memcpy(key + at, &part, sizeof part);
	}
}

static void
cookies_up(struct daemon *d)
{
	struct guard_opts *o = &d->opts->guard;
	bool is_made_up = o->cookies.n == 0;
	if (is_made_up) {
		make_up(o->cookies.secret[0], COOKIE_SECRET_LEN);
		o->cookies.n = 1;
	}
	d->opts->server.cookies = &o->cookies;
	d->opts->server.requires_cookie = o->requires_cookie;
	log_event(&d->log, LOG_LEVEL_INFO, "cookies", "secrets=%zu from=%s required=%s", o->cookies.n,
	          is_made_up ? "chance" : o->cookies_from, o->requires_cookie ? "yes" : "no");
}

static void
rate_limit_up(struct daemon *d)
{
	const struct rate_limit_conf *c = &d->opts->guard.rate;
	uint8_t key[RATE_LIMIT_KEY_LEN];
	make_up(key, sizeof key);
	d->opts->server.rate_limit = rate_limit_new(c, key);
	wipe(key, sizeof key);
	log_event(&d->log, LOG_LEVEL_INFO, "rate-limit", "rate=%u slip=%u window_s=%u ipv4_prefix=%u ipv6_prefix=%u exempt=%zu octets=%u",
	          c->rate, c->slip, c->window_s, (unsigned)c->ipv4_len, (unsigned)c->ipv6_len, c->exempt_n, (unsigned)RATE_LIMIT_OCTETS);
}

err_t
daemon_guard_up(struct daemon *d)
{
	const struct guard_opts *o = &d->opts->guard;
	if (!o->is_without_cookies) {
		cookies_up(d);
	}
	if (o->rate.rate != 0) {
		rate_limit_up(d);
	}
	return OK;
}

void
daemon_guard_down(struct daemon *d)
{
	if (!d->is_stuck) { /* a worker may be about to answer */
		rate_limit_free(&d->opts->server.rate_limit);
		guard_forget(&d->opts->guard);
	}
}
