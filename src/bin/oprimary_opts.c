#include "bin/oprimary_opts.h"

#include <argp.h>
#include <errno.h>
#include <string.h>

#include "auth/catalog.h"
#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/key_memory.h"

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S };

enum option_key {
	KEY_REMOTE = 256, KEY_SSH_KEY, KEY_SSH_KEY_FILE, KEY_AUTHENTICATOR, KEY_KNOWN_HOSTS, KEY_CREDENTIAL_FILE,
	KEY_CA_FILE, KEY_POLL, KEY_CACHE_DIR, KEY_FETCH_TIMEOUT, KEY_FETCH_TIME_MAX, KEY_ZONES_PERCENT, KEY_RECORDS_PERCENT,
	KEY_EXIT_ON_FAILURE, KEY_UPDATE_QUEUE, KEY_UPDATES_PER_KEY, KEY_ZONES_BY_UPDATE, KEY_SERVE_COMMIT, KEY_SERIAL, KEY_OUT_OF_ZONE,
	KEY_COMMITTER, KEY_CATALOG, KEY_FETCH_MEMORY_MAX, KEY_USER,
};

/* The titles of groups 2 and 3 come from daemon_argp. */
static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "The repository:", 1 },
	{ "remote", KEY_REMOTE, "URL[#BRANCH]", 0,
	  "Serve the files of this git repository. URL is file:///path or a path, git://, http://, https://, ssh:// "
	  "or user@host:path. Without BRANCH, the branch of the remote's HEAD", 0 },
	{ "ssh-key", KEY_SSH_KEY, "ed25519:SEED", 0,
	  "Log in with this key, as \"okeygen ssh\" prints it. The command line can be read by every user of the "
	  "machine until the program has started: prefer --ssh-key-file or ORIGIN_SSH_KEY", 0 },
	{ "ssh-key-file", KEY_SSH_KEY_FILE, "FILE", 0, "Read the key of --ssh-key from the first line of this file", 0 },
	{ "authenticator", KEY_AUTHENTICATOR, "SHA256:DIGEST", 0,
	  "The only SSH host key to accept, as \"ssh-keygen -l\" prints it", 0 },
	{ "known-hosts", KEY_KNOWN_HOSTS, "FILE", 0,
	  "Accept the SSH host keys of this known_hosts file; an --authenticator goes first", 0 },
	{ "credential-file", KEY_CREDENTIAL_FILE, "FILE", 0,
	  "User and password, or a token, for http and https: USER:PASSWORD, or TOKEN, or lines as in git's credential store "
	  "(https://USER:PASSWORD@HOST)", 0 },
	{ "ca-file", KEY_CA_FILE, "FILE", 0, "Certificate authorities to trust for https (PEM). Default: the system's", 0 },
	{ "cache-dir", KEY_CACHE_DIR, "DIR", 0,
	  "Keep the clone here, so that the last commit is served even if the remote is down at the start", 0 },
	{ "poll", KEY_POLL, "SECONDS", 0, "Also look for changes at this interval. Default: only on NOTIFY and SIGHUP", 0 },
	{ "exit-on-failure", KEY_EXIT_ON_FAILURE, NULL, 0, "End, with status 1, when there is no zone to serve at the start", 0 },
	{ "fetch-timeout", KEY_FETCH_TIMEOUT, "SECONDS", 0, "Give up a fetch that makes no progress for this long (60)", 0 },
	{ "fetch-time-max", KEY_FETCH_TIME_MAX, "SECONDS", 0, "Give up a fetch that has taken this long, whatever its progress (3600)", 0 },
	{ "mass-delete-zones-percent", KEY_ZONES_PERCENT, "N", 0,
	  "If a commit removes more than this percentage of all zones, hold them back until a commit says \"Origin-Allow: "
	  "mass-delete\" (50). 100: never", 0 },
	{ "mass-delete-records-percent", KEY_RECORDS_PERCENT, "N", 0,
	  "Hold back a zone of over 100 records that would lose more than this percentage of them (50)", 0 },

	{ "serial", KEY_SERIAL, "POLICY", 0,
	  "If a pushed change does not raise the serial: keep (serve it, with a warning; default), increment, or unixtime "
	  "(write a higher serial into the file, and push that)", 0 },

	{ "out-of-zone", KEY_OUT_OF_ZONE, "ACTION", 0,
	  "Records outside of their file's zone: error (the zone keeps its last good version; default), or drop (serve the other "
	  "records, as BIND does, with a warning for each that is dropped)", 0 },

	{ "committer", KEY_COMMITTER, "NAME <MAIL>", 0,
	  "The author of commits for dynamic updates. Default: Origin, and origin@ this machine's name", 0 },

	{ "catalog", KEY_CATALOG, "NAME", 0,
	  "Also serve a catalog zone (RFC 9432) of this name, from which secondaries learn the zones; only for those who may transfer "
	  "it", 2 },
	{ "update-queue", KEY_UPDATE_QUEUE, "N", 0, "Dynamic updates that may wait for their commit (10000); more are refused", 0 },
	{ "updates-per-key", KEY_UPDATES_PER_KEY, "N", 0, "How many of these may be from one key (1000)", 0 },
	{ "zones-by-update", KEY_ZONES_BY_UPDATE, NULL, 0,
	  "Let an update that adds a SOA record make a zone. Let an update that only deletes the SOA record, exactly as it is, remove the "
	  "zone and its file. Default: neither (RFC 2136)", 0 },
	{ "serve-commit", KEY_SERVE_COMMIT, NULL, 0,
	  "Tell everybody which commit is served (commit.server CH TXT), and whoever asks for it, the serial of the zone that an answer "
	  "comes from (RFC 9660). Default: neither", 0 },

	{ "fetch-memory-max", KEY_FETCH_MEMORY_MAX, "MIB", 0,
	  "Memory for a process that fetches or pushes. Default: a quarter of what there is", 3 },
	{ "user", KEY_USER, "NAME", 0,
	  "Become this user once the sockets are open. Default, if root starts it: the process that answers becomes origin, or nobody; "
	  "the one that speaks to the remote becomes the owner of the repository or of the cache directory", 0 },
	{ 0 },
};

static const char doc[] =
	"Serves DNS zones from a git repository: each file in its root directory is a zone, and the file's name "
	"is the zone's name. On a signed NOTIFY (see onotify(1)) it pulls, and serves what has changed."
	"\v"
	"Examples:\n\n"
	"  oprimary --remote=file:///srv/zones.git --listen=127.0.0.1@5300\n"
	"      Serve a local repository for a first look:  dig @127.0.0.1 -p 5300 example.org\n\n"
	"  oprimary --remote=git@git.example.org:zones.git#main --user=origin \\\n"
	"      --ssh-key-file=/etc/origin/ssh-key --authenticator=SHA256:j0zz... \\\n"
	"      --cache-dir=/var/cache/origin\n"
	"      A primary on port 53; \"okeygen ssh\" makes the key.\n\n"
	"Secrets that no option gives: the key comes from ORIGIN_SSH_KEY or the systemd credential \"ssh-key\"; user "
	"and password from ORIGIN_CREDENTIAL or the credential \"credential\"; the whole of --remote from "
	"ORIGIN_REMOTE or the credential \"remote\"; the cookie secret from ORIGIN_COOKIE_SECRET or the credential \"cookie-secret\".\n\n"
	"Signals: HUP pulls, USR1 writes the counters to the log, TERM and INT end. The log goes to standard error, "
	"one line for each event. Exit status: 0 ended on request, 1 could not start, 2 wrong usage, 3 the process that speaks to "
	"the remote has ended and cannot be restarted.";

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
take_catalog(struct opts *o, const char *arg, struct argp_state *state)
{
	err_t err = name_parse(arg, strlen(arg), NULL, &o->primary.catalog);
	if (err != OK || name_is_root(o->primary.catalog.oct) || o->primary.catalog.len > CATALOG_NAME_WIRE_MAX) {
		cli_usage(state, "--catalog=%s: should be a zone's name, such as catalog.example.org", arg);
	}
}

/* What read_option() fills. */
struct reader {
	struct opts *opts;
	const char *committer;
	unsigned fetch_memory_mib;
};

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct reader *r = state->input;
	struct opts *o = r->opts;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &o->daemon; state->child_inputs[1] = &o->notify; return 0;
	case KEY_REMOTE: secrets_take_remote(&o->secrets, arg); return 0;
	case KEY_SSH_KEY: secrets_take_ssh_key(&o->secrets, arg); return 0;
	case KEY_SSH_KEY_FILE: o->secrets.ssh_key_file = arg; return 0;
	case KEY_AUTHENTICATOR: o->secrets.authenticator = arg; return 0;
	case KEY_KNOWN_HOSTS: o->git.known_hosts = arg; return 0;
	case KEY_CREDENTIAL_FILE: o->secrets.credential_file = arg; return 0;
	case KEY_CA_FILE: o->git.ca_file = arg; return 0;
	case KEY_CACHE_DIR: o->git.cache_dir = arg; return 0;
	case KEY_EXIT_ON_FAILURE: o->exit_on_failure = true; return 0;
	case KEY_ZONES_BY_UPDATE: o->primary.zones_by_update = true; return 0;
	case KEY_SERVE_COMMIT: o->daemon.server.tells_commit = true; return 0;
	case KEY_USER: o->daemon.user = arg; return 0;
	case KEY_COMMITTER: r->committer = arg; return 0;
	case KEY_CATALOG: take_catalog(o, arg, state); return 0;
	case KEY_SERIAL: o->primary.serial = serial_policy_of(arg, state); return 0;
	case KEY_OUT_OF_ZONE: o->primary.drops_outside = cli_drops_outside(state, arg); return 0;
	case KEY_POLL: o->poll_s = cli_number_option(state, "poll", arg, 1, WEEK_S); return 0;
	case KEY_FETCH_TIMEOUT: o->git.fetch_timeout_s = cli_number_option(state, "fetch-timeout", arg, 1, DAY_S); return 0;
	case KEY_FETCH_TIME_MAX: o->git.fetch_max_s = cli_number_option(state, "fetch-time-max", arg, 1, WEEK_S); return 0;
	case KEY_ZONES_PERCENT:
		o->primary.delete_zones_percent = cli_number_option(state, "mass-delete-zones-percent", arg, 0, 100);
		return 0;
	case KEY_RECORDS_PERCENT:
		o->primary.delete_records_percent = cli_number_option(state, "mass-delete-records-percent", arg, 0, 100);
		return 0;
	case KEY_UPDATE_QUEUE: o->update_queue = cli_number_option(state, "update-queue", arg, 1, 1000000); return 0;
	case KEY_UPDATES_PER_KEY: o->updates_per_key = cli_number_option(state, "updates-per-key", arg, 1, 1000000); return 0;
	case KEY_FETCH_MEMORY_MAX:
		r->fetch_memory_mib = cli_number_option(state, "fetch-memory-max", arg, OPTS_FETCH_MIN_MIB, 1 << 24);
		return 0;
	case ARGP_KEY_ARG:
		cli_usage(state, "unexpected argument \"%s\": there are only options, and the repository is --remote=URL", arg);
		return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &daemon_argp, 0, NULL, 0 }, { &notify_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = { .options = options, .parser = read_option, .doc = doc, .children = children };

static int
settle_committer(struct reader *r)
{
	struct diag d;
	return r->committer == NULL || git_conf_committer(&r->opts->git, r->committer, &d) == OK ? CLI_OK : cli_complain(&d);
}

static void
settle_memory(struct reader *r)
{
	struct opts *o = r->opts;
	const struct daemon_opts *d = &o->daemon;
	o->primary.octets_max = d->zones_octets_max;
	o->primary.key_memory = key_memory();
	o->git.memory_max = daemon_memory_of(r->fetch_memory_mib, d->memory_all / OPTS_FETCH_PART, OPTS_FETCH_MIN_MIB);
	o->git.text_max = d->memory.octets / OPTS_TEXTS_PART;
}

int
opts_read(struct opts *o, int argc, char **argv)
{
	*o = (struct opts){
		.git = { .fetch_timeout_s = GIT_FETCH_TIMEOUT_S, .fetch_max_s = GIT_FETCH_MAX_S },
		.primary = PRIMARY_VALVE,
		.notify = { .whom = NOTIFY_WHOM_ALL, .is_default = true },
		.update_queue = 10000,
		.updates_per_key = 1000,
	};
	daemon_opts_init(&o->daemon);
	o->secrets.of_answers = &o->daemon.guard;
	struct reader r = { .opts = o };
	cli_parse(&argp, argc, argv, &r);
	int status = settle_committer(&r);
	if (status == CLI_OK) {
		status = daemon_opts_settle(&o->daemon);
	}
	status = status == CLI_OK ? guard_read(&o->daemon.guard) : status;
	settle_memory(&r);
	return status;
}

void
opts_fini(struct opts *o)
{
	git_conf_fini(&o->git);
}
