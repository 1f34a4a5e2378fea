/* The certifier with a CA, a primary and name servers that do what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/request_set.h"
#include "auth/secondary.h"
#include "certifier_ca.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "dns/rrtype.h"

enum { UPDATES = 2, HOUR_S = 3600 };

/* ---- DNS ---- */

struct world {
	struct secondary *zones;
	struct keystore *keys;
	struct certifier *c;
	struct now now;
	bool is_updating, is_asking;
	size_t changes, conditions;
	uint16_t id;
	enum certifier_event last;
};

static const struct view *
view(void *ctx)
{
	return secondary_view(((struct world *)ctx)->zones);
}

static void
update(void *ctx, unsigned slot, const struct key *key, const uint8_t *zone, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	struct msg m;
	(void)slot;
	(void)key;
	(void)zone;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	w->changes = m.count[UPDATES];
	w->conditions = m.count[1];
	w->is_updating = true;
}

static bool
ask(void *ctx, unsigned slot, const struct certifier_place *to, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	(void)slot;
	(void)len;
	assert_int_equal(to->port, 53);
	w->id = (uint16_t)(bytes[0] << 8 | bytes[1]);
	w->is_asking = true;
	return true;
}

static void
ask_end(void *ctx, unsigned slot)
{
	(void)slot;
	((struct world *)ctx)->is_asking = false;
}

static void
resolve(void *ctx, unsigned slot, const uint8_t *name)
{
	(void)ctx;
	(void)slot;
	(void)name;
	fail();
}

static void
report(void *ctx, const struct certifier_report *r)
{
	((struct world *)ctx)->last = r->event;
}

static uint32_t
random_u32(void *ctx)
{
	(void)ctx;
	return 12345;
}

static struct name
named(const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), name_root, &n), OK);
	return n;
}

static void
put(struct zone_builder *b, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	const struct name n = named(owner);
	assert_int_equal(zone_builder_add(b, n.oct, type, 60, rdata, (uint16_t)len), OK);
}

static size_t
make_request(uint8_t rdata[4096])
{
	static struct host_names names;
	struct pkey *key;
	struct buf b = buf_over(rdata + ACME_DER_AT, 4096 - ACME_DER_AT);
	names.n = 0;
	assert_int_equal(host_names_add(&names, "www.example", 11), OK);
	assert_int_equal(pkey_from_seed(PKEY_P256, 0, (const uint8_t *)"seed", 4, &key), OK);
	assert_int_equal(csr_make(key, &names, &b), OK);
	pkey_free(&key);
	memcpy(rdata, "\3\xFF\0", ACME_DER_AT);
	return ACME_DER_AT + b.len;
}

static void
serve(struct world *w, bool has_name_server)
{
	static const uint8_t soa[] = "\2ns\7example\0\4host\7example\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	struct findings findings = { 0 };
	struct zone_builder *b;
	struct zone *z;
	const struct zone *version;
	struct secondary_step step;
	struct zone_txn *none = NULL;
	uint8_t rdata[4096];
	const struct name apex = named("example");
	assert_int_equal(zone_builder_new(apex.oct, &findings, &b), OK);
	put(b, "example", TYPE_SOA, soa, sizeof soa - 1);
	zone_builder_take_flaws(b);
	if (has_name_server) {
		put(b, "example", TYPE_NS, "\2ns\7example", 12);
	}
	put(b, "ns.example", TYPE_A, "\x7F\0\0\1", 4);
	put(b, "_letsencrypt._tcp.www.example", TYPE_TLSA, rdata, make_request(rdata));
	assert_int_equal(zone_builder_finish(b, &z), OK);
	zone_builder_free(&b);
	findings_fini(&findings);
	assert_int_equal(secondary_take(w->zones, apex.oct, &z, &none, 0, &version, &step), OK);
	discard_free(&step.old);
	certifier_zone_changed(w->c, &w->now, apex.oct);
}

static void
begin_with(struct world *w, bool has_name_server)
{
	struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6 };
	*w = (struct world){ .now = { .mono_ns = NOW_SECOND_NS, .wall_s = 1795939200 }, .keys = keystore_new(), .last = CERTIFIER_EVENTS };
	orders_n = proven_n = 0;
	k.name = named("a._update.example");
	assert_int_equal(keystore_add_key(w->keys, &k), OK);
	keystore_seal(w->keys);
	w->zones = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL);
	const struct certifier_conf conf = {
		.keys = w->keys, .mark = "abcdefgh",
		.io = { .view = view, .update = update, .ask = ask, .ask_end = ask_end, .resolve = resolve, .report = report,
		        .random_u32 = random_u32, .ctx = w },
	};
	w->c = certifier_new(&conf);
	serve(w, has_name_server);
}

static void
begin(struct world *w)
{
	begin_with(w, true);
}

static void
end(struct world *w)
{
	certifier_free(&w->c);
	secondary_free(&w->zones);
	keystore_free(&w->keys);
}

static void
updated(struct world *w, enum certifier_outcome outcome)
{
	assert_true(w->is_updating);
	w->is_updating = false;
	certifier_updated(w->c, &w->now, 0, outcome, "because");
}

static void
answer(struct world *w, const char *value)
{
	uint8_t bytes[512];
	struct buf b = buf_over(bytes, sizeof bytes);
	const struct name n = named("_acme-challenge.www.example");
	request_begin(&b, w->id, DNS_QR | DNS_AA, &(struct question){ n.oct, TYPE_TXT, CLASS_IN });
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, TYPE_TXT);
	buf_u16(&b, CLASS_IN);
	buf_u32(&b, 60);
	buf_u16(&b, (uint16_t)(1 + strlen(value)));
	buf_u8(&b, (uint8_t)strlen(value));
	buf_put(&b, value, strlen(value));
	buf_patch_u16(&b, 6, 1);
	assert_true(w->is_asking);
	certifier_answered(w->c, &w->now, 0, b.base, b.len);
}

/* Moves to the next deadline. */
static void
wait(struct world *w)
{
	uint64_t at = certifier_deadline(w->c);
	assert_true(at != NOW_NEVER);
	if (at > w->now.mono_ns) {
		w->now.wall_s += (at - w->now.mono_ns + NOW_SECOND_NS - 1) / NOW_SECOND_NS;
		w->now.mono_ns = at;
	}
	certifier_timer(w->c, &w->now);
}

/* ---- tests ---- */

static void
a_certificate_comes(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	assert_int_equal(w.changes, 2); /* proof and remark */
	updated(&w, CERTIFIER_UPDATED);
	answer(&w, "another value");
	assert_int_equal(proven_n, 0);
	wait(&w);
	answer(&w, "the-value-of-the-proof");
	assert_int_equal(proven_n, 1);
	ca_says(w.c, &w.now, ACME_ORDER_ISSUED);
	assert_int_equal(w.conditions, 1); /* the request */
	assert_int_equal(w.changes, 4);    /* both out; certificate and issuer in */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_DONE);
	end(&w);
}

/* Whatever fails, and however often: the proof is removed, and no hour has more than five orders. */
static void
failures_make_no_storm(void **state)
{
	(void)state;
	struct world w;
	uint64_t begun_s[1000];
	size_t n = 0;
	begin(&w);
	const uint64_t until_s = w.now.wall_s + 3 * 24 * HOUR_S;
	while (w.now.wall_s < until_s) {
		begun_s[n++] = w.now.wall_s;
		ca_says(w.c, &w.now, ACME_ORDER_PROVE);
		updated(&w, n % 2 != 0 ? CERTIFIER_UPDATED : CERTIFIER_DENIED);
		if (n % 2 != 0) {
			ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		}
		assert_int_equal(w.changes, 3); /* both out, the reason in */
		updated(&w, CERTIFIER_UPDATED);
		while (ordered == NULL) {
			wait(&w);
		}
	}
	assert_in_range(n, 4, 12);
	for (size_t i = 5; i < n; i++) {
		assert_true(begun_s[i] - begun_s[i - 5] >= HOUR_S);
	}
	end(&w);
}

static void
a_lost_update_is_sent_again(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	for (unsigned i = 0; i < 3; i++) {
		updated(&w, CERTIFIER_LOST);
		wait(&w);
	}
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_PROVING);
	end(&w);
}

/* A primary may serve such a zone, and nobody can be asked for the proof. */
static void
a_zone_without_name_servers(void **state)
{
	(void)state;
	struct world w;
	begin_with(&w, false);
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	assert_false(w.is_asking);
	assert_int_equal(w.changes, 3); /* proof and remark out, the reason in */
	updated(&w, CERTIFIER_UPDATED);
	assert_int_equal(w.last, CERTIFIER_FAILED);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_comes), cmocka_unit_test(failures_make_no_storm), cmocka_unit_test(a_lost_update_is_sent_again),
		cmocka_unit_test(a_zone_without_name_servers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
