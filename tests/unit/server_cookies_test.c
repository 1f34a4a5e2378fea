/* Requests with DNS cookies (RFC 7873) against server_handle(): what is answered, with which cookie, and what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "auth/transfer.h"
#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

#define KEY_SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY "all._transfer.:SHA256:" KEY_SECRET

enum { NOW_S = 1700000000 };

static const struct cookie_secrets secrets = { 1, { { 1, 2, 3 } } };
static struct server_conf conf;
static struct server_stats stats;
static struct server_out out;
static struct peer peer;
static uint8_t resp[DNS_MSG_MAX];

static int
start(void **state)
{
	static const char *const files[][2] = {
		{ "example", "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n" },
		{ "_keys", "all._transfer. DNSKEY 0 3 163 " KEY_SECRET "\n" },
	};
	(void)state;
	return primary_up(files, ARRAY_LEN(files));
}

static int
reset(void **state)
{
	(void)state;
	conf = (struct server_conf){ .udp_max = 1232, .cookies = &secrets };
	stats = (struct server_stats){ 0 };
	peer = (struct peer){ .family = 4, .address = { 192, 0, 2, 9 }, .transport = TRANSPORT_UDP, .idle_100ms = 300 };
	return 0;
}

/* A question for the A records of ns.example. (without a question if `has_question` is false), with the options, signed if `key` is not
 * NULL. */
struct ask {
	bool has_question;
	uint16_t type;
	const char *key;
	uint8_t version;
	uint16_t options_len;
	uint8_t options[512];
};

static size_t
make_request(const struct ask *a, uint8_t *wire, size_t cap)
{
	static const uint8_t name[] = "\2ns\7example";
	struct buf b = buf_over(wire, cap);
	buf_put(&b, "\x12\x34\0\0\0", 5);
	buf_u8(&b, a->has_question);
	buf_put(&b, "\0\0\0\0\0\1", 6);
	if (a->has_question) {
		const uint8_t *from = a->type == TYPE_AXFR ? name + 3 : name;
		buf_put(&b, from, name_len(from));
		buf_u16(&b, a->type != 0 ? a->type : TYPE_A);
		buf_u16(&b, CLASS_IN);
	}
	buf_put(&b, "\0\0\x29\4\xD0\0", 6);
	buf_u8(&b, a->version);
	buf_u16(&b, 0);
	buf_u16(&b, a->options_len);
	buf_put(&b, a->options, a->options_len);
	assert_int_equal(b.err, OK);
	return a->key != NULL ? sign_request(a->key, NOW_S, wire, b.len, cap) : b.len;
}

static void
add_option(struct ask *a, uint16_t code, const void *payload, size_t len)
{
	struct buf b = buf_over(a->options + a->options_len, sizeof a->options - a->options_len);
	buf_u16(&b, code);
	buf_u16(&b, (uint16_t)len);
	buf_put(&b, payload, len);
	a->options_len = (uint16_t)(a->options_len + b.len);
}

static struct ask
with_cookie(const void *payload, size_t len)
{
	struct ask a = { .has_question = true };
	add_option(&a, EDNS_OPT_COOKIE, payload, len);
	return a;
}

static unsigned
ask(const struct ask *a, struct msg *m)
{
	uint8_t wire[1024];
	size_t len = make_request(a, wire, sizeof wire);
	len = server_handle(primary_view(primary), &conf, &peer, NOW_S, wire, len, resp, sizeof resp, &stats, &out);
	assert_int_equal(msg_parse(resp, len, m), OK);
	return (m->bits & DNS_RCODE) | (unsigned)m->edns.ext_rcode << 4;
}

/* The first thing that a client asks: "12345678" is its cookie.  Returns the whole cookie for the next question. */
static void
learn(uint8_t cookie[COOKIE_LEN])
{
	struct msg m;
	struct ask a = with_cookie("12345678", 8);
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	assert_int_equal(m.edns.cookie_len, COOKIE_LEN);
	assert_memory_equal(m.edns.cookie, "12345678", 8);
	memcpy(cookie, m.edns.cookie, COOKIE_LEN);
}

static void
assert_counts(uint64_t fresh, uint64_t bad, uint64_t good)
{
	assert_int_equal(stats.cookies[COOKIE_NEW], fresh);
	assert_int_equal(stats.cookies[COOKIE_BAD], bad);
	assert_int_equal(stats.cookies[COOKIE_GOOD], good);
}

static void
a_client_learns_its_server_cookie(void **state)
{
	(void)state;
	struct msg m;
	uint8_t cookie[COOKIE_LEN];
	learn(cookie);
	assert_counts(1, 0, 0);
	struct ask a = with_cookie(cookie, sizeof cookie);
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	assert_int_equal(m.count[1], 1);
	assert_memory_equal(m.edns.cookie, cookie, sizeof cookie);
	assert_counts(1, 0, 1);
	peer.address[3]++; /* somebody else with this cookie */
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	assert_int_equal(m.count[1], 1);
	assert_memory_equal(m.edns.cookie, cookie, COOKIE_CLIENT_LEN);
	assert_memory_not_equal(m.edns.cookie, cookie, COOKIE_LEN);
	assert_counts(1, 1, 1);
}

static void
without_a_cookie_there_is_none(void **state)
{
	(void)state;
	struct msg m;
	assert_int_equal(ask(&(struct ask){ .has_question = true }, &m), RCODE_NOERROR);
	assert_int_equal(m.edns.options_len, 0);
	assert_counts(0, 0, 0);
}

static void
cookies_are_passed_over_where_the_operator_wants_none(void **state)
{
	(void)state;
	struct msg m;
	conf.cookies = NULL;
	for (size_t len = 0; len <= 9; len++) {
		struct ask a = with_cookie("123456789", len);
		assert_int_equal(ask(&a, &m), RCODE_NOERROR);
		assert_int_equal(m.edns.options_len, 0);
	}
	assert_counts(0, 0, 0);
}

/* RFC 7873 5.2.2. */
static void
a_malformed_cookie_is_a_format_error(void **state)
{
	(void)state;
	struct msg m;
	uint8_t zero[41] = { 0 };
	static const uint8_t lengths[] = { 0, 7, 9, 15, 41 };
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct ask a = with_cookie(zero, lengths[i]);
		assert_int_equal(ask(&a, &m), RCODE_FORMERR);
		assert_true(m.edns.present && m.edns.options_len == 0);
		assert_int_equal(m.count[1], 0);
	}
	struct ask a = with_cookie("12345678", 8);
	add_option(&a, EDNS_OPT_COOKIE, "1", 1); /* only the first one counts */
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	a.version = 1; /* options of another version of EDNS are unknown */
	assert_int_equal(ask(&a, &m), RCODE_BADVERS);
	assert_int_equal(m.edns.options_len, 0);
}

/* --require-server-cookie: over UDP, and only of clients that know cookies. */
static void
a_cookie_can_be_required(void **state)
{
	(void)state;
	struct msg m;
	uint8_t cookie[COOKIE_LEN];
	struct ask first = with_cookie("12345678", 8);
	conf.requires_cookie = true;
	assert_int_equal(ask(&first, &m), RCODE_BADCOOKIE);
	assert_int_equal(m.count[1], 0);
	memcpy(cookie, m.edns.cookie, sizeof cookie);
	struct ask second = with_cookie(cookie, sizeof cookie);
	assert_int_equal(ask(&second, &m), RCODE_NOERROR);
	second.options[second.options_len - 1] ^= 1;
	assert_int_equal(ask(&second, &m), RCODE_BADCOOKIE);
	assert_int_equal(stats.rcode[RCODE_BADCOOKIE], 2);
	assert_int_equal(ask(&(struct ask){ .has_question = true }, &m), RCODE_NOERROR);
	first.key = KEY;
	assert_int_equal(ask(&first, &m), RCODE_NOERROR);
	first.key = NULL;
	peer.transport = TRANSPORT_TCP;
	assert_int_equal(ask(&first, &m), RCODE_NOERROR);
}

/* RFC 7873 5.4: without a question. */
static void
a_cookie_can_be_all_that_is_wanted(void **state)
{
	(void)state;
	struct msg m;
	uint8_t cookie[COOKIE_LEN];
	struct ask a = with_cookie("12345678", 8);
	a.has_question = false;
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	assert_int_equal(m.count[0] + m.count[1] + m.count[2], 0);
	assert_int_equal(m.edns.cookie_len, COOKIE_LEN);
	memcpy(cookie, m.edns.cookie, sizeof cookie);
	a = with_cookie(cookie, sizeof cookie);
	a.has_question = false;
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	a.options[a.options_len - 1] ^= 1;
	assert_int_equal(ask(&a, &m), RCODE_BADCOOKIE);
	assert_memory_equal(m.edns.cookie, cookie, sizeof cookie);
	assert_int_equal(ask(&(struct ask){ .has_question = false }, &m), RCODE_FORMERR);
	conf.cookies = NULL;
	assert_int_equal(ask(&a, &m), RCODE_FORMERR);
}

/* Beside a question and a signature of the greatest length there is room for the cookie, in whatever the client takes. */
static void
there_is_room_for_it(void **state)
{
	(void)state;
	struct msg m;
	struct ask a = with_cookie("12345678", 8);
	add_option(&a, EDNS_OPT_NSID, "", 0);
	conf.id = "a name server";
	a.key = KEY;
	assert_int_equal(ask(&a, &m), RCODE_NOERROR);
	assert_true(m.has_tsig);
	assert_int_equal(m.edns.cookie_len, COOKIE_LEN);
	assert_true(m.edns.wants_nsid);
}

/* A transfer has it in its first message. */
static void
a_transfer_has_the_cookie(void **state)
{
	(void)state;
	struct msg m;
	struct transfer *t;
	uint8_t wire[1024];
	bool is_last;
	struct ask a = with_cookie("12345678", 8);
	a.type = TYPE_AXFR;
	a.key = KEY;
	peer.transport = TRANSPORT_TCP;
	size_t len = make_request(&a, wire, sizeof wire);
	assert_int_equal(server_handle(primary_view(primary), &conf, &peer, NOW_S, wire, len, resp, sizeof resp, &stats, &out), 0);
	assert_int_equal(out.event, EVENT_TRANSFER);
	assert_int_equal(transfer_new(primary_view(primary), &conf, &peer, NOW_S, wire, len, &t), OK);
	len = transfer_next(t, NOW_S, resp, &is_last);
	assert_int_equal(msg_parse(resp, len, &m), OK);
	assert_int_equal(m.edns.cookie_len, COOKIE_LEN);
	transfer_free(&t);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup(test, reset)
	const struct CMUnitTest tests[] = {
		TEST(a_client_learns_its_server_cookie),
		TEST(without_a_cookie_there_is_none),
		TEST(cookies_are_passed_over_where_the_operator_wants_none),
		TEST(a_malformed_cookie_is_a_format_error),
		TEST(a_cookie_can_be_required),
		TEST(a_cookie_can_be_all_that_is_wanted),
		TEST(there_is_room_for_it),
		TEST(a_transfer_has_the_cookie),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
