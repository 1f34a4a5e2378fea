#include "bin/guard_opts.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"

enum option_key { KEY_NO_COOKIES = 256, KEY_COOKIE_SECRET_FILE, KEY_REQUIRE_SERVER_COOKIE };

static const struct argp_option options[] = {
	{ "cookie-secret-file", KEY_COOKIE_SECRET_FILE, "FILE", 0,
	  "Make DNS cookies with this secret, which all servers of one anycast address share: 32 hexadecimal digits, as BIND and Knot take "
	  "them. Further lines are older secrets, whose cookies are accepted, too. Default: a secret that is made up at the start", 2 },
	{ "require-server-cookie", KEY_REQUIRE_SERVER_COOKIE, NULL, 0,
	  "Over UDP, answer a client that knows cookies only once it shows a good one (BADCOOKIE). Default: answer it", 0 },
	{ "no-cookies", KEY_NO_COOKIES, NULL, 0,
	  "Pass over DNS cookies. This is for an anycast address whose other servers have none", 0 },
	{ 0 },
};

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct guard_opts *o = state->input;
	switch (key) {
	case KEY_NO_COOKIES: o->is_without_cookies = true; return 0;
	case KEY_COOKIE_SECRET_FILE: o->cookie_secret_file = arg; return 0;
	case KEY_REQUIRE_SERVER_COOKIE: o->requires_cookie = true; return 0;
	case ARGP_KEY_END:
		if (o->is_without_cookies && (o->requires_cookie || o->cookie_secret_file != NULL)) {
			cli_usage(state, "--no-cookies: does not go with --require-server-cookie and --cookie-secret-file");
		}
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
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
