/* Requests in, responses out, as text: each case names the RFC that it holds us to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "dns/msg.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

static const char example[] =
        "$TTL 3600\n"
        "@ SOA ns1 hostmaster 7 7200 3600 1209600 300\n"
        "@ NS ns1\n"
        "ns1 A 192.0.2.1\n"
        "www A 192.0.2.2\n"
        "www AAAA 2001:db8::2\n"
        "mail MX 10 www\n"
        "alias CNAME www\n"
        "far CNAME www.other.\n"
        "out CNAME www.example.net.\n"
        "loop1 CNAME loop2\n"
        "loop2 CNAME loop1\n"
        "tosub CNAME host.sub\n"
        "*.wild TXT \"w\"\n"
        "*.wc CNAME www\n"
        "a.b.ent A 192.0.2.3\n"
        "sub NS ns.sub\n"
        "sub NS ns1\n"
        "sub DS 1 8 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766\n"
        "ns.sub A 192.0.2.4\n"
        "child NS ns1\n"
        "own NS own\n"
        "own NS ns.a.own\n"
        "own NS ns.example.net.\n"
        "own A 192.0.2.11\n"
        "ns.a.own A 192.0.2.12\n"
        "ns.a.own AAAA 2001:db8::12\n"
        "toown CNAME x.own\n"
        "old DNAME new\n"
        "host.new A 192.0.2.5\n"
        "_s._tcp SRV 1 2 3 www\n"
        "l DNAME @\n"
        "p DNAME q\n"
        "q DNAME p.p\n"
        "*.star DNAME star\n"
        "svc HTTPS 0 pool\n"
        "svc2 HTTPS 0 svc\n"
        "pool HTTPS 1 . alpn=h2\n"
        "pool HTTPS 2 www port=8443\n"
        "pool A 192.0.2.20\n"
        "ring1 SVCB 0 ring2\n"
        "ring1 A 192.0.2.21\n"
        "ring2 SVCB 0 ring1\n"
        "off SVCB 0 .\n"
        "off A 192.0.2.22\n"
        "*.tls HTTPS 1 . alpn=h3\n"
        "*.tls A 192.0.2.23\n"
        "away HTTPS 0 www.other.\n";
static const char other[] = "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns.example.\nwww A 192.0.2.9\n";
static const char child[] = "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns1.example.\nx A 192.0.2.10\n";
#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY(name) name " DNSKEY 0 3 163 " SECRET "\n"
static const char keys[] = KEY("k._notify.example.") KEY("all._transfer.") KEY("zone._transfer.example.") KEY("some._transfer.a.example.")
			   KEY("hoster.");
static const char granted[] = "_transfer PTR hoster.\n_transfer.b PTR hoster.\n";

static int
start(void **state)
{
	static const char *const files[][2] = {
		{ "example", example }, { "other", other }, { "child.example", child }, { "_keys", keys },
		{ "example._secondaries", granted },
	};
	(void)state;
	return primary_up(files, ARRAY_LEN(files)) != 0 || primary_view(primary)->zones.n != 3;
}

enum { NOW_S = 1700000000 };

enum { EDNS = 1, DO = 2, TCP = 4, CHAOS = 8 };

struct ask {
	const char *name, *type;
	unsigned flags;
	uint16_t udp_size;
};

static size_t
make_query(const struct ask *a, uint8_t *wire, size_t cap)
{
	struct buf b = buf_over(wire, cap);
	struct name n;
	uint16_t type;
	assert_int_equal(name_parse(a->name, strlen(a->name), NULL, &n), OK);
	assert_int_equal(rrtype_parse(a->type, strlen(a->type), &type), OK);
	buf_put(&b, "\x12\x34\x01\x00\0\1\0\0\0\0\0", 11);
	buf_u8(&b, (a->flags & EDNS) != 0);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, type);
	buf_u16(&b, (a->flags & CHAOS) != 0 ? CLASS_CH : CLASS_IN);
	if ((a->flags & EDNS) != 0) {
		buf_put(&b, "\0\0\x29", 3);
		buf_u16(&b, a->udp_size != 0 ? a->udp_size : 1232);
		buf_u32(&b, (a->flags & DO) != 0 ? EDNS_DO : 0);
		buf_u16(&b, 0);
	}
	assert_int_equal(b.err, OK);
	return b.len;
}

static void
print_section(struct cur *c, unsigned n, const char *title, struct str *out)
{
	for (; n != 0; n--) {
		struct name owner;
		struct msg_rr rr;
		char text[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
		uint8_t rdata[1024];
		struct buf b = buf_over(rdata, sizeof rdata);
		assert_int_equal(msg_read_rr(c, &owner, &rr), OK);
		if (rr.type == TYPE_OPT) {
			continue;
		}
		struct cur at = cur_over(c->base, c->len);
		at.pos = rr.rdata_at;
		assert_int_equal(rdata_read(&at, rr.type, rr.rdlength, &b), OK);
		name_print(owner.oct, text);
		str_printf(out, "%s %s %u %s ", title, text, rr.ttl, rrtype_print(rr.type, type));
		rdata_print(rr.type, rdata, b.len, out);
		str_char(out, '\n');
	}
}

static struct server_conf conf = { .udp_max = 1232, .version = "Origin" };
static struct server_out server_out;
static struct server_stats stats;

static size_t
handle(const uint8_t *req, size_t len, enum transport transport, uint8_t *resp)
{
	struct peer peer = { .family = 4, .transport = transport, .idle_100ms = 300, .kept_100ms = 65535 };
	return server_handle(primary_view(primary), &conf, &peer, NOW_S, req, len, resp,
	                     transport == TRANSPORT_TCP ? DNS_MSG_MAX : 4096, &stats, &server_out);
}

/* "NOERROR aa\n" and a line for each record. */
static void
answer_text(const struct ask *a, struct str *out)
{
	static uint8_t resp[DNS_MSG_MAX];
	uint8_t req[512];
	char rcode[RRTYPE_TEXT_MAX];
	struct msg m;
	size_t len = make_query(a, req, sizeof req);
	len = handle(req, len, (a->flags & TCP) != 0 ? TRANSPORT_TCP : TRANSPORT_UDP, resp);
	assert_int_equal(msg_parse(resp, len, &m), OK);
	assert_int_equal(m.id, 0x1234);
	assert_int_equal(m.edns.present, (a->flags & EDNS) != 0);
	str_printf(out, "%s%s%s\n", rcode_print((m.bits & 15u) | (unsigned)m.edns.ext_rcode << 4, false, rcode),
	           (m.bits & DNS_AA) != 0 ? " aa" : "", (m.bits & DNS_TC) != 0 ? " tc" : "");
	struct cur c = cur_over(resp, len);
	c.pos = m.rr_at[1];
	print_section(&c, m.count[1], "an", out);
	print_section(&c, m.count[2], "au", out);
	print_section(&c, m.count[3], "ad", out);
}

#define SOA_LINE "au example. 300 SOA ns1.example. hostmaster.example. 7 7200 3600 1209600 300\n"

static const struct {
	struct ask ask;
	const char *want;
} cases[] = {
	{ { "www.example.", "A", 0, 0 }, "NOERROR aa\nan www.example. 3600 A 192.0.2.2\n" },
	{ { "WwW.eXample.", "AAAA", EDNS, 0 }, "NOERROR aa\nan WwW.eXample. 3600 AAAA 2001:db8::2\n" },
	/* RFC 2308: NODATA and NXDOMAIN with the SOA, its TTL the lesser of two */
	{ { "www.example.", "TXT", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "nope.example.", "A", 0, 0 }, "NXDOMAIN aa\n" SOA_LINE },
	/* RFC 8020: an empty non-terminal exists */
	{ { "b.ent.example.", "A", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "c.ent.example.", "A", 0, 0 }, "NXDOMAIN aa\n" SOA_LINE },
	/* additional data */
	{ { "mail.example.", "MX", 0, 0 },
	  "NOERROR aa\nan mail.example. 3600 MX 10 www.example.\nad www.example. 3600 A 192.0.2.2\n"
	  "ad www.example. 3600 AAAA 2001:db8::2\n" },
	{ { "_s._tcp.example.", "SRV", 0, 0 },
	  "NOERROR aa\nan _s._tcp.example. 3600 SRV 1 2 3 www.example.\nad www.example. 3600 A 192.0.2.2\n"
	  "ad www.example. 3600 AAAA 2001:db8::2\n" },
	{ { "example.", "NS", 0, 0 },
	  "NOERROR aa\nan example. 3600 NS ns1.example.\nad ns1.example. 3600 A 192.0.2.1\n" },
	/* RFC 1034 4.3.2: aliases, within the zone, into another of ours, and out */
	{ { "alias.example.", "A", 0, 0 },
	  "NOERROR aa\nan alias.example. 3600 CNAME www.example.\nan www.example. 3600 A 192.0.2.2\n" },
	{ { "alias.example.", "CNAME", 0, 0 }, "NOERROR aa\nan alias.example. 3600 CNAME www.example.\n" },
	{ { "far.example.", "A", 0, 0 },
	  "NOERROR aa\nan far.example. 3600 CNAME www.other.\nan www.other. 60 A 192.0.2.9\n" },
	{ { "out.example.", "A", 0, 0 }, "NOERROR aa\nan out.example. 3600 CNAME www.example.net.\n" },
	{ { "loop1.example.", "A", 0, 0 },
	  "NOERROR aa\nan loop1.example. 3600 CNAME loop2.example.\nan loop2.example. 3600 CNAME loop1.example.\n" },
	{ { "tosub.example.", "A", 0, 0 },
	  "NOERROR aa\nan tosub.example. 3600 CNAME host.sub.example.\nau sub.example. 3600 NS ns.sub.example.\n"
	  "au sub.example. 3600 NS ns1.example.\nad ns.sub.example. 3600 A 192.0.2.4\nad ns1.example. 3600 A 192.0.2.1\n" },
	/* RFC 4592: wildcards */
	{ { "x.y.wild.example.", "TXT", 0, 0 }, "NOERROR aa\nan x.y.wild.example. 3600 TXT \"w\"\n" },
	{ { "x.wild.example.", "A", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "wild.example.", "TXT", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "x.wc.example.", "A", 0, 0 },
	  "NOERROR aa\nan x.wc.example. 3600 CNAME www.example.\nan www.example. 3600 A 192.0.2.2\n" },
	/* referrals: AA clear, glue (RFC 9471) */
	{ { "host.sub.example.", "A", 0, 0 },
	  "NOERROR\nau sub.example. 3600 NS ns.sub.example.\nau sub.example. 3600 NS ns1.example.\n"
	  "ad ns.sub.example. 3600 A 192.0.2.4\nad ns1.example. 3600 A 192.0.2.1\n" },
	{ { "sub.example.", "NS", 0, 0 },
	  "NOERROR\nau sub.example. 3600 NS ns.sub.example.\nau sub.example. 3600 NS ns1.example.\n"
	  "ad ns.sub.example. 3600 A 192.0.2.4\nad ns1.example. 3600 A 192.0.2.1\n" },
	/* a referral that was written when the zone was made, and the same put together for an alias */
	{ { "y.x.own.example.", "A", EDNS, 0 },
	  "NOERROR\nau own.example. 3600 NS ns.a.own.example.\nau own.example. 3600 NS ns.example.net.\n"
	  "au own.example. 3600 NS own.example.\nad ns.a.own.example. 3600 A 192.0.2.12\n"
	  "ad ns.a.own.example. 3600 AAAA 2001:db8::12\nad own.example. 3600 A 192.0.2.11\n" },
	{ { "OWN.example.", "A", 0, 0 },
	  "NOERROR\nau OWN.example. 3600 NS ns.a.OWN.example.\nau OWN.example. 3600 NS ns.example.net.\n"
	  "au OWN.example. 3600 NS OWN.example.\nad ns.a.OWN.example. 3600 A 192.0.2.12\n"
	  "ad ns.a.OWN.example. 3600 AAAA 2001:db8::12\nad OWN.example. 3600 A 192.0.2.11\n" },
	{ { "toown.example.", "A", 0, 0 },
	  "NOERROR aa\nan toown.example. 3600 CNAME x.own.example.\nau own.example. 3600 NS ns.a.own.example.\nau own.example. 3600 NS ns.example.net.\n"
	  "au own.example. 3600 NS own.example.\nad ns.a.own.example. 3600 A 192.0.2.12\n"
	  "ad ns.a.own.example. 3600 AAAA 2001:db8::12\nad own.example. 3600 A 192.0.2.11\n" },
	/* RFC 4035 3.1.4.1: DS is the parent's */
	{ { "sub.example.", "DS", 0, 0 },
	  "NOERROR aa\nan sub.example. 3600 DS 1 8 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CF C41A5766\n" },
	{ { "child.example.", "DS", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "x.child.example.", "A", 0, 0 }, "NOERROR aa\nan x.child.example. 60 A 192.0.2.10\n" },
	/* RFC 6672: DNAME */
	{ { "host.old.example.", "A", 0, 0 },
	  "NOERROR aa\nan old.example. 3600 DNAME new.example.\nan host.old.example. 3600 CNAME host.new.example.\n"
	  "an host.new.example. 3600 A 192.0.2.5\n" },
	{ { "old.example.", "DNAME", 0, 0 }, "NOERROR aa\nan old.example. 3600 DNAME new.example.\n" },
	{ { "old.example.", "A", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	/* ... through one several times: it is there once (RFC 2181 5) */
	{ { "www.l.l.l.example.", "A", 0, 0 },
	  "NOERROR aa\nan l.example. 3600 DNAME example.\nan www.l.l.l.example. 3600 CNAME www.l.l.example.\n"
	  "an www.l.l.example. 3600 CNAME www.l.example.\nan www.l.example. 3600 CNAME www.example.\n"
	  "an www.example. 3600 A 192.0.2.2\n" },
	{ { "l.l.example.", "DNAME", 0, 0 },
	  "NOERROR aa\nan l.example. 3600 DNAME example.\nan l.l.example. 3600 CNAME l.example.\n" },
	{ { "www.a.star.example.", "TXT", 0, 0 }, "NOERROR aa\n" SOA_LINE }, /* RFC 6672 3.3: of a wildcard nothing is made */
	/* RFC 9460 4.1: in alias mode the target's RRset, then addresses */
	{ { "svc.example.", "HTTPS", 0, 0 },
	  "NOERROR aa\nan svc.example. 3600 HTTPS 0 pool.example.\nad pool.example. 3600 HTTPS 1 . alpn=\"h2\"\n"
	  "ad pool.example. 3600 HTTPS 2 www.example. port=8443\nad pool.example. 3600 A 192.0.2.20\n"
	  "ad www.example. 3600 A 192.0.2.2\nad www.example. 3600 AAAA 2001:db8::2\n" },
	{ { "svc2.example.", "HTTPS", 0, 0 },
	  "NOERROR aa\nan svc2.example. 3600 HTTPS 0 svc.example.\nad svc.example. 3600 HTTPS 0 pool.example.\n"
	  "ad pool.example. 3600 HTTPS 1 . alpn=\"h2\"\nad pool.example. 3600 HTTPS 2 www.example. port=8443\n"
	  "ad pool.example. 3600 A 192.0.2.20\nad www.example. 3600 A 192.0.2.2\nad www.example. 3600 AAAA 2001:db8::2\n" },
	{ { "pool.example.", "HTTPS", 0, 0 }, /* RFC 9460 2.5.2: "." is the owner */
	  "NOERROR aa\nan pool.example. 3600 HTTPS 1 . alpn=\"h2\"\nan pool.example. 3600 HTTPS 2 www.example. port=8443\n"
	  "ad pool.example. 3600 A 192.0.2.20\nad www.example. 3600 A 192.0.2.2\nad www.example. 3600 AAAA 2001:db8::2\n" },
	{ { "a.tls.example.", "HTTPS", 0, 0 },
	  "NOERROR aa\nan a.tls.example. 3600 HTTPS 1 . alpn=\"h3\"\nad a.tls.example. 3600 A 192.0.2.23\n" },
	{ { "ring1.example.", "SVCB", 0, 0 },
	  "NOERROR aa\nan ring1.example. 3600 SVCB 0 ring2.example.\nad ring2.example. 3600 SVCB 0 ring1.example.\n"
	  "ad ring1.example. 3600 A 192.0.2.21\n" },
	{ { "off.example.", "SVCB", 0, 0 }, "NOERROR aa\nan off.example. 3600 SVCB 0 .\n" }, /* 2.5.1: no service */
	{ { "away.example.", "HTTPS", 0, 0 }, "NOERROR aa\nan away.example. 3600 HTTPS 0 www.other.\n" },
	/* RFC 8482: ANY over UDP is cut short, over TCP it is not */
	{ { "www.example.", "ANY", 0, 0 }, "NOERROR aa\nan www.example. 3600 A 192.0.2.2\n" },
	{ { "www.example.", "ANY", TCP, 0 },
	  "NOERROR aa\nan www.example. 3600 A 192.0.2.2\nan www.example. 3600 AAAA 2001:db8::2\n" },
	/* ANY of a name that has nothing: NODATA, either way */
	{ { "b.ent.example.", "ANY", 0, 0 }, "NOERROR aa\n" SOA_LINE },
	{ { "b.ent.example.", "ANY", TCP, 0 }, "NOERROR aa\n" SOA_LINE },
	/* not ours, not now */
	{ { "www.example.net.", "A", EDNS, 0 }, "REFUSED\n" },
	{ { "example.", "AXFR", TCP, 0 }, "REFUSED\n" },
	{ { "example.", "MAILB", 0, 0 }, "NOTIMP\n" },
	{ { "version.bind.", "TXT", CHAOS, 0 }, "NOERROR aa\nan version.bind. 0 TXT \"Origin\"\n" },
	{ { "id.server.", "TXT", CHAOS, 0 }, "REFUSED\n" },
};

static void
answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = { 0 };
		answer_text(&cases[i].ask, &got);
		if (strcmp(str_text(&got), cases[i].want) != 0) {
			print_message("case %zu: %s %s\n", i, cases[i].ask.name, cases[i].ask.type);
		}
		assert_string_equal(str_text(&got), cases[i].want);
		str_fini(&got);
	}
}

static void
a_name_that_dname_makes_too_long_is_yxdomain(void **state)
{
	(void)state;
	char name[300] = "", want[] = "YXDOMAIN aa\nan old.example. 3600 DNAME new.example.\n";
	static const char longer[] = "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns.example.\nd DNAME a.quite.long.target.example.\n";
	static const char *const files[][2] = { { "z", longer } };
	struct primary *keep = primary;
	primary = serve_files(files, 1);
	for (int i = 0; i < 120; i++) {
		strcat(name, "x.");
	}
	strcat(name, "d.z.");
	struct str got = { 0 };
	answer_text(&(struct ask){ name, "A", 0, 0 }, &got);
	primary_free(&primary);
	primary = keep;
	assert_memory_equal(str_text(&got), want, 8);
	str_fini(&got);
}

static void
header_and_opcode_rules(void **state)
{
	(void)state;
	uint8_t req[512], resp[4096];
	struct msg m;
	size_t len = make_query(&(struct ask){ "www.example.", "A", EDNS, 0 }, req, sizeof req);

	assert_int_equal(handle(req, 11, TRANSPORT_UDP, resp), 0); /* no header, no answer */
	req[2] |= 0x80;
	assert_int_equal(handle(req, len, TRANSPORT_UDP, resp), 0); /* a response is never answered */
	req[2] = 0x31; /* DSO, opcode 6 */
	assert_true(handle(req, len, TRANSPORT_UDP, resp) >= 12);
	assert_int_equal(resp[3] & 15, RCODE_NOTIMP);
	assert_int_equal(resp[2] & 0x78, 0x30);
	req[2] = 1;
	req[len - 5] = 1; /* EDNS version 1 */
	size_t got = handle(req, len, TRANSPORT_UDP, resp);
	assert_int_equal(msg_parse(resp, got, &m), OK);
	assert_int_equal((resp[3] & 15) | m.edns.ext_rcode << 4, RCODE_BADVERS);
	assert_int_equal(m.edns.version, 0);
	req[len - 5] = 0;
	req[5] = 0; /* no question */
	got = handle(req, 12, TRANSPORT_UDP, resp);
	assert_int_equal(resp[3] & 15, RCODE_FORMERR);
	req[5] = 1;
	got = handle(req, len - 1, TRANSPORT_UDP, resp); /* cut off */
	assert_true(got >= 12);
	assert_int_equal(resp[3] & 15, RCODE_FORMERR);
}

static void
an_unsigned_notify_is_acknowledged_and_nothing_more(void **state)
{
	(void)state;
	uint8_t req[512], resp[4096];
	size_t len = make_query(&(struct ask){ "example.", "SOA", 0, 0 }, req, sizeof req);
	req[2] = 0x24;
	len = handle(req, len, TRANSPORT_UDP, resp);
	assert_int_equal(len, 12 + 9 + 4);
	assert_int_equal(resp[2] & 0xFC, 0xA4);
	assert_int_equal(resp[3] & 15, RCODE_NOERROR);
	assert_int_equal(server_out.event, EVENT_NOTIFY_UNSIGNED);

	static const char *const foreign[] = { "ns.example.", "org.", "." };
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		len = make_query(&(struct ask){ foreign[i], "SOA", 0, 0 }, req, sizeof req);
		req[2] = 0x24;
		handle(req, len, TRANSPORT_UDP, resp);
		assert_int_equal(resp[2] & 0xFC, 0xA0);
		assert_int_equal(resp[3] & 15, RCODE_NOTAUTH);
		assert_int_equal(server_out.event, EVENT_NOTIFY_DENIED);
	}
}

static const struct {
	const char *key, *zone;
	bool is_subscribed;
	unsigned rcode;
} subscribing[] = {
	{ "all._transfer.", "example.", true, RCODE_NOERROR },
	{ "all._transfer.", "Child.Example.", true, RCODE_NOERROR },
	{ "all._transfer.", ".", true, RCODE_NOTAUTH },             /* what the key is for: all zones there */
	{ "all._transfer.", "net.", false, RCODE_NOTAUTH },         /* neither a zone nor that: there is no end of such names */
	{ "all._transfer.", "www.example.", false, RCODE_NOERROR }, /* in a zone, and none itself */
	{ "all._transfer.", "nobody.example.", false, RCODE_NXDOMAIN },
	{ "all._transfer.", "x.sub.example.", false, RCODE_NOERROR }, /* a referral */
	{ "zone._transfer.example.", "example.", true, RCODE_NOERROR },
	{ "zone._transfer.example.", "child.example.", true, RCODE_NOERROR },
	{ "zone._transfer.example.", "other.", false, RCODE_NOERROR },
	{ "zone._transfer.example.", ".", false, RCODE_REFUSED },
	{ "some._transfer.a.example.", "a.example.", true, RCODE_NXDOMAIN }, /* no zone is there now */
	{ "some._transfer.a.example.", "x.a.example.", false, RCODE_NXDOMAIN },
	{ "hoster.", "example.", true, RCODE_NOERROR }, /* by a file of secondaries */
	{ "hoster.", "b.example.", true, RCODE_NXDOMAIN },
	{ "hoster.", "x.b.example.", false, RCODE_NXDOMAIN },
	{ "k._notify.example.", "example.", false, RCODE_NOERROR },
};

/* A zone, or the domain that the key is for; a key gives no right to subscribe to every name below that. */
static void
what_a_secondary_subscribes_to(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(subscribing); i++) {
		uint8_t req[512], resp[4096];
		char key[128];
		snprintf(key, sizeof key, "%s:SHA256:" SECRET, subscribing[i].key);
		size_t len = make_query(&(struct ask){ subscribing[i].zone, "SOA", 0, 0 }, req, sizeof req);
		len = sign_request(key, NOW_S, req, len, sizeof req);
		assert_true(handle(req, len, TRANSPORT_UDP, resp) > 12);
		if ((server_out.event == EVENT_SUBSCRIBED) != subscribing[i].is_subscribed || (resp[3] & 15u) != subscribing[i].rcode) {
			fail_msg("%s by %s: event %d, rcode %d", subscribing[i].zone, subscribing[i].key, server_out.event, resp[3] & 15);
		}
	}
}

/* A secondary must learn that its zone is gone also when no other one is left, and hear of those that come. */
static void
the_last_zone_is_gone(void **state)
{
	(void)state;
	static const char *const files[][2] = { { "_keys", "all._transfer. DNSKEY 0 3 163 " SECRET "\n" } };
	uint8_t req[512], resp[4096];
	struct primary *keep = primary;
	primary = serve_files(files, 1);
	assert_non_null(primary);
	for (unsigned i = 0; i < 2; i++) {
		size_t len = make_query(&(struct ask){ i == 0 ? "example." : ".", "SOA", 0, 0 }, req, sizeof req);
		len = sign_request("all._transfer.:SHA256:" SECRET, NOW_S, req, len, sizeof req);
		assert_true(handle(req, len, TRANSPORT_TCP, resp) > 12);
		assert_int_equal(resp[3] & 15, RCODE_NOTAUTH);
		assert_int_equal(server_out.event == EVENT_SUBSCRIBED, i == 1);
	}
	primary_free(&primary);
	primary = keep;
}

/* Over UDP whole RRsets are left out, TC set; what is optional does not set it (RFC 2181 9). */
static void
truncation(void **state)
{
	(void)state;
	static char big[9000];
	static const char *const files[][2] = { { "big", big } };
	size_t at = (size_t)snprintf(big, sizeof big, "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS a0\nmx MX 1 a0\nmx MX 2 a1\n");
	for (int i = 0; i < 60; i++) {
		at += (size_t)snprintf(big + at, sizeof big - at, "a0 AAAA 2001:db8::%x\na1 A 192.0.2.%d\n", i + 1, i);
	}
	struct primary *keep = primary;
	primary = serve_files(files, 1);
	assert_non_null(primary);
	struct str got = { 0 };
	answer_text(&(struct ask){ "a0.big.", "AAAA", 0, 0 }, &got);
	assert_string_equal(str_text(&got), "NOERROR aa tc\n");
	str_clear(&got);
	answer_text(&(struct ask){ "a0.big.", "AAAA", EDNS, 4096 }, &got); /* our own limit is 1232 */
	assert_memory_equal(str_text(&got), "NOERROR aa tc\n", 14);
	str_clear(&got);
	answer_text(&(struct ask){ "a0.big.", "AAAA", TCP, 0 }, &got);
	assert_memory_equal(str_text(&got), "NOERROR aa\nan", 13);
	str_clear(&got);
	answer_text(&(struct ask){ "mx.big.", "MX", 0, 0 }, &got); /* additional data is optional */
	assert_string_equal(str_text(&got), "NOERROR aa\nan mx.big. 60 MX 1 a0.big.\nan mx.big. 60 MX 2 a1.big.\n");
	str_fini(&got);
	primary_free(&primary);
	primary = keep;
}

/* The question with a ZONEVERSION option, which should be empty; what is in it is passed over (RFC 9660 3.2). */
static struct msg
ask_version(const char *name, const char *type, const void *payload, uint16_t payload_len, uint8_t resp[4096])
{
	uint8_t req[512];
	struct msg m;
	size_t len = make_query(&(struct ask){ name, type, EDNS, 0 }, req, sizeof req);
	struct buf b = buf_over(req + len - 2, sizeof req - len);
	buf_u16(&b, 4 + payload_len);
	buf_u16(&b, EDNS_OPT_ZONEVERSION);
	buf_u16(&b, payload_len);
	buf_put(&b, payload, payload_len);
	size_t got = handle(req, len - 2 + b.len, TRANSPORT_UDP, resp);
	assert_int_equal(msg_parse(resp, got, &m), OK);
	assert_true(m.edns.present);
	return m;
}

static void
assert_version(const char *name, const char *type, unsigned labels, uint32_t serial)
{
	uint8_t resp[4096], want[] = { 0, EDNS_OPT_ZONEVERSION, 0, 6, (uint8_t)labels, 0, (uint8_t)(serial >> 24), (uint8_t)(serial >> 16),
		                       (uint8_t)(serial >> 8), (uint8_t)serial };
	for (unsigned n = 0; n < 2; n++) {
		struct msg m = ask_version(name, type, "x", (uint16_t)n, resp);
		assert_int_equal(m.edns.options_len, sizeof want);
		assert_memory_equal(m.edns.options, want, sizeof want);
	}
}

/* RFC 9660: of the zone that encloses the name that was asked for, whatever else is in the answer; not where we have none. */
static void
who_asks_for_it_is_told_the_version(void **state)
{
	(void)state;
	uint8_t resp[4096];
	assert_int_equal(ask_version("www.example.", "A", "", 0, resp).edns.options_len, 0); /* the operator does not want it */
	conf.tells_commit = true;
	const uint32_t serial = view_zone(primary_view(primary), (const uint8_t *)"\7example")->serial;
	assert_version("www.example.", "A", 1, serial);
	assert_version("nobody.example.", "A", 1, serial);    /* NXDOMAIN */
	assert_version("www.sub.example.", "A", 1, serial);   /* a referral */
	assert_version("x.child.example.", "A", 2, 1);
	assert_int_equal(ask_version("www.example.net.", "A", "", 0, resp).edns.options_len, 6); /* an extended error, and nothing else */
	struct str got = { 0 };
	answer_text(&(struct ask){ "commit.server.", "TXT", CHAOS, 0 }, &got);
	assert_string_equal(str_text(&got), "NOERROR aa\nan commit.server. 0 TXT \"c0ffee\"\n");
	str_clear(&got);
	conf.tells_commit = false;
	answer_text(&(struct ask){ "commit.server.", "TXT", CHAOS, 0 }, &got);
	assert_string_equal(str_text(&got), "REFUSED\n");
	str_fini(&got);
}

/* Each type below 66, and 251 to 257, has a counter of its own. */
static void
queries_are_counted_by_type(void **state)
{
	(void)state;
	static const char *const types[] = { "A", "A", "HTTPS", "ANY", "CAA", "TYPE66", "TYPE250", "TYPE258", "TYPE65535" };
	uint8_t req[512], resp[DNS_MSG_MAX];
	for (unsigned slot = 0; slot < SERVER_TYPES_OTHER; slot++) {
		assert_int_equal(server_type_slot(server_type_of_slot(slot)), slot);
	}
	stats = (struct server_stats){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct ask a = { .name = "www.example.", .type = types[i] };
		(void)handle(req, make_query(&a, req, sizeof req), TRANSPORT_UDP, resp);
	}
	assert_int_equal(stats.queries[TRANSPORT_UDP], ARRAY_LEN(types));
	assert_int_equal(stats.types[TYPE_A], 2);
	assert_int_equal(stats.types[TYPE_HTTPS], 1);
	assert_int_equal(stats.types[server_type_slot(TYPE_ANY)], 1);
	assert_int_equal(stats.types[server_type_slot(TYPE_CAA)], 1);
	assert_int_equal(stats.types[SERVER_TYPES_OTHER], 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(who_asks_for_it_is_told_the_version),
		cmocka_unit_test(a_name_that_dname_makes_too_long_is_yxdomain),
		cmocka_unit_test(header_and_opcode_rules),
		cmocka_unit_test(an_unsigned_notify_is_acknowledged_and_nothing_more),
		cmocka_unit_test(what_a_secondary_subscribes_to),
		cmocka_unit_test(the_last_zone_is_gone),
		cmocka_unit_test(truncation),
		cmocka_unit_test(queries_are_counted_by_type),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
