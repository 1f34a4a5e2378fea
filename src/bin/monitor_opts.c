#include "bin/monitor_opts.h"

#include <argp.h>
#include <string.h>

#include "bin/cli.h"

enum option_key { KEY_METRICS = 256, KEY_SYSLOG };

enum { METRICS_PORT = 9153, SYSLOG_PORT = 514 /* RFC 5426 3.3 */ };

static const struct argp_option options[] = {
	{ "metrics", KEY_METRICS, "ADDR[@PORT]", 0,
	  "Tell metrics there by HTTP: /metrics for Prometheus, / for people (port 9153). Whoever reaches it sees the names of all zones. "
	  "Default: nowhere", 3 },
	{ "syslog", KEY_SYSLOG, "ADDR[@PORT]|PATH", 0,
	  "Send the log to this syslog server as well: by UDP (RFC 5424, port 514), or to a local socket, such as /dev/log", 3 },
	{ 0 },
};

static void
take_local(struct log_syslog_to *to, const char *path, struct argp_state *state)
{
	if (strlen(path) >= sizeof to->sa.local.sun_path) {
		cli_usage(state, "--syslog=%s; the path of a socket has at most %zu octets", path, sizeof to->sa.local.sun_path - 1);
	}
	*to = (struct log_syslog_to){ .sa.local = { .sun_family = AF_UNIX }, .len = sizeof to->sa.local };
	strcpy(to->sa.local.sun_path, path);
}

static void
take_syslog(struct monitor_opts *o, const char *arg, struct argp_state *state)
{
	struct listen_address a;
	struct diag d;
	o->syslog_text = arg;
	if (arg[0] == '/') {
		take_local(&o->syslog, arg, state);
		return;
	}
	if (listen_parse(arg, SYSLOG_PORT, &a, &d) != OK) {
		cli_usage(state, "--syslog=%s; %s, or the path of a socket", d.text, d.hint);
	}
	o->syslog = (struct log_syslog_to){ .len = a.len };
	memcpy(&o->syslog.sa, &a.sa, a.len);
}

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
	case KEY_SYSLOG: take_syslog(o, arg, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp monitor_argp = { .options = options, .parser = read_option };
