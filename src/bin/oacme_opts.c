#include "bin/oacme_opts.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/http.h"
#include "base/alloc.h"
#include "base/enc.h"
#include "bin/cli.h"
#include "net/peer.h"

enum option_key {
	KEY_DNS_KEY = 256, KEY_DNS_KEY_FILE, KEY_DNS_SERVER, KEY_PORT, KEY_NAME_SERVER, KEY_SEED, KEY_SEED_FILE, KEY_TYPE, KEY_BITS,
	KEY_EMAIL, KEY_PRODUCTION, KEY_DIRECTORY, KEY_CA_FILE, KEY_PROFILE, KEY_EAB_KID, KEY_EAB_KEY_FILE, KEY_PREFERRED_CHAIN,
	KEY_DANE, KEY_DANE_KEEP, KEY_CHECK, KEY_PRINT_PERSIST, KEY_USER, KEY_LOG_LEVEL,
	KEY_NO_SANDBOX,
};

static const char STAGING[] = "https://acme-staging-v02.api.letsencrypt.org/directory";
static const char PRODUCTION[] = "https://acme-v02.api.letsencrypt.org/directory";

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "DNS:", 1 },
	{ "dns-key", KEY_DNS_KEY, "KEY[,KEY...]", 0,
	  "Follow the zones that these keys may transfer, and change what they may update; may be repeated. A key is "
	  "NAME:ALGORITHM:SECRET. The command line can be read by every user of the machine until the program has started: prefer "
	  "--dns-key-file or ORIGIN_KEYS", 0 },
	{ "keys", KEY_DNS_KEY, NULL, OPTION_ALIAS, NULL, 0 }, /* as osecondary has it */
	{ "dns-key-file", KEY_DNS_KEY_FILE, "FILE", 0, "Read such keys from this file, one on each line, or one key statement of BIND", 0 },
	{ "dns-server", KEY_DNS_SERVER, "ADDR[@PORT]", 0, "The primary. Default: the address in each key's name", 0 },
	{ "port", KEY_PORT, "N", 0, "Port of --dns-server (53)", 0 },
	{ "name-server", KEY_NAME_SERVER, "ADDR[@PORT]", 0,
	  "Before the CA is told, ask here for the proofs, in place of all name servers of the zone; may be repeated", 0 },
	{ "dane", KEY_DANE, "PORT[,PORT...]", 0,
	  "Keep TLSA records 3 1 1 (DANE) at _PORT._tcp.NAME for each name of a certificate; may be repeated", 0 },
	{ "dane-keep", KEY_DANE_KEEP, "SECONDS", 0,
	  "How long those of an old key stay when there is a certificate for the new one, besides their TTL (7200)", 0 },

	{ NULL, 0, NULL, 0, "The certificate authority (CA):", 2 },
	{ "account-key-seed", KEY_SEED, "TEXT", 0,
	  "Derive the account's key from this secret: the same text is the same account. Prefer --account-key-seed-file or "
	  "ORIGIN_ACCOUNT_KEY_SEED", 0 },
	{ "account-key-seed-file", KEY_SEED_FILE, "FILE", 0, "Read it from the first line of FILE", 0 },
	{ "account-key-type", KEY_TYPE, "TYPE", 0, "p256 (default, also ec), p384, rsa or ed25519, which many CAs refuse", 0 },
	{ "account-bits", KEY_BITS, "N", 0, "Size of an RSA key, 2048 to 4096 (2048); alone it means rsa", 0 },
	{ "email", KEY_EMAIL, "ADDRESS", 0, "Where the CA may write to", 0 },
	{ "production", KEY_PRODUCTION, NULL, 0, "Let's Encrypt itself. Default: its staging environment, which browsers do not trust", 0 },
	{ "directory", KEY_DIRECTORY, "URL", 0, "Another CA: the URL of its ACME directory", 0 },
	{ "ca-file", KEY_CA_FILE, "FILE", 0, "Trust these authorities (PEM) for the connection to the CA, in place of the system's", 0 },
	{ "profile", KEY_PROFILE, "NAME", 0, "Ask for certificates of this profile of the CA", 0 },
	{ "eab-kid", KEY_EAB_KID, "ID", 0, "External account binding: the identifier that the CA has given out", 0 },
	{ "eab-key-file", KEY_EAB_KEY_FILE, "FILE", 0, "... and the key, in base64url, on the first line of FILE", 0 },
	{ "preferred-chain", KEY_PREFERRED_CHAIN, "NAME", 0,
	  "Of several chains, take the one that ends with an issuer of this common name", 0 },

	{ "check", KEY_CHECK, NULL, 0, "Look at the zones, print what would be done for which name, and end", 3 },
	{ "print-persist", KEY_PRINT_PERSIST, "HOST", 0,
	  "Print the TXT record that lets this account have certificates of HOST for ever, without other proofs (dns-persist-01), and end; "
	  "\"*.HOST\": and of all names below it. May be repeated", 3 },
	{ "user", KEY_USER, "NAME", 0, "Become this user. Default, if root starts it: origin, or nobody", 3 },
	{ "log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info (default) or debug", 3 },
	{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0, DAEMON_NO_SANDBOX_DOC, 3 },
	{ 0 },
};

static const char doc[] =
	"Gets certificates for the signing requests that it finds in DNS, and writes them into DNS. By using it you agree to the "
	"CA's terms."
	"\v"
	"Examples:\n\n"
	"  oacme --dns-key=me._update.example.org:SHA256:c2VjcmV0... --dns-server=192.0.2.1 --account-key-seed=c2VlZA... --check\n"
	"      What would be done in example.org?\n\n"
	"  oacme --dns-key-file=/etc/origin/acme.key --dns-server=192.0.2.1 --account-key-seed-file=/etc/origin/acme.seed --production\n"
	"      Do it.\n\n"
	"Secrets that no option gives come from ORIGIN_KEYS and ORIGIN_ACCOUNT_KEY_SEED, or the systemd credentials \"keys\" and "
	"\"account-key-seed\".\n\n"
	"Signals: USR1 writes the state of each name to the log, TERM and INT end. The log goes to standard error, one line for each "
	"event. Exit status: 0 ended on request, 1 could not start, 2 wrong usage.";

/* ---- options ---- */

static void
take_name_server(struct oacme_opts *o, const char *arg, struct argp_state *state)
{
	struct diag d;
	struct listen_address a;
	struct peer p;
	if (o->servers_n == CERTIFIER_SERVERS_MAX) {
		cli_usage(state, "--name-server: at most %d addresses", CERTIFIER_SERVERS_MAX);
	} else if (listen_parse(arg, 53, &a, &d) != OK) {
		cli_usage(state, "--name-server=%s; should be an address, such as 192.0.2.1 or 192.0.2.1@5300", d.text);
	} else if (peer_from_sockaddr(&a.sa.any, TRANSPORT_UDP, &p)) {
		o->servers[o->servers_n++] = (struct certifier_place){ .address = peer_key_address(&p), .port = p.port };
	}
}

static void
take_dane(struct oacme_opts *o, const char *arg, struct argp_state *state)
{
	err_t err = dane_ports_add(&o->dane, arg);
	if (err == E_LIMIT) {
		cli_usage(state, "--dane: at most %d ports", DANE_PORTS_MAX);
	} else if (err != OK) {
		cli_usage(state, "--dane=%s: should be ports, such as 443,25", arg);
	}
}

static void
settle_account(struct oacme_opts *o, struct argp_state *state)
{
	const char *wrong = pkey_opts_settle(&o->account_opts, PKEY_P256);
	if (wrong != NULL) {
		cli_usage(state, "--account-key-type: %s", wrong);
	}
}

static void
take_directory(struct oacme_opts *o, const char *arg, struct argp_state *state)
{
	if (!acme_url_is_good(arg)) {
		cli_usage(state, "--directory=%s: should be a URL that begins with https://", arg);
	}
	o->directory = arg;
}

static void
take_email(struct oacme_opts *o, const char *arg, struct argp_state *state)
{
	size_t len = strcspn(arg, "\"\\<>, ");
	if (arg[len] != '\0' || strchr(arg, '@') == NULL || len >= sizeof o->contact - sizeof "mailto:") {
		cli_usage(state, "--email=%s: should be a mail address", arg);
	}
	(void)snprintf(o->contact, sizeof o->contact, "mailto:%s", arg);
}

static void
take_persist(struct oacme_opts *o, const char *arg, struct argp_state *state)
{
	size_t len = strlen(arg);
	err_t err = host_names_add(&o->persist, arg, len - (len > 1 && arg[len - 1] == '.'));
	if (err == E_LIMIT) {
		cli_usage(state, "--print-persist: at most %d names", HOST_NAMES_MAX);
	} else if (err != OK) {
		cli_usage(state, "--print-persist=%s: should be the name of a host", arg);
	}
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct oacme_opts *o = state->input;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &o->daemon.monitor; return 0;
	case KEY_DNS_KEY: follow_keys_take(&o->key_args, arg, "--dns-key-file", state); return 0;
	case KEY_DNS_KEY_FILE: o->key_args.file = arg; return 0;
	case KEY_DNS_SERVER: o->server_text = arg; return 0;
	case KEY_PORT: o->port = cli_number_option(state, "port", arg, 1, UINT16_MAX); return 0;
	case KEY_NAME_SERVER: take_name_server(o, arg, state); return 0;
	case KEY_SEED: o->seed_arg = arg; return 0;
	case KEY_SEED_FILE: o->seed_file = arg; return 0;
	case KEY_TYPE: o->account_opts.type = arg; return 0;
	case KEY_BITS: o->account_opts.bits = cli_number_option(state, "account-bits", arg, 1, UINT16_MAX); return 0;
	case KEY_EMAIL: take_email(o, arg, state); return 0;
	case KEY_PRODUCTION: o->directory = PRODUCTION; return 0;
	case KEY_DIRECTORY: take_directory(o, arg, state); return 0;
	case KEY_CA_FILE: o->ca_file = arg; return 0;
	case KEY_PROFILE: o->profile = arg; return 0;
	case KEY_EAB_KID: o->eab_kid = arg; return 0;
	case KEY_EAB_KEY_FILE: o->eab_key_file = arg; return 0;
	case KEY_PREFERRED_CHAIN: o->preferred_chain = arg; return 0;
	case KEY_DANE: take_dane(o, arg, state); return 0;
	case KEY_DANE_KEEP: o->dane_keep_s = cli_number_option(state, "dane-keep", arg, 0, CERTIFIER_TLSA_WAIT_MAX_S); return 0;
	case KEY_CHECK: o->is_check = true; return 0;
	case KEY_PRINT_PERSIST: take_persist(o, arg, state); return 0;
	case KEY_NO_SANDBOX: o->daemon.has_no_sandbox = true; return 0;
	case KEY_USER: o->daemon.user = arg; return 0;
	case KEY_LOG_LEVEL:
		if (log_level_parse(arg, &o->daemon.log_level) != OK) {
			cli_usage(state, "--log-level=%s: should be error, warning, info or debug", arg);
		}
		return 0;
	case ARGP_KEY_ARG: cli_usage(state, "unexpected argument \"%s\": there are only options", arg); return EINVAL;
	case ARGP_KEY_END:
		settle_account(o, state);
		if ((o->eab_kid != NULL) != (o->eab_key_file != NULL)) {
			cli_usage(state, "--eab-kid and --eab-key-file belong together");
		}
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &monitor_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = { .options = options, .parser = read_option, .doc = doc, .children = children };

/* ---- what they lead to ---- */

static int
read_eab_key(struct oacme_opts *o)
{
	const struct cli_secret from = { .file = o->eab_key_file, .form = CLI_SECRET_LINE };
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	if (o->eab_kid == NULL) {
		return CLI_OK;
	}
	if (cli_secret_read(&from, &text) != OK) {
		return CLI_FAILED;
	}
	if (base64url_decode(text, strlen(text), o->eab_key, sizeof o->eab_key, &o->eab_key_len) != OK) {
		cli_error("%s: should be a key of at most %d octets, in base64url without padding", o->eab_key_file, OACME_EAB_KEY_MAX);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int
read_account(struct oacme_opts *o)
{
	const struct cli_secret from = { .arg = o->seed_arg, .file = o->seed_file, .env = "ORIGIN_ACCOUNT_KEY_SEED",
		                         .credential = "account-key-seed", .form = CLI_SECRET_LINE };
	[[gnu::cleanup(cli_secret_free)]] char *seed = NULL;
	if (cli_secret_read(&from, &seed) != OK) {
		return CLI_FAILED;
	}
	if (seed == NULL) {
		cli_error("whose account? --account-key-seed=TEXT is missing");
		cli_hint("\"head -c 32 /dev/urandom | base64\" makes one; keep it, for the same text is the same account");
		return CLI_USAGE;
	}
	err_t err = pkey_from_seed(o->account_opts.kind, o->account_opts.rsa_bits, (const uint8_t *)seed, strlen(seed), &o->account);
	if (err != OK) {
		cli_error("the account's key cannot be made: %s", err_str(err));
		return err == E_RANGE ? CLI_USAGE : CLI_FAILED;
	}
	return CLI_OK;
}

static int
read_sources(struct oacme_opts *o)
{
	struct listen_address server;
	struct diag d;
	size_t n = o->server_text != NULL;
	if (n != 0 && listen_parse(o->server_text, (uint16_t)o->port, &server, &d) != OK) {
		cli_error("--dns-server=%s", d.text);
		cli_hint("it should be an address, such as 192.0.2.1 or 192.0.2.1@5300");
		return CLI_USAGE;
	}
	const struct follow_keys_use use = { &server, n, "--dns-server", true };
	return follow_keys_sources(o->keys, &use, &o->sources, &o->sources_n);
}

int
oacme_opts_read(struct oacme_opts *o, int argc, char **argv)
{
	*o = (struct oacme_opts){
		.key_args = { .option = "--dns-key" }, .port = 53, .directory = STAGING, .dane_keep_s = CERTIFIER_TLSA_KEEP_S,
	};
	daemon_opts_init(&o->daemon);
	o->daemon.server.takes_no_updates = true;
	o->daemon.front.tcp_max = 1; /* it has no front */
	cli_parse(&argp, argc, argv, o);
	int status = daemon_opts_settle(&o->daemon);
	o->daemon.front.listen_n = 0;
	status = status == CLI_OK ? read_eab_key(o) : status;
	status = status == CLI_OK ? read_account(o) : status;
	status = status == CLI_OK ? follow_keys_read(&o->key_args, &o->keys) : status; /* which forgets the environment */
	return status == CLI_OK ? read_sources(o) : status;
}

void
oacme_opts_fini(struct oacme_opts *o)
{
	wipe(o->eab_key, sizeof o->eab_key);
	pkey_free(&o->account);
	free(o->sources);
	keystore_free(&o->keys);
}
