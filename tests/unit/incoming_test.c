/* Transfers that come in, as text: one record a line, a line with "|" ends a message. */
#include "auth/incoming.h"

#include "dns/wire.h"
#include "zone/check.h"
#include "zone_text.h"

#define SOA_OF(serial) "@ 3600 SOA ns1 hostmaster " serial " 7200 3600 1209600 300\n"
#define REST_OF_APEX "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n"
#define MESSAGE "|\n"
#define WALK(serial, more) "example. 3600 NS ns1.example.\nexample. 3600 SOA ns1.example. hostmaster.example. " serial " 7200 3600 1209600 300\n" more

struct world {
	struct zone *from; /* serial 7 with "a" and "b"; NULL: AXFR */
	struct incoming *in;
	struct zone *whole;
	struct zone_txn *changes;
	size_t octets_max, records_max;
	bool is_last;
};

static void
world_begin(struct world *w, bool is_incremental)
{
	*w = (struct world){ .octets_max = SIZE_MAX, .records_max = SIZE_MAX };
	w->from = is_incremental ? text_zone(TEXT_APEX "a 60 A 192.0.2.7\nb 60 A 192.0.2.8\n") : NULL;
}

static void
world_fini(struct world *w)
{
	incoming_free(&w->in);
	zone_txn_rollback(&w->changes);
	zone_free(&w->whole);
	zone_free(&w->from);
}

/* ---- messages ---- */

static void
put_rr(struct buf *b, const char *line)
{
	const struct text_rr rr = text_rr(line, example);
	buf_put(b, rr.owner.oct, rr.owner.len);
	buf_u16(b, rr.type);
	buf_u16(b, CLASS_IN);
	buf_u32(b, rr.ttl);
	buf_u16(b, rr.rdlen);
	buf_put(b, rr.rdata, rr.rdlen);
}

/* The next message of the text, which ends with a line "|" or with the text. */
static size_t
next_message(const char **text, uint8_t *wire, size_t cap)
{
	struct buf b = buf_over(wire, cap);
	const char *line;
	uint16_t n = 0;
	const uint8_t header[DNS_HEADER_LEN] = { 0, 1, 0x84 };
	buf_put(&b, header, sizeof header);
	while ((line = text_line(text)) != NULL && *line != '|') {
		put_rr(&b, line);
		n++;
	}
	wire[6] = (uint8_t)(n >> 8);
	wire[7] = (uint8_t)n;
	return b.len;
}

static err_t
feed(struct world *w, const char *text)
{
	uint8_t wire[8192];
	struct msg m;
	err_t err = OK;
	if (w->in == NULL) {
		const struct incoming_conf conf = { .apex = example, .from = w->from, .octets_max = w->octets_max, .records_max = w->records_max };
		assert_int_equal(incoming_new(&conf, &w->in), OK);
	}
	while (err == OK && *text != '\0') {
		assert_false(w->is_last);
		size_t len = next_message(&text, wire, sizeof wire);
		assert_int_equal(msg_parse(wire, len, &m), OK);
		err = incoming_take(w->in, &m, &w->is_last);
		text += strspn(text, "\n");
	}
	return err;
}

/* ---- what comes of it ---- */

static const struct zone *
finished(struct world *w, enum incoming_form form)
{
	const struct zone *to = NULL;
	assert_true(w->is_last);
	assert_int_equal(incoming_report(w->in)->form, form);
	assert_int_equal(incoming_finish(w->in, &w->whole, &w->changes), OK);
	assert_int_equal(w->whole != NULL, form == INCOMING_WHOLE);
	assert_int_equal(w->changes != NULL, form == INCOMING_CHANGES);
	if (w->changes != NULL) {
		assert_int_equal(zone_txn_prepare(w->changes, &to), OK);
	}
	return w->whole != NULL ? w->whole : to;
}

static void
assert_comes_of(bool is_incremental, const char *text, enum incoming_form form, const char *walk)
{
	struct world w;
	world_begin(&w, is_incremental);
	assert_int_equal(feed(&w, text), OK);
	assert_walk(finished(&w, form), walk);
	world_fini(&w);
}

static void
assert_fails(bool is_incremental, const char *text, err_t err, const char *why)
{
	struct world w;
	world_begin(&w, is_incremental);
	assert_int_equal(feed(&w, text), err);
	assert_string_equal(incoming_why(w.in), why);
	world_fini(&w);
}

/* ---- whole zones ---- */

#define AT "a.example. 60 A 192.0.2.9\nns1.example. 3600 A 192.0.2.1\n"

static void
a_whole_zone(void **state)
{
	(void)state;
	assert_comes_of(false, SOA_OF("8") REST_OF_APEX "a 60 A 192.0.2.9\n" SOA_OF("8"), INCOMING_WHOLE, WALK("8", AT));
	assert_comes_of(false, SOA_OF("8") MESSAGE REST_OF_APEX MESSAGE "a 60 A 192.0.2.9\n" MESSAGE SOA_OF("8"), INCOMING_WHOLE, WALK("8", AT));
	/* RFC 1995 4: as an answer to IXFR, too, whatever the first message has */
	assert_comes_of(true, SOA_OF("8") REST_OF_APEX "a 60 A 192.0.2.9\n" SOA_OF("8"), INCOMING_WHOLE, WALK("8", AT));
	assert_comes_of(true, SOA_OF("8") MESSAGE REST_OF_APEX "a 60 A 192.0.2.9\n" SOA_OF("8"), INCOMING_WHOLE, WALK("8", AT));
}

/* Names are compared without case (RFC 5936 2.2, RFC 4343). */
static void
the_last_soa_is_the_first(void **state)
{
	(void)state;
	assert_comes_of(false, SOA_OF("8") REST_OF_APEX "a 60 A 192.0.2.9\n@ 3600 SOA NS1 HostMaster 8 7200 3600 1209600 300\n", INCOMING_WHOLE,
	                WALK("8", AT));
	assert_fails(false, SOA_OF("8") REST_OF_APEX SOA_OF("9"), E_FORMAT,
	             "the last SOA record (serial 9) is not the first one (serial 8)");
	assert_fails(false, SOA_OF("8") REST_OF_APEX "a 60 SOA ns1 h 8 1 1 1 1\n", E_FORMAT, "a.example. SOA: is the SOA record of another zone");
	assert_fails(false, SOA_OF("8") REST_OF_APEX SOA_OF("8") "a 60 A 192.0.2.9\n", E_FORMAT, "a.example. A: comes after the end of the transfer");
}

static void
what_is_no_transfer(void **state)
{
	(void)state;
	assert_fails(false, REST_OF_APEX, E_FORMAT, "example. NS: the first record is to be the SOA");
	assert_fails(true, REST_OF_APEX, E_FORMAT, "example. NS: the first record is to be the SOA");
	assert_fails(false, SOA_OF("8") MESSAGE MESSAGE, E_FORMAT, "a message of the transfer has no records");
}

/* A type for queries, and another class. */
static void
records_that_no_zone_has(void **state)
{
	(void)state;
	static const struct {
		uint16_t type, rrclass;
		const char *why;
	} cases[] = {
		{ 200, CLASS_IN, "example. TYPE200: cannot be in a zone of class IN" },
		{ TYPE_TXT, CLASS_CH, "example. TXT: cannot be in a zone of class IN" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t wire[512];
		struct buf b = buf_over(wire, sizeof wire);
		struct world w;
		struct msg m;
		const uint8_t header[DNS_HEADER_LEN] = { 0, 1, 0x84, 0, 0, 0, 0, 2 };
		buf_put(&b, header, sizeof header);
		put_rr(&b, SOA_OF("8"));
		buf_put(&b, example, sizeof example);
		buf_u16(&b, cases[i].type);
		buf_u16(&b, cases[i].rrclass);
		buf_u32(&b, 60);
		buf_u16(&b, 2);
		buf_put(&b, "\1x", 2);
		world_begin(&w, false);
		const struct incoming_conf conf = { .apex = example, .octets_max = SIZE_MAX, .records_max = SIZE_MAX };
		assert_int_equal(incoming_new(&conf, &w.in), OK);
		assert_int_equal(msg_parse(wire, b.len, &m), OK);
		assert_int_equal(incoming_take(w.in, &m, &w.is_last), E_FORMAT);
		assert_string_equal(incoming_why(w.in), cases[i].why);
		world_fini(&w);
	}
}

static void
what_is_no_zone(void **state)
{
	(void)state;
	static const char *const texts[] = {
		SOA_OF("8") REST_OF_APEX "www.other. 60 A 192.0.2.1\n" SOA_OF("8"),
		SOA_OF("8") REST_OF_APEX "a 60 DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n" SOA_OF("8"),
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct world w;
		world_begin(&w, false);
		assert_int_equal(feed(&w, texts[i]), OK);
		assert_true(w.is_last);
		assert_int_equal(incoming_finish(w.in, &w.whole, &w.changes), E_FORMAT);
		assert_true(w.whole == NULL && w.changes == NULL && incoming_why(w.in)[0] != '\0');
		world_fini(&w);
	}
}

/* ---- flaws that a primary serves ---- */

static void
assert_flaw(const struct zone *z, const char *owner, const char *code)
{
	struct findings f = { 0 };
	char name[NAME_TEXT_MAX];
	assert_int_equal(z->flaw != NULL, code != NULL);
	if (code != NULL) {
		zone_check_name(z->flaw, DIAG_UNWISE, &f);
		(void)name_print(z->flaw->name, name);
		assert_string_equal(name, owner);
		assert_int_equal(f.n, 1);
		assert_string_equal(f.list[0].code, code);
	}
	findings_fini(&f);
}

static void
flaws_of_a_whole_zone_are_taken(void **state)
{
	(void)state;
	static const struct {
		const char *records, *owner, *code;
	} cases[] = {
		{ REST_OF_APEX "a 60 CNAME b\na 60 TXT x\n", "a.example.", "cname-and-other" },
		{ REST_OF_APEX "a 60 CNAME b\na 60 CNAME c\n", "a.example.", "several-cname" },
		{ REST_OF_APEX "a 60 DNAME b\na 60 DNAME c\n", "a.example.", "several-dname" },
		{ "ns1 3600 A 192.0.2.1\n", "example.", "no-apex-ns" },
		{ "", "example.", "no-apex-ns" },
		{ REST_OF_APEX "a 60 DNAME b\na 60 TXT x\nsub 60 NS ns.sub\n", NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		char text[1000];
		world_begin(&w, false);
		(void)snprintf(text, sizeof text, SOA_OF("8") "%s" SOA_OF("8"), cases[i].records);
		assert_int_equal(feed(&w, text), OK);
		assert_flaw(finished(&w, INCOMING_WHOLE), cases[i].owner, cases[i].code);
		world_fini(&w);
	}
}

#define TO_8(removed, added) SOA_OF("8") SOA_OF("7") removed SOA_OF("8") added SOA_OF("8")

/* Only a flaw that was not there before is the new version's. */
static void
flaws_of_changes_are_taken(void **state)
{
	(void)state;
	static const struct {
		const char *before, *changes, *owner, *code;
	} cases[] = {
		{ "a 60 CNAME b\n", TO_8("", "a 60 A 192.0.2.7\n"), "a.example.", "cname-and-other" },
		{ "a 60 CNAME b\n", TO_8("", "a 60 CNAME c\n"), "a.example.", "several-cname" },
		{ "", TO_8("@ 3600 NS ns1\n", ""), "example.", "no-apex-ns" },
		{ "a 60 CNAME b\na 60 A 192.0.2.7\n", TO_8("", "a 60 A 192.0.2.8\nb 60 A 192.0.2.1\n"), NULL, NULL },
		{ "a 60 CNAME b\na 60 A 192.0.2.7\n", TO_8("a 60 A 192.0.2.7\n", ""), NULL, NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		char text[1000];
		world_begin(&w, false);
		(void)snprintf(text, sizeof text, SOA_OF("7") REST_OF_APEX "%s" SOA_OF("7"), cases[i].before);
		assert_int_equal(feed(&w, text), OK);
		(void)finished(&w, INCOMING_WHOLE);
		w.from = w.whole;
		w.whole = NULL;
		incoming_free(&w.in);
		w.is_last = false;
		assert_int_equal(feed(&w, cases[i].changes), OK);
		assert_flaw(finished(&w, INCOMING_CHANGES), cases[i].owner, cases[i].code);
		world_fini(&w);
	}
}

static void
a_secret_is_never_taken(void **state)
{
	(void)state;
	assert_fails(true, TO_8("", "a 60 DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"), E_FORMAT,
	             "a.example. DNSKEY: has the algorithm number of an HMAC: it would publish a secret");
}

/* ---- changes ---- */

#define A_TO_9 SOA_OF("7") "a 60 A 192.0.2.7\n" SOA_OF("8") "a 60 A 192.0.2.9\n"
#define B "b.example. 60 A 192.0.2.8\n"
#define NS1 "ns1.example. 3600 A 192.0.2.1\n"

static void
one_sequence(void **state)
{
	(void)state;
	assert_comes_of(true, SOA_OF("8") A_TO_9 SOA_OF("8"), INCOMING_CHANGES, WALK("8", "a.example. 60 A 192.0.2.9\n" B NS1));
	assert_comes_of(true, SOA_OF("8") MESSAGE SOA_OF("7") MESSAGE "a 60 A 192.0.2.7\n" MESSAGE SOA_OF("8") MESSAGE SOA_OF("8"), INCOMING_CHANGES,
	                WALK("8", B NS1));
}

static void
several_sequences(void **state)
{
	(void)state;
	assert_comes_of(true, SOA_OF("12") A_TO_9 SOA_OF("8") "a 60 A 192.0.2.9\n" SOA_OF("10") "a 60 A 192.0.2.10\nc 60 A 192.0.2.11\n" SOA_OF("10")
	                "c 60 A 192.0.2.11\n" SOA_OF("12") SOA_OF("12"), INCOMING_CHANGES, WALK("12", "a.example. 60 A 192.0.2.10\n" B NS1));
}

/* The TTL of a record is not part of it where it is removed; where it is added it is the new one (RFC 2181 5.2). */
static void
a_ttl_changes(void **state)
{
	(void)state;
	assert_comes_of(true, SOA_OF("8") SOA_OF("7") "a 60 A 192.0.2.7\n" SOA_OF("8") "a 90 A 192.0.2.7\n" SOA_OF("8"), INCOMING_CHANGES,
	                WALK("8", "a.example. 90 A 192.0.2.7\n" B NS1));
}

static void
changes_that_do_not_fit(void **state)
{
	(void)state;
	assert_fails(true, SOA_OF("8") SOA_OF("7") "a 60 A 192.0.2.1\n", E_STALE, "a.example. A: is to be removed and is not there");
	assert_fails(true, SOA_OF("8") SOA_OF("7") SOA_OF("8") "a 60 A 192.0.2.7\n", E_STALE, "a.example. A: is to be added and is there already");
	assert_fails(true, SOA_OF("8") SOA_OF("6"), E_STALE, "the changes begin at serial 6, and 7 was asked for");
	assert_fails(true, SOA_OF("8") "@ 3600 SOA ns2 hostmaster 7 7200 3600 1209600 300\n", E_STALE,
	             "example. SOA: is to be removed and is not there");
	assert_fails(true, SOA_OF("9") A_TO_9 SOA_OF("7"), E_STALE, "a sequence of changes begins at serial 7, and the one before ends at 8");
	assert_fails(true, SOA_OF("8") SOA_OF("7") SOA_OF("6"), E_STALE, "the changes lead from serial 7 to 6");
	assert_fails(true, SOA_OF("8") SOA_OF("7") "www.other. 60 A 192.0.2.1\n", E_FORMAT, "www.other. A: is not in the zone");
	assert_fails(true, SOA_OF("8") A_TO_9 "@ 3600 SOA ns2 hostmaster 8 7200 3600 1209600 300\n", E_FORMAT,
	             "the last SOA record (serial 8) is not the first one (serial 8)");
}

/* RFC 1995 2: the serial is the server's, also when ours is newer. */
static void
nothing_is_newer(void **state)
{
	(void)state;
	static const char *const texts[] = { SOA_OF("7"), SOA_OF("6"), SOA_OF("2147483655") };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct world w;
		world_begin(&w, true);
		assert_int_equal(feed(&w, texts[i]), OK);
		assert_null(finished(&w, INCOMING_CURRENT));
		world_fini(&w);
	}
	struct world w;
	world_begin(&w, true);
	assert_int_equal(feed(&w, SOA_OF("8")), OK);
	assert_false(w.is_last); /* over TCP more follows, over UDP it does not fit */
	world_fini(&w);
}

/* An answer may end anywhere; the version that is served is what it was. */
static void
a_cut_changes_nothing(void **state)
{
	(void)state;
	static const char *const texts[] = { SOA_OF("8"), SOA_OF("8") SOA_OF("7"), SOA_OF("8") A_TO_9, SOA_OF("8") REST_OF_APEX };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct world w;
		world_begin(&w, true);
		assert_int_equal(feed(&w, texts[i]), OK);
		assert_false(w.is_last);
		incoming_free(&w.in);
		assert_walk(w.from, WALK("7", "a.example. 60 A 192.0.2.7\n" B NS1));
		world_fini(&w);
	}
}

/* ---- limits ---- */

static void
too_much(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, false);
	w.records_max = 3;
	assert_int_equal(feed(&w, SOA_OF("8") REST_OF_APEX "a 60 A 192.0.2.9\n"), E_LIMIT);
	assert_string_equal(incoming_why(w.in), "the transfer has more than 3 records");
	assert_int_equal(incoming_report(w.in)->records, 4);
	world_fini(&w);
}

/* At whichever step the memory is too little, that is the reason. */
static void
too_much_memory(void **state)
{
	(void)state;
	unsigned while_added = 0, while_finished = 0;
	err_t err = E_LIMIT;
	for (size_t octets_max = 0; err == E_LIMIT; octets_max += 64) {
		struct world w;
		char why[100];
		world_begin(&w, false);
		w.octets_max = octets_max;
		snprintf(why, sizeof why, "the zone takes more than %zu octets of memory", octets_max);
		err = feed(&w, SOA_OF("8") REST_OF_APEX "a 60 A 192.0.2.9\n" SOA_OF("8"));
		while_added += err == E_LIMIT;
		if (err == OK) {
			err = incoming_finish(w.in, &w.whole, &w.changes);
			while_finished += err == E_LIMIT;
		}
		assert_string_equal(incoming_why(w.in), err == E_LIMIT ? why : "");
		world_fini(&w);
	}
	assert_int_equal(err, OK);
	assert_true(while_added != 0 && while_finished != 0);
}

static void
too_many_changes(void **state)
{
	(void)state;
	struct world w;
	char text[256];
	err_t err = OK;
	unsigned serial = 7;
	world_begin(&w, true);
	w.octets_max = 2000;
	assert_int_equal(feed(&w, SOA_OF("100000") SOA_OF("7")), OK);
	while (err == OK && serial < 5000) {
		snprintf(text, sizeof text, SOA_OF("%u") SOA_OF("%u"), serial + 1, serial + 1);
		err = feed(&w, text);
		serial++;
	}
	assert_int_equal(err, E_LIMIT);
	assert_in_range(serial, 500, 2000); /* small changes are taken */
	assert_string_equal(incoming_why(w.in), "the changes take more than 2000 octets of memory");
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_zone),
		cmocka_unit_test(the_last_soa_is_the_first),
		cmocka_unit_test(what_is_no_transfer),
		cmocka_unit_test(records_that_no_zone_has),
		cmocka_unit_test(what_is_no_zone),
		cmocka_unit_test(flaws_of_a_whole_zone_are_taken),
		cmocka_unit_test(flaws_of_changes_are_taken),
		cmocka_unit_test(a_secret_is_never_taken),
		cmocka_unit_test(one_sequence),
		cmocka_unit_test(several_sequences),
		cmocka_unit_test(a_ttl_changes),
		cmocka_unit_test(changes_that_do_not_fit),
		cmocka_unit_test(nothing_is_newer),
		cmocka_unit_test(a_cut_changes_nothing),
		cmocka_unit_test(too_much),
		cmocka_unit_test(too_much_memory),
		cmocka_unit_test(too_many_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
