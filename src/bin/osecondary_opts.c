#include "bin/osecondary_opts.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

#include "bin/cli.h"

enum option_key {
	KEY_KEYS = 256, KEY_KEYS_FILE, KEY_PRIMARY, KEY_CATALOG, KEY_INCOMING_MAX, KEY_MAX_ZONE_SIZE, KEY_MAX_RECORDS,
	KEY_FORWARD_UPDATES, KEY_STATE_DIR, KEY_USER,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The primaries:", 1 },
	{ "keys", KEY_KEYS, "KEY[,KEY...]", 0,
	  "Follow the zones that these keys may transfer; may be repeated. A key is NAME:ALGORITHM:SECRET, and its name says of which "
	  "domain, and where: PRIMARY.SECONDARY._transfer.DOMAIN, with the addresses of both, or ANY.PRIMARY._transfer.DOMAIN. The command "
	  "line can be read by every user of the machine until the program has started: prefer --keys-file or ORIGIN_KEYS", 0 },
	{ "keys-file", KEY_KEYS_FILE, "FILE", 0, "Read such keys from this file, one on each line, or one key statement of BIND", 0 },
	{ "primary", KEY_PRIMARY, "ADDR[@PORT]", 0,
	  "Ask this primary, in place of those that the keys' names have; may be repeated: then the newest version counts", 0 },
	{ "catalog", KEY_CATALOG, "NAME", 0,
	  "Follow this catalog zone (RFC 9432), and all zones that it lists, with the keys of its domain; may be repeated", 0 },
	{ "incoming-max", KEY_INCOMING_MAX, "N", 0, "Zones that are transferred to us at a time (16)", 0 },
	{ "max-zone-size", KEY_MAX_ZONE_SIZE, "MIB", 0,
	  "Memory that one zone may take; a larger one keeps its last version. Default: what --memory-max leaves", 0 },
	{ "max-records", KEY_MAX_RECORDS, "N", 0, "Records that one transfer may have. Default: no limit", 0 },
	{ "forward-updates", KEY_FORWARD_UPDATES, NULL, 0,
	  "Pass signed updates of our zones on to their primaries, and the answers back. Default: updates are refused", 0 },

	{ "state-dir", KEY_STATE_DIR, "DIR", 0,
	  "Keep the zones in files here, and serve them at once after the next start, until they expire. Default: nothing is written", 3 },
	{ "user", KEY_USER, "NAME", 0,
	  "Become this user once the sockets are open. Default, if root starts it: origin, or nobody", 3 },
	{ 0 },
};

static const char doc[] =
	"Serves the zones of a primary, which it follows by zone transfers (AXFR, IXFR): with any primary, and configured by keys alone."
	"\v"
	"Examples:\n\n"
	"  osecondary --keys=10.0.42.2.10.0.42.3._transfer.example.org:SHA256:c2VjcmV0...\n"
	"      Follow example.org from 10.0.42.2. With ._transfer alone (no domain): all zones of that primary.\n\n"
	"  osecondary --keys-file=/etc/origin/keys --primary=127.0.0.1@5300 --listen=127.0.0.1@5301\n"
	"      Follow a primary on another port, for a first look.\n\n"
	"Secrets that no option gives come from ORIGIN_KEYS and ORIGIN_COOKIE_SECRET, or the systemd credentials \"keys\" and "
	"\"cookie-secret\".\n\n"
	"Signals: USR1 writes the counters and the state of each zone to the log, TERM and INT end. The log goes to standard error, one "
	"line for each event. Exit status: 0 ended on request, 1 could not start, 2 wrong usage.";

static void
take_primary(struct secondary_opts *o, const char *arg, struct argp_state *state)
{
	struct diag d;
	if (o->primaries_n == FOLLOW_PRIMARIES_MAX) {
		cli_usage(state, "--primary: at most %d addresses", FOLLOW_PRIMARIES_MAX);
	}
	struct listen_address *a = &o->primaries[o->primaries_n++];
	if (listen_parse(arg, 53, a, &d) != OK) {
		cli_usage(state, "--primary=%s; should be an address, such as 192.0.2.1 or 192.0.2.1@5300", d.text);
	} else if (listen_is_wildcard(a)) {
		cli_usage(state, "--primary=%s: is every address of this machine, and no primary's", arg);
	}
}

static void
take_catalog(struct secondary_opts *o, const char *arg, struct argp_state *state)
{
	const char *wrong = follow_catalogs_add(&o->catalogs, arg);
	if (wrong != NULL) {
		cli_usage(state, "--catalog=%s: %s", arg, wrong);
	}
}

/* "--state-dir --listen=..." and "--state-dir=$UNSET" are slips: the first would make a directory with the name of an option. */
static void
take_state_dir(struct secondary_opts *o, const char *arg, struct argp_state *state)
{
	if (arg[0] == '\0' || arg[0] == '-') {
		cli_usage(state, "--state-dir=%s: should be a directory, such as /var/lib/origin-secondary", arg);
	}
	o->state_dir = arg;
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct secondary_opts *o = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->daemon;
		state->child_inputs[1] = &o->notify;
		state->child_inputs[2] = &o->bounds;
		return 0;
	case KEY_KEYS: follow_keys_take(&o->key_args, arg, "--keys-file", state); return 0;
	case KEY_KEYS_FILE: o->key_args.file = arg; return 0;
	case KEY_PRIMARY: take_primary(o, arg, state); return 0;
	case KEY_CATALOG: take_catalog(o, arg, state); return 0;
	case KEY_INCOMING_MAX: o->transfers_max = cli_number_option(state, "incoming-max", arg, 1, 1000); return 0;
	case KEY_MAX_ZONE_SIZE: o->zone_octets_max = (uint64_t)cli_number_option(state, "max-zone-size", arg, 1, 1 << 24) << 20; return 0;
	case KEY_MAX_RECORDS: o->records_max = cli_number_option(state, "max-records", arg, 1, UINT32_MAX); return 0;
	case KEY_FORWARD_UPDATES: o->daemon.server.forwards_updates = true; return 0;
	case KEY_STATE_DIR: take_state_dir(o, arg, state); return 0;
	case KEY_USER: o->daemon.user = arg; return 0;
	case ARGP_KEY_ARG:
		cli_usage(state, "unexpected argument \"%s\": there are only options, and the keys are --keys=KEY", arg);
		return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &daemon_argp, 0, NULL, 0 }, { &notify_argp, 0, NULL, 0 }, { &bounds_argp, 0, NULL, 1 }, { 0 },
};
static const struct argp argp = { .options = options, .parser = read_option, .doc = doc, .children = children };

int
secondary_opts_read(struct secondary_opts *o, int argc, char **argv)
{
	*o = (struct secondary_opts){
		.key_args = { .option = "--keys" },
		.notify = { .whom = NOTIFY_WHOM_KEYS, .is_default = true },
	};
	daemon_opts_init(&o->daemon);
	bounds_opts_init(&o->bounds);
	o->daemon.server.takes_no_updates = true;
	cli_parse(&argp, argc, argv, o);
	int status = bounds_opts_settle(&o->bounds);
	status = status == CLI_OK ? daemon_opts_settle(&o->daemon) : status;
	status = status == CLI_OK ? guard_read(&o->daemon.guard) : status;
	status = status == CLI_OK ? follow_keys_read(&o->key_args, &o->keys) : status;
	const struct follow_keys_use use = { o->primaries, o->primaries_n, "--primary", false };
	return status == CLI_OK ? follow_keys_sources(o->keys, &use, &o->sources, &o->sources_n) : status;
}

void
secondary_opts_fini(struct secondary_opts *o)
{
	free(o->sources);
	keystore_free(&o->keys);
}
