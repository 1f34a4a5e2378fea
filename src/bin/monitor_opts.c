#include "bin/monitor_opts.h"

#include <argp.h>
#include <string.h>

#include "bin/cli.h"

enum option_key { KEY_METRICS = 256, KEY_MONITOR, KEY_MONITOR_INTERVAL, KEY_SYSLOG };

enum {
	METRICS_PORT = 9153,
	MONITOR_PORT = 8094, /* of Telegraf's socket_listener, by convention */
	SYSLOG_PORT = 514,   /* RFC 5426 3.3 */
	INTERVAL_S = 10,
};

static const struct argp_option options[] = {
	{ "metrics", KEY_METRICS, "ADDR[@PORT]", 0,
	  "Tell metrics there by HTTP: /metrics for Prometheus, / for people (port 9153). Whoever reaches it sees the names of all zones. "
	  "Default: nowhere", 3 },
	{ "monitor", KEY_MONITOR, "ADDR[@PORT]", 0,
	  "Send metrics there by TCP as Influx lines, to Telegraf or its like (port 8094). Default: nowhere", 3 },
	{ "monitor-interval", KEY_MONITOR_INTERVAL, "SECONDS", 0, "How often (10)", 3 },
	{ "syslog", KEY_SYSLOG, "ADDR[@PORT]|PATH", 0,
	  "Send the log to this syslog server as well: by UDP (RFC 5424, port 514), or to a local socket, such as /dev/log", 3 },
	{ 0 },
};

/* A port behind a colon is understood, too: in other programs that is how it is written here.  `or_else`: what else may be given. */
static void
take_address(const char *name, const char *arg, uint16_t port, const char *or_else, struct listen_address *out, struct argp_state *state)
{
	char text[LISTEN_TEXT_MAX];
	struct diag d;
	const char *colon = strchr(arg, ':');
	bool is_v4 = colon != NULL && arg[0] != '[' && strchr(colon + 1, ':') == NULL && strlen(arg) < sizeof text;
	if (is_v4) {
		strcpy(text, arg);
		text[colon - arg] = '@';
	}
	if (listen_parse(is_v4 ? text : arg, port, out, &d) != OK) {
		cli_usage(state, "--%s=%s; %s%s", name, d.text, d.hint, or_else);
	}
}

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
	o->syslog_text = arg;
	if (arg[0] == '/') {
		take_local(&o->syslog, arg, state);
		return;
	}
	take_address("syslog", arg, SYSLOG_PORT, ", or the path of a local socket, such as /dev/log", &a, state);
	o->syslog = (struct log_syslog_to){ .len = a.len };
	memcpy(&o->syslog.sa, &a.sa, a.len);
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct monitor_opts *o = state->input;
	switch (key) {
	case KEY_METRICS:
		take_address("metrics", arg, METRICS_PORT, "", &o->http, state);
		return 0;
	case KEY_MONITOR:
		take_address("monitor", arg, MONITOR_PORT, "", &o->to, state);
		o->to_text = arg;
		return 0;
	case KEY_MONITOR_INTERVAL: o->interval_s = cli_number_option(state, "monitor-interval", arg, 1, 3600); return 0;
	case KEY_SYSLOG: take_syslog(o, arg, state); return 0;
	case ARGP_KEY_END:
		if (o->interval_s != 0 && o->to_text == NULL) {
			cli_usage(state, "--monitor-interval: has no effect without --monitor=ADDR[@PORT]");
		}
		o->interval_s = o->interval_s != 0 ? o->interval_s : INTERVAL_S;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp monitor_argp = { .options = options, .parser = read_option };
