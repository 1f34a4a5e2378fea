/* TC is set by the size that the answer has in the end: an answer of n octets comes whole where n may be sent, and not where n - 1 may,
 * whatever stands beside the records: OPT with its options, a TSIG, names that become pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

enum { NOW_S = 1700000000 };

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char *const keys[] = {
	NULL,
	"k._transfer.example:SHA1:" SECRET,
	"a.much.longer.name.of.a.key._transfer.example:SHA256:" SECRET,
	"k5._transfer.example:SHA512:" SECRET,
};

static const char keys_file[] =
        "k._transfer.example. DNSKEY 0 3 161 " SECRET "\n"
        "a.much.longer.name.of.a.key._transfer.example. DNSKEY 0 3 163 " SECRET "\n"
        "k5._transfer.example. DNSKEY 0 3 165 " SECRET "\n";

static struct server_conf conf = { .udp_max = 4096, .version = "Origin", .id = "a name server" };

static void
many(struct str *s, const char *format, int n)
{
	for (int i = 0; i < n; i++) {
		char line[200];
		assert_true(snprintf(line, sizeof line, format, i, i) < (int)sizeof line);
		str_cat(s, line);
	}
}

static int
start(void **state)
{
	struct str s = { 0 };
	(void)state;
	str_cat(&s, "$TTL 60\n@ SOA ns1.example.net. hostmaster.example.net. 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n");
	many(&s, "a A 192.0.2.%d\n", 40);
	many(&s, "txt TXT %d " "\"................................................................................\"\n", 10);
	many(&s, "mx MX 1 mail%d-of-a-long-label.example.net.\n", 30);
	many(&s, "mine MX 1 mail%d-of-a-long-label.example.\n", 30);
	many(&s, "own MX 1 host%d-of-a-long-label\nhost%d-of-a-long-label A 192.0.2.1\n", 15);
	many(&s, "cut NS ns%d-of-a-long-label.a.long.name.example.net.\n", 20);
	many(&s, "glue NS ns%d-of-a-long-label.glue\nns%d-of-a-long-label.glue A 192.0.2.2\n", 13);
	many(&s, "ptr PTR host%d-of-a-long-label.somewhere.example.net.\n", 30);
	many(&s, "thirteen NS ns%d.servers.example.net.\n", 13);
	str_cat(&s, "d DNAME @\nalias CNAME a\nalias13 CNAME x.thirteen\n* CNAME txt\n");
	many(&s, "huge TXT %d "
	         "\"................................................................................................................\"\n", 600);
	const char *const files[][2] = { { "example", str_text(&s) }, { "_keys", keys_file } };
	int failed = primary_up(files, ARRAY_LEN(files));
	str_fini(&s);
	return failed;
}

struct ask {
	const char *name, *type, *key;
	unsigned payload;
	bool wants_nsid, is_tcp;
};

static size_t
query(const struct ask *a, uint8_t *wire, size_t cap)
{
	struct buf b = buf_over(wire, cap);
	struct name n;
	uint16_t type;
	assert_int_equal(name_parse(a->name, strlen(a->name), NULL, &n), OK);
	assert_int_equal(rrtype_parse(a->type, strlen(a->type), &type), OK);
	buf_put(&b, "\x12\x34\x00\x00\0\1\0\0\0\0\0\1", 12);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, type);
	buf_u16(&b, CLASS_IN);
	buf_put(&b, "\0\0\x29", 3);
	buf_u16(&b, (uint16_t)a->payload);
	buf_u32(&b, 0);
	buf_u16(&b, a->wants_nsid ? 4 : 0);
	buf_put(&b, "\0\3\0\0", a->wants_nsid ? 4 : 0); /* NSID (RFC 5001) */
	assert_int_equal(b.err, OK);
	return a->key == NULL ? b.len : sign_request(a->key, NOW_S, wire, b.len, cap);
}

static size_t
answer(const struct ask *a, uint8_t *resp, struct msg *m)
{
	static struct server_stats stats;
	struct server_out out;
	struct peer peer = { .family = 4, .transport = a->is_tcp ? TRANSPORT_TCP : TRANSPORT_UDP };
	uint8_t req[1024];
	size_t len = query(a, req, sizeof req);
	len = server_handle(primary_view(primary), &conf, &peer, NOW_S, req, len, resp, DNS_MSG_MAX, &stats, &out);
	assert_int_equal(msg_parse(resp, len, m), OK);
	assert_int_equal(m->has_tsig, a->key != NULL);
	return len;
}

static const struct {
	const char *name, *type;
	bool has_optional; /* additional records, which may be left out */
} cases[] = {
	{ "a.example.", "A", false },
	{ "alias.example.", "A", false },
	{ "txt.example.", "TXT", false },
	{ "not.there.example.", "TXT", false },
	{ "mx.example.", "MX", false },
	{ "mine.example.", "MX", false },
	{ "own.example.", "MX", true },
	{ "x.cut.example.", "A", false },
	{ "x.glue.example.", "A", false },
	{ "glue.example.", "NS", false },
	{ "ptr.example.", "PTR", false },
	{ "a.d.example.", "A", false },
	{ "txt.d.d.d.example.", "TXT", false },
	{ "not.there.d.example.", "TXT", false },
	{ "x.cut.d.example.", "A", false },
};

static void
check_exact(struct ask *a, bool has_optional)
{
	static uint8_t whole[DNS_MSG_MAX], cut[DNS_MSG_MAX];
	struct msg m;
	a->payload = 4096;
	size_t len = answer(a, whole, &m);
	assert_int_equal(m.bits & DNS_TC, 0);
	assert_true(len > DNS_UDP_PLAIN_MAX);
	a->payload = (unsigned)len;
	assert_int_equal(answer(a, cut, &m), len);
	assert_memory_equal(cut, whole, len - (a->key != NULL ? 100 : 0)); /* MACs differ */
	a->payload = (unsigned)len - 1;
	assert_true(answer(a, cut, &m) < len);
	assert_int_equal((m.bits & DNS_TC) != 0, !has_optional);
}

static void
an_answer_that_fits_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (unsigned k = 0; k < 2 * ARRAY_LEN(keys); k++) {
			struct ask a = { .name = cases[i].name, .type = cases[i].type, .key = keys[k / 2], .wants_nsid = k % 2 };
			check_exact(&a, cases[i].has_optional);
		}
	}
}

/* Names of one domain: the domain stands there once.  BIND, Knot and NSD need 262 to 268 octets for such a referral. */
static void
thirteen_servers_of_one_domain_need_no_tcp(void **state)
{
	(void)state;
	uint8_t resp[DNS_MSG_MAX];
	struct msg m;
	static const struct {
		const char *name;
		size_t most;
	} names[] = {
		{ "x.thirteen.example.", 12 + 24 + 12 + 13 + 13 * 22 + 11 },
		{ "alias13.example.", 12 + 21 + 2 + 12 + 2 + 3 + 13 + 13 * 22 + 20 + 11 }, /* an alias to it: put together, not ready */
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct ask a = { .name = names[i].name, .type = "A", .payload = 512 };
		size_t len = answer(&a, resp, &m);
		assert_int_equal(m.bits & DNS_TC, 0);
		assert_int_equal(m.count[2], 13);
		assert_in_range(len, 12, names[i].most);
	}
}

/* A question of 255 octets, a TSIG and NSID: what is no longer a record gives way first. */
static void
a_long_question_leaves_no_room_for_options(void **state)
{
	(void)state;
	char name[300] = "", id[250];
	uint8_t resp[DNS_MSG_MAX];
	struct msg m;
	for (int i = 0; i < 123; i++) {
		strcat(name, "x.");
	}
	strcat(name, "example.");
	name[strlen(name) - 1] = '\0'; /* no room for the last dot's label: relative to the root */
	memset(id, 'i', sizeof id - 1);
	id[sizeof id - 1] = '\0';
	const char *before = conf.id;
	conf.id = id;
	struct ask a = { .name = name, .type = "A", .payload = 512, .wants_nsid = true };
	assert_true(answer(&a, resp, &m) <= 512);
	assert_true(m.edns.present);
	assert_int_equal(m.edns.options_len, 0);
	conf.id = before;
}

/* More than a message can hold: there is no transport to send the client to. */
static void
what_fits_nowhere_is_servfail(void **state)
{
	(void)state;
	static uint8_t resp[DNS_MSG_MAX];
	struct msg m;
	static const char *const types[] = { "TXT", "ANY" };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct ask a = { .name = "huge.example.", .type = types[i], .payload = 1232, .is_tcp = true, .key = keys[i] };
		(void)answer(&a, resp, &m);
		assert_int_equal(m.bits & (DNS_RCODE | DNS_TC | DNS_AA), RCODE_SERVFAIL);
		assert_int_equal(m.count[0], 1);
		assert_int_equal(m.count[1] + m.count[2], 0);
		a.is_tcp = false; /* over UDP, that it is large is all that is known */
		(void)answer(&a, resp, &m);
		assert_int_equal(m.bits & (DNS_RCODE | DNS_TC), DNS_TC);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_fits_is_whole),
		cmocka_unit_test(thirteen_servers_of_one_domain_need_no_tcp),
		cmocka_unit_test(a_long_question_leaves_no_room_for_options),
		cmocka_unit_test(what_fits_nowhere_is_servfail),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
