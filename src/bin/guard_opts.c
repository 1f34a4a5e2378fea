#include "bin/guard_opts.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "net/peer.h"

enum option_key {
	KEY_NO_COOKIES = 256, KEY_COOKIE_SECRET_FILE, KEY_REQUIRE_SERVER_COOKIE, KEY_RATE_LIMIT, KEY_SLIP, KEY_WINDOW, KEY_IPV4_PREFIX,
	KEY_IPV6_PREFIX, KEY_EXEMPT,
};

static const struct argp_option options[] = {
	{ "cookie-secret-file", KEY_COOKIE_SECRET_FILE, "FILE", 0,
	  "Make DNS cookies with this secret, which all servers of one anycast address share: 32 hexadecimal digits, as BIND and Knot take "
	  "them. Further lines are older secrets, whose cookies are accepted, too. Default: a secret that is made up at the start", 2 },
	{ "require-server-cookie", KEY_REQUIRE_SERVER_COOKIE, NULL, 0,
	  "Over UDP, answer a client that knows cookies only once it shows a good one (BADCOOKIE). Default: answer it", 0 },
	{ "no-cookies", KEY_NO_COOKIES, NULL, 0,
	  "Pass over DNS cookies. This is for an anycast address whose other servers have none", 0 },
	{ "rate-limit", KEY_RATE_LIMIT, "N", 0,
	  "Like answers that one network of clients gets over UDP in a second; what comes in a flood from forged addresses is held back. "
	  "Signed requests, and clients that show a good cookie, have no limit. Default: 0, nobody has one", 0 },
	{ "rate-limit-slip", KEY_SLIP, "N", 0,
	  "Of N answers that are held back, one goes out without records, so that real clients come over TCP (2). 0: none, 1: all", 0 },
	{ "rate-limit-window", KEY_WINDOW, "SECONDS", 0,
	  "A network that goes on asking too much gets nothing more, until it has been quiet for up to so long (15). 1: it gets N "
	  "answers in each second", 0 },
	{ "rate-limit-ipv4-prefix", KEY_IPV4_PREFIX, "BITS", 0, "What counts as one network of IPv4 (24)", 0 },
	{ "rate-limit-ipv6-prefix", KEY_IPV6_PREFIX, "BITS", 0, "The same of IPv6 (56)", 0 },
	{ "rate-limit-exempt", KEY_EXEMPT, "PREFIX", 0,
	  "No limit for these addresses, such as 192.0.2.0/24 or 2001:db8::1; may be repeated", 0 },
	{ 0 },
};

/* An address, with or without a length after "/". */
static void
take_exempt(struct rate_limit_conf *c, const char *arg, struct argp_state *state)
{
	const char *slash = strchr(arg, '/');
	struct rate_limit_network n = { .len = 0 };
	size_t len = slash != NULL ? (size_t)(slash - arg) : strlen(arg);
	uint64_t bits = 0;
	if (c->exempt_n == RATE_LIMIT_EXEMPT_MAX) {
		cli_usage(state, "--rate-limit-exempt: at most %d prefixes", RATE_LIMIT_EXEMPT_MAX);
	}
	bool is_address = peer_parse_address(arg, len, &n.address) == OK;
	unsigned most = n.address.family == 4 ? 32 : 128;
	if (!is_address || (slash != NULL && cli_number(slash + 1, most, &bits) != OK)) {
		cli_usage(state, "--rate-limit-exempt=%s: should be a prefix or an address, such as 192.0.2.0/24 or 2001:db8::1", arg);
	}
	n.len = (uint8_t)(slash != NULL ? bits : most);
	c->exempt[c->exempt_n++] = n;
}

/* Options that say how to limit, but not by what rate. */
static error_t
read_rate_option(struct guard_opts *o, int key, const char *arg, struct argp_state *state)
{
	struct rate_limit_conf *c = &o->rate;
	switch (key) {
	case KEY_SLIP:
		o->rate_option = "slip";
		c->slip = cli_number_option(state, "rate-limit-slip", arg, 0, RATE_LIMIT_SLIP_MAX);
		return 0;
	case KEY_WINDOW:
		o->rate_option = "window";
		c->window_s = cli_number_option(state, "rate-limit-window", arg, 1, RATE_LIMIT_WINDOW_MAX_S);
		return 0;
	case KEY_IPV4_PREFIX:
		o->rate_option = "ipv4-prefix";
		c->ipv4_len = (uint8_t)cli_number_option(state, "rate-limit-ipv4-prefix", arg, 1, 32);
		return 0;
	case KEY_IPV6_PREFIX:
		o->rate_option = "ipv6-prefix";
		c->ipv6_len = (uint8_t)cli_number_option(state, "rate-limit-ipv6-prefix", arg, 1, 128);
		return 0;
	case KEY_EXEMPT:
		o->rate_option = "exempt";
		take_exempt(c, arg, state);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static void
check_together(const struct guard_opts *o, struct argp_state *state)
{
	if (o->is_without_cookies && (o->requires_cookie || o->cookie_secret_file != NULL)) {
		cli_usage(state, "--no-cookies: does not go with --require-server-cookie and --cookie-secret-file");
	}
	if (o->rate_option != NULL && !o->is_rate_given) {
		cli_usage(state, "--rate-limit-%s: has no effect without --rate-limit=N", o->rate_option);
	}
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct guard_opts *o = state->input;
	switch (key) {
	case KEY_NO_COOKIES: o->is_without_cookies = true; return 0;
	case KEY_COOKIE_SECRET_FILE: o->cookie_secret_file = arg; return 0;
	case KEY_REQUIRE_SERVER_COOKIE: o->requires_cookie = true; return 0;
	case KEY_RATE_LIMIT:
		o->is_rate_given = true;
		o->rate.rate = cli_number_option(state, "rate-limit", arg, 0, RATE_LIMIT_MAX);
		return 0;
	case ARGP_KEY_END: check_together(o, state); return 0;
	default: return read_rate_option(o, key, arg, state);
	}
}

void
guard_init(struct guard_opts *o)
{
	*o = (struct guard_opts){ .rate = { .slip = 2, .window_s = 15, .ipv4_len = 24, .ipv6_len = 56 } };
}

const struct argp guard_argp = { .options = options, .parser = read_option };

static int
complain(const char *origin, err_t err, unsigned line)
{
	if (err == E_NOTFOUND) {
		cli_error("%s: there is no cookie secret in it", origin);
	} else if (err == E_LIMIT) {
		cli_error("%s:%u: more than %d cookie secrets", origin, line, COOKIE_SECRETS_MAX);
	} else {
		cli_error("%s:%u: this is no cookie secret", origin, line);
	}
	cli_hint("a cookie secret is 32 hexadecimal digits, on a line of its own: openssl rand -hex 16");
	return CLI_USAGE;
}

int
guard_read(struct guard_opts *o)
{
	const struct cli_secret from = { .file = o->cookie_secret_file, .env = "ORIGIN_COOKIE_SECRET", .credential = "cookie-secret",
		                         .form = CLI_SECRET_TEXT };
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	unsigned line;
	if (o->is_without_cookies) {
		return CLI_OK;
	}
	if (cli_secret_read(&from, &text) != OK) {
		return CLI_FAILED;
	}
	if (text == NULL) {
		return CLI_OK;
	}
	const char *origin = cli_secret_origin(&from);
	(void)snprintf(o->cookies_from, sizeof o->cookies_from, "%s", origin);
	err_t err = cookie_secrets_parse(text, strlen(text), &o->cookies, &line);
	return err == OK ? CLI_OK : complain(origin, err, line);
}

void
guard_forget(struct guard_opts *o)
{
	wipe(&o->cookies, sizeof o->cookies);
}
