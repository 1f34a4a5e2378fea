/* Answers of server_handle() under a rate limit: which count together, which have no limit, and what is sent in place of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

#define KEY_SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY "all._transfer.:SHA256:" KEY_SECRET

enum { NOW_S = 1700000000, RATE = 5, ASKED = 50 };

static const struct cookie_secrets secrets = { 1, { { 1, 2, 3 } } };
static const uint8_t limit_key[RATE_LIMIT_KEY_LEN] = { 4, 5, 6 };
static struct server_conf conf;
static struct server_stats stats;
static struct server_out out;
static struct peer peer;
static uint8_t resp[DNS_MSG_MAX];

static int
start(void **state)
{
	static const char *const files[][2] = {
		{ "example", "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n*.w A 192.0.2.2\n*.c CNAME ns\nsub NS ns\nd DNAME ns\n"
		             "x.ent A 192.0.2.3\n" },
		{ "other", "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns.example.\n" },
		{ "_keys", "all._transfer. DNSKEY 0 3 163 " KEY_SECRET "\n" },
	};
	(void)state;
	return primary_up(files, ARRAY_LEN(files));
}

static int
begin(void **state)
{
	(void)state;
	const struct rate_limit_conf limits = { .rate = RATE, .slip = 0, .window_s = 15, .ipv4_len = 24, .ipv6_len = 56 };
	conf = (struct server_conf){ .udp_max = 1232, .cookies = &secrets, .rate_limit = rate_limit_new(&limits, limit_key) };
	stats = (struct server_stats){ 0 };
	peer = (struct peer){ .family = 4, .address = { 192, 0, 2, 9 }, .transport = TRANSPORT_UDP, .arrived_ns = 1 };
	return 0;
}

static int
end(void **state)
{
	(void)state;
	rate_limit_free(&conf.rate_limit);
	return 0;
}

/* With every n-th held back answer sent. */
static void
let_slip(uint32_t slip)
{
	struct rate_limit_conf limits = *rate_limit_conf(conf.rate_limit);
	limits.slip = slip;
	rate_limit_free(&conf.rate_limit);
	conf.rate_limit = rate_limit_new(&limits, limit_key);
}

struct ask {
	const char *name; /* "%u": a number that grows */
	uint16_t type;
	unsigned opcode;
	const char *key;
	const uint8_t *cookie;
	size_t cookie_len;
};

static size_t
make_request(const struct ask *a, unsigned number, uint8_t *wire, size_t cap)
{
	char text[64], digits[16];
	struct name n;
	struct buf b = buf_over(wire, cap);
	const char *mark = strchr(a->name, '%');
	(void)snprintf(digits, sizeof digits, "%u", number);
	(void)snprintf(text, sizeof text, "%.*s%s%s", mark != NULL ? (int)(mark - a->name) : (int)strlen(a->name), a->name,
	               mark != NULL ? digits : "", mark != NULL ? mark + 2 : "");
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	buf_u16(&b, 0x1234);
	buf_u16(&b, (uint16_t)(a->opcode << 11));
	buf_put(&b, "\0\1\0\0\0\0\0", 7);
	buf_u8(&b, a->cookie_len != 0);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, a->type != 0 ? a->type : TYPE_A);
	buf_u16(&b, CLASS_IN);
	if (a->cookie_len != 0) {
		buf_put(&b, "\0\0\x29\4\xD0\0\0\0\0", 9);
		buf_u16(&b, (uint16_t)(4 + a->cookie_len));
		buf_u16(&b, EDNS_OPT_COOKIE);
		buf_u16(&b, (uint16_t)a->cookie_len);
		buf_put(&b, a->cookie, a->cookie_len);
	}
	assert_int_equal(b.err, OK);
	return a->key != NULL ? sign_request(a->key, NOW_S, wire, b.len, cap) : b.len;
}

static size_t
ask_one(const struct ask *a, unsigned number)
{
	uint8_t wire[1024];
	size_t len = make_request(a, number, wire, sizeof wire);
	return server_handle(primary_view(primary), &conf, &peer, NOW_S, wire, len, resp, sizeof resp, &stats, &out);
}

/* How many of ASKED questions are answered. */
static unsigned
ask(const struct ask *a)
{
	static unsigned number;
	unsigned answered = 0;
	for (unsigned i = 0; i < ASKED; i++) {
		answered += ask_one(a, number++) != 0;
	}
	return answered;
}

static uint64_t
limited(void)
{
	uint64_t sum = 0;
	for (unsigned kind = 0; kind < RATE_KINDS; kind++) {
		sum += stats.limited[kind];
	}
	return sum;
}

static const struct {
	struct ask ask;
	enum rate_kind kind;
} kinds[] = {
	{ { .name = "ns.example." }, RATE_DATA },
	{ { .name = "x.ent.example.", .type = TYPE_TXT }, RATE_DATA },
	{ { .name = "ent.example." }, RATE_DATA },
	{ { .name = "n%u.example." }, RATE_DENIAL },
	{ { .name = "n%u.sub.example." }, RATE_REFERRAL },
	{ { .name = "n%u.w.example." }, RATE_EXPANSION },
	{ { .name = "n%u.c.example." }, RATE_EXPANSION },
	{ { .name = "n%u.d.example." }, RATE_EXPANSION },
	{ { .name = "n%u.elsewhere." }, RATE_ERROR },
};

/* Random names are one account: by the zone, the cut, the wildcard, the DNAME. */
static void
each_kind_is_an_account(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		uint64_t before = stats.limited[kinds[i].kind];
		assert_int_equal(ask(&kinds[i].ask), RATE);
		assert_int_equal(stats.limited[kinds[i].kind], before + ASKED - RATE);
	}
	assert_int_equal(limited(), ARRAY_LEN(kinds) * (ASKED - RATE));
	assert_int_equal(ask(&(struct ask){ .name = "n%u.other." }), RATE); /* another zone */
	assert_int_equal(ask(&(struct ask){ .name = "Ns.eXample." }), 0);   /* the same name */
	assert_int_equal(ask(&(struct ask){ .name = "ns.example.", .type = TYPE_TXT }), 0);
	assert_int_equal(stats.slipped, 0);
}

static void
all_errors_are_one_account(void **state)
{
	(void)state;
	static const uint8_t malformed[] = "\x12\x34\0\0\0\1\0\0\0\0\0\0\377";
	assert_int_equal(ask(&(struct ask){ .name = "a.elsewhere." }), RATE);
	assert_int_equal(ask(&(struct ask){ .name = ".", .type = TYPE_TKEY }), 0);
	assert_int_equal(ask(&(struct ask){ .name = "example.", .opcode = OPCODE_UPDATE, .type = TYPE_SOA }), 0);
	assert_int_equal(ask(&(struct ask){ .name = "example.", .opcode = OPCODE_STATUS }), 0);
	assert_int_equal(server_handle(primary_view(primary), &conf, &peer, NOW_S, malformed, sizeof malformed - 1, resp, sizeof resp, &stats,
	                               &out), 0);
	assert_int_equal(limited(), stats.limited[RATE_ERROR]);
}

static void
who_has_no_limit(void **state)
{
	(void)state;
	uint8_t cookie[COOKIE_LEN];
	const struct cookie_client client = { peer.address, 4 };
	memcpy(cookie, "12345678", COOKIE_CLIENT_LEN);
	cookie_make(secrets.secret[0], &client, cookie, NOW_S, cookie + COOKIE_CLIENT_LEN);
	assert_int_equal(ask(&(struct ask){ .name = "ns.example." }), RATE);
	assert_int_equal(ask(&(struct ask){ .name = "ns.example.", .key = KEY }), ASKED);
	assert_int_equal(ask(&(struct ask){ .name = "ns.example.", .cookie = cookie, .cookie_len = sizeof cookie }), ASKED);
	assert_int_equal(ask(&(struct ask){ .name = "ns.example.", .cookie = cookie, .cookie_len = COOKIE_CLIENT_LEN }), 0);
	assert_int_equal(ask(&(struct ask){ .name = "example.", .opcode = OPCODE_NOTIFY, .type = TYPE_SOA }), ASKED);
	peer.transport = TRANSPORT_TCP;
	assert_int_equal(ask(&(struct ask){ .name = "ns.example." }), ASKED);
	peer.transport = TRANSPORT_UDP;
	peer.address[2]++;
	assert_int_equal(ask(&(struct ask){ .name = "ns.example." }), RATE);
	rate_limit_free(&conf.rate_limit);
	assert_int_equal(ask(&(struct ask){ .name = "ns.example." }), ASKED);
}

/* A key that is not ours shows nothing. */
static void
a_bad_signature_has_the_limit(void **state)
{
	(void)state;
	assert_int_equal(ask(&(struct ask){ .name = "ns.example.", .key = "who._transfer.:SHA256:" KEY_SECRET }), RATE);
	assert_int_equal(out.event, EVENT_TSIG_FAILED); /* the log has it, whether it was answered or not */
}

/* TC, or BADCOOKIE for who knows cookies, and no records. */
static void
what_slips(void **state)
{
	(void)state;
	struct msg m;
	static const uint8_t cookie[] = "12345678";
	let_slip(1);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_int_equal(ask(&kinds[i].ask), ASKED);
		size_t len = ask_one(&kinds[i].ask, 1);
		assert_int_equal(msg_parse(resp, len, &m), OK);
		assert_true((m.bits & DNS_TC) != 0);
		assert_int_equal(m.count[1] + m.count[2] + m.count[3], 0);
		assert_int_equal(len, m.question_end);
	}
	assert_int_equal(stats.slipped, limited());
	struct ask a = { .name = "ns.example.", .cookie = cookie, .cookie_len = COOKIE_CLIENT_LEN };
	size_t len = ask_one(&a, 1);
	assert_int_equal(msg_parse(resp, len, &m), OK);
	assert_int_equal((m.bits & DNS_RCODE) | (unsigned)m.edns.ext_rcode << 4, RCODE_BADCOOKIE);
	assert_int_equal(m.bits & (DNS_TC | DNS_AA), 0);
	assert_int_equal(m.count[1] + m.count[2], 0);
	uint8_t whole[COOKIE_LEN];
	memcpy(whole, m.edns.cookie, sizeof whole);
	a = (struct ask){ .name = "ns.example.", .cookie = whole, .cookie_len = sizeof whole };
	assert_int_equal(ask(&a), ASKED);
	assert_int_equal(msg_parse(resp, ask_one(&a, 1), &m), OK);
	assert_int_equal(m.count[1], 1);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(each_kind_is_an_account),
		TEST(all_errors_are_one_account),
		TEST(who_has_no_limit),
		TEST(a_bad_signature_has_the_limit),
		TEST(what_slips),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
