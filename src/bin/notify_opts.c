#include "bin/notify_opts.h"

#include <argp.h>
#include <string.h>

#include "base/err.h"
#include "bin/cli.h"

enum option_key { KEY_NOTIFY = 256, KEY_NOTIFY_SOURCE };

static const struct argp_option options[] = {
	{ "notify", KEY_NOTIFY, "WHOM", 0,
	  "Send NOTIFY to all secondaries, only to those named by transfer keys or _secondaries files (keys), or to none. Default: all "
	  "(a secondary: keys); but if we listen only on loopback addresses, only to secondaries on such addresses", 2 },
	{ "notify-source", KEY_NOTIFY_SOURCE, "ADDRESS", 0,
	  "Send NOTIFY from this address, unless the key's name has an address of this machine; once for IPv4, once for IPv6", 2 },
	{ 0 },
};

static void
take_whom(struct notify_opts *o, const char *arg, struct argp_state *state)
{
	static const char *const whom[] = { [NOTIFY_WHOM_ALL] = "all", [NOTIFY_WHOM_KEYS] = "keys", [NOTIFY_WHOM_NONE] = "none" };
	o->is_default = false;
	for (unsigned i = 0; i < ARRAY_LEN(whom); i++) {
		if (strcmp(arg, whom[i]) == 0) {
			o->whom = (enum notify_whom)i;
			return;
		}
	}
	cli_usage(state, "--notify=%s: should be all, keys or none", arg);
}

static void
take_source(struct notify_opts *o, const char *arg, struct argp_state *state)
{
	struct listen_address a;
	if (listen_parse_host(arg, &a) != OK) {
		cli_usage(state, "--notify-source=%s: should be an address of this machine, without a port", arg);
		return;
	}
	struct listen_address *to = a.sa.any.sa_family == AF_INET ? &o->from_v4 : &o->from_v6;
	if (to->len != 0) {
		cli_usage(state, "--notify-source=%s: another address of that family was given already", arg);
	}
	*to = a;
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct notify_opts *o = state->input;
	switch (key) {
	case KEY_NOTIFY: take_whom(o, arg, state); return 0;
	case KEY_NOTIFY_SOURCE: take_source(o, arg, state); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp notify_argp = { .options = options, .parser = read_option };

err_t
notify_up(struct daemon *d, const struct notify_opts *o, struct served *served, struct notify_out *out)
{
	out->log = &d->log;
	out->served = served;
	out->workers = d->front.tcp;
	out->whom = o->whom;
	out->source_v4 = o->from_v4;
	out->source_v6 = o->from_v6;
	out->is_loopback_kept = o->is_default;
	return notify_out_start(out, d->front.conf.listen, d->front.conf.listen_n, &d->diag);
}

void
notify_down(const struct daemon *d, struct notify_out *out)
{
	if (d->is_stuck) {
		notify_out_silence(out);
	} else {
		notify_out_stop(out);
	}
}
