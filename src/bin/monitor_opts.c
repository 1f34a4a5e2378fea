#include "bin/monitor_opts.h"

#include <argp.h>

#include "bin/cli.h"

enum option_key { KEY_METRICS = 256 };

enum { METRICS_PORT = 9153 };

static const struct argp_option options[] = {
	{ "metrics", KEY_METRICS, "ADDR[@PORT]", 0,
	  "Tell metrics there by HTTP: /metrics for Prometheus, / for people (port 9153). Whoever reaches it sees the names of all zones. "
	  "Default: nowhere", 3 },
	{ 0 },
};

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct monitor_opts *o = state->input;
	struct diag d;
	switch (key) {
	case KEY_METRICS:
		if (listen_parse(arg, METRICS_PORT, &o->http, &d) != OK) {
			cli_usage(state, "--metrics=%s; %s", d.text, d.hint);
		}
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp monitor_argp = { .options = options, .parser = read_option };
