/* A SOA that was written beforehand is the record that its zone has, in each kind of answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "dns/msg.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "serve.h"

#define L60 "a-label-of-sixty-octets-which-is-nearly-as-long-as-they-can-be"
#define REST " 1 7200 3600 1209600 300\n@ NS ns.example.net.\na A 192.0.2.1\nalias CNAME not.there\n"

/* Names as a zone file has them, and whole. */
static const struct {
	const char *names, *rdata;
} cases[] = {
	{ "ns1 hostmaster", "ns1.example. hostmaster.example." },
	{ "ns1.example.net. hostmaster.example.net.", "ns1.example.net. hostmaster.example.net." },
	{ "ns1.example.net. hostmaster", "ns1.example.net. hostmaster.example." },
	{ "ns1 hostmaster.ns1", "ns1.example. hostmaster.ns1.example." },
	{ "ns1.example.net. ns1.example.net.", "ns1.example.net. ns1.example.net." },
	{ "@ @", "example. example." },
	{ ". .", ". ." },
	{ "a.example.net. b.example.org.", "a.example.net. b.example.org." },
	/* too large to be ready */
	{ L60 "." L60 ".net. " L60 ".org.", L60 "." L60 ".net. " L60 ".org." },
};

static const struct {
	const char *name;
	uint16_t type;
	unsigned section, ttl;
} asked[] = {
	{ "not.there.example.", 1, 2, 300 },
	{ "a.example.", 28, 2, 300 },
	{ "example.", 28, 2, 300 },
	{ "example.", TYPE_SOA, 1, 3600 },
	{ "alias.example.", 1, 2, 300 }, /* something stands before it: put together */
};

static size_t
ask(const struct view *v, const char *name, uint16_t type, uint8_t *resp)
{
	static const struct server_conf conf = { .udp_max = 1232, .version = "Origin", .id = "x" };
	struct server_stats stats = { 0 };
	struct server_out out;
	struct peer peer = { .family = 4, .transport = TRANSPORT_UDP };
	uint8_t wire[300];
	struct buf b = buf_over(wire, sizeof wire);
	struct name n;
	assert_int_equal(name_parse(name, strlen(name), NULL, &n), OK);
	buf_put(&b, "\x12\x34\0\0\0\1\0\0\0\0\0\0", 12);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, type);
	buf_u16(&b, CLASS_IN);
	return server_handle(v, &conf, &peer, 1700000000, wire, b.len, resp, DNS_MSG_MAX, &stats, &out);
}

/* The one SOA of the section, as text. */
static void
read_soa(const struct msg *m, unsigned section, struct str *out)
{
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	uint8_t rdata[600];
	struct buf b = buf_over(rdata, sizeof rdata);
	char text[NAME_TEXT_MAX];
	c.pos = m->rr_at[section];
	assert_int_equal(m->count[section], 1);
	assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
	assert_int_equal(rr.type, TYPE_SOA);
	assert_int_equal(rr.rrclass, CLASS_IN);
	c.pos = rr.rdata_at;
	assert_int_equal(rdata_read(&c, rr.type, rr.rdlength, &b), OK);
	name_print(owner.oct, text);
	str_printf(out, "%s %u ", text, (unsigned)rr.ttl);
	rdata_print(rr.type, rdata, b.len, out);
}

static void
check_answers(const struct primary *p, const char *rdata)
{
	static uint8_t resp[DNS_MSG_MAX];
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct msg m;
		struct str got = { 0 }, want = { 0 };
		size_t len = ask(primary_view(p), asked[i].name, asked[i].type, resp);
		assert_int_equal(msg_parse(resp, len, &m), OK);
		read_soa(&m, asked[i].section, &got);
		str_printf(&want, "example. %u %s 1 7200 3600 1209600 300", asked[i].ttl, rdata);
		assert_string_equal(str_text(&got), str_text(&want));
		str_fini(&got);
		str_fini(&want);
	}
}

static void
is_the_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str s = { 0 };
		str_printf(&s, "$TTL 3600\n@ SOA %s" REST, cases[i].names);
		const char *const files[][2] = { { "example", str_text(&s) } };
		struct primary *p = serve_files(files, 1);
		str_fini(&s);
		assert_non_null(p);
		check_answers(p, cases[i].rdata);
		primary_free(&p);
	}
}

/* The piece alone, behind a question about the apex: the length says which names became pointers. */
static void
is_ready_where_it_is_small(void **state)
{
	(void)state;
	static const struct {
		uint8_t apex[10], rdata[64];
		uint16_t rdlen;
		unsigned len, pointers;
	} soas[] = {
		{ "", "\2ns\0\2hm\0" "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 28, 1 + 10 + 28, 0 }, /* the root has no pointer to it */
		{ "\7example", "\2ns\7example\0\2hm\7example\0" "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 44, 2 + 10 + 30, 3 },
		{ "\7example", "\2ns\3net\0\2hm\3net\0" "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 36, 2 + 10 + 33, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(soas); i++) {
		struct node_rr rr = { .type = TYPE_SOA, .ttl = 60, .rdlen = soas[i].rdlen, .rdata = soas[i].rdata };
		struct node *n;
		struct ready_soa ready;
		assert_int_equal(node_make(soas[i].apex, NODE_APEX, &rr, 1, NULL, NULL, &n), OK);
		ready_soa_make(n, node_first(n), &ready);
		assert_int_equal(ready.len, soas[i].len);
		assert_int_equal(ready.pointers_n, soas[i].pointers);
		free(n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_record),
		cmocka_unit_test(is_ready_where_it_is_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
