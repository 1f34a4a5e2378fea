#include "bin/oupdate_opts.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/cli_signed.h"
#include "dns/lex.h"
#include "net/client.h"

const char *argp_program_version = CLI_VERSION("oupdate");

enum { TIMEOUT_S = 30, TIMEOUT_MAX_S = TSIG_FUDGE_S }; /* after that the signature would be too old */

static const char doc[] =
	"Changes a zone on a name server by a signed UPDATE, and waits until the server says that it is done. With Origin's "
	"primary, the change is in the git repository by then.\n"
	"\n"
	"HOSTNAME gets the address IP, or several. An IPv4 address replaces all its IPv4 addresses, an IPv6 address all its IPv6 "
	"addresses. \"auto\" is the address by which this machine reaches the server. SERVER is an address or a host name."
	"\v"
	"KEY is NAME:ALGORITHM:SECRET; the colons distinguish it from a host name. Other users can read a command line, so keep the key "
	"in a file (--key-file) or in the environment variable ORIGIN_KEY, and leave KEY out. The key's name says what it may do: "
	"ANYTHING._update.ZONE may change ZONE and all below it. ZONE is the zone that is changed, or a name in that zone. "
	"\"okeygen tsig me._update.example.org\" makes such a key.\n"
	"\n"
	"A CHANGE is \"NAME [TTL] TYPE DATA\" as in a zone file. For a deletion or a condition it may be shorter: without DATA it means "
	"all records of the type, without TYPE all records of the name. Names are written in full, with or without a final dot. "
	"All changes of one call are made together or not at all: first HOSTNAME's, then the others in their order.\n"
	"\n"
	"Examples:\n"
	"  oupdate 192.0.2.53 me._update.example.org:SHA256:c2Vj... \\\n"
	"      laptop.example.org 192.0.2.7\n"
	"  oupdate ns1.example.org laptop.example.org auto --key-file=update.key\n"
	"  oupdate ns1.example.org --key-file=update.key --delete=old.example.org \\\n"
	"      --add='www.example.org 1h CNAME web.example.org'\n"
	"\n"
	"Exit status: 0 it is done, 1 it is not done or nobody says so, 2 wrong usage.";

enum { KEY_ZONE = 256, KEY_TTL, KEY_ADD, KEY_DELETE, KEY_IF_EXISTS, KEY_IF_ABSENT, KEY_TCP };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What to change:", 1 },
	{ "address", 'a', "IP|auto", 0, "Give HOSTNAME this address, like the argument IP", 0 },
	{ "ttl", KEY_TTL, "TIME", 0, "TTL of added records: seconds, or a time such as 1h30m (60)", 0 },
	{ "add", KEY_ADD, "CHANGE", 0, "Add a record", 0 },
	{ "delete", KEY_DELETE, "CHANGE", 0, "Delete a record, all records of a type, or all records of a name", 0 },
	{ "if-exists", KEY_IF_EXISTS, "CHANGE", 0, "Change nothing unless this exists (with DATA: exactly these records of the type)", 0 },
	{ "if-absent", KEY_IF_ABSENT, "CHANGE", 0, "Change nothing if this exists (\"NAME\" or \"NAME TYPE\")", 0 },
	{ "zone", KEY_ZONE, "NAME", 0, "The zone. Default: the zone that has the name after _update in the key's name", 0 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	CLI_ASKING_ROWS,
	{ "tcp", KEY_TCP, NULL, 0, "Do not try UDP first", 0 },
	{ "timeout", CLI_ASKING_TIMEOUT, "SECONDS", 0, "How long to wait for the answer, from each of the server's addresses (30)", 0 },
	{ "quiet", 'q', NULL, 0, "Say nothing when all is well", 0 },
	{ 0 },
};

const char *
oupdate_change_option(enum change_kind kind)
{
	static const char *const names[] = {
		[CHANGE_ADD] = "--add",
		[CHANGE_DELETE] = "--delete",
		[CHANGE_IF_EXISTS] = "--if-exists",
		[CHANGE_IF_ABSENT] = "--if-absent",
	};
	return names[kind];
}

struct reader {
	struct oupdate_opts *o;
	char **arg; /* positional */
	size_t arg_n;
	bool has_change; /* --add or --delete was given */
};

/* ---- options ---- */

static void
add_change(struct reader *r, enum change_kind kind, const char *text)
{
	struct oupdate_opts *o = r->o;
	o->changes[o->changes_n++] = (struct oupdate_change){ kind, text };
	r->has_change |= kind == CHANGE_ADD || kind == CHANGE_DELETE;
}

/* For arguments and options.  A text that looks like a key is not shown. */
static void
add_address(struct reader *r, const char *text, struct argp_state *state)
{
	struct oupdate_opts *o = r->o;
	if (cli_is_key(text)) {
		cli_usage(state, "there is a key in place of an address: a key comes after SERVER");
	}
	if (strcmp(text, OUPDATE_AUTO) != 0 && !client_is_address(text)) {
		cli_usage(state, "'%s' is neither an address, such as 192.0.2.1 or 2001:db8::1, nor \"" OUPDATE_AUTO "\"", text);
	}
	if (o->address_n == OUPDATE_ADDRESSES_MAX) {
		cli_usage(state, "one name gets at most %d addresses at once", OUPDATE_ADDRESSES_MAX);
	}
	o->address[o->address_n++] = text;
}

static uint32_t
read_ttl(const char *text, struct argp_state *state)
{
	const struct lex_token t = { .kind = LEX_WORD, .s = text, .len = strlen(text) };
	uint32_t ttl = 0;
	if (lex_ttl(&t, &ttl) != OK) {
		cli_usage(state, "the TTL should be at most 2147483647 seconds, or a time such as 1h30m, not '%s'", text);
	}
	return ttl;
}

/* ---- positional arguments ---- */

/* SERVER [KEY] [HOSTNAME [IP ...]] */
static void
tell_apart(struct reader *r, struct argp_state *state)
{
	struct oupdate_opts *o = r->o;
	size_t i = 0;
	if (r->arg_n == 0) {
		cli_usage(state, "which server? oupdate SERVER [KEY] HOSTNAME IP");
	}
	o->server = r->arg[i++];
	if (cli_is_key(o->server)) {
		cli_usage(state, "the first argument is a key, but the server comes first");
	}
	if (i < r->arg_n && client_is_address(r->arg[i])) {
		cli_usage(state, "'%s' is an address: the name that gets the address comes before it", r->arg[i]);
	}
	if (i < r->arg_n && strchr(r->arg[i], ':') != NULL) {
		cli_asking_take_key(&o->asking, r->arg[i++], "KEY", state);
	}
	if (i < r->arg_n) {
		o->host = r->arg[i++];
	}
	while (i < r->arg_n) {
		add_address(r, r->arg[i++], state);
	}
}

static void
check(struct reader *r, struct argp_state *state)
{
	struct oupdate_opts *o = r->o;
	tell_apart(r, state);
	if (o->host != NULL && strchr(o->host, ':') != NULL) {
		cli_usage(state, "the host name has a colon in it: if it is the key, give it once, right after SERVER");
	}
	if (o->host != NULL && client_is_address(o->host)) {
		cli_usage(state, "'%s' is an address: the name that gets the address comes before it", o->host);
	}
	if (o->host == NULL && o->address_n != 0) {
		cli_usage(state, "which name gets the address? oupdate SERVER [KEY] HOSTNAME --address=IP");
	}
	if (o->host != NULL && o->address_n == 0) {
		cli_usage(state, "which address does %s get? IP, or \"" OUPDATE_AUTO "\": the one by which the server is reached",
		           o->host);
	}
	if (o->host == NULL && !r->has_change) {
		cli_usage(state, "what is to be changed? HOSTNAME IP, --add or --delete");
	}
}

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct reader *r = state->input;
	struct oupdate_opts *o = r->o;
	switch (key) {
	case 'a':
		add_address(r, arg, state);
		break;
	case KEY_TTL:
		o->ttl = read_ttl(arg, state);
		break;
	case KEY_ADD:
		add_change(r, CHANGE_ADD, arg);
		break;
	case KEY_DELETE:
		add_change(r, CHANGE_DELETE, arg);
		break;
	case KEY_IF_EXISTS:
		add_change(r, CHANGE_IF_EXISTS, arg);
		break;
	case KEY_IF_ABSENT:
		add_change(r, CHANGE_IF_ABSENT, arg);
		break;
	case KEY_ZONE:
		o->zone = arg;
		break;
	case KEY_TCP:
		o->is_tcp = true;
		break;
	case 'q':
		o->is_quiet = true;
		break;
	case ARGP_KEY_ARG:
		r->arg[r->arg_n++] = arg;
		break;
	case ARGP_KEY_END:
		check(r, state);
		[[fallthrough]];
	default:
		return cli_asking_parse(&o->asking, key, arg, state);
	}
	return 0;
}

void
oupdate_opts_read(int argc, char **argv, struct oupdate_opts *out)
{
	static const struct argp argp = {
		options, parse_opt, "SERVER [KEY] HOSTNAME IP...\nSERVER [KEY] --add=CHANGE|--delete=CHANGE ...", doc, NULL,
		cli_help_filter, NULL,
	};
	size_t n = (size_t)argc + 1;
	[[gnu::cleanup(free_ptr)]] char **arg = xalloc(n * sizeof *arg);
	struct reader r = { .o = out, .arg = arg };
	*out = (struct oupdate_opts){
		.ttl = 60, .asking = { .port = 53, .timeout_s = TIMEOUT_S, .timeout_max_s = TIMEOUT_MAX_S },
	};
	out->changes = xalloc(n * sizeof *out->changes);
	cli_parse(&argp, argc, argv, &r);
}

void
oupdate_opts_fini(struct oupdate_opts *o)
{
	free(o->changes);
}
