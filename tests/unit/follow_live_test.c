/* A primary's front, and the thread that follows it, over the loopback: the real machines on both sides, transfers signed. */
#include "net/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/next_view.h"
#include "awaiting.h"
#include "net/front.h"
#include "serve.h"
#include "zone/changes.h"

#define KEY "a._transfer.example"
#define SECRET "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
#define KEYS "a._transfer.example. DNSKEY 0 3 163 " SECRET "\n"

enum { PORT = 36364, HOSTS = 30000, WAIT_MS = 60000, LIMIT_MS = 20000 };

struct fixture {
	struct primary *primary;
	struct front front;
	struct net_env env;
	struct server_conf server;
	char *text;
	struct key key;
	struct follow_source source;
	struct net_follow *nf;
	struct awaiting shared; /* for all below */
	struct zone *version;
	uint32_t serial;
	enum incoming_form form; /* of the last transfer */
	unsigned transfers, downs;
	char why[200];
};

static struct log quiet = { .fd = -1, .level = LOG_LEVEL_ERROR };

/* ---- the primary ---- */

static void
release(void *old)
{
	struct discard *d = old;
	discard_free(&d);
}

/* Makes the commit whose zone has that serial, and publishes it. */
static void
commit(struct fixture *f, unsigned serial)
{
	static const struct primary_conf conf = { 1 << 20, 1 << 20, 1 << 20 };
	static const struct primary_log log;
	char *to = f->text + sprintf(f->text, "$TTL 60\n@ SOA ns host %u 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", serial);
	for (unsigned i = 0; i < HOSTS; i++) {
		to += sprintf(to, "h%u TXT \"%u\"\n", i, i == 7 ? serial : i);
	}
	const struct source_change changes[] = {
		{ .kind = SOURCE_PUT, .path = "example._keys", .bytes = (const uint8_t *)KEYS, .len = strlen(KEYS) },
		{ .kind = SOURCE_PUT, .path = "example", .bytes = (const uint8_t *)f->text, .len = strlen(f->text) },
	};
	const struct source_commit c = { .id = "c0ffee", .changes = changes, .n = ARRAY_LEN(changes), .is_whole = true, .open = serve_no_file,
		                         .close = serve_close };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	f->primary = f->primary != NULL ? f->primary : primary_new(&conf, &log);
	assert_int_equal(primary_apply(f->primary, &c, &outcome, &view, &old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	if (f->env.served != NULL) {
		served_publish(f->env.served, view, old);
	} else {
		discard_free(&old);
	}
}

static size_t
on_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	(void)ctx, (void)r, (void)out, (void)resp, (void)cap;
	return 0;
}

static void
start_front(struct fixture *f)
{
	struct front_conf c = { .listen_n = 1, .workers = 1, .tcp_max = 50, .tcp_per_client = 50, .tcp_idle_ms = 30000, .transfers_max = 10 };
	struct diag d;
	assert_int_equal(listen_parse("127.0.0.1", PORT, &c.listen[0], &d), OK);
	front_init(&f->front, &c, &quiet);
	assert_int_equal(front_open(&f->front, &d), OK);
	assert_int_equal(front_start(&f->front, &f->env, &d), OK);
}

static void
end_front(struct fixture *f)
{
	front_stop(&f->front);
	front_close(&f->front);
}

/* ---- the secondary ---- */

static err_t
take(void *ctx, const uint8_t *name, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	(void)name;
	struct fixture *f = ctx;
	struct garbage garbage = { 0 };
	if (*changes != NULL) {
		struct zone *next;
		assert_int_equal(zone_txn_commit(changes, &next, &garbage), OK);
		garbage_free(&garbage);
		f->version = next;
	} else {
		zone_free(&f->version);
		f->version = *whole;
		*whole = NULL;
	}
	*version = f->version;
	return OK;
}

static err_t
show(void *ctx, const uint8_t *name, enum follow_presence presence)
{
	(void)ctx, (void)name, (void)presence;
	return OK;
}

static void
on_report(void *ctx, const struct follow_report *r)
{
	struct fixture *f = ctx;
	awaiting_begin(&f->shared);
	if (r->event == FOLLOW_TRANSFERRED) {
		f->transfers++;
		f->serial = r->serial;
		f->form = r->transfer->form;
	}
	if (r->event == FOLLOW_LINK_DOWN) {
		f->downs++;
		snprintf(f->why, sizeof f->why, "%s", r->why);
	}
	awaiting_end(&f->shared);
}

static size_t
on_request(void *ctx, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t *resp, size_t cap)
{
	(void)ctx, (void)from, (void)bytes, (void)len, (void)resp, (void)cap;
	return 0;
}

static void
on_woken(void *ctx)
{
	(void)ctx;
}

static void
start_following(struct fixture *f)
{
	char why[128];
	struct diag d;
	assert_int_equal(tsig_key_parse(KEY ":SHA256:" SECRET, &f->key.tsig, why), OK);
	assert_int_equal(key_name_read(f->key.tsig.name.oct, &f->key), OK);
	f->source = (struct follow_source){ .key = &f->key, .domain = f->key.domain.oct, .address = { 4, { 127, 0, 0, 1 } }, .port = PORT };
	const struct net_follow_conf conf = {
		.machine = { .bounds = { 1, 86400, 1, 86400, 1, 86400 },
		             .io = { .take = take, .show = show, .report = on_report, .ctx = f } },
		.sources = &f->source,
		.sources_n = 1,
		.request = on_request,
		.woken = on_woken,
		.ctx = f,
	};
	assert_int_equal(net_follow_new(&conf, &f->nf, &d), OK);
	assert_int_equal(net_follow_start(f->nf, &d), OK);
}

static void
notify(struct fixture *f, uint32_t serial)
{
	struct follow_notice n = { .key = f->key.tsig.name, .address = f->source.address, .has_serial = true, .serial = serial };
	name_set(&n.zone, f->key.domain.oct);
	net_follow_notice(f->nf, &n);
}

/* ---- beginning and end ---- */

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){ .server = { .udp_max = 1232 } };
	awaiting_init(&f->shared, WAIT_MS);
	f->text = xalloc(1 << 20);
	commit(f, 1);
	f->env = (struct net_env){ .conf = &f->server, .handle = server_handle, .event = on_event };
	f->env.served = served_new(&(struct served_conf){ .first = primary_view(f->primary), .release = release });
}

static void
tear_down(struct fixture *f)
{
	served_free(&f->env.served);
	primary_free(&f->primary);
	zone_free(&f->version);
	free(f->text);
	awaiting_fini(&f->shared);
}

/* ---- tests ---- */

/* The whole zone, in many messages; then changes; and across a restart of the primary. */
static void
a_zone_is_followed(void **state)
{
	(void)state;
	struct fixture f;
	set_up(&f);
	start_front(&f);
	start_following(&f);
	await(&f.shared, &f.transfers, 1);
	assert_int_equal(f.serial, 1);
	assert_int_equal(f.form, INCOMING_WHOLE);
	commit(&f, 2);
	notify(&f, 2);
	await(&f.shared, &f.transfers, 2);
	assert_int_equal(f.serial, 2);
	assert_int_equal(f.form, INCOMING_CHANGES);

	end_front(&f);
	commit(&f, 3);
	start_front(&f);
	notify(&f, 3);
	await(&f.shared, &f.transfers, 3);
	assert_int_equal(f.serial, 3);
	assert_true(net_follow_stop(&f.nf, LIMIT_MS));
	end_front(&f);
	tear_down(&f);
}

static void
a_primary_that_comes_later(void **state)
{
	(void)state;
	struct fixture f;
	set_up(&f);
	start_following(&f);
	await(&f.shared, &f.downs, 1);
	assert_non_null(strstr(f.why, "refused"));
	start_front(&f);
	await(&f.shared, &f.transfers, 1);
	assert_true(net_follow_stop(&f.nf, LIMIT_MS));
	end_front(&f);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_is_followed),
		cmocka_unit_test(a_primary_that_comes_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
