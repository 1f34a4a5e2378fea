/* oacme: gets certificates for the signing requests in DNS; a hidden secondary of the zones, which serves nobody. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "acme/http.h"
#include "base/alloc.h"
#include "bin/bounds_opts.h"
#include "bin/cli.h"
#include "bin/daemon.h"
#include "bin/monitor.h"
#include "bin/oacme_opts.h"
#include "bin/oacme_survey.h"
#include "bin/survey_share.h"
#include "dns/wire.h"
#include "image/image.h"
#include "net/certify.h"
#include "net/follow.h"
#include "net/follow_views.h"
#include "net/report.h"
#include "net/report_certify.h"
#include "net/report_follow.h"

const char *argp_program_version = CLI_VERSION("oacme");

enum {
	FILES = 64 + NET_FOLLOW_FILES + NET_CERTIFY_FILES + MONITOR_FILES,
	SHARE_MS = 2000,         /* how long the following thread may take to tell what it knows */
	FOLLOW_END_MS = 2000,
	CHECK_QUIET_S = 2,       /* --check: nothing has come for so long */
	CHECK_MAX_S = 120,
	HTTPS_PORT = 443,
};

struct oacme {
	struct daemon daemon;
	struct oacme_opts opts;
	const struct keystore *keys;    /* the views' */
	struct follow_views views;      /* the following thread's, as all below but `follow` */
	struct net_certify *certify;
	struct net_follow *follow;
	atomic_bool is_state_wanted;    /* SIGUSR1, or --check is ready */
	uint64_t begun_ms, quiet_ms, seen_transfers; /* --check, on the main thread */
	struct survey_share share;      /* of the following thread */
};

/* ---- for people ---- */

static void
log_one(void *ctx, const struct certifier_state *s)
{
	const struct oacme *a = ctx;
	report_certify_state(&a->daemon.log, s);
}

static void
print_one(void *ctx, const struct certifier_state *s)
{
	char host[NAME_TEXT_MAX], left[32] = "no certificate", next[32] = "now";
	(void)ctx;
	name_show(s->host, host);
	if (s->has_cert) {
		(void)snprintf(left, sizeof left, "%" PRId64 " days left", s->days_left);
	}
	if (s->next_s != 0) {
		(void)snprintf(next, sizeof next, "in %" PRIu64 " h", (s->next_s + 1800) / 3600);
	}
	printf("%-40s %-16s %s %s%s%s\n", host, left, s->action, next, s->trouble[0] != '\0' ? ": " : "", s->trouble);
}

/* Asks the CA about the account, until it is known. */
static void
show_persist(struct oacme *a, const struct now *now)
{
	struct acme_client *ca = net_certify_client(a->certify);
	const char *trouble = acme_client_trouble(ca);
	struct str lines = { 0 };
	err_t err = OK;
	if (trouble != NULL) {
		cli_error("%s: %s", a->opts.directory, trouble);
		daemon_end(&a->daemon, CLI_FAILED);
		return;
	}
	if (acme_client_account(ca) == NULL) {
		acme_client_want_account(ca, now);
		return;
	}
	for (size_t i = 0; i < a->opts.persist.n && err == OK; i++) {
		err = acme_client_persist_line(ca, a->opts.persist.name[i], &lines);
	}
	(void)fputs(str_text(&lines), stdout);
	str_fini(&lines);
	if (err != OK) {
		cli_error("%s: %s", a->opts.directory, err == E_UNSUPPORTED ? "this CA has no such proofs (dns-persist-01)" : err_str(err));
	}
	(void)fflush(stdout);
	daemon_end(&a->daemon, err == OK ? CLI_OK : CLI_FAILED);
}

static void
show_states(struct oacme *a)
{
	const struct now now = net_now();
	if (a->opts.persist.n != 0) {
		show_persist(a, &now);
		return;
	}
	const struct certifier *c = net_certify_machine(a->certify);
	if (!a->opts.is_check) {
		certifier_each(c, &now, log_one, a);
		return;
	}
	uint64_t hosts = certifier_stats(c)->hosts;
	size_t zones = view_zones_n(secondary_view(a->views.secondary));
	printf("%" PRIu64 " %s in %zu %s\n", hosts, hosts == 1 ? "name" : "names", zones, zones == 1 ? "zone" : "zones");
	certifier_each(c, &now, print_one, a);
	(void)fflush(stdout);
	daemon_end(&a->daemon, CLI_OK);
}

/* ---- the following thread ---- */

static void
on_changed(void *ctx, const uint8_t *zone)
{
	struct oacme *a = ctx;
	net_certify_zone_changed(a->certify, zone);
	daemon_tell_transferred(&a->daemon, view_zones_n(secondary_view(a->views.secondary)));
}

/* The primary's NOTIFY, over our link.  Nothing else is answered there. */
static size_t
on_link_request(void *ctx, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t *resp, size_t cap)
{
	struct oacme *a = ctx;
	struct server_out out;
	struct follow_notice notice;
	if (dns_opcode(bytes) != OPCODE_NOTIFY) {
		return 0;
	}
	const struct view *v = secondary_view(a->views.secondary);
	size_t n = server_handle(v, &a->opts.daemon.server, from, net_wall_s(), bytes, len, resp, cap, &a->daemon.beside.server, &out);
	if (out.event != EVENT_NONE) {
		report_request(&a->daemon.log, from, &out);
	}
	if (net_follow_notice_of(from, &out, bytes, len, &notice)) {
		net_follow_notice(a->follow, &notice);
	}
	return n;
}

static void
add_own(void *ctx, struct survey *s)
{
	struct oacme *a = ctx;
	oacme_survey_own(s, net_certify_machine(a->certify), a->follow, secondary_view(a->views.secondary));
}

static void
on_woken(void *ctx)
{
	struct oacme *a = ctx;
	if (atomic_exchange(&a->is_state_wanted, false)) {
		show_states(a);
	}
	survey_share_serve(&a->share, add_own, a);
}

/* ---- stages ---- */

/* By the user who we are now, and before the first certificate is wanted. */
static err_t
check_ca_file(const char *file, struct diag *diag)
{
	int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	if (file != NULL && fd < 0) {
		diag_set(diag, DIAG_ERROR, "system", "cannot read --ca-file=%s: %s", file, strerror(errno));
		diag_hint(diag, "the user who oacme becomes has to read it when there is an order: see \"ls -l %s\"", file);
		return E_IO;
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return OK;
}

static err_t
certify_new(struct oacme *a)
{
	const struct oacme_opts *o = &a->opts;
	const struct net_certify_conf conf = {
		.client = { .directory = o->directory, .key = o->account, .contact = o->contact[0] != '\0' ? o->contact : NULL,
		            .has_agreed = true, .eab_kid = o->eab_kid, .eab_key = o->eab_key, .eab_key_len = o->eab_key_len,
		            .profile = o->profile, .preferred_chain = o->preferred_chain },
		.machine = { .keys = a->keys, .servers = o->servers, .servers_n = o->servers_n, .dane = o->dane,
		             .dane_keep_s = o->dane_keep_s, .is_dry = o->is_check || o->persist.n != 0 },
		.ca_file = o->ca_file, .views = &a->views,
	};
	return net_certify_new(&conf, &a->certify);
}

static err_t
follow_new(struct oacme *a)
{
	struct net_follow_conf conf = {
		.sources = a->opts.sources, .sources_n = a->opts.sources_n,
		.request = on_link_request, .woken = on_woken, .guest = net_certify_guest(a->certify), .ctx = a,
	};
	bounds_opts_init(&conf.machine.bounds);
	follow_views_serve(&a->views, &conf.machine);
	return net_follow_new(&conf, &a->follow, &a->daemon.diag);
}

static void
parts_free(struct oacme *a)
{
	net_certify_free(&a->certify);
	secondary_free(&a->views.secondary);
}

static err_t
parts_up(struct daemon *d)
{
	struct oacme *a = d->ctx;
	log_event(&d->log, LOG_LEVEL_INFO, "starting", "version=%s keys=%zu sources=%zu directory=%s", ORIGIN_VERSION,
	          keystore_count(a->opts.keys), a->opts.sources_n, a->opts.directory);
	TRY(check_ca_file(a->opts.ca_file, &d->diag));
	const struct secondary_conf conf = { .octets_max = d->opts->zones_octets_max };
	a->views = (struct follow_views){ .log = &d->log, .changed = on_changed, .ctx = a };
	a->views.secondary = secondary_new(&conf, a->opts.keys);
	a->keys = a->opts.keys;
	a->opts.keys = NULL; /* the views have them now */
	err_t err = certify_new(a);
	err = err == OK ? follow_new(a) : err;
	if (err != OK) {
		parts_free(a);
	}
	return err;
}

static void
parts_down(struct daemon *d)
{
	struct oacme *a = d->ctx;
	if (!d->is_stuck) {
		(void)net_follow_stop(&a->follow, 0); /* it is here only if it was not started */
		parts_free(a);
	}
}

static err_t
follow_up(struct daemon *d)
{
	struct oacme *a = d->ctx;
	return net_follow_start(a->follow, &d->diag);
}

static void
follow_down(struct daemon *d)
{
	struct oacme *a = d->ctx;
	if (!d->is_stuck) { /* else the monitor's thread may be about to ask it */
		d->is_stuck |= !net_follow_stop(&a->follow, FOLLOW_END_MS);
	}
}

/* The CA's URLs have the port of its directory, or that of https. */
static void
sandbox(struct daemon *d, struct sandbox_conf *c)
{
	const struct oacme *a = d->ctx;
	c->role = SANDBOX_ACME;
	sandbox_add_system(c);
	sandbox_add_beside(c, a->opts.ca_file);
	sandbox_add_port(c, HTTPS_PORT);
	sandbox_add_port(c, acme_url_port(a->opts.directory));
	for (size_t i = 0; i < a->opts.sources_n; i++) {
		sandbox_add_port(c, a->opts.sources[i].port);
	}
	for (size_t i = 0; i < a->opts.servers_n; i++) {
		sandbox_add_port(c, a->opts.servers[i].port);
	}
}

static err_t
health_up(struct daemon *d)
{
	struct oacme *a = d->ctx;
	TRY(daemon_health_up(d));
	health_add(&d->health, "follower", 0, net_follow_pulse(a->follow), HEALTH_LOADER_MAX_MS, NULL);
	return OK;
}

/* ---- the program ---- */

static void
log_stats(struct daemon *d)
{
	struct oacme *a = d->ctx;
	struct follower_stats stats;
	net_follow_stats(a->follow, &stats);
	report_follow_stats(&d->log, &stats, net_follow_notices_dropped(a->follow));
}

static void
log_state(struct daemon *d)
{
	struct oacme *a = d->ctx;
	atomic_store(&a->is_state_wanted, true);
	net_follow_wake(a->follow);
}

/* --check ends when all zones have come. */
static bool
look(struct daemon *d, uint64_t now_ms)
{
	struct oacme *a = d->ctx;
	struct follower_stats s;
	if (a->opts.persist.n != 0) {
		log_state(d);
	}
	if (!a->opts.is_check) {
		return true;
	}
	net_follow_stats(a->follow, &s);
	a->begun_ms = a->begun_ms != 0 ? a->begun_ms : now_ms;
	bool is_busy = s.asking != 0 || s.transferring != 0 || s.zones == 0 || s.transfers != a->seen_transfers;
	a->seen_transfers = s.transfers;
	a->quiet_ms = is_busy || a->quiet_ms == 0 ? now_ms : a->quiet_ms;
	if (now_ms - a->quiet_ms >= CHECK_QUIET_S * 1000 || now_ms - a->begun_ms >= CHECK_MAX_S * 1000) {
		log_state(d);
	}
	return true;
}

static void
wake_follower(void *ctx)
{
	struct oacme *a = ctx;
	net_follow_wake(a->follow);
}

static bool
survey(struct daemon *d, struct survey **s)
{
	struct oacme *a = d->ctx;
	oacme_survey_any(*s, a->follow);
	return survey_share_ask(&a->share, s, SHARE_MS, wake_follower, a);
}

static const struct daemon_stage stages[] = {
	DAEMON_STAGE_SYSLOG,
	DAEMON_STAGE_MANAGER,
	DAEMON_STAGE_FILES,
	DAEMON_STAGE_MONITOR_LISTEN,
	DAEMON_STAGE_PRIVS,
	DAEMON_STAGE_SANDBOX,
	{ "parts", parts_up, parts_down },
	DAEMON_STAGE_LOG,
	{ "follower", follow_up, follow_down },
	{ "health", health_up, daemon_health_down },
	DAEMON_STAGE_MONITOR,
};

static const struct daemon_program program = {
	.name = "oacme",
	.stages = stages, .stages_n = ARRAY_LEN(stages), .sandbox = sandbox, .files = FILES, .log_stats = log_stats,
	.log_state = log_state, .look = look,
	.survey = survey, .charts = oacme_charts, .charts_n = OACME_CHARTS,
};

int
main(int argc, char **argv)
{
	static struct oacme a;
	if (image_is_here()) {
		image_run("oacme");
	}
	daemon_begin();
	survey_share_init(&a.share);
	int status = oacme_opts_read(&a.opts, argc, argv);
	if (status == CLI_OK) {
		a.daemon = (struct daemon){ .program = &program, .opts = &a.opts.daemon, .ctx = &a };
		status = daemon_run(&a.daemon);
	}
	oacme_opts_fini(&a.opts);
	survey_share_fini(&a.share);
	return status;
}
