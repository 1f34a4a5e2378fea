/* What requests that are no plain queries cost at most, counted: NOTIFY, UPDATE, transfers, other opcodes and classes, signatures of all kinds,
 * and octets that are no message.  The bounds are those of auth/server.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "counted.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"
#include "one_primary.h"
#include "signing.h"

enum {
	NOW_S = 1700000000,
	LOOKUPS_MAX = 3,          /* the zone, and the apex */
	HMAC_VARIABLES_MAX = 700, /* octets beside the message: names of key and algorithm, times, the MAC before (RFC 8945 4.3) */
};

/* Secrets of 32 octets and, as long as they may be, of 512. */
#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define A32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define A160 A32 A32 A32 A32 A32
#define LONG_SECRET A160 A160 A160 A160 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define L20 "l.l.l.l.l.l.l.l.l.l.l.l.l.l.l.l.l.l.l.l."

/* Names as long as they may be, of as many labels as they may have. */
#define LONG_LABEL "a-label-of-sixty-octets-which-is-nearly-as-long-as-they-can-b"
#define LONG_KEY LONG_LABEL "." LONG_LABEL "." LONG_LABEL "._update.example."
#define MANY_LABELS L20 L20 L20 L20 L20 "l.l.l.l.l.l.l.l.l.l.l.l.l.l._update.example."

#define KEY "k._update.example."

static int
start(void **state)
{
	(void)state;
	static const char zone[] = "$TTL 60\n@ SOA ns1 h 7 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";
	static const char keys[] = KEY " DNSKEY 0 3 163 " SECRET "\n" LONG_KEY " DNSKEY 0 3 165 " LONG_SECRET "\n" MANY_LABELS
	                               " DNSKEY 0 3 163 " SECRET "\n";
	const char *const files[][2] = { { "example", zone }, { "_keys", keys } };
	return primary_up(files, ARRAY_LEN(files));
}

/* ---- requests ---- */

enum signature { UNSIGNED, SIGNED, SIGNED_LONG, SIGNED_DEEP, FORGED, UNKNOWN };

/* What comes after the question. */
enum filling { NOTHING, POINTERS, DEEP_NAMES, OPTIONS, RECORDS };

struct request_case {
	unsigned opcode;
	const char *type;
	uint16_t class;
	enum signature signature;
	enum filling filling;
	bool is_udp;
	unsigned rcode;          /* when there is an answer */
	enum server_event event;
};

static const char *const keys[] = {
	[SIGNED] = KEY ":SHA256:" SECRET,
	[SIGNED_LONG] = LONG_KEY ":SHA512:" LONG_SECRET,
	[SIGNED_DEEP] = MANY_LABELS ":SHA256:" SECRET,
	[FORGED] = KEY ":SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=",
	[UNKNOWN] = "no." L20 L20 L20 L20 L20 "_update.example:SHA256:" SECRET,
};

enum { ROOM = TSIG_RR_MAX + 40 };

static size_t
count_at(const struct request_case *r)
{
	return r->filling == OPTIONS || r->filling == RECORDS ? 10 : 8; /* ARCOUNT, or NSCOUNT: an UPDATE's changes */
}

/* A deletion of the name that stands at `at`, or of one more label before that; where its name begins. */
static size_t
put_deletion(struct buf *b, size_t at, bool is_deeper)
{
	size_t here = b->len;
	if (is_deeper) {
		buf_put(b, "\1l", 2);
	}
	buf_u16(b, (uint16_t)(0xC000 | at));
	buf_put(b, "\0\xFF\0\xFF\0\0\0\0\0\0", 10);
	return here;
}

/* Until the message is as long as one can be, signature included. */
static void
fill(const struct request_case *r, struct buf *b)
{
	uint16_t n = 0;
	size_t at = DNS_HEADER_LEN, depth = 1;
	if (r->filling == OPTIONS) {
		uint16_t len = (uint16_t)((DNS_MSG_MAX - ROOM - b->len) & ~3u);
		buf_put(b, "\0\0\x29\x10\0\0\0\0\0", 9);
		buf_u16(b, len);
		for (size_t i = 0; i < len / 4u; i++) {
			buf_put(b, "\xFE\0\0\0", 4); /* one that nobody knows, empty */
		}
		n = 1;
	}
	while (r->filling != NOTHING && r->filling != OPTIONS && DNS_MSG_MAX - ROOM - b->len > 20) {
		bool is_deeper = r->filling == DEEP_NAMES && depth < 125 && b->len < 0x3FF0;
		size_t here = put_deletion(b, r->filling == DEEP_NAMES ? at : DNS_HEADER_LEN, is_deeper);
		at = is_deeper ? here : at;
		depth += is_deeper;
		n++;
	}
	buf_patch_u16(b, count_at(r), n);
}

static size_t
build(const struct request_case *r, uint8_t *wire)
{
	struct buf b = buf_over(wire, DNS_MSG_MAX);
	uint16_t type;
	assert_int_equal(rrtype_parse(r->type, strlen(r->type), &type), OK);
	buf_u16(&b, 0x1234);
	buf_u16(&b, (uint16_t)(r->opcode << 11));
	buf_put(&b, "\0\1\0\0\0\0\0\0\7example", 17);
	buf_u16(&b, type);
	buf_u16(&b, r->class);
	fill(r, &b);
	assert_int_equal(b.err, OK);
	return r->signature == UNSIGNED ? b.len : sign_request(keys[r->signature], NOW_S, wire, b.len, DNS_MSG_MAX);
}

static const struct request_case cases[] = {
	{ OPCODE_NOTIFY, "SOA", CLASS_IN, UNSIGNED, NOTHING, true, RCODE_NOERROR, EVENT_NOTIFY_UNSIGNED },
	{ OPCODE_NOTIFY, "SOA", CLASS_IN, UNSIGNED, POINTERS, false, RCODE_NOERROR, EVENT_NOTIFY_UNSIGNED },
	{ OPCODE_NOTIFY, "SOA", CLASS_IN, SIGNED, NOTHING, true, RCODE_NOERROR, EVENT_NOTIFY_ACCEPTED },
	{ OPCODE_NOTIFY, "SOA", CLASS_IN, SIGNED_LONG, RECORDS, false, RCODE_NOERROR, EVENT_NOTIFY_ACCEPTED },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, UNSIGNED, POINTERS, false, RCODE_REFUSED, EVENT_UPDATE_DENIED },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, UNKNOWN, DEEP_NAMES, false, RCODE_NOTAUTH, EVENT_TSIG_FAILED },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, FORGED, DEEP_NAMES, false, RCODE_NOTAUTH, EVENT_TSIG_FAILED },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, SIGNED, POINTERS, false, 0, EVENT_UPDATE },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, SIGNED, DEEP_NAMES, false, 0, EVENT_UPDATE },
	{ OPCODE_UPDATE, "SOA", CLASS_IN, SIGNED_LONG, DEEP_NAMES, false, 0, EVENT_UPDATE },
	{ OPCODE_UPDATE, "A", CLASS_IN, SIGNED_DEEP, DEEP_NAMES, false, RCODE_FORMERR, EVENT_UPDATE_DENIED },
	{ OPCODE_QUERY, "A", CLASS_IN, SIGNED_DEEP, NOTHING, true, RCODE_NOERROR, EVENT_NONE },
	{ OPCODE_QUERY, "A", CLASS_IN, SIGNED_LONG, RECORDS, false, RCODE_NOERROR, EVENT_NONE },
	{ OPCODE_QUERY, "A", CLASS_IN, UNKNOWN, NOTHING, true, RCODE_NOTAUTH, EVENT_TSIG_FAILED },
	{ OPCODE_QUERY, "A", CLASS_IN, FORGED, OPTIONS, false, RCODE_NOTAUTH, EVENT_TSIG_FAILED },
	{ OPCODE_QUERY, "A", CLASS_IN, UNSIGNED, OPTIONS, false, RCODE_NOERROR, EVENT_NONE },
	{ OPCODE_QUERY, "SOA", CLASS_IN, SIGNED, NOTHING, true, RCODE_NOERROR, EVENT_SUBSCRIBED },
	{ OPCODE_QUERY, "AXFR", CLASS_IN, SIGNED, NOTHING, false, 0, EVENT_TRANSFER },
	{ OPCODE_QUERY, "AXFR", CLASS_IN, UNSIGNED, NOTHING, false, RCODE_REFUSED, EVENT_TRANSFER_DENIED },
	{ OPCODE_QUERY, "AXFR", CLASS_IN, SIGNED, NOTHING, true, RCODE_FORMERR, EVENT_TRANSFER_DENIED },
	{ OPCODE_QUERY, "IXFR", CLASS_IN, SIGNED, RECORDS, false, RCODE_FORMERR, EVENT_TRANSFER_DENIED }, /* without a SOA */
	{ OPCODE_QUERY, "TXT", CLASS_CH, SIGNED_LONG, NOTHING, true, RCODE_REFUSED, EVENT_NONE },
	{ OPCODE_QUERY, "TSIG", CLASS_IN, SIGNED, NOTHING, true, RCODE_FORMERR, EVENT_NONE },
	{ OPCODE_QUERY, "A", 4, SIGNED, NOTHING, true, RCODE_REFUSED, EVENT_NONE },
	{ 2, "A", CLASS_IN, SIGNED, NOTHING, true, RCODE_NOTIMP, EVENT_NONE }, /* STATUS */
	{ 15, "A", CLASS_IN, UNSIGNED, RECORDS, false, RCODE_NOTIMP, EVENT_NONE },
};

static unsigned
hmacs_allowed(enum signature s)
{
	return s == UNSIGNED || s == UNKNOWN ? 0 : s == FORGED ? 1 : 2; /* of the request, and of the answer */
}

static void
check_case(const struct request_case *r)
{
	static uint8_t req[DNS_MSG_MAX], resp[DNS_MSG_MAX];
	static const struct server_conf conf = { .udp_max = 4096 };
	struct server_stats stats = { 0 };
	struct server_out out;
	const struct peer peer = { .family = 4, .transport = r->is_udp ? TRANSPORT_UDP : TRANSPORT_TCP };
	size_t len = build(r, req);
	cost = (struct cost){ 0 };
	size_t answered = server_handle(primary_view(primary), &conf, &peer, NOW_S, req, len, resp, sizeof resp, &stats, &out);
	const struct cost c = cost;
	print_message("opcode %u %s signature %d filling %d, %zu octets: %u allocations, %u lookups, %u HMACs of %zu octets\n", r->opcode,
	              r->type, (int)r->signature, (int)r->filling, len, c.allocations, c.lookups, c.hmacs, c.hmac_octets);
	assert_true(r->filling == NOTHING || len > DNS_MSG_MAX - 2 * ROOM);
	assert_int_equal(out.event, r->event);
	bool is_later = r->event == EVENT_TRANSFER || r->event == EVENT_UPDATE;
	assert_int_equal(answered != 0, !is_later);
	if (!is_later) {
		assert_int_equal(resp[3] & DNS_RCODE, r->rcode);
	}
	assert_true(c.hmacs <= hmacs_allowed(r->signature));
	assert_int_equal(c.allocations, c.hmacs);
	assert_true(c.hmac_octets <= len + answered + 2 * HMAC_VARIABLES_MAX);
	assert_true(c.hmacs != 0 || c.hmac_octets == 0);
	assert_true(c.lookups <= LOOKUPS_MAX);
	assert_int_equal(c.hashes, 0);
	assert_true(c.written <= 1);
	assert_int_equal(c.worked_out, 0);
}

static void
no_request_costs_more_than_is_written_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(&cases[i]);
	}
}

/* Octets of all values, and of one, after a header that promises much. */
static void
what_is_no_message_costs_nothing(void **state)
{
	(void)state;
	static uint8_t req[DNS_MSG_MAX], resp[DNS_MSG_MAX];
	static const struct server_conf conf = { .udp_max = 4096 };
	struct server_stats stats = { 0 };
	struct server_out out;
	const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	for (unsigned i = 0; i < 512; i++) {
		for (size_t k = 0; k < sizeof req; k++) {
			req[k] = (uint8_t)(i < 256 ? i : i + k);
		}
		memcpy(req, "\x12\x34\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", DNS_HEADER_LEN);
		cost = (struct cost){ 0 };
		size_t len = server_handle(primary_view(primary), &conf, &peer, NOW_S, req, sizeof req, resp, sizeof resp, &stats, &out);
		assert_true(len >= DNS_HEADER_LEN && (resp[3] & DNS_RCODE) == RCODE_FORMERR);
		assert_int_equal(cost.allocations + cost.lookups + cost.hashes + cost.written + cost.hmacs, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_request_costs_more_than_is_written_down),
		cmocka_unit_test(what_is_no_message_costs_nothing),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
