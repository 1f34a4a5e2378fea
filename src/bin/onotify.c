/* onotify: tells a primary that its repository has changed (RFC 1996, signed as in RFC 8945). */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/cli_asking.h"
#include "bin/cli_notify.h"
#include "bin/cli_wait.h"
#include "dns/rrtype.h"
#include "net/client.h"
#include "ops/privs.h"

const char *argp_program_version = CLI_VERSION("onotify");

enum { UDP_TRIES = 3 };

static const char doc[] =
	"Tells a name server that ZONE has changed, and waits for the acknowledgement. Origin's primary then pulls its git "
	"repository at once and serves what has changed, in all zones.\n"
	"\n"
	"SERVER is an address (IPv4 or IPv6) or a host name; without it the server on this machine is told."
	"\v"
	"The notification must be signed with a key that the server knows from the file _keys or NAME._keys in its repository. The "
	"key's name must give the right: ANYTHING._notify.DOMAIN (or _transfer, or _update) for ZONE within DOMAIN. "
	"\"okeygen tsig me._notify.example\" makes such a key.\n"
	"\n"
	"Other users can read a command line, so keep the key in a file (--key-file) or in the environment variable ORIGIN_KEY, in "
	"the form NAME:ALGORITHM:SECRET.\n"
	"\n"
	"Examples:\n"
	"  onotify example.org --key-file=/etc/origin/notify.key\n"
	"  onotify 192.0.2.53 example.org --key=me._notify.example.org:SHA256:c2Vj...\n"
	"  ORIGIN_KEY=... onotify ns1.example.org example.org --port=5353\n"
	"  git push && onotify example.org --key-file=/etc/origin/notify.key --wait\n"
	"\n"
	"Exit status: 0 the server has acknowledged and, with --wait, serves the commit; 1 it has not, or does not; 2 wrong usage.";

enum { KEY_SERIAL = 256, KEY_TCP, KEY_COMMIT };

static const struct argp_option options[] = {
	CLI_ASKING_ROWS,
	{ "serial", KEY_SERIAL, "N", 0, "Send the zone's new serial number with the notification", 0 },
	{ "tcp", KEY_TCP, NULL, 0, "Do not try UDP first", 0 },
	{ "timeout", CLI_ASKING_TIMEOUT, "SECONDS", 0, "How long to wait after the first try over UDP; the next two are given twice "
	  "and four times as long, TCP three times (1)", 0 },
	{ "wait", CLI_ASKING_WAIT, "SECONDS", OPTION_ARG_OPTIONAL, "Wait until the commit is served, or until it is known why it is not "
	  "(60)", 0 },
	{ "commit", KEY_COMMIT, "ID", 0, "The commit to wait for. Default: HEAD of the repository of the current directory, if there is "
	  "one", 0 },
	{ "quiet", 'q', NULL, 0, "Say nothing when all is well", 0 },
	{ 0 },
};

struct opts {
	const char *arg[2]; /* positional */
	unsigned arg_n;
	struct cli_asking asking;
	bool has_serial, is_tcp, is_quiet;
	uint32_t serial;
	const char *commit;
};

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;
	switch (key) {
	case KEY_SERIAL:
		o->serial = (uint32_t)cli_number_argument(state, "the serial", arg, 0, UINT32_MAX);
		o->has_serial = true;
		break;
	case KEY_TCP:
		o->is_tcp = true;
		break;
	case KEY_COMMIT:
		o->commit = arg;
		break;
	case 'q':
		o->is_quiet = true;
		break;
	case ARGP_KEY_ARG:
		if (o->arg_n == ARRAY_LEN(o->arg)) {
			cli_usage(state, "too many arguments: only SERVER and ZONE are expected");
		}
		o->arg[o->arg_n++] = arg;
		break;
	case ARGP_KEY_END:
		if (o->arg_n == 0) {
			cli_usage(state, "which zone has changed?");
		}
		if (o->commit != NULL && o->asking.wait_s == 0) {
			cli_usage(state, "--commit says what --wait waits for: give --wait, too");
		}
		[[fallthrough]];
	default:
		return cli_asking_parse(&o->asking, key, arg, state);
	}
	return 0;
}

struct notifying {
	const struct opts *opts;
	struct cli_notification n;
	struct cli_wait wait;
	struct client_addresses to;
};

/* ---- arguments ---- */

static err_t
read_zone(struct cli_notification *n, const struct opts *o)
{
	for (unsigned i = 0; i < o->arg_n; i++) {
		if (cli_is_key(o->arg[i])) { /* oupdate takes a key there, so somebody will try it here */
			cli_error("one of the arguments is a key: give it with --key= or, better, in a file (--key-file)");
			return E_FORMAT;
		}
	}
	const char *zone = o->arg[o->arg_n - 1];
	n->asked.host = o->arg_n == 2 ? o->arg[0] : NULL;
	if (client_is_address(zone)) {
		cli_error(o->arg_n == 1 ? "%s is an address: which zone has changed there?"
		                        : "%s is an address, not a zone: the server comes first, then the zone", zone);
		return E_FORMAT;
	}
	err_t err = name_parse(zone, strlen(zone), NULL, &n->zone);
	if (err != OK) {
		cli_error("%s is not a domain name: %s", zone, err_str(err));
		return E_FORMAT;
	}
	(void)name_show(n->zone.oct, n->zone_text);
	n->asked.subject = n->zone_text;
	return OK;
}

static err_t
read_key(struct cli_notification *n, const struct opts *o)
{
	const struct cli_secret from = {
		.arg = o->asking.key, .file = o->asking.key_file, .env = "ORIGIN_KEY", .credential = "notify-key",
	};
	err_t err = cli_signed_read_key(&n->asked, &from, "--key");
	if (err == E_NOTFOUND) {
		cli_warning("no key: Origin acknowledges unsigned notifications, but does not pull");
		cli_hint("give a key with --key-file, --key or ORIGIN_KEY; \"okeygen tsig me._notify.%s\" makes one",
		         n->zone_text);
		return OK;
	}
	return err;
}

static err_t
resolve(struct notifying *n)
{
	char why[CLIENT_WHY_MAX];
	err_t err = client_resolve(n->n.asked.host, n->opts->asking.port, &n->to, why);
	if (err != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: onotify SERVER ZONE");
	}
	return err;
}

/* Chooses the commit to wait for, and asks the server for its state before it is told. */
static err_t
prepare_wait(struct notifying *n)
{
	const struct opts *o = n->opts;
	struct cli_wait *w = &n->wait;
	w->status.to = &n->to;
	w->status.timeout_s = o->asking.timeout_s;
	w->status.asked.subject = n->n.zone_text;
	w->status.asked.host = n->n.asked.host;
	w->status.asked.port = o->asking.port;
	w->status.asked.doubt_hint = "so it is not known whether the commit is served";
	w->status.asked.key = n->n.asked.key;
	w->status.asked.request.key = &w->status.asked.key;
	(void)name_print(w->status.asked.key.name.oct, w->status.asked.key_text);
	w->seconds = o->asking.wait_s;
	w->is_quiet = o->is_quiet;
	TRY(cli_wait_choose(w, o->commit));
	return cli_wait_begin(w);
}

static int
run(struct notifying *n)
{
	const struct opts *o = n->opts;
	const struct client_patience patience = {
		.udp_tries = o->is_tcp ? 0 : UDP_TRIES, .udp_first_ms = o->asking.timeout_s * 1000, .tcp_ms = o->asking.timeout_s * 3000,
	};
	if (resolve(n) != OK || (o->asking.wait_s != 0 && prepare_wait(n) != OK)) {
		return CLI_FAILED;
	}
	int status = cli_notify(&n->n, &n->to, &patience);
	return status == CLI_OK && o->asking.wait_s != 0 ? cli_wait_end(&n->wait) : status;
}

/* --wait asks the server for its state, and servers answer that only to a key. */
static err_t
check_wait(const struct notifying *n)
{
	if (n->opts->asking.wait_s != 0 && n->n.asked.request.key == NULL) {
		cli_error("--wait asks the server for its state, and that takes a key");
		return E_AUTH;
	}
	return OK;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_opt, "[SERVER] ZONE", doc, NULL, cli_help_filter, NULL };
	struct opts o = { .asking = { .port = 53, .timeout_s = 1 } };
	cli_init();
	privs_hide_memory();
	cli_parse(&argp, argc, argv, &o);
	struct notifying *n = xalloc(sizeof *n);
	n->opts = &o;
	n->n.asked.port = o.asking.port;
	n->n.asked.doubt_hint = "the server may have received the NOTIFY nevertheless: see its log";
	n->n.has_serial = o.has_serial;
	n->n.serial = o.serial;
	n->n.is_quiet = o.is_quiet;
	int status = CLI_USAGE;
	if (read_zone(&n->n, &o) == OK && read_key(&n->n, &o) == OK && check_wait(n) == OK) {
		status = run(n);
	}
	wipe(n, sizeof *n);
	free(n);
	return status;
}
