/* TLSA records that the certifier keeps, in a world of a CA, a primary, name servers that are behind it, and caches.
 *
 * The world goes on in steps: an UPDATE is carried out, is answered, the follower has the new version, a question is answered, the CA goes
 * on, or time passes.  After each step no cache may have TLSA records that the key of a service does not match. */
#include "certifier_base.h"

#include "acme/request_set.h"
#include "acme/steps.h"
#include "certificates.h"
#include "dns/msg.h"
#include "dns/request.h"

enum { RECORDS_MAX = 64, VERSIONS_MAX = 64, LAG_S = 7, TTL = 300, KEYS = 2, NO_KEY = -1 };

static const char WWW[] = "www.example", REQUESTS[] = "_letsencrypt._tcp.www.example", HTTPS[] = "_443._tcp.www.example",
                  STATUS[] = "_status._letsencrypt._tcp.www.example";

/* ---- records ---- */

struct record {
	struct name owner;
	uint16_t type, len;
	uint32_t ttl;
	uint8_t rdata[1500];
};

struct records {
	struct record r[RECORDS_MAX];
	size_t n;
};

static struct record *
find(struct records *s, const uint8_t *owner, uint16_t type, const uint8_t *rdata, size_t len)
{
	for (size_t i = 0; i < s->n; i++) {
		struct record *r = &s->r[i];
		if (name_is_equal(r->owner.oct, owner) && r->type == type && r->len == len && memcmp(r->rdata, rdata, len) == 0) {
			return r;
		}
	}
	return NULL;
}

static size_t
count(const struct records *s, const char *owner, uint16_t type)
{
	const struct name n = named(owner);
	size_t count = 0;
	for (size_t i = 0; i < s->n; i++) {
		count += name_is_equal(s->r[i].owner.oct, n.oct) && s->r[i].type == type;
	}
	return count;
}

static void
add(struct records *s, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	if (find(s, owner, type, rdata, len) != NULL) {
		return;
	}
	assert_true(s->n < RECORDS_MAX && len <= sizeof s->r[0].rdata);
	struct record *r = &s->r[s->n++];
	*r = (struct record){ .type = type, .ttl = ttl, .len = (uint16_t)len };
	name_set(&r->owner, owner);
	memcpy(r->rdata, rdata, len);
}

static void
drop(struct records *s, struct record *r)
{
	if (r != NULL) {
		*r = s->r[--s->n];
	}
}

static void
drop_all(struct records *s, const char *owner, uint16_t type)
{
	const struct name n = named(owner);
	for (size_t i = s->n; i-- > 0;) {
		if (name_is_equal(s->r[i].owner.oct, n.oct) && s->r[i].type == type) {
			drop(s, &s->r[i]);
		}
	}
}

/* ---- the world ---- */

struct version { /* of the TLSA records at HTTPS, as name servers had it */
	uint64_t until_ns; /* NOW_NEVER: still */
	uint32_t ttl;
	bool is_empty, has[KEYS];
};

struct world {
	struct base base;
	struct certifier *c;
	struct dane_ports dane;
	struct now now;
	struct records primary, servers;
	uint64_t servers_ns;            /* when they have what the primary has; NOW_NEVER: they do */
	struct version versions[VERSIONS_MAX];
	size_t versions_n;
	int in_dns, in_service;         /* which key the certificate has */
	bool is_updating, is_applied, is_served_first, is_to_be_served, is_refusing, is_ca_silent;
	unsigned slot;
	enum certifier_outcome outcome;
	uint8_t update[STEPS_MESSAGE_MAX];
	size_t update_len, updates, tlsa_updates;
	struct name qname;
	uint16_t qtype, id;
	uint64_t proven;
	unsigned steps, kill_at;        /* 0: never */
	unsigned events[CERTIFIER_EVENTS];
	char why[CERTIFIER_REASON_MAX]; /* of the last report of what was left out, or has failed */
};

static struct pkey *keys[KEYS];
static uint8_t pins[KEYS][DANE_RDATA_LEN];
static const uint8_t theirs[][DANE_RDATA_LEN] = { { 2, 1, 1, 77 }, { 3, 1, 1, 77 } };

static void
update(void *ctx, unsigned slot, const struct key *key, const uint8_t *zone, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	(void)key;
	(void)zone;
	assert_false(w->is_updating);
	w->slot = slot;
	memcpy(w->update, bytes, len);
	w->update_len = len;
	w->is_updating = true;
	w->is_applied = false;
}

static bool
ask(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	struct msg m;
	(void)to;
	assert_false(is_tcp);
	w->slot = slot;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	w->qname = m.qname;
	w->qtype = m.qtype;
	w->id = m.id;
	w->base.is_asking = true;
	return true;
}

static void
report(void *ctx, const struct certifier_report *r)
{
	struct world *w = ctx;
	w->events[r->event]++;
	if (r->event == CERTIFIER_TLSA_PASSED || r->event == CERTIFIER_FAILED) {
		str_cut(w->why, sizeof w->why, r->why);
	}
}

static void
new_certifier(struct world *w)
{
	const struct certifier_conf conf = {
		.keys = w->base.keys, .mark = "abcdefgh", .dane = w->dane, .dane_keep_s = CERTIFIER_TLSA_KEEP_S,
		.io = { .view = view, .update = update, .ask = ask, .ask_end = ask_end, .resolve = resolve, .report = report,
		        .random_u32 = random_u32, .ctx = w },
	};
	w->c = certifier_new(&conf);
}

/* The follower has what the primary has. */
static void
serve(struct world *w)
{
	struct making_zone m;
	begin_zone(&m, &w->base, "example");
	put(&m, "example", TYPE_NS, "\2ns\7example", 12);
	put(&m, "child.www.example", TYPE_NS, "\2ns\7example", 12);
	put(&m, "ns.example", TYPE_A, "\x7F\0\0\1", 4);
	for (size_t i = 0; i < w->primary.n; i++) {
		const struct record *r = &w->primary.r[i];
		assert_int_equal(zone_builder_add(m.b, r->owner.oct, r->type, r->ttl, r->rdata, r->len), OK);
	}
	end_zone(&m);
	w->is_to_be_served = false;
	certifier_zone_changed(w->c, &w->now, m.apex.oct);
}

static void
note_cert(struct world *w)
{
	const struct name owner = named(REQUESTS);
	w->in_dns = NO_KEY;
	for (size_t i = 0; i < w->primary.n; i++) {
		const struct record *r = &w->primary.r[i];
		struct cert *c = NULL;
		if (!name_is_equal(r->owner.oct, owner.oct) || acme_tlsa_use(r->rdata, r->len) != ACME_CERT) {
			continue;
		}
		assert_int_equal(cert_read(r->rdata + ACME_DER_AT, r->len - ACME_DER_AT, &c), OK);
		assert_int_equal(w->in_dns, NO_KEY);
		w->in_dns = pkey_is_equal(c->key, keys[0]) ? 0 : 1;
		cert_free(&c);
	}
}

/* The primary has another version. */
static void
changed(struct world *w)
{
	w->is_to_be_served = true;
	w->servers_ns = w->servers_ns != NOW_NEVER ? w->servers_ns : w->now.mono_ns + LAG_S * NOW_SECOND_NS;
	note_cert(w);
}

static void
begin_with(struct world *w, const char *const *key_names, size_t n)
{
	*w = (struct world){ .now = { .mono_ns = NOW_SECOND_NS, .wall_s = START_S }, .servers_ns = NOW_NEVER,
		             .in_dns = NO_KEY, .in_service = NO_KEY };
	base_begin(&w->base, TTL, key_names, n);
	assert_int_equal(dane_ports_add(&w->dane, "443"), OK);
	w->versions[w->versions_n++] = (struct version){ .until_ns = NOW_NEVER, .is_empty = true };
	new_certifier(w);
	serve(w);
}

static void
begin(struct world *w)
{
	static const char *const name = "a._update.example";
	begin_with(w, &name, 1);
}

static void
end(struct world *w)
{
	certifier_free(&w->c);
	base_end(&w->base);
}

/* What a service does: the request alone is in the RRset. */
static void
request_at(struct world *w, const char *at, int key, const char *const *names, size_t n)
{
	const struct name owner = named(at);
	uint8_t rdata[1500] = "\3\xFF";
	struct csr *c = request_for(keys[key], names, n);
	memcpy(rdata + ACME_DER_AT, c->der, c->der_len);
	drop_all(&w->primary, at, TYPE_TLSA);
	add(&w->primary, owner.oct, TYPE_TLSA, TTL, rdata, ACME_DER_AT + c->der_len);
	csr_free(&c);
	changed(w);
}

static void
request(struct world *w, int key, const char *const *names, size_t n)
{
	request_at(w, REQUESTS, key, names, n);
}

static void
request_www(struct world *w, int key)
{
	const char *name = WWW;
	request(w, key, &name, 1);
}

/* ---- steps ---- */

static bool
are_met(struct world *w, const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	bool are = true;
	c.pos = m->rr_at[1];
	for (unsigned i = 0; i < m->count[1] && msg_read_rr(&c, &owner, &rr) == OK; i++) {
		are &= find(&w->primary, owner.oct, rr.type, m->wire + rr.rdata_at, rr.rdlength) != NULL;
	}
	return are && (m->count[1] == 0 || m->count[1] == count(&w->primary, REQUESTS, TYPE_TLSA));
}

static bool
is_about_clients(const struct msg *m)
{
	const struct name https = named(HTTPS);
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	bool is = false;
	c.pos = m->rr_at[UPDATES];
	for (unsigned i = 0; i < m->count[UPDATES] && msg_read_rr(&c, &owner, &rr) == OK; i++) {
		is |= name_is_equal(owner.oct, https.oct);
	}
	return is;
}

static void
apply(struct world *w)
{
	struct msg m;
	struct name owner;
	struct msg_rr rr;
	assert_int_equal(msg_parse(w->update, w->update_len, &m), OK);
	w->is_applied = true;
	w->updates++;
	w->tlsa_updates += is_about_clients(&m);
	w->outcome = w->is_refusing && is_about_clients(&m) ? CERTIFIER_DENIED : are_met(w, &m) ? CERTIFIER_UPDATED : CERTIFIER_UNMET;
	struct cur c = cur_over(m.wire, m.len);
	c.pos = m.rr_at[UPDATES];
	for (unsigned i = 0; w->outcome == CERTIFIER_UPDATED && i < m.count[UPDATES]; i++) {
		assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
		const uint8_t *rdata = m.wire + rr.rdata_at;
		if (rr.rrclass == CLASS_IN) {
			add(&w->primary, owner.oct, rr.type, rr.ttl, rdata, rr.rdlength);
		} else {
			drop(&w->primary, find(&w->primary, owner.oct, rr.type, rdata, rr.rdlength));
		}
	}
	changed(w);
}

static void
answer(struct world *w)
{
	uint8_t bytes[4096];
	struct buf b = buf_over(bytes, sizeof bytes);
	unsigned n = 0;
	request_begin(&b, w->id, DNS_QR | DNS_AA, &(struct question){ w->qname.oct, w->qtype, CLASS_IN });
	for (size_t i = 0; i < w->servers.n; i++) {
		const struct record *r = &w->servers.r[i];
		if (name_is_equal(r->owner.oct, w->qname.oct) && r->type == w->qtype) {
			buf_put(&b, r->owner.oct, r->owner.len);
			buf_u16(&b, r->type);
			buf_u16(&b, CLASS_IN);
			buf_u32(&b, r->ttl);
			buf_u16(&b, r->len);
			buf_put(&b, r->rdata, r->len);
			n++;
		}
	}
	buf_patch_u16(&b, 6, (uint16_t)n);
	assert_int_equal(b.err, OK);
	w->base.is_asking = false;
	certifier_answered(w->c, &w->now, w->slot, b.base, b.len);
}

/* Name servers have what the primary has. */
static void
propagate(struct world *w)
{
	const struct name https = named(HTTPS);
	struct version v = { .until_ns = NOW_NEVER, .is_empty = true };
	struct version *last = &w->versions[w->versions_n - 1];
	w->servers_ns = NOW_NEVER;
	w->servers = w->primary;
	for (size_t i = 0; i < w->servers.n; i++) {
		const struct record *r = &w->servers.r[i];
		if (name_is_equal(r->owner.oct, https.oct) && r->type == TYPE_TLSA) {
			v.is_empty = false;
			v.ttl = r->ttl;
		}
	}
	for (size_t k = 0; k < KEYS; k++) {
		v.has[k] = find(&w->servers, https.oct, TYPE_TLSA, pins[k], DANE_RDATA_LEN) != NULL;
	}
	if (v.is_empty != last->is_empty || memcmp(v.has, last->has, sizeof v.has) != 0) {
		assert_true(w->versions_n < VERSIONS_MAX);
		last->until_ns = w->now.mono_ns;
		w->versions[w->versions_n++] = v;
	}
}

static void
assert_clients_are_happy(const struct world *w)
{
	for (size_t i = 0; i < w->versions_n; i++) {
		const struct version *v = &w->versions[i];
		bool is_known = v->until_ns == NOW_NEVER || v->until_ns + v->ttl * NOW_SECOND_NS > w->now.mono_ns;
		if (is_known && !v->is_empty) {
			assert_true(w->in_dns == NO_KEY || v->has[w->in_dns]);
			assert_true(w->in_service == NO_KEY || v->has[w->in_service]);
		}
	}
}

static bool
ca_goes_on(struct world *w)
{
	static struct cert *made;
	if (ordered == NULL || w->is_ca_silent || ordered->is_news || ordered->state == ACME_ORDER_ISSUED ||
	    (ordered->state == ACME_ORDER_PROVE && proven_n == w->proven)) {
		return false;
	}
	if (ordered->state != ACME_ORDER_PROVE) {
		w->proven = proven_n;
		ca_says(w->c, &w->now, ACME_ORDER_PROVE);
		return true;
	}
	const struct name owner = named(REQUESTS);
	int key = NO_KEY;
	for (size_t i = 0; i < w->primary.n; i++) {
		const struct record *r = &w->primary.r[i];
		struct csr *c = NULL;
		if (name_is_equal(r->owner.oct, owner.oct) && acme_tlsa_use(r->rdata, r->len) == ACME_REQUEST) {
			assert_int_equal(csr_read(r->rdata + ACME_DER_AT, r->len - ACME_DER_AT, &c), OK);
			key = pkey_is_equal(c->key, keys[0]) ? 0 : 1;
			csr_free(&c);
		}
	}
	assert_true(key != NO_KEY);
	const struct making m = { .subject = WWW, .issuer = "CA", .key = keys[key], .signer = keys[key],
		                  .alt_names = "DNS:www.example,DNS:*.www.example,DNS:child.www.example,DNS:b.www.example",
		                  .not_before_s = (int64_t)w->now.wall_s - HOUR_S, .not_after_s = (int64_t)w->now.wall_s + 90 * 86400,
		                  .serial = (long)orders_n };
	cert_free(&made);
	made = make_cert(&m);
	chain_of_ca[0] = (struct acme_der){ made->der, made->der_len };
	ca_says(w->c, &w->now, ACME_ORDER_ISSUED);
	return true;
}

static void
kill_it(struct world *w)
{
	certifier_free(&w->c);
	assert_null(ordered);
	w->is_updating = w->base.is_asking = false;
	new_certifier(w);
	serve(w);
}

static void
finish_update(struct world *w)
{
	w->is_updating = false;
	certifier_updated(w->c, &w->now, w->slot, w->outcome, "because");
}

/* False: nothing more happens until then. */
static bool
step(struct world *w, uint64_t until_ns)
{
	if (++w->steps == w->kill_at) {
		kill_it(w);
	} else if (w->is_updating && !w->is_applied) {
		apply(w);
	} else if (w->is_to_be_served && (w->is_served_first || !w->is_updating)) {
		serve(w);
	} else if (w->is_updating) {
		finish_update(w);
	} else if (w->base.is_asking) {
		answer(w);
	} else if (!ca_goes_on(w)) {
		uint64_t at_ns = certifier_deadline(w->c);
		bool is_for_servers = w->servers_ns <= at_ns;
		at_ns = is_for_servers ? w->servers_ns : at_ns;
		if (at_ns > until_ns) {
			pass_time(&w->now, until_ns);
			return false;
		}
		pass_time(&w->now, at_ns);
		if (is_for_servers) {
			propagate(w);
		} else {
			certifier_timer(w->c, &w->now);
		}
	}
	return true;
}

static void
run(struct world *w, uint64_t s)
{
	const uint64_t until_ns = w->now.mono_ns + s * NOW_SECOND_NS;
	while (step(w, until_ns)) {
		assert_clients_are_happy(w);
		assert_true(w->steps < 100000);
	}
}

/* The service looks for its certificate every hour. */
static void
run_service(struct world *w, unsigned hours)
{
	for (unsigned i = 0; i < hours; i++) {
		run(w, HOUR_S);
		w->in_service = w->in_dns != NO_KEY ? w->in_dns : w->in_service;
	}
}

static bool
has_pin(struct world *w, const char *owner, int key)
{
	const struct name n = named(owner);
	return find(&w->primary, n.oct, TYPE_TLSA, pins[key], DANE_RDATA_LEN) != NULL;
}

/* ---- tests ---- */

static void
assert_all_is_in_order(struct world *w, int key, size_t others)
{
	assert_int_equal(w->in_dns, key);
	assert_true(has_pin(w, HTTPS, key));
	assert_int_equal(count(&w->primary, HTTPS, TYPE_TLSA), 1 + others);
	assert_int_equal(count(&w->primary, STATUS, TYPE_TXT), 1); /* that the record is ours */
	assert_int_equal(count(&w->primary, "_acme-challenge.www.example", TYPE_TXT), 0);
}

static void
add_theirs(struct world *w)
{
	const struct name https = named(HTTPS);
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		add(&w->primary, https.oct, TYPE_TLSA, TTL, theirs[i], DANE_RDATA_LEN);
	}
}

/* A certificate; then one with another key. */
static void
life(struct world *w, unsigned kill_at, bool is_served_first)
{
	begin(w);
	w->kill_at = kill_at;
	w->is_served_first = is_served_first;
	request_www(w, 0);
	run_service(w, 3);
	assert_all_is_in_order(w, 0, 0);
	request_www(w, 1);
	run_service(w, 6);
	assert_all_is_in_order(w, 1, 0);
}

static void
a_key_is_replaced(void **state)
{
	(void)state;
	static struct world w;
	life(&w, 0, false);
	assert_int_equal(w.tlsa_updates, 3); /* the first key in; the next one in; the first one out */
	assert_int_equal(w.updates, 3 + 2 * 2);
	assert_int_equal(w.events[CERTIFIER_TLSA_ADDED], 2);
	assert_int_equal(w.events[CERTIFIER_TLSA_REMOVED], 1);
	assert_int_equal(w.events[CERTIFIER_TLSA_PASSED], 0);
	end(&w);
}

static void
it_is_killed_at_each_step(void **state)
{
	(void)state;
	static struct world w;
	for (unsigned i = 0; i < 2; i++) {
		unsigned last;
		life(&w, 0, i != 0);
		last = w.steps;
		end(&w);
		assert_in_range(last, 30, 300);
		for (unsigned at = 1; at <= last; at++) {
			life(&w, at, i != 0);
			end(&w);
		}
	}
}

/* The record of the next key waits for the TTL beside the old one; the first certificate waits for nothing. */
static void
the_certificate_waits(void **state)
{
	(void)state;
	static struct world w;
	begin(&w);
	request_www(&w, 0);
	run(&w, 2 * LAG_S + 10);
	assert_int_equal(w.in_dns, 0);
	run(&w, HOUR_S);
	request_www(&w, 1);
	run(&w, TTL);
	assert_true(has_pin(&w, HTTPS, 1));
	assert_int_equal(w.in_dns, NO_KEY);
	run(&w, 60);
	assert_int_equal(w.in_dns, 1);
	run(&w, CERTIFIER_TLSA_KEEP_S + TTL - 120);
	assert_true(has_pin(&w, HTTPS, 0));
	run(&w, 180);
	assert_false(has_pin(&w, HTTPS, 0));
	end(&w);
}

static void
renewal_changes_nothing(void **state)
{
	(void)state;
	static struct world w;
	begin(&w);
	request_www(&w, 0);
	run(&w, HOUR_S);
	size_t before = w.tlsa_updates;
	run(&w, 70 * 86400);
	assert_int_equal(orders_n, 2);
	assert_int_equal(w.tlsa_updates, before);
	assert_all_is_in_order(&w, 0, 0);
	end(&w);
}

/* Their records stay, and so does one of our key that somebody else has put there.  The wait is for theirs, too. */
static void
records_of_others(void **state)
{
	(void)state;
	static struct world w;
	const struct name https = named(HTTPS);
	begin(&w);
	add_theirs(&w);
	add(&w.primary, https.oct, TYPE_TLSA, TTL, pins[0], DANE_RDATA_LEN);
	changed(&w);
	run(&w, 1);
	request_www(&w, 0);
	run(&w, TTL);
	assert_int_equal(w.in_dns, NO_KEY);
	run_service(&w, 2);
	assert_int_equal(w.in_dns, 0);
	assert_int_equal(w.tlsa_updates, 0);
	request_www(&w, 1);
	run_service(&w, 6);
	assert_all_is_in_order(&w, 1, ARRAY_LEN(theirs) + 1);
	assert_true(has_pin(&w, HTTPS, 0));
	end(&w);
}

/* As long as another request has the name and the old key. */
static void
a_key_in_use_elsewhere(void **state)
{
	(void)state;
	static const char other[] = "_letsencrypt._tcp.example";
	static struct world w;
	const char *name = WWW;
	begin(&w);
	request_www(&w, 0);
	run(&w, HOUR_S);
	request_www(&w, 1);
	run_service(&w, 1);
	assert_int_equal(w.in_dns, 1);
	w.is_ca_silent = true;
	request_at(&w, other, 0, &name, 1);
	run(&w, 12 * HOUR_S);
	assert_true(has_pin(&w, HTTPS, 0));
	drop_all(&w.primary, other, TYPE_TLSA);
	changed(&w);
	run(&w, HOUR_S);
	assert_all_is_in_order(&w, 1, 0);
	end(&w);
}

/* A record that is removed comes back, and not at once again and again. */
static void
a_record_is_removed_by_others(void **state)
{
	(void)state;
	static struct world w;
	const struct name https = named(HTTPS);
	begin(&w);
	request_www(&w, 0);
	run(&w, HOUR_S);
	size_t before = w.tlsa_updates;
	for (unsigned i = 0; i < HOUR_S; i += 5) {
		drop(&w.primary, find(&w.primary, https.oct, TYPE_TLSA, pins[0], DANE_RDATA_LEN));
		changed(&w);
		run(&w, 5);
	}
	assert_in_range(w.tlsa_updates - before, 5, 7);
	run(&w, HOUR_S);
	assert_all_is_in_order(&w, 0, 0);
	end(&w);
}

/* Wildcards, a name in a zone of others, and ports no more in the list. */
static void
names_and_ports(void **state)
{
	(void)state;
	static const char *const names[] = { "www.example", "*.www.example", "b.www.example", "child.www.example" };
	static struct world w;
	begin(&w);
	assert_int_equal(dane_ports_add(&w.dane, "25"), OK);
	kill_it(&w);
	request(&w, 0, names, ARRAY_LEN(names));
	run(&w, HOUR_S);
	static const char *const owners[] = { "_443._tcp.www.example", "_443._tcp.b.www.example", "_25._tcp.www.example",
		                              "_25._tcp.b.www.example" };
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		assert_true(has_pin(&w, owners[i], 0));
	}
	assert_int_equal(count(&w.primary, STATUS, TYPE_TXT), 4);
	assert_int_equal(w.in_dns, 0);
	assert_string_equal(w.why, "2 of 6 TLSA records are left out: _443._tcp.child.www.example is not in the zone above it, and the zone "
	                           "that has it is none of ours");
	w.dane = (struct dane_ports){ .n = 1, .port = { 443 } };
	request_www(&w, 0); /* of b, with the same key */
	kill_it(&w);
	run(&w, 5 * HOUR_S);
	assert_all_is_in_order(&w, 0, 0);
	for (size_t i = 1; i < ARRAY_LEN(owners); i++) {
		assert_false(has_pin(&w, owners[i], 0));
	}
	end(&w);
}

/* The certificate comes without such records, and that is said. */
static void
no_key_for_them(void **state)
{
	(void)state;
	static const char *const key_names[] = { "a._txt._tlsa._update._letsencrypt._tcp.www.example",
		                                 "b._txt._update._acme-challenge.www.example" };
	static struct world w;
	begin_with(&w, key_names, ARRAY_LEN(key_names));
	request_www(&w, 0);
	run(&w, HOUR_S);
	assert_int_equal(w.in_dns, 0);
	assert_int_equal(count(&w.primary, HTTPS, TYPE_TLSA), 0);
	assert_int_equal(w.events[CERTIFIER_TLSA_PASSED], 1);
	assert_string_equal(w.why, "1 of 1 TLSA records are left out: _443._tcp.www.example has TLSA records that no key may change");
	end(&w);
}

/* A key for each thing: the remark comes before the record. */
static void
narrow_keys(void **state)
{
	(void)state;
	static const char *const key_names[] = { "a._txt._tlsa._update._letsencrypt._tcp.www.example",
		                                 "b._txt._update._acme-challenge.www.example",
		                                 "c._tlsa._update._443._tcp.www.example" };
	static struct world w;
	begin_with(&w, key_names, ARRAY_LEN(key_names));
	request_www(&w, 0);
	run_service(&w, 2);
	assert_all_is_in_order(&w, 0, 0);
	request_www(&w, 1);
	run_service(&w, 6);
	assert_all_is_in_order(&w, 1, 0);
	end(&w);
}

/* Who may write remarks of a host gets no say on other names, nor on records of other kinds. */
static void
remarks_of_strangers(void **state)
{
	(void)state;
	static const char *const owners[] = { "_443._tcp.other.example", "_25._udp.www.example" };
	static struct world w;
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		struct remark r = { .kind = REMARK_TLSA, .at_s = START_S, .owner = named(owners[i]) };
		uint8_t rdata[REMARK_RDATA_MAX];
		struct buf b = buf_over(rdata, sizeof rdata);
		const struct name status = named(STATUS);
		dane_print_hash(pins[1], r.value);
		assert_int_equal(remark_write(&r, &b), OK);
		add(&w.primary, status.oct, TYPE_TXT, 60, rdata, b.len);
		add(&w.primary, r.owner.oct, TYPE_TLSA, TTL, pins[1], DANE_RDATA_LEN);
	}
	request_www(&w, 0);
	run(&w, 12 * HOUR_S);
	assert_int_equal(w.in_dns, 0);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		assert_true(has_pin(&w, owners[i], 1));
	}
	end(&w);
}

/* A failure like one of an order: said, and tried again ever more seldom. */
static void
the_primary_refuses(void **state)
{
	(void)state;
	static struct world w;
	begin(&w);
	w.is_refusing = true;
	request_www(&w, 0);
	run(&w, 86400);
	assert_int_equal(orders_n, 0);
	assert_in_range(w.tlsa_updates, 4, 10);
	assert_int_equal(w.events[CERTIFIER_FAILED], w.tlsa_updates);
	assert_int_equal(count(&w.primary, STATUS, TYPE_TXT), 1);
	w.is_refusing = false;
	run(&w, 86400);
	assert_all_is_in_order(&w, 0, 0);
	end(&w);
}

/* With a certificate: it is renewed nevertheless. */
static void
the_primary_refuses_a_repair(void **state)
{
	(void)state;
	static struct world w;
	const struct name https = named(HTTPS);
	begin(&w);
	request_www(&w, 0);
	run(&w, 50 * 86400);
	assert_int_equal(orders_n, 1);
	w.is_refusing = true;
	drop(&w.primary, find(&w.primary, https.oct, TYPE_TLSA, pins[0], DANE_RDATA_LEN));
	changed(&w);
	run(&w, 15 * 86400);
	assert_int_equal(orders_n, 2);
	assert_int_equal(w.events[CERTIFIER_FAILED], 0);
	assert_in_range(w.events[CERTIFIER_TLSA_FAILED], 15 * 23, 15 * 24 + 1);
	w.is_refusing = false;
	run(&w, 2 * HOUR_S);
	assert_all_is_in_order(&w, 0, 0);
	end(&w);
}

static void
note_action(void *ctx, const struct certifier_state *s)
{
	*(const char **)ctx = s->action;
}

static const char *
action(const struct world *w)
{
	const char *is = NULL;
	certifier_each(w->c, &w->now, note_action, &is);
	return is;
}

/* For --check, and SIGUSR1. */
static void
it_says_what_is_next(void **state)
{
	(void)state;
	static struct world w;
	const struct name https = named(HTTPS);
	begin(&w);
	request_www(&w, 0);
	certifier_free(&w.c);
	w.c = certifier_new(&(struct certifier_conf){ .keys = w.base.keys, .dane = w.dane, .is_dry = true, .io = { .view = view, .ctx = &w } });
	serve(&w);
	assert_string_equal(action(&w), "TLSA records, then order");
	kill_it(&w);
	run(&w, HOUR_S);
	assert_string_equal(action(&w), "renewal");
	request_www(&w, 1);
	run(&w, TTL / 2);
	assert_string_equal(action(&w), "order");
	run(&w, HOUR_S);
	assert_string_equal(action(&w), "removal of old TLSA records");
	drop(&w.primary, find(&w.primary, https.oct, TYPE_TLSA, pins[1], DANE_RDATA_LEN));
	certifier_free(&w.c);
	w.c = certifier_new(&(struct certifier_conf){ .keys = w.base.keys, .dane = w.dane, .is_dry = true, .io = { .view = view, .ctx = &w } });
	serve(&w);
	assert_string_equal(action(&w), "TLSA records");
	end(&w);
}

static int
make_keys(void **state)
{
	static const char *const seeds[KEYS] = { "one", "two" };
	(void)state;
	for (size_t k = 0; k < KEYS; k++) {
		keys[k] = key_of(PKEY_P256, seeds[k]);
		assert_int_equal(dane_rdata(keys[k], pins[k]), OK);
	}
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_replaced), cmocka_unit_test(it_is_killed_at_each_step), cmocka_unit_test(the_certificate_waits),
		cmocka_unit_test(renewal_changes_nothing), cmocka_unit_test(records_of_others),
		cmocka_unit_test(a_key_in_use_elsewhere), cmocka_unit_test(a_record_is_removed_by_others),
		cmocka_unit_test(names_and_ports), cmocka_unit_test(no_key_for_them), cmocka_unit_test(narrow_keys),
		cmocka_unit_test(remarks_of_strangers), cmocka_unit_test(the_primary_refuses), cmocka_unit_test(the_primary_refuses_a_repair),
		cmocka_unit_test(it_says_what_is_next),
	};
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
