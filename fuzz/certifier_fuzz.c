/* A zone whose TLSA records and remarks are anybody's: the certifier looks at it, orders at a CA that does not answer, and removes what
 * it takes for its own.  The input is a list of records: what it is (an octet), its length (two octets), its RDATA. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "acme/certifier.h"
#include "auth/secondary.h"
#include "base/cur.h"
#include "crypto/pkey.h"
#include "dns/rrtype.h"

enum { ROUNDS = 8, RECORDS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct secondary *zones;
	bool is_updating[CERTIFIER_JOBS_MAX];
};

static const uint8_t apex[] = "\7example";
static const uint8_t owners[][64] = { "\14_letsencrypt\4_tcp\3www\7example", "\7_status\14_letsencrypt\4_tcp\3www\7example",
	                              "\14_letsencrypt\4_tcp\1a\7example", "\7_status\14_letsencrypt\4_tcp\1a\7example" };

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
	(void)key;
	(void)zone;
	ASSERT(!w->is_updating[slot] && msg_parse(bytes, len, &m) == OK);
	w->is_updating[slot] = true;
}

static bool
ask(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	(void)slot;
	(void)to;
	(void)is_tcp;
	(void)bytes;
	(void)len;
	return false;
}

static void
ask_end(void *ctx, unsigned slot)
{
	(void)ctx;
	(void)slot;
}

static bool
resolve(void *ctx, unsigned slot, const uint8_t *name)
{
	(void)ctx;
	(void)slot;
	(void)name;
	return true;
}

static void
report(void *ctx, const struct certifier_report *r)
{
	(void)ctx;
	ASSERT(r->why == NULL || strlen(r->why) < CERTIFIER_REASON_MAX);
}

static uint32_t
random_u32(void *ctx)
{
	(void)ctx;
	return 7;
}

static void
put_records(struct zone_builder *b, struct cur *c)
{
	for (unsigned n = 0; cur_left(c) >= 3 && n < RECORDS_MAX; n++) {
		unsigned which = cur_u8(c) % 4, rdlen = cur_u16(c);
		rdlen = rdlen < cur_left(c) ? rdlen : (unsigned)cur_left(c);
		const uint8_t *rdata = cur_take(c, rdlen);
		uint16_t type = which % 2 == 0 ? TYPE_TLSA : TYPE_TXT;
		bool is_whole = rdata != NULL && (type == TYPE_TLSA ? rdlen > 3 : rdlen != 0);
		for (size_t at = 0; is_whole && type == TYPE_TXT && at < rdlen; at += 1u + rdata[at]) {
			is_whole = at + 1 + rdata[at] <= rdlen;
		}
		if (is_whole) {
			err_t err = zone_builder_add(b, owners[which], type, 60, rdata, (uint16_t)rdlen);
			(void)err;
		}
	}
}

static struct zone *
make_zone(const uint8_t *data, size_t len)
{
	static const uint8_t soa[] = "\2ns\7example\0\4host\7example\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1";
	struct findings f = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	struct cur c = cur_over(data, len);
	err_t err = zone_builder_new(apex, &f, &b);
	err = err == OK ? zone_builder_add(b, apex, TYPE_SOA, 60, soa, sizeof soa - 1) : err;
	err = err == OK ? zone_builder_add(b, apex, TYPE_NS, 60, (const uint8_t *)"\2ns\7example", 12) : err;
	if (err == OK) {
		put_records(b, &c);
		err = zone_builder_finish(b, &z);
	}
	zone_builder_free(&b);
	findings_fini(&f);
	return err == OK ? z : NULL;
}

static void
count_one(void *ctx, const struct certifier_state *s)
{
	ASSERT(strlen(s->trouble) < CERTIFIER_REASON_MAX);
	++*(size_t *)ctx;
}

static void
play(struct world *w, struct certifier *c, struct zone *z)
{
	struct now now = { .mono_ns = NOW_SECOND_NS, .wall_s = 1795939200 };
	const struct zone *version;
	struct zone_txn *none = NULL;
	struct secondary_step step;
	size_t seen = 0;
	if (secondary_take(w->zones, apex, &z, &none, now.wall_s, &version, &step) != OK) {
		zone_free(&z);
		return;
	}
	discard_free(&step.old);
	certifier_zone_changed(c, &now, apex);
	certifier_each(c, &now, count_one, &seen);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned slot = 0; slot < CERTIFIER_JOBS_MAX; slot++) {
			if (w->is_updating[slot]) {
				w->is_updating[slot] = false;
				certifier_updated(c, &now, slot, round % 4 == 3 ? CERTIFIER_LOST : CERTIFIER_UPDATED, "");
			}
		}
		now.mono_ns += 60 * NOW_SECOND_NS;
		now.wall_s += 60;
		certifier_timer(c, &now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6, .name = { .len = 19, .oct = "\1a\7_update\7example" } };
	struct world w = { .zones = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL) };
	struct keystore *keys = keystore_new(NULL);
	struct pkey *key = NULL;
	struct acme_client *ca = NULL;
	struct zone *z = make_zone(data, len);
	ASSERT(keystore_add_key(keys, &k) == OK && pkey_from_seed(PKEY_P256, 0, (const uint8_t *)"s", 1, &key) == OK);
	keystore_seal(keys);
	ASSERT(acme_client_new(&(struct acme_client_conf){ .directory = "https://ca.example/", .key = key }, &ca) == OK);
	struct certifier *c = certifier_new(&(struct certifier_conf){
		.keys = keys, .ca = ca, .mark = "abcdefgh", .dane = { .n = 2, .port = { 443, 25 } },
		.io = { .view = view, .update = update, .ask = ask, .ask_end = ask_end, .resolve = resolve, .report = report,
		        .random_u32 = random_u32, .ctx = &w } });
	if (z != NULL) {
		play(&w, c, z);
	}
	certifier_free(&c);
	acme_client_free(&ca);
	pkey_free(&key);
	keystore_free(&keys);
	secondary_free(&w.zones);
	return 0;
}
