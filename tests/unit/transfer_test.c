/* Zone transfers, message by message: what comes out is what the zone has, whatever the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/transfer.h"
#include "base/str.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "serve.h"

enum { NOW_S = 1700000000, TEXT_MAX = 1 << 20 };

static const char keys[] = "one._transfer.example. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                           "two._notify.example. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                           "all._update. DNSKEY 0 3 165 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

static const char small[] = "$TTL 3600\n@ SOA ns1 hostmaster %u 7200 3600 1209600 300\n@ NS ns1\n@ NS ns.sub\nns1 A 192.0.2.1\n"
                            "sub NS ns.sub\nns.sub A 192.0.2.2\n*.wild TXT \"w\"\nmail MX 10 mail.sub\n%s";

struct world {
	struct primary *primary;
	struct server_conf conf;
	struct server_stats stats;
};

static void
world_begin(struct world *w, const char *zone)
{
	const char *const files[][2] = { { "example", zone }, { "_keys", keys } };
	*w = (struct world){ .primary = serve_files(files, 2), .conf = { .udp_max = 1232 } };
	assert_non_null(w->primary);
}

static char *
small_zone(unsigned serial, const char *more)
{
	char *text = xalloc(TEXT_MAX);
	snprintf(text, TEXT_MAX, small, serial, more);
	return text;
}

/* The next version of the zone. */
static void
push(struct world *w, unsigned serial, const char *more)
{
	char *text = small_zone(serial, more);
	struct source_change change = { .path = "example", .bytes = (uint8_t *)text, .len = strlen(text) };
	struct source_commit c = { .id = "c0ffee", .changes = &change, .n = 1, .open = serve_no_file, .close = serve_close };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	assert_int_equal(primary_apply(w->primary, &c, &outcome, &view, &old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	discard_free(&old);
	free(text);
}

/* ---- requests ---- */

struct ask {
	const char *zone;
	uint16_t type;
	uint32_t serial;      /* IXFR */
	const char *key;      /* NULL: unsigned */
	bool is_udp, has_edns, without_soa;
	const char *from;     /* an IPv4 address; NULL: 203.0.113.9 */
	uint8_t wire[1024];
	size_t len;
	struct tsig_key tsig_key;
	struct tsig tsig;
};

static void
name_of(const char *text, struct name *out)
{
	assert_int_equal(name_parse(text, strlen(text), name_root, out), OK);
}

static void
put_soa(struct buf *b, const struct name *zone, uint32_t serial)
{
	buf_put(b, zone->oct, zone->len);
	buf_u16(b, TYPE_SOA);
	buf_u16(b, CLASS_IN);
	buf_u32(b, 0);
	buf_u16(b, 22);
	buf_u16(b, 0); /* MNAME and RNAME: the root */
	buf_u32(b, serial);
	for (int i = 0; i < 4; i++) {
		buf_u32(b, 1);
	}
}

static void
build(struct ask *a)
{
	struct buf b = buf_over(a->wire, sizeof a->wire);
	struct name zone;
	bool has_soa = a->type == TYPE_IXFR && !a->without_soa;
	name_of(a->zone, &zone);
	buf_u16(&b, 4711);
	buf_u16(&b, 0);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u16(&b, has_soa);
	buf_u16(&b, a->has_edns);
	buf_put(&b, zone.oct, zone.len);
	buf_u16(&b, a->type);
	buf_u16(&b, CLASS_IN);
	if (has_soa) {
		put_soa(&b, &zone, a->serial);
	}
	if (a->has_edns) {
		buf_u8(&b, 0);
		buf_u16(&b, TYPE_OPT);
		buf_u16(&b, 4096);
		buf_u32(&b, 0);
		buf_u16(&b, 0);
	}
	a->len = b.len;
	if (a->key != NULL) {
		char why[128];
		assert_int_equal(tsig_key_parse(a->key, &a->tsig_key, why), OK);
		a->tsig.key = &a->tsig_key;
		assert_int_equal(tsig_sign_request(&a->tsig, a->wire, &a->len, sizeof a->wire, NOW_S), OK);
	}
}

#define KEY_ONE "one._transfer.example:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_TWO "two._notify.example:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_ALL "all._update:SHA512:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* ---- answers ---- */

/* Appends the records of the answer section as text, checks the header, verifies the signature. */
static void
read_message(struct ask *a, const uint8_t *wire, size_t len, struct str *out)
{
	struct msg m;
	static uint8_t rdata[DNS_RDATA_MAX];
	assert_int_equal(msg_parse(wire, len, &m), OK);
	assert_int_equal(m.id, 4711);
	assert_int_equal(m.bits & (DNS_QR | DNS_AA | DNS_RCODE | DNS_TC), DNS_QR | DNS_AA);
	struct cur c = cur_over(wire, len);
	c.pos = m.question_end;
	for (unsigned i = 0; i < m.count[1]; i++) {
		struct name owner;
		struct msg_rr rr;
		assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
		char text[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
		struct buf b = buf_over(rdata, sizeof rdata);
		struct cur data = cur_over(wire, len);
		data.pos = rr.rdata_at;
		assert_int_equal(rdata_read(&data, rr.type, rr.rdlength, &b), OK);
		name_print(owner.oct, text);
		str_printf(out, "%s %u %s ", text, (unsigned)rr.ttl, rrtype_print(rr.type, type));
		rdata_print(rr.type, rdata, b.len, out);
		str_char(out, '\n');
	}
	assert_int_equal(m.has_tsig, a->key != NULL);
	if (a->key != NULL) {
		assert_int_equal(tsig_verify_response(&a->tsig, &m, NOW_S), OK);
	}
}

struct got {
	struct str text;
	struct transfer_report report;
	enum server_event event;
	unsigned rcode;
	const char *why;
	size_t largest;
};

static struct peer
peer_of(const struct ask *a)
{
	struct peer p = { .family = 4, .transport = a->is_udp ? TRANSPORT_UDP : TRANSPORT_TCP };
	assert_int_equal(sscanf(a->from != NULL ? a->from : "203.0.113.9", "%hhu.%hhu.%hhu.%hhu", &p.address[0], &p.address[1], &p.address[2],
	                        &p.address[3]), 4);
	return p;
}

static void
take_stream(struct world *w, struct ask *a, struct got *g)
{
	const struct peer peer = peer_of(a);
	struct transfer *t = NULL;
	static uint8_t wire[DNS_MSG_MAX];
	bool is_last = false;
	assert_int_equal(transfer_new(primary_view(w->primary), &w->conf, &peer, NOW_S, a->wire, a->len, &t), OK);
	while (!is_last) {
		size_t len = transfer_next(t, NOW_S, wire, &is_last);
		assert_true(len != 0);
		g->largest = len > g->largest ? len : g->largest;
		read_message(a, wire, len, &g->text);
	}
	assert_true(tsig_chain_is_closed(&a->tsig) || a->key == NULL);
	g->report = *transfer_report(t);
	transfer_free(&t);
}

static void
run(struct world *w, struct ask *a, struct got *g)
{
	static uint8_t wire[DNS_MSG_MAX];
	const struct peer peer = peer_of(a);
	struct server_out out;
	*g = (struct got){ .why = "" };
	build(a);
	size_t len = server_handle(primary_view(w->primary), &w->conf, &peer, NOW_S, a->wire, a->len, wire, sizeof wire, &w->stats, &out);
	g->event = out.event;
	g->why = out.why;
	if (out.event == EVENT_TRANSFER) {
		assert_int_equal(len, 0);
		take_stream(w, a, g);
		return;
	}
	assert_true(len >= DNS_HEADER_LEN);
	g->rcode = wire[3] & DNS_RCODE;
	if (g->rcode == RCODE_NOERROR) {
		read_message(a, wire, len, &g->text);
	}
	tsig_fini(&a->tsig);
}

static void
got_fini(struct got *g)
{
	str_fini(&g->text);
}

static err_t
print_rr(void *ctx, const struct zone_rr *rr)
{
	struct str *out = ctx;
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(rr->owner, owner);
	str_printf(out, "%s %u %s ", owner, (unsigned)rr->ttl, rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, out);
	str_char(out, '\n');
	return OK;
}

/* The zone as an AXFR has it: its SOA first and last, and not between. */
static void
assert_is_whole_zone(const struct world *w, const struct got *g)
{
	struct name apex;
	struct str walked = { 0 }, want = { 0 };
	name_of("example.", &apex);
	const struct zone *z = view_zone(primary_view(w->primary), apex.oct);
	assert_int_equal(zone_walk(z, print_rr, &walked), OK);
	const struct rr *rr = rrset_first(z->soa);
	const struct zone_rr soa = { .owner = z->apex->name, .type = TYPE_SOA, .ttl = rrset_ttl(z->soa), .rdlen = rr->rdlen,
		                     .rdata = rr->rdata };
	assert_int_equal(print_rr(&want, &soa), OK);
	size_t soa_len = want.len;
	char *at = strstr(walked.s, want.s);
	assert_non_null(at);
	memmove(at, at + soa_len, strlen(at + soa_len) + 1);
	str_cat(&want, walked.s);
	assert_int_equal(print_rr(&want, &soa), OK);
	assert_string_equal(g->text.s, want.s);
	str_fini(&walked);
	str_fini(&want);
}

/* ---- tests ---- */

static void
the_whole_zone(void **state)
{
	(void)state;
	struct world w;
	char *text = small_zone(7, "");
	world_begin(&w, text);
	w.conf.is_axfr_open = true;
	struct ask asks[] = {
		{ .zone = "example.", .type = TYPE_AXFR },
		{ .zone = "EXAMPLE.", .type = TYPE_AXFR, .has_edns = true },
		{ .zone = "example.", .type = TYPE_AXFR, .key = KEY_ONE },
		{ .zone = "example.", .type = TYPE_AXFR, .key = KEY_ALL, .has_edns = true },
		{ .zone = "example.", .type = TYPE_IXFR, .serial = 6 }, /* the history does not reach */
	};
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct got g;
		run(&w, &asks[i], &g);
		assert_int_equal(g.event, EVENT_TRANSFER);
		if (i != 1) {
			assert_is_whole_zone(&w, &g);
		}
		assert_int_equal(g.report.messages, 1);
		assert_int_equal(g.report.records, 9);
		assert_false(g.report.is_incremental);
		got_fini(&g);
	}
	primary_free(&w.primary);
	free(text);
}

static void
who_may_not(void **state)
{
	(void)state;
	static const struct {
		struct ask ask;
		unsigned rcode;
	} cases[] = {
		{ { .zone = "example.", .type = TYPE_AXFR }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 7 }, RCODE_REFUSED }, /* also when there is nothing to send */
		{ { .zone = "example.", .type = TYPE_AXFR, .key = KEY_TWO }, RCODE_REFUSED },
		{ { .zone = "other.", .type = TYPE_AXFR, .key = KEY_ONE }, RCODE_NOTAUTH },
		{ { .zone = "sub.example.", .type = TYPE_AXFR, .key = KEY_ONE }, RCODE_NOTAUTH }, /* a name, no zone */
		{ { .zone = "example.", .type = TYPE_AXFR, .key = KEY_ONE, .is_udp = true }, RCODE_FORMERR },
		{ { .zone = "example.", .type = TYPE_IXFR, .key = KEY_ONE, .without_soa = true }, RCODE_FORMERR },
	};
	struct world w;
	char *text = small_zone(7, "");
	world_begin(&w, text);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask a = cases[i].ask;
		struct got g;
		run(&w, &a, &g);
		assert_int_equal(g.event, EVENT_TRANSFER_DENIED);
		assert_int_equal(g.rcode, cases[i].rcode);
		assert_true(g.why[0] != '\0');
		got_fini(&g);
	}
	primary_free(&w.primary);
	free(text);
}

#define SOA_LINE(serial) "example. 3600 SOA ns1.example. hostmaster.example. " #serial " 7200 3600 1209600 300\n"

/* What a file of secondaries says: of addresses, by TCP alone, and of keys. */
static void
who_may_by_a_file(void **state)
{
	(void)state;
#define SECRET ":SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	static const struct {
		struct ask ask;
		unsigned rcode;
	} cases[] = {
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "192.0.2.53" }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "192.0.2.66" }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "198.51.100.53" }, RCODE_REFUSED },
		{ { .zone = "other.", .type = TYPE_AXFR, .from = "192.0.2.53" }, RCODE_REFUSED },
		{ { .zone = "none.", .type = TYPE_AXFR, .from = "192.0.2.53" }, RCODE_NOTAUTH },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 6, .from = "192.0.2.53" }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 7, .from = "192.0.2.53" }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 6, .from = "192.0.2.53", .is_udp = true }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 7, .from = "192.0.2.53", .is_udp = true }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "192.0.2.53", .is_udp = true }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "192.0.2.53", .key = KEY_TWO }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_AXFR, .from = "192.0.2.53", .key = "idle-key" SECRET }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_AXFR, .key = "idle-key" SECRET }, RCODE_REFUSED },
		{ { .zone = "example.", .type = TYPE_AXFR, .key = "Hoster-Key" SECRET }, RCODE_NOERROR },
		{ { .zone = "example.", .type = TYPE_IXFR, .serial = 7, .key = "hoster-key" SECRET, .is_udp = true }, RCODE_NOERROR },
		{ { .zone = "other.", .type = TYPE_AXFR, .key = "hoster-key" SECRET }, RCODE_REFUSED },
	};
#undef SECRET
#define LINE(name) name " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	char *text = small_zone(7, "");
	const char *const files[][2] = {
		{ "example", text }, { "other", text }, { "_keys", LINE("hoster-key.") LINE("idle-key.") LINE("two._notify.example.") },
		{ "example._secondaries", "_transfer APL !1:192.0.2.66/32 1:192.0.2.0/24\n_transfer PTR hoster-key.\n" },
	};
#undef LINE
	struct world w = { .primary = serve_files(files, ARRAY_LEN(files)), .conf = { .udp_max = 1232 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask a = cases[i].ask;
		struct got g;
		run(&w, &a, &g);
		if (g.rcode != cases[i].rcode || (g.event == EVENT_TRANSFER_DENIED) != (cases[i].rcode != RCODE_NOERROR)) {
			fail_msg("case %zu: %u", i, g.rcode);
		}
		got_fini(&g);
	}
	primary_free(&w.primary);
	free(text);
}

static void
only_what_changed(void **state)
{
	(void)state;
	struct world w;
	char *text = small_zone(7, "a A 192.0.2.3\n");
	world_begin(&w, text);
	push(&w, 8, "a A 192.0.2.4\n");
	push(&w, 9, "a A 192.0.2.5\nb A 192.0.2.6\n");
	static const struct {
		uint32_t serial;
		const char *want, *by_udp; /* NULL: the same */
	} cases[] = {
		{ 9, SOA_LINE(9), NULL },
		{ 10, SOA_LINE(9), NULL },
		{ 8, SOA_LINE(9) SOA_LINE(8) "a.example. 3600 A 192.0.2.4\n" SOA_LINE(9) "a.example. 3600 A 192.0.2.5\n"
		     "b.example. 3600 A 192.0.2.6\n" SOA_LINE(9), NULL },
		/* two steps, as one; over UDP, where nothing is worked out for anybody, as they are (RFC 1995 4) */
		{ 7, SOA_LINE(9) SOA_LINE(7) "a.example. 3600 A 192.0.2.3\n" SOA_LINE(9) "a.example. 3600 A 192.0.2.5\n"
		     "b.example. 3600 A 192.0.2.6\n" SOA_LINE(9),
		  SOA_LINE(9) SOA_LINE(7) "a.example. 3600 A 192.0.2.3\n" SOA_LINE(8) "a.example. 3600 A 192.0.2.4\n"
		  SOA_LINE(8) "a.example. 3600 A 192.0.2.4\n" SOA_LINE(9) "a.example. 3600 A 192.0.2.5\n"
		  "b.example. 3600 A 192.0.2.6\n" SOA_LINE(9) },
	};
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		struct ask a = { .zone = "example.", .type = TYPE_IXFR, .serial = cases[i / 2].serial, .key = KEY_ONE, .is_udp = i % 2,
			         .has_edns = i % 2 };
		struct got g;
		run(&w, &a, &g);
		bool is_other = a.is_udp && cases[i / 2].by_udp != NULL;
		assert_string_equal(g.text.s, is_other ? cases[i / 2].by_udp : cases[i / 2].want);
		got_fini(&g);
	}
	struct ask a = { .zone = "example.", .type = TYPE_IXFR, .serial = 6, .key = KEY_ONE };
	struct got g;
	run(&w, &a, &g);
	assert_is_whole_zone(&w, &g);
	got_fini(&g);
	struct ask udp = { .zone = "example.", .type = TYPE_IXFR, .serial = 6, .key = KEY_ONE, .is_udp = true };
	run(&w, &udp, &g);
	assert_string_equal(g.text.s, SOA_LINE(9)); /* RFC 1995 2: then the client comes by TCP */
	got_fini(&g);
	primary_free(&w.primary);
	free(text);
}

/* Who may transfer the zone and has a newer one is told of, by either transport; nobody else is. */
static void
a_secondary_that_is_ahead(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		uint32_t serial;
		bool is_ahead;
	} cases[] = {
		{ KEY_ONE, 8, true },          { KEY_ALL, 8, true },           { KEY_ONE, 7 + 2147483647u, true },
		{ KEY_ONE, 7, false },         { KEY_ONE, 6, false },          { KEY_ONE, 7 + 2147483648u, false },
		{ NULL, 8, false },            { KEY_TWO, 8, false },
	};
	struct world w;
	char *text = small_zone(7, "");
	world_begin(&w, text);
	w.conf.is_axfr_open = true; /* then anybody is answered */
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		struct ask a = { .zone = "example.", .type = TYPE_IXFR, .serial = cases[i / 2].serial, .key = cases[i / 2].key, .is_udp = i % 2 };
		const struct peer peer = { .family = 4, .transport = a.is_udp ? TRANSPORT_UDP : TRANSPORT_TCP };
		static uint8_t wire[DNS_MSG_MAX];
		struct server_out out;
		build(&a);
		size_t cap = a.is_udp ? 1232 : sizeof wire;
		size_t len = server_handle(primary_view(w.primary), &w.conf, &peer, NOW_S, a.wire, a.len, wire, cap, &w.stats, &out);
		assert_int_equal(out.event == EVENT_AHEAD, cases[i / 2].is_ahead);
		assert_true(!cases[i / 2].is_ahead || (len != 0 && out.serial == cases[i / 2].serial));
	}
	primary_free(&w.primary);
	free(text);
}

/* Does not fit into a datagram: the SOA alone. */
static void
too_much_for_udp(void **state)
{
	(void)state;
	struct world w;
	char *text = small_zone(7, ""), *more = xalloc(TEXT_MAX);
	world_begin(&w, text);
	for (int i = 0; i < 100; i++) {
		snprintf(more + strlen(more), 64, "n%d A 192.0.2.7\n", i);
	}
	push(&w, 8, more);
	struct ask a = { .zone = "example.", .type = TYPE_IXFR, .serial = 7, .key = KEY_ONE, .is_udp = true };
	struct got g;
	run(&w, &a, &g);
	assert_string_equal(g.text.s, SOA_LINE(8));
	got_fini(&g);
	primary_free(&w.primary);
	free(text);
	free(more);
}

/* More steps than are looked at over UDP: the SOA alone, although they would fit. */
static void
too_many_steps_for_udp(void **state)
{
	(void)state;
	struct world w;
	char *text = small_zone(7, "");
	world_begin(&w, text);
	w.conf.udp_max = 4096;
	for (unsigned serial = 8; serial < 20; serial++) {
		push(&w, serial, serial % 2 == 0 ? "a A 192.0.2.4\n" : "");
	}
	for (unsigned serial = 7; serial < 19; serial++) {
		struct ask a = { .zone = "example.", .type = TYPE_IXFR, .serial = serial, .key = KEY_ONE, .is_udp = true, .has_edns = true };
		struct got g;
		run(&w, &a, &g);
		assert_int_equal(strcmp(g.text.s, SOA_LINE(19)) == 0, serial < 19 - 8);
		got_fini(&g);
	}
	primary_free(&w.primary);
	free(text);
}

/* Messages are filled, RRsets go on in the next one, and what is larger than a message of the usual size has its own. */
static void
many_messages(void **state)
{
	(void)state;
	struct world w;
	char *more = xalloc(TEXT_MAX);
	size_t n = 0;
	for (int i = 0; i < 3000; i++) {
		n += (size_t)snprintf(more + n, TEXT_MAX - n, "x%d.deep.names A 192.0.2.%d\nset MX 1 x%d.deep.names\n"
		              "far MX 1 x%d.else.where.net.\n", i, i % 256, i, i);
	}
	n += (size_t)snprintf(more + n, TEXT_MAX - n, "big TYPE65400 \\# 40000 ");
	for (int i = 0; i < 40000; i++) {
		n += (size_t)snprintf(more + n, TEXT_MAX - n, "%02x", i % 256);
	}
	snprintf(more + n, TEXT_MAX - n, "\n");
	char *text = small_zone(7, more);
	world_begin(&w, text);
	struct ask a = { .zone = "example.", .type = TYPE_AXFR, .key = KEY_ALL, .has_edns = true };
	struct got g;
	run(&w, &a, &g);
	assert_is_whole_zone(&w, &g);
	assert_true(g.largest > 40000);
	assert_true(g.report.octets / g.report.messages > TRANSFER_MESSAGE_MAX / 2);
	got_fini(&g);
	primary_free(&w.primary);
	free(more);
	free(text);
}

/* The largest RDATA fits into no message: the transfer ends, and does not go round for ever. */
static void
a_record_that_cannot_be_sent(void **state)
{
	(void)state;
	struct world w;
	char *more = xalloc(TEXT_MAX);
	size_t n = (size_t)snprintf(more, TEXT_MAX, "big TYPE65400 \\# 65535 ");
	memset(more + n, '0', 2 * 65535);
	char *text = small_zone(7, more);
	world_begin(&w, text);
	struct ask a = { .zone = "example.", .type = TYPE_AXFR, .key = KEY_ALL };
	struct transfer *t = NULL;
	static uint8_t wire[DNS_MSG_MAX];
	bool is_last = false;
	unsigned messages = 0;
	build(&a);
	const struct peer peer = peer_of(&a);
	assert_int_equal(transfer_new(primary_view(w.primary), &w.conf, &peer, NOW_S, a.wire, a.len, &t), OK);
	while (transfer_next(t, NOW_S, wire, &is_last) != 0) {
		assert_false(is_last);
		assert_true(++messages < 5);
	}
	transfer_free(&t);
	primary_free(&w.primary);
	free(more);
	free(text);
}

/* The key goes between the request and its turn. */
static void
asked_again_it_may_be_refused(void **state)
{
	(void)state;
	struct world w;
	char *text = small_zone(7, "");
	world_begin(&w, text);
	struct ask a = { .zone = "example.", .type = TYPE_AXFR, .key = KEY_TWO };
	struct transfer *t = NULL;
	build(&a);
	const struct peer peer = peer_of(&a);
	assert_int_equal(transfer_new(primary_view(w.primary), &w.conf, &peer, NOW_S, a.wire, a.len, &t), E_REFUSED);
	assert_int_equal(transfer_new(primary_view(w.primary), &w.conf, &peer, NOW_S + 1000, a.wire, a.len, &t), E_REFUSED);
	assert_int_equal(transfer_new(primary_view(w.primary), &w.conf, &peer, NOW_S, a.wire, 20, &t), E_REFUSED);
	assert_null(t);
	transfer_free(&t);
	primary_free(&w.primary);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_zone),
		cmocka_unit_test(who_may_not),
		cmocka_unit_test(who_may_by_a_file),
		cmocka_unit_test(only_what_changed),
		cmocka_unit_test(a_secondary_that_is_ahead),
		cmocka_unit_test(too_much_for_udp),
		cmocka_unit_test(too_many_steps_for_udp),
		cmocka_unit_test(many_messages),
		cmocka_unit_test(a_record_that_cannot_be_sent),
		cmocka_unit_test(asked_again_it_may_be_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
