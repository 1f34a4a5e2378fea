/* Which updates a secondary passes on, and what it answers to those that it cannot. */
#include "auth/forward.h"

#include <setjmp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "asking.h"
#include "auth/secondary.h"

#define KEY "k._update.example"

struct world {
	struct secondary *s;
	struct server_conf conf;
	struct server_out out;
	uint8_t answer[DNS_MSG_MAX];
	size_t len;
};

/* It follows "example", which has not come yet, and has KEY. */
static void
begin(struct world *w)
{
	static const struct secondary_conf conf = { .octets_max = 1 << 20 };
	struct keystore *keys = keystore_new(NULL);
	struct secondary_step step;
	struct tsig_key key;
	char why[128];
	assert_int_equal(tsig_key_parse(KEY ":SHA256:" ASKING_SECRET, &key, why), OK);
	assert_int_equal(keystore_add_key(keys, &key), OK);
	keystore_seal(keys);
	*w = (struct world){ .s = secondary_new(&conf, keys) };
	w->conf = (struct server_conf){ .udp_max = 1232, .takes_no_updates = true, .forwards_updates = true };
	assert_int_equal(secondary_show(w->s, (const uint8_t *)"\7example", FOLLOW_NEW, ASKING_NOW_S, &step), OK);
	discard_free(&step.old);
}

static const struct peer client = { .family = 4, .transport = TRANSPORT_UDP };

static void
ask(struct world *w, const char *zone, const char *key, uint16_t type, uint16_t rrclass)
{
	const struct request_kind update = { "UPDATE", "", OPCODE_UPDATE, type, rrclass, TRANSPORT_UDP, false };
	struct server_stats stats = { 0 };
	uint8_t wire[ASKING_WIRE_MAX];
	size_t len = asking_make(&update, zone, key, wire);
	w->len = server_handle(secondary_view(w->s), &w->conf, &client, ASKING_NOW_S, wire, len, w->answer, sizeof w->answer, &stats, &w->out);
}

static unsigned
rcode(const struct world *w)
{
	return w->len != 0 ? w->answer[3] & DNS_RCODE : UINT_MAX;
}

static void
what_is_passed_on(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	ask(&w, "example", KEY, TYPE_SOA, CLASS_IN);
	assert_int_equal(w.len, 0);
	assert_int_equal(w.out.event, EVENT_FORWARD);
	assert_string_equal((const char *)w.out.zone.oct, "\7example");
	ask(&w, "EXAMPLE", "nobody._update.example", TYPE_SOA, CLASS_IN); /* the primary may know the key */
	assert_int_equal(w.out.event, EVENT_FORWARD);
	secondary_free(&w.s);
}

static void
what_is_answered_here(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	ask(&w, "example", NULL, TYPE_SOA, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_REFUSED);
	ask(&w, "other", KEY, TYPE_SOA, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_REFUSED);
	ask(&w, "below.example", KEY, TYPE_SOA, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_REFUSED);
	ask(&w, "example", KEY, TYPE_SOA, CLASS_CH);
	assert_int_equal(rcode(&w), RCODE_NOTAUTH);
	ask(&w, "example", KEY, TYPE_A, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_FORMERR);
	ask(&w, "example", "nobody._update.example", TYPE_A, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_NOTAUTH);
	w.conf.forwards_updates = false;
	ask(&w, "example", KEY, TYPE_SOA, CLASS_IN);
	assert_int_equal(rcode(&w), RCODE_REFUSED);
	secondary_free(&w.s);
}

/* SERVFAIL: signed with a key that is known here; without a signature to another forwarder, which goes on to its next primary. */
static void
what_is_said_when_it_cannot_be_passed_on(void **state)
{
	(void)state;
	static const struct request_kind update = { "UPDATE", "", OPCODE_UPDATE, TYPE_SOA, CLASS_IN, TRANSPORT_UDP, false };
	static const struct {
		const char *key;
		bool is_passed, is_signed;
	} cases[] = { { KEY, false, true }, { KEY, true, false }, { "nobody._update.example", false, false } };
	struct world w;
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t wire[ASKING_WIRE_MAX], out[512];
		size_t len = asking_make(&update, "example", cases[i].key, wire);
		wire[0] ^= cases[i].is_passed;
		struct msg m;
		size_t n = forward_refuse(secondary_view(w.s), &w.conf, &client, ASKING_NOW_S, wire, len, "nobody is there", out, sizeof out);
		assert_int_equal(msg_parse(out, n, &m), OK);
		assert_int_equal(m.bits & DNS_RCODE, RCODE_SERVFAIL);
		assert_memory_equal(out, wire, 2);
		assert_int_equal(m.has_tsig, cases[i].is_signed);
	}
	secondary_free(&w.s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_passed_on),
		cmocka_unit_test(what_is_answered_here),
		cmocka_unit_test(what_is_said_when_it_cannot_be_passed_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
