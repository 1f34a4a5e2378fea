/* tests/unit/view_asking.h -- what a view answers, in one line: for tests of views that no primary makes. */
#pragma once

#include "asking.h"
#include "auth/keys.h"
#include "dns/ede.h"
#include "dns/msg.h"

/* A key of the test's own secret (asking.h). */
static inline void
view_add_key(struct keystore *ks, const char *name)
{
	static const uint8_t rdata[4 + 32] = { 0, 0, 3, 163 };
	struct findings f = { 0 };
	struct name owner;
	assert_int_equal(name_parse(name, strlen(name), name_root, &owner), OK);
	assert_int_equal(keystore_add(ks, owner.oct, name_root, rdata, sizeof rdata, &f), OK);
	assert_int_equal(f.n, 0);
	findings_fini(&f);
}

static const struct request_kind view_a = { .what = "A", .below = "", .type = TYPE_A, .rrclass = CLASS_IN };
static const struct request_kind view_ds = { .what = "DS", .below = "", .type = TYPE_DS, .rrclass = CLASS_IN };
static const struct request_kind view_soa = { .what = "SOA", .below = "", .type = TYPE_SOA, .rrclass = CLASS_IN };
static const struct request_kind view_axfr = { .what = "AXFR", .below = "", .type = TYPE_AXFR, .rrclass = CLASS_IN,
	                                       .transport = TRANSPORT_TCP };
static const struct request_kind view_ixfr = { .what = "IXFR", .below = "", .type = TYPE_IXFR, .rrclass = CLASS_IN, .has_soa = true };
static const struct request_kind view_notify = { .what = "NOTIFY", .below = "", .opcode = OPCODE_NOTIFY, .type = TYPE_SOA,
	                                         .rrclass = CLASS_IN };

enum { VIEW_TEXT_MAX = 64 + EDE_TEXT_MAX };

/* "NOERROR aa 2/1/0", the numbers of records, then extended errors.  "": no answer for now. */
static inline const char *
view_ask(const struct view *v, const struct request_kind *k, const char *name, const char *key, struct server_out *event,
         char out[VIEW_TEXT_MAX])
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static struct server_stats stats;
	const struct peer peer = { .family = 4, .address = { 192, 0, 2, 1 }, .transport = k->transport };
	static uint8_t resp[DNS_MSG_MAX];
	uint8_t wire[ASKING_WIRE_MAX];
	char rcode[RRTYPE_TEXT_MAX], ede[EDE_TEXT_MAX];
	struct msg m;
	size_t len = asking_make(k, name, key, wire);
	len = server_handle(v, &conf, &peer, ASKING_NOW_S, wire, len, resp, sizeof resp, &stats, event);
	out[0] = '\0';
	if (len != 0) {
		assert_int_equal(msg_parse(resp, len, &m), OK);
		ede_print(&m.edns, ede);
		snprintf(out, VIEW_TEXT_MAX, "%s%s %u/%u/%u%s%s", rcode_print(m.bits & DNS_RCODE, false, rcode),
		         (m.bits & DNS_AA) != 0 ? " aa" : "", m.count[1], m.count[2], m.count[3] - m.edns.present - m.has_tsig,
		         ede[0] != '\0' ? " " : "", ede);
	}
	return out;
}
