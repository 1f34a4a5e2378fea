#include "bin/bounds_opts.h"

#include <argp.h>

#include "bin/cli.h"

enum { DAY_S = 86400, YEAR_S = 365 * DAY_S };

enum option_key { KEY_REFRESH_MIN = 256, KEY_REFRESH_MAX, KEY_RETRY_MIN, KEY_RETRY_MAX, KEY_EXPIRE_MIN, KEY_EXPIRE_MAX };

static const struct argp_option options[] = {
	{ "refresh-min", KEY_REFRESH_MIN, "SECONDS", 0,
	  "Ask for a zone's serial no more often than this, whatever its SOA record says (2)", 1 },
	{ "refresh-max", KEY_REFRESH_MAX, "SECONDS", 0, "Ask at least this often (86400)", 1 },
	{ "retry-min", KEY_RETRY_MIN, "SECONDS", 0, "After a failure, try again no sooner than this (1)", 1 },
	{ "retry-max", KEY_RETRY_MAX, "SECONDS", 0, "After a failure, try again at least this often (14400)", 1 },
	{ "expire-min", KEY_EXPIRE_MIN, "SECONDS", 0, "Serve a zone at least this long without an answer of a primary (3)", 1 },
	{ "expire-max", KEY_EXPIRE_MAX, "SECONDS", 0, "Serve it no longer than this (31536000)", 1 },
	{ 0 },
};

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct follow_bounds *b = state->input;
	switch (key) {
	case KEY_REFRESH_MIN: b->refresh_min = cli_number_option(state, "refresh-min", arg, 1, YEAR_S); return 0;
	case KEY_REFRESH_MAX: b->refresh_max = cli_number_option(state, "refresh-max", arg, 1, YEAR_S); return 0;
	case KEY_RETRY_MIN: b->retry_min = cli_number_option(state, "retry-min", arg, 1, YEAR_S); return 0;
	case KEY_RETRY_MAX: b->retry_max = cli_number_option(state, "retry-max", arg, 1, YEAR_S); return 0;
	case KEY_EXPIRE_MIN: b->expire_min = cli_number_option(state, "expire-min", arg, 1, YEAR_S); return 0;
	case KEY_EXPIRE_MAX: b->expire_max = cli_number_option(state, "expire-max", arg, 1, YEAR_S); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp bounds_argp = { .options = options, .parser = read_option };

void
bounds_opts_init(struct follow_bounds *b)
{
	*b = (struct follow_bounds){ .refresh_min = 2, .refresh_max = DAY_S, .retry_min = 1, .retry_max = 14400, .expire_min = 3,
		                     .expire_max = YEAR_S };
}

int
bounds_opts_settle(const struct follow_bounds *b)
{
	const char *crossed = b->refresh_min > b->refresh_max ? "refresh"
	                      : b->retry_min > b->retry_max   ? "retry"
	                      : b->expire_min > b->expire_max ? "expire"
	                                                      : NULL;
	if (crossed != NULL) {
		cli_error("--%s-min is larger than --%s-max", crossed, crossed);
		return CLI_USAGE;
	}
	return CLI_OK;
}
