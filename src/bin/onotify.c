/* onotify: tells a primary that there is something new in its repository (RFC 1996, signed with RFC 8945). */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/cli_signed.h"
#include "dns/rrtype.h"
#include "net/client.h"

const char *argp_program_version = CLI_VERSION("onotify");

enum { UDP_TRIES = 3, REQUEST_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 64 + TSIG_RR_MAX };

static const char doc[] =
	"Tells a name server that ZONE has changed, and waits until it says that it knows. Origin's primary then "
	"pulls its git repository at once and serves what is new, in all zones.\n"
	"\n"
	"SERVER is an address (IPv4 or IPv6) or a host name; without it the server on this machine is told."
	"\v"
	"The notification has to be signed with a key that the server knows from the file _keys or NAME._keys in its "
	"repository, and whose name gives the right: ANYTHING._notify.DOMAIN (or _transfer, or _update) for ZONE "
	"within DOMAIN. \"okeygen tsig me._notify.example\" makes one.\n"
	"\n"
	"Other users can read a command line, so the key is better kept in a file (--key-file) or in the environment "
	"variable ORIGIN_KEY, in the same form: NAME:ALGORITHM:SECRET.\n"
	"\n"
	"Examples:\n"
	"  onotify example.org --key-file=/etc/origin/notify.key\n"
	"  onotify 192.0.2.53 example.org --key=me._notify.example.org:SHA256:c2Vj...\n"
	"  ORIGIN_KEY=... onotify ns1.example.org example.org --port=5353\n"
	"\n"
	"Exit status: 0 the server has acknowledged, 1 it has not, 2 wrong usage.";

enum { KEY_KEY = 256, KEY_KEY_FILE, KEY_SERIAL, KEY_TCP, KEY_TIMEOUT };

static const struct argp_option options[] = {
	{ "key", KEY_KEY, "NAME:ALG:SECRET", 0, "Sign with this key. ALG: SHA256, also SHA1, SHA224, SHA384, SHA512; "
	  "SECRET in base64", 0 },
	{ "key-file", KEY_KEY_FILE, "FILE", 0, "Read the key from the first line of FILE (-: standard input)", 0 },
	{ "port", 'p', "N", 0, "Port of the server (53)", 0 },
	{ "serial", KEY_SERIAL, "N", 0, "Tell the zone's new serial number too", 0 },
	{ "tcp", KEY_TCP, NULL, 0, "Do not try UDP first", 0 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "Patience for the first try over UDP; the next two wait twice and four "
	  "times as long, TCP three times (1)", 0 },
	{ "quiet", 'q', NULL, 0, "Say nothing when all is well", 0 },
	{ 0 },
};

struct opts {
	const char *arg[2]; /* positional */
	unsigned arg_n;
	char *key;
	const char *key_file;
	uint16_t port;
	bool has_serial, is_tcp, is_quiet;
	uint32_t serial;
	unsigned timeout_s;
};

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;
	switch (key) {
	case KEY_KEY:
		o->key = arg;
		break;
	case KEY_KEY_FILE:
		o->key_file = arg;
		break;
	case 'p':
		o->port = (uint16_t)cli_number_argument(state, "the port", arg, 1, UINT16_MAX);
		break;
	case KEY_SERIAL:
		o->serial = (uint32_t)cli_number_argument(state, "the serial", arg, 0, UINT32_MAX);
		o->has_serial = true;
		break;
	case KEY_TCP:
		o->is_tcp = true;
		break;
	case KEY_TIMEOUT:
		o->timeout_s = (unsigned)cli_number_argument(state, "the timeout", arg, 1, 3600);
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
		if (o->key != NULL && o->key_file != NULL) {
			cli_usage(state, "--key and --key-file are two keys: give one");
		}
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

struct notification {
	const struct opts *opts;
	struct name zone;
	char zone_text[NAME_TEXT_MAX];
	struct cli_signed asked;
	uint8_t wire[REQUEST_MAX];
};

/* ---- what is sent ---- */

/* RFC 1996 3.7: the new SOA as a hint.  Only its serial is known here, and only that is looked at. */
static void
put_soa(struct buf *b, uint32_t serial)
{
	buf_u16(b, 0xC000 | DNS_HEADER_LEN); /* the name in the question */
	buf_u16(b, TYPE_SOA);
	buf_u16(b, CLASS_IN);
	buf_u32(b, 0);
	buf_u16(b, 2 + 5 * 4);
	buf_u16(b, 0); /* MNAME and RNAME: the root */
	buf_u32(b, serial);
	for (int i = 0; i < 4; i++) {
		buf_u32(b, 0);
	}
	buf_patch_u16(b, 6, 1); /* ANCOUNT */
}

static err_t
build(struct notification *n)
{
	struct buf b = buf_over(n->wire, sizeof n->wire);
	client_begin_request(&b, OPCODE_NOTIFY << 11 | DNS_AA, &(struct question){ n->zone.oct, TYPE_SOA, CLASS_IN });
	if (n->opts->has_serial) {
		put_soa(&b, n->opts->serial);
	}
	n->asked.request.wire = n->wire;
	n->asked.request.len = b.len;
	n->asked.request.cap = sizeof n->wire;
	return b.err;
}

/* ---- what is said about the answer ---- */

static void
explain_rights(const struct notification *n)
{
	if (n->asked.request.key == NULL) {
		cli_hint("this server takes signed notifications only: give it a key (--key-file, see --help)");
	} else {
		cli_signed_explain_rights(&n->asked, RIGHT_NOTIFY, n->zone.oct);
	}
}

static void
explain_refusal(const struct notification *n)
{
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s", n->zone_text, n->asked.server, rcode_print(n->asked.request.rcode, false, rcode));
	switch (n->asked.request.rcode) {
	case RCODE_NOTAUTH:
	case RCODE_REFUSED:
		cli_signed_hint_unknown_key(&n->asked);
		explain_rights(n);
		break;
	case RCODE_NOTIMP:
		cli_hint("this server does not know NOTIFY: is it the primary, and not a resolver?");
		break;
	case RCODE_FORMERR:
		cli_hint("this server does not understand the notification: %s",
		         n->asked.request.key != NULL ? "does it know TSIG?" : "is it a name server?");
		break;
	default:
		cli_hint("the server's log says why");
		break;
	}
}

static int
report(const struct notification *n)
{
	if (n->asked.request.outcome == SIGNED_ACCEPTED) {
		if (!n->opts->is_quiet) {
			(void)printf("%s: %s has acknowledged%s\n", n->zone_text, n->asked.server,
			             n->asked.request.key != NULL ? ", signed" : "");
		}
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	}
	if (signed_is_refusal(&n->asked.request)) {
		explain_refusal(n);
	} else {
		cli_signed_explain(&n->asked);
	}
	return CLI_FAILED;
}

/* ---- arguments ---- */

static err_t
read_zone(struct notification *n, const struct opts *o)
{
	for (unsigned i = 0; i < o->arg_n; i++) {
		if (cli_is_key(o->arg[i])) { /* as in oupdate's arguments */
			cli_error("one of the arguments is a key: it belongs after --key= or, better, into a file (--key-file)");
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
read_key(struct notification *n, const struct opts *o)
{
	const struct cli_secret from = {
		.arg = o->key, .file = o->key_file, .env = "ORIGIN_KEY", .credential = "notify-key",
	};
	err_t err = cli_signed_read_key(&n->asked, &from, "--key");
	if (err == E_NOTFOUND) {
		cli_warning("no key: Origin acknowledges unsigned notifications, but does not act on them");
		cli_hint("give a key with --key-file, --key or ORIGIN_KEY; \"okeygen tsig me._notify.%s\" makes one",
		         n->zone_text);
		return OK;
	}
	return err;
}

static int
run(struct notification *n)
{
	const struct opts *o = n->opts;
	struct client_addresses to;
	char why[CLIENT_WHY_MAX];
	if (client_resolve(n->asked.host, o->port, &to, why) != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: onotify SERVER ZONE");
		return CLI_FAILED;
	}
	err_t err = build(n);
	if (err != OK) {
		cli_error("%s: %s", n->zone_text, err_str(err));
		return CLI_FAILED;
	}
	const struct client_patience patience = {
		.udp_tries = o->is_tcp ? 0 : UDP_TRIES, .udp_first_ms = o->timeout_s * 1000, .tcp_ms = o->timeout_s * 3000,
	};
	err = cli_signed_ask(&n->asked, &to, &patience);
	return err == OK ? report(n) : CLI_FAILED;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_opt, "[SERVER] ZONE", doc, NULL, cli_help_filter, NULL };
	struct opts o = { .port = 53, .timeout_s = 1 };
	cli_init();
	cli_forbid_core();
	cli_parse(&argp, argc, argv, &o);
	struct notification *n = xalloc(sizeof *n);
	n->opts = &o;
	n->asked.port = o.port;
	n->asked.doubt_hint = "the server may have been told all the same: its log says";
	int status = CLI_USAGE;
	if (read_zone(n, &o) == OK && read_key(n, &o) == OK) {
		status = run(n);
	}
	wipe(n, sizeof *n);
	free(n);
	return status;
}
