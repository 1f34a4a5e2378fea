/* tests/unit/certifier_world.h -- the certifier with a CA, a primary and name servers that do what the test wants. */
#pragma once

#include "certifier_base.h"

#include "acme/request_set.h"
#include "certificates.h"
#include "dns/msg.h"
#include "dns/request.h"

enum { YEAR_S = 365 * 86400 };

#define PROOF "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ" /* in DNS already */

/* ---- DNS ---- */

struct world {
	struct base base;
	struct certifier *c;
	struct now now;
	bool has_certificate, has_failure; /* in the zone */
	bool has_key_id;                   /* the certificate: so the CA is asked about its renewal */
	int64_t begins_in_s;               /* the certificate */
	uint64_t proof_at_s;               /* when a remark on a proof of this account was written; 0: there is none */
	bool is_updating, is_tcp;
	unsigned questions;
	struct certifier_place asked;
	size_t changes, conditions;
	uint16_t id;
	struct name qname;
	enum certifier_event last;
};

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
	w->base.is_asking = true;
	w->is_tcp = is_tcp;
	w->asked = *to;
	w->questions++;
	return true;
}

static void
report(void *ctx, const struct certifier_report *r)
{
	((struct world *)ctx)->last = r->event;
}

static size_t
make_request_of(const char *seed, uint8_t rdata[4096])
{
	static struct host_names names;
	struct pkey *key = key_of(PKEY_P256, seed);
	struct buf b = buf_over(rdata + ACME_DER_AT, 4096 - ACME_DER_AT);
	names.n = 0;
	assert_int_equal(host_names_add(&names, "www.example", 11), OK);
	assert_int_equal(csr_make(key, &names, &b), OK);
	pkey_free(&key);
	memcpy(rdata, "\3\xFF\0", ACME_DER_AT);
	return ACME_DER_AT + b.len;
}

static size_t
make_request(uint8_t rdata[4096])
{
	return make_request_of("seed", rdata);
}

/* A certificate for the request, valid for 90 days. */
static size_t
make_certificate(uint8_t rdata[4096], int64_t begins_s, bool has_key_id)
{
	struct pkey *key = key_of(PKEY_P256, "seed");
	struct cert *c = make_cert(&(struct making){ .subject = "www.example", .issuer = "CA", .key = key, .signer = key, .serial = 1,
	                                             .alt_names = "DNS:www.example", .not_before_s = begins_s,
	                                             .not_after_s = begins_s + 90 * 86400, .has_key_id = has_key_id });
	size_t len = ACME_DER_AT + c->der_len;
	assert_true(len <= 4096);
	memcpy(rdata, "\3\0\0", ACME_DER_AT);
	memcpy(rdata + ACME_DER_AT, c->der, c->der_len);
	cert_free(&c);
	pkey_free(&key);
	return len;
}

/* What another run has said about an order that failed. */
static size_t
make_failure(uint8_t rdata[4096], const struct world *w)
{
	struct remark r = { .kind = REMARK_FAILED, .at_s = w->now.wall_s - 10, .next_s = w->now.wall_s + HOUR_S, .tries = 3,
	                    .request = "ABCDEF01", .reason = "because" };
	struct buf b = buf_over(rdata, 4096);
	assert_int_equal(remark_write(&r, &b), OK);
	return b.len;
}

static size_t
make_proof_remark(uint8_t rdata[4096], const struct world *w)
{
	struct remark r = { .kind = REMARK_PROOF, .at_s = w->proof_at_s, .mark = "abcdefgh", .value = PROOF,
	                    .owner = named("_acme-challenge.www.example") };
	struct buf b = buf_over(rdata, 4096);
	assert_int_equal(remark_write(&r, &b), OK);
	return b.len;
}

/* ---- versions of zones ---- */

static void
end_version(struct world *w, struct making_zone *m)
{
	end_zone(m);
	certifier_zone_changed(w->c, &w->now, m->apex.oct);
}

static void
serve(struct world *w, bool has_name_server)
{
	struct making_zone m;
	uint8_t rdata[4096];
	begin_zone(&m, &w->base, "example");
	zone_builder_take_flaws(m.b);
	if (has_name_server) {
		put(&m, "example", TYPE_NS, "\2ns\7example", 12);
	}
	if (w->base.has_no_lookups) {
		put(&m, "example", TYPE_NS, "\2ns\4test", 9);
	}
	put(&m, "ns.example", TYPE_A, "\x7F\0\0\1", 4);
	put(&m, "_letsencrypt._tcp.www.example", TYPE_TLSA, rdata, make_request(rdata));
	if (w->has_certificate) {
		put(&m, "_letsencrypt._tcp.www.example", TYPE_TLSA, rdata, make_certificate(rdata, (int64_t)w->now.wall_s + w->begins_in_s, w->has_key_id));
	}
	if (w->has_failure) {
		put(&m, "_status._letsencrypt._tcp.www.example", TYPE_TXT, rdata, make_failure(rdata, w));
	}
	if (w->proof_at_s != 0) {
		put(&m, "_status._letsencrypt._tcp.www.example", TYPE_TXT, rdata, make_proof_remark(rdata, w));
	}
	end_version(w, &m);
}

/* ---- versions of zones, record by record ---- */

struct record {
	const char *owner;
	uint16_t type;
	const uint8_t *rdata;
	size_t len;
};

[[maybe_unused]] static void
serve_records(struct world *w, const char *apex, const struct record *records, size_t n)
{
	struct making_zone m;
	begin_zone(&m, &w->base, apex);
	put(&m, apex, TYPE_NS, "\2ns\7example", 12);
	for (size_t i = 0; i < n; i++) {
		put(&m, records[i].owner, records[i].type, records[i].rdata, records[i].len);
	}
	end_version(w, &m);
}

[[maybe_unused]] static struct record
request_of(const char *seed, uint8_t rdata[4096])
{
	return (struct record){ "_letsencrypt._tcp.www.example", TYPE_TLSA, rdata, make_request_of(seed, rdata) };
}

/* Name servers that are asked in place of that of the zone. */
static const struct certifier_place given[] = { { { 4, { 192, 0, 2, 1 } }, 53 }, { { 4, { 192, 0, 2, 2 } }, 53 } };
static size_t given_n;

static const char *const all_keys[] = { "a._update.example", "a._update.proofs.test" };
static const char *const narrow_keys[] = { "a._txt._update._acme-challenge.www.example", "b._txt._tlsa._update._letsencrypt._tcp.www.example" };
static bool are_keys_narrow;
static struct dane_ports dane;

/* There is no zone. */
static void
begin_empty(struct world *w)
{
	*w = (struct world){ .now = { .mono_ns = NOW_SECOND_NS, .wall_s = START_S }, .last = CERTIFIER_EVENTS,
	                     .has_certificate = w->has_certificate, .has_failure = w->has_failure, .begins_in_s = w->begins_in_s, .has_key_id = w->has_key_id,
	                     .proof_at_s = w->proof_at_s, .base.has_no_lookups = w->base.has_no_lookups };
	proofs_n = 1;
	base_begin(&w->base, 60, are_keys_narrow ? narrow_keys : all_keys, ARRAY_LEN(all_keys));
	const struct certifier_conf conf = {
		.keys = w->base.keys, .mark = "abcdefgh", .servers = given, .servers_n = given_n, .dane = dane,
		.io = { .view = view, .update = update, .ask = ask, .ask_end = ask_end, .resolve = resolve, .report = report,
		        .random_u32 = random_u32, .ctx = w },
	};
	w->c = certifier_new(&conf);
}

static void
begin_with(struct world *w, bool has_name_server)
{
	begin_empty(w);
	serve(w, has_name_server);
}

[[maybe_unused]] static void
begin(struct world *w)
{
	begin_with(w, true);
}

static void
end(struct world *w)
{
	certifier_free(&w->c);
	base_end(&w->base);
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
	assert_true(w->base.is_asking);
	certifier_answered(w->c, &w->now, 0, b.base, b.len);
}

[[maybe_unused]] static void
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
	pass_time(&w->now, at);
	certifier_timer(w->c, &w->now);
}
