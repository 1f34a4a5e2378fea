/* The certifier with a CA, a primary and name servers that do what the test wants. */
#include "acme/certifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/request_set.h"
#include "auth/secondary.h"
#include "base/alloc.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "dns/rrtype.h"

enum { UPDATES = 2, HOUR_S = 3600, YEAR_S = 365 * 86400 };

/* ---- the CA: in place of acme/client.h ---- */

struct acme_order {
	enum acme_order_state state;
	void *user;
	bool is_news;
	struct acme_proof proofs[2];
	struct acme_failure failure;
};

static struct acme_order *ordered;
static uint64_t orders_n, proven_n;
static size_t proofs_n = 1;      /* of an order */
static bool is_second_elsewhere; /* … and the second one is not at the name of the first one */

err_t
acme_order_new(struct acme_client *c, const struct now *now, const struct acme_order_wish *wish, struct acme_order **out)
{
	(void)c;
	(void)now;
	ordered = xalloc(sizeof *ordered);
	ordered->user = wish->user;
	ordered->proofs[0] = (struct acme_proof){ .name = "www.example", .has_dns = true, .value = "the-value-of-the-proof" };
	ordered->proofs[1] = (struct acme_proof){ .name = is_second_elsewhere ? "a.www.example" : "www.example", .has_dns = true, .value = "its-second-value" };
	ordered->failure = (struct acme_failure){ .fault = ACME_FAULT_VALIDATION, .reason = "nobody answers" };
	orders_n++;
	*out = ordered;
	return OK;
}

void
acme_order_free(struct acme_order **o)
{
	if (*o != NULL && *o == ordered) {
		ordered = NULL;
	}
	free(*o);
	*o = NULL;
}

struct acme_order *
acme_client_next_order(struct acme_client *c)
{
	(void)c;
	if (ordered == NULL || !ordered->is_news) {
		return NULL;
	}
	ordered->is_news = false;
	return ordered;
}

enum acme_order_state acme_order_state(const struct acme_order *o) { return o->state; }
void *acme_order_user(const struct acme_order *o) { return o->user; }
const char *acme_order_url(const struct acme_order *o) { (void)o; return NULL; }
size_t acme_order_proofs_n(const struct acme_order *o) { (void)o; return proofs_n; }
const struct acme_proof *acme_order_proof(const struct acme_order *o, size_t i) { return &o->proofs[i]; }
const struct acme_failure *acme_order_failure(const struct acme_order *o) { return &o->failure; }
uint64_t acme_client_rests_until(const struct acme_client *c, const struct now *now) { (void)c; (void)now; return 0; }
struct acme_renewal *acme_client_next_renewal(struct acme_client *c) { (void)c; return NULL; }
void acme_renewal_free(struct acme_renewal **r) { *r = NULL; }
void *acme_renewal_user(const struct acme_renewal *r) { (void)r; return NULL; }
const struct acme_renewal_answer *acme_renewal_answer(const struct acme_renewal *r) { (void)r; return NULL; }

bool
acme_order_is_persist(const struct acme_order *o, size_t i, const char *txt, uint64_t wall_s)
{
	(void)o;
	(void)i;
	(void)txt;
	(void)wall_s;
	return false;
}

void
acme_order_proven(struct acme_order *o, const struct now *now, size_t i, enum acme_way way)
{
	(void)o;
	(void)now;
	(void)i;
	assert_int_equal(way, ACME_WAY_DNS);
	proven_n++;
}

size_t
acme_order_chain(const struct acme_order *o, const struct acme_der **out)
{
	static const struct acme_der chain[] = { { (const uint8_t *)"leaf", 4 }, { (const uint8_t *)"issuer", 6 } };
	(void)o;
	*out = chain;
	return ARRAY_LEN(chain);
}

err_t
acme_renewal_new(struct acme_client *c, const struct now *now, const char *id, void *user, struct acme_renewal **out)
{
	(void)c;
	(void)now;
	(void)id;
	(void)user;
	(void)out;
	return E_LIMIT;
}

static void
ca_says(struct certifier *c, const struct now *now, enum acme_order_state state)
{
	assert_non_null(ordered);
	ordered->state = state;
	ordered->is_news = true;
	certifier_on_ca(c, now);
}

/* ---- DNS ---- */

struct world {
	struct secondary *zones;
	struct keystore *keys;
	struct certifier *c;
	struct now now;
	bool is_updating, is_asking, is_tcp;
	unsigned questions;
	struct certifier_place asked;
	size_t changes, conditions;
	uint16_t id;
	struct name qname;
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
ask(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	(void)slot;
	assert_int_equal(to->port, 53);
	struct msg m;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	w->id = m.id;
	w->qname = m.qname;
	w->is_asking = true;
	w->is_tcp = is_tcp;
	w->asked = *to;
	w->questions++;
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

/* Name servers that are asked in place of that of the zone. */
static const struct certifier_place given[] = { { { 4, { 192, 0, 2, 1 } }, 53 }, { { 4, { 192, 0, 2, 2 } }, 53 } };
static size_t given_n;

static void
begin_with(struct world *w, bool has_name_server)
{
	struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6 };
	*w = (struct world){ .now = { .mono_ns = NOW_SECOND_NS, .wall_s = 1795939200 }, .keys = keystore_new(), .last = CERTIFIER_EVENTS };
	orders_n = proven_n = 0;
	proofs_n = 1;
	k.name = named("a._update.example");
	assert_int_equal(keystore_add_key(w->keys, &k), OK);
	keystore_seal(w->keys);
	w->zones = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL);
	const struct certifier_conf conf = {
		.keys = w->keys, .mark = "abcdefgh", .servers = given, .servers_n = given_n,
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
answer_with(struct world *w, unsigned bits, const char *const *values, size_t n_values)
{
	uint8_t bytes[512];
	struct buf b = buf_over(bytes, sizeof bytes);
	const struct name n = w->qname;
	request_begin(&b, w->id, (uint16_t)(DNS_QR | DNS_AA | bits), &(struct question){ n.oct, TYPE_TXT, CLASS_IN });
	for (size_t i = 0; i < n_values; i++) {
		buf_put(&b, n.oct, n.len);
		buf_u16(&b, TYPE_TXT);
		buf_u16(&b, CLASS_IN);
		buf_u32(&b, 60);
		buf_u16(&b, (uint16_t)(1 + strlen(values[i])));
		buf_u8(&b, (uint8_t)strlen(values[i]));
		buf_put(&b, values[i], strlen(values[i]));
	}
	buf_patch_u16(&b, 6, (uint16_t)n_values);
	assert_true(w->is_asking);
	certifier_answered(w->c, &w->now, 0, b.base, b.len);
}

static void
answer(struct world *w, const char *value)
{
	answer_with(w, 0, &value, 1);
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

static void
begin_to_ask(struct world *w)
{
	begin(w);
	ca_says(w->c, &w->now, ACME_ORDER_PROVE);
	updated(w, CERTIFIER_UPDATED);
	assert_true(w->is_asking && !w->is_tcp);
}

/* What comes over TCP counts, also when it does not have the proof yet; then UDP is tried first again. */
static void
a_set_too_large_for_udp(void **state)
{
	(void)state;
	struct world w;
	begin_to_ask(&w);
	answer_with(&w, DNS_TC, NULL, 0);
	assert_true(w.is_asking && w.is_tcp);
	answer(&w, "another value");
	assert_false(w.is_asking);
	wait(&w);
	assert_true(w.is_asking && !w.is_tcp);
	answer_with(&w, DNS_TC, NULL, 0);
	assert_int_equal(proven_n, 0);
	answer(&w, "the-value-of-the-proof");
	assert_int_equal(proven_n, 1);
	end(&w);
}

/* A server that cuts its answers and does not answer over TCP, whatever it does there, is asked once more, and a while later. */
static void
a_set_that_does_not_come_over_tcp(void **state)
{
	(void)state;
	struct world w;
	begin_to_ask(&w);
	for (unsigned i = 0; i < 5; i++) {
		const uint64_t asked_ns = w.now.mono_ns;
		const unsigned questions = w.questions;
		answer_with(&w, DNS_TC, NULL, 0);
		assert_true(w.is_tcp);
		switch (i) {
		case 0: certifier_unreachable(w.c, &w.now, 0); break;
		case 1: wait(&w); break;
		case 2: answer_with(&w, DNS_TC, NULL, 0); break;
		case 3: answer_with(&w, RCODE_SERVFAIL, NULL, 0); break;
		default: certifier_answered(w.c, &w.now, 0, (const uint8_t *)"garbage garbage", 15); break;
		}
		assert_false(w.is_asking);
		assert_int_equal(w.questions, questions + 1);
		wait(&w);
		assert_true(w.is_asking && !w.is_tcp);
		assert_true(w.now.mono_ns - asked_ns <= (CERTIFIER_TCP_S + 5) * NOW_SECOND_NS);
	}
	while (w.is_asking) { /* five minutes later it is given up */
		answer_with(&w, DNS_TC, NULL, 0);
		certifier_unreachable(w.c, &w.now, 0);
		if (w.last != CERTIFIER_FAILED) {
			wait(&w);
		}
	}
	assert_int_equal(w.last, CERTIFIER_FAILED);
	assert_int_equal(proven_n, 0);
	end(&w);
}

/* Two proofs at one name: one answer with both of them suffices, and one with one of them does not. */
static void
proofs_at_one_name(void **state)
{
	(void)state;
	static const char *const values[] = { "somebody else's", "its-second-value", "the-value-of-the-proof" };
	struct world w;
	begin(&w);
	proofs_n = 2;
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	answer_with(&w, 0, values, 2);
	wait(&w);
	assert_int_equal(proven_n, 0);
	answer_with(&w, 0, values, 3);
	assert_int_equal(proven_n, 2);
	assert_int_equal(w.questions, 2);
	end(&w);
}

/* Over UDP, what is no answer may be forged: the question stays open, and is sent again. */
static void
what_is_no_answer(void **state)
{
	(void)state;
	struct world w;
	begin_to_ask(&w);
	answer_with(&w, RCODE_REFUSED, NULL, 0);
	assert_true(w.is_asking);
	w.id++;
	answer(&w, "the-value-of-the-proof");
	w.id--;
	certifier_answered(w.c, &w.now, 0, (const uint8_t *)"garbage garbage", 15);
	assert_int_equal(proven_n, 0);
	wait(&w);
	assert_int_equal(w.questions, 2);
	answer(&w, "the-value-of-the-proof");
	assert_int_equal(proven_n, 1);
	end(&w);
}

/* One of two that is silent is passed over after half a minute.  It is asked once for each proof after this one, and not three times. */
static void
a_silent_server_of_two(void **state)
{
	(void)state;
	struct world w;
	given_n = ARRAY_LEN(given);
	is_second_elsewhere = true;
	begin(&w);
	given_n = 0;
	proofs_n = 2;
	ca_says(w.c, &w.now, ACME_ORDER_PROVE);
	updated(&w, CERTIFIER_UPDATED);
	const uint64_t begun_ns = w.now.mono_ns;
	answer(&w, "the-value-of-the-proof");
	while (w.last != CERTIFIER_DEAD) {
		assert_memory_equal(&w.asked, &given[1], sizeof given[1]);
		wait(&w);
	}
	assert_in_range(w.now.mono_ns - begun_ns, CERTIFIER_DEAD_S * NOW_SECOND_NS, (CERTIFIER_DEAD_S + 15) * NOW_SECOND_NS);
	assert_memory_equal(&w.asked, &given[0], sizeof given[0]); /* for the second proof */
	w.questions = 0;
	answer(&w, "its-second-value");
	assert_int_equal(w.questions, 1);
	assert_int_equal(proven_n, 0);
	wait(&w);
	assert_int_equal(w.questions, 1);
	assert_int_equal(proven_n, 2);
	end(&w);
	is_second_elsewhere = false;
}

/* The wall clock jumps by a year, there or back, between each failure and the next try: no more orders than otherwise. */
static void
a_clock_that_jumps(void **state)
{
	(void)state;
	struct world w;
	uint64_t begun_ns[200];
	size_t n = 0;
	begin(&w);
	while (n < ARRAY_LEN(begun_ns) && w.now.mono_ns < 3ull * 24 * HOUR_S * NOW_SECOND_NS) {
		begun_ns[n++] = w.now.mono_ns;
		ca_says(w.c, &w.now, ACME_ORDER_PROVE);
		updated(&w, CERTIFIER_UPDATED);
		w.now.wall_s = n % 2 != 0 ? w.now.wall_s + YEAR_S : w.now.wall_s - YEAR_S;
		ca_says(w.c, &w.now, ACME_ORDER_FAILED);
		updated(&w, CERTIFIER_UPDATED);
		while (ordered == NULL) {
			wait(&w);
		}
	}
	assert_in_range(n, 4, 12);
	for (size_t i = 5; i < n; i++) {
		assert_true(begun_ns[i] - begun_ns[i - 5] >= HOUR_S * NOW_SECOND_NS);
	}
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_comes), cmocka_unit_test(failures_make_no_storm), cmocka_unit_test(a_lost_update_is_sent_again),
		cmocka_unit_test(a_zone_without_name_servers),
		cmocka_unit_test(a_set_too_large_for_udp),
		cmocka_unit_test(a_set_that_does_not_come_over_tcp),
		cmocka_unit_test(proofs_at_one_name),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(a_silent_server_of_two),
		cmocka_unit_test(a_clock_that_jumps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
