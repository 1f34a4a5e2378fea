/* octl: asks an Origin server for its state, by signed DNS queries (auth/status_text.h). */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/cli_asking.h"
#include "bin/cli_notify.h"
#include "bin/cli_wait.h"
#include "bin/octl.h"
#include "ops/privs.h"

const char *argp_program_version = CLI_VERSION("octl");

static const char doc[] =
	"Asks an Origin name server for its state: which commit it serves and since when, how each zone is served, and what is wrong "
	"with the others.\n"
	"\n"
	"SERVER is an address (IPv4 or IPv6) or a host name; without it the server on this machine is asked. COMMAND:\n"
	"\n"
	"  status [DOMAIN]   the server as a whole, and zones in trouble\n"
	"  zones [DOMAIN]    all zones, a line for each\n"
	"  zone NAME         all that is known of one zone\n"
	"  keys [DOMAIN]     keys, what they may do, and when they were last used\n"
	"  secondaries [DOMAIN]\n"
	"                    which serial each secondary has of each zone\n"
	"  updates           how many dynamic updates were made, refused, or wait\n"
	"  dump ZONE         the zone itself, as a master file\n"
	"  pull [ZONE]       have the server pull; with --wait, print the result\n"
	"\n"
	"DOMAIN is a part of what the key reaches; without DOMAIN, all that the key reaches is shown."
	"\v"
	"The questions are DNS queries, signed with a key that the server knows from the file _keys or NAME._keys in its repository: "
	"ANYTHING._status.DOMAIN may look at DOMAIN and what is below it. Keys for _notify, _transfer and _update may look, too. "
	"\"okeygen tsig me._status.example.org\" makes a key; a key named me._status. sees everything. No answer shows a secret.\n"
	"\n"
	"Other users can read a command line, so keep the key in a file (--key-file) or in the environment variable ORIGIN_KEY, in "
	"the form NAME:ALGORITHM:SECRET.\n"
	"\n"
	"Examples:\n"
	"  octl status --key-file=/etc/origin/status.key\n"
	"  octl 192.0.2.53 zone example.org\n"
	"  octl ns1.example.org zones --json | jq '.zones[] | select(.state != \"served\")'\n"
	"  octl 192.0.2.53 pull --wait --key-file=notify.key\n"
	"\n"
	"Exit status: 0 there is an answer, with no zone in trouble and no secondary behind or ahead; 1 there is trouble, or no answer; "
	"2 wrong usage.";

enum { UDP_TRIES = 3 };

enum { KEY_JSON = 256 };

static const struct argp_option options[] = {
	CLI_ASKING_ROWS,
	{ "timeout", CLI_ASKING_TIMEOUT, "SECONDS", 0, "How long to wait after the first try over UDP; each further try is given twice "
	  "the time of the one before, TCP three times that of the first (2)", 0 },
	{ "wait", CLI_ASKING_WAIT, "SECONDS", OPTION_ARG_OPTIONAL, "pull: wait until the server serves what the pull brings (60)", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print JSON, for programs: times in seconds since 1970", 0 },
	{ 0 },
};

/* ---- questions ---- */

static const struct octl_column status_list[] = {
	{ "version", "version", OCTL_TEXT },     { "started", "started", OCTL_TIME },     { "health", "health", OCTL_TEXT },
	{ "domain", "domain", OCTL_TEXT },       { "remote", "remote", OCTL_TEXT },       { "branch", "branch", OCTL_TEXT },
	{ "head", "its head", OCTL_TEXT },       { "commit", "serving", OCTL_TEXT },      { "since", "since", OCTL_TIME },
	{ "zones", "zones", OCTL_NUMBER },       { "broken", "broken", OCTL_NUMBER },     { "held", "held back", OCTL_NUMBER },
	{ "counted", "counted", OCTL_TEXT },     { "pulled", "last pull", OCTL_TIME },    { "pull_ms", "took (ms)", OCTL_NUMBER },
	{ "pull_error", "failed", OCTL_TEXT },   { "retry", "again in (s)", OCTL_NUMBER }, { "pushed", "last push", OCTL_TIME },
	{ "push_ms", "took (ms)", OCTL_NUMBER }, { "push_error", "failed", OCTL_TEXT },   { "waiting", "updates waiting", OCTL_NUMBER },
	{ "state_dir", "zones kept in", OCTL_TEXT }, { "state_dir_waiting", "to be written", OCTL_NUMBER },
	{ "state_dir_error", "cannot write", OCTL_TEXT }, { "state_dir_since", "since", OCTL_TIME },
	{ "pulls", NULL, OCTL_NUMBER },          { "pull", NULL, OCTL_NUMBER },           { "pushes", NULL, OCTL_NUMBER },
};

static const struct octl_column zones_list[] = {
	{ "zone", "ZONE", OCTL_TEXT },       { "serial", "SERIAL", OCTL_NUMBER },   { "records", "RECORDS", OCTL_NUMBER },
	{ "state", "STATE", OCTL_TEXT },     { "commit", "COMMIT", OCTL_COMMIT },   { "changed", "CHANGED", OCTL_TIME },
	{ "file", "FILE", OCTL_TEXT },       { "catalog", NULL, OCTL_TEXT },        { "signed", NULL, OCTL_TEXT },
	{ "since", NULL, OCTL_TEXT },
	{ "tried", NULL, OCTL_TEXT },        { "finding", NULL, OCTL_TEXT },        { "level", NULL, OCTL_TEXT },
	{ "code", NULL, OCTL_TEXT },         { "in", NULL, OCTL_TEXT },             { "line", NULL, OCTL_NUMBER },
	{ "column", NULL, OCTL_NUMBER },
};

static const struct octl_column zone_list[] = {
	{ "zone", "zone", OCTL_TEXT },       { "state", "state", OCTL_TEXT },     { "serial", "serial", OCTL_NUMBER },
	{ "records", "records", OCTL_NUMBER }, { "signed", "signed", OCTL_TEXT }, { "file", "file", OCTL_TEXT },
	{ "catalog", "catalog", OCTL_TEXT }, { "commit", "commit", OCTL_TEXT },   { "changed", "changed", OCTL_TIME },
	{ "since", "state since", OCTL_TEXT },
	{ "tried", "last tried", OCTL_TEXT }, { "level", "level", OCTL_TEXT },    { "finding", "finding", OCTL_TEXT },
	{ "code", "code", OCTL_TEXT },       { "in", "in file", OCTL_TEXT },      { "line", "line", OCTL_NUMBER },
	{ "column", "column", OCTL_NUMBER },
};

static const struct octl_column keys_list[] = {
	{ "key", "KEY", OCTL_TEXT },
	{ "right", "RIGHT", OCTL_TEXT },
	{ "domain", "DOMAIN", OCTL_TEXT },
	{ "granted", "GRANTED", OCTL_TEXT },
	{ "algorithm", "ALGORITHM", OCTL_TEXT },
	{ "used", "LAST USED", OCTL_TIME },
};

static const struct octl_column updates_list[] = {
	{ "waiting", "waiting", OCTL_NUMBER },     { "commits", "commits", OCTL_NUMBER },    { "updates", "carried out", OCTL_NUMBER },
	{ "refused", "refused", OCTL_NUMBER },     { "failed", "failed", OCTL_NUMBER },      { "pushed", "last push", OCTL_TIME },
	{ "push_ms", "took (ms)", OCTL_NUMBER },   { "push_error", "push failed", OCTL_TEXT }, { "pushes", NULL, OCTL_NUMBER },
};

static const struct octl_column secondaries_list[] = {
	{ "zone", "ZONE", OCTL_TEXT },           { "secondary", "SECONDARY", OCTL_TEXT },   { "state", "STATE", OCTL_TEXT },
	{ "serial", "SERIAL", OCTL_NUMBER },     { "has", "HAS", OCTL_NUMBER },             { "behind", "BEHIND", OCTL_NUMBER },
	{ "transferred", "TRANSFERRED", OCTL_TIME }, { "error", "ERROR", OCTL_TEXT },       { "told", NULL, OCTL_NUMBER },
	{ "acknowledged", NULL, OCTL_TIME },     { "since", NULL, OCTL_TIME },              { "failed", NULL, OCTL_TIME },
};

#define COLUMNS(list) { list, ARRAY_LEN(list) }

static const struct command {
	const char *name;
	enum status_what what;
	struct octl_columns columns;
	bool is_one;    /* the answer is one item, shown as lines */
	bool wants_arg; /* a name must be given */
	bool is_pull, is_dump; /* these ask no question about the state */
} commands[] = {
	{ "status", STATUS_DAEMON, COLUMNS(status_list), true, false },
	{ "zones", STATUS_ZONES, COLUMNS(zones_list), false, false },
	{ "zone", STATUS_ZONE, COLUMNS(zone_list), true, true },
	{ "keys", STATUS_KEYS, COLUMNS(keys_list), false, false },
	{ "secondaries", STATUS_SECONDARIES, COLUMNS(secondaries_list), false, false },
	{ "updates", STATUS_UPDATES, COLUMNS(updates_list), true, false },
	{ "dump", .wants_arg = true, .is_dump = true },
	{ "pull", .is_pull = true },
};

static const struct octl_columns trouble_columns = COLUMNS(zones_list);

/* ---- arguments ---- */

#define COMMANDS "status, zones, zone, secondaries, keys, updates, dump or pull"

struct opts {
	const struct command *command;
	const char *server, *arg;
	struct cli_asking asking;
	bool is_json;
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static void
take_argument(struct opts *o, const char *arg, struct argp_state *state)
{
	if (cli_is_key(arg)) {
		cli_usage(state, "one of the arguments is a key: give it with --key= or, better, in a file (--key-file)");
	}
	if (o->command == NULL) {
		o->command = find_command(arg);
		if (o->command == NULL && o->server != NULL) {
			cli_usage(state, "'%s' is no command: use " COMMANDS, arg);
		}
		o->server = o->command == NULL ? arg : o->server;
	} else if (o->arg == NULL) {
		o->arg = arg;
	} else {
		cli_usage(state, "too many arguments");
	}
}

static void
check(const struct opts *o, struct argp_state *state)
{
	if (o->command == NULL) {
		cli_usage(state, "which command? " COMMANDS);
	}
	if (o->command->wants_arg && o->arg == NULL) {
		cli_usage(state, "%s of what? A name is missing", o->command->name);
	}
	if (o->asking.wait_s != 0 && !o->command->is_pull) {
		cli_usage(state, "--wait is for pull");
	}
	if (o->is_json && o->command->is_dump) {
		cli_usage(state, "dump prints a master file, not JSON");
	}
}

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;
	switch (key) {
	case KEY_JSON:
		o->is_json = true;
		break;
	case ARGP_KEY_ARG:
		take_argument(o, arg, state);
		break;
	case ARGP_KEY_END:
		check(o, state);
		[[fallthrough]];
	default:
		return cli_asking_parse(&o->asking, key, arg, state);
	}
	return 0;
}

/* ---- asking and showing ---- */

struct octl {
	struct opts opts;
	struct cli_wait wait;
	struct cli_notification notification;
	struct client_addresses to;
	struct name domain;
	bool has_colour;
	struct octl_table *table;
	struct octl_json *json;
	bool is_any, is_trouble;
};

static bool
is_trouble(const struct status_item *item)
{
	const char *state = status_value(item, "state"), *broken = status_value(item, "broken"), *held = status_value(item, "held");
	bool is_good = strcmp(state, "served") == 0 || strcmp(state, "current") == 0 || strcmp(state, "told") == 0;
	return (state[0] != '\0' && !is_good) || (broken[0] != '\0' && strcmp(broken, "0") != 0) ||
	       (held[0] != '\0' && strcmp(held, "0") != 0);
}

static err_t
on_item(void *ctx, const struct status_item *item)
{
	struct octl *o = ctx;
	const struct command *c = o->opts.command;
	o->is_any = true;
	o->is_trouble |= is_trouble(item);
	return o->opts.is_json ? octl_json_add(o->json, item)
	       : c->is_one     ? octl_lines_print(&c->columns, item, o->has_colour)
	                       : octl_table_add(o->table, item);
}

static err_t
on_trouble(void *ctx, const struct status_item *item)
{
	struct octl *o = ctx;
	return octl_table_add(o->table, item);
}

/* Prints the zones in trouble below the status, except in JSON. */
static err_t
show_trouble(struct octl *o)
{
	if (o->opts.command->what != STATUS_DAEMON || !o->is_trouble || o->opts.is_json) {
		return OK;
	}
	o->table = octl_table_new(&trouble_columns, o->has_colour);
	TRY(cli_status_ask(&o->wait.status, STATUS_TROUBLE, o->domain.oct, on_trouble, o));
	(void)putchar('\n');
	return octl_table_print(o->table);
}

static err_t
show(struct octl *o)
{
	const struct command *c = o->opts.command;
	const char *name = c->what == STATUS_DAEMON ? "status" : c->name;
	if (o->opts.is_json) {
		return octl_json_print(o->json, name, c->is_one, o->wait.status.commit);
	}
	if (o->table != NULL && o->is_any) {
		return octl_table_print(o->table);
	}
	if (o->table != NULL) {
		char domain[NAME_TEXT_MAX];
		(void)name_show(o->domain.oct, domain);
		cli_warning("%s: there are no %s", domain, c->name);
		if (c->what == STATUS_SECONDARIES) {
			cli_hint("one is listed once a NOTIFY to it has had a result, or a transfer to it has ended, since the server's "
			         "start");
		}
	}
	return OK;
}

static int
ask(struct octl *o)
{
	const struct command *c = o->opts.command;
	o->json = o->opts.is_json ? octl_json_new(&c->columns) : NULL;
	o->table = !o->opts.is_json && !c->is_one ? octl_table_new(&c->columns, o->has_colour) : NULL;
	err_t err = cli_status_ask(&o->wait.status, c->what, o->domain.oct, on_item, o);
	if (err == E_NOTFOUND && !c->wants_arg) {
		cli_error("%s: the server keeps no account of them", c->name);
		cli_hint("a primary does; a secondary has its counters and the state of its zones in its log, on SIGUSR1");
	} else if (err == E_NOTFOUND) {
		cli_error("%s: there is no such zone, and no file for it", o->opts.arg);
		cli_hint("\"octl zones\" lists all zones");
	}
	err = err == OK ? show(o) : err;
	err = err == OK ? show_trouble(o) : err;
	return err == OK && !o->is_trouble ? CLI_OK : CLI_FAILED;
}

/* ---- pulling ---- */

static int
pull(struct octl *o)
{
	struct cli_notification *n = &o->notification;
	const unsigned ms = o->opts.asking.timeout_s * 1000;
	const struct client_patience patience = { .udp_tries = UDP_TRIES, .udp_first_ms = ms, .tcp_ms = 3 * ms };
	n->zone = o->domain;
	(void)name_show(n->zone.oct, n->zone_text);
	n->asked = o->wait.status.asked;
	n->asked.subject = n->zone_text;
	n->asked.doubt_hint = "the server may have received the NOTIFY nevertheless: see its log";
	n->asked.request.key = &n->asked.key;
	o->wait.seconds = o->opts.asking.wait_s;
	if (o->opts.asking.wait_s != 0 && cli_wait_begin(&o->wait) != OK) {
		return CLI_FAILED;
	}
	int status = cli_notify(n, &o->to, &patience);
	return status == CLI_OK && o->opts.asking.wait_s != 0 ? cli_wait_end(&o->wait) : status;
}

static int
dump(struct octl *o)
{
	char zone[NAME_TEXT_MAX];
	struct cli_signed *asked = &o->wait.status.asked;
	(void)name_show(o->domain.oct, zone);
	asked->subject = zone;
	return octl_dump(asked, &o->to, o->opts.asking.timeout_s, o->domain.oct);
}

static int
carry_out(struct octl *o)
{
	return o->opts.command->is_pull ? pull(o) : o->opts.command->is_dump ? dump(o) : ask(o);
}

/* ---- beginning ---- */

static err_t
read_key(struct octl *o)
{
	const struct cli_secret from = {
		.arg = o->opts.asking.key, .file = o->opts.asking.key_file, .env = "ORIGIN_KEY", .credential = "status-key",
	};
	err_t err = cli_signed_read_key(&o->wait.status.asked, &from, "--key");
	if (err == E_NOTFOUND) {
		cli_error("no key: servers answer only signed questions");
		cli_hint("give a key with --key-file, --key or ORIGIN_KEY; \"okeygen tsig me._status.example.org\" makes one");
	}
	return err;
}

static err_t
read_domain(struct octl *o)
{
	const char *arg = o->opts.arg;
	if (arg == NULL) { /* the domain in the key's name, which only a key with an operation in its name has */
		TRY(cli_status_reach(&o->wait.status));
		o->domain = o->wait.status.domain;
		return OK;
	}
	err_t err = name_parse(arg, strlen(arg), name_root, &o->domain);
	if (err != OK) {
		cli_error("%s is not a domain name: %s", arg, err_str(err));
	}
	return err;
}

static err_t
resolve(struct octl *o)
{
	char why[CLIENT_WHY_MAX];
	err_t err = client_resolve(o->opts.server, o->opts.asking.port, &o->to, why);
	if (err != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: octl SERVER %s", o->opts.command->name);
	}
	return err;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_opt, "[SERVER] COMMAND [NAME]", doc, NULL, cli_help_filter, NULL };
	struct octl *o = xalloc(sizeof *o);
	o->opts = (struct opts){ .asking = { .port = 53, .timeout_s = 2 } };
	cli_init();
	privs_hide_memory();
	cli_parse(&argp, argc, argv, &o->opts);
	o->has_colour = cli_has_colour(stdout);
	o->wait.status.to = &o->to;
	o->wait.status.timeout_s = o->opts.asking.timeout_s;
	o->wait.status.asked.subject = o->opts.command->name;
	o->wait.status.asked.host = o->opts.server;
	o->wait.status.asked.port = o->opts.asking.port;
	o->wait.status.asked.doubt_hint = "nothing was changed by the question";
	int status = CLI_USAGE;
	if (read_key(o) == OK && read_domain(o) == OK) {
		status = resolve(o) != OK ? CLI_FAILED : carry_out(o);
	}
	octl_table_free(&o->table);
	octl_json_free(&o->json);
	wipe(o, sizeof *o);
	free(o);
	return status;
}
