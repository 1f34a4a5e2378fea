#include "bin/oprimary_opts.h"

#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/catalog.h"
#include "base/alloc.h"
#include "bin/cli.h"

enum option_key {
	KEY_REMOTE = 256, KEY_SSH_KEY, KEY_SSH_KEY_FILE, KEY_AUTHENTICATOR, KEY_KNOWN_HOSTS, KEY_CREDENTIAL_FILE,
	KEY_CA_FILE, KEY_POLL, KEY_CACHE_DIR, KEY_FETCH_TIMEOUT, KEY_FETCH_TIME_MAX, KEY_ZONES_PERCENT, KEY_RECORDS_PERCENT,
	KEY_LISTEN, KEY_PORT, KEY_EXIT_ON_FAILURE, KEY_AXFR, KEY_UDP_MAX, KEY_TCP_MAX, KEY_TCP_PER_CLIENT, KEY_TCP_IDLE, KEY_TRANSFERS_MAX,
	KEY_TRANSFERS_MEMORY,
	KEY_UPDATE_QUEUE, KEY_UPDATES_PER_KEY, KEY_ZONES_BY_UPDATE, KEY_SERIAL, KEY_OUT_OF_ZONE, KEY_COMMITTER, KEY_CATALOG,
	KEY_NOTIFY, KEY_WORKERS, KEY_MEMORY_MAX, KEY_FETCH_MEMORY_MAX,
	KEY_IDENTITY, KEY_SERVER_VERSION, KEY_USER, KEY_LOG_LEVEL,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The repository:", 1 },
	{ "remote", KEY_REMOTE, "URL[#BRANCH]", 0,
	  "Serve the files of this git repository. URL is file:///path or a path, git://, http://, https://, ssh:// "
	  "or user@host:path. Without BRANCH the one that the remote's HEAD names", 0 },
	{ "ssh-key", KEY_SSH_KEY, "ed25519:SEED", 0,
	  "Log in with this key, as \"okeygen ssh\" prints it. The command line can be read by every user of the "
	  "machine until the program has started: prefer --ssh-key-file or ORIGIN_SSH_KEY", 0 },
	{ "ssh-key-file", KEY_SSH_KEY_FILE, "FILE", 0, "What --ssh-key takes, out of the first line of a file", 0 },
	{ "authenticator", KEY_AUTHENTICATOR, "SHA256:DIGEST", 0,
	  "The only SSH host key to accept, as \"ssh-keygen -l\" prints it", 0 },
	{ "known-hosts", KEY_KNOWN_HOSTS, "FILE", 0,
	  "Accept the SSH host keys of this known_hosts file; an --authenticator goes first", 0 },
	{ "credential-file", KEY_CREDENTIAL_FILE, "FILE", 0,
	  "User and password, or a token, for http and https: USER:PASSWORD, or TOKEN, or lines as git's own store "
	  "has them (https://USER:PASSWORD@HOST)", 0 },
	{ "ca-file", KEY_CA_FILE, "FILE", 0, "Certificate authorities to trust for https (PEM). Default: the system's", 0 },
	{ "cache-dir", KEY_CACHE_DIR, "DIR", 0,
	  "Keep the clone here, so that a start while the remote is down still serves the last commit", 0 },
	{ "poll", KEY_POLL, "SECONDS", 0, "Also look for changes this often. Default: only on NOTIFY and SIGHUP", 0 },
	{ "exit-on-failure", KEY_EXIT_ON_FAILURE, NULL, 0, "End, with status 1, when there is no zone to serve at the start", 0 },
	{ "fetch-timeout", KEY_FETCH_TIMEOUT, "SECONDS", 0, "Give up a fetch that makes no progress for so long (60)", 0 },
	{ "fetch-time-max", KEY_FETCH_TIME_MAX, "SECONDS", 0, "Give up a fetch that has taken so long, whatever its progress (3600)", 0 },
	{ "mass-delete-zones-percent", KEY_ZONES_PERCENT, "N", 0,
	  "Hold back the zones that a commit removes, if they are more of all than this (50), until one says \"Origin-Allow: "
	  "mass-delete\". 100: never", 0 },
	{ "mass-delete-records-percent", KEY_RECORDS_PERCENT, "N", 0,
	  "Hold back a zone of over 100 records that would lose more of them than this (50)", 0 },

	{ "serial", KEY_SERIAL, "POLICY", 0,
	  "What to do with a pushed change whose serial did not grow: keep (serve it, with a warning; default), increment, or unixtime "
	  "(write a higher one into the file, and push that)", 0 },

	{ "out-of-zone", KEY_OUT_OF_ZONE, "ACTION", 0,
	  "What to do with records outside of their file's zone: error (the zone keeps its last good version; default), or drop (serve "
	  "the others, as BIND does, with a warning for each)", 0 },

	{ "committer", KEY_COMMITTER, "NAME <MAIL>", 0,
	  "Who the commits of dynamic updates are by. Default: Origin, and origin@ this machine's name", 0 },

	{ NULL, 0, NULL, 0, "Answering:", 2 },
	{ "listen", KEY_LISTEN, "ADDR[@PORT]", 0,
	  "Answer on this address, UDP and TCP; may be repeated. Default: every address of the machine", 0 },
	{ "port", KEY_PORT, "N", 0, "Port where --listen names none (53)", 0 },
	{ "axfr", KEY_AXFR, NULL, 0, "Let everybody transfer every zone, unsigned. Default: who signs with a transfer key", 0 },
	{ "catalog", KEY_CATALOG, "NAME", 0,
	  "Let the zones be found in a catalog zone (RFC 9432) of this name, by who may transfer it", 0 },
	{ "notify", KEY_NOTIFY, "WHOM", 0,
	  "Send NOTIFY to all secondaries, those that transfer keys name (keys), or none. Default: all, but of a primary that listens on "
	  "loopback addresses alone only those with a loopback address", 0 },
	{ "udp-max", KEY_UDP_MAX, "OCTETS", 0, "Largest answer over UDP, 512 to 4096 (1232)", 0 },
	{ "tcp-max", KEY_TCP_MAX, "N", 0,
	  "TCP connections at a time (1000); when all are taken one goes for the next, strangers first", 0 },
	{ "tcp-per-client", KEY_TCP_PER_CLIENT, "N", 0, "TCP connections at a time from one IPv4 address or IPv6 /64 (100)", 0 },
	{ "tcp-idle", KEY_TCP_IDLE, "SECONDS", 0, "Close connections idle for so long (30)", 0 },
	{ "transfers-max", KEY_TRANSFERS_MAX, "N", 0, "Zone transfers under way at a time (100); others wait for their turn", 0 },
	{ "transfers-memory", KEY_TRANSFERS_MEMORY, "MIB", 0,
	  "Memory for what pushes and updates replace while transfers still send it (256); beyond it the slowest end", 0 },
	{ "update-queue", KEY_UPDATE_QUEUE, "N", 0, "Dynamic updates that may wait for their commit (10000); more are refused", 0 },
	{ "updates-per-key", KEY_UPDATES_PER_KEY, "N", 0, "Of these, from one key (1000)", 0 },
	{ "zones-by-update", KEY_ZONES_BY_UPDATE, NULL, 0,
	  "Let a dynamic update that adds a SOA record make a zone, and one that deletes the SOA record that is there, and does nothing "
	  "else, remove the zone and its file. Default: neither (RFC 2136)", 0 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads that answer, for UDP and for TCP each. Default: one a core", 0 },
	{ "identity", KEY_IDENTITY, "TEXT", 0, "Answer id.server and NSID with this. Default: not at all", 0 },
	{ "server-version", KEY_SERVER_VERSION, "TEXT", 0, "Answer version.bind with this. Default: not at all", 0 },

	{ NULL, 0, NULL, 0, "The process:", 3 },
	{ "memory-max", KEY_MEMORY_MAX, "MIB", 0,
	  "Memory that serving may take: three quarters of it are for zones, and one that would take more keeps its last good version. "
	  "Default: half of what the machine, or the control group, has", 0 },
	{ "fetch-memory-max", KEY_FETCH_MEMORY_MAX, "MIB", 0,
	  "Memory that a process which fetches or pushes may take. Default: a quarter of what there is", 0 },
	{ "user", KEY_USER, "NAME", 0,
	  "Become this user once the sockets are open. Default, when root starts it: who answers becomes origin, or nobody; who "
	  "speaks to the remote, the owner of the repository or of the cache directory", 0 },
	{ "log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info (default) or debug", 0 },
	{ 0 },
};

static const char doc[] =
	"Serves DNS zones out of a git repository: each file in its root directory is a zone, and the file's name "
	"is the zone's name. A signed NOTIFY (see onotify(1)) makes it pull and serve what has changed."
	"\v"
	"Examples:\n\n"
	"  oprimary --remote=file:///srv/zones.git --listen=127.0.0.1@5300\n"
	"      Serve a local repository for a first look:  dig @127.0.0.1 -p 5300 example.org\n\n"
	"  oprimary --remote=git@git.example.org:zones.git#main --user=origin \\\n"
	"      --ssh-key-file=/etc/origin/ssh-key --authenticator=SHA256:j0zz... \\\n"
	"      --cache-dir=/var/cache/origin\n"
	"      A primary on port 53; \"okeygen ssh\" makes the key.\n\n"
	"Secrets, where no option gives them: the key from ORIGIN_SSH_KEY or the systemd credential \"ssh-key\"; user "
	"and password from ORIGIN_CREDENTIAL or the credential \"credential\"; the whole of --remote from "
	"ORIGIN_REMOTE or the credential \"remote\".\n\n"
	"Signals: HUP pulls, USR1 writes the counters to the log, TERM and INT end. The log goes to standard error, "
	"one line an event. Exit status: 0 ended on request, 1 could not start, 2 wrong usage, 3 the process that speaks to "
	"the remote is gone for good.";

/* Numbers go into the reader below first: their places in struct opts are of several types. */
static const struct {
	const char *name;
	enum option_key key;
	unsigned min, max, value; /* value: when the option is not given */
} numbers[] = {
	{ "poll", KEY_POLL, 1, 7 * 86400, 0 },
	{ "fetch-timeout", KEY_FETCH_TIMEOUT, 1, 86400, GIT_FETCH_TIMEOUT_S },
	{ "fetch-time-max", KEY_FETCH_TIME_MAX, 1, 7 * 86400, GIT_FETCH_MAX_S },
	{ "mass-delete-zones-percent", KEY_ZONES_PERCENT, 0, 100, 50 },
	{ "mass-delete-records-percent", KEY_RECORDS_PERCENT, 0, 100, 50 },
	{ "port", KEY_PORT, 1, UINT16_MAX, 53 },
	{ "udp-max", KEY_UDP_MAX, DNS_UDP_PLAIN_MAX, 4096, DNS_UDP_EDNS_DEFAULT },
	{ "tcp-max", KEY_TCP_MAX, 1, 1000000, 1000 },
	{ "tcp-per-client", KEY_TCP_PER_CLIENT, 1, 1000000, 100 },
	{ "tcp-idle", KEY_TCP_IDLE, 1, 3600, 30 },
	{ "transfers-max", KEY_TRANSFERS_MAX, 1, 1000000, 100 },
	{ "transfers-memory", KEY_TRANSFERS_MEMORY, 1, 1 << 20, 256 },
	{ "update-queue", KEY_UPDATE_QUEUE, 1, 1000000, 10000 },
	{ "updates-per-key", KEY_UPDATES_PER_KEY, 1, 1000000, 1000 },
	{ "workers", KEY_WORKERS, 1, FRONT_WORKERS_MAX, 0 },
	{ "memory-max", KEY_MEMORY_MAX, OPTS_MEMORY_MIN_MIB, 1 << 24, 0 },
	{ "fetch-memory-max", KEY_FETCH_MEMORY_MAX, OPTS_FETCH_MIN_MIB, 1 << 24, 0 },
};

/* What argp collects, before it is given its meaning. */
struct reader {
	struct opts *opts;
	const char *committer;
	const char *listen[FRONT_LISTEN_MAX];
	size_t listen_n;
	unsigned number[ARRAY_LEN(numbers)];
};

static unsigned
number_of(const struct reader *r, enum option_key key)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (numbers[i].key == key) {
			return r->number[i];
		}
	}
	assert_failed("a number option", __FILE__, __LINE__);
}

static error_t
read_number(struct reader *r, int key, const char *arg, struct argp_state *state)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if ((int)numbers[i].key != key) {
			continue;
		}
		uint64_t v = 0;
		if (cli_number(arg, numbers[i].max, &v) != OK || v < numbers[i].min) {
			cli_usage(state, "--%s=%s: should be a number from %u to %u", numbers[i].name, arg, numbers[i].min,
			           numbers[i].max);
		}
		r->number[i] = (unsigned)v;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* CH TXT and NSID carry it as one character-string (RFC 1035 3.3.14). */
static const char *
short_text(const char *name, const char *arg, struct argp_state *state)
{
	if (arg[0] == '\0' || strlen(arg) > 255) {
		cli_usage(state, "--%s: should be 1 to 255 octets", name);
	}
	return arg;
}

static enum serial_policy
serial_policy_of(const char *arg, struct argp_state *state)
{
	static const char *const policies[] = { [SERIAL_KEEP] = "keep", [SERIAL_INCREMENT] = "increment", [SERIAL_UNIXTIME] = "unixtime" };
	for (unsigned i = 0; i < ARRAY_LEN(policies); i++) {
		if (strcmp(arg, policies[i]) == 0) {
			return (enum serial_policy)i;
		}
	}
	cli_usage(state, "--serial=%s: should be keep, increment or unixtime", arg);
	return SERIAL_KEEP;
}

static void
take_notify(struct opts *o, const char *arg, struct argp_state *state)
{
	static const char *const whom[] = { [NOTIFY_WHOM_ALL] = "all", [NOTIFY_WHOM_KEYS] = "keys", [NOTIFY_WHOM_NONE] = "none" };
	o->is_notify_default = false;
	for (unsigned i = 0; i < ARRAY_LEN(whom); i++) {
		if (strcmp(arg, whom[i]) == 0) {
			o->notify = (enum notify_whom)i;
			return;
		}
	}
	cli_usage(state, "--notify=%s: should be all, keys or none", arg);
}

static void
take_catalog(struct opts *o, const char *arg, struct argp_state *state)
{
	err_t err = name_parse(arg, strlen(arg), NULL, &o->primary.catalog);
	if (err != OK || name_is_root(o->primary.catalog.oct) || o->primary.catalog.len > CATALOG_NAME_WIRE_MAX) {
		cli_usage(state, "--catalog=%s: should be a name for a zone, such as catalog.example.org", arg);
	}
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct reader *r = state->input;
	struct opts *o = r->opts;
	switch (key) {
	case KEY_REMOTE: secrets_take_remote(&o->secrets, arg); return 0;
	case KEY_SSH_KEY: secrets_take_ssh_key(&o->secrets, arg); return 0;
	case KEY_SSH_KEY_FILE: o->secrets.ssh_key_file = arg; return 0;
	case KEY_AUTHENTICATOR: o->secrets.authenticator = arg; return 0;
	case KEY_KNOWN_HOSTS: o->git.known_hosts = arg; return 0;
	case KEY_CREDENTIAL_FILE: o->secrets.credential_file = arg; return 0;
	case KEY_CA_FILE: o->git.ca_file = arg; return 0;
	case KEY_CACHE_DIR: o->git.cache_dir = arg; return 0;
	case KEY_EXIT_ON_FAILURE: o->exit_on_failure = true; return 0;
	case KEY_AXFR: o->server.is_axfr_open = true; return 0;
	case KEY_ZONES_BY_UPDATE: o->primary.zones_by_update = true; return 0;
	case KEY_IDENTITY: o->server.id = short_text("identity", arg, state); return 0;
	case KEY_SERVER_VERSION: o->server.version = short_text("server-version", arg, state); return 0;
	case KEY_USER: o->user = arg; return 0;
	case KEY_COMMITTER: r->committer = arg; return 0;
	case KEY_CATALOG: take_catalog(o, arg, state); return 0;
	case KEY_NOTIFY: take_notify(o, arg, state); return 0;
	case KEY_LISTEN:
		if (r->listen_n == FRONT_LISTEN_MAX) {
			cli_usage(state, "--listen: at most %d addresses", FRONT_LISTEN_MAX);
		}
		r->listen[r->listen_n++] = arg;
		return 0;
	case KEY_SERIAL:
		o->primary.serial = serial_policy_of(arg, state);
		return 0;
	case KEY_OUT_OF_ZONE:
		o->primary.drops_outside = cli_drops_outside(state, arg);
		return 0;
	case KEY_LOG_LEVEL:
		if (log_level_parse(arg, &o->log_level) != OK) {
			cli_usage(state, "--log-level=%s: should be error, warning, info or debug", arg);
		}
		return 0;
	case ARGP_KEY_ARG:
		cli_usage(state, "what is \"%s\"? All arguments are options; the repository is --remote=URL", arg);
		return EINVAL;
	default:
		return read_number(r, key, arg, state);
	}
}

static const struct argp argp = { .options = options, .parser = read_option, .doc = doc };

static int
take_committer(struct reader *r)
{
	struct diag d;
	return r->committer == NULL || git_conf_committer(&r->opts->git, r->committer, &d) == OK ? CLI_OK : cli_complain(&d);
}

static int
take_listen(struct reader *r)
{
	static const char *const every[] = { "0.0.0.0", "::" };
	struct opts *o = r->opts;
	struct diag d;
	o->front.is_listen_default = r->listen_n == 0;
	const char *const *texts = o->front.is_listen_default ? every : r->listen;
	size_t n = o->front.is_listen_default ? ARRAY_LEN(every) : r->listen_n;
	for (size_t i = 0; i < n; i++) {
		if (listen_parse(texts[i], (uint16_t)number_of(r, KEY_PORT), &o->front.listen[i], &d) != OK) {
			return cli_complain(&d);
		}
	}
	o->front.listen_n = n;
	return CLI_OK;
}

static unsigned
cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > FRONT_WORKERS_MAX ? FRONT_WORKERS_MAX : (unsigned)n;
}

static void
take_numbers(struct reader *r)
{
	struct opts *o = r->opts;
	o->poll_s = number_of(r, KEY_POLL);
	o->git.fetch_timeout_s = number_of(r, KEY_FETCH_TIMEOUT);
	o->git.fetch_max_s = number_of(r, KEY_FETCH_TIME_MAX);
	o->primary.delete_zones_percent = number_of(r, KEY_ZONES_PERCENT);
	o->primary.delete_records_percent = number_of(r, KEY_RECORDS_PERCENT);
	o->primary.delete_records_min = 100;
	o->server.udp_max = (uint16_t)number_of(r, KEY_UDP_MAX);
	o->server.tcp_idle_100ms = (uint16_t)(10 * number_of(r, KEY_TCP_IDLE));
	o->front.tcp_idle_ms = 1000 * number_of(r, KEY_TCP_IDLE);
	o->front.tcp_max = number_of(r, KEY_TCP_MAX);
	o->front.tcp_per_client = number_of(r, KEY_TCP_PER_CLIENT);
	o->front.transfers_max = number_of(r, KEY_TRANSFERS_MAX);
	o->transfers_memory_mib = number_of(r, KEY_TRANSFERS_MEMORY);
	o->update_queue = number_of(r, KEY_UPDATE_QUEUE);
	o->updates_per_key = number_of(r, KEY_UPDATES_PER_KEY);
	o->front.workers = number_of(r, KEY_WORKERS) != 0 ? number_of(r, KEY_WORKERS) : cores();
}

/* What an option says in MiB, or a part of what there is. */
static uint64_t
memory_of(unsigned mib, uint64_t part, unsigned least_mib)
{
	uint64_t least = (uint64_t)least_mib << 20;
	return mib != 0 ? (uint64_t)mib << 20 : part > least ? part : least;
}

static void
take_memory(struct reader *r)
{
	struct opts *o = r->opts;
	unsigned given = number_of(r, KEY_MEMORY_MAX);
	struct memory_limit have = memory_limit_find("");
	uint64_t all = have.octets != 0 ? have.octets : (uint64_t)OPTS_MEMORY_UNKNOWN_MIB << 20;
	uint64_t octets = memory_of(given, all / OPTS_MEMORY_PART, OPTS_MEMORY_MIN_MIB);
	o->memory = (struct memory_limit){ .octets = octets, .from = given != 0 ? "--memory-max" : have.from };
	o->primary.octets_max = octets - octets / OPTS_MEMORY_BESIDE_PART;
	o->git.memory_max = memory_of(number_of(r, KEY_FETCH_MEMORY_MAX), all / OPTS_FETCH_PART, OPTS_FETCH_MIN_MIB);
	o->git.text_max = octets / OPTS_TEXTS_PART;
}

int
opts_read(struct opts *o, int argc, char **argv)
{
	*o = (struct opts){ .log_level = LOG_LEVEL_INFO, .is_notify_default = true };
	struct reader r = { .opts = o };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		r.number[i] = numbers[i].value;
	}
	cli_parse(&argp, argc, argv, &r);
	take_numbers(&r);
	take_memory(&r);

	int (*const steps[])(struct reader *) = { take_committer, take_listen };
	int status = CLI_OK;
	for (size_t i = 0; i < ARRAY_LEN(steps) && status == CLI_OK; i++) {
		status = steps[i](&r);
	}
	return status;
}

void
opts_fini(struct opts *o)
{
	git_conf_fini(&o->git);
}
