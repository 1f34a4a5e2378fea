#include "dns/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "dns/msg.h"
#include "dns/rrtype.h"

static const uint8_t name[] = "\6status";

static void
head_and_edns_are_what_msg_parse_reads(void **state)
{
	(void)state;
	uint8_t wire[64];
	struct msg m;
	struct buf b = buf_over(wire, sizeof wire);
	request_begin(&b, 0xABCD, OPCODE_NOTIFY << 11 | DNS_AA, &(struct question){ name, TYPE_TXT, CLASS_CH });
	request_put_edns(&b);
	assert_int_equal(b.err, OK);
	assert_int_equal(msg_parse(wire, b.len, &m), OK);
	assert_int_equal(m.id, 0xABCD);
	assert_int_equal(m.bits, OPCODE_NOTIFY << 11 | DNS_AA);
	assert_memory_equal(m.count, ((uint16_t[]){ 1, 0, 0, 1 }), sizeof m.count);
	assert_memory_equal(m.qname.oct, name, sizeof name);
	assert_int_equal(m.qtype, TYPE_TXT);
	assert_int_equal(m.qclass, CLASS_CH);
	assert_true(m.edns.present && m.edns.version == 0 && m.edns.flags == 0 && m.edns.options_len == 0);
	assert_int_equal(m.edns.udp_size, DNS_UDP_EDNS_DEFAULT);
}

static void
no_room_is_told(void **state)
{
	(void)state;
	uint8_t wire[30];
	struct buf b = buf_over(wire, 20);
	request_begin(&b, 1, 0, &(struct question){ name, TYPE_TXT, CLASS_IN });
	assert_int_equal(b.err, E_FULL);
	b = buf_over(wire, sizeof wire);
	request_begin(&b, 1, 0, &(struct question){ name, TYPE_TXT, CLASS_IN });
	assert_int_equal(b.err, OK);
	request_put_edns(&b);
	assert_int_equal(b.err, E_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_and_edns_are_what_msg_parse_reads),
		cmocka_unit_test(no_room_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
