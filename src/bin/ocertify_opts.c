#include "bin/ocertify_opts.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/str.h"
#include "bin/cli.h"
#include "bin/cli_signed.h"
#include "bin/ocertify_files.h"
#include "bin/pkey_opts.h"
#include "net/client_address.h"

const char *argp_program_version = CLI_VERSION("ocertify");

enum { TIMEOUT_S = 600, TIMEOUT_MAX_S = 86400 };

static const char doc[] =
	"Gets a certificate for HOSTNAME: puts a signing request into DNS, waits until oacme has put the certificate beside it, "
	"and writes certificate and chain to HOSTNAME.pem. A certificate in DNS that fits the key and the names, and is valid until "
	"tomorrow at least (or for a quarter of its lifetime), is taken without a new request. So ocertify can be run again every hour.\n"
	"\n"
	"SERVER is the address (IPv4 or IPv6) or host name of the primary; without it the server on this machine is asked."
	"\v"
	"The private key is made here, in HOSTNAME.key, and goes nowhere else. A key that is there is used again.\n"
	"\n"
	"A request takes a key for updates of TLSA records at _letsencrypt._tcp.HOSTNAME, in a file (--dns-key-file) or in the "
	"environment variable ORIGIN_KEY, in the form NAME:ALGORITHM:SECRET. "
	"\"okeygen tsig me._tlsa._update._letsencrypt._tcp.www.example.org\" makes one for one host. Without any key ocertify takes "
	"the certificate that is in DNS.\n"
	"\n"
	"Examples:\n"
	"  ocertify 192.0.2.53 www.example.org --dns-key-file=/etc/origin/www.key\n"
	"  ocertify www.example.org --additional='*.www.example.org'\n"
	"  ocertify www.example.org --quiet --renew-hook='systemctl reload nginx'\n"
	"\n"
	"Exit status: 0 there is a new certificate; 1 an error; 2 wrong usage; 3 the files are as they should be, nothing was changed; "
	"4 the certificate is not there yet, or another run is at work on it; 5 the request was refused, by the server or by the CA.";

enum {
	KEY_CSR = 256, KEY_KEY, KEY_CERTIFICATE, KEY_TYPE, KEY_BITS, KEY_SEED, KEY_SEED_FILE, KEY_DATA, KEY_FORCE,
	KEY_DNS_KEY, KEY_DNS_KEY_FILE, KEY_TIMEOUT, KEY_RENEW_HOOK,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The certificate:", 1 },
	{ "additional", 'a', "HOST", 0, "Another name in the certificate, at or below HOSTNAME; \"*.HOSTNAME\" for all names there. "
	  "Can be repeated", 0 },
	{ "type", KEY_TYPE, "TYPE", 0, "Type of a new private key: rsa, ec (P-256; P-384 with --bits=384), ed25519 (rsa)", 0 },
	{ "bits", KEY_BITS, "N", 0, "Bits of a new private key: 2048 to 4096 for rsa (2048), 256 or 384 for ec (256)", 0 },
	{ "seed", KEY_SEED, "SEED", 0, "Make the private key out of this text: the same text gives the same key", 0 },
	{ "seed-file", KEY_SEED_FILE, "FILE", 0, "Read the seed from the first line of FILE (-: standard input)", 0 },
	{ "data", KEY_DATA, "BASE64", 0, "The private key itself: for ec and ed25519 its number, for rsa PKCS#8 or PKCS#1", 0 },
	{ "force", KEY_FORCE, NULL, 0, "Ask for a new certificate even if there is one that fits; also with another private key, if "
	  "--type, --bits, --seed or --data say so", 0 },
	{ NULL, 0, NULL, 0, "Files:", 2 },
	{ "key", KEY_KEY, "FILE", 0, "The private key (HOSTNAME.key)", 0 },
	{ "csr", KEY_CSR, "FILE", 0, "The signing request (HOSTNAME.req)", 0 },
	{ "certificate", KEY_CERTIFICATE, "FILE", 0, "Certificate and chain (HOSTNAME.pem)", 0 },
	{ NULL, 0, NULL, 0, "How:", 3 },
	{ "dns-key", KEY_DNS_KEY, "NAME:ALG:SECRET", 0, "Sign with this key. ALG: SHA256, also SHA1, SHA224, SHA384, SHA512; "
	  "SECRET in base64", 0 },
	{ "dns-key-file", KEY_DNS_KEY_FILE, "FILE", 0, "Read the key for DNS from the first line of FILE (-: standard input)", 0 },
	{ "port", 'p', "N", 0, "Port of the server (53)", 0 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "How long to wait for the certificate (600); 0: look once", 0 },
	{ "renew-hook", KEY_RENEW_HOOK, "COMMAND", 0, "Run this command with sh after a new certificate was written", 0 },
	{ "quiet", 'q', NULL, 0, "Say nothing when all is well", 0 },
	{ 0 },
};

struct reader {
	struct ocertify_opts *o;
	const char *arg[2]; /* positional */
	unsigned arg_n;
	struct pkey_opts key;
};

static void
refuse_key(const char *text, const char *place, struct argp_state *state)
{
	if (cli_is_key(text)) {
		cli_usage(state, "%s looks like a key for DNS: give it with --dns-key-file or ORIGIN_KEY", place);
	}
}

static void
add_name(struct ocertify_opts *o, const char *text, struct argp_state *state)
{
	size_t len = strlen(text);
	len -= len > 1 && text[len - 1] == '.';
	err_t err = host_names_add(&o->names, text, len);
	if (err == E_LIMIT) {
		cli_usage(state, "a certificate has at most %d names", HOST_NAMES_MAX);
	} else if (err != OK) {
		cli_usage(state, "'%s' is no host name: labels are of letters, digits, - and _, and only the first one may be *", text);
	}
}

/* ---- what the arguments mean together ---- */

static void
read_host(struct reader *r, struct argp_state *state)
{
	struct ocertify_opts *o = r->o;
	struct name n;
	if (r->arg_n == 0) {
		cli_usage(state, "a certificate for which host? ocertify [SERVER] HOSTNAME");
	}
	const char *text = r->arg[r->arg_n - 1];
	o->server = r->arg_n == 2 ? r->arg[0] : NULL;
	refuse_key(text, "HOSTNAME", state);
	if (client_is_address(text)) {
		cli_usage(state, r->arg_n == 1 ? "%s is an address: a certificate for which host?"
		                               : "%s is an address: the server comes first, then the host", text);
	}
	struct host_names additional = o->names;
	o->names.n = 0;
	add_name(o, text, state);
	if (name_parse(o->names.name[0], strlen(o->names.name[0]), NULL, &n) != OK) {
		cli_usage(state, "'%s' is no host name", text);
	}
	name_set(&o->host, name_is_wildcard(n.oct) ? name_parent(n.oct) : n.oct);
	(void)name_show(o->host.oct, o->host_text);
	for (size_t i = 0; i < additional.n; i++) {
		add_name(o, additional.name[i], state);
	}
}

/* oacme takes a request only for names at and below the host: otherwise a key for one host would be one for all. */
static void
check_additional(const struct ocertify_opts *o, struct argp_state *state)
{
	for (size_t i = 1; i < o->names.n; i++) {
		const char *text = o->names.name[i];
		struct name n;
		const char *plain = text[0] == '*' ? text + 2 : text;
		if (name_parse(plain, strlen(plain), NULL, &n) != OK || !name_is_within(n.oct, o->host.oct)) {
			cli_usage(state, "%s is not at or below %s: give the name that they have in common as HOSTNAME, or ask for two "
			                 "certificates", text, o->host_text);
		}
	}
}

static void
read_kind(struct reader *r, struct argp_state *state)
{
	struct ocertify_opts *o = r->o;
	const char *wrong = pkey_opts_settle(&r->key, PKEY_RSA);
	if (wrong != NULL) {
		cli_usage(state, "%s", wrong);
	}
	o->has_kind = r->key.type != NULL || r->key.bits != 0;
	o->kind = r->key.kind;
	o->bits = r->key.rsa_bits;
}

static char *
path_of(const char *given, const char *host, const char *suffix)
{
	struct str path = { 0 };
	str_printf(&path, "%s%s", given != NULL ? given : host, given != NULL ? "" : suffix);
	return path.s;
}

/* Each is written as a whole: what one file holds would take the place of the other's.  Also where a path leads there by another way. */
static void
refuse_one_file(const char *a, const char *a_option, const char *b, const char *b_option, struct argp_state *state)
{
	struct stat at_a, at_b;
	bool is_one = stat(a, &at_a) == 0 && stat(b, &at_b) == 0 && at_a.st_dev == at_b.st_dev && at_a.st_ino == at_b.st_ino;
	if (is_one || strcmp(a, b) == 0) {
		cli_usage(state, "%s and %s are one file, %s: give each its own", a_option, b_option, a);
	}
}

static void
finish(struct reader *r, struct argp_state *state)
{
	struct ocertify_opts *o = r->o;
	read_host(r, state);
	check_additional(o, state);
	read_kind(r, state);
	if (o->dns_key != NULL && o->dns_key_file != NULL) {
		cli_usage(state, "--dns-key and --dns-key-file are two keys: give only one");
	}
	if ((o->data != NULL) + (o->seed != NULL) + (o->seed_file != NULL) > 1) {
		cli_usage(state, "--seed, --seed-file and --data each say what the private key is: give only one");
	}
	o->key_path = path_of(o->key_path, o->host_text, ".key");
	o->csr_path = path_of(o->csr_path, o->host_text, ".req");
	o->certificate_path = path_of(o->certificate_path, o->host_text, ".pem");
	refuse_one_file(o->key_path, "--key", o->certificate_path, "--certificate", state);
	refuse_one_file(o->key_path, "--key", o->csr_path, "--csr", state);
	refuse_one_file(o->csr_path, "--csr", o->certificate_path, "--certificate", state);
}

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct reader *r = state->input;
	struct ocertify_opts *o = r->o;
	switch (key) {
	case 'a':
		add_name(o, arg, state);
		break;
	case KEY_CSR:
		o->csr_path = arg;
		break;
	case KEY_KEY:
		refuse_key(arg, "--key is the file of the private key, and this", state);
		o->key_path = arg;
		break;
	case KEY_CERTIFICATE:
		o->certificate_path = arg;
		break;
	case KEY_TYPE:
		r->key.type = arg;
		break;
	case KEY_BITS:
		r->key.bits = (unsigned)cli_number_argument(state, "the number of bits", arg, 1, 65536);
		break;
	case KEY_SEED:
		o->seed = arg;
		break;
	case KEY_SEED_FILE:
		o->seed_file = arg;
		break;
	case KEY_DATA:
		o->data = arg;
		break;
	case KEY_FORCE:
		o->is_forced = true;
		break;
	case KEY_DNS_KEY:
		o->dns_key = arg;
		break;
	case KEY_DNS_KEY_FILE:
		refuse_key(arg, "--dns-key-file takes the name of a file, and this", state);
		o->dns_key_file = arg;
		break;
	case KEY_TIMEOUT:
		o->timeout_s = (unsigned)cli_number_argument(state, "the timeout", arg, 0, TIMEOUT_MAX_S);
		break;
	case KEY_RENEW_HOOK:
		o->renew_hook = arg;
		break;
	case 'p':
		o->port = (uint16_t)cli_number_argument(state, "the port", arg, 1, UINT16_MAX);
		break;
	case 'q':
		o->is_quiet = true;
		break;
	case ARGP_KEY_ARG:
		if (r->arg_n == ARRAY_LEN(r->arg)) {
			cli_usage(state, "too many arguments: only SERVER and HOSTNAME are expected; other names with --additional");
		}
		r->arg[r->arg_n++] = arg;
		break;
	case ARGP_KEY_END:
		finish(r, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void
ocertify_opts_read(int argc, char **argv, struct ocertify_opts *out)
{
	static const struct argp argp = { options, parse_opt, "[SERVER] HOSTNAME", doc, NULL, cli_help_filter, NULL };
	struct reader r = { .o = out };
	*out = (struct ocertify_opts){ .port = 53, .timeout_s = TIMEOUT_S };
	cli_parse(&argp, argc, argv, &r);
}

static err_t
locate(char **path)
{
	char *place;
	TRY(text_locate(*path, &place));
	free(*path);
	*path = place;
	return OK;
}

err_t
ocertify_opts_locate(struct ocertify_opts *o)
{
	TRY(locate(&o->key_path));
	TRY(locate(&o->csr_path));
	TRY(locate(&o->certificate_path));
	o->next_key_path = path_of(NULL, o->key_path, ".next");
	o->next_certificate_path = path_of(NULL, o->certificate_path, ".next");
	o->hook_path = path_of(NULL, o->certificate_path, ".hook");
	o->lock_path = path_of(NULL, o->certificate_path, ".lock");
	return OK;
}

void
ocertify_opts_fini(struct ocertify_opts *o)
{
	free_ptr(&o->next_key_path);
	free_ptr(&o->next_certificate_path);
	free_ptr(&o->lock_path);
	free_ptr(&o->key_path);
	free_ptr(&o->csr_path);
	free_ptr(&o->hook_path);
	free_ptr(&o->certificate_path);
}
