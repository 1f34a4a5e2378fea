#include "dns/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrtype.h"

/* Pieces of messages; HEADER(q, an, ns, ar) of a query with ID 0x1234 and RD. */
#define HEADER(qd, an, ns, ar) "\x12\x34\x01\x00\0" qd "\0" an "\0" ns "\0" ar
#define WWW "\3wWw\7example\0"
#define WWW_A WWW "\0\1\0\1"
#define OPT(rdlen, rdata) "\0\0\x29\x04\xD0\0\0\x80\0\0" rdlen rdata
#define SOA_RR "\xC0\x10\0\6\0\1\0\0\x0E\x10\0\x16\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"
#define TSIG_RR "\1k\0\0\xFA\0\xFF\0\0\0\0\0\1z"
#define WIRE(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static void
a_common_query(void **state)
{
	(void)state;
	struct msg m;
	static const char wire[] = HEADER("\1", "\0", "\0", "\1") WWW_A
	        OPT("\x0C", "\0\3\0\0\0\xFA\0\4\1\2\3\4");
	assert_int_equal(msg_parse(WIRE(wire), &m), OK);
	assert_int_equal(m.id, 0x1234);
	assert_int_equal(m.bits, DNS_RD);
	assert_int_equal(msg_opcode(&m), OPCODE_QUERY);
	assert_int_equal(m.qname.len, 13);
	assert_memory_equal(m.qname.oct, WWW, 13); /* case kept */
	assert_int_equal(m.qtype, TYPE_A);
	assert_int_equal(m.qclass, CLASS_IN);
	assert_int_equal(m.question_end, 29);
	assert_true(m.edns.present);
	assert_true(m.edns.wants_nsid);
	assert_false(m.edns.wants_keepalive);
	assert_int_equal(m.edns.udp_size, 1232);
	assert_int_equal(m.edns.flags, EDNS_DO);
	assert_int_equal(m.edns.options_len, 12);
	assert_false(m.has_tsig);
	assert_int_equal(msg_parse(WIRE(HEADER("\1", "\0", "\0", "\0") WWW_A), &m), OK);
	assert_false(m.edns.present);
}

static void
what_is_the_servers_to_decide_is_accepted(void **state)
{
	(void)state;
	struct msg m;
	assert_int_equal(msg_parse(WIRE(HEADER("\0", "\0", "\0", "\0")), &m), OK);
	assert_int_equal(m.question_end, DNS_HEADER_LEN);
	assert_int_equal(name_len(m.qname.oct), 1);
	assert_int_equal(msg_parse(WIRE(HEADER("\2", "\0", "\0", "\0") WWW_A "\xC0\x0C\0\1\0\1"), &m), OK);
	assert_int_equal(m.question_end, 29);
	/* EDNS version 1: BADVERS, whatever is in its options; a size below 512 counts as 512. */
	assert_int_equal(msg_parse(WIRE(HEADER("\1", "\0", "\0", "\1") WWW_A
	                                "\0\0\x29\0\x10\0\1\0\0\0\1x"), &m), OK);
	assert_int_equal(m.edns.version, 1);
	assert_int_equal(m.edns.udp_size, 512);
	static const char notify[] = "\x12\x34\x24\x00\0\1\0\1\0\0\0\0" WWW "\0\6\0\1" SOA_RR;
	assert_int_equal(msg_parse(WIRE(notify), &m), OK);
	assert_int_equal(msg_opcode(&m), OPCODE_NOTIFY);
	assert_int_equal(m.rr_at[1], 29);
}

static void
keepalive_is_noted(void **state)
{
	(void)state;
	struct msg m;
	static const char wire[] = HEADER("\1", "\0", "\0", "\1") WWW_A
	        OPT("\x16", "\0\x0A\0\x08" "12345678" "\0\x0B\0\0" "\0\x0A\0\2zz");
	assert_int_equal(msg_parse(WIRE(wire), &m), OK);
	assert_true(m.edns.wants_keepalive);
	assert_false(m.edns.has_idle);
	assert_int_equal(m.edns.cookie_len, 8); /* the first one counts (RFC 7873 5.2) */
	assert_memory_equal(m.edns.cookie, "12345678", 8);
	static const char answer[] = HEADER("\1", "\0", "\0", "\1") WWW_A OPT("\x06", "\0\x0B\0\2\1\2");
	assert_int_equal(msg_parse(WIRE(answer), &m), OK);
	assert_true(!m.edns.wants_keepalive && m.edns.has_idle);
	assert_int_equal(m.edns.idle_100ms, 258);
	static const char odd[] = HEADER("\1", "\0", "\0", "\1") WWW_A OPT("\x05", "\0\x0B\0\1\1");
	assert_int_equal(msg_parse(WIRE(odd), &m), OK);
	assert_true(!m.edns.wants_keepalive && !m.edns.has_idle);
}

static void
records_are_read(void **state)
{
	(void)state;
	struct msg m;
	static const char wire[] = HEADER("\1", "\0", "\1", "\1") WWW_A SOA_RR TSIG_RR;
	assert_int_equal(msg_parse(WIRE(wire), &m), OK);
	assert_true(m.has_tsig);
	assert_int_equal(m.tsig.type, TYPE_TSIG);
	assert_int_equal(m.tsig.rrclass, CLASS_ANY);
	assert_int_equal(m.tsig.rdlength, 1);
	assert_int_equal(m.wire[m.tsig.rdata_at], 'z');
	struct cur c = cur_over(m.wire, m.len);
	c.pos = m.rr_at[2];
	struct name owner;
	struct msg_rr rr;
	assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
	assert_memory_equal(owner.oct, "\7example\0", 9);
	assert_int_equal(rr.type, TYPE_SOA);
	assert_int_equal(rr.ttl, 3600);
	assert_int_equal(rr.rdlength, 22);
	assert_int_equal(c.pos, m.tsig.at);
	c.len -= 1;
	assert_int_equal(msg_read_rr(&c, &owner, &rr), E_SHORT);
	assert_int_equal(rr.type, TYPE_SOA); /* as it was */
}

static void
malformed_messages(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *wire;
		size_t len;
	} bad[] = {
#define BAD(what, literal) { what, literal, sizeof(literal) - 1 }
		BAD("no question where one is announced", HEADER("\1", "\0", "\0", "\0")),
		BAD("trailing octet", HEADER("\1", "\0", "\0", "\0") WWW_A "x"),
		BAD("question cut", HEADER("\1", "\0", "\0", "\0") WWW "\0\1\0"),
		BAD("name cut", HEADER("\1", "\0", "\0", "\0") "\3ww"),
		BAD("name without end", HEADER("\1", "\0", "\0", "\0") "\3www"),
		BAD("pointer in the first question", HEADER("\1", "\0", "\0", "\0") "\xC0\x0C\0\1\0\1"),
		BAD("label type 01", HEADER("\1", "\0", "\0", "\0") "\x41xx\0\0\1\0\1"),
		BAD("second question cut", HEADER("\2", "\0", "\0", "\0") WWW_A "\xC0\x0C\0\1"),
		BAD("pointer to itself", HEADER("\1", "\0", "\0", "\1") WWW_A "\xC0\x1D\0\1\0\1\0\0\0\0\0\0"),
		BAD("pointer into the header", HEADER("\1", "\0", "\0", "\1") WWW_A "\xC0\x02\0\1\0\1\0\0\0\0\0\0"),
		BAD("pointer cut", HEADER("\1", "\0", "\0", "\1") WWW_A "\xC0"),
		BAD("RR cut", HEADER("\1", "\0", "\0", "\1") WWW_A "\xC0\x0C\0\1\0\1\0\0\0\0\0"),
		BAD("RDATA cut", HEADER("\1", "\0", "\0", "\1") WWW_A "\xC0\x0C\0\1\0\1\0\0\0\0\0\4abc"),
		BAD("two OPTs", HEADER("\1", "\0", "\0", "\2") WWW_A OPT("\0", "") OPT("\0", "")),
		BAD("OPT in the answer", HEADER("\1", "\1", "\0", "\0") WWW_A OPT("\0", "")),
		BAD("OPT of another name", HEADER("\1", "\0", "\0", "\1") WWW_A "\1x" OPT("\0", "")),
		BAD("option header cut", HEADER("\1", "\0", "\0", "\1") WWW_A OPT("\3", "\0\3\0")),
		BAD("option cut", HEADER("\1", "\0", "\0", "\1") WWW_A OPT("\5", "\0\3\0\2x")),
		BAD("TSIG not last", HEADER("\1", "\0", "\0", "\2") WWW_A TSIG_RR OPT("\0", "")),
		BAD("two TSIGs", HEADER("\1", "\0", "\0", "\2") WWW_A TSIG_RR TSIG_RR),
		BAD("TSIG in the authority section", HEADER("\1", "\0", "\1", "\0") WWW_A TSIG_RR),
#undef BAD
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct msg m;
		err_t err = msg_parse((const uint8_t *)bad[i].wire, bad[i].len, &m);
		if (err != E_FORMAT) {
			fail_msg("%s: %s", bad[i].what, err_str(err));
		}
		assert_int_equal(m.id, 0x1234);
	}
	struct msg m;
	assert_int_equal(msg_parse(WIRE("\x12\x34\0\0\0\0\0\0\0\0\0"), &m), E_SHORT);
}

/* Every message cut short is malformed, and none is read past its end (ASan). */
static void
every_prefix_is_refused(void **state)
{
	(void)state;
	static const char wire[] = HEADER("\1", "\0", "\1", "\2") WWW_A SOA_RR OPT("\4", "\0\3\0\0") TSIG_RR;
	for (size_t n = 0; n < sizeof wire - 1; n++) {
		uint8_t cut[sizeof wire];
		struct msg m;
		memcpy(cut + sizeof cut - n, wire, n);
		assert_int_not_equal(msg_parse(cut + sizeof cut - n, n, &m), OK);
	}
}

static void
name_limits(void **state)
{
	(void)state;
	uint8_t wire[DNS_HEADER_LEN + 300] = { 0, 1, 0, 0, 0, 1 };
	for (size_t n = 250; n <= 256; n++) { /* octets of labels: ones of one octet, one of two when odd */
		size_t at = DNS_HEADER_LEN;
		if (n % 2 == 1) {
			memcpy(wire + at, "\2ab", 3);
			at += 3;
		}
		for (; at < DNS_HEADER_LEN + n; at += 2) {
			memcpy(wire + at, "\1x", 2);
		}
		memcpy(wire + at, "\0\0\1\0\1", 5);
		struct msg m;
		assert_int_equal(msg_parse(wire, at + 5, &m), n + 1 <= NAME_WIRE_MAX ? OK : E_FORMAT);
		wire[5] = 0, wire[11] = 1; /* the same as the owner of a record */
		memcpy(wire + at + 5, "\0\0\0\0\0\0", 6);
		assert_int_equal(msg_parse(wire, at + 11, &m), n + 1 <= NAME_WIRE_MAX ? OK : E_FORMAT);
		wire[5] = 1, wire[11] = 0;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_common_query),
		cmocka_unit_test(what_is_the_servers_to_decide_is_accepted),
		cmocka_unit_test(keepalive_is_noted),
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(malformed_messages),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(name_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
