/* onotify: tells a primary that there is something new in its repository (RFC 1996, signed with RFC 8945). */
#include <argp.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/keys.h"
#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/client.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"

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

static uint64_t
number(struct argp_state *state, const char *what, const char *text, uint64_t min, uint64_t max)
{
	uint64_t v = 0;
	if (cli_number(text, max, &v) != OK || v < min) {
		argp_error(state, "%s should be a number from %llu to %llu, not '%s'", what, (unsigned long long)min,
		           (unsigned long long)max, text);
	}
	return v;
}

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
		o->port = (uint16_t)number(state, "the port", arg, 1, UINT16_MAX);
		break;
	case KEY_SERIAL:
		o->serial = (uint32_t)number(state, "the serial", arg, 0, UINT32_MAX);
		o->has_serial = true;
		break;
	case KEY_TCP:
		o->is_tcp = true;
		break;
	case KEY_TIMEOUT:
		o->timeout_s = (unsigned)number(state, "the timeout", arg, 1, 3600);
		break;
	case 'q':
		o->is_quiet = true;
		break;
	case ARGP_KEY_ARG:
		if (o->arg_n == ARRAY_LEN(o->arg)) {
			argp_error(state, "too many arguments: only SERVER and ZONE are expected");
		}
		o->arg[o->arg_n++] = arg;
		break;
	case ARGP_KEY_END:
		if (o->arg_n == 0) {
			argp_error(state, "which zone has changed?");
		}
		if (o->key != NULL && o->key_file != NULL) {
			argp_error(state, "--key and --key-file are two keys: give one");
		}
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* What the server made of it. */
enum outcome {
	NOTHING,       /* no answer (yet) */
	ACKNOWLEDGED,
	REFUSED,       /* `rcode`; believed: signed, or nothing was to be signed */
	TSIG_REFUSED,  /* tsig.error, as the server says */
	UNSIGNED,      /* to a signed notification: `rcode` */
	BAD_SIGNATURE, /* tsig.error, as we found */
};

struct notification {
	const struct opts *opts;
	struct name zone;
	char zone_text[NAME_TEXT_MAX], key_text[NAME_TEXT_MAX];
	const char *host;
	struct tsig_key key;
	bool has_key;
	struct tsig sent, tsig; /* as it was after signing the request, and after verifying the answer */
	uint8_t wire[REQUEST_MAX];
	size_t len;
	enum outcome outcome;
	unsigned rcode;
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
	client_begin_request(&b, OPCODE_NOTIFY << 11 | DNS_AA, n->zone.oct, TYPE_SOA);
	if (n->opts->has_serial) {
		put_soa(&b, n->opts->serial);
	}
	n->len = b.len;
	if (b.err != OK || !n->has_key) {
		return b.err;
	}
	n->sent.key = &n->key;
	return tsig_sign_request(&n->sent, n->wire, &n->len, sizeof n->wire, (uint64_t)time(NULL));
}

/* ---- what comes back ---- */

/* Answers that cannot be believed are only taken when nothing better comes: anybody can send them. */
static enum client_verdict
judge_signed(struct notification *n, const struct msg *m, enum outcome by_rcode)
{
	struct tsig t = n->sent; /* an answer that was wrong leaves no trace in it */
	err_t err = tsig_verify_response(&t, m, (uint64_t)time(NULL));
	if (err != OK && err != E_NOTFOUND && err != E_AUTH) {
		return CLIENT_IGNORE;
	}
	n->tsig = t;
	n->outcome = err == OK ? by_rcode : err == E_NOTFOUND ? UNSIGNED : t.is_peer_error ? TSIG_REFUSED : BAD_SIGNATURE;
	return err == OK || t.is_error_signed ? CLIENT_TAKE : CLIENT_DOUBT;
}

static enum client_verdict
judge(void *ctx, const struct msg *m)
{
	struct notification *n = ctx;
	unsigned rcode = (m->bits & DNS_RCODE) | (m->edns.present ? m->edns.ext_rcode * 16u : 0);
	enum outcome by_rcode = rcode == RCODE_NOERROR ? ACKNOWLEDGED : REFUSED;
	enum client_verdict verdict = CLIENT_TAKE;
	if (n->has_key) {
		verdict = judge_signed(n, m, by_rcode);
	} else {
		n->outcome = by_rcode;
	}
	n->rcode = verdict != CLIENT_IGNORE ? rcode : n->rcode;
	return verdict;
}

/* ---- what is said about it ---- */

static void
explain_rights(const struct notification *n)
{
	struct key k = { 0 };
	if (!n->has_key) {
		cli_hint("this server takes signed notifications only: give it a key (--key-file, see --help)");
	} else if (key_name_read(n->key.name.oct, &k) != OK) {
		cli_hint("the key's name has no operation in it, so it may do nothing: make one that is named "
		         "ANYTHING._notify.%s", n->zone_text);
	} else if (!key_has_right(&k, RIGHT_NOTIFY, n->zone.oct)) {
		char domain[NAME_TEXT_MAX];
		(void)name_print(k.domain.oct, domain);
		cli_hint("the key is good for %s and what is below it, and %s is not", domain, n->zone_text);
	} else {
		cli_hint("the server's log says why");
	}
}

static void
explain_refusal(const struct notification *n, const char *server)
{
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s", n->zone_text, server, rcode_print(n->rcode, false, rcode));
	switch (n->rcode) {
	case RCODE_NOTAUTH:
	case RCODE_REFUSED:
		explain_rights(n);
		break;
	case RCODE_NOTIMP:
		cli_hint("this server does not know NOTIFY: is it the primary, and not a resolver?");
		break;
	case RCODE_FORMERR:
		cli_hint("this server does not understand the notification: %s",
		         n->has_key ? "does it know TSIG?" : "is it a name server?");
		break;
	default:
		cli_hint("the server's log says why");
		break;
	}
}

static void
print_time(uint64_t t_s, char out[32])
{
	time_t t = (time_t)t_s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
		(void)snprintf(out, 32, "%llu", (unsigned long long)t_s);
	}
}

static void
explain_clocks(const struct notification *n, const char *server)
{
	char here[32], there[32] = "(it does not say)";
	uint64_t now = (uint64_t)time(NULL), other = n->tsig.server_time_s;
	print_time(now, here);
	if (other != 0) {
		print_time(other, there);
		uint64_t apart = now > other ? now - other : other - now;
		cli_error("%s: the clocks are %llu seconds apart, more than the %d that a signature allows (BADTIME)",
		          n->zone_text, (unsigned long long)apart, TSIG_FUDGE_S);
	} else {
		cli_error("%s: %s finds the signature too old or too new (BADTIME)", n->zone_text, server);
	}
	cli_hint("here it is %s, at %s %s; set the clock that is wrong (timedatectl set-ntp true)", here, server, there);
}

static void
explain_tsig_refusal(const struct notification *n, const char *server)
{
	switch (n->tsig.error) {
	case RCODE_BADKEY:
		cli_error("%s: %s does not know the key %s with %s (BADKEY)", n->zone_text, server, n->key_text,
		          tsig_alg_text(n->key.alg));
		cli_hint("is it in the file _keys or NAME._keys of the repository, with this algorithm? A server that has not "
		         "pulled since it was put there does not know it yet: send it SIGHUP, or restart it, once");
		break;
	case RCODE_BADSIG:
		cli_error("%s: %s has another secret for the key %s (BADSIG)", n->zone_text, server, n->key_text);
		cli_hint("compare the secret with the one in the repository's _keys file");
		break;
	case RCODE_BADTIME:
		explain_clocks(n, server);
		break;
	default: {
		char error[RRTYPE_TEXT_MAX];
		cli_error("%s: %s refuses the signature: %s", n->zone_text, server, rcode_print(n->tsig.error, true, error));
		break;
	}
	}
}

static void
explain_bad_signature(const struct notification *n, const char *server)
{
	switch (n->tsig.error) {
	case RCODE_BADTIME:
		explain_clocks(n, server);
		break;
	case RCODE_BADKEY:
		cli_error("%s: the answer from %s is signed with another key", n->zone_text, server);
		break;
	default:
		cli_error("%s: the answer's signature is wrong: it does not come from %s, or was changed on its way",
		          n->zone_text, server);
		break;
	}
	cli_hint("the server may have been told all the same: its log says");
}

static void
explain_unsigned(const struct notification *n, const char *server)
{
	char rcode[RRTYPE_TEXT_MAX];
	(void)rcode_print(n->rcode, false, rcode);
	if (n->rcode != RCODE_NOERROR) {
		explain_refusal(n, server);
		return;
	}
	cli_error("%s: %s answers %s, but unsigned: that is not a server that knows the key", n->zone_text, server, rcode);
	cli_hint("is this the primary's address, and does it know keys (TSIG)?");
}

static void
explain_silence(const struct notification *n, err_t err, const char *why)
{
	cli_error("%s: %s", n->zone_text, why);
	if (err == E_REFUSED) {
		cli_hint("does the server run there, and on this port? (--port)%s",
		         n->host == NULL ? " Without SERVER, this machine is asked" : "");
	} else if (err == E_TIMEOUT) {
		cli_hint("is the address right, does the server run, does a firewall let port %u through?", n->opts->port);
	}
}

static int
report(const struct notification *n, const char *server)
{
	switch (n->outcome) {
	case ACKNOWLEDGED:
		if (!n->opts->is_quiet) {
			(void)printf("%s: %s has acknowledged%s\n", n->zone_text, server, n->has_key ? ", signed" : "");
		}
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	case REFUSED:
		explain_refusal(n, server);
		break;
	case TSIG_REFUSED:
		explain_tsig_refusal(n, server);
		break;
	case UNSIGNED:
		explain_unsigned(n, server);
		break;
	case BAD_SIGNATURE:
		explain_bad_signature(n, server);
		break;
	default:
		cli_error("%s: no answer", n->zone_text);
		break;
	}
	return CLI_FAILED;
}

/* ---- arguments ---- */

static bool
is_address(const char *text)
{
	uint8_t a[16];
	return inet_pton(AF_INET, text, a) == 1 || inet_pton(AF_INET6, text, a) == 1;
}

/* A key where none belongs, as in oupdate's arguments.  It must not be sent nor shown. */
static bool
looks_like_key(const char *text)
{
	return strcasestr(text, ":sha") != NULL || strcasestr(text, ":hmac-") != NULL;
}

static err_t
read_zone(struct notification *n, const struct opts *o)
{
	for (unsigned i = 0; i < o->arg_n; i++) {
		if (looks_like_key(o->arg[i])) {
			cli_error("one of the arguments is a key: it belongs after --key= or, better, into a file (--key-file)");
			return E_FORMAT;
		}
	}
	const char *zone = o->arg[o->arg_n - 1];
	n->host = o->arg_n == 2 ? o->arg[0] : NULL;
	if (is_address(zone)) {
		cli_error(o->arg_n == 1 ? "%s is an address: which zone has changed there?"
		                        : "%s is an address, not a zone: the server comes first, then the zone", zone);
		return E_FORMAT;
	}
	err_t err = name_parse(zone, strlen(zone), NULL, &n->zone);
	if (err != OK) {
		cli_error("%s is not a domain name: %s", zone, err_str(err));
		return E_FORMAT;
	}
	size_t len = name_print(n->zone.oct, n->zone_text);
	if (len > 1) {
		n->zone_text[len - 1] = '\0'; /* people leave the final dot out */
	}
	return OK;
}

static err_t
read_key(struct notification *n, const struct opts *o)
{
	const struct cli_secret from = {
		.arg = o->key, .file = o->key_file, .env = "ORIGIN_KEY", .credential = "notify-key",
	};
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	char why[128];
	TRY(cli_secret_read(&from, &text));
	if (text == NULL) {
		cli_warning("no key: Origin acknowledges unsigned notifications, but does not act on them");
		cli_hint("give a key with --key-file, --key or ORIGIN_KEY; \"okeygen tsig me._notify.%s\" makes one",
		         n->zone_text);
		return OK;
	}
	if (tsig_key_parse(text, &n->key, why) != OK) {
		cli_error("%s: %s", o->key != NULL ? "--key" : o->key_file != NULL ? o->key_file : "ORIGIN_KEY", why);
		return E_FORMAT;
	}
	(void)name_print(n->key.name.oct, n->key_text);
	n->has_key = true;
	return OK;
}

static int
run(struct notification *n)
{
	const struct opts *o = n->opts;
	struct client_addresses to;
	const struct client_address *from = NULL;
	char why[CLIENT_WHY_MAX];
	if (client_resolve(n->host, o->port, &to, why) != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: onotify SERVER ZONE");
		return CLI_FAILED;
	}
	err_t err = build(n);
	if (err != OK) {
		cli_error("%s: %s", n->zone_text, err_str(err));
		return CLI_FAILED;
	}
	const struct client_request request = {
		.wire = n->wire, .len = n->len, .judge = judge, .ctx = n,
		.udp_tries = o->is_tcp ? 0 : UDP_TRIES, .timeout_ms = o->timeout_s * 1000,
	};
	err = client_ask(&to, &request, &from, why);
	if (err != OK) {
		explain_silence(n, err, why);
		return CLI_FAILED;
	}
	return report(n, from->text);
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_opt, "[SERVER] ZONE", doc, NULL, cli_help_filter, NULL };
	struct opts o = { .port = 53, .timeout_s = 1 };
	cli_init();
	cli_forbid_core();
	(void)argp_parse(&argp, argc, argv, 0, NULL, &o);
	struct notification *n = xalloc(sizeof *n);
	n->opts = &o;
	int status = CLI_USAGE;
	if (read_zone(n, &o) == OK && read_key(n, &o) == OK) {
		status = run(n);
	}
	wipe(n, sizeof *n);
	free(n);
	return status;
}
