/* A catalog is hidden from clients that may not transfer it: each request for its name gets the answer of a request for a name beside it
 * that is not there.  Both names have labels of seven octets, so the answers can be compared octet by octet. */
#include "batch_world.h"

#include "asking.h"
#include "auth/access.h"

#define LINE(name) name " DNSKEY 0 3 163 " SECRET "\n"

/* Where the catalog may be: inside of a zone, and outside of all. */
static const char *const places[] = { "example.", "invalid." };

struct client {
	const char *key; /* "%" stands for the name that is asked for; NULL: unsigned */
	uint8_t address; /* 192.0.2.N */
};

static const struct client strangers[] = {
	{ NULL, 1 },
	{ "s._status.", 1 },
	{ "n._notify.", 1 },
	{ "o._transfer.other.", 1 },
	{ "t._soa._ns._txt._update.", 1 },
	{ "p._update.x.%", 1 },
	{ "hoster-key.", 1 }, /* which a file of secondaries grants another zone */
};

static const struct client secondaries[] = {
	{ NULL, 53 },
	{ "a._transfer.", 1 },
	{ "all._update.", 1 },
};

static const struct request_kind kinds[] = {
	{ "SOA", "", OPCODE_QUERY, TYPE_SOA, CLASS_IN, TRANSPORT_UDP, false },
	{ "NS by TCP", "", OPCODE_QUERY, TYPE_NS, CLASS_IN, TRANSPORT_TCP, false },
	{ "ANY", "", OPCODE_QUERY, TYPE_ANY, CLASS_IN, TRANSPORT_TCP, false },
	{ "DS", "", OPCODE_QUERY, TYPE_DS, CLASS_IN, TRANSPORT_UDP, false },
	{ "a name of the catalog", "version.", OPCODE_QUERY, TYPE_TXT, CLASS_IN, TRANSPORT_UDP, false },
	{ "a name below", "a.zones.", OPCODE_QUERY, TYPE_PTR, CLASS_IN, TRANSPORT_UDP, false },
	{ "a zone below", "sub.", OPCODE_QUERY, TYPE_SOA, CLASS_IN, TRANSPORT_UDP, false },
	{ "DS of a zone below", "sub.", OPCODE_QUERY, TYPE_DS, CLASS_IN, TRANSPORT_UDP, false },
	{ "AXFR", "", OPCODE_QUERY, TYPE_AXFR, CLASS_IN, TRANSPORT_TCP, false },
	{ "AXFR by UDP", "", OPCODE_QUERY, TYPE_AXFR, CLASS_IN, TRANSPORT_UDP, false },
	{ "AXFR of what is below", "version.", OPCODE_QUERY, TYPE_AXFR, CLASS_IN, TRANSPORT_TCP, false },
	{ "IXFR", "", OPCODE_QUERY, TYPE_IXFR, CLASS_IN, TRANSPORT_TCP, true },
	{ "IXFR by UDP", "", OPCODE_QUERY, TYPE_IXFR, CLASS_IN, TRANSPORT_UDP, true },
	{ "IXFR without a serial", "", OPCODE_QUERY, TYPE_IXFR, CLASS_IN, TRANSPORT_TCP, false },
	{ "NOTIFY", "", OPCODE_NOTIFY, TYPE_SOA, CLASS_IN, TRANSPORT_UDP, false },
	{ "UPDATE", "", OPCODE_UPDATE, TYPE_SOA, CLASS_IN, TRANSPORT_TCP, false },
	{ "zone", "zone._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "zones", "zones._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "trouble", "trouble._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "status", "status._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "secondaries", "secondaries._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "keys", "keys._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "CHAOS", "", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_UDP, false },
};

struct scene {
	struct world world;
	char catalog[64], beside[64];
};

static void
scene_begin(struct scene *s, const char *place)
{
	static const char ring[] = LINE("s._status.") LINE("n._notify.") LINE("o._transfer.other.") LINE("t._soa._ns._txt._update.")
	        LINE("a._transfer.") LINE("all._update.") LINE("hoster-key.") LINE("me._update.example.")
	        LINE("p._update.x.catalog.example.") LINE("p._update.x.nothing.example.")
	        LINE("p._update.x.catalog.invalid.") LINE("p._update.x.nothing.invalid.");
	struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT, .zones_by_update = true };
	char file[80];
	snprintf(s->catalog, sizeof s->catalog, "catalog.%s", place);
	snprintf(s->beside, sizeof s->beside, "nothing.%s", place);
	assert_int_equal(name_parse(s->catalog, strlen(s->catalog), name_root, &conf.catalog), OK);
	world_begin_conf(&s->world, plain, &conf);
	write_file(&s->world, "_keys", ring);
	write_file(&s->world, "_secondaries", "_transfer APL 1:192.0.2.53/32\n_transfer.other PTR hoster-key.\n");
	for (int i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "sub.%.*s", (int)strlen(s->catalog) - 1, i == 0 ? s->catalog : s->beside);
		write_file(&s->world, file, other);
	}
	apply_all(&s->world);
	assert_non_null(primary_view(s->world.primary)->catalog);
}

/* The name of the key, which may have that of the zone in it. */
static const char *
key_for(const char *key, const char *name, char out[300])
{
	if (key == NULL) {
		return NULL;
	}
	const char *at = strchr(key, '%');
	snprintf(out, 300, "%.*s%s", at != NULL ? (int)(at - key) : (int)strlen(key), key, at != NULL ? name : "");
	return out;
}

struct reaction {
	uint8_t wire[DNS_MSG_MAX];
	size_t len; /* without the TSIG, whose MAC is another for each name */
	unsigned rcode;
	enum server_event event;
};

static void
ask(const struct scene *s, const struct client *c, const struct request_kind *k, const char *name, struct reaction *out)
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static struct server_stats stats;
	const struct peer peer = { .family = 4, .address = { 192, 0, 2, c->address }, .transport = k->transport };
	uint8_t wire[ASKING_WIRE_MAX];
	char key[300];
	struct server_out event;
	struct msg m = { 0 };
	size_t len = asking_make(k, name, key_for(c->key, name, key), wire);
	out->len = server_handle(primary_view(s->world.primary), &conf, &peer, UPDATE_NOW_S, wire, len, out->wire,
	                         k->transport == TRANSPORT_TCP ? sizeof out->wire : 1232, &stats, &event);
	out->event = event.event;
	if (out->len != 0) {
		assert_int_equal(msg_parse(out->wire, out->len, &m), OK);
		out->len = m.has_tsig ? m.tsig.at : out->len;
	}
	out->rcode = m.bits & DNS_RCODE;
}

/* Gives the answer for the catalog the other name. */
static void
rename_in(uint8_t *wire, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i++) {
		if (memcmp(wire + i, "\7catalog", 8) == 0) {
			memcpy(wire + i, "\7nothing", 8);
		}
	}
	for (size_t i = 0; i + 8 <= len; i++) { /* in strings of answers about the state */
		if (memcmp(wire + i, "catalog.", 8) == 0) {
			memcpy(wire + i, "nothing.", 8);
		}
	}
}

static void
each_kind_of_request(void **state)
{
	(void)state;
	static struct scene s;
	static struct reaction catalog, beside;
	for (size_t place = 0; place < ARRAY_LEN(places); place++) {
		scene_begin(&s, places[place]);
		for (size_t i = 0; i < ARRAY_LEN(strangers) * ARRAY_LEN(kinds); i++) {
			const struct client *c = &strangers[i / ARRAY_LEN(kinds)];
			const struct request_kind *k = &kinds[i % ARRAY_LEN(kinds)];
			ask(&s, c, k, s.catalog, &catalog);
			ask(&s, c, k, s.beside, &beside);
			rename_in(catalog.wire, catalog.len);
			bool is_same = catalog.len == beside.len && memcmp(catalog.wire, beside.wire, beside.len) == 0;
			if (!is_same || catalog.event != beside.event) {
				fail_msg("%s of %s by %s: answer %u, event %u; beside it %u, %u", k->what, s.catalog,
				         c->key != NULL ? c->key : "nobody", catalog.rcode, catalog.event, beside.rcode, beside.event);
			}
		}
		world_end(&s.world);
	}
}

/* A datagram's address is not enough for a transfer, but it is for questions about the catalog: there it is, and the answer says so. */
static void
those_who_may_transfer_it_see_it(void **state)
{
	(void)state;
	static struct scene s;
	static struct reaction r;
	static const struct request_kind axfr_by_tcp = { "AXFR", "", OPCODE_QUERY, TYPE_AXFR, CLASS_IN, TRANSPORT_TCP, false };
	static const struct request_kind ixfr_by_udp = { "IXFR", "", OPCODE_QUERY, TYPE_IXFR, CLASS_IN, TRANSPORT_UDP, true };
	for (size_t place = 0; place < ARRAY_LEN(places); place++) {
		scene_begin(&s, places[place]);
		for (size_t i = 0; i < ARRAY_LEN(secondaries); i++) {
			ask(&s, &secondaries[i], &kinds[0], s.catalog, &r);
			assert_int_equal(r.rcode, RCODE_NOERROR);
			ask(&s, &secondaries[i], &axfr_by_tcp, s.catalog, &r);
			assert_int_equal(r.event, EVENT_TRANSFER);
			ask(&s, &secondaries[i], &ixfr_by_udp, s.catalog, &r);
			assert_int_equal(r.rcode, secondaries[i].key != NULL ? RCODE_NOERROR : RCODE_REFUSED);
		}
		world_end(&s.world);
	}
}

static void
update_of(const struct scene *s, const char *key, const char *name, const char *text, struct result *out)
{
	static struct scene again; /* the update may make the zone: each has a primary of its own */
	char named[300], signer[400];
	snprintf(signer, sizeof signer, "%s:SHA256:" SECRET, key_for(key, name, named));
	scene_begin(&again, strchr(s->catalog, '.') + 1);
	*out = update_zone(&again.world, name, signer, text);
	world_end(&again.world);
}

/* What becomes of an UPDATE whose key has some right there: also one that guesses the catalog's SOA record. */
static void
each_update(void **state)
{
	(void)state;
	static const char *const keys_there[] = { "t._soa._ns._txt._update.", "p._update.x.%" };
	static struct scene s;
	for (size_t place = 0; place < ARRAY_LEN(places); place++) {
		struct str soa = { 0 }, removal = { 0 };
		scene_begin(&s, places[place]);
		const struct rr *rr = rrset_first(primary_view(s.world.primary)->catalog->soa);
		rdata_print(TYPE_SOA, rr->rdata, rr->rdlen, &soa);
		str_printf(&removal, "delete @ SOA %s\n", str_text(&soa));
		const char *const texts[] = {
			"add @ 60 TXT a\n", "delete @ SOA\n", "delete @\n", "prereq yxdomain @\nadd @ 60 TXT a\n", "add x 60 TXT a\n",
			"add @ 60 SOA ns.example. . 1 2 3 4 5\nadd @ 60 NS ns.example.\n", str_text(&removal),
		};
		for (size_t i = 0; i < ARRAY_LEN(keys_there) * ARRAY_LEN(texts); i++) {
			const char *key = keys_there[i / ARRAY_LEN(texts)], *text = texts[i % ARRAY_LEN(texts)];
			struct result catalog, beside;
			update_of(&s, key, s.catalog, text, &catalog);
			update_of(&s, key, s.beside, text, &beside);
			if (catalog.rcode != beside.rcode || strcmp(catalog.text, beside.text) != 0) {
				fail_msg("%s of %s by %s: %u %s; beside it %u %s", text, s.catalog, key, catalog.rcode, catalog.text, beside.rcode,
				         beside.text);
			}
		}
		str_fini(&soa);
		str_fini(&removal);
		world_end(&s.world);
	}
}

static void
a_key_that_may_see_it_is_told_why_no_zone_can_be_made_there(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s, "example.");
	struct result r = update_zone(&s.world, "catalog.example.", KEY, "add @ 60 SOA ns.example. . 1 2 3 4 5\nadd @ 60 NS ns.example.\n");
	assert_int_equal(r.rcode, RCODE_REFUSED);
	assert_non_null(strstr(r.text, "that of the catalog"));
	world_end(&s.world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_request),
		cmocka_unit_test(those_who_may_transfer_it_see_it),
		cmocka_unit_test(each_update),
		cmocka_unit_test(a_key_that_may_see_it_is_told_why_no_zone_can_be_made_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
