/* A daemon that serves one zone, which is built in, over the parts that all daemons share: for tests/system/test_daemon.py, and for
 * whoever begins another daemon.  It knows nothing of git. */
#include <argp.h>

#include "bin/cli.h"
#include "bin/daemon.h"
#include "net/report.h"
#include "net/served.h"
#include "serve.h"

const char *argp_program_version = CLI_VERSION("builtin_zone");

static const char *const files[][2] = {
	{ "example", "$TTL 300\n"
	             "@ SOA ns hostmaster 7 3600 600 86400 300\n"
	             "@ NS ns\n"
	             "ns A 192.0.2.1\n"
	             "www A 192.0.2.80\n" },
};

struct builtin {
	struct daemon daemon;
	struct daemon_opts opts;
	struct primary *primary;
	struct served *served;
};

/* ---- the zone ---- */

static size_t
on_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	struct builtin *b = ctx;
	(void)resp, (void)cap;
	report_request(&b->daemon.log, &r->from->peer, out);
	return 0;
}

static void
on_transferred(void *ctx, const struct net_transferred *t)
{
	struct builtin *b = ctx;
	report_transfer(&b->daemon.log, t);
}

static err_t
zone_up(struct daemon *d)
{
	struct builtin *b = d->ctx;
	b->primary = serve_files(files, 1);
	b->served = served_new(&(struct served_conf){ .first = primary_view(b->primary) });
	d->env = (struct net_env){
		.served = b->served, .conf = &d->opts->server, .handle = server_handle, .event = on_event,
		.transferred = on_transferred, .ctx = b,
	};
	return OK;
}

static void
zone_down(struct daemon *d)
{
	struct builtin *b = d->ctx;
	if (!d->is_stuck) {
		served_free(&b->served);
		primary_free(&b->primary);
	}
}

static err_t
told_up(struct daemon *d)
{
	daemon_tell_served(d, 1, "one zone");
	return OK;
}

/* ---- the program ---- */

static void
log_stats(struct daemon *d)
{
	struct net_stats sum;
	front_sum(&d->front, &sum);
	log_event(&d->log, LOG_LEVEL_INFO, "stats", "udp_queries=%lu tcp_queries=%lu", sum.server.queries[TRANSPORT_UDP],
	          sum.server.queries[TRANSPORT_TCP]);
}

static const struct daemon_stage stages[] = {
	DAEMON_STAGE_MANAGER, DAEMON_STAGE_FILES,  DAEMON_STAGE_LISTEN, DAEMON_STAGE_PRIVS, DAEMON_STAGE_SANDBOX,
	{ "zone", zone_up, zone_down },
	DAEMON_STAGE_LOG,     DAEMON_STAGE_WORKERS, DAEMON_STAGE_HEALTH, { "told", told_up, NULL },
};

static const struct daemon_program program = { .stages = stages, .stages_n = ARRAY_LEN(stages), .files = 64, .log_stats = log_stats };

int
main(int argc, char **argv)
{
	static struct builtin b;
	b.daemon = (struct daemon){ .program = &program, .opts = &b.opts, .ctx = &b };
	daemon_begin();
	daemon_opts_init(&b.opts);
	cli_parse(&daemon_argp, argc, argv, &b.opts);
	int status = daemon_opts_settle(&b.opts);
	return status != CLI_OK ? status : daemon_run(&b.daemon);
}
