#include "bin/daemon_opts.h"

#include <argp.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/cli.h"

enum option_key {
	KEY_LISTEN = 256, KEY_PORT, KEY_AXFR, KEY_UDP_MAX, KEY_TCP_MAX, KEY_TCP_PER_CLIENT, KEY_TCP_IDLE, KEY_TRANSFERS_MAX,
	KEY_TRANSFERS_MEMORY, KEY_WORKERS, KEY_IDENTITY, KEY_SERVER_VERSION, KEY_MEMORY_MAX, KEY_LOG_LEVEL,
	KEY_NO_SANDBOX,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Answering:", 2 },
	{ "listen", KEY_LISTEN, "ADDR[@PORT]", 0,
	  "Answer on this address, UDP and TCP; may be repeated. Default: every address of the machine", 0 },
	{ "port", KEY_PORT, "N", 0, "Port for --listen addresses without one (53)", 0 },
	{ "axfr", KEY_AXFR, NULL, 0,
	  "Let everybody transfer every zone, unsigned. Default: only with a transfer key, or from an address that needs none", 0 },
	{ "udp-max", KEY_UDP_MAX, "OCTETS", 0, "Largest answer over UDP, 512 to 4096 (1232)", 0 },
	{ "tcp-max", KEY_TCP_MAX, "N", 0,
	  "TCP connections at a time (1000); when all are taken, one is closed for the next: a silent one first, then an idle one, "
	  "and never a known peer at work", 0 },
	{ "tcp-per-client", KEY_TCP_PER_CLIENT, "N", 0, "TCP connections at a time from one IPv4 address or IPv6 /64 (100)", 0 },
	{ "tcp-idle", KEY_TCP_IDLE, "SECONDS", 0, "Close a connection that was idle for this long (30)", 0 },
	{ "transfers-max", KEY_TRANSFERS_MAX, "N", 0, "Zone transfers under way at a time (100); others wait for their turn", 0 },
	{ "transfers-memory", KEY_TRANSFERS_MEMORY, "MIB", 0,
	  "Memory for replaced versions of zones that transfers still send (256); beyond it the slowest transfers end", 0 },
	{ "workers", KEY_WORKERS, "N", 0, "Threads for UDP, and as many for TCP. Default: one for each core", 0 },
	{ "identity", KEY_IDENTITY, "TEXT", 0, "The answer to id.server and NSID. Default: no answer", 0 },
	{ "server-version", KEY_SERVER_VERSION, "TEXT", 0, "The answer to version.bind. Default: no answer", 0 },

	{ NULL, 0, NULL, 0, "The process:", 3 },
	{ "memory-max", KEY_MEMORY_MAX, "MIB", 0,
	  "Memory for serving. Zones and keys may use three quarters of it; a file that would need more keeps its last good version. "
	  "Default: half of what the machine, or the control group, has", 0 },
	{ "log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, info (default) or debug", 0 },
	{ "no-sandbox", KEY_NO_SANDBOX, NULL, 0, DAEMON_NO_SANDBOX_DOC, 0 },
	{ 0 },
};

/* Answers have the text as one character-string (RFC 1035 3.3.14). */
static const char *
short_text(const char *name, const char *arg, struct argp_state *state)
{
	if (arg[0] == '\0' || strlen(arg) > 255) {
		cli_usage(state, "--%s: should be 1 to 255 octets", name);
	}
	return arg;
}

static void
take_listen(struct daemon_opts *o, const char *arg, struct argp_state *state)
{
	if (o->given.listen_n == FRONT_LISTEN_MAX) {
		cli_usage(state, "--listen: at most %d addresses", FRONT_LISTEN_MAX);
	}
	o->given.listen[o->given.listen_n++] = arg;
}

static error_t
read_option(int key, char *arg, struct argp_state *state)
{
	struct daemon_opts *o = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->guard;
		state->child_inputs[1] = &o->monitor;
		return 0;
	case KEY_LISTEN: take_listen(o, arg, state); return 0;
	case KEY_PORT: o->given.port = cli_number_option(state, "port", arg, 1, UINT16_MAX); return 0;
	case KEY_AXFR: o->server.is_axfr_open = true; return 0;
	case KEY_UDP_MAX: o->server.udp_max = (uint16_t)cli_number_option(state, "udp-max", arg, DNS_UDP_PLAIN_MAX, 4096); return 0;
	case KEY_TCP_MAX: o->front.tcp_max = cli_number_option(state, "tcp-max", arg, 1, 1000000); return 0;
	case KEY_TCP_PER_CLIENT: o->front.tcp_per_client = cli_number_option(state, "tcp-per-client", arg, 1, 1000000); return 0;
	case KEY_TCP_IDLE: o->front.tcp_idle_ms = 1000 * cli_number_option(state, "tcp-idle", arg, 1, 3600); return 0;
	case KEY_TRANSFERS_MAX: o->front.transfers_max = cli_number_option(state, "transfers-max", arg, 1, 1000000); return 0;
	case KEY_TRANSFERS_MEMORY: o->given.transfers_memory_mib = cli_number_option(state, "transfers-memory", arg, 1, 1 << 20); return 0;
	case KEY_WORKERS: o->front.workers = cli_number_option(state, "workers", arg, 1, FRONT_WORKERS_MAX); return 0;
	case KEY_IDENTITY: o->server.id = short_text("identity", arg, state); return 0;
	case KEY_SERVER_VERSION: o->server.version = short_text("server-version", arg, state); return 0;
	case KEY_MEMORY_MAX: o->given.memory_mib = cli_number_option(state, "memory-max", arg, DAEMON_MEMORY_MIN_MIB, 1 << 24); return 0;
	case KEY_LOG_LEVEL:
		if (log_level_parse(arg, &o->log_level) != OK) {
			cli_usage(state, "--log-level=%s: should be error, warning, info or debug", arg);
		}
		return 0;
	case KEY_NO_SANDBOX: o->has_no_sandbox = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &guard_argp, 0, NULL, 0 }, { &monitor_argp, 0, NULL, 0 }, { 0 } };
const struct argp daemon_argp = { .options = options, .parser = read_option, .children = children };

static unsigned
cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > FRONT_WORKERS_MAX ? FRONT_WORKERS_MAX : (unsigned)n;
}

void
daemon_opts_init(struct daemon_opts *o)
{
	*o = (struct daemon_opts){
		.front = { .workers = cores(), .tcp_max = 1000, .tcp_per_client = 100, .tcp_idle_ms = 30000, .transfers_max = 100 },
		.server = { .udp_max = DNS_UDP_EDNS_DEFAULT },
		.log_level = LOG_LEVEL_INFO,
		.given = { .port = 53, .transfers_memory_mib = 256 },
	};
	guard_init(&o->guard);
}

uint64_t
daemon_memory_of(unsigned mib, uint64_t part, unsigned least_mib)
{
	uint64_t least = (uint64_t)least_mib << 20;
	return mib != 0 ? (uint64_t)mib << 20 : part > least ? part : least;
}

static void
settle_memory(struct daemon_opts *o)
{
	struct memory_limit have = memory_limit_find("");
	o->memory_all = have.octets != 0 ? have.octets : (uint64_t)DAEMON_MEMORY_UNKNOWN_MIB << 20;
	uint64_t octets = daemon_memory_of(o->given.memory_mib, o->memory_all / DAEMON_MEMORY_PART, DAEMON_MEMORY_MIN_MIB);
	o->memory = (struct memory_limit){ .octets = octets, .from = o->given.memory_mib != 0 ? "--memory-max" : have.from };
	o->zones_octets_max = octets - octets / DAEMON_BESIDE_PART;
	/* Slow transfers must leave enough for pushes. */
	size_t part = o->zones_octets_max / DAEMON_KEPT_PART, wanted = (size_t)o->given.transfers_memory_mib << 20;
	o->kept_octets_max = wanted < part ? wanted : part;
}

static int
settle_listen(struct daemon_opts *o)
{
	static const char *const every[] = { "0.0.0.0", "::" };
	struct diag d;
	o->front.is_listen_default = o->given.listen_n == 0;
	const char *const *texts = o->front.is_listen_default ? every : o->given.listen;
	size_t n = o->front.is_listen_default ? ARRAY_LEN(every) : o->given.listen_n;
	for (size_t i = 0; i < n; i++) {
		if (listen_parse(texts[i], (uint16_t)o->given.port, &o->front.listen[i], &d) != OK) {
			cli_error("--listen=%s", d.text);
			cli_hint("%s", d.hint);
			return CLI_USAGE;
		}
	}
	o->front.listen_n = n;
	if (o->front.is_listen_default && front_conf_inherit(&o->front, &d) != OK) {
		cli_error("%s", d.text);
		cli_hint("%s", d.hint);
		return CLI_USAGE;
	}
	return CLI_OK;
}

int
daemon_opts_settle(struct daemon_opts *o)
{
	settle_memory(o);
	return settle_listen(o);
}
